package propose

import (
	"slices"
	"strings"
	"unicode"

	"github.com/contextvault/contextvault/llm/offline/text"
	"github.com/contextvault/contextvault/vault"
)

// chunk is one noun phrase or indirect question among the objects of a clause.
type chunk struct {
	from, to int  // tokens
	or       bool // "or" separates it from the chunk before
	question bool
}

// readRegion reads the objects of a clause. In a list that is needed, a phrase that no definition has makes a new one.
func (r *sentenceReader) readRegion(c *clause, scope condition, list bool) {
	first := len(r.found)
	for _, chunks := range r.segments(r.chunks(c.objects[0], c.objects[1])) {
		r.readChunks(chunks, c, scope, list)
	}
	if len(r.found) > first {
		r.last = slices.Clone(r.found[first:])
	}
}

// segments separates the alternatives of a list from its other items: "name, email or phone, and date of birth".
func (r *sentenceReader) segments(chunks []chunk) [][]chunk {
	at := slices.IndexFunc(chunks, func(ch chunk) bool { return ch.or })
	if at < 1 || at == len(chunks)-1 || r.hasEither(chunks) || !r.commaBetween(chunks[at], chunks[at+1]) ||
		slices.ContainsFunc(chunks[at+1:], func(ch chunk) bool { return ch.or }) {
		return [][]chunk{chunks}
	}
	return [][]chunk{chunks[:at-1], chunks[at-1 : at+1], chunks[at+1:]}
}

// commaBetween reports whether a comma separates two chunks.
func (r *sentenceReader) commaBetween(a, b chunk) bool {
	return strings.Contains(r.text[r.tokens[a.to-1].End:r.tokens[b.from].Start], ",")
}

// readChunks reads the items of a list, of which "or" makes alternatives.
func (r *sentenceReader) readChunks(chunks []chunk, c *clause, scope condition, list bool) {
	groups := r.alternatives(chunks)
	var names [][]string // of each alternative
	var places [][2]int  // its mentions in found
	for g, group := range groups {
		start := len(r.found)
		var fields []string
		for k, ch := range group {
			var after *chunk
			if k+1 < len(group) {
				after = &group[k+1]
			} else if g+1 < len(groups) {
				after = &groups[g+1][0]
			}
			m, from, to, ok := r.readItem(c, ch, after, scope, list)
			if !ok {
				continue
			}
			r.addMention(m, c, scope, from, to)
			fields = append(fields, m.name(r.index))
		}
		names = append(names, fields)
		places = append(places, [2]int{start, len(r.found)})
	}
	if len(groups) > 1 && !c.soft {
		r.markAlternatives(names, places)
	}
}

// markAlternatives makes each alternative conditional on the absence of the others.
func (r *sentenceReader) markAlternatives(names [][]string, places [][2]int) {
	for i := range names {
		if len(names[i]) == 0 {
			return // one alternative is unknown: the others stay unconditional
		}
		for k := range i {
			if slices.Contains(names[k], names[i][0]) {
				return // two words for one fact
			}
		}
	}
	for i, place := range places {
		absent := condition{}
		for k, other := range names {
			if k != i {
				absent = both(absent, condition{expr: "!has(fields." + other[0] + ")"})
			}
		}
		for m := place[0]; m < place[1]; m++ {
			r.found[m].when = both(r.found[m].when, absent)
		}
	}
}

// chunks splits the tokens from from to to at commas and conjunctions, except inside the name of a definition.
func (r *sentenceReader) chunks(from, to int) []chunk {
	var out []chunk
	start, or := from, false
	flush := func(end int) {
		if ch, ok := r.trim(chunk{from: start, to: end, or: or}); ok {
			out = append(out, ch)
			or = false
		}
	}
	for i := from; i < to; i++ {
		if n := r.atomic(i, to); n > 0 {
			i += n - 1
			continue
		}
		w := r.word(i)
		cut := i > start && (strings.ContainsAny(r.gap(i-1), ",;/&()|") || r.gap(i-1) == " + ")
		if cut {
			flush(i)
			start = i
			or = or || strings.Contains(r.gap(i-1), "/") && !(sharedHeads[w] && sharedHeads[r.word(i-1)]) // "date/time"
		}
		if text.ListWords[w] || w == "either" || w == "as" && r.word(i+1) == "well" || w == "nor" || w == "along" ||
			w == "both" && i == start {
			if i > start {
				flush(i)
			}
			if w == "or" {
				or = true
			}
			if w == "as" {
				i++
				if r.word(i+1) == "as" {
					i++
				}
			}
			if w == "along" && r.word(i+1) == "with" {
				i++
			}
			start = i + 1
		}
	}
	if to > start {
		flush(to)
	}
	return out
}

