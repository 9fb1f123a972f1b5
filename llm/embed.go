package llm

import (
	"hash/fnv"
	"math"
	"strings"

	"github.com/contextvault/contextvault/vault"
)

// Weights of the features of an offline embedding. A word counts the same in all, whether or not it belongs to a concept: what
// differs is whether the concept carries it, so that synonyms come out nearer than two names that share one word of two
// (cosine 0.7), or its n-grams, which bring inflections and spellings near.
var (
	knownWord   = wordWeights{word: 0.8, grams: 1.0, concept: 2.4}
	unknownWord = wordWeights{word: 1.3, grams: 2.4}
)

type wordWeights struct{ word, grams, concept float64 }

// fillers say nothing of what a field is about.
var fillers = setOf(`a an and any are as at be by can could customer customer's customers do does enter for from give have i in is it its
	me my of on or our please provide tell that the their they this to us user user's users was we what what's when which with would you your`)

// generic words occur in the names of many different fields: they say what a thing is, not which.
var generic = setOf(`number name address date time code id type value field data info information details detail no full
	contact primary main current personal own`)

// genericWeight is how much a generic word counts beside another.
const genericWeight = 0.35

// concepts are words and pairs of words that mean the same in the name of a field.
var concepts = conceptTable(
	"birth: dob birthday birthdate birth born dateofbirth bday",
	"phone: phone telephone tel mobile cell cellphone handset msisdn",
	"email: email mail emails emailaddress",
	"address: street residence",
	"postcode: postcode postal zip zipcode plz",
	"surname: surname last lastname family familyname",
	"forename: forename first firstname given givenname",
	"company: company employer organisation organization business firm",
	"country: country nation",
	"nationality: nationality citizenship citizen",
	"city: city town municipality",
	"income: income salary earnings wage",
	"gender: gender sex",
	"order: order purchase",
	"delivery: delivery shipping shipment",
	"billing: billing invoice invoicing",
	"arrival: arrival checkin",
	"departure: departure checkout",
	"amount: amount quantity count",
	"price: price cost fare fee",
	"job: job occupation profession",
	"spouse: spouse husband wife partner",
	"tax: tax vat tin",
	"website: website url homepage site",
	"passport: passport",
	"account: account acct iban",
	"language: language locale",
	"colour: colour color",
	"year: year yearly annual annually",
)

func conceptTable(lines ...string) map[string]string {
	table := map[string]string{}
	for _, line := range lines {
		name, members, _ := strings.Cut(line, ":")
		for _, w := range strings.Fields(members) {
			table[w] = name
		}
	}
	return table
}

// compounds are pairs of words that count as one.
var compounds = map[string]string{
	"e mail": "email", "cell phone": "phone", "mobile phone": "phone", "post code": "postcode", "zip code": "zip", "postal code": "postal",
	"last name": "lastname", "family name": "familyname", "first name": "firstname", "given name": "givenname", "check in": "checkin",
	"check out": "checkout", "web site": "website", "birth day": "birthday",
}

// embedText hashes what text is made of into a vector of length 1. It is meant for names and short descriptions of fields: of
// the names in the tests, the least alike that mean the same have a cosine of 0.76, the most alike that do not one of 0.71
// ("email" and "billing email").
func embedText(text string) []float32 {
	v := make([]float64, vault.EmbeddingDimensions)
	parts := merge(words(strings.ReplaceAll(text, "_", " ")))
	specific := 0
	for _, w := range parts {
		if !fillers[w] && !generic[w] {
			specific++
		}
	}
	for _, w := range parts {
		weight := 1.0
		switch {
		case fillers[w]:
			weight = 0.02
		case generic[w] && specific > 0:
			weight = genericWeight
		}
		addWord(v, w, weight)
	}
	if out, ok := unit(v); ok {
		return out
	}
	// A text without words, or one whose features cancel out: it is near nothing but itself.
	add(v, "text:"+text, 1)
	if out, ok := unit(v); ok {
		return out
	}
	v[0] = 1 // the one feature that is left fell into one place twice, and took itself away
	out, _ := unit(v)
	return out
}

// merge replaces compounds by the one word that they count as.
func merge(parts []string) []string {
	var out []string
	for i := 0; i < len(parts); i++ {
		if i+1 < len(parts) {
			if one, ok := compounds[parts[i]+" "+parts[i+1]]; ok {
				out = append(out, one)
				i++
				continue
			}
		}
		out = append(out, parts[i])
	}
	return out
}

func addWord(v []float64, w string, weight float64) {
	stem := singular(w)
	weights := unknownWord
	if c, ok := concepts[stem]; ok {
		weights = knownWord
		add(v, "concept:"+c, weight*weights.concept)
	}
	add(v, "word:"+stem, weight*weights.word)
	grams := ngrams("^" + stem + "$")
	for _, g := range grams {
		add(v, "gram:"+g, weight*weights.grams/math.Sqrt(float64(len(grams))))
	}
}

// ngrams gives the runs of three to five characters of s.
func ngrams(s string) []string {
	runes := []rune(s)
	var out []string
	for n := 3; n <= 5; n++ {
		for i := 0; i+n <= len(runes); i++ {
			out = append(out, string(runes[i:i+n]))
		}
	}
	return out
}

// add puts a feature into two places of v, with signs of its own, so that two features that meet in one place seldom meet in
// the other.
func add(v []float64, feature string, weight float64) {
	h := fnv.New64a()
	_, _ = h.Write([]byte(feature))
	sum := h.Sum64()
	sum ^= sum >> 32 // FNV mixes its high bits best
	sum *= 0x9e3779b97f4a7c15
	for range 2 {
		sign := weight * math.Sqrt2 / 2
		if sum&1 == 1 {
			sign = -sign
		}
		v[(sum>>1)%uint64(len(v))] += sign
		sum >>= 32
	}
}
