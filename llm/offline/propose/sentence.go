package propose

import (
	"strings"
	"unicode"

	"github.com/contextvault/contextvault/llm/offline/text"
	"github.com/contextvault/contextvault/vault"
)

// Words around a noun in a sentence that states a need.
var (
	owners = text.NewWordSet(`their your his her customer's customers users user's users' client's clients applicant's
		applicants buyer's caller's guest's patient's member's person's traveler's traveller's passenger's
		subscriber's tenant's visitor's student's shopper's driver's cardholder's one's`)
	people = text.NewWordSet(`customer customers user users client clients applicant applicants person people persons
		anyone someone everyone member members they he she you who driver drivers buyer buyers guest guests
		passenger passengers patient patients caller callers visitor visitors traveler travelers traveller
		travellers student students shopper shoppers resident residents subscriber subscribers participant
		participants`)
	agents      = text.NewWordSet("agent agents we assistant bot i system staff team representative")
	determiners = text.NewWordSet("a an the any each every this that these those both some all")
	// givingVerbs give something to the customer: their object comes from the agent.
	givingVerbs = text.NewWordSet(`send sends sending sent tell tells telling show shows inform informs explain
		explains offer offers email emails text texts call calls calling notify notifies mail mails display displays
		quote quotes read reads mention mentions announce issue issues generate generates calculate calculates
		create creates assign assigns return returns recommend recommends suggest suggests present presents`)
	// statingVerbs apply to the customer and to the agent: the subject decides.
	statingVerbs = text.NewWordSet(`provide provides give gives share shares tell tells enter enters supply supplies
		submit submits state states specify specifies include includes upload uploads`)
	// askingVerbs are verbs by which an agent asks.
	askingVerbs = text.NewWordSet(`collect collects collecting request requests requesting require requires requiring
		need needs needing obtain obtains obtaining gather gathers gathering capture captures capturing ask asks
		asking record records`)
	checkingVerbs = text.NewWordSet(`confirm confirms confirming verify verifies verifying validate validates
		validating check checks checking know knows`)
	indirectNouns = text.NewWordSet("proof change changes confirmation verification lack kind type copy")
	negators      = text.NewWordSet(`not don't doesn't never no cannot can't mustn't shouldn't won't isn't aren't
		needn't nor`)
	mediums   = text.NewWordSet("by via per through over on")
	softWords = text.NewWordSet("optionally optional preferably ideally recommended")
	// auxiliaries stand between a noun and its verdict.
	auxiliaries = text.NewWordSet(`is are was were has have had been be must should needs need to will can may also
		first still already being not isn't hasn't aren't`)
	// vagueNouns are requested from a customer but are not data.
	vagueNouns = text.NewWordSet(`help patience permission opinion feedback question questions issue issues problem
		problems request requests confirmation consent attention needs interest information details data documents
		document proof agreement approval cooperation understanding concern concerns account accounts order orders
		booking bookings payment refund ticket tickets reservation reservations stay visit case message messages
		identity call time support access device phone purchase subscription trip journey flight choice thoughts
		wishes answer answers name`)
)

// sentenceMentions finds the definitions in one sentence of prose. original is the same sentence with its
// expressions.
func sentenceMentions(sentence, original string) []mention {
	r := sentenceReader{text: sentence, original: original, tokens: text.Tokenize(sentence)}
	r.soft = r.isSoft()
	r.readAges()
	r.readResidence()
	r.readKnownNouns()
	r.readRequestedNouns()
	return r.found
}

// sentenceReader reads one sentence.
type sentenceReader struct {
	text, original string
	tokens         []text.Token
	soft           bool
	taken          []text.Span // spans that are read
	found          []mention
}

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

func (r *sentenceReader) add(m mention, from, to int) {
	s := text.SpanOf(r.tokens, from, to)
	m.offset, m.quote = s.Start, s.In(r.original)
	m.soft = m.soft || r.soft
	r.found = append(r.found, m)
}

func (r *sentenceReader) markTaken(from, to int) {
	r.taken = append(r.taken, text.SpanOf(r.tokens, from, to))
}

