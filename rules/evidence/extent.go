package evidence

import (
	"encoding/json"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/contextvault/contextvault/rules/internal/fold"
	"github.com/contextvault/contextvault/vault"
)

// mentions returns the places in a passage that contain the value as a whole. raw is the model's value.
func (r reader) mentions(p passage, raw json.RawMessage) []mention {
	text := textOf(r.value)
	switch r.def.ValueType {
	case vault.TypeString:
		if len(r.def.AllowedValues) > 0 {
			return p.allowedMentions(text, r.def.AllowedValues)
		}
		if r.topic.isLabel(text) {
			return nil
		}
		return r.textMentions(p, fold.Text(text))
	case vault.TypeEmail:
		return p.tokenMentions(fold.Text(text), ` <>()[]",;:\`, `.'!?*_~`)
	case vault.TypeURL:
		// The path is case-sensitive, so it is compared with the original text.
		if !strings.Contains(p.turn.Text, strings.Trim(urlPath(text), urlPunctuation)) {
			return nil
		}
		return p.tokenMentions(fold.Text(text), ` <>"`, urlPunctuation)
	case vault.TypePhone:
		return p.phoneMentions(text)
	case vault.TypeNumber:
		return append(p.numberMentions(text), r.numberWordMentions(p, text)...)
	case vault.TypeDate:
		return p.dateMentions(text)
	case vault.TypeDatetime:
		return p.datetimeMentions(textOf(raw), text)
	default:
		return r.jsonMentions(p)
	}
}

// textMentions finds free text. It must be whole: neither a part of a code such as A-12345, nor one group of a longer
// one, nor the label of something else.
func (r reader) textMentions(p passage, phrase string) []mention {
	var out []mention
	for _, s := range p.phraseSpans(phrase) {
		if p.turn.isWhole(s) && !r.labelsOther(p.turn, s) && !partial.endsBefore(p.turn, s.start) {
			out = append(out, mention{span: s})
		}
	}
	return out
}

// phraseSpans returns the places in the passage that contain a phrase which no letter or digit adjoins.
func (p passage) phraseSpans(phrase string) []span {
	var out []span
	for _, at := range phraseIndexes(p.quote(), phrase) {
		out = append(out, span{p.start + at, p.start + at + len(phrase)})
	}
	return out
}

// phraseIndexes returns the positions of a phrase in a text where no letter or digit adjoins it. Both are folded.
func phraseIndexes(text, phrase string) []int {
	if phrase == "" {
		return nil
	}
	var found []int
	first, _ := utf8.DecodeRuneInString(phrase)
	last, _ := utf8.DecodeLastRuneInString(phrase)
	for _, at := range indexes(text, phrase) {
		before, _ := utf8.DecodeLastRuneInString(text[:at])
		after, _ := utf8.DecodeRuneInString(text[at+len(phrase):])
		if !(isWordRune(first) && isWordRune(before)) && !(isWordRune(last) && isWordRune(after)) {
			found = append(found, at)
		}
	}
	return found
}

// isWordRune reports whether a rune belongs to a word. It is false for scripts without spaces between words.
func isWordRune(r rune) bool {
	return (unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r)) &&
		!unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Thai)
}

// joiners connect the parts of a code, a name or an address.
const joiners = "-_/@#.\\&+:="

// isWhole reports whether a place is not a part of a longer token, and no group of digits stands beside its digits.
func (t *turn) isWhole(s span) bool {
	before, after := t.text[:s.start], t.text[s.end:]
	if n := len(before); n > 0 && strings.IndexByte(joiners, before[n-1]) >= 0 && joinsBefore(before) {
		return false
	}
	if len(after) > 0 && strings.IndexByte(joiners, after[0]) >= 0 && joinsAfter(after) {
		return false
	}
	first, last := t.wordAfter(s.start), t.wordBefore(s.end)
	if first > last {
		return true
	}
	if hasDigit(t.word(first)) && t.adjoins(first-1, first) && (isGroup(t.word(first - 1))) {
		return false
	}
	return !hasDigit(t.word(last)) || !t.adjoins(last, last+1) || !isGroup(t.word(last+1))
}

// joinsBefore reports whether the joiner at the end of a text belongs to a token.
func joinsBefore(before string) bool {
	if strings.HasSuffix(before, "#") {
		return strings.TrimRight(before, "#") != "" && !strings.HasSuffix(strings.TrimRight(before, "#"), " ")
	}
	r, _ := utf8.DecodeLastRuneInString(strings.TrimRight(before, joiners))
	trimmed := strings.TrimRight(before, ":=")
	if trimmed != before { // a label
		return hasDigit(before[strings.LastIndexByte(before, ' ')+1:])
	}
	return isWordRune(r) && !strings.HasSuffix(strings.TrimRight(before, joiners), " ")
}

