package extract

import (
	"slices"
	"strings"

	"github.com/contextvault/contextvault/llm/offline/text"
)

// topic is what a conversation is about, as far as the agent's definitions tell: one conversation may be about several
// tasks, and what is said about another task is no value of this agent.
type topic struct {
	words text.WordSet // stems of the agent's definitions that name its things, not the form of a value
	sides text.WordSet // senses of direction that the definitions name: "checkin"
	on    bool         // the turn is about the agent's task
	named bool         // the turn, or the agent's reply, has words of the topic
}

// newTopic returns the topic of an agent. A conversation begins on it.
func newTopic(targets []target) topic {
	t := topic{words: text.WordSet{}, sides: text.WordSet{}, on: true}
	for _, target := range targets {
		for s := range target.profile.sides {
			t.sides[s] = true
		}
		for _, c := range target.choices {
			for _, w := range c.words {
				t.words[text.Stem(w)] = !text.HasDigit(w)
			}
		}
		for s := range target.profile.words {
			if !formWords[s] && len(s) > 2 {
				t.words[s] = true
			}
		}
	}
	return t
}

// next returns the topic of the customer's turn u, to which the agent replies with reply. A turn leaves the topic if it
// asks for something else, and neither it nor the reply has a word of the agent's definitions.
func (t topic) next(u utterance, reply string) topic {
	t.named = t.in(u.stems) || t.in(stemsOf(reply)) || t.hasSide(u.tokens)
	switch {
	case t.named:
		t.on = true
	case u.asksForOther(t, 0, len(u.tokens)):
		t.on = false
	}
	return t
}

// in reports whether one of the stems is a word of the topic.
func (t topic) in(stems []string) bool {
	return slices.ContainsFunc(stems, func(s string) bool { return t.words[s] })
}

// hasSide reports whether tokens have a direction that the definitions name: "check in". Words that any way has, such
// as "leave", do not count.
func (t topic) hasSide(tokens []text.Token) bool {
	parts := make([]string, len(tokens))
	for i, w := range tokens {
		parts[i] = w.Word
	}
	return slices.ContainsFunc(joinWords(parts), func(w string) bool {
		return t.sides[senses[w]] && (len(w) > 5 && !strings.HasPrefix(w, "leav") && !weakSenses[w] && !text.PhraseEnds[w])
	})
}

func stemsOf(content string) []string {
	out := text.Words(content)
	for i, w := range out {
		out[i] = text.Stem(w)
	}
	return out
}

// requestVerbs ask for something.
var requestVerbs = text.NewWordSet(`find search look looking need want like book reserve get check see show buy order tell
	know make schedule what's how's what how hear watch listen play send transfer rent take finding booking checking`)

// vagueNouns can be the object of a request on any topic.
var vagueNouns = text.NewWordSet(`one ones thing things place places something anything help information info details
	detail option options reservation booking appointment trip time times day days week month morning afternoon evening
	night favor favour question lot bit way moment minute name list else more today tomorrow city town area people person
	number amount table seat seats spot meal dinner lunch brunch breakfast drink drinks family group party friend friends
	wife husband boss second look bite note quarter half next following rest same first last pair couple few choice idea
	problem issue request change call hurry budget size stay visit evening weekend birthday anniversary date dates`)

var determiners = text.NewWordSet("a an any some the another my our")

// asksForOther reports whether tokens ask for a thing that the agent's definitions do not name: "a flight" for an agent
// of houses.
func (u utterance) asksForOther(t topic, first, last int) bool {
	asks := false
	for i := first; i < last; i++ {
		w := u.tokens[i].Word
		if asks && i > first && strings.HasSuffix(w, "s") && len(w) > 4 && !t.words[u.stems[i]] && !vagueNouns[w] &&
			!formWords[u.stems[i]] && !functionWords[w] && !text.PhraseEnds[w] && !interjections[w] &&
			(requestVerbs[u.tokens[i-1].Word] || i > first+1 && requestVerbs[u.tokens[i-2].Word] && u.tokens[i-1].Word == "for") {
			return true // "find flights", "look for flights"
		}
		asks = asks || requestVerbs[w]
		if !asks || !determiners[w] {
			continue
		}
		head, known := "", false
		for j := i + 1; j < last && j <= i+5; j++ {
			v := u.tokens[j].Word
			if text.PhraseEnds[v] || text.ListWords[v] || interjections[v] ||
				strings.ContainsAny(u.text[u.tokens[j-1].End:u.tokens[j].Start], ",.;:!?()") {
				break
			}
			head, known = v, known || t.words[u.stems[j]]
		}
		if head != "" && !known && !vagueNouns[head] && !formWords[text.Stem(head)] && !functionWords[head] &&
			!text.HasDigit(head) {
			return true
		}
	}
	return false
}

// isOnTopic reports whether the sentence of a mention is about the agent's task.
func (tr *turnReader) isOnTopic(s text.Span) bool {
	c := tr.sentenceAt(s)
	on, known := tr.onTopic[c.first]
	if !known {
		on = tr.topic.in(tr.stems[c.first:c.last]) || tr.topic.hasSide(tr.tokens[c.first:c.last])
		if !on && tr.topic.on {
			// Beside a sentence on the topic, one that asks for something else is about something else.
			mixed := !tr.topic.named || tr.topic.in(tr.stems)
			on = !mixed || !tr.asksForOther(tr.topic, c.first, c.last)
		}
		tr.onTopic[c.first] = on
	}
	return on
}