func (r *sentenceReader) isTaken(from, to int) bool {
	for _, s := range r.taken {
		if s.Overlaps(text.SpanOf(r.tokens, from, to)) {
			return true
		}
	}
	return false
}

// isSoft reports whether the sentence makes the fact optional.
func (r *sentenceReader) isSoft() bool {
	for i, t := range r.tokens {
		if softWords[t.Word] {
			return true
		}
		if (t.Word == "may" || t.Word == "can") &&
			(statingVerbs[r.word(i+1)] || r.word(i+1) == "also" || r.word(i+1) == "choose") &&
			!agents[r.word(i-1)] {
			return true
		}
		if t.Word == "if" || t.Word == "where" || t.Word == "when" {
			switch next := r.word(i + 1); next {
			case "available", "possible", "known", "provided", "given", "applicable":
				return true
			case "they", "you":
				if w := r.word(i + 2); w == "wish" || w == "like" {
					return true
				}
			}
		}
	}
	return strings.Contains(strings.ToLower(r.text), "nice to have")
}

// readKnownNouns finds the definitions of the lexicon.
func (r *sentenceReader) readKnownNouns() {
	for i := 0; i < len(r.tokens); i++ {
		def, n := text.Lexicon.At(r.tokens, i)
		if n == 0 || r.isTaken(i, i+n) {
			continue
		}
		if m, from, to := r.assess(def, i, n); m.confidence > 0 {
			r.add(m, from, to)
			r.markTaken(i, i+n)
		}
		i += n - 1
	}
}

// assess returns the mention of a known definition, named at token i by n tokens. Its confidence is 0 if the sentence
// does not need the definition. The quote runs from token from to token to, exclusive.
func (r *sentenceReader) assess(def text.KnownDefinition, i, n int) (m mention, from, to int) {
	m = mention{definition: def, known: true}
	from, to = i, i+n
	if !r.isWholePhrase(i, n) {
		return m, from, to
	}
	owned, start := r.ownedByCustomer(i, n)
	from = start
	after := r.verdictAfter(i + n + r.ofCustomer(i+n))
	if after.end > 0 {
		to = after.end
	}
	if r.word(i-1) == "verified" || r.word(i-1) == "confirmed" {
		m.verified, from = true, min(from, i-1)
	}
	governed, cue := r.governor(i)
	switch {
	case after.notNeeded || governed == governedByNegation || governed == governedByGiving:
		return mention{}, from, to
	case after.needed:
		m.confidence, m.verified, m.soft = confidenceKnown, m.verified || after.verified, after.optional
	case governed == governedByRequest:
		m.confidence = confidenceRequested
		from = min(from, cue)
		if w := r.word(
			cue,
		); (strings.HasPrefix(w, "verif") || strings.HasPrefix(w, "validat")) &&
			(def.Type == vault.TypeEmail || def.Type == vault.TypePhone) {
			m.verified = true
		}
	case m.verified:
		m.confidence = confidenceDataNoun
	case n == 1 && (mediums[r.word(i-1)] || (vagueNouns[r.word(i)] && !owned) || !owned):
		return mention{}, from, to
	case owned && n == 1 && (def.Name == "phone" || def.Name == "company_name"):
		return mention{}, from, to // the device or the firm, not its number or name
	case owned:
		m.confidence = confidenceOwned
	default:
		m.confidence = confidenceMentioned
	}
	return m, from, to
}

// isWholePhrase reports whether the phrase is a noun phrase of its own, not a part of a longer one ("hotel phone
// number", "email confirmation") and not owned by somebody else.
func (r *sentenceReader) isWholePhrase(i, n int) bool {
	if r.adjacent(i - 1) {
		w := r.word(i - 1)
		switch {
		case w == "our" || w == "my" || w == "its" || w == "whose":
			return false
		case w == "of" && indirectNouns[r.word(i-2)]:
			return false // "proof of address"
		case owners[w],
			determiners[w],
			text.Adjectives[w],
			text.PhraseEnds[w],
			text.ListWords[w],
			askingVerbs[w],
			checkingVerbs[w],
			statingVerbs[w],
			negators[w],
			w == "customer",
			w == "user",
			w == "client",
			w == "of":
		default:
			return false
		}
	}
	if r.adjacent(i + n - 1) {
		w := r.word(i + n)
		if w == "of" {
			return r.ofCustomer(i+n) > 0
		}
		if n == 1 && !text.PhraseEnds[w] && !text.ListWords[w] && !softWords[w] && !verdicts[w] {
			return false
		}
	}
	return true
}

