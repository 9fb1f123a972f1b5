// Package input holds the common parts of the inputs of routes: ids, pages, preferences and bodies. They are exported
// because Huma ignores embedded types that are not.
package input

import (
	"errors"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"github.com/contextvault/contextvault/api/internal/problem"
	"github.com/contextvault/contextvault/vault"
)

// ExampleID is the id in texts and examples.
const ExampleID = "0198c5f2-8a4b-7cde-9f01-23456789abcd"

// ID is a UUID in a path or a query. The zero ID means that the parameter is absent.
type ID struct{ uuid.UUID }

// UnmarshalText implements encoding.TextUnmarshaler.
func (i *ID) UnmarshalText(text []byte) error {
	parsed, err := uuid.ParseBytes(text)
	if err != nil || len(text) != len(ExampleID) || parsed == uuid.Nil {
		return errors.New("is not a UUID, such as " + ExampleID)
	}
	i.UUID = parsed
	return nil
}

// Schema implements huma.SchemaProvider.
func (i *ID) Schema(huma.Registry) *huma.Schema { return UUIDSchema() }

// UUIDSchema returns the schema of a UUID.
func UUIDSchema() *huma.Schema { return &huma.Schema{Type: huma.TypeString, Format: "uuid"} }

// Pointer returns the id, or nil if the parameter is absent.
func (i *ID) Pointer() *uuid.UUID {
	if i.UUID == uuid.Nil {
		return nil
	}
	return &i.UUID
}

// AgentPath is the path of an agent.
type AgentPath struct {
	Agent ID `path:"agent_id" doc:"The id of the agent, from its configuration service."`
}

// ScenarioPath is the path of a scenario.
type ScenarioPath struct {
	Scenario ID `path:"scenario_id" doc:"The id of the scenario, from the configuration service."`
}

// CustomerPath is the path of a customer.
type CustomerPath struct {
	Customer ID `path:"customer_id" doc:"The id of the customer: chosen by the caller, or returned by POST /v1/customers."`
}

// SessionPath is the path of a session.
type SessionPath struct {
	Session ID `path:"session_id" doc:"The id of the session, from the agent runtime."`
}

// ItemPath is the path of an item.
type ItemPath struct {
	Item ID `path:"item_id" doc:"The id of a value or an asset."`
}

// FieldPath is the path of a field.
type FieldPath struct {
	Name string `path:"name" maxLength:"50" pattern:"^[a-z_][a-z0-9_]*$" patternDescription:"the name of a field: a to z, 0 to 9 and _, not a digit first, such as email" doc:"The name of the field." example:"email"`
}

// Page selects a page of a list.
type Page struct {
	Cursor string `query:"cursor" maxLength:"500" doc:"The next_cursor of the previous page. Empty: the first page."`
	Limit  int    `query:"limit" minimum:"1" maximum:"500" default:"100" doc:"The maximum number of entries of the page."`
}

// Conditions select customers by their values.
type Conditions struct {
	Where []string `query:"where,explode" maxItems:"10" doc:"A condition on the active value of a field; repeat it for more, all of which hold. field=value: the value, without the case of ASCII letters; field^=beginning: a value that begins with this, if a definition of the field has prefix_search; field:verified: a verified value; field:present and field:missing: a value, or none; field:older_than=30d: a value that was collected longer ago (d, h, m)." example:"[\"country=DE\",\"email:verified\"]"`
}

// Preferences are the headers of all routes that submit an operation.
type Preferences struct {
	Prefer string `header:"Prefer" doc:"wait=5 waits up to 5 seconds (maximum 60) for the outcome." example:"wait=5"`
	Key    string `header:"Idempotency-Key" maxLength:"200" pattern:"^[!-~]+$" patternDescription:"ASCII characters without spaces, such as a UUID" doc:"Makes it safe to repeat a request: the same key with the same content is the same operation. A key belongs to a tenant and a kind of operation."`
}

// Preferred returns the preferences of an input that embeds them.
func (p *Preferences) Preferred() *Preferences { return p }

// Based is the parameter of routes that delete a part of the configuration.
type Based struct {
	IfVersion ID `query:"if_version" doc:"The version that the deletion is based on. If another one is stored, the deletion fails with the code conflict, which says who changed it and when, and nothing changes. Absent: no check."`
}

// JSON is the part of an input with a body. Decode decodes the body: its errors are better than those of a schema.
type JSON struct {
	ContentType string `header:"Content-Type" hidden:"true"`
	RawBody     []byte `contentType:"application/json"`
}

// Body returns the body of an input that embeds JSON.
func (j JSON) Body() JSON { return j }

// Moment selects a time in the past.
type Moment struct {
	AsOf    string `query:"as_of" maxLength:"40" doc:"Answer with what was true at this time (RFC 3339), by the time at which the values were collected. Default: known_at. Not in the future." example:"2026-03-31T14:30:00Z"`
	KnownAt string `query:"known_at" maxLength:"40" doc:"Answer with what the vault knew at this time (RFC 3339), by the order of acceptance. Default: now. Not in the future." example:"2026-03-31T14:30:00Z"`
}

// At returns the moment, or a problem with status 400 that names the parameter.
func (m Moment) At() (vault.Moment, error) {
	var out vault.Moment
	for _, p := range []struct {
		name, text string
		into       **time.Time
	}{{"as_of", m.AsOf, &out.AsOf}, {"known_at", m.KnownAt, &out.KnownAt}} {
		if p.text == "" {
			continue
		}
		at, err := time.Parse(time.RFC3339, p.text)
		if err != nil {
			return out, problem.New(http.StatusBadRequest, vault.CodeInvalid, p.name,
				p.name+": is not a time with its zone, such as 2026-03-31T14:30:00Z")
		}
		*p.into = &at
	}
	err := out.Check(time.Now())
	if e, ok := errors.AsType[*vault.Error](err); ok {
		return out, problem.New(http.StatusBadRequest, e.Code, e.Field, e.ForCaller())
	}
	return out, err
}
