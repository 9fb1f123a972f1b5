package propose

import (
	"slices"
	"strings"

	"github.com/contextvault/contextvault/llm/offline/text"
	"github.com/contextvault/contextvault/vault"
)

// Words at the end of a name that determine its value type.
var (
	numberHeads = text.NewWordSet(`amount price size count quantity age income salary budget weight height length
		width distance percentage limit balance total rent deposit mileage years months days nights`)
	textHeads = text.NewWordSet(`number code id identifier reference name address type colour color status level
		tier plan model brand language preference preferences title reason category method format zone currency
		timezone relationship diagnosis allergy allergies occupation destination origin location postcode time
		duration industry department role signature nationality`)
)

// personalWords mark a definition as personal data: identity, money or health.
var personalWords = text.NewWordSet(`name birth address email mail phone mobile passport id identity ssn tax bank
	account iban card income salary license licence insurance medical health diagnosis allergy allergies signature
	gender religion birthday dob nationality ethnicity health disability marital surname`)

// IsPersonal reports whether a proposed field holds personal data by its type, its name or its display name, whatever a
// model says of it.
func IsPersonal(f vault.ProposedRequirement) bool {
	if f.ValueType == vault.TypeEmail || f.ValueType == vault.TypePhone {
		return true
	}
	return slices.ContainsFunc([]string{f.Name, f.DisplayName}, func(name string) bool {
		known, ok := text.Lexicon.Find(name)
		return ok && known.PII || hasPersonalWord(name)
	})
}

func hasPersonalWord(name string) bool {
	return slices.ContainsFunc(text.Words(vault.DisplayName(name)), func(w string) bool { return personalWords[w] })
}

// vagueNouns are requested from a customer but are not data.
var vagueNouns = text.NewWordSet(`help patience permission opinion feedback question questions issue issues problem
	problems request requests confirmation consent attention needs interest information details data documents
	document proof agreement approval cooperation understanding concern concerns account accounts order orders
	booking bookings payment refund ticket tickets reservation reservations stay visit case message messages
	identity call time support access device phone purchase subscription trip journey flight choice thoughts
	wishes answer answers name look copy care note steps step action sure list rest everything something anything
	nothing system way part them it line appointment surcharge advice decision reply contact minute moment room car`)

// isDataNoun reports whether the head of a phrase is a noun for a piece of data.
func isDataNoun(parts []string) bool {
	if len(parts) == 0 {
		return false
	}
	head := headOf(parts)
	return numberHeads[head] || textHeads[head] || isDateHead(head) || head == "email" || head == "phone" ||
		head == "url" ||
		head == "website" ||
		(parts[0] == "number" && len(parts) > 2)
}

func isDateHead(head string) bool { return head == "date" || head == "birthday" || head == "deadline" }

// headOf returns the head of a noun phrase: the last word, or the one before "of".
func headOf(parts []string) string {
	for i, w := range parts {
		if w == "of" && i > 0 {
			return parts[i-1]
		}
	}
	return parts[len(parts)-1]
}

// newDefinition makes a definition for a name outside the lexicon.
func newDefinition(name string) text.KnownDefinition {
	f := text.KnownDefinition{Name: name, Type: vault.TypeString}
	f.DisplayName = capitalise(vault.DisplayName(name))
	parts := text.Words(f.DisplayName)
	f.PII = hasPersonalWord(f.DisplayName)
	head := headOf(parts)
	switch {
	case parts[0] == "is" || parts[0] == "has" || parts[0] == "wants" || parts[0] == "accepts" || head == "consent":
		f.Type = vault.TypeBoolean
	case isDateHead(head):
		f.Type = vault.TypeDate
	case head == "email" || strings.HasSuffix(name, "email_address"):
		f.Type = vault.TypeEmail
	case head == "phone" || strings.HasSuffix(name, "phone_number"):
		f.Type = vault.TypePhone
	case head == "url" || head == "website":
		f.Type = vault.TypeURL
	case numberHeads[head], parts[0] == "number" && len(parts) > 2:
		f.Type = vault.TypeNumber
	}
	f.Prompt = promptFor(f)
	return f
}

// promptFor returns the collection prompt of a definition outside the lexicon.
func promptFor(f text.KnownDefinition) string {
	label := vault.DisplayName(f.Name)
	parts := strings.Fields(label)
	switch {
	case f.Type == vault.TypeBoolean && parts[0] == "is" && len(parts) > 1:
		return "Are you " + strings.Join(parts[1:], " ") + "?"
	case f.Type == vault.TypeBoolean && parts[0] == "has" && len(parts) > 1:
		return "Do you have " + strings.Join(parts[1:], " ") + "?"
	case f.Type == vault.TypeBoolean:
		return capitalise(label) + ": yes or no?"
	case len(parts) > 2 && parts[0] == "number" && parts[1] == "of":
		return "How many " + strings.Join(parts[2:], " ") + "?"
	}
	return "What is your " + label + "?"
}

func capitalise(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}
