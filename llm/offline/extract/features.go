package extract

import (
	"slices"
	"strings"

	"github.com/contextvault/contextvault/llm/offline/text"
	"github.com/contextvault/contextvault/vault"
)

var (
	// featureLeads stand before a feature of what the customer looks for: "a house with laundry service".
	featureLeads = text.NewWordSet(`with has have having serves serving serve offers offering offer includes including
		include allows allowing allow provides providing provide`)
	// wishVerbs stand before what the customer wants: "I prefer subtitles", "Find me a furnished flat".
	wishVerbs = text.NewWordSet(`need want prefer preferably like love require wish looking find search book reserve get
		play 		watch show see rent eat stay choose`)
	// featureEnds end what a wish verb governs.
	featureEnds = text.NewWordSet("but or because so if when unless though although whether")
	// featureAdjectives may stand between a lead and its feature.
	featureAdjectives = text.NewWordSet("a an any some the good nice great also either available free of its their")
)

// maxListed is the number of words of a list before "and": "with a sea view and a garage".
const maxListed = 5

// maxFeatureGap is the number of words that may stand between the words of a feature: "pets are allowed".
const maxFeatureGap = 2

// readFeatures reads the wish for a thing with a feature as a yes, and without it as a no: "Find me a house with
// laundry service", "I'd like it without subtitles". The feature is what a boolean target is named after. A sentence
// that only says so of something ("they have live music"), or asks, wishes nothing.
func (tr *turnReader) readFeatures() {
	for f, t := range tr.targets {
		if t.kind != text.KindBoolean || tr.isStated(f, statedByForm) {
			continue
		}
		keys := featureKeys(t.def)
		if len(keys) == 0 {
			continue
		}
		for _, s := range tr.sentences {
			first, last := tr.findFeature(s, keys)
			if last == 0 || tr.isEnquiry(text.SpanOf(tr.tokens, first, last)) || tr.isConditional(clause{first, last}) ||
				!tr.onlyTargetNamed(f, clause{first, last}) {
				continue
			}
			if p := tr.wished(s, first, last); p != polarityUnknown {
				tr.recordTruth(f, p == polarityYes, s.Span, confidenceCounted, statedByForm)
				break
			}
		}
	}
}

// featureKeys returns the stems of the words that name the feature of a boolean definition: "live" and "music" of
// has_live_music.
func featureKeys(d vault.Definition) []string {
	var out []string
	for _, w := range joinWords(text.Words(vault.DisplayName(d.Name))) {
		if s := text.Stem(w); !functionWords[w] && !formWords[s] && !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}

// findFeature returns the tokens from the first to after the last of the shortest run of words with all keys, (0, 0) if
// there is none.
func (tr *turnReader) findFeature(s sentence, keys []string) (first, last int) {
	for i := s.first; i < s.last; i++ {
		if !slices.Contains(keys, tr.stems[i]) {
			continue
		}
		missing := slices.Clone(keys)
		for k := i; k < s.last && k < i+len(keys)+maxFeatureGap; k++ {
			if at := slices.Index(missing, tr.stems[k]); at >= 0 {
				missing = slices.Delete(missing, at, at+1)
			}
			if len(missing) == 0 {
				return i, k + 1
			}
		}
	}
	return 0, 0
}

// wished reports whether a sentence wishes for the feature at some of its tokens, or wishes to do without it.
func (tr *turnReader) wished(s sentence, first, last int) polarity {
	if last < s.last && tr.tokens[last].Word == "or" {
		return polarityUnknown
	}
	from := s.first
	for i := first - 1; i >= s.first; i-- {
		if featureEnds[tr.tokens[i].Word] {
			from = i + 1
			break
		}
	}
	wish := slices.ContainsFunc(tr.tokens[from:first], func(t text.Token) bool {
		return wishVerbs[t.Word] || strings.HasPrefix(t.Word, "i'd")
	})
	if !wish {
		return polarityUnknown
	}
	i := first - 1
	for i >= from && featureAdjectives[tr.tokens[i].Word] {
		i--
	}
	if i < from {
		return polarityUnknown
	}
	leads := func(t text.Token) bool { return featureLeads[t.Word] }
	switch w := tr.tokens[i].Word; {
	case w == "without" || w == "no":
		return polarityNo
	case tr.isDenied(clause{from, first}, first):
		return polarityUnknown
	case featureLeads[w], wishVerbs[w],
		slices.ContainsFunc(tr.tokens[first:last], leads), // "that allows dogs"
		w == "and" && slices.ContainsFunc(tr.tokens[max(from, i-maxListed):i], leads):
		return polarityYes
	}
	return polarityUnknown
}
