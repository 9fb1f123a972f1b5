package propose

import (
	"strings"

	"github.com/contextvault/contextvault/llm/offline/text"
)

// classify finds the kind of a clause, and the tokens of what it is about.
func (r *sentenceReader) classify(c *clause) {
	for c.from < c.to-1 && (r.word(c.from) == "and" || r.word(c.from) == "then" || r.word(c.from) == "but" ||
		r.word(c.from) == "also" || r.word(c.from) == "please" || r.word(c.from) == "or") {
		c.from++
	}
	soft := false
	for c.from < c.to-1 && (r.word(c.from) == "perhaps" || r.word(c.from) == "maybe" || r.word(c.from) == "possibly") {
		c.from, soft = c.from+1, true
	}
	c.objects = [2]int{c.from, c.from}
	switch {
	case r.classifyQualifier(c), r.classifyCondition(c), r.classifyPurpose(c):
		return
	}
	c.soft = soft || r.isSoft(c)
	if r.classifyQuestion(c) || r.classifyVerdict(c) || r.classifyVerb(c) {
		return
	}
	if !r.hasVerb(c) {
		c.kind, c.objects = clauseFragment, [2]int{c.from, c.to}
	}
}

// words returns the folded words of a clause, joined by blanks.
func (r *sentenceReader) words(from, to int) string {
	var b strings.Builder
	for i := from; i < to; i++ {
		if i > from {
			b.WriteByte(' ')
		}
		b.WriteString(r.word(i))
	}
	return b.String()
}

// wishes are clauses that make a fact optional.
var wishes = []string{
	"possible", "available", "known", "given", "applicable", "at hand", "needed", "necessary", "relevant", "any",
	"they like", "they wish", "they want", "they want to", "they prefer", "they agree", "they are willing",
	"they don't mind", "you like", "you wish", "you can", "we can", "they can", "they know it", "they have it",
	"the customer likes", "the customer wishes", "the customer wants", "the customer agrees", "the customer is willing",
	"the customer can", "the customer knows it", "customers like", "desired", "wanted", "convenient", "there is time",
	"time allows", "provided",
}

// mentionings are conditions under which a fact is taken from the conversation, and not asked for.
var mentionings = []string{
	"mention", "mentions", "bring up", "brings up", "volunteer", "volunteers", "offer it", "say so", "tell us",
	"tells us", "mentioned", "volunteered", "comes up",
}

// classifyQualifier recognises clauses that only make the fact optional.
func (r *sentenceReader) classifyQualifier(c *clause) bool {
	start := c.from
	for start < c.to && (r.word(start) == "but" || r.word(start) == "only" || r.word(start) == "also") {
		start++
	}
	said := r.words(start, c.to)
	if r.introduces(c) {
		return false
	}
	switch said {
	case "optional", "nice to have", "if any", "voluntary", "not required", "not mandatory", "not necessary",
		"optionally", "preferred", "recommended", "soft", "a bonus", "good to have", "only optional", "this is optional",
		"that is optional", "it is optional", "not obligatory", "not a must":
		c.kind, c.soft = clauseQualifier, true
		return true
	case "required", "mandatory", "must", "needed", "necessary", "compulsory", "essential", "hard", "a must", "must have":
		c.kind = clauseQualifier
		return true
	case "verified", "must be verified", "to be verified", "verified only", "needs verification":
		c.kind, c.verified = clauseQualifier, true
		return true
	}
	if w := r.word(start); w != "if" && w != "when" && w != "where" && w != "unless" && w != "whenever" {
		return false
	}
	rest := r.words(start+1, c.to)
	for _, wish := range wishes {
		if rest == wish || (strings.HasPrefix(rest, wish+" ") && isWishTail(rest[len(wish)+1:])) {
			c.kind, c.soft = clauseQualifier, true
			return true
		}
	}
	if strings.HasPrefix(rest, "they like to") || strings.HasPrefix(rest, "they wish to") ||
		strings.HasPrefix(rest, "they have it") || strings.HasPrefix(rest, "they know") ||
		strings.HasPrefix(rest, "they are happy to") || strings.HasPrefix(rest, "they want to share") {
		c.kind, c.soft = clauseQualifier, true
		return true
	}
	for _, m := range mentionings {
		if strings.HasSuffix(rest, m) || strings.Contains(rest, m+" ") {
			c.kind, c.soft, c.extract = clauseQualifier, true, true
			for k := start; k < c.to; k++ { // "if the customer mentions a membership number"
				if strings.Contains(m, r.word(k)) && r.word(k) != "it" && k+1 < c.to && r.word(k+1) != "it" {
					c.objects = [2]int{k + 1, c.to}
				}
			}
			return true
		}
	}
	return false
}

