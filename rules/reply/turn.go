package reply

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/contextvault/contextvault/rules"
	"github.com/contextvault/contextvault/vault"
)

// Accepts reports whether a candidate that a model read in a conversation may be the value of its field, as far as its
// turn replies to a question of the agent. If the agent asked for the field, the turn is read as the answer to a
// question of a gap fill is: it must state the value. If not, the turn must at least say something: "just a moment"
// holds no value of any field. def is the definition of the candidate's field.
func Accepts(def vault.Definition, c vault.Candidate, turns []vault.Turn) bool {
	at := slices.IndexFunc(turns, func(t vault.Turn) bool {
		return t.Index == c.Turn && t.Speaker == vault.SpeakerCustomer
	})
	if at < 0 {
		return true // the evidence gate finds the turn by the quote
	}
	r := reader{Question: Question{Definition: def}, text: turns[at].Text, find: nil}
	asked := ""
	if at > 0 && turns[at-1].Speaker == vault.SpeakerAgent {
		asked = turns[at-1].Text
	}
	r.addVocabulary()
	r.split()
	switch {
	case def.ValueType == vault.TypeBoolean && strings.Contains(asked, "?"):
		return r.answers(c) || r.reverses(c, asked) || r.namesFeature(asked)
	case r.isAskedIn(asked):
		return r.answers(c) || (!hasForm(def) || len(def.AllowedValues) > 0) && r.tells(c)
	default:
		return hasForm(def) || r.tells(c)
	}
}

var (
	negatedAsk = regexp.MustCompile(`(?:^| )(?:without|not|no|don't|do not|doesn't|won't)(?: |$)`)
	wanting    = regexp.MustCompile(`(?:^| )(?:i|we)(?:'d| would|'ll| will)?(?: do)? (?:like|love|want|need|prefer) `)
)

// reverses reports whether the customer answers a negated question with the opposite: "without subtitles?" – "No, I'd
// like it with subtitles". A no alone would be ambiguous.
func (r *reader) reverses(c vault.Candidate, asked string) bool {
	return string(c.Value) == "true" && negatedAsk.MatchString(folded(asked)) && r.namesWhere(func(p part) bool {
		return wanting.MatchString(p.words()) && !negatedAsk.MatchString(p.words())
	})
}

// seeking matches a search that is what the customer wants, and no pause: "I need to find a house", not "I need to find
// my papers".
var seeking = regexp.MustCompile(`(?:^| )(?:need|want|like|love) to (?:find|get|look for|search for) ` +
	`(?:a|an|some|somewhere) `)

// saying matches a sentence of the customer's own, and no remainder such as "for the subtitles".
var saying = regexp.MustCompile(`(?:^| )(?:i|we|i'd|we'd|i'll|we'll|i'm|find|book|search|get|show|play)(?: |$)`)

// namesFeature reports whether a sentence of the customer's own names the field, after a question about something else:
// "Shall I book the flight?" – "Yes. I also need a house that has laundry service." The evidence gate decides whether
// it says yes or no.
func (r *reader) namesFeature(asked string) bool {
	about := newSet(folded(asked))
	for w := range newSet(r.Definition.Label()) {
		if about[w] && !fillers[w] {
			return false
		}
	}
	return r.namesWhere(func(p part) bool { return saying.MatchString(p.words()) })
}

// namesWhere reports whether a part that states something, and matches, has all words of the field's name.
func (r *reader) namesWhere(match func(part) bool) bool {
	label := newSet(r.Definition.Noun())
	return len(label) > 0 && slices.ContainsFunc(r.parts, func(p part) bool {
		states := p.class == classContent || p.class == classCourtesy ||
			p.class == classInterruption && seeking.MatchString(p.words())
		if !states || !match(p) {
			return false
		}
		said := newSet(p.words())
		for w := range label {
			if !fillers[w] && !said[w] && !said[w+"s"] {
				return false
			}
		}
		return true
	})
}

// folded returns the folded words of a text.
func folded(text string) string {
	var out []string
	for _, s := range segments(text) {
		out = append(out, s.words())
	}
	return strings.Join(out, " ")
}

// tells reports whether the turn states the candidate in a sentence of its own, such as a request ("Can you find one in
// Oslo?"), and not in words that put the question off, refuse it or doubt. The evidence gate decides whether the
// customer asserts it.
func (r *reader) tells(c vault.Candidate) bool {
	text := rules.TextOf(c.Value)
	var holding []part
	for _, p := range r.parts {
		if strings.Contains(fold(r.text[p.start():p.end()]), fold(text)) {
			holding = append(holding, p)
		}
	}
	if len(holding) == 0 && r.has(classYes) && !r.has(classNo) && !r.has(classRefused) {
		return r.mayBeValue(text) || isTitle(text) // a yes to what the agent offered
	}
	if len(holding) == 0 { // the value has parts in several segments, or another spelling
		holding = r.parts
	}
	return slices.ContainsFunc(holding, func(p part) bool { return p.isStatement(text) }) &&
		(r.mayBeValue(text) || isTitle(text) && strings.Contains(r.text, text) || r.gives(text))
}

// titleWords are written in lower case inside a title: "Josie and the Pussycats", "Springhill Suites by Marriott".
var titleWords = newSet("a an the and or of by for to at in on with from de la le les du des di da del van von und y e")

// isTitle reports whether a text is written as a title of several words, such as "What Now".
func isTitle(text string) bool {
	words := strings.Fields(text)
	return len(words) > 1 && !courtesies[fold(text)] && unicode.IsUpper(firstRune(words[0])) &&
		!slices.ContainsFunc(words[1:], func(w string) bool { return !unicode.IsUpper(firstRune(w)) && !titleWords[w] })
}

