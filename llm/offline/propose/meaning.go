package propose

import (
	"strings"

	"github.com/kljensen/snowball/english"

	"github.com/contextvault/contextvault/llm/offline/text"
)

// synonyms are groups of English words with the same meaning in the description of a fact. The first word stands for
// the group.
var synonyms = synonymTable(
	"birth birthday birthdate dob born bday",
	"phone telephone tel mobile cell cellphone smartphone",
	"email mail e-mail",
	"number code id no identifier reference ref",
	"licence license permit",
	"plate registration",
	"surname lastname",
	"forename firstname",
	"company organisation organization business firm",
	"income salary earnings wage wages pay",
	"turnover revenue",
	"monthly month",
	"annual yearly annually year",
	"price cost fee fare charge",
	"doctor physician gp",
	"medication drug medicine",
	"article item product sku",
	"bag baggage luggage suitcase",
	"pet animal",
	"child kid",
	"arrival checkin",
	"departure checkout",
	"delivery shipping shipment ship deliver",
	"reservation booking book reserve",
	"tariff plan",
	"provider carrier operator insurer",
	"expiry expiration expire expires",
	"start begin beginning onset since",
	"colour color",
	"job occupation profession",
	"amount sum quantity",
	"cover coverage insured",
	"incident accident",
	"damage broken break defect defective",
	"slot timeslot",
	"gender sex",
	"postcode zip zipcode postal",
	"flat apartment",
	"size measurement",
	"holiday vacation",
	"weight weigh",
	"people person guest",
	"consumption usage use",
	"payment instalment installment",
	"issue issued",
	"abroad foreign",
	"spouse husband wife",
)

// compounds are pairs of words that make one word.
var compounds = map[[2]string]string{
	{"e", "mail"}: "email", {"check", "in"}: "checkin", {"check", "out"}: "checkout", {"pick", "up"}: "pickup",
	{"drop", "off"}: "dropoff", {"post", "code"}: "postcode", {"zip", "code"}: "postcode", {"postal", "code"}: "postcode",
	{"send", "back"}: "return", {"sends", "back"}: "return", {"sent", "back"}: "return", {"give", "back"}: "return",
	{"per", "month"}: "monthly", {"a", "month"}: "monthly", {"each", "month"}: "monthly", {"every", "month"}: "monthly",
	{"per", "year"}: "annual", {"a", "year"}: "annual", {"each", "year"}: "annual", {"every", "year"}: "annual",
	{"per", "annum"}: "annual",
	{"last", "name"}: "surname", {"family", "name"}: "surname", {"first", "name"}: "forename",
	{"given", "name"}: "forename", {"number", "plate"}: "plate", {"plate", "number"}: "plate",
	{"license", "plate"}: "plate", {"licence", "plate"}: "plate", {"registration", "number"}: "plate",
	{"zip", "codes"}: "postcode", {"kilowatt", "hours"}: "kwh",
}

// Words by how much they say about a fact.
var (
	roleWords = text.NewWordSet(`customer user client guest patient tenant student applicant driver passenger person
		caller subscriber policyholder buyer shopper visitor traveller traveler borrower candidate employee participant
		cardholder holder contact requester claimant resident somebody someone somebodi anybody`)
	weakWords = text.NewWordSet(`current full legal valid new own main primary personal exact preferred actual complete
		official desired requested intended chosen correct latest existing additional other convenient best recent
		verified confirmed working precise approximate rough total maximum minimum gross net`)
	genericWords = text.NewWordSet(`number name date time address type value field data info information detail
		description kind`)
	// stopWords say nothing about a fact.
	stopWords = text.NewWordSet(`a an the any each every this that these those both some all and or of to in on at by
		for from with as is are was were be been being do does did done have has had having will would can could may
		might must shall should i we you they he she it one ones their his her its our your my them him us me who whom
		whose which what when where why how whether if then so not no there here also too please always first now
		today already still just only again later want wants wanted wish wishes like likes liked need needs needed get
		gets got getting go goes going come comes coming take takes taken taking give gives given make makes made let
		lets keep say says tell tells know knows known currently right exactly such than more most less very about
		well under over into onto up down out off back per do don't doesn't together yes per use used`)
)

// Weights of words relative to the others.
const (
	roleWeight    = 0.15
	weakWeight    = 0.35
	genericWeight = 0.5
)

// term is one canonical word of a phrase with its weight.
type term struct {
	word   string
	weight float64
}

func synonymTable(groups ...string) map[string]string {
	table := map[string]string{}
	for _, g := range groups {
		words := strings.Fields(g)
		for _, w := range words {
			table[w] = words[0]
			table[stem(w)] = words[0]
		}
	}
	return table
}

func stem(w string) string { return english.Stem(w, false) }

// canonical returns the word that stands for w and its synonyms and inflections.
func canonical(w string) string {
	w = strings.TrimSuffix(strings.TrimSuffix(w, "'s"), "'")
	if c, ok := synonyms[w]; ok {
		return c
	}
	s := text.Singular(w)
	if c, ok := synonyms[s]; ok {
		return c
	}
	s = stem(s)
	if c, ok := synonyms[s]; ok {
		return c
	}
	return s
}

// weightOf returns the weight of a folded word before idf, 0 for a stop word.
func weightOf(w string) float64 {
	w = strings.TrimSuffix(w, "'s")
	s := text.Singular(w)
	switch {
	case stopWords[w] || w == "":
		return 0
	case roleWords[w] || roleWords[s]:
		return roleWeight
	case weakWords[w] || weakWords[s]:
		return weakWeight
	case genericWords[w] || genericWords[s] || canonical(w) == "number":
		return genericWeight
	}
	return 1
}

// terms returns the canonical words of folded words, without stop words.
func terms(words []string) []term {
	var out []term
	for i := 0; i < len(words); i++ {
		if i+1 < len(words) {
			if c, ok := compounds[[2]string{words[i], strings.TrimSuffix(words[i+1], "'s")}]; ok {
				out = append(out, term{canonical(c), weightOf(c)})
				i++
				continue
			}
		}
		if w := weightOf(words[i]); w > 0 {
			out = append(out, term{canonical(words[i]), w})
		}
	}
	return out
}

// sameWord reports whether two canonical words mean the same: they are equal, or one is the other with a short ending.
func sameWord(a, b string) bool {
	if a == b {
		return true
	}
	if len(a) > len(b) {
		a, b = b, a
	}
	return len(a) >= 4 && len(b)-len(a) <= 3 && strings.HasPrefix(b, a)
}
