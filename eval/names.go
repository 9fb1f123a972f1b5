package eval

import (
	"context"
	"fmt"
	"io"
	"slices"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/rules"
	"github.com/contextvault/contextvault/vault"
)

// Embedder turns texts into unit vectors of one length, in the order of the texts.
type Embedder interface {
	Embed(ctx context.Context, texts []string) ([][]float32, error)
}

// Names says how well an embedding finds the definition that another name and description mean. The other names are
// those of paraphrases.json. At each threshold it says what an extraction would do with them.
type Names struct {
	Group   string       `json:"group"`
	Names   int          `json:"names"`   // other names
	Closest int          `json:"closest"` // of those, names whose closest definition of the service is the right one
	At      []NamesAbove `json:"at"`
	Pairs   int          `json:"pairs"` // of different slots of one service
}

// NamesAbove is what an extraction would do at a threshold.
type NamesAbove struct {
	Threshold float64 `json:"threshold"` // cosine similarity
	Right     int     `json:"right"`     // names that match the right definition
	Wrong     int     `json:"wrong"`     // names that match another one
	Confused  int     `json:"confused"`  // pairs of different slots that match each other
}

// thresholds are the thresholds of Names.At, enough to find the best one of any scale.
var thresholds = []float64{0.40, 0.45, 0.50, 0.55, 0.60, 0.65, 0.70, 0.73, 0.75, 0.80, 0.85, 0.90}

// MatchNames measures an embedding on the services that have a paraphrase, tuned and held out apart, without a group
// that has none. It compares as an extraction does: by the cosine similarity of name, display name and description,
// unless type or name tell two fields apart.
func MatchNames(ctx context.Context, model Embedder, services []Service) ([]Names, error) {
	out := []Names{{Group: GroupTuned}, {Group: GroupHeldOut}}
	for i := range out {
		for _, t := range thresholds {
			out[i].At = append(out[i].At, NamesAbove{Threshold: t})
		}
	}
	for _, s := range services {
		others := paraphrases[s.Name]
		if others == nil {
			continue
		}
		n := &out[0]
		if groupOf(s.Name) == GroupHeldOut {
			n = &out[1]
		}
		if err := n.add(ctx, model, s, others); err != nil {
			return nil, fmt.Errorf("embed the slots of %s: %w", s.Name, err)
		}
	}
	return slices.DeleteFunc(out, func(n Names) bool { return n.Names == 0 }), nil
}

// add counts the other names of the slots of one service.
func (n *Names) add(ctx context.Context, model Embedder, s Service, others map[string][2]string) error {
	defs, named := make([]vault.Definition, len(s.Slots)), make([]vault.Definition, len(s.Slots))
	var texts []string
	for i, slot := range s.Slots {
		defs[i] = definition(uuid.Nil, slot)
		if p, ok := others[slot.Name]; ok {
			slot.Name, slot.Description = p[0], p[1]
		}
		named[i] = definition(uuid.Nil, slot)
		texts = append(texts, defs[i].Meaning(), named[i].Meaning())
	}
	vectors, err := model.Embed(ctx, texts)
	if err != nil {
		return err
	}
	if len(vectors) != len(texts) {
		return fmt.Errorf("%d vectors for %d texts", len(vectors), len(texts))
	}
	for i := range defs {
		for j := range i {
			n.Pairs++
			if alike(defs[i], defs[j]) {
				n.count(cosine(vectors[2*i], vectors[2*j]), func(a *NamesAbove) *int { return &a.Confused })
			}
		}
		if named[i].Name == defs[i].Name {
			continue
		}
		n.Names++
		closest, match := -1, -1
		best, bestMatch := -1.0, -1.0
		for j := range defs {
			c := cosine(vectors[2*i+1], vectors[2*j])
			if c > best {
				closest, best = j, c
			}
			if c > bestMatch && alike(named[i], defs[j]) {
				match, bestMatch = j, c
			}
		}
		if closest == i {
			n.Closest++
		}
		n.count(bestMatch, func(a *NamesAbove) *int {
			if match == i {
				return &a.Right
			}
			return &a.Wrong
		})
	}
	return nil
}

// count adds one to a counter of each threshold that a similarity reaches.
func (n *Names) count(similarity float64, counter func(*NamesAbove) *int) {
	for k := range n.At {
		if similarity >= n.At[k].Threshold {
			*counter(&n.At[k])++
		}
	}
}

// alike reports whether neither types nor names tell two definitions apart.
func alike(a, b vault.Definition) bool {
	return a.ValueType.Compatible(b.ValueType) && !rules.Contrasting(a.Name, b.Name)
}

// PrintNames writes a table for each group.
func PrintNames(w io.Writer, all []Names) error {
	for _, n := range all {
		if _, err := fmt.Fprintf(w, "%s: %d other names, the closest definition is the right one for %d; %d pairs of slots\n"+
			"THRESHOLD  RIGHT  WRONG  CONFUSED PAIRS\n", n.Group, n.Names, n.Closest, n.Pairs); err != nil {
			return err
		}
		for _, a := range n.At {
			if _, err := fmt.Fprintf(w, "%-9.2f  %-5d  %-5d  %d\n", a.Threshold, a.Right, a.Wrong, a.Confused); err != nil {
				return err
			}
		}
	}
	return nil
}