// atomic returns the number of tokens of a definition's name at token i that contains a conjunction: "delivery or
// pickup".
func (r *sentenceReader) atomic(i, to int) int {
	best := 0
	for k := range r.index.own {
		for _, label := range []string{r.index.own[k].Name, r.index.own[k].Label()} {
			words := text.Words(strings.ReplaceAll(label, "_", " "))
			if len(words) > best && i+len(words) <= to && text.HasWords(r.tokens, i, words) &&
				slices.ContainsFunc(words, func(w string) bool { return text.ListWords[w] }) {
				best = len(words)
			}
		}
	}
	return best
}

// fillers stand before a noun phrase and say nothing about it.
var fillers = text.NewWordSet(`please also always first then just about for to us at least to-be such here again too
	their his her its your our name's only with optionally ideally preferably possibly maybe perhaps down on out
	yes both either is are was as by of following`)

// trim removes words before and after a chunk that do not belong to it.
func (r *sentenceReader) trim(ch chunk) (chunk, bool) {
	for ch.from < ch.to {
		w := r.word(ch.from)
		if w == "for" && whWords[r.word(ch.from+1)] || w == "since" || w == "at" && whWords[r.word(ch.from+1)] {
			break
		}
		if w == "if" || whWords[w] || r.isFirstOf(ch) {
			break
		}
		if !determiners[w] && !owners[w] && !fillers[w] {
			break
		}
		ch.from++
	}
	if whPrepositions[r.word(ch.from)] && !whWords[r.word(ch.from+1)] && r.word(ch.from) != "since" {
		return ch, false // "in months"
	}
	for ch.to > ch.from && trailers[r.word(ch.to-1)] && r.word(ch.to-2) != "what" && !r.isFirstOf(ch) {
		ch.to--
	}
	if ch.from >= ch.to {
		return ch, false
	}
	w := r.word(ch.from)
	ch.question = whWords[w] || w == "if" || w == "since" || whWords[r.word(ch.from+1)] &&
		(w == "at" || w == "for" || w == "by")
	return ch, true
}

// isFirstOf reports whether a chunk is the "first" of "first and last name".
func (r *sentenceReader) isFirstOf(ch chunk) bool {
	return r.word(ch.from) == "first" && ch.to == ch.from+1 && text.ListWords[r.word(ch.to)] &&
		sharedModifiers[r.word(ch.to+1)]
}

var trailers = text.NewWordSet(`too also first again please now today instead etc anyway respectively then always only
	is are was were well needed required necessary and or the at by with for from of to in on before`)

// alternatives groups chunks: "A or B and C" is A, or both B and C. Without "or" there is one group.
func (r *sentenceReader) alternatives(chunks []chunk) [][]chunk {
	ors := 0
	for _, ch := range chunks {
		if ch.or {
			ors++
		}
	}
	if ors == 0 {
		return [][]chunk{chunks}
	}
	var out [][]chunk
	if ors == 1 && len(chunks) > 2 && !r.hasEither(chunks) {
		at := slices.IndexFunc(chunks, func(ch chunk) bool { return ch.or })
		if at == len(chunks)-1 && r.commaList(chunks) {
			for _, ch := range chunks { // "A, B or C"
				out = append(out, []chunk{ch})
			}
			return out
		}
		if at == len(chunks)-1 { // "A and B or C": the last two are alternatives
			return [][]chunk{chunks[:at], chunks[at:]}
		}
	}
	for _, ch := range chunks {
		if ch.or || len(out) == 0 {
			out = append(out, nil)
		}
		out[len(out)-1] = append(out[len(out)-1], ch)
	}
	return out
}

