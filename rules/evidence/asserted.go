package evidence

import (
	"regexp"
	"strings"

	"github.com/contextvault/contextvault/vault"
)

var (
	// pastedHead matches a line of the head of a mail or of a forwarded message.
	pastedHead = regexp.MustCompile(`^(from|to|cc|sent|date|subject|reply-to|von|an|betreff|gesendet|de|à|objet|` +
		`asunto|enviado|fecha|da|oggetto|od|temat|data) ?: `)
	// pastedStart matches a line after which everything is quoted.
	pastedStart = regexp.MustCompile(`^(-{2,} ?(original message|forwarded message|ursprüngliche nachricht|message ` +
		`d'origine|mensaje original).*|` +
		`begin forwarded message:?.*|on .{5,80} wrote:|am .{5,80} schrieb.*:|le .{5,80} a écrit ?:|el .{5,80} escribió:)$`)
	fence = regexp.MustCompile("^```")
	// says matches words that introduce the words of somebody else.
	says = regexp.MustCompile(`(?:^|[ ,])(?:says?|said|reads?|wrote|writes|states?|stated|shows?|claims?|asks?|asked|` +
		`replied|answered|told me|` +
		`message|mail|email|letter|text|error|sagt|sagte|schreibt|steht|dit|écrit|dice|dijo|escribió|diz|disse|zegt|` +
		`mówi|pisze|spune|говорит|пишет|каже)` +
		`(?: (?:me|us|that|this|the following|is|was|to me))? ?[:,]? ?$`)
	// orders matches a text that tries to give orders to a model.
	orders = regexp.MustCompile(`\b(ignore|disregard|forget|override|bypass)\b(?: \w+){0,4} (instructions?|prompts?|` +
		`rules|guidelines|messages?|directives)\b|` +
		`(?:^|[^\w])(system|assistant|developer|admin) ?(?:prompt|message|note|override)? ?:|<\/?(system|assistant|user|` +
		`instructions?)>|\[(system|inst)\]|` +
		`\b(set|store|write|save|record|update|mark|put) (?:the )?(?:field |value |variable )?[a-z]+_[a-z_]+\b|` +
		`\b[a-z]+_[a-z_]+ ?(=|:=|:) ?\S`)
)

// minQuoted is the number of words from which quotation marks hold the words of somebody else, not a value.
const minQuoted = 5

// pastedParts returns the parts of a turn that the customer quotes from somebody else: lines that begin with >, the
// head
// and text of a forwarded mail, code, and long passages in quotation marks or after "it says:".
func pastedParts(t *turn, lines []string, spans []span) []span {
	if t.Speaker == vault.SpeakerCustomer && orders.MatchString(t.text) {
		return []span{{0, len(t.text)}}
	}
	var out []span
	heads, fenced := 0, false
	for i, line := range lines {
		switch {
		case fence.MatchString(line):
			fenced = !fenced
			out = append(out, spans[i])
		case fenced, strings.HasPrefix(line, ">"), strings.HasPrefix(line, "|"):
			out = append(out, spans[i])
		case pastedStart.MatchString(line):
			return append(out, span{spans[i].start, len(t.text)})
		case pastedHead.MatchString(line):
			heads++
			if heads > 1 { // the head of a mail; everything from its first line is the mail
				return append(out, span{firstHead(lines, spans), len(t.text)})
			}
		}
	}
	return append(out, quotedParts(t)...)
}

func firstHead(lines []string, spans []span) int {
	for i, line := range lines {
		if pastedHead.MatchString(line) {
			return spans[i].start
		}
	}
	return 0
}

// quotedParts returns the passages in quotation marks that are long, or introduced as the words of somebody else.
func quotedParts(t *turn) []span {
	var out []span
	for _, marks := range [][2]string{{`"`, `"`}, {"“", "”"}, {"„", "“"}, {"«", "»"}, {"„", "”"}} {
		for from := 0; from < len(t.text); {
			open := strings.Index(t.text[from:], marks[0])
			if open < 0 {
				break
			}
			open += from
			end := strings.Index(t.text[open+len(marks[0]):], marks[1])
			if end < 0 {
				break
			}
			end += open + len(marks[0])
			s := span{open, end + len(marks[1])}
			if len(t.wordsIn(s)) >= minQuoted || says.MatchString(strings.TrimRight(t.text[:open], " ")+" ") {
				out = append(out, s)
			}
			from = s.end
		}
	}
	return out
}

