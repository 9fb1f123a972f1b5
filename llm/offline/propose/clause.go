package propose

import (
	"slices"
	"strings"

	"github.com/contextvault/contextvault/llm/offline/text"
)

// Words that start or govern a clause.
var (
	people = text.NewWordSet(`customer customers user users client clients applicant applicants person people persons
		anyone someone everyone somebody member members they he she who driver drivers buyer buyers guest guests
		passenger passengers patient patients caller callers visitor visitors traveler travelers traveller
		travellers student students shopper shoppers resident residents subscriber subscribers participant
		participants tenant tenants borrower borrowers owner owners claimant claimants candidate candidates parent
		parents policyholder policyholders subscriber employees employee minors adults`)
	agents = text.NewWordSet(`agent agents we you assistant bot i system staff team representative clerk
		desk restaurant`)
	determiners = text.NewWordSet("a an the any each every this that these those both some all")
	owners      = text.NewWordSet(`their your his her customer's customers users user's users' client's clients applicant's
		applicants buyer's caller's guest's patient's member's person's traveler's traveller's passenger's
		subscriber's tenant's visitor's student's shopper's driver's cardholder's one's`)
	negators = text.NewWordSet(`not don't doesn't never no cannot can't mustn't shouldn't won't isn't aren't
		needn't nor didn't`)
	auxiliaries = text.NewWordSet(`is are was were be been being has have had do does must should shall will would can
		could may might needs need isn't aren't`)
	// askingVerbs are verbs by which an agent asks. Their objects are needed.
	askingVerbs = text.NewWordSet(`collect collects collecting request requests requesting require requires requiring
		need needs needing obtain obtains obtaining gather gathers gathering capture captures capturing ask asks
		asking record records recording get gets getting take takes taking note notes noting write determine
		determines establish clarify find learn know knows fetch log register ensure want enquire inquire
		query solicit elicit acquire secure`)
	// checkingVerbs need their object only if the agent defines it.
	checkingVerbs = text.NewWordSet(`confirm confirms confirming verify verifies verifying validate validates
		validating check checks checking agree choose select add see set include includes fill pick use compare
		consider depends depend`)
	// lookupVerbs need what follows "by" or "with".
	lookupVerbs = text.NewWordSet("identify identifies look find locate search retrieve authenticate recognise recognize")
	// statingVerbs apply to the customer and to the agent: the subject decides.
	statingVerbs = text.NewWordSet(`provide provides give gives share shares tell tells enter enters supply supplies
		submit submits state states specify specifies upload uploads present presents
		indicate indicates mention mentions let send sends`)
	// givingVerbs give something to the customer, or act on something: their objects are not needed.
	givingVerbs = text.NewWordSet(`send sends sending sent tell tells telling show shows inform informs explain
		explains offer offers email emails text texts call calls calling notify notifies mail mails display displays
		quote quotes read reads announce generate generates calculate calculates create creates assign assigns return
		returns recommend recommends suggest suggests transfer transfers forward forwards open opens close
		book books cancel cancels sell sells pay pays apologise apologize thank greet block blocks escalate refund
		promise advise arrange process update change modify file report reimburse continue proceed stop end start
		deliver reserve rent submit enrol enroll reach reaches help make place schedule issue provide give
		connect point refer redirect wait charge apply applies approve reject refuse store save`)
	subordinators  = text.NewWordSet("if when whenever unless where")
	purposes       = text.NewWordSet("because so before after until till since while although though as once in")
	whPrepositions = text.NewWordSet("at on in for to from since by with")
	whWords        = text.NewWordSet("what which when where who whom whose why how whether")
	softWords      = text.NewWordSet(`optionally optional preferably ideally recommended voluntary voluntarily helpful
		useful 		bonus welcome`)
	// neededWords say that the noun before them is needed.
	neededWords = text.NewWordSet(`required needed mandatory necessary essential compulsory obligatory indispensable vital
		crucial missing must`)
	checkedWords = text.NewWordSet("verified confirmed validated authenticated proven")
	givenWords   = text.NewWordSet(`provided given recorded collected entered stated known noted captured supplied obtained
		asked taken specified gathered requested present available mentioned shared registered included submitted`)
)