// commaList reports whether commas separate all chunks but the last.
func (r *sentenceReader) commaList(chunks []chunk) bool {
	for _, ch := range chunks[1 : len(chunks)-1] {
		if w := r.word(ch.from - 1); w == "and" {
			return false
		}
	}
	return true
}

func (r *sentenceReader) hasEither(chunks []chunk) bool {
	return r.word(chunks[0].from-1) == "either" || r.word(chunks[0].from-2) == "either"
}

// readItem reads an item of a list, which may share a modifier or the head with its neighbour.
func (r *sentenceReader) readItem(c *clause, ch chunk, after *chunk, scope condition, list bool) (
	m mention, from, to int, ok bool,
) {
	if words := r.sharedWords(ch, after); words != nil && !c.weak {
		if m, ok = r.readShared(words, ch, scope); ok {
			return m, ch.from, ch.to, true
		}
	}
	if !sharedHeads[r.word(ch.from)] || ch.to != ch.from+1 {
		r.noteModifier(ch)
	}
	return r.readChunk(c, ch, scope, list)
}

// readChunk finds the definition that a chunk names. from and to are the tokens of its quote.
func (r *sentenceReader) readChunk(c *clause, ch chunk, scope condition, list bool) (m mention, from, to int, ok bool) {
	from, to = ch.from, ch.to
	if ch.question {
		m, ok = r.readIndirect(ch, scope)
		if !ok {
			r.pass(from, to, "no definition of the agent answers this question")
		}
		return m, from, to, ok
	}
	if n := r.countPrefix(ch); n > 0 {
		ch.from += n
	}
	end := r.headEnd(ch)
	p := r.phraseOf(ch.from, end, ch.to)
	p.favour = scope.field
	if r.word(ch.from) == "verified" || r.word(ch.from) == "confirmed" || r.word(ch.from) == "validated" {
		m.verified = true
	}
	if end < ch.to && p.isGeneric() { // "the number they want to port"
		whole := phrase{words: strings.Fields(r.words(ch.from, ch.to)), question: true, favour: p.favour}
		whole.terms = terms(whole.words)
		if found, yes := r.index.find(whole); yes && !found.ambiguous && len(whole.terms) > len(p.words) {
			m.own, m.how, m.confidence = found.own, found.how, min(confidenceOf(found), confidenceRequested)
			return m, from, to, true
		}
	}
	if found, yes := r.index.find(p); yes {
		m.own, m.how, m.confidence = found.own, found.how, confidenceOf(found)
		m.verified = m.verified || r.verifiedTail(ch)
		return m, from, to, true
	}
	if whole := r.phraseOf(ch.from, ch.to, ch.to); end < ch.to && whole.head != p.head {
		if found, yes := r.index.find(whole); yes {
			m.own, m.how, m.confidence = found.own, found.how, min(confidenceOf(found), confidenceDataNoun)
			return m, from, to, true
		}
	}
	known, yes := r.suggestConsent(ch, end)
	if !yes {
		known, yes = r.suggest(ch.from, end, c, list)
	}
	if c.weak && !(yes && c.checks && (known.known || owners[r.word(ch.from-1)])) {
		r.pass(from, to, "no definition of the agent means this")
		return m, from, to, false
	}
	if !yes {
		r.pass(from, to, "it names no fact that can be collected, and no definition of the agent means this")
		return m, from, to, false
	}
	known.verified = m.verified
	return known, from, to, true
}

// verifiedTail reports whether a chunk ends with words such as "(verified)".
func (r *sentenceReader) verifiedTail(ch chunk) bool {
	return checkedWords[r.word(ch.to-1)] && ch.to-ch.from > 1
}

