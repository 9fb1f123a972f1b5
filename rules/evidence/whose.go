package evidence

import (
	"regexp"
	"slices"
	"strings"

	"github.com/contextvault/contextvault/rules/internal/fold"
	"github.com/contextvault/contextvault/vault"
)

// subject is the person of whom the customer speaks.
type subject struct {
	other bool
	who   string // the words for another person: "wife", "emergency contact"; "" if they are not known
}

// speech is whom the customer speaks of at a point of the conversation.
type speech struct {
	subject

	// last is another person who was mentioned and is not the subject: "I'm calling for my mother". What follows without
	// a subject of its own is about that person.
	last string
	// behalf reports that the customer speaks for the last person.
	behalf bool
}

// owned refuses a statement about somebody else than the definition's person.
func (r reader) owned(t *turn, m mention) problem {
	const elsewhere = "the customer says it of somebody else"
	about := fold.Text(r.def.About)
	owner := r.ownerOf(t, m)
	switch {
	case about == "" && owner.other && !r.isOfOther():
		return elsewhere
	case about == "" && r.isAddressee(t, m):
		return "the customer writes to this address or number and does not say that it is the customer's own"
	case about == "" || r.fits(owner, t, m, about):
		return ""
	default:
		return "the customer does not say it of the person whom the field is about"
	}
}

// isOfOther reports whether the field's name has another person: spouse_name, recipient_account. What is said of
// somebody
// else may then be its value.
func (r reader) isOfOther() bool {
	return slices.ContainsFunc(r.topic.names, func(w string) bool { return english.peopleSet.at([]word{{text: w}}) > 0 })
}

// fits reports whether a statement is about the person of the definition.
func (r reader) fits(owner subject, t *turn, m mention, about string) bool {
	words := contentWords(about)
	named := func(text []word) bool {
		return slices.ContainsFunc(text, func(w word) bool { return hasStem(words, w.text) })
	}
	if owner.other && owner.who != "" {
		return slices.ContainsFunc(strings.Fields(owner.who), func(w string) bool {
			return hasStem(words,
				strings.TrimSuffix(w, "'s"))
		}) ||
			r.introduces(t, owner.who, words)
	}
	asked := r.conversation.previous(t)
	return named(t.wordsIn(t.sentences[t.sentenceAt(m.start)].span)) && owner.other ||
		asked != nil && named(asked.words) && !speaksOfSelf(t, t.words)
}

// introduces reports whether the customer says that a person is the one of the definition: "my emergency contact is my
// wife", or names the person in reply to a question for that one.
func (r reader) introduces(t *turn, who string, words []string) bool {
	for _, u := range r.conversation.turns {
		for _, s := range u.sentences {
			text := u.wordsIn(s.span)
			if slices.ContainsFunc(text, func(w word) bool { return hasStem(words, w.text) }) &&
				(strings.Contains(u.text[s.start:s.end], who) || u.Speaker == vault.SpeakerAgent &&
					r.conversation.previous(t) == u) {
				return true
			}
		}
		if u == t {
			break
		}
	}
	return false
}

// ownerOf returns the person of whom a mention is said.
func (r reader) ownerOf(t *turn, m mention) subject {
	if after, ok := r.ownerAfter(t, m); ok {
		return after
	}
	state := r.speechBefore(t)
	if r.isWish() && r.def.About == "" {
		state = speech{} // a wish of an earlier turn does not say whose this one is
	}
	for i := range t.clauses {
		c := &t.clauses[i]
		if c.start >= m.end {
			break
		}
		holds := m.start < c.end
		var words []word
		for _, w := range c.words {
			if !holds || w.end <= m.start {
				words = append(words, w)
			}
		}
		marked := r.follow(t, words, &state)
		if !holds {
			continue
		}
		if state.other && marked {
			return state.subject
		}
		if !marked && !state.other && state.last != "" && (state.behalf || r.isElliptic(t, c, words, i)) {
			return subject{true, state.last}
		}
		return state.subject
	}
	return state.subject
}

