package text

import (
	"strconv"

	"github.com/contextvault/contextvault/rules"
)

// CountWord returns the JSON number of a folded word that counts things: up to twelve, and the tens up to fifty.
// Larger and odd numbers in words are rarely counts.
func CountWord(word string) (number string, ok bool) {
	n, ok := rules.NumberWords[word]
	if !ok || n == 0 || (n > 12 && n%10 != 0) || n > 50 {
		return "", false
	}
	return strconv.Itoa(n), true
}
