package rules

import (
	"encoding/json"
	"errors"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"

	"github.com/contextvault/contextvault/vault"
)

// GroundCandidate decides whether a value that a model extracted from a conversation may be used. The value must be
// valid, its quote must occur in a turn of the customer, and the quote must contain the value without negating it ("my
// address is not …"). If in doubt, the candidate is rejected: an unnecessary question is better than an invented value.
//
// The quote must contain, by type: the text itself for string, email and url; the same number for phone and number, in
// digits or, for whole numbers below one hundred, in words; the same day for date, where 3/4/1990 is ambiguous and does
// not match; the same day and time of day for datetime; a yes or no for boolean, in the quote or elsewhere in the turn;
// every text and number for json.
func GroundCandidate(c vault.Candidate, def *vault.Definition, turns []vault.Turn) (Checked, *vault.Error) {
	if def != nil && def.Name != c.FieldName {
		return Checked{}, vault.Invalid(c.FieldName, "the candidate and the definition are for different fields")
	}
	if !(c.Confidence >= 0 && c.Confidence <= 1) { // in this form, NaN is rejected
		return Checked{}, vault.Invalid(c.FieldName, "the confidence of the candidate is not between 0 and 1")
	}
	checked, err := CheckValue(def, c.FieldName, c.Value, vault.ModeStrict)
	if err != nil {
		if e, ok := errors.AsType[*vault.Error](err); ok {
			return Checked{}, e
		}
		return Checked{}, vault.Invalid(c.FieldName, "the candidate cannot be checked")
	}
	passages := findQuote(c.Quote, turns)
	if len(passages) == 0 {
		return Checked{}, vault.Invalid(c.FieldName, "the customer's turns do not contain the quote of the candidate")
	}
	if !slices.ContainsFunc(passages, func(p passage) bool {
		p.unit = def.Unit
		return p.supportsAll(*def, c.Value, checked.Value)
	}) {
		return Checked{}, vault.Invalid(c.FieldName, "the quote of the candidate does not contain its value")
	}
	return checked, nil
}

// passage is an occurrence of a quote in a turn of the customer.
type passage struct {
	original string // the turn as received
	unit     string // the unit of the definition of the value
	turn     string // the turn, folded
	// start and end are the position of the quote in turn, extended to whole words. Otherwise the quote "18" would match
	// "185".
	start, end int
}

func (p passage) quote() string { return p.turn[p.start:p.end] }

// clause returns the quote with its context up to the next punctuation, because "I do" has another meaning in "I do
// not". asks reports a question, which states nothing.
func (p passage) clause() (text string, asks bool) {
	const stops = ".,;:!?"
	start := strings.LastIndexAny(p.turn[:p.start], stops) + 1
	end := len(p.turn)
	if at := strings.IndexAny(p.turn[p.end:], stops); at >= 0 && !strings.ContainsAny(p.turn[p.end-1:p.end], stops) {
		end = p.end + at
	} else if at >= 0 {
		end = p.end
	}
	text = strings.Trim(p.turn[start:end], stops+" ")
	mark := strings.TrimLeft(p.turn[start:], stops+" ")[len(text):]
	return text, !strings.ContainsAny(text, stops) && strings.HasPrefix(strings.TrimLeft(mark, `"') `), "?")
}

// findQuote finds the occurrences of a quote in the customer's turns, without regard to spacing and case.
func findQuote(quote string, turns []vault.Turn) []passage {
	words := trimQuote(quote)
	if words == "" {
		return nil
	}
	var found []passage
	for _, t := range turns {
		if t.Speaker != vault.SpeakerCustomer {
			continue
		}
		said := foldText(t.Text)
		for _, at := range substringIndexes(said, words) {
			start := strings.LastIndexByte(said[:at], ' ') + 1
			end := len(said)
			if space := strings.IndexByte(said[at+len(words):], ' '); space >= 0 {
				end = at + len(words) + space
			}
			found = append(found, passage{original: t.Text, turn: said, start: start, end: end})
		}
	}
	return found
}

// QuotedTurn returns the index of the customer's turn that contains a quote: the named turn if it contains the quote,
// else the first turn that does, else the named turn. Models copy words reliably but count badly. The first turn is the
// safe choice, because a value from it cannot supersede a later one.
func QuotedTurn(quote string, named int, turns []vault.Turn) int {
	words := trimQuote(quote)
	found := named
	for _, t := range slices.Backward(turns) {
		if words == "" || t.Speaker != vault.SpeakerCustomer || !strings.Contains(foldText(t.Text), words) {
			continue
		}
		if t.Index == named {
			return named
		}
		found = t.Index
	}
	return found
}

