package extract

import (
	"slices"
	"strings"

	"github.com/contextvault/contextvault/llm/offline/text"
)

// kindWords mean a kind of something. If the name of a target ends in one of them, its values are words before a
// noun: "a Horror movie" states the genre of a movie.
var kindWords = text.NewWordSet(`cuisine genre style type kind category sort brand make breed flavor flavour variety
	theme color colour`)

// sortOf are the words of "an Italian kind of food".
var sortOf = text.NewWordSet("kind type sort style")

// nounsDescribedBy returns the nouns that the values of a target describe: its own name, the noun in its description
// ("Genre of the movie"), or the noun in its name ("room_type").
func nounsDescribedBy(name []string, description string) text.WordSet {
	last := name[len(name)-1]
	if !kindWords[last] {
		return nil
	}
	nouns := text.WordSet{}
	if !sortOf[last] {
		nouns[last] = true
	} else if len(name) > 1 {
		nouns[text.Singular(name[len(name)-2])] = true
	}
	said := text.Words(description)
	for i := 0; i+2 < len(said); i++ {
		if said[i] != last || said[i+1] != "of" {
			continue
		}
		noun := said[i+2]
		if (noun == "the" || noun == "a" || noun == "an") && i+3 < len(said) {
			noun = said[i+3]
		}
		nouns[text.Singular(noun)] = true
	}
	return nouns
}

// readDescribed reads capitalised words before such a noun: "an Italian restaurant", "Ethiopian kind of food". Words
// in lower case could be any adjective.
func (tr *turnReader) readDescribed() {
	for i := range tr.tokens {
		noun := text.Singular(tr.tokens[i].Word)
		f := tr.describedTarget(noun)
		if f < 0 || tr.isStated(f, statedInAnswer) {
			continue
		}
		end := i // the token after the description
		if i >= 2 && tr.tokens[i-1].Word == "of" && sortOf[tr.tokens[i-2].Word] {
			end = i - 2
		}
		said := tr.descriptionBefore(end)
		if said.IsEmpty() || tr.sentenceAt(said).isQuestion || tr.isRemark(said) ||
			slices.ContainsFunc(tr.entities, func(e text.Entity) bool { return e.Overlaps(said) }) {
			continue
		}
		tr.record(f, tr.targets[f].encode(said.In(tr.text), ""), said, tr.quoteAround(said), confidenceOnlyForm, statedByForm)
	}
}

// describedTarget returns the only target that describes a noun, or -1.
func (tr *turnReader) describedTarget(noun string) int {
	found := -1
	for f, t := range tr.targets {
		if !t.describes[noun] {
			continue
		}
		if found >= 0 {
			return -1
		}
		found = f
	}
	return found
}

// descriptionBefore returns the capitalised words right before a token, at most three.
func (tr *turnReader) descriptionBefore(end int) text.Span {
	start := end
	for start > 0 && end-start < 4 && isCapitalised(tr.tokens[start-1].In(tr.text)) && (start == end ||
		tr.isAdjacent(start)) {
		if tr.text[tr.tokens[start-1].End:tr.tokens[start].Start] != " " || ordinaryWords[tr.tokens[start-1].Word] {
			break
		}
		start--
	}
	if start == end || end-start == 4 {
		return text.Span{}
	}
	if start > 0 {
		switch before := tr.tokens[start-1].Word; {
		case demonstratives[before],
			text.ListWords[before],
			before == "or",
			strings.Contains(tr.text[tr.tokens[start-1].End:tr.tokens[start].Start], ","):
			return text.Span{} // known from before, or one of several
		}
	}
	return text.SpanOf(tr.tokens, start, end)
}

var (
	demonstratives = text.NewWordSet("the this that these those your their its his her")
	// ordinaryWords begin a sentence or describe anything.
	ordinaryWords = text.NewWordSet(`i i'm i'd i'll i've a an the any some more other another what which what's whats
		find show give get search look book reserve suggest recommend order need want see watch play try good great
		nice best better new old cheap expensive local fast fresh my our no not yes do does is are can could would
		will please also maybe only just like love enjoy prefer serve serves serving same different favorite
		favourite online free live sure and or but for with without actually something anything`)
)