// speechBefore returns whom the customer speaks of at the beginning of a turn.
func (r reader) speechBefore(t *turn) speech {
	var state speech
	for _, u := range r.conversation.turns {
		if u.Speaker == vault.SpeakerCustomer {
			if u == t {
				break
			}
			for _, c := range u.clauses {
				r.follow(u, c.words, &state)
			}
			continue
		}
		r.followAgent(u, &state)
	}
	return state
}

// followAgent applies a turn of the agent: a question about "your …" returns to the customer, one about "her …" or
// "your
// wife's …" does not.
func (r reader) followAgent(t *turn, state *speech) {
	words := t.wordsIn(t.lastQuestion())
	for i := range words {
		if n := r.people(t, words[i:]); n > 0 && i > 0 {
			*state = speech{subject: subject{true, joinWords(words[i : i+n])}}
			return
		}
		switch words[i].text {
		case "his", "her", "their", "he", "she", "they":
			if state.last != "" || state.other {
				state.subject = subject{true, firstOf(state.who, state.last)}
				return
			}
		case "your", "you", "ihr", "ihre", "sie", "votre", "vous", "tu", "su", "usted", "suo", "sua", "uw", "jouw",
			"pana", "pani", "ваш", "ваша", "ваше":
			if n := r.people(t, words[min(i+1, len(words)):]); n == 0 {
				*state = speech{}
			}
		}
	}
}