// ownedByCustomer reports whether the phrase at token i belongs to the customer, and the first token that says so.
func (r *sentenceReader) ownedByCustomer(i, n int) (bool, int) {
	start := i
	for k := i - 1; k >= 0 && k >= i-3 && r.adjacent(k); k-- {
		w := r.word(k)
		if owners[w] || ((w == "customer" || w == "user" || w == "client") && k == i-1) {
			if k > 0 && r.word(k-1) == "the" {
				k--
			}
			return true, k
		}
		if !text.Adjectives[w] && !determiners[w] {
			break
		}
		start = k
	}
	return r.ofCustomer(i+n) > 0, start
}

// ofCustomer returns the number of tokens of "of the customer" at token i, 0 for none.
func (r *sentenceReader) ofCustomer(i int) int {
	if r.word(i) != "of" {
		return 0
	}
	if people[r.word(i+1)] {
		return 2
	}
	if determiners[r.word(i+1)] && people[r.word(i+2)] {
		return 3
	}
	return 0
}

// verdicts are words that state a property of a noun after it.
var verdicts = text.NewWordSet(`required needed mandatory necessary missing verified confirmed validated known unknown
	provided given available present optional recommended collected supplied`)

// verdict is the property of a noun that the sentence states after it.
type verdict struct {
	needed, notNeeded, verified, optional bool
	end                                   int // the token after the verdict; 0: no verdict
}

// verdictAfter reads "is required", "has been verified" or "is not needed" from token i on.
func (r *sentenceReader) verdictAfter(i int) verdict {
	negated, k := false, i
	for k < len(r.tokens) && k < i+5 && auxiliaries[r.word(k)] && r.adjacent(k-1) {
		negated = negated || negators[r.word(k)]
		k++
	}
	w := r.word(k)
	if !verdicts[w] || !r.adjacent(k-1) ||
		(k == i && (w == "provided" || w == "given" || w == "available" || w == "present" || w == "known")) {
		return verdict{}
	}
	v := verdict{end: k + 1}
	switch w {
	case "required", "needed", "mandatory", "necessary":
		v.needed, v.notNeeded = !negated, negated
	case "verified", "confirmed", "validated":
		v.needed, v.verified = true, !negated
	case "optional", "recommended":
		v.needed, v.optional = !negated, true
	default:
		v.needed = true
	}
	return v
}

// governance is the relation of a noun to the verb that governs it.
type governance int

const (
	governedByNone     governance = iota
	governedByRequest             // the agent asks for it, or the customer states it
	governedByGiving              // the agent gives it
	governedByNegation            // it must not be requested
)