// countPrefix returns the number of tokens before the counted noun of "list of", "copy"… 0: none.
func (r *sentenceReader) countPrefix(ch chunk) int {
	if (r.word(ch.from) == "list" || r.word(ch.from) == "set") && r.word(ch.from+1) == "of" && ch.from+2 < ch.to {
		return 2
	}
	return 0
}

// confidenceOf returns the confidence of a match with a definition of the agent.
func confidenceOf(m match) float64 {
	switch {
	case m.how == MatchedByName:
		return confidenceKnown
	case m.ambiguous:
		return confidenceAmbiguous
	case m.score >= sureScore:
		return confidenceRequested
	default:
		return confidenceDataNoun
	}
}

// headEnd returns the token after the head of a noun phrase: before its relative clause or its prepositions, except
// "of".
func (r *sentenceReader) headEnd(ch chunk) int {
	for i := ch.from + 1; i < ch.to; i++ {
		w := r.word(i)
		if w == "in" && r.adjacent(i-1) && r.gap(i-1) == "-" ||
			(w == "in" || w == "out" || w == "up" || w == "off") && r.gap(i-1) == "-" {
			continue
		}
		if strings.ContainsAny(r.gap(i-1), "(") {
			return i
		}
		if text.PhraseEnds[w] || w == "who" || people[w] && !r.isModifier(i) && !owners[w] && r.word(i-1) != "of" &&
			!determiners[r.word(i-1)] && (w == "they" || w == "he" || w == "she" || w == "you" || w == "we") {
			return i
		}
	}
	return ch.to
}

func (r *sentenceReader) isModifier(i int) bool {
	return r.adjacent(i) && !text.PhraseEnds[r.word(i+1)]
}

// tailWeight is the weight of the words after the head of a noun phrase: "a name for the booking".
const tailWeight = 0.2

// phraseOf prepares the tokens of a noun phrase. Its head ends at token end.
func (r *sentenceReader) phraseOf(from, end, to int) phrase {
	p := phrase{}
	of := -1
	for i := from; i < end; i++ {
		if r.word(i) == "of" && of < 0 && i > from {
			of = i
		}
		p.words = append(p.words, r.word(i))
	}
	p.terms = terms(p.words)
	headWords := p.words
	if of > 0 {
		headWords = p.words[:of-from]
	}
	if list := terms(headWords); len(list) > 0 {
		p.head = list[len(list)-1].word
	} else if len(p.terms) > 0 {
		p.head = p.terms[len(p.terms)-1].word
	}
	var tail []string
	for i := end; i < to; i++ {
		tail = append(tail, r.word(i))
	}
	for _, t := range terms(tail) {
		t.weight *= tailWeight
		p.terms = append(p.terms, t)
	}
	return p
}

