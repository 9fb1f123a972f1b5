package console_test

import (
	"fmt"
	"sort"
	"testing"
	"time"

	"github.com/contextvault/contextvault/internal/testkit"
	"github.com/contextvault/contextvault/query"
	"github.com/contextvault/contextvault/vault"
)

// BenchmarkPages measures pages of a customer with 200 fields and 10,000 versions, and of an inbox of 5,000 entries,
// beside the query that each of them rests on:
//
//	go test -run '^$' -bench Pages -benchtime 1x ./console
func BenchmarkPages(b *testing.B) {
	w := newWorld(b)
	w.fill(b, 200, 10_000)
	crowded := newWorld(b)
	crowded.crowd(b, 5_000)
	v, c := w.visitor(w.key), crowded.visitor(crowded.key)
	at := "/customers/" + w.customer.String()
	for _, page := range []struct {
		name  string
		get   func()
		query func()
	}{
		{"customer", func() { v.get(at).want(200) }, func() {
			if _, err := kit.Query.Profile(b.Context(), w.tenant, w.customer); err != nil {
				b.Fatal(err)
			}
		}},
		{"timeline", func() { v.get(at + "/timeline").want(200) }, func() {
			if _, _, err := kit.Query.HistoryPage(b.Context(), w.tenant, w.customer, "", nil, 50); err != nil {
				b.Fatal(err)
			}
		}},
		{"inbox", func() { c.get("/inbox").want(200) }, func() {
			if _, _, err := kit.Query.ReviewsPage(b.Context(), crowded.tenant, nil, 20); err != nil {
				b.Fatal(err)
			}
		}},
		{"audit", func() { v.get("/audit").want(200) }, func() {
			if _, _, err := kit.Query.AuditPage(b.Context(), w.tenant, vault.AuditFilter{}, nil, 100); err != nil {
				b.Fatal(err)
			}
		}},
		{"operations", func() { v.get("/operations").want(200) }, func() {
			if _, _, err := kit.Query.OperationsPage(
				b.Context(), w.tenant, vault.OperationFilter{}, nil, query.MaxPage); err != nil {
				b.Fatal(err)
			}
		}},
	} {
		b.Run(page.name, func(b *testing.B) {
			for b.Loop() {
				b.ReportMetric(median(page.get), "page-ms")
				b.ReportMetric(median(page.query), "query-ms")
			}
		})
	}
}

// median returns the middle duration of 21 calls in milliseconds, after one that warms up.
func median(call func()) float64 {
	call()
	all := make([]float64, 21)
	for i := range all {
		begin := time.Now()
		call()
		all[i] = float64(time.Since(begin).Microseconds()) / 1000
	}
	sort.Float64s(all)
	return all[len(all)/2]
}

// fill writes versions of fields of the customer.
func (w *world) fill(b *testing.B, fields, versions int) {
	b.Helper()
	for i := range fields {
		w.define(nil, fmt.Sprintf("field_%d", i))
	}
	for from := 0; from < versions; from += 1000 {
		var in vault.ImportValuesInput
		for i := range 1000 {
			in.Writes = append(in.Writes, vault.WriteValueInput{
				AgentID: w.agent, CustomerID: w.customer, Name: fmt.Sprintf("field_%d", (from+i)%fields),
				Value: fmt.Appendf(nil, "%q", fmt.Sprintf("value %d", from+i)), Source: vault.ValueUserProvided,
			})
		}
		apply(w, vault.ImportValues, in)
	}
}

// crowd makes pending values of many customers.
func (w *world) crowd(b *testing.B, pending int) {
	b.Helper()
	w.define(nil, "plan")
	for from := 0; from < pending; from += 500 {
		var strong, weak vault.ImportValuesInput
		low := 0.4
		for range 500 {
			in := vault.WriteValueInput{
				AgentID: w.agent, CustomerID: testkit.ID(), Name: "plan", Value: []byte(`"gold"`),
				Source: vault.ValueHumanEntered, Verified: true, VerificationMethod: "letter",
			}
			strong.Writes = append(strong.Writes, in)
			in.Value, in.Source, in.Confidence = []byte(`"silver"`), vault.ValueSystemInferred, &low
			in.Verified, in.VerificationMethod = false, ""
			weak.Writes = append(weak.Writes, in)
		}
		apply(w, vault.ImportValues, strong)
		apply(w, vault.ImportValues, weak)
	}
}
