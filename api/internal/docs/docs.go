// Package docs serves the OpenAPI document and a page of it for people.
package docs

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"html/template"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

//go:embed docs.html
var docsPage string

// Register adds GET /openapi.json and GET /docs to mux. It creates both documents once. The page loads no other
// resources, so that it also works offline.
func Register(mux *http.ServeMux, api *huma.OpenAPI) {
	document, err := json.Marshal(api)
	if err != nil {
		panic("write the OpenAPI document: " + err.Error()) // it is JSON
	}
	mux.HandleFunc("GET /openapi.json", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(document) // the client may have disconnected
	})
	var page bytes.Buffer
	t := template.Must(template.New("docs").Parse(docsPage))
	if err := t.Execute(&page, contentsOf(api)); err != nil {
		panic("write the documentation: " + err.Error()) // the template and the types are constant
	}
	mux.HandleFunc("GET /docs", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Content-Security-Policy",
			"default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'")
		_, _ = w.Write(page.Bytes()) // the client may have disconnected
	})
}

type contents struct {
	Title, About string
	Sections     []section
	Schemas      []shown
}

type section struct {
	Name, About string
	Operations  []shownOperation
}

type shownOperation struct {
	ID, Method, Path, Summary, About, Example, Body string
	Parameters                                      []*huma.Param
	Responses                                       []shown
}

type shown struct{ Name, Text string }

func contentsOf(doc *huma.OpenAPI) contents {
	out := contents{Title: doc.Info.Title, About: doc.Info.Description}
	for _, tag := range doc.Tags {
		sec := section{Name: tag.Name, About: tag.Description}
		for _, path := range slices.Sorted(maps.Keys(doc.Paths)) {
			item := doc.Paths[path]
			for _, op := range []*huma.Operation{item.Get, item.Put, item.Post, item.Delete} {
				if op != nil && slices.Contains(op.Tags, tag.Name) {
					sec.Operations = append(sec.Operations, show(op))
				}
			}
		}
		out.Sections = append(out.Sections, sec)
	}
	for _, name := range slices.Sorted(maps.Keys(doc.Components.Schemas.Map())) {
		out.Schemas = append(out.Schemas, shown{name, indented(doc.Components.Schemas.Map()[name])})
	}
	return out
}

func show(op *huma.Operation) shownOperation {
	out := shownOperation{
		ID: op.OperationID, Method: op.Method, Path: op.Path, Summary: op.Summary, About: op.Description,
		Parameters: op.Parameters,
	}
	if op.RequestBody != nil {
		media := op.RequestBody.Content["application/json"]
		out.Body, out.Example = indented(media.Schema), indented(media.Example)
	}
	for _, status := range slices.Sorted(maps.Keys(op.Responses)) {
		response := op.Responses[status]
		text := response.Description
		for _, media := range response.Content {
			if media.Schema != nil && media.Schema.Ref != "" {
				text += ": " + media.Schema.Ref[strings.LastIndex(media.Schema.Ref, "/")+1:]
			}
		}
		if code, err := strconv.Atoi(status); err == nil && text == "" {
			text = http.StatusText(code)
		}
		out.Responses = append(out.Responses, shown{status, text})
	}
	return out
}

func indented(v any) string {
	encoded, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		panic("write a schema: " + err.Error()) // schemas are JSON
	}
	return string(encoded)
}
