package api

import (
	"reflect"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"github.com/contextvault/contextvault/api/internal/input"
)

// uuidAlias describes uuid.UUID in schemas.
type uuidAlias struct{}

// Schema implements huma.SchemaProvider.
func (uuidAlias) Schema(huma.Registry) *huma.Schema { return input.UUIDSchema() }

var uuidType, uuidAliasType = reflect.TypeFor[uuid.UUID](), reflect.TypeFor[uuidAlias]()
