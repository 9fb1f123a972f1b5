package propose

import (
	"slices"
	"strings"

	"github.com/contextvault/contextvault/llm/offline/text"
	"github.com/contextvault/contextvault/vault"
)

// textReader reads the sentences of one text in order. It remembers what later sentences refer to.
type textReader struct {
	index    *index
	flowed   string // the text with blanks for expressions and for the line ends inside paragraphs
	original string
	found    []mention
	readings []vault.SentenceReading

	expressions []mention // of the text
	starts      []int     // offset of each sentence

	given     *mention  // what the last sentence named without asking for it: "If there is none, ask for one."
	last      []mention // mentions of the last clause that had any: "verify it"
	condition condition // last condition of the text: "in that case", "otherwise"
	truth     condition // last yes-or-no fact: "if so"
}

// listMode is what an introduction says about the items of its list.
type listMode struct {
	kind clauseKind // clauseNeed, clauseNegated, clauseGiven; clauseStatement: unknown
	soft bool
	when condition
}

// sentenceReader reads one sentence.
type sentenceReader struct {
	*textReader

	text    string // the sentence
	start   int    // its offset in the text
	tokens  []text.Token
	mode    listMode
	item    bool
	clauses []clause
	rest    []clause // parts of clauses that classify has split off
	passed  []vault.PassedOver
	mark    int // number of mentions before this sentence

	modifier []string // of the last noun phrase: "pick-up" of "pick-up location and date"

	conditions map[int]condition // by clause, read once
}

// read reads all paragraphs of the text.
func (t *textReader) read(paragraphs []paragraph) {
	modes := map[int]listMode{}
	for i, p := range paragraphs {
		mode := listMode{}
		if p.lead >= 0 {
			mode = modes[p.lead]
		}
		for _, s := range text.Sentences(p.In(t.flowed), nil) {
			s = text.Span{Start: s.Start + p.Start, End: s.End + p.Start}
			r := sentenceReader{
				textReader: t, text: s.In(t.flowed), start: s.Start, tokens: text.Tokenize(s.In(t.flowed)), mode: mode,
				item: p.item, mark: len(t.found),
			}
			after := r.read()
			if strings.HasSuffix(r.text, ":") {
				modes[i] = after
			} else if strings.HasSuffix(r.text, ";") && !p.item {
				mode = after // "Needed: moving date; new address"
			}
		}
		if _, ok := modes[i]; !ok && !strings.HasSuffix(p.In(t.flowed), ":") {
			modes[i] = listMode{kind: clauseFragment} // a heading
		}
	}
}

// word returns the folded word of token i, "" outside the sentence.
func (r *sentenceReader) word(i int) string {
	if i < 0 || i >= len(r.tokens) {
		return ""
	}
	return r.tokens[i].Word
}

// adjacent reports whether only white space or a hyphen separates token i from the next one.
func (r *sentenceReader) adjacent(i int) bool {
	gap := r.gap(i)
	return gap == "-" || gap != "" && strings.TrimSpace(gap) == ""
}

// gap returns the text between token i and the next one.
func (r *sentenceReader) gap(i int) string {
	if i < 0 || i+1 >= len(r.tokens) {
		return ""
	}
	return r.text[r.tokens[i].End:r.tokens[i+1].Start]
}

// quote returns the original text of the tokens from from to to.
func (r *sentenceReader) quote(from, to int) (string, int) {
	if from >= to {
		from, to = 0, len(r.tokens)
	}
	s := text.SpanOf(r.tokens, from, to)
	s = text.Span{Start: s.Start + r.start, End: s.End + r.start}
	if s.End < len(r.original) && r.original[s.End] == '+' {
		s.End++
	}
	return s.In(r.original), s.Start
}

// pass records that a phrase gave no requirement.
func (r *sentenceReader) pass(from, to int, reason string) {
	if from >= to {
		return
	}
	quote, _ := r.quote(from, to)
	r.passed = append(r.passed, vault.PassedOver{Text: quote, Reason: reason})
}

