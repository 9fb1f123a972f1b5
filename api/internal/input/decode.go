package input

import (
	"bytes"
	"encoding/json"
	"mime"
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/contextvault/contextvault/api/internal/problem"
	"github.com/contextvault/contextvault/rules"
	"github.com/contextvault/contextvault/vault"
)

// Decode decodes a body. Unknown members are an error.
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
	if err != nil && !(json.Valid(b.RawBody) && utf8.Valid(b.RawBody)) {
		p, _ := problem.Of(err)
		return out, problem.New(http.StatusBadRequest, problem.CodeMalformed, "", p.Detail)
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