// borrowed refuses words that the customer quotes from somebody else, and a turn that gives orders to a model.
func (t *turn) borrowed(s span) problem {
	for _, p := range t.pasted {
		if p.start <= s.start && s.end <= p.end {
			return "the words are quoted or pasted, or are instructions to a model, and not a statement of the " +
				"customer"
		}
	}
	return ""
}

// object matches a JSON object with a member.
var object = regexp.MustCompile(`\{[^{}]*"[^"{}]*" ?:[^{}]*\}`)

// assigned refuses the members of an object of data in a turn with other words. Such an object is pasted, or an
// instruction to a program. It may be the value of a field of type json, and a turn that is nothing else is a form.
func (r reader) assigned(t *turn, s span) problem {
	if r.isPart {
		return ""
	}
	for _, at := range object.FindAllStringIndex(t.text, -1) {
		o := span{at[0], at[1]}
		if o.overlaps(s) && len(t.wordsIn(o)) < len(t.words) {
			return "the words are data in an object, and not a statement of the customer"
		}
	}
	return ""
}

// returns are words after which a supposition ends.
var returns = newPhrases("actually, in reality, in fact, but really, really, my real, my actual, the real, for " +
	"real, seriously, but my, in truth, " +
	"in wirklichkeit, tatsächlich, en réalité, en realidad, in realtà, na verdade, in werkelijkheid, naprawdę, de " +
	"fapt, на самом деле, насправді, aslında")

// wishes are words before something that is not yet so.
var wishes = regexp.MustCompile(`\b(i wish (i|my|we|it|that|there)\b|we wish (we|our|it)\b|if only|i hope (that ` +
	`)?(my|i|we|it|our)\b|i'm hoping (my|i)\b|dream(ing|t|s)? (of|about)|` +
	`(like|love|want|prefer|need|expect) (my|our)( [\w'-]+){0,4} to (be|become|have|go)\b|would (love|like|prefer) ` +
	`to (live|be|earn|become|have been|move)|` +
	`(want|hope|plan|wish|aim|intend|expect|trying|try) to (be|become|earn|move to|live|have an? income)\b|` +
	`i could (be|have been)|could (easily )?be (anything|any)|i used to dream|one day|someday|` +
	`wäre gern|hätte gern(e)? (ein|eine|einen) (einkommen|gehalt)|ich wünschte|j'aimerais (être|habiter|gagner)|` +
	`ojalá|me gustaría (ser|vivir|ganar)|vorrei (essere|vivere|guadagnare)|chciałbym (być|mieszkać|zarabiać))`)

// supposed refuses what the customer only supposes or wishes: "let's say …" up to the end of the turn, "if …" up to
// the
// end of its clause.
func (r reader) supposed(t *turn, m mention) problem {
	const only = "the customer only supposes it"
	at := t.wordAfter(m.start)
	last := -1
	for i := range at {
		if longest(t.sets(func(l *language) phrases { return l.supposeSet }), t.rest(i)) > 0 && !r.isInside(t, i, m) &&
			t.word(i+1) != "to" {
			last = i
		}
		if last >= 0 && i > last+1 && returns.at(t.words[i:]) > 0 &&
			t.sentenceAt(t.words[i].start) > t.sentenceAt(t.words[last].start) {
			last = -1
		}
	}
	if last >= 0 {
		return only
	}
	c := t.clauseAt(m.start)
	for i := c; i >= 0 && t.clauses[i].sentence == t.clauses[c].sentence; i-- {
		for k, w := range t.clauses[i].words {
			if w.start >= m.start {
				break
			}
			if n := longest(t.sets(func(l *language) phrases { return l.ifSet }), t.clauses[i].words[k:]); n > 0 &&
				!polite.MatchString(t.text[w.start:min(len(t.text), m.end)]) && !isWhether(t.clauses[i].words, k) {
				return only
			}
		}
		if i > 0 && !strings.HasSuffix(strings.TrimRight(t.text[:t.clauses[i].start], " "+
			""), "(") && endsWithComma(t, t.clauses[i-1], t.clauses[i]) {
			break
		}
	}
	s := t.sentences[t.sentenceAt(m.start)]
	if wishes.MatchString(t.text[s.start:max(s.start, m.start)]) && r.def.ValueType != vault.TypeBoolean {
		return "the customer wishes it and does not say that it is so"
	}
	if afterWish.MatchString(t.text[m.end:max(m.end, s.end)]) {
		return only
	}
	return ""
}

