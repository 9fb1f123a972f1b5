package reply

import (
	"regexp"
	"slices"
	"strings"

	"github.com/contextvault/contextvault/rules"
	"github.com/contextvault/contextvault/vault"
)

// class is what a segment of a reply does.
type class int

const (
	classContent      class = iota // anything else: it may state a value
	classYes                       // it agrees
	classNo                        // it disagrees, or negates the candidate
	classRefused                   // it refuses an answer
	classInterruption              // it puts the question off
	classQuestion                  // it asks something
	classDoubt                     // it does not commit to anything
	classCourtesy                  // it says nothing: "thank you"
	classGreeting                  // it begins a conversation: "good morning"
)

// addVocabulary adds the words of the field to those that are known. The words of a prompt that is answered by yes or
// no say nothing new in its answer: "I do not want the newsletter".
func (r *reader) addVocabulary() {
	r.known = set{}
	texts := []string{r.Definition.Label(), vault.DisplayName(r.Definition.Name)}
	if r.Definition.ValueType == vault.TypeBoolean || r.Definition.ValueType == vault.TypeNumber ||
		len(r.Definition.AllowedValues) > 0 {
		texts = append(texts, r.Definition.Prompt())
	}
	for _, text := range texts {
		for _, s := range segments(text) {
			for _, t := range s.tokens {
				r.known[t.word] = true
			}
		}
	}
	if r.Confirm {
		for _, s := range segments(rules.TextOf(r.Candidate)) {
			for _, t := range s.tokens {
				r.candidate = append(r.candidate, t.word)
			}
		}
	}
}

// split cuts the text into parts and classifies them.
func (r *reader) split() {
	for _, s := range segments(r.text) {
		c := r.classify(s)
		// "no Hamburg please"
		if n := leadLength(s); c == classContent && n > 0 && r.Definition.ValueType != vault.TypeBoolean {
			lead, rest := s, s
			lead.tokens, rest.tokens, lead.asks = s.tokens[:n], s.tokens[n:], false
			r.parts = append(r.parts, part{lead, r.classify(lead)}, part{rest, r.classify(rest)})
			continue
		}
		r.parts = append(r.parts, part{s, c})
	}
}

// particles are the words for yes and no that begin a segment, and then say what comes after by themselves.
var particles = newSet(`yes yeah yep yup yea sure ok okay correct right exactly ja genau oui si sí sì sim claro
	tak да так
	no nope nah wrong incorrect nein nee nö non não nie нет ні nej nem nu sorry`)

// leadLength returns the number of particles at the beginning of a segment with other words.
func leadLength(s segment) int {
	n := 0
	for n < len(s.tokens) && (particles[s.tokens[n].word] || n > 0 && fillersOfLead[s.tokens[n].word]) {
		n++
	}
	if n == len(s.tokens) {
		return 0
	}
	return n
}

var fillersOfLead = newSet("hello hi hey thanks please")

func (r *reader) classify(s segment) class {
	words := s.words()
	if !r.Confirm && r.Definition.ValueType != vault.TypeBoolean {
		if words = settled(words); words == "" {
			return classCourtesy
		}
	}
	switch {
	case greetings[words]:
		return classGreeting
	case courtesies[words]:
		return classCourtesy
	case !s.asks && r.isAgreement(words):
		return classYes
	case !s.asks && r.Confirm && denials[words]:
		return classNo
	case r.isNone(s):
		return classRefused
	case !s.asks && r.isBounded(words):
		return classDoubt
	case refusals.match(words):
		return classRefused
	case interruptions.match(words):
		return classInterruption
	case !doubts.whole.MatchString(words) && (s.asks || questionStart.MatchString(words)):
		return classQuestion
	case doubts.match(words):
		return classDoubt
	default:
		return r.classifyWords(s)
	}
}

var (
	greetings = newPhrases(`hello, hi, hey, hi there, hello there, good morning, good afternoon, good evening, guten tag,
		guten morgen, hallo, bonjour, hola, buenos días, ciao, moin, servus`)
	// mine matches sentences such as "that's my name".
	mine = regexp.MustCompile(`^(?:yes |yeah )?(?:that|this|it)(?:'s| is|s)?(?: still| indeed)? ` +
		`(?:my|our) (\S+)(?: (\S+))?(?: (\S+))?$`)
)