// clauseKind is the role of a clause in its sentence.
type clauseKind int

const (
	clauseStatement clauseKind = iota // states something; nothing is needed
	clauseNeed                        // its objects are needed
	clauseNegated                     // its objects must not be collected
	clauseGiven                       // the agent gives something or acts
	clauseCondition                   // "if …", "only for …"
	clauseQualifier                   // "if they like", "optional"
	clausePurpose                     // "so that …", "before …"
	clauseQuestion                    // "Which plan do they have?"
	clauseFragment                    // no verb: "Street address and postcode"
)

// clause is a part of a sentence, from token from to token to, exclusive.
type clause struct {
	from, to int
	kind     clauseKind

	objects  [2]int // tokens of the noun phrases that the clause is about; empty: none
	cue      int    // token of the verb or adjective that decided the kind, -1 for none
	soft     bool
	extract  bool // take it if the customer mentions it; ask nothing
	verified bool
	block    bool
	weak     bool // only definitions of the agent count
	checks   bool // weak, but facts that the lexicon knows count, too: "confirm the email"
	owned    bool // the verb itself makes the noun a fact: "ask for", "is required"

	marker   string // of a condition: if, unless, for
	relative bool   // it starts with "which": it is about the last noun before it
	trailing bool   // a condition after its main clause
	only     bool
}

// splitClauses splits the sentence at punctuation, conjunctions and subordinators.
func (r *sentenceReader) splitClauses() []clause {
	var out []clause
	start := 0
	add := func(end int) {
		if end > start {
			out = append(out, clause{from: start, to: end, cue: -1})
			start = end
		}
	}
	for i := range r.tokens {
		if i > start && r.startsClause(start, i) {
			add(i)
		}
	}
	add(len(r.tokens))
	return out
}

// startsClause reports whether token i starts a clause, in a clause that started at token from.
func (r *sentenceReader) startsClause(from, i int) bool {
	gap, w, next := r.gap(i-1), r.word(i), r.word(i+1)
	if strings.ContainsAny(gap, ":;()[]—!?") || strings.Contains(gap, " - ") || strings.Contains(gap, " – ") ||
		strings.Contains(gap, ". ") {
		return true
	}
	comma := r.comma(i - 1)
	first := r.word(from)
	fronted := subordinators[first] || (first == "only" && (subordinators[r.word(from+1)] || r.word(from+1) == "for")) ||
		first == "for" || first == "in" || (purposes[first] && first != "so")
	switch {
	case w == "only" && (subordinators[next] || next == "for" || next == "with" || next == "in"):
		return true
	case w == "not" && (next == "if" || next == "when"):
		return true
	case w == "but", w == "otherwise", w == "except", w == "unless":
		return true
	case (w == "if" || w == "when" || w == "whenever" || w == "where") && r.word(i-1) != "only" && r.word(i-1) != "even":
		return !r.startsIndirectQuestion(from, i)
	case w == "for" && r.endsWithOnly(i):
		return true
	case w == "because", w == "until", w == "although", w == "while" && comma:
		return true
	case (w == "before" || w == "after" || w == "once") && i > from && !fronted:
		return w != "after" || !isNumberWord(next)
	case w == "so" && (next == "that" || comma || r.word(i-1) != "if"):
		return r.word(i-1) != "if" && r.word(i-1) != "do"
	case w == "in" && (next == "case" || next == "order"):
		return next == "order" || i > from
	case w == "which" && comma && !r.startsQuestion():
		return true
	case fronted && comma:
		return !r.continuesList(from, i)
	case fronted && r.startsMain(from, i):
		return true
	case w == "and" || w == "then" || w == "or" || comma:
		at := i
		for r.word(at) == "and" || r.word(at) == "then" || r.word(at) == "also" || r.word(at) == "or" ||
			r.word(at) == "please" || r.word(at) == "so" || r.word(at) == "we" && r.word(at+1) == "therefore" {
			at++
		}
		return r.startsPredicate(from, at)
	}
	return false
}

