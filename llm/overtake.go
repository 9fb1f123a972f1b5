package llm

import "strings"

// overtaken gives the fields for which the agent proposed another value than the customer had stated, and the customer agreed:
// "Seven is taken, how about eight?" "Sure." What was stated no longer holds, and what holds now was not said by the customer.
func overtaken(reply listener, question string, now clock, stated [][]statement) []int {
	if !isText(question) || !reply.agrees() {
		return nil
	}
	proposal := listener{utterance: newUtterance(cut(question, maxTurnBytes), now), targets: reply.targets, lastKinds: map[kind]int{}}
	proposal.listen()
	var out []int
	for f, list := range stated {
		if len(list) == 0 || reply.has(f, byForm) {
			continue
		}
		held, proposed, other := list[len(list)-1].same, 0, 0
		for _, p := range proposal.stated {
			if p.field != f || p.same == "" {
				continue
			}
			proposed++
			if p.same != held && !(reply.targets[f].kind == kindPlace && samePlace(p.same, held)) {
				other++
			}
		}
		if held != "" && proposed > 0 && other == proposed {
			out = append(out, f)
		}
	}
	return out
}

// samePlace reports whether two names may be of one place: "SF" and "San Francisco", "Atlanta, GA" and "Atlanta".
func samePlace(a, b string) bool {
	a, b = placeName(a), placeName(b)
	if a == "" || b == "" {
		return false
	}
	return strings.HasPrefix(a, b) || strings.HasPrefix(b, a) || strings.HasPrefix(a, initials(b)) && len(a) <= 3 || strings.HasPrefix(b, initials(a)) && len(b) <= 3 ||
		(len(a) > 3 && len(b) > 3 && a[:4] == b[:4] && !strings.Contains(a[:4], " "))
}

func placeName(s string) string {
	s, _, _ = strings.Cut(strings.Trim(s, `"`), ",")
	return strings.Join(words(s), " ")
}

func initials(s string) string {
	var out strings.Builder
	for _, w := range strings.Fields(s) {
		out.WriteString(w[:1])
	}
	return out.String()
}

// Words by which a customer agrees.
var agreeing = setOf("yes yeah yep yup yea sure ok okay correct right works fine perfect great good sounds absolutely definitely certainly agree confirm confirmed exactly please")

// agrees reports whether the turn begins by agreeing.
func (l *listener) agrees() bool {
	if len(l.sentences) == 0 {
		return false
	}
	agreed := false
	s := l.sentences[0]
	for i := s.first; i < s.last; i++ {
		w := l.tokens[i].word
		if denials[w] || noWords[w] {
			return false
		}
		agreed = agreed || agreeing[w]
	}
	return agreed && !s.enquiry
}
