// Package sdkgen generates the parts of the Python and TypeScript clients that follow the OpenAPI document.
package sdkgen

//go:generate sh -c "cd ../.. && go run ./internal/sdkgen/generate"

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"

	"github.com/contextvault/contextvault/api"
)

// Files returns the generated files by their paths below sdk/.
func Files() (map[string][]byte, error) {
	rec := httptest.NewRecorder()
	api.New(api.Options{}).ServeHTTP(rec, httptest.NewRequestWithContext(
		context.Background(), http.MethodGet, "/openapi.json", nil))
	var doc document
	if err := json.Unmarshal(rec.Body.Bytes(), &doc); err != nil {
		return nil, fmt.Errorf("read the document: %w", err)
	}
	var indented bytes.Buffer
	if err := json.Indent(&indented, rec.Body.Bytes(), "", " "); err != nil {
		return nil, fmt.Errorf("indent the document: %w", err)
	}
	indented.WriteByte('\n')
	return map[string][]byte{
		"openapi.json":                        indented.Bytes(),
		"python/src/contextvault/models.py":   pythonModels(doc),
		"python/src/contextvault/errors.py":   pythonErrors(doc),
		"python/src/contextvault/_methods.py": pythonMethods(doc),
		"typescript/src/methods.ts":           typescriptMethods(doc),
		"typescript/src/codes.ts":             typescriptErrors(doc),
	}, nil
}

type document struct {
	Paths      map[string]map[string]*operation `json:"paths"`
	Components struct {
		Schemas map[string]*schema `json:"schemas"`
	} `json:"components"`
}

type operation struct {
	ID          string      `json:"operationId"`
	Summary     string      `json:"summary"`
	Description string      `json:"description"`
	Parameters  []parameter `json:"parameters"`
	Body        *struct {
		Content  map[string]media `json:"content"`
		Required bool             `json:"required"`
	} `json:"requestBody"`
	Responses map[string]struct {
		Content map[string]media `json:"content"`
	} `json:"responses"`

	method, path string
}

type media struct {
	Schema *schema `json:"schema"`
}

type parameter struct {
	Name        string  `json:"name"`
	In          string  `json:"in"`
	Required    bool    `json:"required"`
	Description string  `json:"description"`
	Schema      *schema `json:"schema"`
	Member      string  `json:"x-member"`
}

// member returns the name of the argument for a parameter: that of the member of the body which it sets.
func (p parameter) member() string {
	if p.Member != "" {
		return p.Member
	}
	return p.Name
}

type schema struct {
	Type          string             `json:"type"`
	Format        string             `json:"format"`
	Description   string             `json:"description"`
	Ref           string             `json:"$ref"`
	Enum          []string           `json:"enum"`
	Items         *schema            `json:"items"`
	Properties    map[string]*schema `json:"properties"`
	Required      []string           `json:"required"`
	Additional    json.RawMessage    `json:"additionalProperties"`
	ReadOnly      bool               `json:"readOnly"`
	OneOf         []*schema          `json:"oneOf"`
	AllOf         []*schema          `json:"allOf"`
	Discriminator *struct {
		Property string `json:"propertyName"`
	} `json:"discriminator"`
}

// target returns the name of the component that a schema refers to, by itself or with more required members.
func (s *schema) target() string {
	if len(s.AllOf) > 0 {
		return s.AllOf[0].target()
	}
	return strings.TrimPrefix(s.Ref, "#/components/schemas/")
}

// values returns the schema of the values of a map, nil if it is none.
func (s *schema) values() *schema {
	if len(s.Additional) == 0 || s.Additional[0] != '{' {
		return nil
	}
	var out schema
	if json.Unmarshal(s.Additional, &out) != nil {
		return nil
	}
	return &out
}

