package llm

import (
	"strings"
	"unicode"

	"github.com/contextvault/contextvault/vault"
)

// What surrounds a noun in a sentence that says what is needed.
var (
	owners = setOf(`their your his her customer's customers users user's users' client's clients applicant's applicants buyer's caller's guest's
		patient's member's person's traveler's traveller's passenger's subscriber's tenant's visitor's student's shopper's driver's cardholder's one's`)
	people = setOf(`customer customers user users client clients applicant applicants person people persons anyone someone everyone member members
		they he she you who driver drivers buyer buyers guest guests passenger passengers patient patients caller callers visitor visitors
		traveler travelers traveller travellers student students shopper shoppers resident residents subscriber subscribers participant participants`)
	agents     = setOf("agent agents we assistant bot i system staff team representative")
	adjectives = setOf(`valid verified full current new correct own preferred exact registered primary personal actual updated complete recent confirmed
		working official desired requested intended main alternative latest existing additional other`)
	determiners = setOf("a an the any each every this that these those both some all")
	// words that give something to the customer: what follows is the agent's to say
	giving = setOf(`send sends sending sent tell tells telling show shows inform informs explain explains offer offers email emails text texts call calls
		calling notify notifies mail mails display displays quote quotes read reads mention mentions announce issue issues generate generates
		calculate calculates create creates assign assigns return returns recommend recommends suggest suggests present presents`)
	// verbs by which a customer states something, and an agent as well: who is the subject decides
	stating = setOf("provide provides give gives share shares tell tells enter enters supply supplies submit submits state states specify specifies include includes upload uploads")
	// verbs by which an agent asks
	asking = setOf(`collect collects collecting request requests requesting require requires requiring need needs needing obtain obtains obtaining gather
		gathers gathering capture captures capturing ask asks asking record records`)
	checking  = setOf("confirm confirms confirming verify verifies verifying validate validates validating check checks checking know knows")
	aboutIt   = setOf("proof change changes confirmation verification lack kind type copy")
	negators  = setOf("not don't doesn't never no cannot can't mustn't shouldn't won't isn't aren't needn't nor")
	listWords = setOf("and or plus also")
	mediums   = setOf("by via per through over on")
	softWords = setOf("optionally optional preferably ideally recommended")
	// auxiliaries between a noun and what is said of it
	auxiliaries = setOf("is are was were has have had been be must should needs need to will can may also first still already being not isn't hasn't aren't")
	// words that end a noun phrase
	phraseEnds = setOf(`to for in on at by with from before after so if when that which who whom as via per because unless until till using about is are was
		were must will should can could may might has have had be been being do does did and or but then than into onto over under through while where
		how why what whether not without within during upon once i we they he she you it there here please also first instead again between against`)
	// nouns of which a customer is asked for, and which are no data
	vague = setOf(`help patience permission opinion feedback question questions issue issues problem problems request requests confirmation consent
		attention needs interest information details data documents document proof agreement approval cooperation understanding concern concerns
		account accounts order orders booking bookings payment refund ticket tickets reservation reservations stay visit case message messages
		identity call time support access device phone purchase subscription trip journey flight choice thoughts wishes answer answers name`)
)

// sentenceMentions finds the fields of one sentence of prose. original is the same sentence with its expressions in place.
func sentenceMentions(sentence, original string) []mention {
	r := reader{text: sentence, original: original, tokens: tokenize(sentence)}
	r.soft = r.isSoft()
	r.ages()
	r.residence()
	r.knownNouns()
	r.requestedNouns()
	return r.found
}

// reader reads one sentence.
type reader struct {
	text, original string
	tokens         []token
	soft           bool
	taken          []span // what was read already
	found          []mention
}

func (r *reader) word(i int) string {
	if i < 0 || i >= len(r.tokens) {
		return ""
	}
	return r.tokens[i].word
}

// adjacent reports whether only white space, or a hyphen, stands between token i and the next one.
func (r *reader) adjacent(i int) bool {
	gap := r.gap(i)
	return gap == "-" || gap != "" && strings.TrimSpace(gap) == ""
}

// gap is the text between token i and the next one.
func (r *reader) gap(i int) string {
	if i < 0 || i+1 >= len(r.tokens) {
		return ""
	}
	return r.text[r.tokens[i].end:r.tokens[i+1].start]
}

