package extract

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"

	"github.com/contextvault/contextvault/llm"
	"github.com/contextvault/contextvault/llm/offline/text"
	"github.com/contextvault/contextvault/vault"
)

// target is a definition to extract.
type target struct {
	def       vault.Definition
	kind      text.Kind
	labels    [][]string   // names in a conversation, folded
	asks      [][]string   // more names in a question
	units     text.WordSet // nouns that its numbers count: "tickets"
	people    bool         // its numbers count people
	describes text.WordSet // nouns that its values describe: "movie" for a genre
	choices   []choice
	regex     *regexp.Regexp
	prompt    string       // the collection prompt, squeezed
	entity    text.WordSet // nouns of the thing that it names: "movie" for "Title of the movie"
	essence   text.WordSet // stems of a boolean's name that set it apart: "laundri"
	plain     bool         // its name says nothing but the form: "date", "amount"
	site      bool         // a place is a station, an address or the like, and not a town
	requested bool         // it is a definition to extract, and not one of the agent's others
	profile   profile
}

// choice is an allowed value, as words and as stored.
type choice struct {
	words []string
	raw   json.RawMessage
}

// Words in the name of a string definition that determine the kind of its values.
var (
	identifierHeads = text.NewWordSet(`number id code reference ref no iban bic vin ssn postcode zip zipcode plate sku
		serial identifier pnr`)
	placeWords  = text.NewWordSet("city town destination origin location area where place region neighborhood")
	personNouns = text.NewWordSet(`people person persons guest adult traveler traveller passenger rider
		participant attendee diner individual member companion party group`)
)

// newTargets makes targets of the definitions to extract, then of the agent's others.
func newTargets(defs, others []vault.Definition) []target {
	targets := make([]target, 0, len(defs)+len(others))
	for i, d := range slices.Concat(defs, others) {
		t := newTarget(d)
		t.requested = i < len(defs)
		targets = append(targets, t)
	}
	setProfiles(targets)
	for i := range targets {
		targets[i].setNouns()
	}
	for i, t := range targets {
		// A station is where a way begins, if the agent asks for no town.
		targets[i].site = t.site && (hasAddress(t.def) || slices.ContainsFunc(targets, func(o target) bool {
			return o.kind == text.KindPlace && !o.site && o.profile.side == t.profile.side
		}))
	}
	aliasOnlyName(targets)
	aliasOnlyContacts(targets)
	dropAmbiguousLabels(targets)
	return targets
}

func newTarget(d vault.Definition) target {
	t := target{def: d, units: text.WordSet{}, prompt: llm.Squeeze(strings.TrimRight(d.CollectionPrompt, "?.! "))}
	name := text.Words(vault.DisplayName(d.Name))
	known, isKnown := text.Lexicon.Find(d.Name)
	if !isKnown && d.DisplayName != "" {
		known, isKnown = text.Lexicon.Find(d.DisplayName)
	}
	t.choices = choicesOf(d.AllowedValues)
	t.kind = kindOfDefinition(d, name, known, isKnown, t.choices)
	t.addLabel(name)
	t.addLabel(text.Words(d.DisplayName))
	if isKnown {
		for _, phrase := range known.AllPhrases() {
			t.addLabel(strings.Fields(phrase))
		}
	}
	if t.isBirthDate() {
		t.addLabel([]string{"born"})
		t.addLabel([]string{"born", "on"})
	}
	t.addForms(name)
	if t.kind == text.KindNumber {
		t.countDescribed(d.Description)
	}
	if t.kind == text.KindFree {
		t.describes = nounsDescribedBy(name, d.Description)
		for noun := range t.describes {
			for sort := range sortOf {
				t.asks = append(t.asks, []string{sort, "of", noun}, []string{sort + "s", "of", noun})
			}
		}
	}
	if d.ValidationRegex != "" {
		t.regex, _ = regexp.Compile(`^(?:` + d.ValidationRegex + `)$`)
	}
	return t
}

func (t *target) addLabel(parts []string) {
	if len(parts) > 0 && !slices.ContainsFunc(t.labels, func(l []string) bool { return slices.Equal(l, parts) }) {
		t.labels = append(t.labels, parts)
	}
}

