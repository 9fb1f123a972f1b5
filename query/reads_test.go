package query_test

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/query"
	"github.com/contextvault/contextvault/trigger"
	"github.com/contextvault/contextvault/vault"
)

// reads keeps the entries of reads.
type reads struct {
	entries []vault.AuditEntry
	err     error // of Add
}

func (r *reads) Add(_ context.Context, e vault.AuditEntry) error {
	if r.err != nil {
		return r.err
	}
	r.entries = append(r.entries, e)
	return nil
}

// taken returns the names of the fields that were read since the last call.
func (r *reads) taken() string {
	var names []string
	for _, e := range r.entries {
		names = append(names, e.Fields...)
	}
	r.entries = nil
	slices.Sort(names)
	return strings.Join(slices.Compact(names), ",")
}

// Each read that shows PII is recorded, and fails if it cannot be. One that shows none, or shows it masked, is not.
func TestReads_AreRecorded(t *testing.T) {
	v := newVault(t, "")
	v.define(
		vault.Definition{Name: "email", ValueType: vault.TypeString, IsPII: true},
		vault.Definition{Name: "tax_id", ValueType: vault.TypeString, IsPII: true, EncryptionRequired: true},
		vault.Definition{Name: "plan", ValueType: vault.TypeString},
	)
	quoted := func(in *vault.WriteValueInput) { in.SourceMetadata = json.RawMessage(`{"quote": "a@example.com"}`) }
	email, plan := v.write("email", "a@example.com", quoted), v.write("plan", "basic", quoted)
	v.write("tax_id", "12345678")
	session := v.session(nil)
	link, err := trigger.Submit(t.Context(), v.trigger, v.tenant, vault.LinkChannel, vault.LinkChannelInput{
		CustomerID: v.customer, Channel: "sms", ExternalID: "+4712345678",
	})
	v.run(link, err, step(v.steps.Customers.LinkChannel), v.acknowledge)
	log := &reads{}
	q := query.New(v.db, v.cache, v.sealer, query.AuditReads(log))
	cases := map[string]struct {
		fields string
		read   func(ctx context.Context) error
	}{
		"profile": {"(channels),email,tax_id", func(ctx context.Context) error {
			_, err := q.Profile(ctx, v.tenant, v.customer)
			return err
		}},
		"document": {"(channels),email,tax_id", func(ctx context.Context) error {
			_, err := q.ProfileDocument(ctx, v.tenant, v.customer)
			return err
		}},
		"document of the cache": {"(channels),email,tax_id", func(ctx context.Context) error {
			_, err := q.ProfileDocument(ctx, v.tenant, v.customer)
			return err
		}},
		"document with history": {"(channels),email,tax_id", func(ctx context.Context) error {
			_, err := q.DocumentWithHistory(ctx, v.tenant, v.customer)
			return err
		}},
		"history": {"email", func(ctx context.Context) error {
			_, err := q.History(ctx, v.tenant, v.customer, "email")
			return err
		}},
		"history without PII": {"", func(ctx context.Context) error {
			_, _, err := q.HistoryPage(ctx, v.tenant, v.customer, "plan", nil, 10)
			return err
		}},
		"value": {"email", func(ctx context.Context) error {
			_, err := q.Field(ctx, v.tenant, email)
			return err
		}},
		"value without PII": {"", func(ctx context.Context) error {
			_, err := q.Field(ctx, v.tenant, plan)
			return err
		}},
		"values of an export": {"email,tax_id", func(ctx context.Context) error {
			_, _, err := q.ActiveValues(ctx, v.tenant, []uuid.UUID{v.customer})
			return err
		}},
		"context block": {"email,tax_id", func(ctx context.Context) error {
			_, err := q.Context(ctx, v.tenant, query.ContextInput{
				CustomerID: v.customer, Format: vault.ContextMarkdown, MaxTokens: vault.MaxContextTokens,
			})
			return err
		}},
		"profile of a moment": {"(channels),email,tax_id", func(ctx context.Context) error {
			_, err := q.ProfileDocumentAt(ctx, v.tenant, v.customer, vault.Moment{KnownAt: ptr(time.Now())})
			return err
		}},
		"value of a moment": {"email", func(ctx context.Context) error {
			_, err := q.ValueAt(ctx, v.tenant, v.customer, "email", vault.Moment{AsOf: ptr(time.Now())})
			return err
		}},
		"chain": {"email", func(ctx context.Context) error {
			_, err := q.Chain(ctx, v.tenant, email, 0)
			return err
		}},
		"chain of a moment": {"email", func(ctx context.Context) error {
			_, err := q.ChainAt(ctx, v.tenant, email, 0, vault.Moment{KnownAt: ptr(time.Now())})
			return err
		}},
		"chain without PII": {"", func(ctx context.Context) error {
			_, err := q.Chain(ctx, v.tenant, plan, 0)
			return err
		}},
		"events": {"", func(ctx context.Context) error {
			_, err := q.EventsPage(ctx, v.tenant, vault.EventFilter{}, nil, 100, false)
			return err
		}},
		"events with values": {"email,tax_id", func(ctx context.Context) error {
			_, err := q.EventsPage(ctx, v.tenant, vault.EventFilter{}, nil, 100, true)
			return err
		}},
		"customer of an identity": {"(channels)", func(ctx context.Context) error {
			_, err := q.FindCustomer(ctx, v.tenant, query.Identity{Channel: "sms", ExternalID: "+4712345678"})
			return err
		}},
		"list without values": {"", func(ctx context.Context) error {
			_, _, err := q.CustomersPage(ctx, v.tenant, nil, 10)
			return err
		}},
		"session": {"(turns)", func(ctx context.Context) error {
			_, err := q.Session(ctx, v.tenant, session)
			return err
		}},
	}
	actor := vault.KeyActor(newID())
	access := vault.Access{Purpose: "support", Operation: "get-something"}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			read := func(ctx context.Context) error {
				if err := c.read(ctx); err != nil {
					return err
				}
				return q.RecordReads(ctx)
			}
			with := func(access vault.Access) context.Context {
				return vault.WithActor(query.WithAccess(t.Context(), access), actor)
			}
			v.must(read(with(access)))
			for _, e := range log.entries {
				if e.Action != vault.AuditRead || e.Actor != actor || e.Purpose != "support" || e.TenantID != v.tenant ||
					e.Operation != "get-something" || e.Subject != v.customer.String() {
					t.Errorf("got %+v", e)
				}
			}
			if want := min(len(c.fields), 1); len(log.entries) != want {
				t.Errorf("%d entries, want %d", len(log.entries), want)
			}
			if got := log.taken(); got != c.fields {
				t.Errorf("recorded %q, want %q", got, c.fields)
			}
			masked := access
			masked.Masked = true
			v.must(read(with(masked)))
			if got := log.taken(); got != "" && got != "(turns)" {
				t.Errorf("a masked read recorded %q", got)
			}
			v.must(read(t.Context())) // the vault itself
			if got := log.taken(); got != "" {
				t.Errorf("the vault itself recorded %q", got)
			}
			forgotten := with(access)
			v.must(c.read(forgotten))
			query.ForgetReads(forgotten)
			v.must(q.RecordReads(forgotten))
			if got := log.taken(); got != "" {
				t.Errorf("an answer that was not shown recorded %q", got)
			}
			log.err = errors.New("the audit is full")
			defer func() { log.err = nil }()
			if err := read(with(access)); (err != nil) != (c.fields != "") {
				t.Errorf("without the audit the read ended with %v", err)
			}
		})
	}
}
