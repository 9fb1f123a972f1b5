package api

import (
	"reflect"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"github.com/contextvault/contextvault/api/internal/input"
	"github.com/contextvault/contextvault/vault"
)

// uuidAlias describes uuid.UUID in schemas.
type uuidAlias struct{}

// Schema implements huma.SchemaProvider.
func (uuidAlias) Schema(huma.Registry) *huma.Schema { return input.UUIDSchema() }

var uuidType, uuidAliasType = reflect.TypeFor[uuid.UUID](), reflect.TypeFor[uuidAlias]()

// from checks that an id in a body does not contradict the one in the path, and sets it.
func from(into *uuid.UUID, path input.ID, name string) error {
	if *into != uuid.Nil && *into != path.UUID {
		return vault.Invalid(name, "is another one than in the path; leave it out of the body")
	}
	*into = path.UUID
	return nil
}