// startsQuestion reports whether the sentence is a question.
func (r *sentenceReader) startsQuestion() bool {
	return strings.HasSuffix(strings.TrimSpace(r.text), "?")
}

// startsPredicate reports whether a clause of its own starts at token i: a subject with its verb, or an imperative.
func (r *sentenceReader) startsPredicate(from, i int) bool {
	w, next := r.word(i), r.word(i+1)
	switch {
	case w == "":
		return false
	case agents[w] && w != "i" || w == "it" || w == "there" || w == "they" || w == "you" || w == "he" || w == "she":
		return true
	case negators[w] && w != "no" && w != "nor":
		return true
	case whWords[w] && r.startsQuestion() && r.isWhQuestion(i):
		return true
	case whPrepositions[w] && whWords[next] && r.startsQuestion() && r.isWhQuestion(i+1):
		return true
	case auxiliaries[w] && r.startsQuestion() && (people[next] || determiners[next] || owners[next]):
		return true
	case w == "make" && next == "sure":
		return true
	case w == "let" && next == "us":
		return true
	}
	if people[w] || determiners[w] || owners[w] {
		// A noun phrase with a verb of its own, and not one more object of the verb before it.
		verb := r.verbAfter(i)
		return verb > 0 && r.hasPredicate(from, i)
	}
	if (askingVerbs[w] || checkingVerbs[w] || givingVerbs[w] || statingVerbs[w] || lookupVerbs[w]) &&
		r.isImperative(i) {
		return true
	}
	return false
}

// isImperative reports whether the word at token i, which may be a noun, is a verb in the imperative: an object
// follows it.
func (r *sentenceReader) isImperative(i int) bool {
	w, next := r.word(i), r.word(i+1)
	if determiners[r.word(i-1)] || owners[r.word(i-1)] || text.Adjectives[r.word(i-1)] || r.gap(i) == "-" {
		return false
	}
	if determiners[next] || owners[next] || next == "for" && strings.HasPrefix(w, "ask") ||
		next == "them" || next == "it" ||
		next == "us" || next == "him" || next == "up" || next == "down" || next == "out" || next == "whether" ||
		next == "about" || next == "on" || next == "if" || next == "that" || next == "how" || next == "what" ||
		next == "when" || next == "where" || next == "which" {
		return true
	}
	if next == "" {
		return false
	}
	// A bare noun follows: only verbs that are rarely nouns.
	return !text.ListWords[next] && !auxiliaries[next] && r.adjacent(i) && len(w) > 2 &&
		(askingVerbs[w] && w != "need" && w != "needs" && w != "request" && w != "record" && w != "note" || w == "verify" ||
			w == "confirm" || w == "validate" || w == "tell" || w == "send" || w == "explain" || w == "offer")
}

// isWhQuestion reports whether a direct question starts at token i: "which cabin would they like".
func (r *sentenceReader) isWhQuestion(i int) bool {
	for k := i + 1; k < len(r.tokens) && k < i+6; k++ {
		if auxiliaries[r.word(k)] {
			return true
		}
	}
	return false
}

// verbAfter returns the token of the first auxiliary or verb after the noun phrase at token i, -1 for none within the
// next tokens.
func (r *sentenceReader) verbAfter(i int) int {
	for k := i + 1; k < len(r.tokens) && k < i+10; k++ {
		if strings.ContainsAny(r.gap(k-1), ",;:") || text.ListWords[r.word(k)] && r.word(k) != "also" ||
			subordinators[r.word(k)] {
			return -1
		}
		w := r.word(k)
		if auxiliaries[w] || w == "helps" || (statingVerbs[w] && !determiners[r.word(k-1)] && !owners[r.word(k-1)]) {
			return k
		}
	}
	return -1
}

