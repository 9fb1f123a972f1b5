package reply

import (
	"encoding/json"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/contextvault/contextvault/rules"
	"github.com/contextvault/contextvault/rules/evidence"
	"github.com/contextvault/contextvault/vault"
)

func isLetterOrDigit(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }

// hasForm reports whether the values of a definition have a form that other words do not have.
func hasForm(d vault.Definition) bool {
	return d.ValueType != vault.TypeString || len(d.AllowedValues) > 0 || d.ValidationRegex != ""
}

// readValue reads the value that the content of the reply states, first by pure rules, then by the model. problem is
// what is wrong with the only value, if it is invalid.
func (r *reader) readValue() (value json.RawMessage, quote string, problem error) {
	content := r.contents()
	if len(content) == 0 || r.isAboutOther(content) {
		return nil, "", nil
	}
	if r.Definition.ValueType == vault.TypeNumber && numbersIn(content) > 1 {
		return nil, "", nil // "2 adults and 3 children"
	}
	if len(content) == 1 || r.isList(content) {
		from, to, lead := r.core(content)
		text := r.text[from:to]
		if value, err := r.checkCore(text, lead); err == nil && value != nil {
			return value, text, nil
		} else if err != nil {
			problem = err
		}
	}
	if r.Definition.ValueType == vault.TypeNumber {
		if value := r.readNumber(content); value != nil {
			return value, r.text, nil
		}
	}
	r.ask()
	if r.model != nil && r.trusts(*r.model, content) {
		return r.model.Value, r.model.Quote, nil
	}
	if len(r.also) > 0 && !hasForm(r.Definition) {
		if value, text, ok := r.beforeOthers(content); ok {
			return value, text, nil
		}
	}
	return nil, "", problem
}

// ofOthers matches another person as the subject of a sentence or as the owner of something: "my daughter was born …",
// "my wife's email is …". "I live with my wife" is about the customer.
var ofOthers = regexp.MustCompile(`(?:^| )(?:my|our|his|her|their) (?:\S+ )?` + relatives +
	`(?:'s|s'| is| was| has| lives| were| are)(?: |$)`)

// otherPersons matches any mention of another person.
var otherPersons = regexp.MustCompile(`(?:^| )(?:my|our|his|her|their) (?:\S+ )?` + relatives + `(?:'s|s'|s)?(?: |$)`)

// relatives are the persons that customers speak of.
const relatives = `(wife|husband|spouse|partner|son|daughter|child|kid|baby|mother|mom|mum|father|dad|parents|` +
	`brother|sister|sibling|` +
	`friend|boyfriend|girlfriend|fianc[eé]e?|boss|colleague|coworker|neighbou?r|roommate|flatmate|aunt|uncle|cousin|` +
	`nephew|niece|` +
	`grandmother|grandfather|grandma|grandpa|assistant|secretary|lawyer|doctor)`

// isPersonal reports whether each person has a value of their own: then a mention of another person makes it doubtful
// whose value it is.
func (r *reader) isPersonal() bool {
	switch r.Definition.ValueType {
	case vault.TypeEmail, vault.TypePhone, vault.TypeDate:
		return true
	default:
		return false
	}
}

// isAboutOther reports whether the content is about another person than the customer, whom the question does not name.
func (r *reader) isAboutOther(content []part) bool {
	return slices.ContainsFunc(content, func(p part) bool {
		m := ofOthers.FindStringSubmatch(p.words())
		if m == nil && r.isPersonal() {
			m = otherPersons.FindStringSubmatch(p.words())
		}
		return m != nil && !r.known[m[1]] && !strings.Contains(fold(r.Definition.Prompt()), m[1])
	})
}

// contents returns the parts that may state a value. Words of courtesy are part of it if they are part of a list:
// "Nice, France".
func (r *reader) contents() []part {
	var out []part
	for _, p := range r.parts {
		if p.class == classContent {
			out = append(out, p)
		}
	}
	return out
}

// isList reports whether the content is one text with commas, such as "Portland, OR": each part begins with a capital
// or a digit, unless the field is a list, and only commas are between them.
func (r *reader) isList(content []part) bool {
	for i, p := range content {
		first := firstRune(r.text[p.start():])
		if !unicode.IsUpper(first) && !unicode.IsDigit(first) && !r.Definition.Multiple {
			return false
		}
		between := " ,;"
		if r.known["address"] {
			between = " ,;." // "Hauptstr. 5"
		}
		if i > 0 && strings.Trim(r.text[content[i-1].end():p.start()], between) != "" {
			return false
		}
	}
	return !hasForm(r.Definition)
}

