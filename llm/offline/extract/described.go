package extract

import (
	"slices"
	"strings"

	"github.com/contextvault/contextvault/llm/offline/text"
	"github.com/contextvault/contextvault/vault"
)

// kindWords mean a kind of something. If the name of a target ends in one of them, its values are words before a
// noun: "a Horror movie" states the genre of a movie.
var kindWords = text.NewWordSet(`cuisine genre style type kind category sort brand make breed flavor flavour variety
	theme color colour subject topic`)

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
		if said[i] != last && !kindWords[said[i]] || said[i+1] != "of" {
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
		if said.IsEmpty() {
			said = tr.plainDescription(end)
		}
		if tr.isChoiceValue(said) {
			continue
		}
		if said.IsEmpty() || tr.isEnquiry(said) || tr.isRemark(said) || !tr.question.has(f) && !tr.isOnTopic(said) ||
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
		if !t.describes[noun] && !(len(t.describes) > 0 && tr.isThing(noun) && !tr.sortsThings()) {
			continue
		}
		if found >= 0 {
			return -1
		}
		found = f
	}
	return found
}

// sortsThings reports whether allowed values sort the things of the agent too, so that "a music event" has two
// meanings.
func (tr *turnReader) sortsThings() bool {
	return slices.ContainsFunc(tr.targets, func(t target) bool {
		return t.kind == text.KindChoice && slices.ContainsFunc(text.Words(vault.DisplayName(t.def.Name)), func(w string) bool {
			return kindWords[w]
		})
	})
}

// isThing reports whether a noun is what the agent is about: most of its definitions have the noun, as "restaurant" in
// "Address of the restaurant".
func (tr *turnReader) isThing(noun string) bool { return isThing(tr.targets, noun) }

func isThing(targets []target, noun string) bool {
	count := 0
	stem := text.Stem(noun)
	for _, t := range targets {
		if _, has := t.profile.words[stem]; has {
			count++
		}
	}
	return !formWords[stem] && count >= 3 && count*3 >= len(targets)
}

// plainDescription returns the words in lower case between an article and a token: "a baseball game".
func (tr *turnReader) plainDescription(end int) text.Span {
	start := end
	for start > 0 && end-start < 3 && tr.tokens[start-1].Word != "" && !ordinaryWords[tr.tokens[start-1].Word] &&
		!text.PhraseEnds[tr.tokens[start-1].Word] && !leadWords[tr.tokens[start-1].Word] &&
		!text.HasDigit(tr.tokens[start-1].Word) && !isCount(tr.tokens[start-1].Word) &&
		tr.text[tr.tokens[start-1].End:tr.tokens[start].Start] == " " {
		start--
	}
	if start == end || start == 0 || end-start > 2 {
		return text.Span{}
	}
	switch w := tr.tokens[start-1].Word; w {
	case "a", "an", "some", "any", "me", "like", "likes", "love", "enjoy", "for", "of", "prefer":
	default:
		return text.Span{}
	}
	if tr.text[tr.tokens[start-1].End:tr.tokens[start].Start] != " " ||
		slices.ContainsFunc(tr.tokens[start:end], func(w text.Token) bool {
			return requestVerbs[w.Word] || notFree[w.Word] || restWords[w.Word] || strings.HasSuffix(w.Word, "ly") ||
				slices.ContainsFunc(tr.targets, func(t target) bool { return t.entity[text.Singular(w.Word)] })
		}) {
		return text.Span{}
	}
	return text.SpanOf(tr.tokens, start, end)
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
		favourite online free live upcoming interesting fun exciting amazing awesome wonderful perfect suitable certain
		specific particular different similar recent popular famous decent affordable reasonable budget average priced
		costly fancy modern quick short long big small large little single double several few many next last first second
		entire whole available possible open near nearby around cool lovely pleasant relaxing expected random unique
		special regular normal usual actual real right wrong early late later daily weekly sure and or but for with without actually something anything`)
)