// endsWithComma reports whether a comma is between two clauses.
func endsWithComma(t *turn, a, b clause) bool {
	return strings.ContainsAny(t.text[a.end:b.start], ",:;)")
}

// polite matches conditions that say nothing about the value behind them: "if you need it".
var polite = regexp.MustCompile(`^if (you|u|that|it|possible|not|so|needed|necessary|anyone|there|they)\b`)

// isWhether reports whether "if" means whether: "Can you check if …".
func isWhether(words []word, at int) bool {
	if at == 0 {
		return false
	}
	switch words[at-1].text {
	case "check", "see", "know", "me", "out", "ask", "wonder", "wondering", "sure", "tell", "verify", "please", "make",
		"booking":
		return true
	default:
		return false
	}
}

var afterWish = regexp.MustCompile(`^[^.!?]{0,30}\b(for example|for instance|hypothetically|theoretically|zum ` +
	`beispiel|par exemple|por ejemplo|per esempio|na przykład|например|just kidding|jk)\b`)

// isInside reports whether a word is inside the value itself.
func (r reader) isInside(t *turn, i int, m mention) bool { return m.overlaps(t.words[i].span) }

var (
	// requests open a question that asks for something to be done with the value, which so is a wish of the customer.
	requests = newPhrases("can you, could you, would you, will you, can i, could i, may i, can we, could we, may " +
		"we, would it, is it possible, " +
		"do you have, have you got, have you, are there, is there, any, what about, how about, why not, could " +
		"there, do you know, are you able, " +
		"do they have, do you offer, what, which, kannst du, können sie, könnten sie, könnten wir, kann ich, gibt " +
		"es, pouvez vous, pourriez, puis je, " +
		"puede, podría, puedo, hay, può, potrebbe, posso, pode, poderia, kunt u, kan ik, czy może, czy mogę, " +
		"puteți, можете, можно, могу, можете ви")
	// direct are those of requests with a verb of doing: "can you …".
	direct = newPhrases("can you, could you, would you, will you, kannst du, können sie, könnten sie, pouvez vous, " +
		"pourriez, puede, podría, può, " +
		"potrebbe, pode, poderia, kunt u, czy może, puteți, можете")
	// identity questions ask whether the value is so.
	identity = newPhrases("is my, is your, is this, is that, is it, was it, was that, was my, are my, did i, do i, " +
		"does my, am i, was i, who, whose, " +
		"does it, does that, does this, is he, is she, has my, have i")
	lead = newPhrases("and, but, so, ok, okay, hi, hello, hey, please, great, thanks, well, yes, no, sure, alright, " +
		"also, sorry, cool, good, then, perfect, awesome, " +
		"nice, um, hmm, actually, wait, thank you")
)

// isQuestion reports whether a clause asks: it is the last of a sentence with a question mark, or begins as a
// question.
func (t *turn) isQuestion(at int) bool {
	if at < 0 {
		return false
	}
	c := t.clauses[at]
	if !t.sentences[c.sentence].asks {
		return false
	}
	if at+1 == len(t.clauses) || t.clauses[at+1].sentence != c.sentence {
		return !t.isStatement(c) || at == 0 || t.clauses[at-1].sentence != c.sentence
	}
	for i := at; i >= 0 && t.clauses[i].sentence == c.sentence; i-- {
		if t.opensQuestion(t.clauses[i]) {
			return true
		}
		if t.isStatement(t.clauses[i]) {
			return false
		}
	}
	return false
}

func (t *turn) opensQuestion(c clause) bool {
	words := c.words
	for len(words) > 0 && lead.at(words) > 0 {
		words = words[lead.at(words):]
	}
	return longest(t.sets(func(l *language) phrases { return l.askSet }), words) > 0 || requests.at(words) > 0
}