// introduces reports whether a colon follows the clause.
func (r *sentenceReader) introduces(c *clause) bool {
	return strings.Contains(r.gap(c.to-1), ":") || c.to == len(r.tokens) && strings.HasSuffix(r.text, ":")
}

// isWishTail reports whether the words after "if they like" add nothing: "to", "it", "and".
func isWishTail(rest string) bool {
	switch strings.Fields(rest)[0] {
	case "to", "it", "that", "so", "at", "and", "them":
		return true
	}
	return false
}

// classifyCondition recognises "if …", "only for …", "in that case", "otherwise".
func (r *sentenceReader) classifyCondition(c *clause) bool {
	i := c.from
	for r.word(i) == "only" || r.word(i) == "but" || r.word(i) == "even" || (r.word(i) == "so" && r.word(i+1) != "that") {
		c.only = c.only || r.word(i) == "only"
		i++
	}
	if r.word(i) == "not" && (r.word(i+1) == "if" || r.word(i+1) == "when") {
		c.kind, c.marker, c.objects = clauseCondition, "unless", [2]int{i + 2, c.to}
		return true
	}
	w := r.word(i)
	said := r.words(i, c.to)
	switch {
	case w == "otherwise" || said == "if not" || said == "else":
		c.kind, c.marker = clauseCondition, "otherwise"
		if w == "otherwise" && i+1 < c.to { // "otherwise take the home address" is condition and main clause in one
			r.splitAfter(c, i+1)
		}
	case strings.HasPrefix(said, "in that case") || strings.HasPrefix(said, "in this case") || said == "if so" ||
		strings.HasPrefix(said, "then "):
		if w == "then" {
			return false
		}
		c.kind, c.marker = clauseCondition, "same"
		if w == "in" && i+3 < c.to {
			r.splitAfter(c, i+3)
		}
	case w == "if" || w == "when" || w == "whenever" || w == "unless" || w == "where":
		if w != "if" && r.startsQuestion() && r.isWhQuestion(i) {
			return false
		}
		if (w == "when" || w == "where") && i == 0 && c.to == len(r.tokens) && r.item {
			return false // an item of a list: "when the incident happened"
		}
		c.kind, c.marker, c.objects = clauseCondition, w, [2]int{i + 1, c.to}
	case (w == "for" || w == "with") && (c.only || i == 0 || r.endsWithOnly(i) || c.trailing):
		c.kind, c.marker, c.objects = clauseCondition, "for", [2]int{i + 1, c.to}
		c.only = c.only || r.endsWithOnly(i)
	case w == "from" && i == c.from && r.hasComparison(i, c.to):
		c.kind, c.marker, c.objects = clauseCondition, "if", [2]int{i + 1, c.to}
	case c.only && w == "in":
		c.kind, c.marker, c.objects = clauseCondition, "for", [2]int{i + 1, c.to}
	default:
		c.only = false
		return false
	}
	return true
}

// splitAfter ends the clause before token i. The rest of it becomes a clause of its own, which follows.
func (r *sentenceReader) splitAfter(c *clause, i int) {
	r.rest = append(r.rest, clause{from: i, to: c.to, cue: -1})
	c.to = i
}

func (r *sentenceReader) classifyPurpose(c *clause) bool {
	w, next := r.word(c.from), r.word(c.from+1)
	switch {
	case w == "so" && (next == "that" || agents[next] || people[next]) && !r.containsAsk(c),
		w == "because", w == "until", w == "although", w == "while", w == "once",
		(w == "before" || w == "after") && !r.containsAsk(c),
		w == "in" && (next == "case" || next == "order"),
		w == "since" && next != "when":
		c.kind = clausePurpose
		return true
	}
	return false
}

func (r *sentenceReader) containsAsk(c *clause) bool {
	for i := c.from; i < c.to; i++ {
		if strings.HasPrefix(r.word(i), "ask") || r.word(i) == "need" || r.word(i) == "collect" || r.word(i) == "get" ||
			r.word(i) == "take" || r.word(i) == "required" || r.word(i) == "check" {
			return true
		}
	}
	return false
}

