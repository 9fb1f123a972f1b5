package text

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/contextvault/contextvault/rules"
)

var (
	amountDigits = `\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?`
	currencies   = `(?:dollars?|bucks|euros?|pounds?|cents|rupees?|francs?|yen|usd|eur|gbp|chf)`
	// moneyPatterns match an amount with its currency, in digits and in words.
	moneyPatterns = []*regexp.Regexp{
		regexp.MustCompile(`[$€£¥]\s?(` + amountDigits + `)`),
		regexp.MustCompile(`(?i)\b(` + amountDigits + `)(?:\s?[$€£¥]|\s+` + currencies + `\b)`),
		regexp.MustCompile(`(?i)\b((?:` + numberWord() + `|hundred|thousand|million)(?:(?:\s+|-)(?:and\s+)?(?:` + numberWord() +
			`|hundred|thousand|million))*)\s+` + currencies + `\b`),
	}
)

// numberWord returns a pattern of the number words.
func numberWord() string {
	words := make([]string, 0, len(rules.NumberWords))
	for w := range rules.NumberWords {
		words = append(words, w)
	}
	return strings.Join(words, "|")
}

// findMoney finds amounts of money. The value is the number without the currency.
func findMoney(text string, _ Clock) []Entity {
	var found []Entity
	for i, pattern := range moneyPatterns {
		for _, at := range pattern.FindAllStringSubmatchIndex(text, -1) {
			said := text[at[2]:at[3]]
			value := strings.ReplaceAll(said, ",", "")
			if i == len(moneyPatterns)-1 {
				value = strconv.Itoa(sumOfWords(Words(said)))
			}
			if next := Words(strings.TrimLeft(text[at[1]:min(len(text), at[1]+12)], " ")); len(next) > 0 &&
				(next[0] == "hundred" || next[0] == "thousand" || next[0] == "million" || next[0] == "k") {
				value = ""
			}
			found = append(found, Entity{Span: Span{at[0], at[1]}, Kind: KindMoney, Value: value})
		}
	}
	return found
}

// sumOfWords returns the number that words say: "one thousand seven hundred and eighty" is 1780.
func sumOfWords(parts []string) int {
	total, part := 0, 0
	for _, w := range parts {
		switch n, ok := rules.NumberWords[w]; {
		case ok:
			part += n
		case w == "hundred":
			part = max(part, 1) * 100
		case w == "thousand":
			total, part = total+max(part, 1)*1000, 0
		case w == "million":
			total, part = total+max(part, 1)*1000000, 0
		}
	}
	return total + part
}