// joinsAfter reports whether the joiner at the beginning of a text belongs to a token.
func joinsAfter(after string) bool {
	rest := strings.TrimLeft(after, joiners)
	r, _ := utf8.DecodeRuneInString(rest)
	return rest != "" && isWordRune(r)
}

// isGroup reports whether a word can be a group of a code or number: it has digits, or is one letter that is no word.
func isGroup(word string) bool {
	return hasDigit(word) && !strings.HasSuffix(word, "th") || utf8.RuneCountInString(word) == 1 && word != "a" && word != "i" &&
		word[0] < utf8.RuneSelf && unicode.IsLetter(rune(word[0])) && word != "y" && word != "e" && word != "o"
}

// partial are words after which a part of a code follows.
var partial = newPhrases("ends in, ends with, ending in, ending with, end in, end with, starts with, starting with, start with, " +
	"begins with, beginning with, begin with, last digits, last four, last four digits, last 4, last 4 digits, last digits are, " +
	"last four are, last four digits are, last 4 digits are, first digits are, first four digits are, something like, contains, containing, " +
	"endet auf, endet mit, beginnt mit, termine par, commence par, termina en, termina con, empieza por, finisce con, inizia con, " +
	"eindigt op, begint met, kończy się na")

// endsBefore reports whether a phrase ends directly before a position.
func (p phrases) endsBefore(t *turn, at int) bool {
	last := t.wordBefore(at)
	return last >= 0 && p.atEnd(t.words[max(0, last-5):last+1])
}

// labels are nouns that name the number behind them.
var labels = newPhrases("error, invoice, room, page, chapter, version, flight, ticket, item, line, gate, platform, bus, route, " +
	"apartment, apt, unit, floor, model, year, code, table, seat, row, box, form, article, section, case, account, order, booking, " +
	"reservation, policy, contract, claim, tracking, serial, pin, extension, ext, step, option, number")

// labelsOther reports whether the noun before a code names something other than the field: the 404 of "error 404".
func (r reader) labelsOther(t *turn, s span) bool {
	first := t.wordAfter(s.start)
	if first == 0 || !hasDigit(t.text[s.start:s.end]) || strings.Contains(t.text[s.start:s.end], " ") || !t.adjoins(first-1, first) {
		return false
	}
	before := t.word(first - 1)
	return labels.at([]word{{text: before}}) > 0 && !r.topic.has(before) && before != "number"
}

// allowedMentions finds an allowed value that is not only part of another one: "rose gold" does not contain "gold" if
// both are allowed.
func (p passage) allowedMentions(value string, allowed []json.RawMessage) []mention {
	separators := strings.NewReplacer("_", " ", "-", " ") // same length, so that positions stay valid
	quote, value := separators.Replace(p.quote()), separators.Replace(fold.Text(value))
	var longer []span
	for _, raw := range allowed {
		other := separators.Replace(fold.Text(textOf(raw)))
		if other == value || len(phraseIndexes(other, value)) == 0 {
			continue
		}
		for _, at := range phraseIndexes(quote, other) {
			longer = append(longer, span{at, at + len(other)})
		}
	}
	var out []mention
	for _, at := range phraseIndexes(quote, value) {
		s := span{at, at + len(value)}
		if !slices.ContainsFunc(longer, s.overlaps) {
			out = append(out, mention{span: span{p.start + s.start, p.start + s.end}, clear: true})
		}
	}
	return out
}

// tokenMentions finds a value as a whole token between separators. punctuation at its ends is ignored, and so are
// emoji.
func (p passage) tokenMentions(value, separators, punctuation string) []mention {
	value = strings.Trim(value, punctuation)
	if value == "" {
		return nil
	}
	var out []mention
	for _, at := range indexes(p.quote(), value) {
		end := at + len(value)
		before, after := p.quote()[:at], p.quote()[end:]
		before = before[strings.LastIndexAny(before, separators)+1:]
		if next := strings.IndexAny(after, separators); next >= 0 {
			after = after[:next]
		}
		if isAround(before, punctuation) && isAround(after, punctuation) {
			out = append(out, mention{span: span{p.start + at, p.start + end}, clear: true})
		}
	}
	return slices.DeleteFunc(out, func(m mention) bool { return p.turn.isBroken(m.span) })
}

