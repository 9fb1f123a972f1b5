package console

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/api"
	"github.com/contextvault/contextvault/query"
	"github.com/contextvault/contextvault/vault"
)

const (
	// maxNodes is the maximum number of derived items that a graph shows.
	maxNodes = 100
	// maxLevels is the maximum depth of derived items that a graph shows.
	maxLevels = 20

	nodeWidth, nodeHeight, nodeGap, nodeIndent = 260, 52, 18, 20
)

// node is an item of a graph.
type node struct {
	vault.ChainLink

	Here   bool // the item of the page
	Below  bool // it was derived from the item
	Level  int  // 0: above and the item itself
	Parent int  // the index of its source; -1: none
	Row    int
}

// isItem reports whether the node is an item of the vault, with a page of its own.
func (n node) isItem() bool {
	return n.Type == vault.SourceProfileField || n.Type == vault.SourceProfileAsset
}

func (n node) x() int { return 2 + n.Level*nodeIndent }
func (n node) y() int { return 2 + n.Row*(nodeHeight+nodeGap) }

func (n node) label() string {
	if n.Name != "" {
		return n.Name
	}
	return words(n.Type)
}

// state is the second line of a node.
func (n node) state() string {
	if !n.isItem() {
		return words(n.Type)
	}
	var all []string
	if n.Status != "" {
		all = append(all, string(n.Status))
	}
	if n.StaleSince != nil {
		all = append(all, "stale")
	}
	if n.Type == vault.SourceProfileAsset {
		all = append(all, "asset")
	}
	return strings.Join(all, ", ")
}

// class is that of the colour of a node.
func (n node) class() string {
	switch {
	case n.Status == vault.StatusOrphaned || n.Status == vault.StatusExpired:
		return string(n.Status)
	case n.StaleSince != nil:
		return "stale"
	default:
		return ""
	}
}

// graph is the chain of an item, from its origin to what was derived from it.
type graph struct {
	Nodes              []node
	Truncated, Missing bool
	More               bool // there are more derived items than it shows
}

func (g graph) itself() node {
	for _, n := range g.Nodes {
		if n.Here {
			return n
		}
	}
	return node{}
}

func (g graph) width() int {
	deepest := 0
	for _, n := range g.Nodes {
		deepest = max(deepest, n.Level)
	}
	return nodeWidth + deepest*nodeIndent + 4
}

func (g graph) height() int { return len(g.Nodes)*(nodeHeight+nodeGap) - nodeGap + 4 }

// readGraph reads the chain of an item, and the items that were derived from it, all the way down.
func (q *request) readGraph(item uuid.UUID) (graph, error) {
	chain, err := q.options.Query.Chain(q.ctx, q.key.TenantID, item, 0)
	if err != nil {
		return graph{}, err
	}
	g := graph{Truncated: chain.Truncated, Missing: chain.Missing}
	for i, link := range chain.Links {
		if link.Status, err = q.statusOf(link); err != nil {
			return g, err
		}
		g.Nodes = append(g.Nodes, node{ChainLink: link, Parent: i - 1, Here: i == len(chain.Links)-1})
	}
	seen := map[uuid.UUID]bool{item: true}
	err = q.addDerived(&g, len(g.Nodes)-1, seen)
	for i := range g.Nodes {
		g.Nodes[i].Row = i
	}
	return g, err
}

// statusOf returns the status of a value in a chain, which the chain itself does not say. "": it is no value, or the
// person may not see it.
func (q *request) statusOf(link vault.ChainLink) (vault.ItemStatus, error) {
	if link.Type != vault.SourceProfileField || link.Status != "" {
		return link.Status, nil
	}
	v, err := q.options.Query.Field(q.ctx, q.key.TenantID, link.ID)
	if code := vault.CodeOf(err); code == vault.CodeUnknown || code == vault.CodeConsentRequired {
		return "", nil
	}
	return v.Status, err
}

// addDerived adds what was derived from a node, depth first.
func (q *request) addDerived(g *graph, parent int, seen map[uuid.UUID]bool) error {
	source := g.Nodes[parent]
	derived, err := q.options.Query.Derived(q.ctx, q.key.TenantID, source.ID)
	if err != nil {
		return err
	}
	for _, link := range derived {
		if seen[link.ID] {
			continue
		}
		if len(seen) > maxNodes || source.Level >= maxLevels {
			g.More = true
			return nil
		}
		seen[link.ID] = true
		g.Nodes = append(g.Nodes, node{ChainLink: link, Below: true, Level: source.Level + 1, Parent: parent})
		if err := q.addDerived(g, len(g.Nodes)-1, seen); err != nil {
			return err
		}
	}
	return nil
}

// itemPage is the content of the page of an item.
type itemPage struct {
	Customer            uuid.UUID
	Graph               graph
	Value               *vault.Value // nil: it is an asset, or it is withheld
	Withheld            []vault.Withheld
	Token               string
	MayWrite            bool
	Revealed, CanReveal bool
}

func (q *request) itemPage() error {
	id, err := q.id()
	if err != nil {
		return err
	}
	page := itemPage{
		Token: q.session.Token, MayWrite: q.may(api.ScopeWrite), Revealed: q.reveal != "", CanReveal: !q.key.Masked,
	}
	if page.Customer, err = q.options.Query.CustomerOfItem(q.ctx, q.key.TenantID, id); err != nil {
		return err
	}
	if page.Graph, err = q.readGraph(id); err != nil {
		return err
	}
	v, err := q.options.Query.Field(q.ctx, q.key.TenantID, id)
	switch vault.CodeOf(err) {
	case "":
		if err != nil {
			return err
		}
		page.Value = &v
		q.sees(page.Customer, v.Name)
	case vault.CodeUnknown, vault.CodeConsentRequired:
	default:
		return err
	}
	page.Withheld = query.Withheld(q.ctx)
	return q.show(http.StatusOK, "Chain of "+page.Graph.itself().label(), "customers", itemContent(page))
}

// edge is the line from a source to a node: straight down in the chain, an elbow to a derived item.
func edge(from, to node) string {
	if !to.Below {
		return fmt.Sprintf("M%d %d V%d", from.x()+nodeWidth/2, from.y()+nodeHeight, to.y())
	}
	return fmt.Sprintf("M%d %d V%d H%d", from.x()+nodeIndent/2, from.y()+nodeHeight, to.y()+nodeHeight/2, to.x())
}

// short cuts a text to a number of characters.
func short(text string, limit int) string {
	runes := []rune(text)
	if len(runes) <= limit {
		return text
	}
	return string(runes[:limit-1]) + "…"
}