// trimQuote returns the folded quote without surrounding punctuation.
func trimQuote(quote string) string { return strings.Trim(foldText(quote), `"'“”„«». …`) }

// supports reports whether the passage contains a value. raw is the model's value, value the normalised one.
func (p passage) supports(def vault.Definition, raw, value json.RawMessage) bool {
	text := textOf(value)
	switch def.ValueType {
	case vault.TypeString:
		if len(def.AllowedValues) > 0 {
			return p.containsAllowed(text, def.AllowedValues)
		}
		return p.containsPhrase(foldText(text))
	case vault.TypeEmail:
		return p.containsToken(foldText(text), ` <>()[]",;:\`, `.'!?`)
	case vault.TypeURL:
		// The path is case-sensitive, so it is compared with the original text.
		return p.containsToken(foldText(text), ` <>"`, urlPunctuation) &&
			strings.Contains(p.original, strings.Trim(urlPath(text), urlPunctuation))
	case vault.TypePhone:
		return p.containsPhone(text, def.DefaultRegion)
	case vault.TypeNumber:
		return p.containsNumber(text) || p.containsNumberWord(def, text)
	case vault.TypeDate:
		return slices.Contains(p.findDates(), text)
	case vault.TypeDatetime:
		return p.containsDatetime(textOf(raw), text, def.TimeZone)
	case vault.TypeBoolean:
		return p.containsBoolean(text == "true")
	default:
		var v any
		dec := json.NewDecoder(strings.NewReader(string(value)))
		dec.UseNumber()
		return dec.Decode(&v) == nil && p.containsJSON(v)
	}
}

// containsJSON reports whether the passage contains each text, number and boolean of a JSON value, and there is at
// least one.
func (p passage) containsJSON(v any) bool {
	switch v := v.(type) {
	case string:
		return p.containsPhrase(foldText(v))
	case json.Number:
		return p.containsNumber(v.String())
	case bool:
		return p.containsBoolean(v)
	case []any:
		return len(v) > 0 && !slices.ContainsFunc(v, func(item any) bool { return !p.containsJSON(item) })
	case map[string]any:
		for _, item := range v {
			if !p.containsJSON(item) {
				return false
			}
		}
		return len(v) > 0
	default:
		return false
	}
}

// containsPhrase reports whether the quote contains a folded phrase that is not negated.
func (p passage) containsPhrase(phrase string) bool {
	return slices.ContainsFunc(phraseIndexes(p.quote(), phrase), func(at int) bool {
		return !p.isNegated(p.start+at, p.start+at+len(phrase))
	})
}

// containsAllowed reports whether the quote contains an allowed value that is not only part of another one: "rose gold"
// does not contain "gold" if both are allowed.
func (p passage) containsAllowed(value string, allowed []json.RawMessage) bool {
	separators := strings.NewReplacer("_", " ", "-", " ") // same length, so that positions stay valid
	quote, value := separators.Replace(p.quote()), separators.Replace(foldText(value))
	count := 0
	for _, at := range phraseIndexes(quote, value) {
		if !p.isNegated(p.start+at, p.start+at+len(value)) {
			count++
		}
	}
	for _, raw := range allowed {
		if other := separators.Replace(foldText(textOf(raw))); other != value && len(phraseIndexes(other, value)) > 0 {
			count -= len(phraseIndexes(quote, other))
		}
	}
	return count > 0
}

// containsToken reports whether the quote contains value as a whole token between separators. punctuation at its ends
// is ignored.
func (p passage) containsToken(value, separators, punctuation string) bool {
	value = strings.Trim(value, punctuation)
	for _, at := range substringIndexes(p.quote(), value) {
		end := at + len(value)
		before, after := p.quote()[:at], p.quote()[end:]
		before = before[strings.LastIndexAny(before, separators)+1:]
		if next := strings.IndexAny(after, separators); next >= 0 {
			after = after[:next]
		}
		whole := strings.Trim(before, punctuation) == "" && strings.Trim(after, punctuation) == ""
		if whole && !p.isNegated(p.start+at, p.start+end) {
			return true
		}
	}
	return false
}

// urlPunctuation is the punctuation around a URL in a text that is not part of the URL.
const urlPunctuation = `()[]',;:!?./`

// urlPath returns the path, query and fragment of a URL.
func urlPath(url string) string {
	_, rest, _ := strings.Cut(url, "://")
	if at := strings.IndexAny(rest, "/?#"); at >= 0 {
		return rest[at:]
	}
	return ""
}

// phraseIndexes returns the positions of a phrase in a text where no letter or digit adjoins it. Both are folded.
func phraseIndexes(text, phrase string) []int {
	if phrase == "" {
		return nil
	}
	var found []int
	first, _ := utf8.DecodeRuneInString(phrase)
	last, _ := utf8.DecodeLastRuneInString(phrase)
	for _, at := range substringIndexes(text, phrase) {
		before, _ := utf8.DecodeLastRuneInString(text[:at])
		after, _ := utf8.DecodeRuneInString(text[at+len(phrase):])
		if !(isWordRune(first) && isWordRune(before)) && !(isWordRune(last) && isWordRune(after)) {
			found = append(found, at)
		}
	}
	return found
}

// substringIndexes returns every position of part in s. part must not be empty.
func substringIndexes(s, part string) []int {
	var at []int
	for from := 0; ; {
		i := strings.Index(s[from:], part)
		if i < 0 {
			return at
		}
		at = append(at, from+i)
		_, size := utf8.DecodeRuneInString(s[from+i:])
		from += i + size
	}
}

// isWordRune reports whether a rune belongs to a word. It is false for scripts without spaces between words.
func isWordRune(r rune) bool {
	return (unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r)) &&
		!unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Thai)
}

