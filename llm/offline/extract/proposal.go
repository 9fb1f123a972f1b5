package extract

import (
	"strings"

	"github.com/contextvault/contextvault/llm"
	"github.com/contextvault/contextvault/llm/offline/text"
)

// supersededByProposal returns the targets for which the agent proposed another value than the customer stated, and
// the customer agreed: "Seven is taken, how about eight?" "Sure." The stated value no longer holds, and the new one
// is not in the customer's words.
func supersededByProposal(reply turnReader, question string, now text.Clock, stated [][]statement) []int {
	if !llm.HasText(question) || !reply.isAgreement() {
		return nil
	}
	proposal := turnReader{
		utterance: newUtterance(llm.Truncate(question, maxTurnBytes), now),
		targets:   reply.targets,
		topic:     topic{on: true, named: true}, // whatever the agent proposes is on its topic
		lastKinds: map[text.Kind]int{},
	}
	proposal.read()
	var out []int
	for f, list := range stated {
		if len(list) == 0 || reply.isStated(f, statedByForm) {
			continue
		}
		held, proposed, other := list[len(list)-1].canonical, 0, 0
		for _, p := range proposal.stated {
			if p.target != f || p.canonical == "" {
				continue
			}
			proposed++
			if p.canonical != held && !(reply.targets[f].kind == text.KindPlace && maySamePlace(p.canonical, held)) {
				other++
			}
		}
		if held != "" && proposed > 0 && other == proposed {
			out = append(out, f)
		}
	}
	return out
}

// maySamePlace reports whether two names may mean the same place: "SF" and "San Francisco", "Atlanta, GA" and
// "Atlanta".
func maySamePlace(a, b string) bool {
	a, b = placeName(a), placeName(b)
	if a == "" || b == "" {
		return false
	}
	return strings.HasPrefix(a, b) || strings.HasPrefix(b, a) || strings.HasPrefix(a, initials(b)) && len(a) <= 3 ||
		strings.HasPrefix(b, initials(a)) && len(b) <= 3 ||
		(len(a) > 3 && len(b) > 3 && a[:4] == b[:4] && !strings.Contains(a[:4], " "))
}

func placeName(s string) string {
	s, _, _ = strings.Cut(strings.Trim(s, `"`), ",")
	return strings.Join(text.Words(s), " ")
}

func initials(s string) string {
	var out strings.Builder
	for _, w := range strings.Fields(s) {
		out.WriteString(w[:1])
	}
	return out.String()
}

// agreementWords express agreement.
var agreementWords = text.NewWordSet(`yes yeah yep yup yea sure ok okay correct right works fine perfect great good
	sounds absolutely definitely certainly agree confirm confirmed exactly please alright fits suits awesome wonderful cool
	lovely excellent ahead`)

// isAgreement reports whether the first sentence of the turn agrees.
func (tr *turnReader) isAgreement() bool {
	if len(tr.sentences) == 0 {
		return false
	}
	agreed := false
	s := tr.sentences[0]
	for i := s.first; i < s.last; i++ {
		w := tr.tokens[i].Word
		if negations[w] || noWords[w] {
			return false
		}
		agreed = agreed || agreementWords[w]
	}
	return agreed && !s.isQuestion
}
