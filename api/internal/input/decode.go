package input

import (
	"bytes"
	"errors"
	"mime"
	"net/http"
	"strings"

	"github.com/contextvault/contextvault/api/internal/problem"
	"github.com/contextvault/contextvault/rules"
	"github.com/contextvault/contextvault/vault"
)

// Decode decodes a body. Unknown and repeated members are an error.
func Decode[T any](b JSON) (T, error) {
	var out T
	if b.ContentType != "" {
		kind, _, err := mime.ParseMediaType(b.ContentType)
		if err != nil || kind != "application/json" && !strings.HasSuffix(kind, "+json") {
			return out, problem.New(http.StatusUnsupportedMediaType, problem.CodeMediaType, "Content-Type",
				"the body must be JSON, with the header Content-Type: application/json (curl: --json)")
		}
	}
	if string(bytes.TrimSpace(b.RawBody)) == "null" {
		return out, vault.Invalid("", "the input is null; it must be a JSON object")
	}
	err := rules.DecodeStrict(b.RawBody, &out)
	if err != nil {
		if malformed, ok := errors.AsType[*vault.Error](rules.CheckDocument(b.RawBody)); ok {
			return out, problem.New(http.StatusBadRequest, problem.CodeMalformed, malformed.Field, malformed.ForCaller())
		}
	}
	return out, err
}

// DecodeOptional is Decode for an optional body. It returns the zero T if there is no body.
func DecodeOptional[T any](b JSON) (T, error) {
	if len(b.RawBody) == 0 {
		var out T
		return out, nil
	}
	return Decode[T](b)
}