// suggest makes the mention of a fact that the agent does not define.
func (r *sentenceReader) suggest(from, end int, c *clause, list bool) (mention, bool) {
	owned := owners[r.word(from-1)] || c.owned && (r.ofCustomer(end) || owners[r.word(from-1)])
	if owners[r.word(from-1)] { // the possessive of a compound: "driver's licence number"
		if f, n := text.Lexicon.At(r.tokens, from-1); n > 1 && from-1+n == end {
			return mention{definition: f, known: true, confidence: confidenceRequested, how: MatchedByNothing}, true
		}
	}
	start := from
	for start < end && (text.Adjectives[r.word(start)] || r.word(start) == "customer" || r.word(start) == "user" ||
		determiners[r.word(start)] || owners[r.word(start)]) && start+1 < end {
		owned = owned || owners[r.word(start)] || r.word(start) == "customer" || r.word(start) == "user"
		start++
	}
	// The customer as owner is no part of the name: "income of the applicant".
	stop := end
	for i := start; i < end; i++ {
		if r.word(i) == "of" && (people[r.word(i+1)] || determiners[r.word(i+1)] &&
			(people[r.word(i+2)] || leading[r.word(i+2)] && people[r.word(i+3)])) {
			stop, owned = i, true
			break
		}
	}
	// A length is no part of the name: "the 4-digit PIN".
	for start+2 < stop && isNumberWord(r.word(start)) && strings.HasPrefix(r.word(start+1), "digit") {
		start += 2
		for start+1 < stop && people[r.word(start)] {
			start, owned = start+1, true
		}
	}
	if r.isAcronym(start) && r.word(start+1) == "of" { // "ICCID of the new SIM card"
		stop, owned = start+1, true
	}
	owned = owned || c.owned && stop == start+1 && r.isAcronym(start)
	var parts []string
	for i := start; i < stop; i++ {
		if w := r.word(i); !determiners[w] && !owners[w] {
			parts = append(parts, strings.ReplaceAll(strings.ReplaceAll(w, "'s", ""), "'", ""))
		}
	}
	if len(parts) == 0 || len(parts) > 5 || parts[0] == "of" || parts[len(parts)-1] == "of" || !isASCIIWords(parts) {
		return mention{}, false
	}
	said := strings.Join(parts, " ")
	if f, ok := text.Lexicon.Find(said); ok {
		if slices.Contains([]string{"phone", "company_name", "full_name"}, f.Name) && len(parts) == 1 &&
			vagueNouns[parts[0]] &&
			!owned && !list {
			return mention{}, false
		}
		return mention{definition: f, known: true, confidence: confidenceRequested, how: MatchedByNothing}, true
	}
	if of := slices.Index(parts, "of"); of > 0 { // "name of the company"
		if f, ok := text.Lexicon.Find(strings.Join(append(slices.Clone(parts[of+1:]), parts[:of]...), " ")); ok {
			return mention{definition: f, known: true, confidence: confidenceRequested, how: MatchedByNothing}, true
		}
	}
	if f, n := text.Lexicon.At(r.tokens, start); n > 0 && start+n == stop {
		return mention{definition: f, known: true, confidence: confidenceRequested, how: MatchedByNothing}, true
	}
	name := r.index.qualified(strings.Join(parts, "_"))
	if len(name) > vault.MaxNameLength || !vault.NamePattern.MatchString(name) ||
		len(text.Words(vault.DisplayName(name))) == 0 { // such as a lone combining accent
		return mention{}, false
	}
	head := headOf(parts)
	if vagueNouns[head] && (len(parts) == 1 || !isDataNoun(parts)) || people[head] ||
		(len(parts) == 1 && (numberHeads[parts[0]] || textHeads[parts[0]]) && !owned && !list &&
			!(c.owned && name != parts[0])) {
		return mention{}, false
	}
	m := mention{definition: newDefinition(name), confidence: confidenceOtherNoun, how: MatchedByNothing}
	if isDataNoun(parts) || list {
		m.confidence = confidenceDataNoun
	} else if !owned {
		return mention{}, false
	}
	return m, true
}

// leading are words for the one person of a group who is the customer: "the main guest".
var leading = text.NewWordSet("main lead leading primary principal")

// isAcronym reports whether token i is written in capital letters, such as "ICCID".
func (r *sentenceReader) isAcronym(i int) bool {
	if i < 0 || i >= len(r.tokens) {
		return false
	}
	said := r.text[r.tokens[i].Start:r.tokens[i].End]
	return len(said) > 1 && strings.ToUpper(said) == said && isASCIIWords([]string{said}) && !isNumberWord(said)
}

// ofCustomer reports whether "of the customer" follows at token i.
func (r *sentenceReader) ofCustomer(i int) bool {
	return r.word(i) == "of" && (people[r.word(i+1)] || determiners[r.word(i+1)] && people[r.word(i+2)])
}

func isASCIIWords(parts []string) bool {
	for _, p := range parts {
		for _, c := range p {
			if c > unicode.MaxASCII || !(unicode.IsLetter(c) || unicode.IsDigit(c)) {
				return false
			}
		}
	}
	return true
}