// isLower reports whether a text begins with a letter that is no capital.
func isLower(text string) bool {
	first := firstRune(text)
	return unicode.IsLetter(first) && !unicode.IsUpper(first)
}

// codeNouns are words of labels whose values are codes.
var codeNouns = newSet(`number code id reference ref no iban bic vin ssn postcode zip plate sku serial
	identifier pnr nr`)

// isCode reports whether the values of the field are codes, such as an order number.
func (r *reader) isCode() bool {
	words := strings.Fields(fold(r.Definition.Label()))
	return len(words) > 0 && codeNouns[words[len(words)-1]]
}

// isCodeText reports whether words are a code: each has a digit, or is a group of capitals.
func isCodeText(words []string) bool {
	const group = 4
	digits := false
	for _, w := range words {
		digit := strings.ContainsFunc(w, unicode.IsDigit)
		if !digit && (len(w) > group || strings.ToUpper(w) != w) {
			return false
		}
		digits = digits || digit
	}
	return digits || len(words) == 1
}

// sentenceArticles do not begin a name in lower case.
var sentenceArticles = newSet("a an the some any my our")

// numbersIn counts the numbers in the content, in digits or words.
func numbersIn(content []part) int {
	n := 0
	for _, p := range content {
		for i, t := range p.tokens {
			_, isWord := numberOf(t.word)
			if i > 0 && isWord { // "twenty two" is one number
				if _, joined := numberOf(p.tokens[i-1].word + " " + t.word); joined {
					continue
				}
			}
			if isWord || strings.ContainsAny(t.word, "0123456789") {
				n++
			}
		}
	}
	return n
}

// trusts reports whether a value of the model may be the value of the question's field. The evidence gate has accepted
// it already.
func (r *reader) trusts(c vault.Candidate, content []part) bool {
	text := rules.TextOf(c.Value)
	switch {
	case r.Definition.ValidationRegex != "" || r.Definition.ValueType == vault.TypeEmail:
		return hasWhole(content, fold(text)) // "A-B-12345" does not hold B-12345
	case hasForm(r.Definition):
		return true
	}
	if r.isName() && r.isOneOfTwo(text) {
		return false
	}
	if isLower(text) && r.isName() {
		_, _, lead := r.core(content)
		return r.isPlainText(text, lead) && (lead == "" || namingLeads[lead] || selfLeads[lead])
	}
	return r.isPlainText(text, "")
}

// isOneOfTwo reports whether the reply joins a name with another one: "Munich and Paris".
func (r *reader) isOneOfTwo(name string) bool {
	_, after, found := strings.Cut(r.text, name+" and ")
	if found && unicode.IsUpper(firstRune(after)) && !strings.HasPrefix(after, "I ") && !strings.HasPrefix(after, "I'") {
		return true
	}
	before, _, found := strings.Cut(r.text, " and "+name)
	last := before[strings.LastIndexByte(before, ' ')+1:]
	return found && unicode.IsUpper(firstRune(last)) && last != "I"
}

// hasWhole reports whether the content has a folded text as whole words.
func hasWhole(content []part, text string) bool {
	words := strings.Join(strings.Fields(text), " ")
	return slices.ContainsFunc(content, func(p part) bool { return strings.Contains(" "+p.words()+" ", " "+words+" ") })
}

// core returns the position of the value in the content: without the words that lead to it and follow it. lead is the
// phrase before it.
func (r *reader) core(content []part) (from, to int, lead string) {
	var tokens []token
	for _, p := range content {
		tokens = append(tokens, p.tokens...)
	}
	i, j := 0, len(tokens)
	for changed := true; changed; {
		changed = false
		for _, phrase := range leads {
			if hasWords(tokens[:j], i, phrase) && i+len(phrase) < j {
				i, lead, changed = i+len(phrase), strings.Join(phrase, " "), true
				break
			}
		}
		if n := r.labelLength(tokens[i:j]); n > 0 {
			i, changed = i+n, true
		}
	}
	for changed := true; changed; {
		changed = false
		for _, phrase := range tails {
			if at := j - len(phrase); at > i && hasWords(tokens, at, phrase) {
				j, changed = at, true
				break
			}
		}
	}
	return tokens[i].start, tokens[j-1].end, lead
}