// read reads the sentence, and returns the mode of the list that it may introduce.
func (r *sentenceReader) read() listMode {
	r.clauses = r.splitClauses()
	for i := 0; i < len(r.clauses); i++ {
		c := &r.clauses[i]
		c.trailing = i > 0 && r.clauses[i-1].kind != clauseCondition
		r.classify(c)
		if len(r.rest) > 0 {
			r.clauses = append(r.clauses[:i+1], append(r.rest, r.clauses[i+1:]...)...)
			r.rest = nil
		}
	}
	mode := r.readClauses()
	r.given = r.namedBefore(len(r.clauses))
	r.readFactsAboutCustomer()
	reading := vault.SentenceReading{Text: strings.TrimSpace(text.Span{
		Start: r.start, End: r.start + len(r.text),
	}.In(r.original)), PassedOver: r.passed}
	if len(r.found) == r.mark && len(r.passed) == 0 {
		reading.PassedOver = []vault.PassedOver{{Text: reading.Text, Reason: r.emptyReason()}}
	}
	for i := r.mark; i < len(r.found); i++ {
		r.found[i].sentence = len(r.readings)
	}
	r.readings, r.starts = append(r.readings, reading), append(r.starts, r.start)
	return mode
}

// emptyReason is the reason why a sentence as a whole gave nothing.
func (r *sentenceReader) emptyReason() string {
	for _, c := range r.clauses {
		if c.kind == clauseGiven {
			return "it is an action of the agent and asks for nothing"
		}
	}
	if strings.HasSuffix(r.text, ":") {
		return "it introduces what follows"
	}
	return "it states no need for a fact about the customer"
}

// readClauses turns the classified clauses into mentions. It returns the mode of a list that follows.
func (r *sentenceReader) readClauses() listMode {
	when := r.mode.when // condition on the clauses that follow in the sentence
	carry := r.mode     // what an unmarked fragment is
	for i := range r.clauses {
		c := &r.clauses[i]
		attached := r.attachedTo(i)
		scope := attached
		if attached.expr == "" && !attached.unbound {
			scope = when
		} else if when.expr != "" {
			scope = both(when, attached)
		}
		switch c.kind {
		case clauseCondition:
			if c.trailing && i > 0 && (r.clauses[i-1].kind == clauseNeed || r.clauses[i-1].kind == clauseFragment ||
				r.clauses[i-1].kind == clauseNegated || r.clauses[i-1].kind == clauseQualifier) &&
				!(i+1 < len(r.clauses) && r.frontsNext(i)) {
				continue // attachedTo has read it
			}
			when = both(r.mode.when, r.readCondition(c, i))
		case clauseQualifier:
			if c.objects[0] < c.objects[1] && c.extract {
				r.readRegion(c, scope, false)
			}
			if i == 0 && c.soft { // "if they like, ask for …"
				carry.soft = true
			}
		case clauseNeed:
			c.soft = c.soft || carry.soft && i > 0 && r.clauses[i-1].kind == clauseQualifier
			scope = both(scope, r.subjectCondition(c))
			r.applyQualifiers(c, i)
			if r.isPronoun(c) {
				r.readPronoun(c, i, scope)
			} else if !r.isLead(c) {
				r.readRegion(c, scope, false)
			}
			carry = listMode{kind: clauseNeed, soft: c.soft, when: scope}
		case clauseNegated:
			r.passRegion(c, "the text says not to collect it")
			carry = listMode{kind: clauseNegated}
		case clauseQuestion:
			r.applyQualifiers(c, i)
			r.readQuestion(c, scope)
		case clauseFragment:
			carry = r.readFragment(c, i, scope, carry)
		case clauseGiven:
			carry = listMode{kind: clauseGiven}
			r.passNamed(c, "it is part of an action of the agent")
		case clauseStatement:
			if r.introduces(c) && r.hasComparison(c.from, c.to) { // "an income of less than 30,000 needs a guarantor:"
				if out, ok := r.bindComparison(c.from, c.to); ok && !out.unbound {
					when = both(when, out)
					continue
				}
			}
			r.passNamed(c, "it is mentioned, but not asked for")
		case clausePurpose:
			r.passNamed(c, "it is part of a reason")
		}
	}
	if strings.HasSuffix(r.text, ":") {
		if carry.when.expr == "" && when.expr != "" {
			carry.when = when
		}
		if carry.kind == clauseStatement && when.expr != "" {
			carry.kind = clauseNeed
		}
		return carry
	}
	return carry
}