// addForms adds phrases that mean the target without naming it: "checking in on …", "3 tickets".
func (t *target) addForms(name []string) {
	last := name[len(name)-1]
	rest := name[:len(name)-1]
	switch {
	case (t.kind == text.KindDate || t.kind == text.KindTime) && len(rest) > 0 && (last == "date" || last == "time" ||
		last == "day"):
		t.addLabel(rest)
		t.addLabel(append([]string{rest[0] + "ing"}, rest[1:]...))
		for _, form := range travelForms[strings.Join(rest, " ")] {
			t.addLabel(strings.Fields(form))
		}
	case t.kind == text.KindNumber && len(name) > 2 && name[0] == "number" && name[1] == "of":
		t.countUnits(name[2:])
	case t.kind == text.KindNumber && (last == "count" || last == "size") && len(rest) > 0:
		t.countUnits(rest)
		t.people = t.people || rest[0] == "party" || rest[0] == "group"
	case t.kind == text.KindNumber && (name[0] == "num" || name[0] == "count") && len(name) > 1:
		t.countUnits(name[1:])
	case t.kind == text.KindNumber && strings.HasSuffix(last, "s"):
		t.countUnits(name)
	}
	if t.kind == text.KindBoolean && len(name) > 1 &&
		(name[0] == "has" || name[0] == "is" || name[0] == "wants" || name[0] == "needs") {
		t.asks = append(t.asks, name[1:])
	}
}

// travelForms are phrases for arriving and leaving.
var travelForms = map[string][]string{
	"check in": {"arrive", "arriving", "check me in", "checking in", "checkin"},
	"check out": {
		"leave",
		"leaving",
		"check me out",
		"checking out",
		"checkout",
		"stay until",
		"staying until",
		"stay till",
		"staying till",
	},
}

func (t *target) countUnits(nouns []string) {
	unit := text.Singular(nouns[len(nouns)-1])
	t.units[unit] = true
	t.people = t.people || personNouns[unit]
}

func kindOfDefinition(
	d vault.Definition,
	name []string,
	known text.KnownDefinition,
	isKnown bool,
	choices []choice,
) text.Kind {
	switch d.ValueType {
	case vault.TypeBoolean:
		return text.KindBoolean
	case vault.TypeJSON:
		return text.KindNone
	default: // decided below
	}
	if len(choices) > 0 {
		return kindOfChoices(choices)
	}
	switch d.ValueType {
	case vault.TypeEmail:
		return text.KindEmail
	case vault.TypePhone:
		return text.KindPhone
	case vault.TypeURL:
		return text.KindURL
	case vault.TypeDate:
		return text.KindDate
	case vault.TypeDatetime:
		return text.KindDatetime
	case vault.TypeNumber:
		if isKnown && known.Kind == text.KindAge {
			return text.KindAge
		}
		return text.KindNumber
	default: // decided below
	}
	if isKnown && known.Kind != text.KindAuto && known.Kind != text.KindAge {
		return known.Kind
	}
	if isKnown {
		switch known.Type {
		case vault.TypeDate:
			return text.KindDate
		case vault.TypeEmail:
			return text.KindEmail
		case vault.TypePhone:
			return text.KindPhone
		case vault.TypeNumber:
			return text.KindNumber
		case vault.TypeURL:
			return text.KindURL
		default: // decided below
		}
	}
	if k := kindOfWords(name); k != text.KindAuto && !(k == text.KindPlace && namesThing(d.Description)) {
		return k
	}
	if k := kindOfPhrase(d.Description); k != text.KindAuto {
		return k
	}
	return text.KindFree
}

// namesThing reports whether a description begins with "name of" or "title of".
func namesThing(description string) bool {
	parts := headPhrase(description)
	return len(parts) > 0 && nameNouns[parts[len(parts)-1]]
}

// headPhrase returns the words of a description up to its head noun: "exact name" for "The exact name of the film".
func headPhrase(description string) []string {
	parts := text.Words(description)
	for len(parts) > 0 && (demonstratives[parts[0]] || parts[0] == "a" || parts[0] == "an") {
		parts = parts[1:]
	}
	for i, w := range parts {
		if (text.PhraseEnds[w] || w == "of" || w == "the" || w == "a") && i > 0 {
			return parts[:i]
		}
	}
	return parts
}

// kindOfPhrase returns the kind that a description means: "City where the bus departs", "The day on which …".
// KindAuto: none.
func kindOfPhrase(description string) text.Kind {
	head := headPhrase(description)
	if len(head) == 0 || len(head) > 4 {
		return text.KindAuto
	}
	if nameNouns[head[len(head)-1]] {
		rest := text.Words(description)
		at := slices.Index(rest, "of")
		for at >= 0 && at+1 < len(rest) && (demonstratives[rest[at+1]] || rest[at+1] == "a") {
			at++
		}
		if at >= 0 && at+1 < len(rest) && (rest[at+1] == "city" || rest[at+1] == "town") {
			return text.KindPlace
		}
		return text.KindAuto
	}
	if head[0] == "number" || head[0] == "count" {
		return text.KindNumber
	}
	return kindOfWords(head)
}

// moneyWords are the words of an amount of money.
var moneyWords = text.NewWordSet("price cost fare rent amount fee budget balance sum money charge deposit payment")

