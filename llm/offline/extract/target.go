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
	prompt    string // the collection prompt, squeezed
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
	placeWords  = text.NewWordSet("city town destination origin location area where")
	personNouns = text.NewWordSet(`people person persons guest adult traveler traveller passenger rider
		participant attendee diner`)
)

func newTargets(defs []vault.Definition) []target {
	targets := make([]target, len(defs))
	for i, d := range defs {
		targets[i] = newTarget(d)
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
	case t.kind == text.KindNumber && len(name) == 1 && strings.HasSuffix(last, "s"):
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
	last := name[len(name)-1]
	switch {
	case last == "email":
		return text.KindEmail
	case last == "phone" || slices.Contains(name, "phone"):
		return text.KindPhone
	case last == "date" || last == "day":
		return text.KindDate
	case last == "time":
		return text.KindTime
	case len(name) > 2 && name[0] == "number" && name[1] == "of":
		return text.KindNumber
	case identifierHeads[last]:
		return text.KindIdentifier
	case last == "address":
		return text.KindAddress
	case last == "country":
		return text.KindCountry
	case slices.ContainsFunc(name, func(w string) bool { return placeWords[w] }) &&
		!strings.HasPrefix(strings.ToLower(d.Description), "name"):
		return text.KindPlace
	}
	return text.KindFree
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
