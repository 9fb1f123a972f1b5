package propose

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/contextvault/contextvault/llm/offline/text"
	"github.com/contextvault/contextvault/rules"
	"github.com/contextvault/contextvault/vault"
)

// condition is the circumstance under which a fact is needed.
type condition struct {
	expr    string // CEL; "" for none
	field   string // the definition that it reads
	unbound bool   // no definition of the agent says whether it holds
	text    string // the words of an unbound condition
	negated string // CEL of the opposite, "" if it is !(expr)
}

// both returns the condition that holds if a and b hold.
func both(a, b condition) condition {
	out := condition{
		expr: a.expr, field: cmp.Or(a.field, b.field), unbound: a.unbound || b.unbound, text: cmp.Or(a.text, b.text),
		negated: cmp.Or(a.negated, b.negated),
	}
	switch {
	case a.expr == "":
		out.expr = b.expr
	case b.expr != "" && b.expr != a.expr:
		out.expr, out.negated = and(a.expr, b.expr), ""
	}
	return out
}

func and(a, b string) string { return group(a) + " && " + group(b) }

// group puts brackets around an expression that contains "or".
func group(expr string) string {
	if strings.Contains(expr, "||") {
		return "(" + expr + ")"
	}
	return expr
}

// compare returns the condition that a field compares with a literal. The guard keeps it from failing while the field
// has no value.
func comparison(name, operator, literal string) condition {
	guard := "has(fields." + name + ") && "
	opposite := map[string]string{"==": "!=", "!=": "==", ">": "<=", ">=": "<", "<": ">=", "<=": ">"}[operator]
	c := condition{
		expr: guard + "fields." + name + " " + operator + " " + literal, field: name,
		negated: guard + "fields." + name + " " + opposite + " " + literal,
	}
	if literal == "true" && operator == "==" {
		c.negated = guard + "fields." + name + " == false"
	}
	if literal == "false" && operator == "==" {
		c.negated = guard + "fields." + name + " == true"
	}
	return c
}

func absence(name string) condition {
	return condition{expr: "!has(fields." + name + ")", field: name, negated: "has(fields." + name + ")"}
}

// not returns the opposite of a condition.
func (c condition) not() condition {
	switch {
	case c.expr == "":
		return c
	case c.negated != "":
		c.expr, c.negated = c.negated, c.expr
	default:
		c.expr, c.negated = "!("+c.expr+")", c.expr
	}
	return c
}

// readCondition turns a clause such as "if they want more than 100,000 of cover" into a condition. One that no
// definition of the agent can decide is unbound: what depends on it is soft.
func (r *sentenceReader) readCondition(c *clause, i int) condition {
	if out, ok := r.conditions[i]; ok && c == &r.clauses[i] {
		return out
	}
	out := r.bind(c)
	if c.marker == "unless" {
		out = out.not()
	}
	if out.expr == "" && !out.unbound {
		out.unbound = c.marker != "same" && c.marker != "otherwise" && c.objects[1] > c.objects[0]
	}
	if out.unbound {
		out.text, _ = r.quote(c.from, c.to)
	} else {
		r.condition = out
	}
	if r.conditions == nil {
		r.conditions = map[int]condition{}
	}
	r.conditions[i] = out
	return out
}

func (r *sentenceReader) bind(c *clause) condition {
	from, to := c.objects[0], c.objects[1]
	switch c.marker {
	case "same":
		if r.truth.expr != "" {
			return r.truth
		}
		return r.condition
	case "otherwise":
		return r.condition.not()
	}
	for from < to && (r.word(from) == "only" || r.word(from) == "the" || r.word(from) == "case") {
		from++
	}
	for to > from && r.word(to-1) == "only" {
		to--
	}
	if out, ok := r.bindExpression(c); ok {
		return out
	}
	if out, ok := r.bindComparison(from, to); ok {
		return out
	}
	if out, ok := r.bindAbsence(from, to); ok {
		return out
	}
	if out, ok := r.bindValue(from, to); ok {
		return out
	}
	if out, ok := r.bindTruth(from, to); ok {
		return out
	}
	return r.bindPresence(from, to)
}