// isStatement reports whether a clause begins with its subject: "my email is …".
func (t *turn) isStatement(c clause) bool {
	words := c.words
	for len(words) > 0 && lead.at(words) > 0 {
		words = words[lead.at(words):]
	}
	return longest(t.sets(func(l *language) phrases { return l.selfSet }), words) > 0 && !t.opensQuestion(c) &&
		len(words) > 1
}

// asked refuses a value in a question about it. A request, such as "Can you book it for 12 May?", states what the
// customer wants. An address or a number of a person is no such wish.
func (r reader) asked(t *turn, m mention) problem {
	const question = "the customer asks a question and states nothing"
	at := t.clauseAt(m.start)
	if at < 0 || !t.isQuestion(at) {
		return ""
	}
	s := t.sentences[t.clauses[at].sentence]
	words := t.wordsIn(s.span)
	for len(words) > 0 && lead.at(words) > 0 {
		words = words[lead.at(words):]
	}
	before := t.wordsIn(span{s.start, m.start})
	if len(before) == 0 && len(t.wordsIn(span{m.end, max(m.end, s.end)})) == 0 { // "Berlin?"
		return question
	}
	if identity.at(words) > 0 {
		return question
	}
	if r.def.ValueType == vault.TypeString && r.isWish() && !r.isCode() {
		first := t.wordAfter(m.start)
		if places[t.word(first-1)] || articles[t.word(first-1)] && places[t.word(first-2)] || t.isStatement(t.clauses[at]) {
			return ""
		}
	}
	if r.def.ValueType == vault.TypeNumber && r.isWish() && t.isStatement(t.clauses[at]) {
		return ""
	}
	switch r.def.ValueType {
	case vault.TypeEmail, vault.TypePhone, vault.TypeURL, vault.TypeBoolean, vault.TypeJSON:
		if direct.anyIn(words) && meOrMine.MatchString(t.text[s.start:m.start]) {
			return ""
		}
		return question
	case vault.TypeDate, vault.TypeDatetime:
		if direct.anyIn(words) || wants.anyIn(words) {
			return ""
		}
		return question
	default:
	}
	if requests.anyIn(words) && r.isRequest(t, words, m) {
		return ""
	}
	return question
}

var wants = newPhrases("can i, could i, may i, can we, could we, may we, i'd like, i would like, i want, i need, " +
	"how about, what about, kann ich, puis je, puedo, posso")

// isRequest reports whether a question asks for things of a kind, of which the value is a feature, and not about the
// value itself: "what … in Berlin" and not "what is premium".
func (r reader) isRequest(t *turn, words []word, m mention) bool {
	if wh.at(words) > 0 && r.isPersonal() {
		return false
	}
	if words[0].text == "what" || words[0].text == "which" {
		if len(words) > 1 && (copulas.at(words[1:]) > 0 || words[1].text == "does" || words[1].text == "do") &&
			!wantsWhat.anyIn(words) {
			return false
		}
	}
	if r.def.ValueType == vault.TypeString && len(r.def.AllowedValues) == 0 && hasDigit(t.text[m.start:m.end]) &&
		t.codeLike(m) {
		return false
	}
	return true
}

// isPersonal reports whether the field's question is about the customer and not about what the customer looks for.
func (r reader) isPersonal() bool {
	words := allWords(r.def.CollectionPrompt)
	for i, w := range words {
		if w == "your" || w == "you" && i > 0 && words[i-1] != "would" && (i+1 == len(words) || !likes[words[i+1]]) {
			return true
		}
	}
	return false
}

var (
	likes  = setOf("want need like prefer looking wish")
	places = setOf("in on at for near around to from by with") // before what a search is limited to
)

var wantsWhat = newPhrases("what about, what are the, what are some, what is the, what's the, which are, what do " +
	"you have, what is there, what's there")

// codeLike reports whether a mention is one token with a digit and a letter or many digits, as codes are.
func (t *turn) codeLike(m mention) bool {
	text := t.text[m.start:m.end]
	return !strings.Contains(text, " ") && !strings.Contains(text, ":") && len(text) > 4 && hasDigit(text)
}
