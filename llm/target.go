package llm

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"

	"github.com/contextvault/contextvault/vault"
)

// target is a field to look for.
type target struct {
	def       vault.Definition
	kind      kind
	labels    [][]string // what a customer may call it, folded
	asks      [][]string // what a question for it may call it, beyond the labels
	units     wordSet    // what a number of it counts: "tickets"
	people    bool       // it counts people
	describes wordSet    // nouns that its values describe: "movie" for a genre
	choices   []choice
	regex     *regexp.Regexp
	prompt    string // the collection prompt, squeezed
}

// choice is an allowed value, as its words and as it is stored.
type choice struct {
	words []string
	raw   json.RawMessage
}

// Words of a string field's name that say what its values look like.
var (
	identifierHeads = setOf("number id code reference ref no iban bic vin ssn postcode zip zipcode plate sku serial identifier pnr")
	placeWords      = setOf("city town destination origin location area where")
	counted         = setOf("people person persons guest adult traveler traveller passenger rider participant attendee diner")
)

func newTargets(defs []vault.Definition) []target {
	targets := make([]target, len(defs))
	for i, d := range defs {
		targets[i] = newTarget(d)
	}
	shareNames(targets)
	shareContacts(targets)
	dropSharedLabels(targets)
	return targets
}

func newTarget(d vault.Definition) target {
	t := target{def: d, units: wordSet{}, prompt: squeeze(strings.TrimRight(d.CollectionPrompt, "?.! "))}
	name := words(vault.DisplayName(d.Name))
	known, isKnown := lexicon.find(d.Name)
	if !isKnown && d.DisplayName != "" {
		known, isKnown = lexicon.find(d.DisplayName)
	}
	t.choices = choicesOf(d.AllowedValues)
	t.kind = kindOfField(d, name, known, isKnown, t.choices)
	t.label(name)
	t.label(words(d.DisplayName))
	if isKnown {
		for _, phrase := range known.allPhrases() {
			t.label(strings.Fields(phrase))
		}
	}
	if t.birth() {
		t.label([]string{"born"})
		t.label([]string{"born", "on"})
	}
	t.addForms(name)
	if t.kind == kindFree {
		t.describes = describedNouns(name, d.Description)
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

func (t *target) label(parts []string) {
	if len(parts) > 0 && !slices.ContainsFunc(t.labels, func(l []string) bool { return slices.Equal(l, parts) }) {
		t.labels = append(t.labels, parts)
	}
}

// addForms adds the forms in which people speak of a field rather than name it: "checking in on …", "3 tickets", "which restaurant".
func (t *target) addForms(name []string) {
	last := name[len(name)-1]
	rest := name[:len(name)-1]
	switch {
	case (t.kind == kindDate || t.kind == kindTime) && len(rest) > 0 && (last == "date" || last == "time" || last == "day"):
		t.label(rest)
		t.label(append([]string{rest[0] + "ing"}, rest[1:]...))
		for _, form := range comings[strings.Join(rest, " ")] {
			t.label(strings.Fields(form))
		}
	case t.kind == kindNumber && len(name) > 2 && name[0] == "number" && name[1] == "of":
		t.countUnits(name[2:])
	case t.kind == kindNumber && (last == "count" || last == "size") && len(rest) > 0:
		t.countUnits(rest)
		t.people = t.people || rest[0] == "party" || rest[0] == "group"
	case t.kind == kindNumber && len(name) == 1 && strings.HasSuffix(last, "s"):
		t.countUnits(name)
	}
	if t.kind == kindBoolean && len(name) > 1 && (name[0] == "has" || name[0] == "is" || name[0] == "wants" || name[0] == "needs") {
		t.asks = append(t.asks, name[1:])
	}
}

// comings are forms in which people say when they come and go.
var comings = map[string][]string{
	"check in":  {"arrive", "arriving", "check me in", "checking in", "checkin"},
	"check out": {"leave", "leaving", "check me out", "checking out", "checkout", "stay until", "staying until", "stay till", "staying till"},
}

func (t *target) countUnits(nouns []string) {
	unit := singular(nouns[len(nouns)-1])
	t.units[unit] = true
	t.people = t.people || counted[unit]
}

func kindOfField(d vault.Definition, name []string, known knownField, isKnown bool, choices []choice) kind {
	switch d.ValueType {
	case vault.TypeBoolean:
		return kindBoolean
	case vault.TypeJSON:
		return kindNone
	}
	if len(choices) > 0 {
		return kindOfChoices(choices)
	}
	switch d.ValueType {
	case vault.TypeEmail:
		return kindEmail
	case vault.TypePhone:
		return kindPhone
	case vault.TypeURL:
		return kindURL
	case vault.TypeDate:
		return kindDate
	case vault.TypeDatetime:
		return kindDatetime
	case vault.TypeNumber:
		if isKnown && known.kind == kindAge {
			return kindAge
		}
		return kindNumber
	}
	if isKnown && known.kind != kindAuto && known.kind != kindAge {
		return known.kind
	}
	if isKnown {
		switch known.typ {
		case tDate:
			return kindDate
		case tEmail:
			return kindEmail
		case tPhone:
			return kindPhone
		case tNumber:
			return kindNumber
		case tURL:
			return kindURL
		}
	}
	last := name[len(name)-1]
	switch {
	case last == "email":
		return kindEmail
	case last == "phone" || slices.Contains(name, "phone"):
		return kindPhone
	case last == "date" || last == "day":
		return kindDate
	case last == "time":
		return kindTime
	case len(name) > 2 && name[0] == "number" && name[1] == "of":
		return kindNumber
	case identifierHeads[last]:
		return kindIdentifier
	case last == "address":
		return kindAddress
	case last == "country":
		return kindCountry
	case slices.ContainsFunc(name, func(w string) bool { return placeWords[w] }) && !strings.HasPrefix(strings.ToLower(d.Description), "name"):
		return kindPlace
	}
	return kindFree
}

// kindOfChoices tells numbers and truths, which people say in other words, from other allowed values.
func kindOfChoices(choices []choice) kind {
	numbers, truths := true, true
	for _, c := range choices {
		text := strings.Join(c.words, " ")
		numbers = numbers && !slices.ContainsFunc([]byte(text), func(b byte) bool { return b < '0' || b > '9' })
		truths = truths && (text == "true" || text == "false" || text == "yes" || text == "no")
	}
	switch {
	case truths:
		return kindBoolean
	case numbers:
		return kindNumber
	}
	return kindChoice
}

func choicesOf(allowed []json.RawMessage) []choice {
	var out []choice
	for _, raw := range allowed {
		text := strings.TrimSpace(string(raw))
		if kindOf(raw) == "string" {
			if json.Unmarshal(raw, &text) != nil {
				continue
			}
		}
		if parts := words(strings.ReplaceAll(text, "_", " ")); len(parts) > 0 {
			out = append(out, choice{parts, raw})
		}
	}
	return out
}

// choose gives the allowed value that text says, or nil.
func (t target) choose(text string) json.RawMessage {
	parts := words(text)
	for _, c := range t.choices {
		if slices.Equal(c.words, parts) {
			return c.raw
		}
	}
	return nil
}

// store writes a value as the field holds it, or nil where it may not hold it. said is what the customer said, value its
// normal form.
func (t target) store(said, value string) json.RawMessage {
	if len(t.choices) > 0 {
		if raw := t.choose(value); raw != nil {
			return raw
		}
		return t.choose(said)
	}
	switch t.def.ValueType {
	case vault.TypeNumber, vault.TypeBoolean:
		if value == "" {
			return nil
		}
		return json.RawMessage(value)
	case vault.TypeString:
		value = said // the words, whatever form they have
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

// shareNames lets the only field for a whole name be called "name", whatever it is called by the designer.
func shareNames(targets []target) {
	only := -1
	for i, t := range targets {
		if t.kind != kindPerson {
			continue
		}
		if only >= 0 {
			return
		}
		only = i
	}
	if only >= 0 && targets[only].def.Name != "emergency_contact" {
		targets[only].label([]string{"name"})
		targets[only].label([]string{"full", "name"})
	}
}

// neutral are words of a field's name that leave it the customer's one address or number, unlike "billing" or "emergency".
var neutral = setOf("customer user client contact primary main personal applicant member my home mobile cell best preferred email phone number address telephone e mail")

// shareContacts lets the only field for an email address or a phone number be called just that.
func shareContacts(targets []target) {
	for k, general := range map[kind]string{kindEmail: "email", kindPhone: "phone"} {
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
		if only < 0 || slices.ContainsFunc(words(vault.DisplayName(targets[only].def.Name)), func(w string) bool { return !neutral[w] }) {
			continue
		}
		for _, phrase := range mustKnow(general).allPhrases() {
			targets[only].label(strings.Fields(phrase))
		}
		if k == kindPhone {
			targets[only].label([]string{"number"}) // what follows must be a phone number
		}
	}
}

// dropSharedLabels takes away the labels that would name two fields.
func dropSharedLabels(targets []target) {
	count := map[string]int{}
	for _, t := range targets {
		for _, l := range t.labels {
			count[strings.Join(l, " ")]++
		}
	}
	for i := range targets {
		targets[i].labels = slices.DeleteFunc(targets[i].labels, func(l []string) bool { return count[strings.Join(l, " ")] > 1 })
	}
}

// birth reports whether the field is a day in the past that an appointment's date is never meant for.
func (t target) birth() bool {
	for _, w := range words(vault.DisplayName(t.def.Name)) {
		if w == "birth" || w == "dob" || w == "birthday" || w == "birthdate" {
			return true
		}
	}
	return false
}
