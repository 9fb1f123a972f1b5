// Package input holds the parts that the inputs of the API are made of: ids, pages, preferences, bodies. Huma reads their tags,
// and sees embedded types only where they are exported; here they are, without being part of what package api offers.
package input

import (
	"errors"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"
)

// ExampleID is the id that texts and examples show.
const ExampleID = "0198c5f2-8a4b-7cde-9f01-23456789abcd"

// ID is a UUID in a path or a query. The zero ID was not given.
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

// UUIDSchema describes a UUID.
func UUIDSchema() *huma.Schema { return &huma.Schema{Type: huma.TypeString, Format: "uuid"} }

// Given is the id, nil where it was not given.
func (i *ID) Given() *uuid.UUID {
	if i.UUID == uuid.Nil {
		return nil
	}
	return &i.UUID
}

// AgentPath names an agent.
type AgentPath struct {
	Agent ID `path:"agent_id" doc:"The agent, by the id that its config service gave it."`
}

// ScenarioPath names a scenario.
type ScenarioPath struct {
	Scenario ID `path:"scenario_id" doc:"The scenario, by the id that the config service gave it."`
}

// CustomerPath names a customer.
type CustomerPath struct {
	Customer ID `path:"customer_id" doc:"The customer: an id chosen by the caller, or the one that POST /v1/customers gave."`
}

// SessionPath names a session.
type SessionPath struct {
	Session ID `path:"session_id" doc:"The session, by the id that the agent runtime gave it."`
}

// ItemPath names an item.
type ItemPath struct {
	Item ID `path:"item_id" doc:"A version of a field, or an asset."`
}

// FieldPath names a field.
type FieldPath struct {
	Name string `path:"name" maxLength:"50" pattern:"^[a-z_][a-z0-9_]*$" doc:"The name of the field." example:"email"`
}

// Page says which part of a list.
type Page struct {
	Cursor string `query:"cursor" maxLength:"500" doc:"Where the page begins: next_cursor of the page before. Empty: the first page."`
	Limit  int    `query:"limit" minimum:"1" maximum:"500" default:"100" doc:"The most entries of the page."`
}

// Preferences are the headers that every change takes.
type Preferences struct {
	Prefer string `header:"Prefer" doc:"wait=5 waits up to 5 seconds, at most 60, for the outcome." example:"wait=5"`
	Key    string `header:"Idempotency-Key" maxLength:"200" pattern:"^[!-~]+$" doc:"Makes a repeat harmless: the same key with the same content is the same operation. Keys are of the tenant, and of one kind of operation."`
}

// Preferred implements what a change asks of its input.
func (p *Preferences) Preferred() *Preferences { return p }

// JSON is the part of an input that has a body. What it holds is decoded and checked by the domain, which says better
// than a schema what is wrong.
type JSON struct {
	ContentType string `header:"Content-Type" hidden:"true"`
	RawBody     []byte `contentType:"application/json"`
}

// Body returns the part itself: a route has a body where its input embeds JSON.
func (j JSON) Body() JSON { return j }
