package vault

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
)

var numberWords = map[string]int{
	"zero": 0, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10, "eleven": 11,
	"twelve": 12, "thirteen": 13, "fourteen": 14, "fifteen": 15, "sixteen": 16, "seventeen": 17, "eighteen": 18, "nineteen": 19,
	"twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90,
}

var (
	wordSaid = regexp.MustCompile(`[\p{L}\p{N}']+`)
	// What makes a number word beside it a part of something larger: another number, a fraction, a time of day.
	largerAfter  = strings.Fields("hundred thousand million billion trillion dozen point half quarter quarters third thirds am pm a p o'clock oclock")
	largerBefore = strings.Fields("hundred thousand million billion trillion point minus at past")
	// What "one" counts; else it stands for a thing ("that one") as often as for a number.
	countedOne = strings.Fields("person people adult child guest traveler traveller passenger rider ticket seat room bed bedroom bath bathroom day night week month year hour")
)

// saysNumberWord reports whether a whole number below a hundred was said as a word: "for four people", "twenty-four". A word that is
// a part of something larger says nothing: "four hundred", "half past four", "seven thirty".
func (p passage) saysNumberWord(def Definition, literal string) bool {
	want, err := strconv.Atoi(literal)
	if err != nil || want < 0 || want > 99 {
		return false
	}
	words := wordSaid.FindAllStringIndex(p.turn, -1)
	word := func(i int) string {
		if i < 0 || i >= len(words) {
			return ""
		}
		return p.turn[words[i][0]:words[i][1]]
	}
	for i := 0; i < len(words); i++ {
		n, ok := numberWords[word(i)]
		if !ok || words[i][0] < p.start || words[i][0] >= p.end {
			continue
		}
		last := i
		if unit, ok := numberWords[word(i+1)]; ok && n >= 20 && unit > 0 && unit < 10 && joined(p.turn[words[i][1]:words[i+1][0]]) {
			n, last = n+unit, i+1
		}
		before, after := word(i-1), word(last+1)
		if n == want && !isNumberLike(before) && !isNumberLike(after) && !slices.Contains(largerBefore, before) && !slices.Contains(largerAfter, after) &&
			!(before == "and" && slices.Contains(largerBefore, word(i-2))) && !(before == "to" && (isNumberLike(word(i-2)) || word(i-2) == "quarter")) &&
			(n != 1 || countsOne(def, after)) && !p.denies(words[i][0], words[last][1]) {
			return true
		}
		i = last
	}
	return false
}

func joined(between string) bool { return between == " " || between == "-" }

// isNumberLike reports whether a word is a number, or begins with one.
func isNumberLike(word string) bool {
	_, ok := numberWords[word]
	return ok || word != "" && isDigit(word[0])
}

// countsOne reports whether "one" before a word is a number: the word is something that is counted, or what the field is about.
func countsOne(def Definition, noun string) bool {
	noun = strings.TrimSuffix(noun, "s")
	return noun != "" && (slices.Contains(countedOne, noun) || slices.Contains(strings.Split(strings.ReplaceAll(def.Name, "s_", "_"), "_"), noun) ||
		strings.HasSuffix(def.Name, "_"+noun+"s"))
}
