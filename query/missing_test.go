package query_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/db/dbtest"
	"github.com/contextvault/contextvault/query"
	"github.com/contextvault/contextvault/rules"
	"github.com/contextvault/contextvault/vault"
)

func trimmed(s string) string { return strings.TrimSpace(s) }

func TestMissing_UnmetInOrder(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name     string
		reqs     []vault.Requirement
		arrange  func(v *vaultOf)
		in       func(v *vaultOf, in *query.MissingInput)
		want     []string // "field reason", with "!" if it blocks
		blocked  bool
		warnings int
	}{
		{
			name: "a customer without a value",
			reqs: []vault.Requirement{
				{FieldName: "email", Order: 2},
				{FieldName: "plan", Order: 1},
				{FieldName: "age", Order: 2, RequiredLevel: vault.LevelSoft},
			},
			want: []string{"plan absent !", "email absent !", "age absent"}, blocked: true,
		},
		{
			name: "a known field is not missing", reqs: []vault.Requirement{
				{FieldName: "plan"}, {FieldName: "age", RequiredLevel: vault.LevelSoft},
			},
			arrange: func(v *vaultOf) { v.write("plan", "gold") }, want: []string{"age absent"},
		},
		{
			name: "expired, stale and unverified", blocked: true,
			reqs: []vault.Requirement{
				{FieldName: "plan", Order: 1}, {FieldName: "fresh", Order: 2}, {FieldName: "proven", Order: 3},
			},
			arrange: func(v *vaultOf) {
				v.write("plan", "gold", func(in *vault.WriteValueInput) { in.ExpiresAt = ptr(time.Now().Add(time.Hour)) })
				v.write("fresh", "x", func(in *vault.WriteValueInput) { in.CollectedAt = ptr(time.Now().Add(-2 * time.Hour)) })
				v.write("proven", "x")
				// Expired and not swept yet; the profile was not read before.
				dbtest.Exec(
					v.t, v.url, "UPDATE customer_values SET expires_at = clock_timestamp() - interval '1 second' WHERE name = 'plan'",
				)
			}, want: []string{"plan expired !", "fresh stale !", "proven unverified !"},
		},
		{
			name: "level", reqs: []vault.Requirement{
				{FieldName: "plan"}, {FieldName: "age", RequiredLevel: vault.LevelSoft},
			},
			in: func(_ *vaultOf, in *query.MissingInput) { in.Scope.Level = vault.LevelSoft }, want: []string{"age absent"},
		},
		{
			name: "step", reqs: []vault.Requirement{{FieldName: "plan", StepID: "a"}, {FieldName: "age", StepID: "b"}},
			in: func(
				_ *vaultOf, in *query.MissingInput,
			) {
				in.Scope.StepID = "b"
			}, want: []string{"age absent !"}, blocked: true,
		},
		{
			name: "a condition sees the session and the profile", blocked: true,
			reqs: []vault.Requirement{
				{FieldName: "age", Order: 1, WhenCondition: `session.channel == "web" && fields.plan == "gold"`},
				{FieldName: "email", Order: 2, WhenCondition: `session.channel == "phone"`},
				{FieldName: "fresh", Order: 3, DependsOn: []string{"email"}},
			},
			arrange: func(v *vaultOf) { v.write("plan", "gold") },
			in: func(v *vaultOf, in *query.MissingInput) {
				in.SessionID = ptr(v.session(map[string]json.RawMessage{"channel": text("web")}))
			}, want: []string{"age absent !"},
		},
		{
			name: "a condition that fails counts as true, with a warning", reqs: []vault.Requirement{
				{FieldName: "age", WhenCondition: `session.channel == "web"`},
			},
			want: []string{"age absent !"}, blocked: true, warnings: 1,
		},
		{name: "an unreviewed requirement does not block", reqs: []vault.Requirement{
			{FieldName: "age"},
		}, arrange: func(v *vaultOf) {
			dbtest.Exec(v.t, v.url, "UPDATE requirements SET origin = 'extracted', review_state = 'pending'")
		}, want: []string{"age absent"}},
		{name: "a rejected requirement is ignored", reqs: []vault.Requirement{{FieldName: "age"}}, arrange: func(v *vaultOf) {
			dbtest.Exec(v.t, v.url, "UPDATE requirements SET origin = 'extracted', review_state = 'rejected'")
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			v := newVault(t, "")
			v.define(
				vault.Definition{Name: "plan", ValueType: vault.TypeString},
				vault.Definition{Name: "email", ValueType: vault.TypeEmail},
				vault.Definition{Name: "age", ValueType: vault.TypeNumber},
				vault.Definition{Name: "fresh", ValueType: vault.TypeString, FreshnessSeconds: 3600},
				vault.Definition{Name: "proven", ValueType: vault.TypeString, RequiredVerification: true},
			)
			scenario := v.scenario().ID
			v.require(scenario, c.reqs...)
			if c.arrange != nil {
				c.arrange(v)
			}
			in := query.MissingInput{CustomerID: v.customer, ScenarioID: scenario}
			if c.in != nil {
				c.in(v, &in)
			}
			for range 2 { // first from PostgreSQL, then from Redis
				out, err := v.Missing(t.Context(), v.tenant, in)
				v.must(err)
				var got []string
				for _, m := range out.Missing {
					line := fmt.Sprintf("%s %s", m.Requirement.FieldName, m.Reason)
					if m.Blocking {
						line += " !"
					}
					got = append(got, line)
				}
				v.equal("missing", c.want, got)
				if out.Blocked != c.blocked || len(out.Warnings) != c.warnings {
					t.Errorf("got blocked %v, warnings %q", out.Blocked, out.Warnings)
				}
			}
		})
	}
}

func TestMissing_UnknownIDs(t *testing.T) {
	t.Parallel()
	v := newVault(t, "")
	scenario := v.scenario().ID
	session := v.session(nil)
	id := newID()
	for _, c := range []struct {
		in   query.MissingInput
		code vault.Code
		says string
	}{
		{query.MissingInput{CustomerID: v.customer, ScenarioID: id}, vault.CodeUnknown, "unknown scenario: " + id.String()},
		{
			query.MissingInput{CustomerID: v.customer, ScenarioID: scenario, SessionID: &id},
			vault.CodeUnknown,
			"unknown session: " + id.String(),
		},
		{
			query.MissingInput{CustomerID: id, ScenarioID: scenario, SessionID: &session},
			vault.CodeInvalid,
			"session_id: session " + session.String() + " belongs to another customer",
		},
		{
			query.MissingInput{CustomerID: v.customer, ScenarioID: scenario, Scope: rules.Scope{StepID: "z"}},
			vault.CodeInvalid,
			`has no step "z"; its steps are a, b`,
		},
	} {
		_, err := v.Missing(t.Context(), v.tenant, c.in)
		if vault.CodeOf(err) != c.code || !strings.Contains(err.Error(), c.says) {
			t.Errorf("got %v, want %s: %s", err, c.code, c.says)
		}
	}
	var nobody uuid.UUID
	if out, err := v.Missing(t.Context(), v.tenant, query.MissingInput{
		CustomerID: nobody, ScenarioID: scenario,
	}); err != nil ||
		out.Missing == nil {
		t.Errorf("got %+v, %v; want an empty list", out, err)
	}
}
