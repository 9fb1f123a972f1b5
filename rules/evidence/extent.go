package evidence

import (
	"bytes"
	"encoding/json"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/contextvault/contextvault/rules"
	"github.com/contextvault/contextvault/rules/internal/fold"
	measure "github.com/contextvault/contextvault/rules/internal/unit"
	"github.com/contextvault/contextvault/vault"
)

// mentions returns the places in a passage that contain the value as a whole. raw is the model's value.
func (r reader) mentions(p passage, raw json.RawMessage) []mention {
	text := rules.TextOf(r.value)
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
		return p.phoneMentions(text, r.def.DefaultRegion)
	case vault.TypeNumber:
		found := append(p.numberMentions(text), r.numberWordMentions(p, text)...)
		return slices.DeleteFunc(found, func(m mention) bool {
			return !measure.Fits(r.def.Unit, p.turn.text[:m.start], p.turn.text[m.end:])
		})
	case vault.TypeDate:
		return r.dateMentions(p, text)
	case vault.TypeDatetime:
		return r.datetimeMentions(p, rules.TextOf(raw), text, r.def.TimeZone)
	default:
		return r.jsonMentions(p)
	}
}

// textMentions finds free text. It must be whole: neither a part of a code such as A-12345, nor one group of a longer
// one, nor the label of something else.
func (r reader) textMentions(p passage, phrase string) []mention {
	var out []mention
	for _, s := range p.phraseSpans(phrase) {
		if p.turn.isWhole(s) && r.isText(p.turn, s) && (!r.isCode() && !r.isName() || !p.turn.isCutName(s)) &&
			!r.labelsOther(p.turn, s) && !p.turn.isAnnouncedPart(s) {
			out = append(out, mention{span: s})
		}
	}
	return out
}

