package llm

import (
	"strings"

	"github.com/contextvault/contextvault/vault"
)

// Reader is a model that can say how it read each sentence of the texts.
type Reader interface {
	// ReadSentences returns the sentences in order. It repeats the work of ProposeRequirements and costs nothing.
	ReadSentences(req ProposeRequest) []vault.SentenceReading
}

// ReadSentences returns how m read the sentences of the texts, for which it proposed fields. A model that is no Reader
// explains itself by its quotes: a sentence gave the fields that quote it.
func ReadSentences(m Model, req ProposeRequest, fields []vault.ProposedRequirement) []vault.SentenceReading {
	if reader, ok := m.(Reader); ok {
		return reader.ReadSentences(req)
	}
	existing := map[string]bool{}
	for _, d := range req.Existing {
		existing[d.Name] = true
	}
	var out []vault.SentenceReading
	used := make([]bool, len(fields))
	for _, t := range req.Texts {
		for _, sentence := range sentences(t.Text) {
			reading := vault.SentenceReading{Label: t.Label, Text: sentence}
			for i, f := range fields {
				quote, said := Squeeze(f.Quote), Squeeze(sentence)
				if !used[i] && quote != "" && (strings.Contains(said, quote) || strings.Contains(quote, said)) {
					used[i] = true
					reading.Gave = append(reading.Gave, given(f, existing[f.Name]))
				}
			}
			if len(reading.Gave) == 0 {
				reading.PassedOver = []vault.PassedOver{{Text: sentence, Reason: "the language model named no requirement in it"}}
			}
			out = append(out, reading)
		}
	}
	return out
}

func given(f vault.ProposedRequirement, existing bool) vault.GivenRequirement {
	return vault.GivenRequirement{
		FieldName: f.Name, Existing: existing, MatchedBy: vault.MatchedByModel, RequiredLevel: f.Level,
		FallbackAction: f.Fallback, WhenCondition: f.WhenCondition, Verified: f.Verified, Confidence: f.Confidence,
		Quote: f.Quote,
	}
}

// sentences splits a text at line ends, and at full stops, exclamation and question marks before a blank.
func sentences(content string) []string {
	var out []string
	for line := range strings.SplitSeq(content, "\n") {
		start := 0
		for i := range len(line) {
			if strings.IndexByte(".!?", line[i]) >= 0 && i+1 < len(line) && line[i+1] == ' ' {
				out = appendText(out, line[start:i+1])
				start = i + 1
			}
		}
		out = appendText(out, line[start:])
	}
	return out
}

func appendText(list []string, s string) []string {
	if s = strings.TrimSpace(s); s != "" {
		return append(list, s)
	}
	return list
}
