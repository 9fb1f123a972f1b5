package llm

import (
	"slices"
	"strings"
)

// kindWords are words for a kind of something. A field whose name ends in one of them holds what stands before the noun: the genre of a
// movie is what "a Horror movie" says.
var kindWords = setOf("cuisine genre style type kind category sort brand make breed flavor flavour variety theme color colour")

// sortOf are the words of "an Italian kind of food".
var sortOf = setOf("kind type sort style")

// describedNouns gives the nouns that a field's values describe: the field's own name, or what its description says that it is the kind
// of ("Genre of the movie"), or what its name does ("room_type").
func describedNouns(name []string, description string) wordSet {
	last := name[len(name)-1]
	if !kindWords[last] {
		return nil
	}
	nouns := wordSet{}
	if !sortOf[last] {
		nouns[last] = true
	} else if len(name) > 1 {
		nouns[singular(name[len(name)-2])] = true
	}
	said := words(description)
	for i := 0; i+2 < len(said); i++ {
		if said[i] != last || said[i+1] != "of" {
			continue
		}
		noun := said[i+2]
		if (noun == "the" || noun == "a" || noun == "an") && i+3 < len(said) {
			noun = said[i+3]
		}
		nouns[singular(noun)] = true
	}
	return nouns
}

// described states what is said before such a noun, where it is set apart by capitals: "an Italian restaurant", "Ethiopian kind of
// food". What is small could be any adjective.
func (l *listener) described() {
	for i := range l.tokens {
		noun := singular(l.tokens[i].word)
		f := l.describedBy(noun)
		if f < 0 || l.has(f, byQuestion) {
			continue
		}
		end := i // the token behind the description
		if i >= 2 && l.tokens[i-1].word == "of" && sortOf[l.tokens[i-2].word] {
			end = i - 2
		}
		said := l.describing(end)
		if said.empty() || l.sentenceAt(said).enquiry || l.isRemark(said) || slices.ContainsFunc(l.entities, func(e entity) bool { return e.overlaps(said) }) {
			continue
		}
		l.state(f, l.targets[f].store(said.in(l.text), ""), said, l.context(said), sureTyped, byForm)
	}
}

// describedBy gives the only field that describes a noun, or -1.
func (l *listener) describedBy(noun string) int {
	found := -1
	for f, t := range l.targets {
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

// describing gives the capitalised words right before a token, at most three.
func (l *listener) describing(end int) span {
	start := end
	for start > 0 && end-start < 4 && isCapitalised(l.tokens[start-1].in(l.text)) && (start == end || l.adjacentTo(start)) {
		if l.text[l.tokens[start-1].end:l.tokens[start].start] != " " || ordinary[l.tokens[start-1].word] {
			break
		}
		start--
	}
	if start == end || end-start == 4 {
		return span{}
	}
	if start > 0 {
		switch before := l.tokens[start-1].word; {
		case pointing[before], listWords[before], before == "or", strings.Contains(l.text[l.tokens[start-1].end:l.tokens[start].start], ","):
			return span{} // something that was spoken of, or one of several
		}
	}
	return spanOf(l.tokens, start, end)
}

var (
	pointing = setOf("the this that these those your their its his her")
	// words that begin a sentence, or describe anything
	ordinary = setOf(`i i'm i'd i'll i've a an the any some more other another what which what's whats find show give get search look book reserve suggest
		recommend order need want see watch play try good great nice best better new old cheap expensive local fast fresh my our no not yes do does
		is are can could would will please also maybe only just like love enjoy prefer serve serves serving same different favorite favourite
		online free live sure and or but for with without actually something anything`)
)