// bindExpression uses an expression in the text of the condition: "if order_total > 100, …".
func (r *sentenceReader) bindExpression(c *clause) (condition, bool) {
	start := r.start + r.tokens[c.from].Start
	end := r.start + len(r.text)
	if c.to < len(r.tokens) {
		end = r.start + r.tokens[c.to].Start
	}
	for _, m := range r.expressions {
		if m.offset < start || m.offset >= end || m.comparison == "" {
			continue
		}
		if own, ok := r.index.named(m.definition.Name); ok {
			rest := m.comparison
			return condition{expr: "has(fields." + own.Name + ") && fields." + own.Name + " " + rest, field: own.Name}, true
		}
		return condition{}, true // the field is not defined yet: the need stays unconditional
	}
	return condition{}, false
}

// comparators are the words between a fact and a number.
var comparators = []struct{ words, operator string }{
	{"no more than", "<="},
	{"not more than", "<="},
	{"not older than", "<="},
	{"no older than", "<="},
	{"no less than", ">="},
	{"not less than", ">="},
	{"no fewer than", ">="},
	{"more than", ">"},
	{"greater than", ">"},
	{"larger than", ">"},
	{"bigger than", ">"},
	{"higher than", ">"},
	{"longer than", ">"},
	{"older than", ">"},
	{"heavier than", ">"},
	{"less than", "<"},
	{"fewer than", "<"},
	{"smaller than", "<"},
	{"lower than", "<"},
	{"shorter than", "<"},
	{"younger than", "<"},
	{"at least", ">="},
	{"at most", "<="},
	{"up to", "<="},
	{"over", ">"},
	{"above", ">"},
	{"exceeds", ">"},
	{"exceed", ">"},
	{"exceeding", ">"},
	{"beyond", ">"},
	{"under", "<"},
	{"below", "<"},
	{"equals", "=="},
	{"exactly", "=="},
}

var orWords = map[string]string{
	"more": ">=", "over": ">=", "above": ">=", "older": ">=", "higher": ">=", "less": "<=", "fewer": "<=", "under": "<=",
	"below": "<=", "younger": "<=", "lower": "<=", "longer": ">=", "larger": ">=",
}

// found comparison in tokens.
type comparisonAt struct {
	from, to int // tokens of comparator and number
	operator string
	number   string
	value    float64
	word     string // first word of the comparator
}

func (r *sentenceReader) hasComparison(from, to int) bool {
	_, ok := r.comparisonIn(from, to)
	return ok
}

// comparisonIn finds "more than 100,000" or "18 or older".
func (r *sentenceReader) comparisonIn(from, to int) (comparisonAt, bool) {
	for i := from; i < to; i++ {
		for _, c := range comparators {
			words := strings.Fields(c.words)
			if !text.HasWords(r.tokens[:to], i, words) {
				continue
			}
			at := i + len(words)
			for r.word(at) == "the" || r.word(at) == "a" || r.word(at) == "age" || r.word(at) == "of" || r.word(at) == "value" {
				at++
			}
			if literal, value, n, ok := r.numberAt(at, to); ok {
				return comparisonAt{i, at + n, c.operator, literal, value, words[0]}, true
			}
		}
		if literal, value, n, ok := r.numberAt(i, to); ok && (r.word(i+n) == "or" || r.word(i+n) == "and") {
			if op, yes := orWords[r.word(i+n+1)]; yes {
				return comparisonAt{i, i + n + 2, op, literal, value, r.word(i + n + 1)}, true
			}
		}
	}
	return comparisonAt{}, false
}