// isAround reports whether a text beside a token is only punctuation and symbols.
func isAround(text, punctuation string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool {
		return !strings.ContainsRune(punctuation, r) && !unicode.Is(unicode.So, r) && !unicode.Is(unicode.Sk, r) &&
			!unicode.Is(unicode.Mn, r) && !unicode.Is(unicode.Me, r) && r != '\u200d'
	})
}

// isBroken reports whether the word before an address belongs to it: "firstname. lastname@example.com".
func (t *turn) isBroken(s span) bool {
	before := t.text[:s.start]
	trimmed := strings.TrimRight(before, " ")
	if trimmed == before || trimmed == "" || !strings.Contains(t.text[s.start:s.end], "@") {
		return false
	}
	if strings.HasSuffix(trimmed, "_") || strings.HasSuffix(trimmed, "-") && !strings.HasSuffix(trimmed, " -") {
		return true
	}
	if !strings.HasSuffix(trimmed, ".") {
		return false
	}
	last := trimmed[strings.LastIndexByte(trimmed, ' ')+1 : len(trimmed)-1]
	// A sentence that ends before the address has a verb, or is a courtesy; a single word after "is" has neither.
	at := t.wordBefore(len(trimmed))
	return last != "" && at > 0 && copulas.at(t.words[at-1:]) > 0 && t.adjoins(at-1, at)
}

var copulas = newPhrases("is, are, was, it's, that's, am, i'm, ist, est, es, è, é, jest, este, lautet, as, to, at")

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

// jsonMentions returns one mention over the places of each key, text, number and boolean of a JSON value, none if one
// of them is not in the passage, or is denied. A key may also be a word of the definition.
func (r reader) jsonMentions(p passage) []mention {
	dec := json.NewDecoder(strings.NewReader(string(r.value)))
	dec.UseNumber()
	var v any
	if dec.Decode(&v) != nil {
		return nil
	}
	var leaves []mention
	if !r.collectJSON(p, v, &leaves) || len(leaves) == 0 {
		return nil
	}
	whole := leaves[0]
	for _, m := range leaves {
		whole.start, whole.end = min(whole.start, m.start), max(whole.end, m.end)
	}
	whole.clear = false
	return []mention{whole}
}

// collectJSON appends a mention of each part of a JSON value. It reports false if a part has none.
func (r reader) collectJSON(p passage, v any, out *[]mention) bool {
	part := r // judged as a text of its own
	part.def.ValueType, part.def.AllowedValues = vault.TypeString, nil
	add := func(mentions []mention) bool {
		for _, m := range mentions {
			if part.judge(p.turn, m) == "" {
				*out = append(*out, m)
				return true
			}
		}
		return false
	}
	switch v := v.(type) {
	case string:
		return add(r.textMentions(p, fold.Text(v)))
	case json.Number:
		part.def.ValueType = vault.TypeNumber
		return add(append(p.numberMentions(v.String()), r.numberWordMentions(p, v.String())...))
	case bool:
		part.def.ValueType = vault.TypeBoolean
		_, why := part.checkBoolean(p, v)
		if why == "" {
			*out = append(*out, mention{span: p.span})
		}
		return why == ""
	case []any:
		return len(v) > 0 && !slices.ContainsFunc(v, func(item any) bool { return !r.collectJSON(p, item, out) })
	case map[string]any:
		for key, item := range v {
			if !r.keyIsKnown(p, key) || !r.collectJSON(p, item, out) {
				return false
			}
		}
		return len(v) > 0
	default:
		return false
	}
}

// keyIsKnown reports whether each word of a key is in the passage or in the definition.
func (r reader) keyIsKnown(p passage, key string) bool {
	words := wordsOf(fold.Text(splitKey(key)), 0)
	return len(words) > 0 && !slices.ContainsFunc(words, func(w word) bool {
		return len(phraseIndexes(p.quote(), w.text)) == 0 && !r.topic.has(w.text) && !r.topic.mentions(w.text)
	})
}

// splitKey returns the words of a key: "shoe size" for shoe_size and shoeSize.
func splitKey(key string) string {
	var b strings.Builder
	lower := false
	for _, r := range key {
		if unicode.IsUpper(r) && lower {
			b.WriteByte(' ')
		}
		lower = unicode.IsLower(r)
		if r == '_' || r == '-' {
			r = ' '
		}
		b.WriteRune(r)
	}
	return b.String()
}