// questionHints are words that a question word adds to a question.
var questionHints = map[string]struct {
	words []string
	wants vault.ValueType
}{
	"when": {nil, vault.TypeDate}, "since": {[]string{"start"}, ""}, "why": {[]string{"reason", "reason"}, ""},
	"where": {[]string{"address"}, ""}, "who": {[]string{"name"}, ""}, "whether": {nil, vault.TypeBoolean},
	"if": {nil, vault.TypeBoolean}, "many": {nil, vault.TypeNumber}, "much": {nil, vault.TypeNumber},
	"old": {[]string{"age", "age"}, ""}, "long": {[]string{"term", "duration"}, ""},
	"often": {[]string{"frequency"}, ""},
}

// readIndirect finds the definition that answers "whether they smoke", "when the incident happened".
func (r *sentenceReader) readIndirect(ch chunk, scope condition) (mention, bool) {
	var words []string
	for i := ch.from; i < ch.to; i++ {
		words = append(words, r.word(i))
	}
	return r.readQuestionWords(words, ch, scope)
}

func (r *sentenceReader) readQuestionWords(words []string, ch chunk, scope condition) (mention, bool) {
	p := phrase{words: words, question: true, favour: scope.field}
	p.terms = terms(words)
	first := words[0]
	if hint, ok := questionHints[first]; ok {
		p.wants = hint.wants
		if first != "where" && first != "who" || len(p.terms) == 0 {
			for _, w := range hint.words {
				p.terms = append(p.terms, term{canonical(w), 1})
			}
		}
	}
	if first == "how" && len(words) > 1 {
		if hint, ok := questionHints[words[1]]; ok {
			p.wants = hint.wants
			for _, w := range hint.words {
				p.terms = append(p.terms, term{canonical(w), 1})
			}
		}
	}
	if strings.HasPrefix(strings.Join(words, " "), "what for") || strings.HasSuffix(strings.Join(words, " "), "what for") {
		p.terms = append(p.terms, term{canonical("purpose"), 1})
	}
	if n := len(words); n > 2 && first == "what" && (words[n-1] == "for" || words[n-1] == "is" && r.word(ch.to) == "for" ||
		r.word(ch.to) == "is" && r.word(ch.to+1) == "for") && (determiners[words[1]] || owners[words[1]]) {
		p.terms = append(p.terms, term{canonical("purpose"), 1}) // "what the loan is for"
		if found, ok := r.index.find(p); ok {
			return mention{own: found.own, how: found.how, confidence: min(confidenceOf(found), confidenceRequested)}, true
		}
		return mention{definition: newDefinition("purpose"), confidence: confidenceDataNoun, how: MatchedByNothing}, true
	}
	asksNoun := first == "which" || first == "what" || whPrepositions[first] && len(words) > 1 &&
		(words[1] == "which" || words[1] == "what")
	if asksNoun {
		if m, ok := r.wordedQuestion(words, ch, false); ok {
			return m, true
		}
	}
	fits := func(o *ownDefinition) bool { return o.ValueType != vault.TypeBoolean || p.wants == vault.TypeBoolean }
	if found, ok := r.index.findWhere(p, fits); ok {
		return mention{own: found.own, how: found.how, confidence: min(confidenceOf(found), confidenceRequested)}, true
	}
	if p.wants != "" && p.wants != vault.TypeNumber && p.wants != vault.TypeBoolean {
		p.wants = "" // a text may hold a date
		if found, ok := r.index.findWhere(p, fits); ok && !found.ambiguous {
			return mention{own: found.own, how: found.how, confidence: min(confidenceOf(found), confidenceDataNoun)}, true
		}
	}
	if first == "how" && len(words) > 2 && words[1] == "many" && text.CountedPlurals[words[2]] {
		if f, ok := text.Lexicon.Find("number of " + words[2]); ok {
			return r.index.knownMention(mention{definition: f, known: true, confidence: confidenceDataNoun}), true
		}
		return mention{definition: newDefinition("number_of_" + words[2]), confidence: confidenceDataNoun}, true
	}
	if name, ok := bareQuestions[strings.Join(words, " ")]; ok {
		return mention{definition: newDefinition(r.index.qualified(name)), confidence: confidenceDataNoun}, true
	}
	if p.wants == vault.TypeBoolean {
		if m, ok := r.suggestYesNo(ch); ok {
			return m, true
		}
	}
	return r.wordedQuestion(words, ch, true)
}

