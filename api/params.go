package api

import (
	"errors"
	"reflect"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"github.com/contextvault/contextvault/vault"
)

// exampleID is the id that texts and examples show.
const exampleID = "0198c5f2-8a4b-7cde-9f01-23456789abcd"

// id is a UUID in a path or a query. The zero id was not given.
type id struct{ uuid.UUID }

// UnmarshalText implements encoding.TextUnmarshaler.
func (i *id) UnmarshalText(text []byte) error {
	parsed, err := uuid.ParseBytes(text)
	if err != nil || len(text) != len(exampleID) || parsed == uuid.Nil {
		return errors.New("is not a UUID, such as " + exampleID)
	}
	i.UUID = parsed
	return nil
}

// Schema implements huma.SchemaProvider.
func (i *id) Schema(huma.Registry) *huma.Schema { return uuidSchema() }

func uuidSchema() *huma.Schema { return &huma.Schema{Type: huma.TypeString, Format: "uuid"} }

// given is the id, nil where it was not given.
func (i *id) given() *uuid.UUID {
	if i.UUID == uuid.Nil {
		return nil
	}
	return &i.UUID
}

// uuidAlias describes uuid.UUID in schemas.
type uuidAlias struct{}

// Schema implements huma.SchemaProvider.
func (uuidAlias) Schema(huma.Registry) *huma.Schema { return uuidSchema() }

var uuidType, uuidAliasType = reflect.TypeFor[uuid.UUID](), reflect.TypeFor[uuidAlias]()

type agentPath struct {
	Agent id `path:"agent_id" doc:"The agent, by the id that its config service gave it."`
}

type scenarioPath struct {
	Scenario id `path:"scenario_id" doc:"The scenario, by the id that the config service gave it."`
}

type customerPath struct {
	Customer id `path:"customer_id" doc:"The customer: an id chosen by the caller, or the one that POST /v1/customers gave."`
}

type sessionPath struct {
	Session id `path:"session_id" doc:"The session, by the id that the agent runtime gave it."`
}

type itemPath struct {
	Item id `path:"item_id" doc:"A version of a field, or an asset."`
}

type fieldPath struct {
	Name string `path:"name" maxLength:"50" pattern:"^[a-z_][a-z0-9_]*$" patternDescription:"a field name: small letters, digits and _, with no digit first" doc:"The name of the field." example:"email"`
}

// pageParams are those of a list.
type pageParams struct {
	Cursor string `query:"cursor" maxLength:"500" doc:"Where the page begins: next_cursor of the page before. Empty: the first page."`
	Limit  int    `query:"limit" minimum:"1" maximum:"500" default:"100" doc:"The most entries of the page."`
}

// from checks that an id in a body does not contradict the one in the path, and sets it.
func from(into *uuid.UUID, path id, name string) error {
	if *into != uuid.Nil && *into != path.UUID {
		return vault.Invalid(name, "is another one than in the path; leave it out of the body")
	}
	*into = path.UUID
	return nil
}
