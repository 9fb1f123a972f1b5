package gapfill

import (
	"encoding/json"

	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/rules"
	"github.com/contextvault/contextvault/vault"
)

// spoken is the evidence of one element of a list.
type spoken struct {
	Quote string `json:"quote"`
	Turn  int    `json:"turn"`
}

// listFromConversation returns a write of all elements that the conversation states, each with its own quote, after the
// elements that the field has already. The confidence is that of the least certain element. An element that is not
// grounded or too uncertain is left out; if no other is left, the field is not filled.
func (s Gaps) listFromConversation(
	st *gapState, def *vault.Definition, candidates []vault.Candidate, item *dbgen.UpsertGapItemParams,
) (vault.WriteValueInput, bool) {
	list := json.RawMessage("[]")
	if field, known := st.profile.Fields[def.Name]; known && !st.lacks(def.Name) {
		list = field.Value
	}
	var said []spoken
	confidence, certain := 1.0, true
	for _, c := range candidates {
		if c.FieldName != def.Name {
			continue
		}
		found, problem := st.conversation().Check(c, def)
		if problem == nil && c.Confidence < s.Settings.UseThreshold {
			problem = vault.Invalid(def.Name, "confidence %.2f is below %.2f", c.Confidence, s.Settings.UseThreshold)
		}
		if problem != nil {
			item.Action, item.Confidence, item.Errors = gapCandidate, c.Confidence, append(item.Errors, problem.Message)
			continue
		}
		for _, element := range rules.Elements(found.Value) {
			list, _ = rules.AddElement(def.ValueType, list, element)
		}
		said = append(said, spoken{c.Quote, found.Turn})
		certain = certain && found.Certain
		confidence = min(confidence, c.Confidence)
	}
	if len(said) == 0 {
		return vault.WriteValueInput{}, false
	}
	item.Source, item.Action, item.Confidence = string(vault.GapFromConversation), "", confidence
	item.RequiresConfirmation = confidence < s.Settings.ConfirmThreshold || !certain
	write := st.write(def.Name, list)
	write.Source = vault.ValueLLMExtracted
	write.Confidence, write.RequiresConfirmation = &confidence, item.RequiresConfirmation
	last := said[len(said)-1]
	write.CollectedAt = st.saidAt(def.Name, last.Turn)
	// strings and ints always encode
	write.SourceMetadata, _ = json.Marshal(provenance{
		Quote: last.Quote, Turn: last.Turn, ReadTo: st.session.Turns[len(st.session.Turns)-1].Index, Model: s.Model.Reader(),
		Elements: said,
	})
	return write, true
}