// governor searches backwards from the noun at token i for the verb that governs it, also through a list of nouns.
func (r *sentenceReader) governor(i int) (governance, int) {
	for k := i - 1; k >= 0 && k >= i-16; k-- {
		w := r.word(k)
		switch {
		case strings.ContainsAny(r.gap(k), ";:"):
			return governedByNone, k
		case (w == "is" || w == "what's") && (r.word(k-1) == "what" || w == "what's") && (owners[r.word(k+1)] ||
			determiners[r.word(k+1)]):
			return governedByRequest, k
		case w == "for":
			if ask := r.lastBefore(k, 4, askingVerbs); ask >= 0 {
				return r.requestUnlessNegated(ask)
			}
			return governedByNone, k
		case w == "without":
			if r.lastBefore(k, 5, negators) >= 0 {
				return governedByRequest, k
			}
			return governedByNone, k
		case w == "on" && (strings.HasPrefix(r.word(k-1), "depend") || r.word(k-1) == "based"):
			return governedByRequest, k
		case w == "out" && (r.word(k-1) == "find" || r.word(k-1) == "finds"):
			return r.requestUnlessNegated(k - 1)
		case askingVerbs[w] && !determiners[r.word(k-1)]:
			return r.requestUnlessNegated(k)
		case checkingVerbs[w]:
			return r.requestUnlessNegated(k)
		case statingVerbs[w]:
			if r.subjectIsCustomer(k) && !r.addressesCustomer(k) {
				return r.requestUnlessNegated(k)
			}
			return governedByGiving, k
		case w == "with" && r.lastBefore(k, 4, statingVerbs) >= 0 && r.addressesCustomer(r.lastBefore(k, 4, statingVerbs)):
			return governedByGiving, k
		case givingVerbs[w] && !r.isNounHere(k):
			return governedByGiving, k
		case w == "of", text.ListWords[w], w == "as", w == "well":
		case text.PhraseEnds[w] && w != "not":
			return governedByNone, k
		}
	}
	return governedByNone, 0
}

// isNounHere reports whether the word at token k, which may be a verb, is a noun: "the email", "their call".
func (r *sentenceReader) isNounHere(k int) bool {
	w := r.word(k - 1)
	return determiners[w] || owners[w] || text.Adjectives[w] || r.partOfKnown(k)
}

// partOfKnown reports whether a known definition starts at token k and a list continues after it: "email" in "email
// and phone".
func (r *sentenceReader) partOfKnown(k int) bool {
	_, n := text.Lexicon.At(r.tokens, k)
	return n > 0 && (text.ListWords[r.word(k+n)] || strings.Contains(r.gap(k+n-1), ","))
}

// lastBefore returns the last word of set among the n tokens before k, or -1.
func (r *sentenceReader) lastBefore(k, n int, set text.WordSet) int {
	for j := k - 1; j >= 0 && j >= k-n; j-- {
		if set[r.word(j)] {
			return j
		}
	}
	return -1
}

// requestUnlessNegated returns governedByRequest, or governedByNegation if the verb at token k is negated: "do not
// ask for".
func (r *sentenceReader) requestUnlessNegated(k int) (governance, int) {
	for j := k - 1; j >= 0 && j >= k-3; j-- {
		if strings.ContainsAny(r.gap(j), ",;:") {
			break
		}
		if negators[r.word(j)] {
			return governedByNegation, j
		}
		if r.word(j) == "without" {
			return governedByNegation, j
		}
	}
	return governedByRequest, k
}

// addressesCustomer reports whether the object of the verb at token k is the customer: "tell them", "provide the
// customer with".
func (r *sentenceReader) addressesCustomer(k int) bool {
	next := r.word(k + 1)
	return people[next] || next == "them" || next == "him" ||
		(next == "the" && people[r.word(k+2)] && r.adjacent(k+2) && !owners[r.word(k+3)] && text.PhraseEnds[r.word(k+3)])
}

// subjectIsCustomer reports whether the subject of the verb at token k is the customer: "the customer must provide",
// "please share", "ask them to enter".
func (r *sentenceReader) subjectIsCustomer(k int) bool {
	for j := k - 1; j >= 0 && j >= k-6; j-- {
		w := r.word(j)
		switch {
		case agents[w]:
			return false
		case people[w] || w == "them" || w == "please" || w == "customer":
			return true
		}
	}
	return false
}

// readRequestedNouns finds requested nouns outside the lexicon: "ask for the customer's loyalty tier and shoe size".
func (r *sentenceReader) readRequestedNouns() {
	for i := range r.tokens {
		switch {
		case r.startsRequest(i):
			r.readNounList(i+1, i)
		case r.word(i) == "how" && r.word(i+1) == "many":
			r.readCount(i)
		}
	}
}

