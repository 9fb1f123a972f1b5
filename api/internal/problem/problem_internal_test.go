package problem

import (
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/contextvault/contextvault/vault"
)

// An operation can fail with any code of the vault. Each has a status and is documented.
func TestOf_EveryCodeHasAStatus(t *testing.T) {
	t.Parallel()
	field, _ := reflect.TypeFor[Problem]().FieldByName("Code")
	described := strings.Split(field.Tag.Get("enum"), ",")
	for _, code := range []vault.Code{
		vault.CodeInvalid, vault.CodeUnknown, vault.CodeConflict, vault.CodeHasDependents, vault.CodeNotAllowed,
		vault.CodeBudget, vault.CodeUnavailable,
	} {
		p, complete := Of(&vault.Error{Code: code, Message: "why"}, func(error) bool { return false })
		if !complete || p.Code != code || p.Status == http.StatusInternalServerError || p.Detail != "why" {
			t.Errorf("%s becomes %d, %s: %s", code, p.Status, p.Code, p.Detail)
		}
		if !slices.Contains(described, string(code)) {
			t.Errorf("the description of a problem lacks %s", code)
		}
	}
}
