package gapfill

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/rules"
	"github.com/contextvault/contextvault/vault"
)

// provenanceOf returns the provenance of a value that was read in this fill's conversation.
func (st *gapState) provenanceOf(f vault.Value) (provenance, bool) {
	var h provenance
	if f.Source != vault.ValueLLMExtracted || f.SourceSessionID == nil || st.in.SessionID == nil ||
		*f.SourceSessionID != *st.in.SessionID {
		return h, false
	}
	return h, json.Unmarshal(f.SourceMetadata, &h) == nil
}

// covered returns, by field, the index of the last turn that gap fills have read for it in this session.
func (st *gapState) covered(ctx context.Context, q *dbgen.Queries) (map[string]int, error) {
	out := map[string]int{}
	if st.in.SessionID == nil {
		return out, nil
	}
	rows, err := q.ListFieldsRead(ctx, st.op.TenantID, st.in.SessionID)
	for _, r := range rows {
		out[r.FieldName] = int(r.ReadTo)
	}
	return out, err
}

// saidSince reports whether a turn of the customer is news to a stored value. Within the conversation in which the
// value was read, it is one after that reading. For a value from elsewhere it is one that was said after the value was
// collected, so that an old conversation corrects nothing newer.
func (st *gapState) saidSince(f vault.Value, t vault.Turn) bool {
	if t.Speaker != vault.SpeakerCustomer {
		return false
	}
	if h, ok := st.provenanceOf(f); ok {
		return t.Index > max(h.ReadTo, h.Turn)
	}
	return t.At != nil && t.At.After(rules.EffectiveTime(f.CollectedAt, f.AcceptedAt))
}

// saidBefore returns the index of the last turn of the customer that is no news to a stored value, -1 for none.
func (st *gapState) saidBefore(f vault.Value) int {
	last := -1
	for _, t := range st.session.Turns {
		if t.Speaker == vault.SpeakerCustomer && !st.saidSince(f, t) {
			last = max(last, t.Index)
		}
	}
	return last
}

// mayHaveChanged reports whether the customer said something that may correct a stored value and that no gap fill has
// read for it. covered is the result of covered. A value that is written once has no corrections.
func (st *gapState) mayHaveChanged(f vault.Value, def *vault.Definition, covered map[string]int) bool {
	if def.WriteOnce {
		return false
	}
	last, isRead := covered[f.Name]
	return slices.ContainsFunc(st.session.Turns, func(t vault.Turn) bool {
		return st.saidSince(f, t) && (!isRead || t.Index > last)
	})
}

// changed reports whether a candidate differs from the stored value of its field, and the customer said it after that.
func (st *gapState) changed(c vault.Candidate) bool {
	field, known := st.profile.Fields[c.FieldName]
	def := st.definition(c.FieldName)
	if !known || def == nil || def.WriteOnce || st.lacks(c.FieldName) ||
		!slices.ContainsFunc(st.session.Turns, func(t vault.Turn) bool {
			return t.Index == c.Turn && st.saidSince(field, t)
		}) {
		return false
	}
	checked, err := rules.CheckValue(def, c.FieldName, c.Value, vault.ModeStrict)
	if err == nil && def.Multiple {
		return slices.ContainsFunc(rules.Elements(checked.Value), func(e json.RawMessage) bool {
			_, isNew := rules.AddElement(def.ValueType, field.Value, e)
			return isNew
		})
	}
	return err == nil && !bytes.Equal(checked.Value, compactJSON(field.Value))
}

// usable returns the candidates that may fill a field: all for a missing one, and for a stored one those that change
// it, the latest first.
func (st *gapState) usable(name string, candidates []vault.Candidate) []vault.Candidate {
	if st.lacks(name) {
		return candidates
	}
	var out []vault.Candidate
	for _, c := range candidates {
		if c.FieldName == name && st.changed(c) {
			out = append(out, c)
		}
	}
	if !st.definition(name).Multiple {
		slices.SortStableFunc(out, func(a, b vault.Candidate) int { return b.Turn - a.Turn })
	}
	return out
}

// saidAt returns the time of a turn, from which on a value that it states holds. nil: the time of acceptance. That is
// so as well where a value is stored that is newer and cannot be used: it would supersede the one that can.
func (st *gapState) saidAt(name string, turn int) *time.Time {
	i := slices.IndexFunc(st.session.Turns, func(t vault.Turn) bool { return t.Index == turn })
	if i < 0 || st.session.Turns[i].At == nil {
		return nil
	}
	at := *st.session.Turns[i].At
	if at.After(st.now) {
		return nil
	}
	if f, ok := st.profile.Fields[name]; ok && !f.Expired(st.now) && !at.After(f.CollectedAt) {
		return nil
	}
	return &at
}

// compactJSON removes the whitespace that PostgreSQL adds to jsonb output.
func compactJSON(raw json.RawMessage) []byte {
	var b bytes.Buffer
	if json.Compact(&b, raw) != nil {
		return raw
	}
	return b.Bytes()
}