// hasPredicate reports whether the tokens from from to i, exclusive, already have a verb.
func (r *sentenceReader) hasPredicate(from, i int) bool {
	for k := from; k < i; k++ {
		w := r.word(k)
		if auxiliaries[w] || askingVerbs[w] || checkingVerbs[w] || givingVerbs[w] || statingVerbs[w] {
			return true
		}
	}
	return false
}

// startsIndirectQuestion reports whether "if", "when" or "where" at token i starts a fact to collect, and no condition:
// "ask if they smoke", "the date and when they arrive".
func (r *sentenceReader) startsIndirectQuestion(from, i int) bool {
	before := r.word(i - 1)
	if before == "since" || before == "and" && r.word(i-2) == "since" {
		return true
	}
	for k := i - 1; k >= from && k >= i-4; k-- {
		w := r.word(k)
		if strings.HasPrefix(w, "ask") || w == "check" || w == "know" || w == "out" && r.word(k-1) == "find" ||
			w == "clarify" || w == "establish" || w == "determine" || w == "see" && r.word(i) == "if" || w == "confirm" ||
			w == "inquire" || w == "enquire" {
			between := r.tokens[k+1 : i]
			return !slices.ContainsFunc(between, func(t text.Token) bool {
				return !people[t.Word] && !determiners[t.Word] && t.Word != "them" && t.Word != "us" && t.Word != "also"
			})
		}
	}
	if r.word(i) == "if" {
		return false
	}
	// One more fact of a list: "find out what is broken and when somebody is at home".
	if (before == "and" || strings.Contains(r.gap(i-1), ",")) && r.word(i) != "where" {
		for k := from; k < i-1; k++ {
			if w := r.word(k); whWords[w] || before == "and" && (statingVerbs[w] || askingVerbs[w]) {
				return true
			}
		}
	}
	return false
}

// continuesList reports whether the comma before token i separates items inside a fronted condition.
func (r *sentenceReader) continuesList(from, i int) bool {
	if r.startsPredicate(from, i) {
		return false
	}
	// A later comma or main clause ends the condition: "for cars, vans and bikes, ask …".
	for k := i + 1; k < len(r.tokens); k++ {
		if strings.Contains(r.gap(k-1), ",") && r.startsPredicate(from, k) {
			return !slices.ContainsFunc(r.tokens[i:k], func(t text.Token) bool {
				return auxiliaries[t.Word] || askingVerbs[t.Word]
			})
		}
	}
	return false
}

// startsMain reports whether the main clause of a fronted condition without a comma starts at token i: "when the class
// is luxury the date of issue is required".
func (r *sentenceReader) startsMain(from, i int) bool {
	w := r.word(i)
	if !(determiners[w] && w != "any" && w != "that" || owners[w] || w == "we" || w == "please") || i < from+2 {
		return false
	}
	before := r.word(i - 1)
	if text.PhraseEnds[before] || determiners[before] || before == "of" || auxiliaries[before] || text.ListWords[before] {
		return false
	}
	if r.word(from) == "for" || r.word(from+1) == "for" || r.word(from) == "in" {
		return r.verbAfter(i) > 0
	}
	predicate := false
	for k := from + 1; k < i-1; k++ {
		predicate = predicate || auxiliaries[r.word(k)]
	}
	return predicate && r.verbAfter(i) > 0
}

// endsWithOnly reports whether "for" at token i belongs to "for round trips only".
func (r *sentenceReader) endsWithOnly(i int) bool {
	for k := i + 1; k < len(r.tokens) && k < i+6; k++ {
		if r.word(k) == "only" {
			return k+1 == len(r.tokens) || strings.ContainsAny(r.gap(k), ".,;:")
		}
		if strings.ContainsAny(r.gap(k), ",;:") {
			return false
		}
	}
	return false
}

// comma reports whether a comma follows token i that is not inside a number.
func (r *sentenceReader) comma(i int) bool {
	gap := r.gap(i)
	return strings.Contains(gap, ",") && !(gap == "," && isNumberWord(r.word(i)) && isNumberWord(r.word(i+1)))
}

func isNumberWord(w string) bool { return w != "" && w[0] >= '0' && w[0] <= '9' }