// labelLength returns the number of tokens that name the field before its value: "my full name is", "email:".
func (r *reader) labelLength(tokens []token) int {
	n := 0
	for n < len(tokens) && (tokens[n].word == "my" || tokens[n].word == "the" || tokens[n].word == "our") {
		n++
	}
	named := n
	for n < len(tokens) && r.known[strings.TrimSuffix(tokens[n].word, "'s")] {
		n++
	}
	if n == named || n == len(tokens) {
		return 0
	}
	if w := tokens[n].word; w == "is" || w == "=" || w == "would" && n+1 < len(tokens) && tokens[n+1].word == "be" {
		if w == "would" {
			n++
		}
		n++
	} else if hasForm(r.Definition) || strings.HasSuffix(tokens[n-1].word, "'s") ||
		strings.Contains(r.text[tokens[n-1].end:tokens[n].start], ":") {
		// "email leo@example.net", "name's Sam"
	} else {
		return 0
	}
	if n >= len(tokens) {
		return 0
	}
	return n
}

// checkCore returns the value that a part of the reply is, nil if it is none. err is what is wrong with a value of the
// right form.
func (r *reader) checkCore(text, lead string) (json.RawMessage, error) {
	if len(r.Definition.AllowedValues) > 0 {
		return r.readChoice(), nil
	}
	if !hasForm(r.Definition) && !r.arePlainTexts(text, lead) {
		return nil, nil
	}
	if n, ok := numberOf(fold(text)); ok && r.Definition.ValueType == vault.TypeNumber {
		checked, err := rules.CheckValue(
			&r.Definition, r.Definition.Name, json.RawMessage(strconv.Itoa(n)), vault.ModeStrict,
		)
		return checked.Value, err
	}
	raw, err := r.encode(text)
	if err != nil {
		return nil, err
	}
	checked, err := rules.CheckValue(&r.Definition, r.Definition.Name, raw, vault.ModeStrict)
	if upper := strings.ToUpper(text); err != nil && r.Definition.ValidationRegex != "" && upper != text {
		return r.checkCore(upper, lead) // codes are often written in lower case
	}
	if err != nil {
		return nil, err
	}
	// The gate sees what is around the value: negations, and whose it is.
	turns := []vault.Turn{
		{Index: 0, Speaker: vault.SpeakerAgent, Text: r.Definition.Prompt()},
		{Index: 1, Speaker: vault.SpeakerCustomer, Text: r.text},
	}
	c := vault.Candidate{FieldName: r.Definition.Name, Value: raw, Confidence: 1, Quote: r.text}
	if _, problem := evidence.Read(turns).Check(c, &r.Definition); problem != nil {
		return nil, nil //nolint:nilerr // a value that the reply does not support is no value
	}
	return checked.Value, nil
}

// encode returns a text as JSON: the elements of it for a list in words.
func (r *reader) encode(text string) (json.RawMessage, error) {
	if !r.Definition.Multiple || hasForm(r.Definition) {
		return json.Marshal(text)
	}
	return json.Marshal(elements(text))
}

// elements returns the elements of a list in words.
func elements(text string) []string {
	var out []string
	for _, at := range rules.SpokenElements(text) {
		out = append(out, text[at[0]:at[1]])
	}
	return out
}

// arePlainTexts is isPlainText for each element of a list.
func (r *reader) arePlainTexts(text, lead string) bool {
	if !r.Definition.Multiple {
		return r.isPlainText(text, lead)
	}
	return !slices.ContainsFunc(elements(text), func(e string) bool { return !r.isPlainText(e, lead) })
}

// aroundNumbers are words beside a number that do not change it.
var aroundNumbers = newSet(`make makes earn earns year years annually yearly p.a per annum around about
	approximately approx roughly
	people persons person exactly total gross net before tax euro euros eur dollar dollars usd pound pounds gbp
		chf francs franken sek nok dkk
	pln zł kr kronor € $ £ circa ca ungefähr etwa environ unos aproximadamente`)

// readNumber returns the only number of the content, if all its other words are known: "I make 60,500 dollars a year".
// The gate decides whether its digits can be read in only one way.
func (r *reader) readNumber(content []part) json.RawMessage {
	var digits string
	for _, p := range content {
		for _, t := range p.tokens {
			number := strings.Trim(t.word, "€$£")
			switch {
			case strings.Trim(number, "0123456789.,'") == "" && number != "":
				digits = number
			case !fillers[t.word] && !r.known[t.word] && !aroundNumbers[t.word] && !isDecoration(t.word):
				return nil
			}
		}
	}
	turns := []vault.Turn{
		{Index: 0, Speaker: vault.SpeakerAgent, Text: r.Definition.Prompt()},
		{Index: 1, Speaker: vault.SpeakerCustomer, Text: r.text},
	}
	for _, plain := range []string{
		strings.NewReplacer(",", "", "'", "").Replace(digits), strings.Replace(digits, ",", ".", 1),
		strings.NewReplacer(".", "", ",", ".").Replace(digits),
	} {
		if !json.Valid([]byte(plain)) {
			continue
		}
		c := vault.Candidate{FieldName: r.Definition.Name, Value: json.RawMessage(plain), Confidence: 1, Quote: r.text}
		if checked, problem := evidence.Read(turns).Check(c, &r.Definition); problem == nil {
			return checked.Value
		}
	}
	return nil
}