// wordedQuestion reads the noun of "which pharmacy", "what is their highest degree". With suggest, a noun that the
// agent does not define makes a new definition.
func (r *sentenceReader) wordedQuestion(words []string, ch chunk, suggest bool) (mention, bool) {
	at := slices.IndexFunc(words, func(w string) bool { return w == "which" || w == "what" })
	if at < 0 || at+1 >= len(words) {
		return mention{}, false
	}
	from := ch.from + at + 1
	if next := words[at+1]; next == "is" || next == "are" || next == "was" {
		from++
	}
	for from < ch.to && (determiners[r.word(from)] || owners[r.word(from)]) {
		from++
	}
	end := from
	for end < ch.to && end < from+4 && !text.PhraseEnds[r.word(end)] && !auxiliaries[r.word(end)] &&
		!people[r.word(end)] && r.word(end) != "it" && !determiners[r.word(end)] {
		end++
	}
	if end == from {
		return mention{}, false
	}
	p := r.phraseOf(from, end, end)
	if found, ok := r.index.find(p); ok {
		return mention{own: found.own, how: found.how, confidence: min(confidenceOf(found), confidenceRequested)}, true
	}
	if !suggest {
		return mention{}, false
	}
	return r.suggest(from, end, &clause{owned: true}, true)
}

// readQuestion reads a direct question to the customer.
func (r *sentenceReader) readQuestion(c *clause, scope condition) {
	words := []string{}
	for i := c.from; i < c.to; i++ {
		words = append(words, r.word(i))
	}
	ch := chunk{from: c.from, to: c.to, question: true}
	if auxiliaries[words[0]] {
		words[0] = "whether"
	}
	if r.readQuestionList(c, scope) {
		return
	}
	m, ok := r.readQuestionWords(words, ch, scope)
	if !ok {
		m, ok = r.readChoice(c)
	}
	if ok {
		r.addMention(m, c, scope, c.from, c.to)
		r.last = slices.Clone(r.found[len(r.found)-1:])
		return
	}
	r.pass(c.from, c.to, "no definition of the agent answers this question")
}

// passRegion records the definitions that a clause names as passed over.
func (r *sentenceReader) passRegion(c *clause, reason string) {
	named := false
	for _, ch := range r.chunks(c.objects[0], c.objects[1]) {
		r.pass(ch.from, ch.to, reason)
		named = true
	}
	if !named {
		r.pass(c.from, c.to, reason)
	}
}

// passNamed records the definitions of the agent that a clause mentions.
func (r *sentenceReader) passNamed(c *clause, reason string) {
	for i := c.from; i < c.to; {
		n := r.namedAt(i, c.to)
		if n > 0 {
			r.pass(i, i+n, reason)
			i += n
			continue
		}
		i++
	}
}

// namedAt returns the number of tokens of the longest name of a definition at token i, 0 for none.
func (r *sentenceReader) namedAt(i, to int) int {
	for n := min(6, to-i); n > 0; n-- {
		if stopWords[r.word(i)] || stopWords[r.word(i+n-1)] {
			continue
		}
		p := r.phraseOf(i, i+n, i+n)
		if found, ok := r.index.find(p); ok && found.how == MatchedByName {
			return n
		}
	}
	return 0
}

// namedIn returns the first definition that a clause names, or the last one.
func (r *sentenceReader) namedIn(c clause, last bool) (m mention, ok bool) {
	for i := c.from; i < c.to; {
		n := 0
		for k := min(6, c.to-i); k > 0; k-- {
			if stopWords[r.word(i)] || stopWords[r.word(i+k-1)] {
				continue
			}
			if found, yes := r.index.find(r.phraseOf(i, i+k, i+k)); yes &&
				(found.how == MatchedByName || found.score >= sureScore) {
				m, ok, n = mention{own: found.own, how: found.how, confidence: confidenceOf(found)}, true, k
				break
			}
		}
		if ok && n > 0 && !last {
			return m, true
		}
		i += max(1, n)
	}
	return m, ok
}
