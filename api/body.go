package api

import (
	"bytes"
	"encoding/json"
	"mime"
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/contextvault/contextvault/api/internal/input"
	"github.com/contextvault/contextvault/rules"
	"github.com/contextvault/contextvault/vault"
)

// decode decodes a body. Fields that the type does not have are refused.
func decode[T any](b input.JSON) (T, error) {
	var out T
	if b.ContentType != "" {
		if kind, _, err := mime.ParseMediaType(b.ContentType); err != nil || kind != "application/json" && !strings.HasSuffix(kind, "+json") {
			return out, problem(http.StatusUnsupportedMediaType, codeMediaType, "Content-Type", "the body must be JSON, with the header Content-Type: application/json (curl: --json)")
		}
	}
	if string(bytes.TrimSpace(b.RawBody)) == "null" {
		return out, vault.Invalid("", "the input is null; it must be a JSON object")
	}
	err := rules.DecodeStrict(b.RawBody, &out)
	if err != nil && !(json.Valid(b.RawBody) && utf8.Valid(b.RawBody)) {
		p, _ := problemOf(err)
		return out, problem(http.StatusBadRequest, codeMalformed, "", p.Detail)
	}
	return out, err
}

// decodeOptional is decode for a body that may be left out.
func decodeOptional[T any](b input.JSON) (T, error) {
	if len(b.RawBody) == 0 {
		var out T
		return out, nil
	}
	return decode[T](b)
}