// readChoice returns the only allowed value that the content names, if all its other words are known.
func (r *reader) readChoice() json.RawMessage {
	var found json.RawMessage
	for _, p := range r.contents() {
		for i := 0; i < len(p.tokens); i++ {
			value, n := r.choiceAt(p.tokens, i)
			switch {
			case value == nil:
				if w := p.tokens[i].word; !fillers[w] && !r.known[w] && !yesWords[w] && !isDecoration(w) {
					return nil
				}
			case found != nil && !rules.SameValue(r.Definition.ValueType, found, value):
				return nil
			default:
				found = value
				i += n - 1
			}
		}
	}
	return found
}

// choiceAt returns the longest allowed value at position i of the tokens, and its length.
func (r *reader) choiceAt(tokens []token, i int) (value json.RawMessage, length int) {
	for _, raw := range r.Definition.AllowedValues {
		var words []string
		for _, s := range segments(strings.ReplaceAll(rules.TextOf(raw), "_", " ")) {
			for _, t := range s.tokens {
				words = append(words, t.word)
			}
		}
		if len(words) > length && hasWords(tokens, i, words) {
			value, length = raw, len(words)
		}
	}
	return value, length
}

// numberOf returns a number below one hundred in words: "twelve", "twenty-two".
func numberOf(words string) (int, bool) {
	if n, ok := rules.NumberWords[words]; ok {
		return n, true
	}
	tens, unit, ok := strings.Cut(strings.ReplaceAll(words, " ", "-"), "-")
	t, isTens := rules.NumberWords[tens]
	u, isUnit := rules.NumberWords[unit]
	return t + u, ok && isTens && isUnit && t >= 20 && u > 0 && u < 10
}

// isPlainText reports whether a part of a reply can be the value of a definition without a form, such as a name: a few
// words, none of which belongs to a sentence.
func (r *reader) isPlainText(text, lead string) bool {
	const maxWords = 6
	words := strings.Fields(text)
	if len(words) == 0 || len(words) > maxWords || strings.ContainsAny(text, "@?!;") ||
		!strings.ContainsFunc(text, unicode.IsLetter) && (r.isName() || !strings.ContainsFunc(text, unicode.IsDigit)) {
		return false
	}
	if r.isCode() && !isCodeText(words) {
		return false
	}
	lower := isLower(text)
	switch {
	case lower && selfLeads[lead]: // "I'm waiting"
		return false
	case lower && r.isName() && lead != "" && !namingLeads[lead]: // "I want a refund"
		return false
	case lower && r.isName() && sentenceArticles[fold(words[0])]: // "the capital"
		return false
	case lower && (r.has(classInterruption) || r.has(classQuestion)) && (lead == "" || !namingLeads[lead]):
		return false // "hang on, dinner"
	case r.isName() && strings.Contains(fold(text), " and "): // two of them
		return false
	case lower && r.Confirm && !r.Again && lead == "" && !r.has(classNo) && !isLower(rules.TextOf(r.Candidate)):
		// A customer who wrote "Berlin" does not write "hamburg"; "perfetto" is no city.
		return false
	}
	return !slices.ContainsFunc(words, func(w string) bool {
		if strings.ToUpper(w) == w && len(strings.Trim(w, ".,")) == 2 {
			return false // "Portland, OR"
		}
		w = strings.Trim(fold(w), ".,'\"")
		return sentenceWords[w] || negations[w] || noWords[w] || wrongWords[w] ||
			yesWords[w] && w != "sim" && w != "k" && w != "sure"
	})
}

// beforeOthers returns the first part of the content as the value if the model found values of other fields in all the
// parts after it: "Ken Osei, and you can reach me at …".
func (r *reader) beforeOthers(content []part) (json.RawMessage, string, bool) {
	for _, p := range content[1:] {
		if !slices.ContainsFunc(r.also, func(c Said) bool {
			return strings.Contains(fold(r.text[p.start():p.end()]), fold(rules.TextOf(c.Value)))
		}) {
			return nil, "", false
		}
	}
	from, to, lead := r.core(content[:1])
	value, err := r.checkCore(r.text[from:to], lead)
	return value, r.text[from:to], err == nil && value != nil && len(content) > 1
}