// numberAt reads the number at token i: its CEL literal and its number of tokens.
func (r *sentenceReader) numberAt(i, to int) (literal string, value float64, n int, ok bool) {
	if i >= to {
		return "", 0, 0, false
	}
	w := r.word(i)
	if v, known := rules.NumberWords[w]; known && w != "a" && w != "an" {
		return strconv.Itoa(v), float64(v), 1, true
	}
	digits, scale := w, 1.0
	if base, k := strings.CutSuffix(w, "k"); k {
		digits, scale = base, 1000
	}
	if digits == "" || strings.Trim(digits, "0123456789") != "" {
		return "", 0, 0, false
	}
	n = 1
	for i+n < to && len(r.word(i+n)) == 3 && strings.Trim(r.word(i+n), "0123456789") == "" && len(digits) <= 12 {
		gap := r.gap(i + n - 1)
		if gap != "," && gap != "'" && gap != "\u2009" && gap != "\u00a0" && gap != "." {
			break
		}
		digits += r.word(i + n)
		n++
	}
	if n == 1 && i+1 < to && r.gap(i) == "." && strings.Trim(r.word(i+1), "0123456789") == "" {
		digits += "." + r.word(i+1)
		n++
	}
	switch r.word(i + n) {
	case "thousand":
		scale, n = scale*1000, n+1
	case "million":
		scale, n = scale*1e6, n+1
	}
	value, err := strconv.ParseFloat(digits, 64)
	if err != nil {
		return "", 0, 0, false
	}
	value *= scale
	return strconv.FormatFloat(value, 'f', -1, 64), value, n, true
}

// minAmount is the number from which a comparison without a unit is about an amount of money.
const minAmount = 1000

// bindComparison reads "the party is larger than 8", "loans over 25,000", "drivers under 25".
func (r *sentenceReader) bindComparison(from, to int) (condition, bool) {
	at, ok := r.comparisonIn(from, to)
	if !ok {
		return condition{}, false
	}
	if own, isAge := r.ageIn(from, to, at); isAge {
		if own == nil {
			return condition{unbound: true}, true
		}
		r.mentionCondition(own, from, to)
		return comparison(own.Name, at.operator, at.number), true
	}
	var words []string
	for i := from; i < to; i++ {
		if i < at.from || i >= at.to {
			words = append(words, r.word(i))
		}
	}
	p := phrase{words: words, question: true, terms: terms(words), wants: vault.TypeNumber}
	if at.value >= minAmount {
		p.terms = append(p.terms, term{canonical("amount"), 0.3})
	}
	found, ok := r.index.findWhere(p, func(o *ownDefinition) bool { return o.ValueType == vault.TypeNumber })
	if !ok {
		return condition{unbound: true}, true
	}
	r.mentionCondition(found.own, from, to)
	return comparison(found.own.Name, at.operator, at.number), true
}

// ageIn reports whether a comparison is about an age, and returns the definition of the age, nil if the agent has none.
func (r *sentenceReader) ageIn(from, to int, at comparisonAt) (*ownDefinition, bool) {
	isAge := at.word == "older" || at.word == "younger"
	person := -1
	for i := from; i < to; i++ {
		w := r.word(i)
		switch {
		case i >= at.from && i < at.to:
		case w == "age" || w == "aged" || w == "old":
			isAge = true
		case people[w] && i < at.from:
			person = i
		}
	}
	after := r.word(at.to)
	if person >= 0 && at.to <= to && at.value >= minAge && at.value <= maxAge && (at.to == to || ageUnits[after]) &&
		r.onlyBetween(person+1, at.from) && (at.word == "over" || at.word == "under" || at.word == "above" ||
		at.word == "below" || ageUnits[after] || at.word == "at") {
		isAge = true
	}
	if !isAge || at.value > maxAge {
		return nil, false
	}
	return r.index.age(), true
}

// onlyBetween reports whether the tokens between a person and a number are auxiliaries.
func (r *sentenceReader) onlyBetween(from, to int) bool {
	for i := from; i < to; i++ {
		if !ageBetween[r.word(i)] && !adverbs[r.word(i)] {
			return false
		}
	}
	return true
}

// age returns the number that holds the customer's age, nil for none.
func (x *index) age() *ownDefinition {
	for i := range x.own {
		o := &x.own[i]
		if o.ValueType == vault.TypeNumber && o.words[canonical("age")] == strengthName {
			return o
		}
	}
	return nil
}

// lacking are the ways to say that a customer has no value.
var lacking = []string{
	"do not have", "don't have", "does not have", "doesn't have", "has no", "have no", "is no", "are no", "without",
	"lacks", "lack", "do not know", "don't know", "does not know", "doesn't know", "cannot provide", "can't provide",
	"cannot give", "can't give", "cannot find", "can't find", "has lost", "have lost", "did not receive", "there is no",
}