// measures are words of a measured number.
var measures = text.NewWordSet(`rating score stars percentage percent temperature speed distance weight height quantity
	count duration`)

// kindOfWords returns the kind that the words of a name mean, KindAuto for none.
func kindOfWords(name []string) text.Kind {
	last := name[len(name)-1]
	switch {
	case last == "email":
		return text.KindEmail
	case last == "phone" || slices.Contains(name, "phone"):
		return text.KindPhone
	case last == "date" || last == "day" || name[0] == "date" || name[0] == "day":
		return text.KindDate
	case last == "time" || name[0] == "time":
		return text.KindTime
	case len(name) > 2 && name[0] == "number" && name[1] == "of", name[0] == "num" || name[0] == "count":
		return text.KindNumber
	case moneyWords[last] || moneyWords[name[0]]:
		return text.KindMoney
	case measures[last]:
		return text.KindNumber
	case identifierHeads[last]:
		return text.KindIdentifier
	case last == "address":
		return text.KindAddress
	case last == "country":
		return text.KindCountry
	case kindWords[last] || nameNouns[last]:
		return text.KindAuto
	case slices.ContainsFunc(name, func(w string) bool { return placeWords[w] || siteWords[w] }):
		return text.KindPlace
	}
	return text.KindAuto
}

// siteWords are places that are not towns.
var siteWords = text.NewWordSet(`station airport address street venue terminal stop branch office building terminus port harbour harbor
	dock pier gate platform`)

// hasAddress reports whether a definition asks for an address.
func hasAddress(d vault.Definition) bool {
	return slices.ContainsFunc(definitionWords(d), func(w string) bool { return w == "address" || w == "street" })
}

// townWords are towns.
var townWords = text.NewWordSet("city town village cities municipality metropolis")

// setNouns reads the nouns of the thing that t names, what a boolean is about, and whether a place is a town.
func (t *target) setNouns() {
	name := joinWords(text.Words(vault.DisplayName(t.def.Name)))
	t.entity, t.essence = text.WordSet{}, text.WordSet{}
	t.plain = t.profile.side == noSide && !slices.ContainsFunc(name, func(w string) bool {
		return !formWords[text.Stem(w)] && !moneyWords[w]
	})
	if t.def.Name == "balance" || slices.Contains(name, "balance") {
		t.plain = false
	}
	all := slices.Concat(name, text.Words(t.def.DisplayName+" "+t.def.Description))
	if t.kind == text.KindPlace {
		t.site = slices.ContainsFunc(all, func(w string) bool { return siteWords[w] }) &&
			!slices.ContainsFunc(headPhrase(t.def.Description), func(w string) bool { return townWords[w] }) &&
			!slices.ContainsFunc(name, func(w string) bool { return townWords[w] })
	}
	if t.kind == text.KindBoolean {
		for _, w := range name {
			if s := text.Stem(w); !functionWords[w] && !formWords[s] && t.profile.own[s] && !permissions[w] {
				t.essence[s] = true
			}
		}
		return
	}
	if t.kind != text.KindFree && t.kind != text.KindPerson && t.kind != text.KindChoice || len(t.describes) > 0 {
		return
	}
	for _, w := range name {
		if !nameNouns[w] && !functionWords[w] && !kindWords[w] {
			t.entity[text.Singular(w)] = true
		}
	}
	if t.kind == text.KindChoice {
		return
	}
	head := headPhrase(t.def.Description)
	if len(head) > 0 && !nameNouns[head[len(head)-1]] {
		if w := text.Singular(head[len(head)-1]); len(head) <= 3 && !functionWords[w] {
			t.entity[w] = true
		}
		return
	}
	said := text.Words(t.def.Description)
	for i := slices.Index(said, "of") + 1; i > 0 && i < len(said); i++ {
		w := said[i]
		if w == "or" || w == "and" || len(t.entity) == 0 && (demonstratives[w] || w == "a" || w == "an") ||
			demonstratives[w] && (said[i-1] == "or" || said[i-1] == "and") {
			continue
		}
		if text.PhraseEnds[w] || demonstratives[w] {
			break
		}
		t.entity[text.Singular(w)] = true
	}
}

// permissions are words of a boolean's name that are not what it is about.
var permissions = text.NewWordSet("allowed welcome included offers serves available free good provides accepts permitted")

// countDescribed adds the nouns after "number of" in a description.
func (t *target) countDescribed(description string) {
	said := joinWords(text.Words(description))
	for i := 0; i+2 < len(said); i++ {
		if ((said[i] != "number" && said[i] != "count") || said[i+1] != "of") && !(said[i] == "how" && said[i+1] == "many") {
			continue
		}
		var nouns []string
		for _, w := range said[i+2:] {
			if text.PhraseEnds[w] || w == "the" && len(nouns) > 0 {
				break
			}
			if !functionWords[w] {
				nouns = append(nouns, w)
			}
		}
		if len(nouns) > 0 && len(nouns) <= 3 {
			t.countUnits(nouns)
		}
		return
	}
	for _, w := range said {
		t.people = t.people || personNouns[text.Singular(w)]
	}
}