// isSoft reports whether words of the clause itself make the fact optional.
func (r *sentenceReader) isSoft(c *clause) bool {
	said := " " + r.words(c.from, c.to) + " "
	for _, phrase := range []string{
		" nice to have ", " nice to know ", " good to know ", " good to have ", " be nice ", " be good ", " be helpful ",
		" be useful ", " be left open ", " be left out ", " be left blank ", " be left empty ", " not mandatory ",
		" feel free ", " not strictly ", " helps us ", " would help ", " not a must ", " be skipped ", " be omitted ",
		" not obligatory ", " no obligation ", " not compulsory ", " where possible ", " if possible ",
	} {
		if strings.Contains(said, phrase) {
			return true
		}
	}
	for i := c.from; i < c.to; i++ {
		w := r.word(i)
		if softWords[w] && !determiners[r.word(i-1)] {
			return true
		}
		if (w == "may" || w == "can" || w == "might" || w == "could") && !agents[r.word(i-1)] && !negators[r.word(i+1)] {
			at := i + 1
			for r.word(at) == "also" || r.word(at) == "be" || r.word(at) == "optionally" {
				at++
			}
			if (statingVerbs[r.word(at)] || givenWords[r.word(at)] || r.word(at) == "choose" || r.word(at) == "add" ||
				r.word(at) == "leave") && !r.startsQuestion() {
				return true
			}
		}
	}
	return false
}

// classifyQuestion recognises a direct question to the customer.
func (r *sentenceReader) classifyQuestion(c *clause) bool {
	if !r.startsQuestion() {
		return false
	}
	w, next := r.word(c.from), r.word(c.from+1)
	switch {
	case whWords[w] || whPrepositions[w] && whWords[next], r.isChoice(c), r.asksYou(c):
	case auxiliaries[w] && (people[next] || determiners[next] || owners[next] || next == "it" || next == "there"):
	default:
		return false
	}
	c.kind, c.objects = clauseQuestion, [2]int{c.from, c.to}
	return true
}

// classifyVerdict recognises a noun phrase with a verdict after it: "the email must be verified".
func (r *sentenceReader) classifyVerdict(c *clause) bool {
	for i := c.from; i < c.to; i++ {
		w := r.word(i)
		if !auxiliaries[w] && !neededWords[w] && !softWords[w] {
			continue
		}
		k, negated, must := i, r.word(c.from) == "no", false // "no reason is needed"
		for k < c.to && (auxiliaries[r.word(k)] || negators[r.word(k)] || adverbs[r.word(k)] || r.word(k) == "to" ||
			r.word(k) == "a" && r.word(k+1) == "must") {
			negated = negated || negators[r.word(k)]
			must = must || r.word(k) == "must" || r.word(k) == "has" || r.word(k) == "have" || r.word(k) == "needs" ||
				r.word(k) == "need" || r.word(k) == "should"
			k++
		}
		verdict := r.word(k)
		isMust := r.word(k-1) == "must" && r.word(k-2) == "a"
		first := c.from
		if i == first && !neededWords[w] && !softWords[w] {
			if !c.relative {
				continue
			}
		}
		switch {
		case isMust && !negated, r.isEnough(k) && !negated:
			c.kind = clauseNeed
		case neededWords[verdict] && verdict != "must":
			c.kind = clauseNeed
			if negated {
				c.kind = clauseNegated
			}
		case softWords[verdict] || verdict == "nice" || c.soft && (verdict == "left" || verdict == "good" ||
			verdict == "skipped" || verdict == "omitted"):
			c.kind, c.soft = clauseNeed, true
		case checkedWords[verdict] && (must || r.word(k-1) != "" && auxiliaries[r.word(k-1)]):
			c.kind, c.verified = clauseNeed, !negated
		case givenWords[verdict] && (must || c.soft):
			c.kind = clauseNeed
			if negated && !c.soft {
				c.kind = clauseNegated
			}
		case must && (verdict == "on" && (r.word(k+1) == "file" || r.word(k+1) == "record")):
			c.kind, c.block = clauseNeed, true
		default:
			continue
		}
		c.cue, c.owned = i, true
		from := c.from
		for j := c.from; j < i; j++ { // "make sure that the email is verified", "we require that …"
			if r.word(j) == "that" || (r.word(j) == "sure" && r.word(j+1) != "that") {
				from = j + 1
			}
		}
		c.objects = [2]int{from, i}
		if i == from+1 && r.word(from) == "it" { // "it is required to know the model"
			for j := k + 1; j < c.to && j < k+4; j++ {
				if askingVerbs[r.word(j)] || r.word(j) == "have" {
					c.objects = [2]int{j + 1, c.to}
				}
			}
		}
		if r.word(c.from) == "which" || r.word(c.from) == "that" {
			c.relative = true
		}
		return true
	}
	return false
}

