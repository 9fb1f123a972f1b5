package propose

import (
	"strings"

	"github.com/contextvault/contextvault/llm/offline/text"
)

// qualified returns a name that tells what it is about: in the profile of a customer, "amount" alone means nothing. The
// topic of the scenario qualifies it: "loan_amount".
func (x *index) qualified(name string) string {
	switch {
	case x.topic == "":
		return name
	case name == "amount":
		return x.topic + "_" + name
	case name == "reason":
		return name + "_for_" + x.topic
	}
	return name
}

// maxHeadingWords is the length of a first line that is a heading.
const maxHeadingWords = 6

// topicOf returns the noun that a scenario is about: the first of its title or heading that its text has again, ""
// for none.
func topicOf(contents []string) string {
	count := map[string]int{}
	for _, content := range contents {
		for _, w := range text.Words(content) {
			count[text.Singular(w)]++
		}
	}
	for i, content := range contents {
		heading, _, more := strings.Cut(strings.TrimSpace(content), "\n")
		if i > 0 && !more {
			continue
		}
		words := text.Words(heading)
		if len(words) > maxHeadingWords {
			continue
		}
		for _, w := range words {
			noun := text.Singular(w)
			if count[noun] < 2 || stopWords[w] || people[w] || text.ListWords[w] || text.PhraseEnds[w] || text.Adjectives[w] ||
				determiners[w] || owners[w] || len(noun) < 3 || !isASCIIWords([]string{noun}) {
				continue
			}
			return noun
		}
	}
	return ""
}