// bindAbsence reads "if they do not have it", "if the customer has no meter number", "if the email is missing".
func (r *sentenceReader) bindAbsence(from, to int) (condition, bool) {
	for i := from; i < to; i++ {
		for _, phrase := range lacking {
			words := strings.Fields(phrase)
			if !text.HasWords(r.tokens[:to], i, words) {
				continue
			}
			return r.absenceOf(i+len(words), to)
		}
		w := r.word(i)
		if (w == "missing" || w == "unknown" || w == "unavailable") && i > from {
			return r.absenceOf(from, i)
		}
	}
	return condition{}, false
}

func (r *sentenceReader) absenceOf(from, to int) (condition, bool) {
	ch, ok := r.trim(chunk{from: from, to: to})
	if !ok || r.isAnaphor(from, to) {
		if len(r.last) == 0 {
			return condition{unbound: true}, true
		}
		m := r.last[0]
		if m.own != nil && m.own.ValueType == vault.TypeBoolean {
			return comparison(m.own.Name, "==", "false"), true
		}
		return absence(m.name(r.index)), true
	}
	end := r.headEnd(ch)
	found, ok := r.index.find(r.phraseOf(ch.from, end, ch.to))
	if !ok {
		return condition{unbound: true}, true
	}
	if found.own.ValueType == vault.TypeBoolean {
		r.mentionCondition(found.own, from, to)
		return comparison(found.own.Name, "==", "false"), true
	}
	return absence(found.own.Name), true
}

// isAnaphor reports whether the tokens refer to something said before.
func (r *sentenceReader) isAnaphor(from, to int) bool {
	for i := from; i < to; i++ {
		switch r.word(i) {
		case "it", "one", "ones", "that", "them", "this", "any", "either", "at", "hand", "with", "so", "the", "case":
		default:
			return false
		}
	}
	return true
}

// vagueValues are allowed values that are common words: they count only beside the name of their field.
var vagueValues = text.NewWordSet(`first basic plus other none standard new yes no all any normal regular full single
	free 	one two today low high medium small large us it open used`)

// bindValue reads a condition that names an allowed value: "only for delivery", "when the class is luxury".
func (r *sentenceReader) bindValue(from, to int) (condition, bool) {
	var best *ownDefinition
	var literals []string
	bestScore := 0
	said := canonicalWords(strings.Fields(r.words(from, to)))
	for k := range r.index.own {
		o := &r.index.own[k]
		var hits []string
		var spans [][2]int
		score := 0
		for _, value := range sortedKeys(o.values) {
			words := strings.Fields(value)
			for i := from; i+len(words) <= to; i++ {
				if !text.HasWords(r.tokens, i, words) && !(len(words) == 1 && canonical(r.word(i)) == canonical(value)) {
					continue
				}
				named := slices.ContainsFunc(said, func(w string) bool {
					return o.words[w] == strengthName && !roleWords[w] && w != canonical(value)
				})
				if vagueValues[value] && !named {
					continue
				}
				hits, spans = append(hits, o.values[value]), append(spans, [2]int{i, i + len(words)})
				score += len(words) + 1
				if named {
					score += 2
				}
				break
			}
		}
		for i := len(hits) - 1; i >= 0; i-- { // "employed" in "self-employed"
			if slices.ContainsFunc(spans, func(s [2]int) bool {
				return s != spans[i] && s[0] <= spans[i][0] && spans[i][1] <= s[1]
			}) {
				hits = slices.Delete(hits, i, i+1)
				spans = slices.Delete(spans, i, i+1)
			}
		}
		if score > bestScore {
			best, literals, bestScore = o, hits, score
		}
	}
	if best == nil {
		return condition{}, false
	}
	r.mentionCondition(best, from, to)
	negated := false
	for i := from; i < to; i++ {
		negated = negated || negators[r.word(i)]
	}
	var out condition
	if len(literals) == 1 {
		out = comparison(best.Name, "==", literals[0])
	} else {
		out = condition{
			expr:  "has(fields." + best.Name + ") && fields." + best.Name + " in [" + strings.Join(literals, ", ") + "]",
			field: best.Name,
		}
	}
	if negated {
		out = out.not()
	}
	return out, true
}