// isEnough reports whether token k ends a verdict such as "will do", "is enough", "suffices".
func (r *sentenceReader) isEnough(k int) bool {
	w := r.word(k)
	return w == "enough" || w == "sufficient" || w == "suffice" || r.word(k-1) == "do" && r.word(k-2) == "will"
}

// ready returns the token of "ready" or "at hand" after the verb "have" at token i, 0 for none.
func (r *sentenceReader) ready(i, to int) int {
	for k := i + 2; k < to && k < i+12; k++ {
		if w := r.word(k); w == "ready" || w == "handy" || w == "at" && r.word(k+1) == "hand" {
			return k
		}
	}
	return 0
}

// adverbs stand among auxiliaries.
var adverbs = text.NewWordSet(`also first still already always absolutely strictly only currently then usually not never
		therefore definitely really optionally often`)

// classifyVerb recognises a clause by its verb.
func (r *sentenceReader) classifyVerb(c *clause) bool {
	noun := r.startsNoun(c)
	for i := c.from; i < c.to; i++ {
		w := r.word(i)
		asking := askingVerbs[w]
		switch {
		case noun && (i == c.from || i == c.from+2 && sharedModifiers[w]):
			continue
		case (w == "have" || w == "having") && r.ready(i, c.to) > 0 && r.isVerbHere(c, i):
			c.kind, c.cue, c.owned = clauseNeed, i, true
			c.objects = [2]int{i + 1, r.ready(i, c.to)}
		case lookupVerbs[w] && r.by(i, c.to) > 0 && r.isVerbHere(c, i):
			c.kind, c.cue, c.owned = clauseNeed, i, true
			c.objects = [2]int{r.by(i, c.to) + 1, c.to}
		case w == "find" && r.word(i+1) != "out", w == "write" && r.word(i+1) != "down",
			w == "want" && !agents[r.word(i-1)]:
			continue
		case statingVerbs[w] && r.isVerbHere(c, i) && r.customerStates(c, i):
			c.kind, c.cue, c.owned = clauseNeed, i, true
			c.objects = [2]int{r.skipToUs(i+1, c.to), c.to}
		case w == "make" && r.word(i+1) == "sure", w == "ensure":
			c.weak = true
			continue
		case asking && r.isVerbHere(c, i) && !r.customerActs(c, i):
			c.kind, c.cue, c.owned = clauseNeed, i, true
			c.objects = [2]int{r.objectOf(i, c.to), c.to}
			c.weak = w == "want"
		case checkingVerbs[w] && r.isVerbHere(c, i) && !r.customerActs(c, i):
			c.kind, c.cue, c.weak, c.owned = clauseNeed, i, true, true
			c.objects = [2]int{r.objectOf(i, c.to), c.to}
			c.verified = strings.HasPrefix(w, "verif") || strings.HasPrefix(w, "validat")
			c.checks = c.verified || strings.HasPrefix(w, "confirm") || strings.HasPrefix(w, "check")
		case (w == "start" || w == "starts" || w == "begin" || w == "begins") && r.word(i+1) == "with":
			c.kind, c.cue, c.owned = clauseNeed, i, true
			c.objects = [2]int{i + 2, c.to}
		case (w == "must" || w == "should") && r.word(i+1) == "have" && (i == c.from || agents[r.word(i-1)]):
			c.kind, c.cue, c.owned = clauseNeed, i, true
			c.objects = [2]int{i + 2, c.to}
		case w == "email" && (i+1 == c.to || text.ListWords[r.word(i+1)] || strings.Contains(r.gap(i), ",")):
			continue // the noun: "(email and phone)"
		case givingVerbs[w] && i > c.from && strings.Contains(r.gap(i-1), ","):
			continue // an item of a list, "return date": a predicate after a comma starts a clause
		case givingVerbs[w] && r.isVerbHere(c, i) && (r.word(i-1) != "to" || i-2 > c.from):
			if r.withoutObject(c, i) {
				return true
			}
			c.kind, c.cue = clauseGiven, i
			return true
		default:
			continue
		}
		if negator := r.negatorBefore(c, c.cue); negator >= 0 {
			c.kind = clauseNegated
		}
		return true
	}
	return false
}