func firstOf(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

func joinWords(words []word) string {
	texts := make([]string, len(words))
	for i, w := range words {
		texts[i] = strings.TrimSuffix(w.text, "'s")
	}
	return strings.Join(texts, " ")
}

// people returns the number of words that name a kind of person, 0 for none.
func (r reader) people(t *turn, words []word) int {
	n := longest(t.sets(func(l *language) phrases { return l.peopleSet }), words)
	if r.def.About != "" && len(words) > 0 {
		n = max(n, newPhrases(strings.ReplaceAll(fold.Text(r.def.About), ",", " ")).at(words))
	}
	return n
}

// maxAdjectives is the number of words between "my" and the person.
const maxAdjectives = 2

// follow applies the words of a clause. It reports whether they name a subject.
func (r reader) follow(t *turn, words []word, state *speech) (marked bool) {
	for i := 0; i < len(words); i++ {
		self := longest(t.sets(func(l *language) phrases { return l.selfSet }), words[i:]) > 0
		person, n := i, 0
		if self && !isPronoun(words[i].text) {
			for k := 1; k <= maxAdjectives+1 && i+k < len(words) && n == 0; k++ {
				if n = r.people(t, words[i+k:]); n > 0 {
					person = i + k
				}
			}
		} else if !self {
			if n = r.people(t, words[i:]); n > 0 && !r.isPerson(words, i, n) {
				i += n - 1
				continue
			}
		}
		switch {
		case n > 0:
			end := person + n
			who := joinWords(words[person:end])
			switch {
			case r.withSelf(t, words, i, end):
				state.subject, state.last, marked = subject{}, "", true
			case governor.anyBefore(words, i) && !r.possesses(words, end):
				state.last = who
				state.behalf = behalf.anyIn(words[:i])
			default:
				state.subject, state.last, marked = subject{true, who}, who, true
			}
			i = end - 1
		case self:
			state.subject, marked = subject{}, true
			if isPossessive(words[i].text) {
				state.behalf = false
			}
		case longest(t.sets(func(l *language) phrases { return l.otherSet }), words[i:]) > 0:
			if words[i].text == "your" || words[i].text == "yours" || words[i].text == "them" || words[i].text == "him" {
				if i > 0 && verbs.at(words[i-1:]) == 0 || words[i].text == "your" {
					continue
				}
			}
			if isBusiness(words[i].text) && state.last == "" && r.isWish() {
				continue // the shop
			}
			state.subject, marked = subject{true, firstOf(state.last, state.who)}, true
		case !marked && addressed[words[i].text]:
			state.subject, marked = subject{}, true // a request is the customer's
		}
	}
	return marked
}

// addressed are words of a request to the agent.
var addressed = setOf("you please book find search make try show play get check look reserve order buy change set " +
	"give help let let's lets there " +
	"could can any recommend suggest how what which where is are do does")

func isBusiness(word string) bool { return strings.HasPrefix(word, "the") }

// isWish reports whether a value of the field is a feature of what the customer looks for, and not an address or
// number of
// a person.
func (r reader) isWish() bool {
	switch r.def.ValueType {
	case vault.TypeEmail, vault.TypePhone, vault.TypeURL:
		return false
	default:
		return !r.isPersonal()
	}
}

// isPerson reports whether words that can name a person do so without "my": with an article, a possessive, or at the
// beginning of a clause.
func (r reader) isPerson(words []word, i, n int) bool {
	if strings.HasSuffix(words[i+n-1].text, "'s") || r.def.About != "" {
		return true
	}
	if i == 0 {
		return i+n < len(words) && copulas.at(words[i+n:]) > 0 || i+n == len(words) || n > 1
	}
	return articles[words[i-1].text]
}

var articles = map[string]bool{
	"a": true, "an": true, "the": true, "his": true, "her": true, "their": true,
	"one": true, "another": true,
}

// isPronoun reports whether a word for the customer stands alone: "I", not "my".
func isPronoun(word string) bool { return !isPossessive(word) }

func isPossessive(word string) bool {
	switch word {
	case "my", "our", "mein", "meine", "meinen", "meinem", "meiner", "meines", "unser", "unsere", "mon", "ma", "mes",
		"notre", "nos",
		"mio", "mia", "miei", "mie", "mi", "mis", "meu", "minha", "meus", "minhas", "mijn", "onze", "ons", "mój", "moja",
		"moje", "mojego",
		"mojej", "nasz", "nasza", "mea", "mei", "mele", "мой", "моя", "мое", "моё", "мои", "моего", "моей", "мій", "моє",
		"мого", "моєї", "benim":
		return true
	default:
		return false
	}
}

// withSelf reports whether a person is named together with the customer: "me and my wife", "my wife and I".
func (r reader) withSelf(t *turn, words []word, i, end int) bool {
	and := func(w string) bool {
		return w == "and" || w == "und" || w == "et" || w == "y" || w == "e" || w == "en" || w == "i"
	}
	before := i >= 2 && and(words[i-1].text) &&
		longest(t.sets(func(l *language) phrases { return l.selfSet }), words[i-2:]) > 0
	if before {
		return true
	}
	// "and" begins a clause, so the rest is looked up in the turn.
	last := t.wordBefore(words[end-1].end)
	return and(t.word(last+1)) &&
		longest(t.sets(func(l *language) phrases { return l.selfSet }), t.words[min(len(t.words), last+2):]) > 0 &&
		isPronoun(t.word(last+2)) || i == 1 && and(words[0].text) && t.wordBefore(words[0].start) >= 0 &&
		longest(t.sets(func(l *language) phrases { return l.selfSet }), t.words[t.wordBefore(words[0].start):]) > 0 &&
		isPronoun(t.word(t.wordBefore(words[0].start)))
}

// possesses reports whether a person has what follows: "my wife's email".
func (r reader) possesses(words []word, end int) bool {
	last := words[end-1].text
	if !strings.HasSuffix(last, "'s") && !strings.HasSuffix(last, "s'") {
		return false
	}
	for _, w := range words[end:] {
		if governor.at([]word{w}) > 0 && w.text != "to" {
			return false // "for my wife's birthday in Rome"
		}
	}
	return true
}

// governor are prepositions, and verbs and nouns, after which a person is not the subject.
var governor = newPhrases("for, with, without, to, from, of, by, about, behalf, like, at, in, near, before, after, " +
	"than, contact, call, ask, tell, " +
	"told, asked, called, meet, visit, see, saw, email, mail, have, has, had, need, bring, bringing, take, taking, " +
	"want, love, help, " +
	"für, mit, von, zu, bei, pour, avec, de, à, chez, per, con, da, di, para, por, com, van, voor, met, aan, dla, " +
	"z, od, do, pentru, cu, la, для, с, от, у, з, від, book, booking")

func (p phrases) anyBefore(words []word, at int) bool {
	for k := 1; k <= 2 && at-k >= 0; k++ {
		if p.at(words[at-k:at-k+1]) > 0 {
			return true
		}
		if !articles[words[at-k].text] {
			return false
		}
	}
	return false
}

// behalf are words that say that the customer speaks for somebody else.
var behalf = newPhrases("calling for, calling about, calling on behalf of, asking for, asking about, writing for, " +
	"writing about, writing on behalf of, " +
	"on behalf of, here for, here on behalf of, inquiring for, applying for, registering, register, enrolling, sign " +
	"up, signing up, rufe für, im namen, " +
	"appelle pour, llamo por, llamo para, chiamo per, ligo para, bel voor, dzwonię w imieniu, звоню по поводу, it's " +
	"for, this is for, it is for")

// verbs are verbs with a person as their object.
var verbs = newPhrases("contact, call, ask, tell, email, mail, reach, text, write, phone, to, at, for")

// elliptic words begin a part of a sentence that belongs to the person before it: "my son Tim, born on 4 May".
var elliptic = newPhrases("born, age, aged, email, e, mail, name, named, called, phone, tel, telephone, mobile, " +
	"cell, number, dob, date, birthday, " +
	"birth, address, who, whose, living, lives, id, passport, reachable, contactable, and, aka, geboren, geb, né, " +
	"née, nacido, nacida, nato, nata, nascido, " +
	"nascida, urodzony, urodzona, născut, născută, родился, родилась, народився, народилася")

// isElliptic reports whether a clause without a subject belongs to a person who was mentioned before it in the
// sentence.
func (r reader) isElliptic(t *turn, c *clause, before []word, at int) bool {
	if at > 0 && t.clauses[at-1].sentence != c.sentence && len(before) == 0 {
		return false
	}
	return len(before) == 0 || elliptic.at(before) > 0 || r.people(t, before) > 0 || named.anyIn(before)
}

var named = newPhrases("born, named, called, aged, who is, who was, who lives, whose, geboren")

// ownerAfter reads whose a value is from the words behind it: "jane@example.com is my wife's", "… is my address".
func (r reader) ownerAfter(t *turn, m mention) (subject, bool) {
	s := t.sentences[t.sentenceAt(m.start)]
	words := t.wordsIn(span{m.end, max(m.end, s.end)})
	if len(words) == 0 {
		return subject{}, false
	}
	gap := t.text[m.end:words[0].start]
	i := belongs.at(words)
	if i == 0 && !strings.Contains(gap, "(") {
		return subject{}, false
	}
	const reach = 3
	for k := i; k < len(words) && k < i+reach; k++ {
		if n := r.people(t, words[k:]); n > 0 {
			return subject{true, joinWords(words[k : k+n])}, true
		}
		switch words[k].text {
		case "his", "her", "hers", "their", "theirs", "him", "them", "your", "yours", "ihre", "seine", "sein":
			return subject{true, ""}, true
		case "mine":
			return subject{}, true
		}
		if isPossessive(words[k].text) {
			if k+1 < len(words) && r.people(t, words[k+1:]) == 0 && (k+2 >= len(words) || r.people(t, words[k+2:]) == 0) {
				return subject{}, true
			}
			continue
		}
		if !articles[words[k].text] {
			break
		}
	}
	return subject{}, false
}

var belongs = newPhrases("is, was, belongs to, that's, that is, it's, which is, being, ist, est, es, è, é, jest, " +
	"este, это, gehört, is that of, is the, of")

var (
	// writesTo matches a verb and its addressee, directly before an address.
	writesTo = regexp.MustCompile(`(?:^|[ ,;:.!?(])(?:(?:sen[dt]|sending|forward(?:ed|ing)?|cc|bcc|copy|copied|` +
		`wr[io]te|written|writing|repl(?:y|ied)|` +
		`e-?mail(?:ed|ing)?|mail(?:ed|ing)?|talk(?:ed|ing)?|sp(?:eak|oke)|complain(?:ed)?|deliver|pa(?:y|id)|` +
		`transfer(?:red)?|report(?:ed)?|contact(?:ed)?|` +
		`text(?:ed)?|messag(?:e|ed)|call(?:ed|ing)?|rang|ring|reach(?:ed)?(?: out)?|schick\pL*|send\pL*|schreib\pL*|` +
		`geschrieben|envo\pL+|écri\pL+|envi\pL+|` +
		`escrib\pL+|scri\pL+|mand\pL+|invi\pL+|escrev\pL+|stuur\pL*|schrijf\pL*|wyśl\pL+|napis\pL+|trimite\pL*|` +
		`scrie\pL*|отправ\pL+|напис\pL+|надіш\pL+)` +
		`(?: [\pL\d'-]+){0,5}? (?:to|at|with|an|à|a|al|para|naar|aan|do|na|către|la|на|до)(?: (?:the|this|that|an?|` +
		`address|email|e-mail|number|following)){0,3}|` +
		`cc|bcc|copy) ?[:<("']*$`)
	// writesDirectly matches a verb with an address as its object: "to email bob@…".
	writesDirectly = regexp.MustCompile(`(?:^|[ ,;:.!?(])(?:(?:to|please|pls|you|i|we|they|can|could|just|should|` +
		`would|will|must|then|and|don't|let's|tried|` +
		`already|also|i've|we've|have|had|has|been|he|she|or|did|never|not|cannot|can't|i'll|we'll|somebody|someone) ` +
		`(?:e-?mail|mail|phone|ring|fax|text|message)|(?:e-?mailed|mailed|phoned|contact(?:ed|ing)?|call(?:ed|ing)|` +
		`emailing|texted|messaged|wrote|dialled|dialed|pinged|` +
		`cc|bcc|notify|notified|invite|invited|block|blocked|add|added|ask|asked|tell|told)) ?[<("']*$`)
	labelFirst = regexp.MustCompile(`(?:^|[,;:.!?(] ?|- )(?:e-?mail|mail|phone|call|text|ring|message|contact|write) ` +
		`?[<("']*$`)
	// invites matches "you can write to", which gives an address at which the customer can be reached.
	invites = regexp.MustCompile(`(?:^|[ ,;:.!?(])you (?:can|may|could|should)(?: [\pL'-]+){0,2} (?:write|reply|mail|` +
		`email|e-mail|send|text|call|phone|ring|reach|contact|talk|message)\b[^.!?]*$`)
	meOrMine = regexp.MustCompile(`(?:^| )(?:me|us|my|our|mine|mir|mich|moi|me|mi|mij|mnie)(?: [\pL-]+){0,4} ` +
		`?[:<("']*$`)
)

// isAddressee reports whether the customer writes to or calls the address or number, instead of giving it.
func (r reader) isAddressee(t *turn, m mention) bool {
	switch r.def.ValueType {
	case vault.TypeEmail, vault.TypePhone, vault.TypeURL:
	default:
		return false
	}
	c := t.clauses[t.clauseAt(m.start)]
	from := min(c.start, m.start)
	before := t.text[from:m.start]
	if meOrMine.MatchString(before) || invites.MatchString(before) {
		return false
	}
	if writesTo.MatchString(before) || writesDirectly.MatchString(before) {
		return true
	}
	if !labelFirst.MatchString(before) {
		return false
	}
	rest := t.wordsIn(span{m.end, max(m.end, c.end)})
	return len(rest) > 0 && smallWords[rest[0].text] && rest[0].text != "is" && rest[0].text != "please" &&
		rest[0].text != "thanks"
}
