package llm

import (
	"strings"

	"github.com/contextvault/contextvault/vault"
)

// Words that end the name of a field and say of which type it is.
var (
	numberHeads  = setOf("amount price size count quantity age income salary budget weight height length width distance percentage limit balance total rent deposit mileage years months days nights")
	textHeads    = setOf("number code id identifier reference name address type colour color status level tier plan model brand language preference preferences title reason category method format zone currency timezone relationship diagnosis allergy allergies occupation destination origin location postcode time duration industry department role signature nationality")
	pluralCounts = setOf("people guests persons tickets passengers travelers travellers adults children rooms beds seats nights items participants employees")
)

// personal are words whose fields concern a person's identity, money or health.
var personal = setOf("name birth address email mail phone mobile passport id identity ssn tax bank account iban card income salary license licence insurance medical health diagnosis allergy allergies signature gender religion")

// isDataNoun reports whether a phrase ends in a noun that names a piece of data.
func isDataNoun(parts []string) bool {
	if len(parts) == 0 {
		return false
	}
	head := headOf(parts)
	return numberHeads[head] || textHeads[head] || isDateHead(head) || head == "email" || head == "phone" || head == "url" || head == "website" ||
		(parts[0] == "number" && len(parts) > 2)
}

func isDateHead(head string) bool { return head == "date" || head == "birthday" || head == "deadline" }

// headOf is the word that says what a phrase is: the last one, or the one before "of".
func headOf(parts []string) string {
	for i, w := range parts {
		if w == "of" && i > 0 {
			return parts[i-1]
		}
	}
	return parts[len(parts)-1]
}

// newField makes a field of a name that the lexicon does not know.
func newField(name string) knownField {
	f := knownField{name: name, typ: tString}
	f.display = capitalise(vault.DisplayName(name))
	parts := words(f.display)
	for _, w := range parts {
		if personal[w] {
			f.pii = true
		}
	}
	head := headOf(parts)
	switch {
	case parts[0] == "is" || parts[0] == "has" || parts[0] == "wants" || parts[0] == "accepts" || head == "consent":
		f.typ = tBoolean
	case isDateHead(head):
		f.typ = tDate
	case head == "email" || strings.HasSuffix(name, "email_address"):
		f.typ = tEmail
	case head == "phone" || strings.HasSuffix(name, "phone_number"):
		f.typ = tPhone
	case head == "url" || head == "website":
		f.typ = tURL
	case numberHeads[head], parts[0] == "number" && len(parts) > 2:
		f.typ = tNumber
	}
	f.prompt = promptFor(f)
	return f
}

// promptFor is the question for a field that the lexicon does not know.
func promptFor(f knownField) string {
	label := vault.DisplayName(f.name)
	parts := strings.Fields(label)
	switch {
	case f.typ == tBoolean && parts[0] == "is" && len(parts) > 1:
		return "Are you " + strings.Join(parts[1:], " ") + "?"
	case f.typ == tBoolean && parts[0] == "has" && len(parts) > 1:
		return "Do you have " + strings.Join(parts[1:], " ") + "?"
	case f.typ == tBoolean:
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