var plainPunctuation = strings.NewReplacer(
	"’", "'", "‘", "'", "ʼ", "'", "‐", "-", "‑", "-", "‒", "-", "–", "-", "—", "-", "−", "-", "⁄", "/",
)

// separateDigits puts ^ before superscript, subscript and circled digits and fractions. NFKC turns them into plain
// digits, so 5² would become 52 and 3½ would become 31/2. It also removes invisible characters, such as soft hyphens
// and direction marks.
func separateDigits(s string) string {
	var b strings.Builder
	for _, r := range s {
		switch {
		case unicode.Is(unicode.Cf, r):
			continue
		case unicode.Is(unicode.No, r):
			b.WriteByte('^')
		}
		b.WriteRune(r)
	}
	return b.String()
}

// foldText returns a text in a form for comparison: without differences in case, spacing, Unicode form, apostrophes and
// dashes.
func foldText(s string) string {
	s = separateDigits(s)
	s = norm.NFKC.String(cases.Fold().String(norm.NFKC.String(s)))
	return strings.Join(strings.Fields(plainPunctuation.Replace(s)), " ")
}

// Patterns of a negation before and after a value. Only small words and a verb may be between "not" and the value ("I
// don't live in Paris"), and no punctuation: "not now, Paris" negates nothing. Neither do "I don't mind", "why not" and
// "not only".
var (
	negationBefore = regexp.MustCompile(
		`(?:\b(?:not|cannot|never|no longer|neither|nor|dont|isnt|arent|wasnt|doesnt|didnt|` +
			`cant|wont)|n't)` +
			`(?: (?:a|an|the|my|our|any|in|at|on|to|from|for|with|by|of|it|me|us|that|this|is|was|be|been|really|actually|` +
			`exactly|called|named|born|live|living|use|using|call|calling|contact|send|email|e-mail|mail|write|reach|` +
			`want|need|like|` +
			`prefer|have|take|choose|book|go|going)){0,5} ?["'(<$€£+]*$`,
	)
	negationAfter = regexp.MustCompile(`^["')>]* (?:(?:(?:is|are|was|were) not|isn't|aren't|wasn't|weren't) ` +
		`(?:my|our|the|his|her|right|correct|what|where|mine|me)|` +
		`(?:is|are|was|were) (?:no longer|wrong|incorrect))\b`)
)

// maxNegationDistance is the number of bytes before a value that are searched for a negation.
const maxNegationDistance = 60

// isNegated reports whether the turn negates the part from start to end. It searches the turn and not the quote,
// because a quote may leave out the negation.
func (p passage) isNegated(start, end int) bool {
	before := p.turn[:start]
	if len(before) > maxNegationDistance {
		from := len(before) - maxNegationDistance
		for !utf8.RuneStart(before[from]) {
			from++
		}
		before = before[from:]
	}
	if at := negationBefore.FindStringIndex(before); at != nil && !strings.HasSuffix(before[:at[0]], "why ") {
		return true
	}
	return negationAfter.MatchString(p.turn[end:])
}
