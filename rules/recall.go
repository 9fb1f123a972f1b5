package rules

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// RankByWords returns the indexes of texts that share words with a question, the closest first. It weighs a word by its
// rarity among the texts and a text by its length (BM25). Words are compared without case and accents, and by their
// first letters if they are long, so that forms of a word are the same.
func RankByWords(question string, texts []string) []int {
	wanted := map[string]bool{}
	for _, w := range wordsToRank(question) {
		wanted[w] = true
	}
	type text struct {
		found  map[string]int
		length float64
	}
	all := make([]text, len(texts))
	having, total := map[string]int{}, 0.0
	for i, t := range texts {
		words := wordsToRank(t)
		all[i] = text{map[string]int{}, float64(len(words))}
		total += all[i].length
		for _, w := range words {
			if !wanted[w] {
				continue
			}
			if all[i].found[w]++; all[i].found[w] == 1 {
				having[w]++
			}
		}
	}
	scores, mean := make([]float64, len(texts)), max(1, total/float64(max(1, len(texts))))
	for i, t := range all {
		for w, n := range t.found {
			rarity := math.Log(1 + (float64(len(texts)-having[w])+0.5)/(float64(having[w])+0.5))
			scores[i] += rarity * float64(n) * (saturation + 1) /
				(float64(n) + saturation*(1-lengthWeight+lengthWeight*t.length/mean))
		}
	}
	var ranked []int
	for i, s := range scores {
		if s > 0 {
			ranked = append(ranked, i)
		}
	}
	slices.SortStableFunc(ranked, func(a, b int) int { return cmp.Compare(scores[b], scores[a]) })
	return ranked
}

// The usual parameters of BM25.
const (
	saturation   = 1.2
	lengthWeight = 0.75
)

// stemLetters is the number of letters by which long words are compared.
const stemLetters = 5

// emptyWords say nothing of what a question is about, in the languages in which most questions are asked.
var emptyWords = func() map[string]bool {
	out := map[string]bool{}
	for _, w := range strings.Fields(`a an and are as at be but by did do does for from had has have he her his how i in
		is it its me my of on or our she that the their them they this to was we were what when where which who whom why
		will with you your der die das ein eine und ist sind war hat haben ich sie er es wir was wer wie wo wann warum mit von
		zu im
		le la les un une et est sont a ont je il elle nous vous que qui quoi ou quand de du des el los las y es son tiene que
		quien cuando donde`) {
		out[w] = true
	}
	return out
}()

// wordsToRank returns the words of a text as they are compared.
func wordsToRank(text string) []string {
	plain := strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Mn, r) {
			return -1
		}
		return unicode.ToLower(r)
	}, norm.NFD.String(text))
	words := strings.FieldsFunc(plain, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	out := words[:0]
	for _, w := range words {
		if emptyWords[w] {
			continue
		}
		if letters := []rune(w); len(letters) > stemLetters && unicode.IsLetter(letters[0]) {
			w = string(letters[:stemLetters])
		} else if len(letters) == stemLetters-1 && strings.HasSuffix(w, "s") {
			w = string(letters[:len(letters)-1]) // cats
		}
		out = append(out, w)
	}
	return out
}

// Fuse returns the reciprocal rank fusion of rankings: the score of each index that one of them has.
func Fuse(rankings ...[]int) map[int]float64 {
	scores := map[int]float64{}
	for _, ranking := range rankings {
		for rank, index := range ranking {
			scores[index] += 1 / float64(fusionConstant+rank+1)
		}
	}
	return scores
}

// fusionConstant is that of the paper on reciprocal rank fusion.
const fusionConstant = 60