// thingsOfCustomers are nouns of fields that a label may not contain.
var thingsOfCustomers = newSet(`name birthday birthdate number email mail e-mail address phone mobile city home
	town plan
	date one choice order job`)

// isAgreement reports whether a segment is a sentence that agrees.
func (r *reader) isAgreement(words string) bool {
	if agreements[words] {
		return true
	}
	m := mine.FindStringSubmatch(words)
	return m != nil && !slices.ContainsFunc(m[1:], func(w string) bool {
		return w != "" && !r.known[w] && !thingsOfCustomers[w] && !slices.Contains(r.candidate, w)
	})
}

// classifyWords classifies a segment by its words: it is a yes or a no only if all its words are known.
func (r *reader) classifyWords(s segment) class {
	var yes, weak, strong, right, no, wrong, soft, negated, mention, filler, unknown int
	for i := 0; i < len(s.tokens); i++ {
		w := s.tokens[i].word
		switch {
		case len(r.candidate) > 0 && hasWords(s.tokens, i, r.candidate):
			mention++
			i += len(r.candidate) - 1
		case weakYes[w]:
			weak++
		case intensifiers[w]:
			strong++
		case yesWords[w]:
			yes++
		case wrongWords[w]:
			no++
			wrong++
		case noWords[w]:
			no++
		case rightWords[w]:
			right++
		case negations[w]:
			negated++
		case softNo[w] && r.Confirm:
			soft++
		case fillers[w] || r.known[w] || isDecoration(w):
			filler++
		default:
			unknown++
		}
	}
	switch {
	case unknown > 0:
		return classContent
	case (no > 0 || negated > 0) && yes > 0, negated > 0 && wrong > 0: // "that's not wrong"
		return classDoubt
	case no > 0 || negated > 0:
		return classNo
	case soft > 0 && (yes > 0 || right > 0 || strong > 0):
		return classDoubt
	case soft > 0:
		return classNo
	case yes > 0 || weak > 0 || right > 0 || strong > 0:
		return classYes
	case mention > 0:
		return classYes // "still Berlin"
	default:
		return classCourtesy
	}
}

// weakYes are words for yes that after a no say nothing, such as "no, ok", and "nej tak" in Danish.
var weakYes = newSet("ok okay okey k sure tak gern gerne fine good great 👌")

// isDecoration reports whether a word is an emoji or has no letter and no digit. Emojis that say something are in the
// vocabularies.
func isDecoration(w string) bool {
	return isSign(firstRune(w)) || !strings.ContainsFunc(w, isLetterOrDigit)
}

// isNone reports whether a segment says that the customer has none of what is asked for: "none", "no email". For a
// number that is a value, and for free text it may be one.
func (r *reader) isNone(s segment) bool {
	switch {
	case r.Definition.ValueType == vault.TypeNumber, r.Definition.ValueType == vault.TypeBoolean:
		return false
	default:
		return hasForm(r.Definition) && !r.Confirm && saysNone(s, r.known)
	}
}

// saysNone reports whether a segment says "none", or "no" with the words of the field.
func saysNone(s segment, known set) bool {
	switch s.words() {
	case "none", "nothing", "nil", "i have none", "keine", "keiner", "aucun", "aucune",
		"ninguno", "ninguna", "nessuno", "nessuna":
		return true
	}
	return len(s.tokens) > 1 && (s.tokens[0].word == "no" || s.tokens[0].word == "keine") &&
		!slices.ContainsFunc(s.tokens[1:], func(t token) bool { return !known[t.word] })
}

// isBounded reports whether a number or date in the segment is not the value itself.
func (r *reader) isBounded(words string) bool {
	switch r.Definition.ValueType {
	case vault.TypeNumber:
		asked := fold(r.Definition.Prompt() + " " + r.Definition.Label())
		return bounds.within.MatchString(words) || periods.within.MatchString(words) && !periods.within.MatchString(asked)
	case vault.TypeDate:
		return bounds.within.MatchString(words)
	default:
		return false
	}
}