// attachedTo returns the conditions that follow clause i: "X only if Y".
func (r *sentenceReader) attachedTo(i int) condition {
	out := condition{}
	for k := i + 1; k < len(r.clauses); k++ {
		c := &r.clauses[k]
		if c.kind == clauseQualifier {
			continue
		}
		if c.kind != clauseCondition || !c.trailing || c.marker == "otherwise" || c.marker == "same" {
			break
		}
		if k+1 < len(r.clauses) && r.frontsNext(k) {
			break
		}
		out = both(out, r.readCondition(c, k))
	}
	return out
}

// frontsNext reports whether the condition in clause k is about the clause after it: "…, and if they have pets, ask …".
func (r *sentenceReader) frontsNext(k int) bool {
	c, next := r.clauses[k], r.clauses[k+1]
	if c.only || next.kind == clauseCondition || next.kind == clauseQualifier || next.kind == clausePurpose {
		return false
	}
	return strings.Contains(r.gap(next.from-1), ",") || strings.Contains(r.gap(c.from-1), ";") ||
		r.word(c.from-1) == "and"
}

// applyQualifiers marks a clause by the qualifiers next to it: "(optional)", "if they like".
func (r *sentenceReader) applyQualifiers(c *clause, i int) {
	for k := i + 1; k < len(r.clauses) && (r.clauses[k].kind == clauseQualifier ||
		r.clauses[k].kind == clausePurpose); k++ {
		r.qualify(c, r.clauses[k])
	}
	if i > 0 && r.clauses[i-1].kind == clauseQualifier && (i == 1 || !r.clauses[i-2].kind.takesQualifier()) {
		r.qualify(c, r.clauses[i-1])
	}
}

func (k clauseKind) takesQualifier() bool {
	return k == clauseNeed || k == clauseFragment || k == clauseQuestion
}

func (*sentenceReader) qualify(c *clause, q clause) {
	c.soft, c.extract, c.verified = c.soft || q.soft, c.extract || q.extract, c.verified || q.verified
}

// isPronoun reports whether the object of a need is a pronoun: "verify it".
func (r *sentenceReader) isPronoun(c *clause) bool {
	n := c.objects[1] - c.objects[0]
	if n > 4 || n == 0 {
		return c.relative
	}
	w := r.word(c.objects[0])
	if w != "it" && w != "them" && w != "these" && w != "this" && w != "that" && w != "one" && !c.relative {
		return false
	}
	return n == 1 || c.relative || text.PhraseEnds[r.word(c.objects[0]+1)] || adverbs[r.word(c.objects[0]+1)] ||
		r.word(c.objects[0]+1) == "too" || r.word(c.objects[0]+1) == "by"
}

// readPronoun applies a need to what the clause before it was about.
func (r *sentenceReader) readPronoun(c *clause, i int, scope condition) {
	if i > 0 && r.isAbsence(r.clauses[i-1]) { // "if there is none, ask for one": that is when a need is asked for anyway
		scope = r.mode.when
		if m := r.namedBefore(i - 1); m != nil {
			r.addMention(*m, c, scope, c.from, c.to)
			return
		}
	}
	if i > 0 {
		before := r.clauses[i-1]
		if before.kind == clauseStatement || before.kind == clauseGiven || c.relative && before.kind != clauseNeed {
			if m, ok := r.namedIn(before, c.relative); ok {
				r.addMention(m, c, scope, c.from, c.to)
				return
			}
		}
	}
	for k, m := range r.last {
		if c.relative && k < len(r.last)-1 {
			continue
		}
		m.verified, m.when = m.verified || c.verified, scope
		m.soft = m.soft || c.soft
		r.found = append(r.found, m)
	}
}