// isAnnouncedPart reports whether the words before the digits of a place announce a part of a code: "ends in 4471". The
// announcement may reach into the place: "in 4471".
func (t *turn) isAnnouncedPart(s span) bool {
	for _, w := range t.wordsIn(s) {
		if hasDigit(w.text) {
			return partial.endsBefore(t, s.start) || partial.endsBefore(t, w.start)
		}
	}
	return false
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
	if hasDigit(t.word(first)) && t.adjoins(first-1, first) && isGroup(t.word(first-1)) {
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
	return hasDigit(word) && !strings.HasSuffix(word, "th") || utf8.RuneCountInString(word) == 1 && word != "a" &&
		word != "i" &&
		word[0] < utf8.RuneSelf && unicode.IsLetter(rune(word[0])) && word != "y" && word != "e" && word != "o"
}

// partial are words after which a part of a code follows.
var partial = newPhrases("ends in, ends with, ending in, ending with, end in, end with, starts with, starting with, " +
	"start with, " +
	"begins with, beginning with, begin with, last digits, last four, last four digits, last 4, last 4 digits, last " +
	"digits are, " +
	"last four are, last four digits are, last 4 digits are, first digits are, first four digits are, something " +
	"like, contains, containing, " +
	"endet auf, endet mit, beginnt mit, termine par, commence par, termina en, termina con, empieza por, finisce " +
	"con, inizia con, " +
	"eindigt op, begint met, kończy się na")

// endsBefore reports whether a phrase ends directly before a position.
func (p phrases) endsBefore(t *turn, at int) bool {
	last := t.wordBefore(at)
	return last >= 0 && p.atEnd(t.words[max(0, last-5):last+1])
}

// isText reports whether free text can be a value: it is one part of a sentence, neither begins nor ends with
// grammar, and
// is not only a greeting or an interruption.
func (r reader) isText(t *turn, s span) bool {
	words := t.wordsIn(s)
	if len(words) == 0 {
		return true // in a script without words, or only signs
	}
	first, last := t.wordAfter(s.start), t.wordBefore(s.end)
	switch {
	case t.sentenceAt(s.start) != t.sentenceAt(max(s.start, s.end-1)) && !t.isMultiline(s),
		opening[words[0].text] && len(words) > 1, closing[words[len(words)-1].text] && len(words) > 1,
		len(words) == 1 && (englishGrammar[words[0].text] && len(words[0].text) < 6 && !hasDigit(words[0].text)),
		len(courtesy.remove(words)) == 0 && len(words) > 1, interruptions.at(words) == len(words):
		return false
	case strings.Contains(t.text[s.start:s.end], "@") && !r.topic.has("email") && !r.topic.has("handle") &&
		!r.topic.has("username") && !r.topic.has("account") && !r.topic.has("contact"):
		return false
	}
	if !r.isCode() {
		return true
	}
	if len(words) == 2 && labels.at(words) > 0 && hasDigit(words[1].text) && !r.topic.has(words[0].text) {
		return false
	}
	if partial.at(words) > 0 {
		return false // "ends in 4471" is no whole code
	}
	end := words[len(words)-1]
	group := len(words) == 1 && isDigits(t.text[s.start:s.end]) || len(words) > 1 && t.text[end.start-1] == ' '
	counts := group && isDigits(end.text) && t.adjoins(last, last+1) && !smallWords[t.word(last+1)] &&
		!grammar[t.word(last+1)]
	return !counts || last+1 >= len(t.words) && first >= 0
}

// isName reports whether the field is a full name, and not a part of one, such as the first name.
func (r reader) isName() bool {
	return slices.ContainsFunc(r.topic.names, func(w string) bool { return names[w] }) &&
		!slices.ContainsFunc(r.topic.names, func(w string) bool { return nameParts[w] })
}

var names = setOf("name nome nombre naam imię")

var nameParts = setOf("first last given family middle surname forename nickname initial vorname nachname prénom nom " +
	"nombre apellido nome cognome title company")

// isCutName reports whether a capitalised word stands directly beside a capitalised text: the Mira of "Mira Sample",
// the
// 12345 of "A 12345".
func (t *turn) isCutName(s span) bool {
	fields := strings.Fields(t.Text)
	if strings.ToUpper(t.Text) == t.Text {
		return false
	}
	value := strings.Fields(t.text[s.start:s.end])
	const around = `.,;:!?()[]"'`
	for i := 0; i+len(value) <= len(fields); i++ {
		same := true
		for k, w := range value {
			same = same && strings.Trim(fold.Text(fields[i+k]), around) == strings.Trim(w, around)
		}
		if !same {
			continue
		}
		if !isCapital(fields[i]) && !hasDigit(fields[i]) {
			return false
		}
		last := fields[i+len(value)-1]
		before := i > 0 && strings.Trim(fields[i-1], around) == fields[i-1] && joinsName(fields[i-1], hasDigit(fields[i])) &&
			i > 1 && !strings.ContainsAny(fields[i-2][len(fields[i-2])-1:], ".!?:")
		after := i+len(value) < len(fields) && strings.TrimRight(last, around) == last && !hasDigit(last) &&
			joinsName(strings.TrimRight(fields[i+len(value)], around), false)
		return before || after
	}
	return false
}

func isCapital(field string) bool {
	r, _ := utf8.DecodeRuneInString(strings.TrimLeft(field, `"'(`))
	return unicode.IsUpper(r)
}

// joinsName reports whether a word beside a name or code is one of its words. code is for a code, which only a single
// letter joins.
func joinsName(field string, code bool) bool {
	if code && len(field) == 1 && field != "I" && isCapital(field) {
		return true // "A 12345"
	}
	word := strings.TrimSuffix(fold.Text(field), "'s")
	if !isCapital(field) || grammar[word] || smallWords[word] || monthOf(word) > 0 || rules.WeekdayNumber(word) >= 0 ||
		strings.Contains(field, "'") {
		return false
	}
	return code == (utf8.RuneCountInString(field) == 1)
}

// isMultiline reports whether a value stands on several lines, as an address does.
func (t *turn) isMultiline(s span) bool { return !strings.ContainsAny(t.text[s.start:s.end], ".!?;") }

// isCode reports whether the field is a code, by its name.
func (r reader) isCode() bool {
	return slices.ContainsFunc(r.topic.names, func(w string) bool {
		switch w {
		case "number", "code", "id", "reference", "ref", "pin", "serial", "nummer", "numero", "número", "numéro":
			return !strings.HasPrefix(r.def.Name, "number_of") && !strings.HasPrefix(r.def.Name, "num_")
		default:
			return false
		}
	})
}

// opening and closing are words with which no value of more words begins or ends.
var (
	opening = setOf("is was are were am be been my i i'm im it's and or but in of has have gives because so our " +
		"sorry actually oops yes no not ist est es è")
	closing = setOf("and but is was are my the because und et y")
)

func setOf(words string) map[string]bool {
	out := map[string]bool{}
	for _, w := range strings.Fields(words) {
		out[w] = true
	}
	return out
}

// interruptions are replies that are no value of a text.
var interruptions = newPhrases("good morning, good evening, good afternoon, good day, good night, hello there, hi " +
	"there, hello, hi, hey, sure thing, cancel, stop, quit, exit, abort, help, " +
	"pardon, pardon me, excuse me, what, sorry, thanks, thank you, no idea, no clue, don't know, i don't know, " +
	"never mind, nevermind, prefer not to say, rather not say, skip, next, none, nothing, " +
	"one moment, just a moment, just a minute, hold on, wait, wait a minute, one second, back, go back, start over, " +
	"menu, agent, human, operator, ask, ask my, whatever, anything, not sure, unsure, " +
	"keine ahnung, weiß nicht, weiß ich nicht, moment, guten tag, guten morgen, hallo, hilfe, abbrechen, aucune " +
	"idée, bonjour, annuler, aide, no sé, no lo sé, hola, buenos días, ayuda, cancelar, non so, ciao, aiuto, " +
	"annulla, " +
	"não sei, olá, ajuda, geen idee, weet niet, hallo, hulp, nie wiem, cześć, dzień dobry, pomoc, nu știu, bună, " +
	"ajutor, не знаю, привет, здравствуйте, помощь, стоп, привіт, допоможіть, bilmiyorum, merhaba")

// labels are nouns that name the number behind them.
var labels = newPhrases("error, invoice, room, page, chapter, version, flight, ticket, item, line, gate, platform, " +
	"bus, route, " +
	"apartment, apt, unit, floor, model, year, code, table, seat, row, box, form, article, section, case, account, " +
	"order, booking, " +
	"reservation, policy, contract, claim, tracking, serial, pin, extension, ext, step, option, number")

// labelsOther reports whether the noun before a code names something other than the field: the 404 of "error 404".
func (r reader) labelsOther(t *turn, s span) bool {
	first := t.wordAfter(s.start)
	if first > 0 && t.adjoins(first-1, first) && r.otherDirection(t.word(first-1)) {
		return true
	}
	if first == 0 || !hasDigit(t.text[s.start:s.end]) || strings.Contains(t.text[s.start:s.end], " "+
		"") || !t.adjoins(first-1, first) {
		return false
	}
	before := t.word(first - 1)
	return labels.at([]word{{text: before}}) > 0 && !r.topic.has(before) && before != "number"
}

// otherDirection reports whether a preposition says that a place is the other end of a journey: "to Berlin" is no
// origin.
func (r reader) otherDirection(preposition string) bool {
	from := slices.ContainsFunc(r.topic.names, func(w string) bool { return origins[w] })
	to := slices.ContainsFunc(r.topic.names, func(w string) bool { return destinations[w] })
	name := "_" + r.def.Name + "_"
	from, to = from || strings.Contains(name, "_from_"), to || strings.Contains(name, "_to_")
	switch preposition {
	case "to", "nach", "towards":
		return from && !to
	case "from", "von", "aus", "leaving", "departing":
		return to && !from
	default:
		return false
	}
}

var (
	origins      = setOf("origin departure pickup start departing leaving source abflug start")
	destinations = setOf("destination arrival dropoff arriving ziel")
)

// allowedMentions finds an allowed value that is not only part of another one: "rose gold" does not contain "gold" if
// both are allowed.
func (p passage) allowedMentions(value string, allowed []json.RawMessage) []mention {
	separators := strings.NewReplacer("_", " ", "-", " ") // same length, so that positions stay valid
	quote, value := separators.Replace(p.quote()), separators.Replace(fold.Text(value))
	var longer []span
	for _, raw := range allowed {
		other := separators.Replace(fold.Text(rules.TextOf(raw)))
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
	return slices.DeleteFunc(out, func(m mention) bool { return p.turn.isBroken(m.span) || p.turn.isGlued(m.span) })
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

// gluedLabel matches an address whose last label begins with a capital after small letters: a sentence follows
// without a
// space, as in "jane@example.com.Thanks".
var gluedLabel = regexp.MustCompile(`@[^\s@]*\p{Ll}\.\p{Lu}\p{Ll}+[^\s@.]*$`)

// isGlued reports whether the last part of an address is a word of the next sentence.
func (t *turn) isGlued(s span) bool {
	said := t.text[s.start:s.end]
	for _, field := range strings.Fields(t.Text) {
		if strings.Contains(fold.Text(field), said) && gluedLabel.MatchString(strings.TrimRight(field, ".,!?)>\"'")) {
			return true
		}
	}
	return false
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
	part.isPart = true
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
	if bytes.Contains(r.def.JSONSchema, []byte(strconv.Quote(key))) {
		return true // the definition has the key
	}
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
