package evidence

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/contextvault/contextvault/rules/internal/fold"
	"github.com/contextvault/contextvault/vault"
)

// passage is an occurrence of a quote in a turn of the customer. Its span is extended to whole words. Otherwise the
// quote "18" would match "185".
type passage struct {
	span

	turn *turn
}

func (p passage) quote() string { return p.turn.text[p.start:p.end] }

// find returns the occurrences of a quote in the customer's turns, without regard to spacing and case.
func (c *Conversation) find(quote string) []passage {
	words := trimQuote(quote)
	if words == "" {
		return nil
	}
	var found []passage
	for _, t := range c.turns {
		if t.Speaker != vault.SpeakerCustomer {
			continue
		}
		for _, at := range indexes(t.text, words) {
			start := strings.LastIndexByte(t.text[:at], ' ') + 1
			end := len(t.text)
			if space := strings.IndexByte(t.text[at+len(words):], ' '); space >= 0 {
				end = at + len(words) + space
			}
			found = append(found, passage{span{start, end}, t})
			if len(found) == maxPassages {
				return found
			}
		}
	}
	return found
}

// maxPassages limits the places of a quote that are examined. A quote that occurs more often is no evidence of much.
const maxPassages = 100

// QuotedTurn returns the index of the customer's turn that contains a quote: the named turn if it contains the quote,
// else the first turn that does, else the named turn. Models copy words reliably but count badly. The first turn is
// the
// safe choice, because a value from it cannot supersede a later one.
func QuotedTurn(quote string, named int, turns []vault.Turn) int {
	words := trimQuote(quote)
	found := named
	for _, t := range slices.Backward(turns) {
		if words == "" || t.Speaker != vault.SpeakerCustomer || !strings.Contains(fold.Text(t.Text), words) {
			continue
		}
		if t.Index == named {
			return named
		}
		found = t.Index
	}
	return found
}

// trimQuote returns the folded quote without surrounding punctuation.
func trimQuote(quote string) string { return strings.Trim(fold.Text(quote), `"'“”„«». …`) }

// indexes returns every position of part in s. part must not be empty.
func indexes(s, part string) []int {
	var at []int
	for from := 0; ; {
		i := strings.Index(s[from:], part)
		if i < 0 {
			return at
		}
		at = append(at, from+i)
		_, size := utf8.DecodeRuneInString(s[from+i:])
		from += i + size
	}
}