// isAbsence reports whether a clause is the condition that what was named before is missing: "if there is none".
func (r *sentenceReader) isAbsence(c clause) bool {
	if c.kind != clauseCondition || c.marker != "if" && c.marker != "when" {
		return false
	}
	for i := c.objects[0]; i < c.objects[1]; i++ {
		switch w := r.word(i); {
		case w == "none" || w == "missing" || w == "absent" || w == "unknown":
			return true
		case w == "one" && slices.ContainsFunc(r.tokens[c.objects[0]:i], func(t text.Token) bool { return negators[t.Word] }):
			return true // "if we don't have one"
		}
	}
	return false
}

// namedBefore returns what the clause before clause i, or the sentence before, named without asking for it.
func (r *sentenceReader) namedBefore(i int) *mention {
	if i == 0 {
		return r.given
	}
	before := r.clauses[i-1]
	if before.kind != clauseStatement && before.kind != clauseGiven {
		return nil
	}
	if m, ok := r.namedIn(before, true); ok {
		return &m
	}
	if m, ok := r.knownIn(before); ok {
		return &m
	}
	return nil
}

// knownIn returns the last fact of the lexicon that a clause names.
func (r *sentenceReader) knownIn(c clause) (m mention, ok bool) {
	for i := c.from; i < c.to; {
		f, n := text.Lexicon.At(r.tokens[:c.to], i)
		if n > 0 {
			m, ok = mention{definition: f, known: true, confidence: confidenceRequested, how: MatchedByNothing}, true
		}
		i += max(1, n)
	}
	if !ok {
		return m, false
	}
	return r.index.knownMention(m), true
}

// isLead reports whether the object of a need is only a word for a list: "collect the following details:".
func (r *sentenceReader) isLead(c *clause) bool {
	if c.to != len(r.tokens) && !strings.Contains(r.gap(c.to-1), ":") {
		return false
	}
	if !strings.HasSuffix(r.text, ":") && !strings.Contains(r.gap(c.to-1), ":") {
		return false
	}
	for k := c.objects[0]; k < c.objects[1]; k++ {
		if w := r.word(k); leadWords[w] {
			return true
		}
	}
	return c.objects[0] == c.objects[1]
}

// leadWords announce a list.
var leadWords = text.NewWordSet(`following details information data facts items things fields these points documents
	below list all everything questions particulars input inputs`)

// headings are fragments that say what a list is.
var headings = newHeadings()

func newHeadings() map[string]listMode {
	headings := map[string]listMode{}
	for kind, list := range map[clauseKind]string{
		clauseNeed: `required|needed|mandatory|essential|must have|must haves|must-have|what we need|details|data|information|
			fields|inputs|input|required fields|required information|required details|required data|mandatory fields|
			customer data|customer details|personal details|contact details|intake|questions|questionnaire|checklist|
			form|facts|to collect|collect|data to collect|information to collect|information needed|details needed|
			minimum|hard requirements|hard|compulsory|prerequisites|always|we need|needs|requirements|ask|facts needed|
			what to ask|what we ask|obligatory|necessary|vital`,
		clauseNegated: `do not collect|not needed|not required|forbidden|never|out of scope|do not ask|prohibited|off limits`,
	} {
		for h := range strings.SplitSeq(list, "|") {
			headings[text.Phrase(h)] = listMode{kind: kind}
		}
	}
	for h := range strings.SplitSeq("optional|nice to have|if possible|optionally|soft|bonus|optional fields|"+
		"optional details|preferred|recommended|good to have|nice to haves|voluntary", "|") {
		headings[text.Phrase(h)] = listMode{kind: clauseNeed, soft: true}
	}
	return headings
}

