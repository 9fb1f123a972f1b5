package vault

import (
	"slices"
	"strings"
	"unicode"
)

// Prompt returns the question that asks a customer for the value: CollectionPrompt, or one that is derived from the
// label and the type.
func (d Definition) Prompt() string {
	if d.CollectionPrompt != "" {
		return d.CollectionPrompt
	}
	name := d.Noun()
	words := strings.Fields(name)
	if len(words) == 0 {
		return "What is your " + name + "?"
	}
	first, rest := words[0], strings.Join(words[1:], " ")
	switch {
	case d.ValueType == TypeBoolean:
		return booleanPrompt(first, rest, name)
	case d.ValueType == TypeNumber && first == "number" && strings.HasPrefix(rest, "of "):
		return "How many " + strings.TrimPrefix(rest, "of ") + "?"
	case d.ValueType == TypeNumber && len(words) == 1 && isPlural(first):
		return "How many " + name + "?"
	case slices.Contains([]string{"your", "the", "my"}, first):
		return "What is " + name + "?"
	case isPlural(headOf(words)):
		return "What are your " + name + "?"
	default:
		return "What is your " + name + "?"
	}
}

// booleanPrompt returns a question that is answered by yes or no. name is first and rest.
func booleanPrompt(first, rest, name string) string {
	if rest == "" {
		return upperFirst(name) + ": yes or no?"
	}
	next, _, _ := strings.Cut(rest, " ")
	switch first {
	case "is", "are":
		return "Are you " + withArticle(rest) + "?"
	case "has", "have":
		if strings.HasSuffix(next, "ed") {
			return "Have you " + rest + "?"
		}
		return "Do you have " + withArticle(rest) + "?"
	case "wants", "want", "needs", "need":
		return "Do you " + strings.TrimSuffix(first, "s") + " " + withArticle(rest) + "?"
	case "accepts", "accept", "agrees", "agree":
		return "Do you " + strings.TrimSuffix(first, "s") + " " + rest + "?"
	default:
		return upperFirst(name) + ": yes or no?"
	}
}

// Noun returns the label for the middle of a sentence: "date of birth" for "Date of birth". Abbreviations and words
// with other capitals keep them.
func (d Definition) Noun() string {
	label := strings.TrimRight(strings.TrimSpace(d.Label()), "?:. ")
	words := strings.Fields(label)
	title := isTitleCase(words)
	for i, w := range words {
		if slices.Contains(abbreviations, w) {
			words[i] = strings.ToUpper(w)
			continue
		}
		runes := []rune(w)
		plain := len(runes) > 1 && unicode.IsUpper(runes[0]) && !slices.ContainsFunc(runes[1:], func(r rune) bool {
			return unicode.IsUpper(r) || unicode.IsDigit(r)
		})
		if plain && (i == 0 || title) {
			words[i] = strings.ToLower(w)
		}
	}
	return strings.Join(words, " ")
}

// abbreviations are words of field names that are written in capitals.
var abbreviations = []string{"id", "iban", "bic", "vin", "ssn", "vat", "url", "pin"}

// isTitleCase reports whether each longer word of a label begins with a capital: then its capitals mean nothing, as in
// "Date of Birth".
func isTitleCase(words []string) bool {
	const short = 3
	for _, w := range words {
		if r := []rune(w); len(r) > short && !unicode.IsUpper(r[0]) {
			return false
		}
	}
	return len(words) > 1
}

// headOf returns the noun that decides between "is" and "are": "dates" in "dates of travel".
func headOf(words []string) string {
	for i, w := range words {
		if i > 0 && slices.Contains([]string{"of", "for", "in", "on", "at", "to", "from", "with"}, w) {
			return words[i-1]
		}
	}
	return words[len(words)-1]
}

// isPlural reports whether a noun has the form of a plural.
func isPlural(noun string) bool {
	for _, singular := range []string{"ss", "us", "is", "as", "news", "series", "gps", "sms"} {
		if strings.HasSuffix(noun, singular) {
			return false
		}
	}
	return strings.HasSuffix(noun, "s") && len(noun) > 2 && strings.ToLower(noun) == noun
}

// withArticle returns a noun phrase with "a" or "an" if it counts one thing: "children", "an account". An adjective,
// such as in "vegetarian", has none: a phrase of one word that ends like one.
func withArticle(phrase string) string {
	words := strings.Fields(phrase)
	if len(words) == 0 || isPlural(words[len(words)-1]) ||
		slices.Contains([]string{"a", "an", "the", "any", "your", "to", "over", "under", "at", "in", "on", "from"}, words[0]) {
		return phrase
	}
	last := words[len(words)-1]
	for _, ending := range []string{"ed", "able", "ible", "ful", "ive", "ous", "children", "people", "insurance", "access", "help", "ing", "al"} {
		if strings.HasSuffix(last, ending) {
			return phrase
		}
	}
	if strings.ContainsAny(phrase[:1], "aeio") {
		return "an " + phrase
	}
	return "a " + phrase
}

func upperFirst(s string) string {
	r := []rune(s)
	r[0] = unicode.ToUpper(r[0])
	return string(r)
}