func (r *reader) add(m mention, from, to int) {
	s := spanOf(r.tokens, from, to)
	m.at, m.quote = s.start, s.in(r.original)
	m.soft = m.soft || r.soft
	r.found = append(r.found, m)
}

func (r *reader) take(from, to int) { r.taken = append(r.taken, spanOf(r.tokens, from, to)) }

func (r *reader) isTaken(from, to int) bool {
	for _, s := range r.taken {
		if s.overlaps(spanOf(r.tokens, from, to)) {
			return true
		}
	}
	return false
}

// isSoft reports whether the sentence leaves it to the customer.
func (r *reader) isSoft() bool {
	for i, t := range r.tokens {
		if softWords[t.word] {
			return true
		}
		if (t.word == "may" || t.word == "can") && (stating[r.word(i+1)] || r.word(i+1) == "also" || r.word(i+1) == "choose") && !agents[r.word(i-1)] {
			return true
		}
		if t.word == "if" || t.word == "where" || t.word == "when" {
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

// knownNouns finds the fields of the lexicon.
func (r *reader) knownNouns() {
	for i := 0; i < len(r.tokens); i++ {
		field, n := lexicon.at(r.tokens, i)
		if n == 0 || r.isTaken(i, i+n) {
			continue
		}
		if m, from, to := r.judge(field, i, n); m.confidence > 0 {
			r.add(m, from, to)
			r.take(i, i+n)
		}
		i += n - 1
	}
}

// judge says how sure it is that the sentence needs the known field that it names at token i, with n tokens. The quote runs
// from token from to token to.
func (r *reader) judge(field knownField, i, n int) (m mention, from, to int) {
	m = mention{field: field, known: true}
	from, to = i, i+n
	if !r.standsAlone(i, n) {
		return m, from, to
	}
	owned, start := r.owned(i, n)
	from = start
	after := r.saidOf(i + n + r.ofCustomer(i+n))
	if after.end > 0 {
		to = after.end
	}
	if r.word(i-1) == "verified" || r.word(i-1) == "confirmed" {
		m.verified, from = true, min(from, i-1)
	}
	governed, cue := r.governed(i)
	switch {
	case after.notNeeded || governed == byNegation || governed == byGiving:
		return mention{}, from, to
	case after.needed:
		m.confidence, m.verified, m.soft = sureKnown, m.verified || after.verified, after.optional
	case governed == byNeed:
		m.confidence = sureNeeded
		from = min(from, cue)
		if w := r.word(cue); (strings.HasPrefix(w, "verif") || strings.HasPrefix(w, "validat")) && (field.typ == tEmail || field.typ == tPhone) {
			m.verified = true
		}
	case m.verified:
		m.confidence = sureNoun
	case n == 1 && (mediums[r.word(i-1)] || (vague[r.word(i)] && !owned) || !owned):
		return mention{}, from, to
	case owned && n == 1 && (field.name == "phone" || field.name == "company_name"):
		return mention{}, from, to // the device, the firm: not the field
	case owned:
		m.confidence = unsureOwned
	default:
		m.confidence = unsureMentioned
	}
	return m, from, to
}

// standsAlone reports whether the phrase is a noun phrase of its own, not a part of a longer one ("hotel phone number",
// "email confirmation") nor of somebody else's.
func (r *reader) standsAlone(i, n int) bool {
	if r.adjacent(i - 1) {
		w := r.word(i - 1)
		switch {
		case w == "our" || w == "my" || w == "its" || w == "whose":
			return false
		case w == "of" && aboutIt[r.word(i-2)]:
			return false // "proof of address"
		case owners[w], determiners[w], adjectives[w], phraseEnds[w], listWords[w], asking[w], checking[w], stating[w], negators[w], w == "customer", w == "user", w == "client", w == "of":
		default:
			return false
		}
	}
	if r.adjacent(i + n - 1) {
		w := r.word(i + n)
		if w == "of" {
			return r.ofCustomer(i+n) > 0
		}
		if n == 1 && !phraseEnds[w] && !listWords[w] && !softWords[w] && !verdicts[w] {
			return false
		}
	}
	return true
}

// owned reports whether the phrase at token i is said to be the customer's, and from which token on.
func (r *reader) owned(i, n int) (bool, int) {
	start := i
	for k := i - 1; k >= 0 && k >= i-3 && r.adjacent(k); k-- {
		w := r.word(k)
		if owners[w] || ((w == "customer" || w == "user" || w == "client") && k == i-1) {
			if k > 0 && r.word(k-1) == "the" {
				k--
			}
			return true, k
		}
		if !adjectives[w] && !determiners[w] {
			break
		}
		start = k
	}
	return r.ofCustomer(i+n) > 0, start
}

// ofCustomer gives the number of tokens of "of the customer" at token i, 0 where it is not there.
func (r *reader) ofCustomer(i int) int {
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

// verdicts are what can be said of a field after its name.
var verdicts = setOf("required needed mandatory necessary missing verified confirmed validated known unknown provided given available present optional recommended collected supplied")

// verdict is what a sentence says of a field after its name.
type verdict struct {
	needed, notNeeded, verified, optional bool
	end                                   int // the token after it; 0: nothing is said
}

// saidOf reads "is required", "has been verified", "is not needed" from token i on.
func (r *reader) saidOf(i int) verdict {
	negated, k := false, i
	for k < len(r.tokens) && k < i+5 && auxiliaries[r.word(k)] && r.adjacent(k-1) {
		negated = negated || negators[r.word(k)]
		k++
	}
	w := r.word(k)
	if !verdicts[w] || !r.adjacent(k-1) || (k == i && (w == "provided" || w == "given" || w == "available" || w == "present" || w == "known")) {
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

// governance is by what a noun is governed.
type governance int

const (
	byNothing  governance = iota
	byNeed                // a verb of asking, or a customer who states it
	byGiving              // the agent gives it
	byNegation            // it is not asked for
)

// governed looks back from the noun at token i for the verb that governs it, through the list that it may be a part of.
func (r *reader) governed(i int) (governance, int) {
	for k := i - 1; k >= 0 && k >= i-16; k-- {
		w := r.word(k)
		switch {
		case strings.ContainsAny(r.gap(k), ";:"):
			return byNothing, k
		case (w == "is" || w == "what's") && (r.word(k-1) == "what" || w == "what's") && (owners[r.word(k+1)] || determiners[r.word(k+1)]):
			return byNeed, k
		case w == "for":
			if ask := r.before(k, 4, asking); ask >= 0 {
				return r.unlessNegated(ask)
			}
			return byNothing, k
		case w == "without":
			if r.before(k, 5, negators) >= 0 {
				return byNeed, k
			}
			return byNothing, k
		case w == "on" && (strings.HasPrefix(r.word(k-1), "depend") || r.word(k-1) == "based"):
			return byNeed, k
		case w == "out" && (r.word(k-1) == "find" || r.word(k-1) == "finds"):
			return r.unlessNegated(k - 1)
		case asking[w] && !determiners[r.word(k-1)]:
			return r.unlessNegated(k)
		case checking[w]:
			return r.unlessNegated(k)
		case stating[w]:
			if r.customerStates(k) && !r.toCustomer(k) {
				return r.unlessNegated(k)
			}
			return byGiving, k
		case w == "with" && r.before(k, 4, stating) >= 0 && r.toCustomer(r.before(k, 4, stating)):
			return byGiving, k
		case giving[w] && !r.isNounHere(k):
			return byGiving, k
		case w == "of", listWords[w], w == "as", w == "well":
		case phraseEnds[w] && w != "not":
			return byNothing, k
		}
	}
	return byNothing, 0
}

// isNounHere reports whether a word that may be a verb is a noun at k: "the email", "their call".
func (r *reader) isNounHere(k int) bool {
	w := r.word(k - 1)
	return determiners[w] || owners[w] || adjectives[w] || r.partOfKnown(k)
}

// partOfKnown reports whether the token belongs to the name of a known field, as "email" to "email and phone".
func (r *reader) partOfKnown(k int) bool {
	_, n := lexicon.at(r.tokens, k)
	return n > 0 && (listWords[r.word(k+n)] || strings.Contains(r.gap(k+n-1), ","))
}

// before finds the last of set among the n tokens before k, or -1.
func (r *reader) before(k, n int, set wordSet) int {
	for j := k - 1; j >= 0 && j >= k-n; j-- {
		if set[r.word(j)] {
			return j
		}
	}
	return -1
}

// unlessNegated is byNeed, or byNegation where the verb at token k is denied: "do not ask for".
func (r *reader) unlessNegated(k int) (governance, int) {
	for j := k - 1; j >= 0 && j >= k-3; j-- {
		if strings.ContainsAny(r.gap(j), ",;:") {
			break
		}
		if negators[r.word(j)] {
			return byNegation, j
		}
		if r.word(j) == "without" {
			return byNegation, j
		}
	}
	return byNeed, k
}

// toCustomer reports whether the verb at token k gives something to the customer: "tell them", "provide the customer with".
func (r *reader) toCustomer(k int) bool {
	next := r.word(k + 1)
	return people[next] || next == "them" || next == "him" || (next == "the" && people[r.word(k+2)] && r.adjacent(k+2) && !owners[r.word(k+3)] && phraseEnds[r.word(k+3)])
}

// customerStates reports whether the subject of the verb at token k is the customer: "the customer must provide", "please
// share", "ask them to enter".
func (r *reader) customerStates(k int) bool {
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

// requestedNouns finds what is asked for and is not in the lexicon: "ask for the customer's loyalty tier and shoe size".
func (r *reader) requestedNouns() {
	for i := range r.tokens {
		switch {
		case r.startsRequest(i):
			r.nounList(i+1, i)
		case r.word(i) == "how" && r.word(i+1) == "many":
			r.count(i)
		}
	}
}

// startsRequest reports whether a list of what is asked for begins after token i.
func (r *reader) startsRequest(i int) bool {
	w := r.word(i)
	var verb int
	switch {
	case w == "for" && r.before(i, 4, asking) >= 0:
		verb = r.before(i, 4, asking)
	case asking[w] && !strings.HasPrefix(w, "ask") && !determiners[r.word(i-1)] && !owners[r.word(i-1)]:
		verb = i
	case strings.HasPrefix(w, "ask") && owners[r.word(i+1)]:
		verb = i
	case stating[w] && r.customerStates(i) && !r.toCustomer(i):
		verb = i
	case w == "is" && r.word(i-1) == "what" && owners[r.word(i+1)]:
		verb = i
	default:
		return false
	}
	g, _ := r.unlessNegated(verb)
	return g == byNeed
}

// nounList reads the noun phrases from token i on, up to the first that is none.
func (r *reader) nounList(i, cue int) {
	owned := false
	for i < len(r.tokens) {
		for determiners[r.word(i)] || owners[r.word(i)] || adjectives[r.word(i)] || ((r.word(i) == "customer" || r.word(i) == "user") && !phraseEnds[r.word(i+1)]) {
			owned = owned || (!determiners[r.word(i)] && !adjectives[r.word(i)])
			i++
		}
		end := r.phraseEnd(i)
		if end == i {
			return
		}
		if !r.isTaken(i, end) {
			r.unknownNoun(i, end, cue, owned)
		}
		if end >= len(r.tokens) {
			return
		}
		comma := strings.TrimSpace(r.gap(end-1)) == ","
		if !listWords[r.word(end)] && !comma {
			return
		}
		i = end
		for listWords[r.word(i)] {
			i++
		}
	}
}

// phraseEnd gives the token after the noun phrase that starts at token i.
func (r *reader) phraseEnd(i int) int {
	k := i
	for k < len(r.tokens) && k < i+5 {
		w := r.word(k)
		if phraseEnds[w] || (k > i && (verdicts[w] || w == "we" || owners[w] || determiners[w] && r.word(k-1) != "of")) {
			break
		}
		k++
		if !r.adjacent(k - 1) {
			break
		}
	}
	return k
}

func (r *reader) unknownNoun(i, end, cue int, owned bool) {
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
	m := mention{confidence: unsureNoun}
	if f, ok := lexicon.find(phrase); ok {
		m.field, m.known, m.confidence = f, true, sureNeeded
	} else {
		name := strings.Join(parts, "_")
		if len(name) > vault.MaxNameLength || !vault.NamePattern.MatchString(name) {
			return
		}
		if vague[headOf(parts)] || (len(parts) == 1 && (numberHeads[parts[0]] || textHeads[parts[0]]) && !owned) {
			return
		}
		if isDataNoun(parts) {
			m.confidence = sureNoun
		} else if !owned {
			return
		}
		m.field = newField(name)
	}
	r.add(m, cue, end)
	r.take(i, end)
}

// count reads "how many tickets".
func (r *reader) count(i int) {
	noun := r.word(i + 2)
	if !pluralCounts[noun] || r.isTaken(i, i+3) {
		return
	}
	m := mention{confidence: sureNoun}
	if f, ok := lexicon.find("number of " + noun); ok {
		m.field, m.known = f, true
	} else {
		m.field = newField("number_of_" + noun)
	}
	r.add(m, i, i+3)
	r.take(i, i+3)
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