// startsRequest reports whether a list of requested nouns begins after token i.
func (r *sentenceReader) startsRequest(i int) bool {
	w := r.word(i)
	var verb int
	switch {
	case w == "for" && r.lastBefore(i, 4, askingVerbs) >= 0:
		verb = r.lastBefore(i, 4, askingVerbs)
	case askingVerbs[w] && !strings.HasPrefix(w, "ask") && !determiners[r.word(i-1)] && !owners[r.word(i-1)]:
		verb = i
	case strings.HasPrefix(w, "ask") && owners[r.word(i+1)]:
		verb = i
	case statingVerbs[w] && r.subjectIsCustomer(i) && !r.addressesCustomer(i):
		verb = i
	case w == "is" && r.word(i-1) == "what" && owners[r.word(i+1)]:
		verb = i
	default:
		return false
	}
	g, _ := r.requestUnlessNegated(verb)
	return g == governedByRequest
}

// readNounList reads a list of noun phrases from token i on.
func (r *sentenceReader) readNounList(i, cue int) {
	owned := false
	for i < len(r.tokens) {
		for determiners[r.word(i)] || owners[r.word(i)] || text.Adjectives[r.word(i)] || ((r.word(i) == "customer" ||
			r.word(i) == "user") && !text.PhraseEnds[r.word(i+1)]) {
			owned = owned || (!determiners[r.word(i)] && !text.Adjectives[r.word(i)])
			i++
		}
		end := r.phraseEnd(i)
		if end == i {
			return
		}
		if !r.isTaken(i, end) {
			r.readUnknownNoun(i, end, cue, owned)
		}
		if end >= len(r.tokens) {
			return
		}
		comma := strings.TrimSpace(r.gap(end-1)) == ","
		if !text.ListWords[r.word(end)] && !comma {
			return
		}
		i = end
		for text.ListWords[r.word(i)] {
			i++
		}
	}
}

// phraseEnd returns the token after the noun phrase at token i.
func (r *sentenceReader) phraseEnd(i int) int {
	k := i
	for k < len(r.tokens) && k < i+5 {
		w := r.word(k)
		if text.PhraseEnds[w] || (k > i && (verdicts[w] || w == "we" || owners[w] || determiners[w] && r.word(k-1) != "of")) {
			break
		}
		k++
		if !r.adjacent(k - 1) {
			break
		}
	}
	return k
}

func (r *sentenceReader) readUnknownNoun(i, end, cue int, owned bool) {
	var parts []string
	for k := i; k < end; k++ {
		if !determiners[r.word(k)] {
			parts = append(parts, strings.ReplaceAll(r.word(k), "'s", ""))
		}
	}
	if len(parts) == 0 || len(parts) > 4 || parts[0] == "of" || parts[len(parts)-1] == "of" || !isASCIIWords(parts) {
		return
	}
	phrase := strings.Join(parts, " ")
	m := mention{confidence: confidenceOtherNoun}
	if f, ok := text.Lexicon.Find(phrase); ok {
		m.definition, m.known, m.confidence = f, true, confidenceRequested
	} else {
		name := strings.Join(parts, "_")
		if len(name) > vault.MaxNameLength || !vault.NamePattern.MatchString(name) {
			return
		}
		if vagueNouns[headOf(parts)] || (len(parts) == 1 && (numberHeads[parts[0]] || textHeads[parts[0]]) && !owned) {
			return
		}
		if isDataNoun(parts) {
			m.confidence = confidenceDataNoun
		} else if !owned {
			return
		}
		m.definition = newDefinition(name)
	}
	r.add(m, cue, end)
	r.markTaken(i, end)
}

// readCount reads "how many tickets".
func (r *sentenceReader) readCount(i int) {
	noun := r.word(i + 2)
	if !text.CountedPlurals[noun] || r.isTaken(i, i+3) {
		return
	}
	m := mention{confidence: confidenceDataNoun}
	if f, ok := text.Lexicon.Find("number of " + noun); ok {
		m.definition, m.known = f, true
	} else {
		m.definition = newDefinition("number_of_" + noun)
	}
	r.add(m, i, i+3)
	r.markTaken(i, i+3)
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
