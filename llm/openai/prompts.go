package openai

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"strings"
	"text/template"
	"time"

	"github.com/contextvault/contextvault/llm"
	"github.com/contextvault/contextvault/vault"
)

//go:embed prompts/*.md
var promptFiles embed.FS

var prompts = template.Must(template.New("").Option("missingkey=error").ParseFS(promptFiles, "prompts/*.md"))

// Tags around untrusted text in a prompt. The text cannot contain them: it is JSON with every <, > and & escaped.
const (
	dataOpen  = "<data>"
	dataClose = "</data>"
)

// maxRepairBytes is the size to which an invalid answer is truncated in the repair request.
const maxRepairBytes = 16 << 10

// prompt is one structured call: its messages and the schema of its answer.
type prompt struct {
	system, user string
	schemaName   string
	schema       json.RawMessage
}

func proposePrompt(req llm.ProposeRequest) (prompt, error) {
	type text struct {
		Label     string `json:"label"`
		Text      string `json:"text"`
		Condition bool   `json:"is_condition,omitempty"`
	}
	type existing struct {
		Name        string          `json:"name"`
		DisplayName string          `json:"display_name"`
		Description string          `json:"description,omitempty"`
		ValueType   vault.ValueType `json:"value_type"`
	}
	data := struct {
		Title    string     `json:"title"`
		Texts    []text     `json:"texts"`
		Existing []existing `json:"existing_fields"`
	}{Title: req.Title, Texts: []text{}, Existing: []existing{}}
	for _, t := range req.Texts {
		data.Texts = append(data.Texts, text(t))
	}
	for _, d := range req.Existing {
		data.Existing = append(data.Existing, existing{d.Name, d.Label(), d.Description, d.ValueType})
	}
	return render("propose", "proposed_fields", mustMarshal(proposalSchema.schema), data, time.Time{})
}

func extractPrompt(req llm.ExtractRequest) (prompt, error) {
	type field struct {
		Name        string            `json:"field_name"`
		DisplayName string            `json:"display_name"`
		Description string            `json:"description,omitempty"`
		ValueType   vault.ValueType   `json:"value_type"`
		Allowed     []json.RawMessage `json:"allowed_values,omitempty"`
		Unit        string            `json:"unit,omitempty"`
		Minimum     json.RawMessage   `json:"minimum,omitempty"`
		Maximum     json.RawMessage   `json:"maximum,omitempty"`
		TimeZone    string            `json:"time_zone,omitempty"`
		Region      string            `json:"region,omitempty"`
		Schema      json.RawMessage   `json:"json_schema,omitempty"`
		Multiple    bool              `json:"multiple,omitempty"`
		Question    string            `json:"question"`
		Examples    []string          `json:"examples,omitempty"`
		Hint        string            `json:"hint,omitempty"`
		About       string            `json:"about,omitempty"`
	}
	type turn struct {
		Turn    int           `json:"turn"`
		Speaker vault.Speaker `json:"speaker"`
		Text    string        `json:"text"`
		At      string        `json:"at,omitempty"`
	}
	data := struct {
		Fields []field `json:"fields"`
		Turns  []turn  `json:"conversation"`
	}{Fields: []field{}, Turns: []turn{}}
	names := make([]string, len(req.Definitions))
	for i, d := range req.Definitions {
		names[i] = d.Name
		data.Fields = append(data.Fields, field{
			Name: d.Name, DisplayName: d.Label(), Description: d.Description, ValueType: d.ValueType,
			Allowed: d.AllowedValues, Unit: d.Unit, Minimum: d.Minimum, Maximum: d.Maximum, TimeZone: d.TimeZone,
			Region: d.DefaultRegion, Schema: d.JSONSchema, Multiple: d.Multiple, Question: d.Prompt(),
			Examples: d.ExtractionExamples, Hint: d.ExtractionPromptHint, About: d.About,
		})
	}
	for _, t := range req.Turns {
		at := ""
		if t.At != nil {
			at = req.At(t).Format(promptTime)
		}
		data.Turns = append(data.Turns, turn{t.Index, t.Speaker, t.Text, at})
	}
	now := req.Now
	if !now.IsZero() && req.Zone != nil {
		now = now.In(req.Zone)
	}
	return render("extract", "stated_values", extractionSchema.withNames(names), data, now)
}

// promptTime is the form of times in prompts.
const promptTime = "Monday, 2006-01-02 15:04 MST"

func repairPrompt(problem error) (string, error) {
	return execute("repair.md", map[string]any{"Problem": problem.Error()})
}

func render(name, schemaName string, schema json.RawMessage, data any, now time.Time) (prompt, error) {
	encoded, err := encodeData(data)
	if err != nil {
		return prompt{}, err
	}
	when := ""
	if !now.IsZero() {
		when = now.Format(promptTime)
	}
	args := map[string]any{
		"Open": dataOpen, "Close": dataClose, "Data": encoded, "Now": when,
		"MaxNameLength": vault.MaxNameLength, "ValueTypes": vault.OneOf(vault.ValueTypes),
	}
	system, err := execute(name+"_system.md", args)
	if err != nil {
		return prompt{}, err
	}
	user, err := execute(name+"_user.md", args)
	if err != nil {
		return prompt{}, err
	}
	return prompt{system: system, user: user, schemaName: schemaName, schema: schema}, nil
}

// encodeData writes data as JSON with one line for each field, text or turn. json.Marshal escapes <, > and &; without
// that, data could close the tags around it.
func encodeData(data any) (string, error) {
	raw, err := json.Marshal(data)
	if err != nil {
		return "", &vault.Error{
			Code:    vault.CodeInvalid,
			Message: "a text for the " + llm.Dependency + " cannot be written as JSON",
		}
	}
	var out bytes.Buffer
	if err := json.Indent(&out, raw, "", " "); err != nil {
		return "", fmt.Errorf("indent prompt data: %w", err)
	}
	return out.String(), nil
}

func execute(file string, args any) (string, error) {
	var out strings.Builder
	if err := prompts.ExecuteTemplate(&out, file, args); err != nil {
		return "", fmt.Errorf("write prompt %s: %w", file, err)
	}
	return strings.TrimSpace(out.String()), nil
}