// resolve returns the component of a name behind Stored… and other aliases, with its name.
func (d document) resolve(name string) (string, *schema) {
	s := d.Components.Schemas[name]
	for s != nil && len(s.AllOf) > 0 {
		name = s.target()
		s = d.Components.Schemas[name]
	}
	return name, s
}

// operations returns all operations by their ids.
func (d document) operations() []*operation {
	var out []*operation
	for path, item := range d.Paths {
		for method, op := range item {
			op.path, op.method = path, strings.ToUpper(method)
			out = append(out, op)
		}
	}
	slices.SortFunc(out, func(a, b *operation) int { return strings.Compare(a.ID, b.ID) })
	return out
}

// bodyName returns the name of the body's component, "" for none.
func (o *operation) bodyName() string {
	if o.Body == nil {
		return ""
	}
	return o.Body.Content["application/json"].Schema.target()
}

// ok returns the schema of the successful response, nil for none.
func (o *operation) ok() *schema { return o.Responses["200"].Content["application/json"].Schema }

func (o *operation) isChange() bool {
	_, accepted := o.Responses["202"]
	return accepted
}

// inputs are the arguments of a method.
func (d document) members(o *operation) []member {
	var out []member
	add := func(m member) {
		if !slices.ContainsFunc(out, func(known member) bool { return known.name == m.name }) {
			out = append(out, m)
		}
	}
	for _, p := range o.Parameters {
		if p.In == "path" {
			add(member{name: p.member(), schema: p.Schema, in: "path", parameter: p.Name, required: true})
		}
	}
	if name := o.bodyName(); name != "" {
		_, body := d.resolve(name)
		forms := []*schema{body}
		if len(body.OneOf) > 0 {
			forms = nil
			for _, form := range body.OneOf {
				_, s := d.resolve(form.target())
				forms = append(forms, s)
			}
		}
		for _, form := range forms {
			for _, name := range slices.Sorted(maps.Keys(form.Properties)) {
				if !form.Properties[name].ReadOnly {
					add(member{name: name, schema: form.Properties[name], in: "body"})
				}
			}
		}
	}
	for _, p := range o.Parameters {
		if p.In == "query" && p.Name != "cursor" {
			add(member{name: p.Name, schema: p.Schema, in: "query", parameter: p.Name, required: p.Required})
		}
	}
	return out
}

// member is one argument of a method.
type member struct {
	name      string
	schema    *schema
	in        string // path, query or body
	parameter string // its name in the path or the query
	required  bool
}

// page returns the component of the entries of a list and whether the response is a page; entries is "" for a page of
// several kinds.
func (d document) page(o *operation) (entries *schema, isPage bool) {
	if o.ok() == nil {
		return nil, false
	}
	_, s := d.resolve(o.ok().target())
	if s == nil || s.Properties["next_cursor"] == nil {
		return nil, false
	}
	if items := s.Properties["items"]; items != nil {
		return items.Items, true
	}
	return nil, true
}

// result returns the schema of the result of a change, nil if it is not known.
func (d document) result(o *operation) *schema {
	_, s := d.resolve(o.ok().target())
	return s.Properties["result"]
}

func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

// wrapped breaks a text into lines.
func wrapped(text, indent string, width int) string {
	var out strings.Builder
	column := 0
	for word := range strings.FieldsSeq(text) {
		if column > 0 && len(indent)+column+1+len(word) > width {
			out.WriteString("\n" + indent)
			column = 0
		} else if column > 0 {
			out.WriteByte(' ')
			column++
		}
		out.WriteString(word)
		column += len(word)
	}
	return out.String()
}

func camel(id string) string {
	words := strings.FieldsFunc(id, func(r rune) bool { return r == '-' || r == '_' })
	for i := range words[1:] {
		words[i+1] = strings.ToUpper(words[i+1][:1]) + words[i+1][1:]
	}
	return strings.Join(words, "")
}

func pascal(id string) string {
	name := camel(id)
	return strings.ToUpper(name[:1]) + name[1:]
}