// withoutObject recognises "do not continue without the passport number": what follows is needed.
func (r *sentenceReader) withoutObject(c *clause, verb int) bool {
	if r.negatorBefore(c, verb) < 0 {
		return false
	}
	for k := verb + 1; k < c.to && k < verb+5; k++ {
		if r.word(k) == "without" {
			c.kind, c.cue, c.owned, c.objects = clauseNeed, verb, true, [2]int{k + 1, c.to}
			return true
		}
	}
	return false
}

// by returns the token of "by", "with" or "via" after the verb at token i, 0 for none.
func (r *sentenceReader) by(i, to int) int {
	for k := i + 1; k < to && k < i+8; k++ {
		if w := r.word(k); w == "by" || w == "via" || w == "using" || w == "with" {
			return k
		}
	}
	return 0
}

// nounVerbs are verbs that are often nouns at the start of a line: "return location", "transfer date".
var nounVerbs = text.NewWordSet(`return returns transfer transfers call calls book order rent report reports file charge
	charges start end stop contact place issue refund refunds email text mail quote quotes purchase exchange stay`)

// startsNoun reports whether a clause starts with a noun that looks like a verb: the modifier of a noun for a piece of
// data ("return location"), or the first noun of a list or a subject ("Returns and refunds", "Returns are free").
func (r *sentenceReader) startsNoun(c *clause) bool {
	i := c.from
	if w := r.word(i); !nounVerbs[w] || i+1 >= c.to {
		return false
	}
	next := r.word(i + 1)
	if (next == "and" || next == "or") && sharedModifiers[r.word(i)] && sharedModifiers[r.word(i+2)] && i+4 == c.to {
		return true // "start and end date"
	}
	if (next == "and" || next == "or" || auxiliaries[next]) && r.adjacent(i) {
		return strings.HasSuffix(r.word(i), "s") && !(next == "and" && determiners[r.word(i+2)])
	}
	if !r.adjacent(i) || determiners[next] || owners[next] || people[next] || text.PhraseEnds[next] || !r.item && i > 0 {
		return false
	}
	end := r.headEnd(chunk{from: i, to: c.to})
	for k := i + 1; k < end; k++ {
		if strings.ContainsAny(r.gap(k-1), ",;:/(") || text.ListWords[r.word(k)] {
			end = k
		}
	}
	if end != i+2 {
		return false // "Report number of guests" has a longer object
	}
	return sharedHeads[next] || isDateHead(next) || textHeads[next] || numberHeads[next]
}

// isVerbHere reports whether the word at token i is a verb of the clause: no noun ("the call", "their request") and
// in no phrase such as "need to".
func (r *sentenceReader) isVerbHere(c *clause, i int) bool {
	before := r.word(i - 1)
	if r.gap(i) == "-" { // "check-out"
		return false
	}
	if i > c.from && (determiners[before] && before != "that" && before != "all" || owners[before] ||
		text.Adjectives[before] || before == "of") {
		return false
	}
	if i > c.from && !r.startsVerb(c, i) {
		return false
	}
	return i+1 < c.to || strings.HasPrefix(r.word(i), "ask") || r.introduces(c)
}

// startsVerb reports whether the word before token i can stand before a verb.
func (r *sentenceReader) startsVerb(c *clause, i int) bool {
	w := r.word(i - 1)
	return auxiliaries[w] || negators[w] || adverbs[w] || people[w] || agents[w] || w == "to" || w == "and" || w == "or" ||
		w == "please" || w == "by" || w == "without" || w == "that" || w == "us" || w == "them" ||
		w == "just" || w == "need" || strings.Contains(r.gap(i-1), ",") || w == "it" || w == "first" || w == "therefore" ||
		w == "always" || w == "let" || i == c.from || w == "then" || w == "so" || w == "too"
}