// readFragment reads a clause without a verb: a heading, an item of a list, or noun phrases with a condition.
func (r *sentenceReader) readFragment(c *clause, i int, scope condition, carry listMode) listMode {
	said := r.words(c.from, c.to)
	introduces := strings.Contains(r.gap(c.to-1), ":") || c.to == len(r.tokens) && strings.HasSuffix(r.text, ":")
	if introduces {
		if mode, ok := headings[said]; ok {
			mode.when = scope
			return mode
		}
		if mode, ok := r.headingLike(c); ok {
			mode.when = scope
			return mode
		}
	}
	qualified := false
	for k := i + 1; k < len(r.clauses); k++ {
		next := r.clauses[k]
		if next.kind != clauseCondition && next.kind != clauseQualifier || next.marker == "otherwise" ||
			next.kind == clauseCondition && k+1 < len(r.clauses) && r.frontsNext(k) {
			break
		}
		qualified = true
	}
	frontCondition := i > 0 && r.clauses[i-1].kind == clauseCondition && (scope.expr != "" || scope.unbound)
	switch {
	case carry.kind == clauseNegated:
		r.passRegion(c, "the text says not to collect it")
		return carry
	case carry.kind == clauseGiven:
		r.passNamed(c, "it is part of an action of the agent")
		return carry
	case carry.kind == clauseNeed, qualified, frontCondition, r.item && carry.kind == clauseFragment:
		c.soft = c.soft || carry.soft
		c.weak = carry.kind != clauseNeed && carry.kind != clauseFragment
		c.owned = carry.kind == clauseNeed
		if r.explains(c) { // "the reference (six letters)": what it says of the fact before it is no other fact
			c.weak, c.checks, c.owned = true, true, false
		}
		r.applyQualifiers(c, i)
		if (introduces || i > 0 && strings.Contains(r.gap(c.from-1), ":")) && qualified && scope.unbound {
			c.soft = true
		}
		r.readRegion(c, scope, carry.kind == clauseNeed && !r.explains(c) && (r.item || i > 0 || r.mode.kind == clauseNeed))
		return carry
	}
	if introduces { // a topic: "International flights: passport number"
		topic := r.topicCondition(c, i)
		if i+1 < len(r.clauses) {
			carry.kind = clauseNeed
			carry.soft = carry.soft || topic.unbound && c.to-c.from > 1
		}
		if !topic.unbound {
			carry.when = both(carry.when, topic)
		}
		return carry
	}
	r.passNamed(c, "nothing says that it is needed")
	return carry
}

// explains reports whether a clause is a remark in brackets on the fact before it, and not the list that a word such as
// "details" announces.
func (r *sentenceReader) explains(c *clause) bool {
	if c.from == 0 {
		return false
	}
	before := r.text[:r.tokens[c.from].Start]
	open := strings.LastIndexByte(before, '(')
	if open < 0 || strings.LastIndexByte(before, ')') > open {
		return false
	}
	for i := c.from - 1; i >= 0; i-- {
		if r.tokens[i].End <= open {
			return !leadWords[r.word(i)]
		}
	}
	return false
}

// headingLike recognises headings such as "What we need from every applicant" and "Details of the booking".
func (r *sentenceReader) headingLike(c *clause) (listMode, bool) {
	soft, need := c.soft, false
	for k := c.from; k < c.to; k++ {
		w := r.word(k)
		if neededWords[w] || leadWords[w] || w == "need" || w == "needs" || w == "require" || w == "collect" || w == "ask" {
			need = true
		}
		if softWords[w] {
			soft, need = true, true
		}
		if negators[w] {
			return listMode{kind: clauseNegated}, true
		}
	}
	return listMode{kind: clauseNeed, soft: soft}, need
}

// topicCondition reads the topic of a line as a condition: "Delivery orders: street and city".
func (r *sentenceReader) topicCondition(c *clause, i int) condition {
	k := *c
	k.kind, k.marker, k.objects = clauseCondition, "for", [2]int{c.from, c.to}
	out := r.readCondition(&k, i)
	if out.unbound {
		out.text, _ = r.quote(c.from, c.to)
	}
	return out
}

// add appends a mention with the attributes of its clause and its condition.
func (r *sentenceReader) addMention(m mention, c *clause, scope condition, from, to int) {
	m.quote, m.offset = r.quote(from, to)
	m.soft, m.extract = m.soft || c.soft, c.extract
	m.verified, m.block = m.verified || c.verified, c.block
	m.when = both(m.when, scope)
	if m.own != nil && m.own.ValueType == vault.TypeBoolean {
		r.truth = comparison(m.own.Name, "==", "true")
	}
	r.found = append(r.found, m)
}