// kindOfChoices returns KindNumber or KindBoolean for allowed values that people say in other words, else KindChoice.
func kindOfChoices(choices []choice) text.Kind {
	numbers, truths := true, true
	for _, c := range choices {
		content := strings.Join(c.words, " ")
		numbers = numbers && !slices.ContainsFunc([]byte(content), func(b byte) bool { return b < '0' || b > '9' })
		truths = truths && (content == "true" || content == "false" || content == "yes" || content == "no")
	}
	switch {
	case truths:
		return text.KindBoolean
	case numbers:
		return text.KindNumber
	}
	return text.KindChoice
}

func choicesOf(allowed []json.RawMessage) []choice {
	var out []choice
	for _, raw := range allowed {
		content := strings.TrimSpace(string(raw))
		if strings.HasPrefix(content, `"`) {
			if json.Unmarshal(raw, &content) != nil {
				continue
			}
		}
		if parts := text.Words(strings.ReplaceAll(content, "_", " ")); len(parts) > 0 {
			out = append(out, choice{parts, raw})
		}
	}
	return out
}

// matchChoice returns the allowed value that content is, or nil.
func (t target) matchChoice(content string) json.RawMessage {
	parts := text.Words(content)
	for _, c := range t.choices {
		if slices.Equal(c.words, parts) {
			return c.raw
		}
	}
	return nil
}

// encode returns the JSON of a value for t, or nil if t does not allow it. said is the customer's text, value its
// normal form.
func (t target) encode(said, value string) json.RawMessage {
	if len(t.choices) > 0 {
		if raw := t.matchChoice(value); raw != nil {
			return raw
		}
		return t.matchChoice(said)
	}
	switch t.def.ValueType {
	case vault.TypeNumber, vault.TypeBoolean:
		if value == "" {
			return nil
		}
		return json.RawMessage(value)
	case vault.TypeString:
		value = said // the original words
	default: // the normal form
	}
	if value == "" || (t.regex != nil && !t.regex.MatchString(value)) {
		return nil
	}
	return quoteJSON(value)
}

func quoteJSON(s string) json.RawMessage {
	raw, err := json.Marshal(s)
	if err != nil {
		return nil
	}
	return raw
}

// aliasOnlyName adds the label "name" to the only target for a full name.
func aliasOnlyName(targets []target) {
	only := -1
	for i, t := range targets {
		if t.kind != text.KindPerson {
			continue
		}
		if only >= 0 {
			return
		}
		only = i
	}
	if only >= 0 && targets[only].def.Name != "emergency_contact" {
		targets[only].addLabel([]string{"name"})
		targets[only].addLabel([]string{"full", "name"})
	}
}

// neutralWords do not restrict the purpose of an address or number, unlike "billing" or "emergency".
var neutralWords = text.NewWordSet(`customer user client contact primary main personal applicant member my home mobile
	cell best preferred email phone number address telephone e mail`)

// aliasOnlyContacts adds the general labels to the only target for an email address or a phone number.
func aliasOnlyContacts(targets []target) {
	for k, general := range map[text.Kind]string{text.KindEmail: "email", text.KindPhone: "phone"} {
		only := -1
		for i, t := range targets {
			if t.kind == k {
				if only >= 0 {
					only = -2
					break
				}
				only = i
			}
		}
		if only < 0 ||
			slices.ContainsFunc(
				text.Words(vault.DisplayName(targets[only].def.Name)),
				func(w string) bool { return !neutralWords[w] },
			) {
			continue
		}
		for _, phrase := range text.MustFind(general).AllPhrases() {
			targets[only].addLabel(strings.Fields(phrase))
		}
		if k == text.KindPhone {
			targets[only].addLabel([]string{"number"}) // a phone number must follow
		}
	}
}

// dropAmbiguousLabels removes the labels that name more than one target.
func dropAmbiguousLabels(targets []target) {
	count := map[string]int{}
	for _, t := range targets {
		for _, l := range t.labels {
			count[strings.Join(l, " ")]++
		}
	}
	for i := range targets {
		targets[i].labels = slices.DeleteFunc(
			targets[i].labels,
			func(l []string) bool { return count[strings.Join(l, " ")] > 1 },
		)
	}
}

// isBirthDate reports whether t is a date of birth.
func (t target) isBirthDate() bool {
	for _, w := range text.Words(vault.DisplayName(t.def.Name)) {
		if w == "birth" || w == "dob" || w == "birthday" || w == "birthdate" {
			return true
		}
	}
	return false
}