// customerActs reports whether the subject of the verb at token i is the customer: "which pharmacy will they collect it
// at", "patients who take drugs".
func (r *sentenceReader) customerActs(c *clause, i int) bool {
	if strings.HasPrefix(r.word(i), "ask") {
		return false
	}
	for k := i - 1; k >= c.from; k-- {
		w := r.word(k)
		if agents[w] {
			return false
		}
		if w == "them" || w == "to" && people[r.word(k-1)] {
			return false
		}
		if people[w] && !owners[w] {
			verb := r.word(i)
			return verb != "choose" && verb != "select" && verb != "pick" && verb != "fill" && verb != "confirm"
		}
	}
	return false
}

// customerStates reports whether the customer is the one who states something: "the customer must provide", "please
// share", "ask them to enter", "tell us".
func (r *sentenceReader) customerStates(c *clause, i int) bool {
	if r.word(i+1) == "us" || r.word(i+1) == "me" {
		return true
	}
	if next := r.word(i + 1); next == "them" || next == "him" || next == "it" ||
		(next == "the" && people[r.word(i+2)] && r.adjacent(i+1) && !owners[r.word(i+3)]) || people[next] && !owners[next] {
		return false
	}
	for k := i - 1; k >= c.from && k >= i-10; k-- {
		w := r.word(k)
		switch {
		case agents[w]:
			return false
		case people[w] || w == "them" || w == "please" || w == "customer":
			return true
		}
	}
	return false
}

// skipToUs skips "us" and "about" after a stating verb.
func (r *sentenceReader) skipToUs(i, to int) int {
	for i < to && (r.word(i) == "us" || r.word(i) == "me" || r.word(i) == "about" ||
		r.word(i) == "the" && r.word(i+1) == "agent") {
		if r.word(i) == "the" {
			i++
		}
		i++
	}
	if r.word(i) == "know" {
		i++
	}
	return i
}

// objectOf returns the token at which the object of the verb at token i starts.
func (r *sentenceReader) objectOf(i, to int) int {
	at := i + 1
	if strings.HasPrefix(r.word(i), "ask") || r.word(i) == "request" || r.word(i) == "inquire" || r.word(i) == "enquire" {
		for k := at; k < to && k < at+4; k++ {
			if w := r.word(k); w == "for" || w == "about" {
				return k + 1
			} else if whWords[w] || w == "if" {
				return k
			} else if w == "to" { // "ask them to enter their tax ID"
				for j := k + 1; j < to && j < k+4; j++ {
					if statingVerbs[r.word(j)] || askingVerbs[r.word(j)] || checkingVerbs[r.word(j)] {
						return r.skipToUs(j+1, to)
					}
				}
			}
		}
	}
	for at < to {
		switch r.word(at) {
		case "to":
			if next := r.word(at + 1); next == "know" || next == "have" || next == "collect" || next == "see" ||
				next == "get" || next == "ask" || next == "record" || next == "obtain" || next == "take" || next == "verify" ||
				next == "find" || next == "note" || next == "learn" || next == "gather" {
				at = r.objectOf(at+1, to)
				return at
			}
			return to // "need to leave": no object
		case "down", "out", "up", "on", "about", "for", "from", "also", "with", "always", "first", "us", "them", "if", "that":
			if r.word(at) == "if" {
				return at
			}
			if r.word(at) == "from" || r.word(at) == "with" || r.word(at) == "up" {
				return at
			}
			at++
		case "have", "know", "see":
			at++
		default:
			return at
		}
	}
	return at
}

// negatorBefore returns the token that negates the verb at token i, -1 for none.
func (r *sentenceReader) negatorBefore(c *clause, i int) int {
	for k := i - 1; k >= c.from && k >= i-5; k-- {
		if negators[r.word(k)] || r.word(k) == "without" || r.word(k) == "avoid" || r.word(k) == "refrain" {
			return k
		}
	}
	return -1
}

// verbWords are finite verbs that make a sentence out of a phrase.
var verbWords = text.NewWordSet(`is are was were be has have had do does must should shall will would can could may
	might 	costs takes goes comes starts ends arrives decides calls keeps works lives means helps applies stays remains
	depends wants want likes pays ships ship expires live`)

func (r *sentenceReader) hasVerb(c *clause) bool {
	for i := c.from; i < c.to; i++ {
		w := r.word(i)
		if whWords[w] || w == "if" {
			return false // an indirect question
		}
		if verbWords[w] || negators[w] && w != "no" {
			return true
		}
	}
	return false
}