// bindTruth reads a condition on a yes-or-no fact: "if they have pets", "if there is one".
func (r *sentenceReader) bindTruth(from, to int) (condition, bool) {
	words := strings.Fields(r.words(from, to))
	p := phrase{words: words, question: true, terms: terms(words), wants: vault.TypeBoolean}
	specific := slices.ContainsFunc(p.terms, func(t term) bool { return t.weight > roleWeight })
	if !specific {
		if r.truth.expr != "" && len(words) > 0 && r.refersBack(from, to) {
			return r.truth, true
		}
		return condition{}, false
	}
	found, ok := r.index.findWhere(p, func(o *ownDefinition) bool { return o.ValueType == vault.TypeBoolean })
	if !ok {
		return condition{}, false
	}
	r.mentionCondition(found.own, from, to)
	value := "true"
	for _, w := range words {
		if negators[w] {
			value = "false"
		}
	}
	return comparison(found.own.Name, "==", value), true
}

// refersBack reports whether a condition such as "there is one" or "they do" refers to a fact before it.
func (r *sentenceReader) refersBack(from, to int) bool {
	last := r.word(to - 1)
	return r.word(from) == "so" || r.word(from) == "there" || r.word(from) == "yes" || last == "do" || last == "does" ||
		last == "one" || last == "is" || last == "are" || last == "true" || last == "so" || last == "case" || to-from <= 2
}

// bindPresence reads "if they have a voucher code": the field has a value.
func (r *sentenceReader) bindPresence(from, to int) condition {
	for i := from; i < to; i++ {
		w := r.word(i)
		if w != "have" && w != "has" && w != "with" && w != "own" && w != "owns" {
			continue
		}
		ch, ok := r.trim(chunk{from: i + 1, to: to})
		if !ok {
			break
		}
		end := r.headEnd(ch)
		if found, yes := r.index.find(r.phraseOf(ch.from, end, ch.to)); yes && !found.ambiguous {
			return condition{
				expr: "has(fields." + found.own.Name + ")", field: found.own.Name,
				negated: "!has(fields." + found.own.Name + ")",
			}
		}
	}
	return condition{unbound: from < to}
}

// mentionCondition records that a condition reads a field: without its value nobody knows whether the condition holds.
func (r *sentenceReader) mentionCondition(own *ownDefinition, from, to int) {
	m := mention{own: own, how: MatchedByCondition, confidence: confidenceDataNoun, ofCondition: true}
	m.quote, m.offset = r.quote(from, to)
	r.found = append(r.found, m)
}

func sortedKeys(m map[string]string) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

// subjectCondition reads the condition in the subject of a need: "self-employed applicants state their turnover",
// "loans over 25,000 need a guarantor".
func (r *sentenceReader) subjectCondition(c *clause) condition {
	to := c.cue
	if c.objects[0] <= c.from {
		return condition{} // the subject is what is needed
	}
	for to > c.from && (auxiliaries[r.word(to-1)] || adverbs[r.word(to-1)] || r.word(to-1) == "to") {
		to--
	}
	if to-c.from < 2 || agents[r.word(c.from)] || agents[r.word(c.from+1)] || !slices.ContainsFunc(
		r.tokens[c.from:to], func(t text.Token) bool { return people[t.Word] },
	) && !r.hasComparison(c.from, to) {
		return condition{}
	}
	if r.hasComparison(c.from, to) {
		if out, ok := r.bindComparison(c.from, to); ok && !out.unbound {
			return out
		}
		return condition{}
	}
	if out, ok := r.bindValue(c.from, to); ok {
		return out
	}
	for i := c.from; i < to; i++ {
		if w := r.word(i); w == "who" || w == "that" || w == "with" {
			if out, ok := r.bindTruth(i+1, to); ok {
				return out
			}
		}
	}
	return condition{}
}