// giving matches words that give a thing its name, at the end of what comes before the name.
var giving = regexp.MustCompile(`(?:^| )(?:call|name|title|label) (?:it|this|that|them|the \S+) $`)

// gives reports whether the customer gives a text as a name: "Please call it dinner for four". Such a name may have any
// words.
func (r *reader) gives(text string) bool {
	said := strings.Join(strings.Fields(fold(r.text)), " ")
	before, _, found := strings.Cut(said, fold(text))
	return found && giving.MatchString(before)
}

// isStatement reports whether a part says something around a value: "Can you find one in Oslo?", "I want to check in
// today". "Just a moment" says nothing around a moment.
func (p part) isStatement(value string) bool {
	words, value := p.words(), fold(value)
	switch p.class {
	case classContent:
		return true
	case classQuestion:
		return len(p.tokens) > len(strings.Fields(value))
	case classInterruption:
		return !interruptions.whole.MatchString(words) &&
			!slices.ContainsFunc(interruptions.within.FindAllString(words, -1), func(phrase string) bool {
				return strings.Contains(" "+phrase+" ", " "+value+" ") || strings.Contains(value, strings.TrimSpace(phrase))
			})
	case classDoubt:
		return !doubts.match(settled(words))
	default:
		return false
	}
}

var (
	// kindOf matches words that name a class of things, and doubt nothing, if words follow: "some kind of concert".
	kindOf = regexp.MustCompile(`(?:^| )(?:kind|sort) of `)
	// softened matches a hedge before a wish. Who says "I think I'd like Thai" has chosen; "I think it's Thai" has not.
	softened = regexp.MustCompile(`(?:^| )i (?:think|guess|suppose|believe) (?:that )?` +
		`((?:i|we)(?:'d| would|'ll| will)?(?: rather| really| also)? ` +
		`(?:like|love|want|need|prefer|take|have|go for|go with) |` +
		`(?:i'm|i am|we're|we are) (?:craving|looking for|going with|going for|after|in the mood for) )`)
	// approved matches a hedge before praise of what the agent offered: "I think Breakthrough is perfect".
	approved = regexp.MustCompile(`(?:^| )i think (.{1,60} (?:is|sounds|looks|would be) ` +
		`(?:perfect|great|awesome|good|fine|ideal|excellent|lovely|nice))(?: |$)`)
	// politeIf matches a condition that is only polite, "a window seat, if possible", and a slip: "make if two".
	politeIf = regexp.MustCompile(`(?:^| )(?:make if|if (?:at all |that's |that is |it's |it is )?possible|` +
		`if (?:you|u) (?:could|can|would|please|don't mind|do not mind|wouldn't mind))(?: |$)`)
)

// settled returns folded words without those that sound like a doubt and are none.
func settled(words string) string {
	words = kindOf.ReplaceAllString(words, " ")
	words = softened.ReplaceAllString(words, " $1")
	words = approved.ReplaceAllString(words, " $1 ")
	return strings.TrimSpace(politeIf.ReplaceAllString(words, " "))
}

// answers reports whether the turn, read as the answer to the question for the field, states the candidate.
func (r *reader) answers(c vault.Candidate) bool {
	raw, err := json.Marshal(r.text)
	if err != nil {
		return false
	}
	c.Confidence = 1 // the caller decides by the confidence
	got := r.Question.Read(raw, func([]vault.Definition, []vault.Turn) []vault.Candidate {
		return []vault.Candidate{c}
	})
	if got.Kind != Value {
		return false
	}
	checked, err := rules.CheckValue(&r.Definition, r.Definition.Name, c.Value, vault.ModeStrict)
	if err != nil {
		return false
	}
	said, read := fold(rules.TextOf(got.Value)), fold(rules.TextOf(checked.Value))
	return rules.SameValue(r.Definition.ValueType, got.Value, checked.Value) ||
		!hasForm(r.Definition) && (strings.Contains(said, read) || strings.Contains(read, said))
}

// isAskedIn reports whether an agent's turn asks for the field: it contains the collection prompt, or asks with all
// words of the label.
func (r *reader) isAskedIn(text string) bool {
	if text == "" {
		return false
	}
	if prompt := strings.TrimRight(r.Definition.CollectionPrompt, "?.! "); prompt != "" &&
		strings.Contains(fold(text), fold(prompt)) {
		return true
	}
	label := newSet(r.Definition.Noun())
	return slices.ContainsFunc(segments(text), func(s segment) bool {
		if !s.asks {
			return false
		}
		said := newSet(s.words())
		for w := range label {
			if !said[w] {
				return false
			}
		}
		return true
	})
}

// mayBeValue reports whether a text that a model read can be the value of a definition without a form.
func (r *reader) mayBeValue(text string) bool {
	if r.isNarrative() {
		return true
	}
	words := segments(text)
	if len(words) == 1 && (interruptions.whole.MatchString(words[0].words()) || refusals.match(words[0].words()) ||
		doubts.whole.MatchString(words[0].words()) || courtesies[words[0].words()]) {
		return false
	}
	return !r.isName() || r.isPlainText(text, r.placing(text))
}

// placing returns the preposition before a text: "a doctor in daly city". A place is written in lower case too.
func (r *reader) placing(text string) string {
	said := folded(r.text)
	for _, lead := range []string{"in", "at", "from"} {
		if strings.Contains(" "+said+" ", " "+lead+" "+folded(text)+" ") {
			return lead
		}
	}
	return ""
}
