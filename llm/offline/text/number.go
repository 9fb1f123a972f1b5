package text

import (
	"strconv"
	"strings"
)

// numberWords are the numbers below a hundred that are one word in English.
var numberWords = func() map[string]int {
	numbers := map[string]int{}
	for i, word := range belowTwenty {
		numbers[word] = i
	}
	for i, word := range tens {
		numbers[word] = 20 + 10*i
	}
	return numbers
}()

var (
	belowTwenty = strings.Fields(
		`zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen
		seventeen eighteen nineteen`,
	)
	tens = strings.Fields("twenty thirty forty fifty sixty seventy eighty ninety")
)

// NumberWord returns the value of a folded number word below a hundred.
func NumberWord(word string) (n int, ok bool) {
	n, ok = numberWords[word]
	return n, ok
}

// CountWord returns the JSON number of a folded word that counts things: up to twelve, and the tens up to fifty.
// Larger and odd numbers in words are rarely counts.
func CountWord(word string) (number string, ok bool) {
	n, ok := numberWords[word]
	if !ok || n == 0 || (n > 12 && n%10 != 0) || n > 50 {
		return "", false
	}
	return strconv.Itoa(n), true
}
