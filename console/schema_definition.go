package console

import (
	"net/http"
	"strings"

	"github.com/contextvault/contextvault/api"
	"github.com/contextvault/contextvault/query"
	"github.com/contextvault/contextvault/vault"
)

// maxSamples is the number of sample values that a check tries.
const maxSamples = 50

// definitionGroups are the members of a definition that a person edits.
func definitionGroups() []group {
	return []group{
		{"The field", true, []member{
			{
				"name", "Name",
				"Small letters, digits and underscores, as in date_of_birth. It cannot be changed: " +
					"another name is another field.",
				fixedMember, nil, true,
			},
			{"display_name", "Label", "The name for people. Empty: derived from the name.", textMember, nil, false},
			{"description", "Description", "It helps to match texts with the field.", areaMember, nil, false},
			{"value_type", "Type", "", selectMember, options(false, vault.ValueTypes...), true},
			{"enabled", "The field may be collected", "", checkMember, nil, false},
		}},
		{"Valid values", true, []member{
			{
				"validation_regex", "Pattern",
				"A regular expression (RE2) that matches the whole value.",
				textMember, nil, false,
			},
			{"allowed_values", "Allowed values", "One on each line. Empty: any.", valuesMember, nil, false},
			{"minimum", "Minimum", "Only for numbers.", numberMember, nil, false},
			{"maximum", "Maximum", "Only for numbers.", numberMember, nil, false},
			{"unit", "Unit", "Only for numbers, such as kg.", textMember, nil, false},
			{
				"validation_mode", "What happens to an invalid value",
				"strict rejects it, warn stores it with warnings.", selectMember,
				options(true, vault.ModeStrict, vault.ModeWarn, vault.ModeDisabled), false,
			},
			{"multiple", "A value is a list", "", checkMember, nil, false},
			{"max_elements", "Maximum number of elements", "Only for lists.", numberMember, nil, false},
			{"write_once", "A value is written once", "", checkMember, nil, false},
			{"time_zone", "Time zone", "Only for datetimes, such as Europe/Berlin.", textMember, nil, false},
			{"default_region", "Region", "Only for phone numbers: two letters, such as DE.", textMember, nil, false},
			{"json_schema", "JSON Schema", "Only for JSON.", jsonMember, nil, false},
		}},
		{"Questions and conversations", false, []member{
			{
				"collection_prompt", "Question to the customer",
				"Empty: derived from the label.",
				areaMember, nil, false,
			},
			{"retry_prompt", "Text after an unclear answer", "", areaMember, nil, false},
			{
				"ask_channels", "Channels on which it may be asked",
				"One on each line. Empty: each.",
				linesMember, nil, false,
			},
			{"extraction_prompt_hint", "Hint for the model", "", areaMember, nil, false},
			{"extraction_examples", "Examples for the model", "One on each line.", linesMember, nil, false},
			{
				"about", "About",
				"The person or thing other than the customer, such as emergency contact.",
				textMember, nil, false,
			},
			{"forbid_extraction", "No value is read from conversations", "", checkMember, nil, false},
		}},
		{"Protection", false, []member{
			{"is_pii", "Personal: masked, and reads are recorded", "", checkMember, nil, false},
			{"encryption_required", "Encrypted", "", checkMember, nil, false},
			{
				"searchable", "Encrypted values can be found", "The database keeps a keyed hash of each.", checkMember, nil, false,
			},
			{
				"prefix_search", "Values can be found by their beginning",
				"Not for encrypted values. Older values are found after a few minutes.", checkMember, nil, false,
			},
			{"purposes", "Purposes that need a consent", "One on each line.", linesMember, nil, false},
			{"erase_on_withdrawal", "A withdrawn consent erases it", "", checkMember, nil, false},
			{"retention_days", "Days that a value is valid", "Empty: no limit.", numberMember, nil, false},
			{
				"remove_after_days", "Days that expired versions are kept",
				"Empty: they stay.",
				numberMember, nil, false,
			},
		}},
		{"Trust", false, []member{
			{"required_verification", "An unverified value counts as missing", "", checkMember, nil, false},
			{
				"verification_methods", "Accepted methods of verification",
				"One on each line. Empty: each.",
				linesMember, nil, false,
			},
			{"freshness_seconds", "Maximum age, in seconds", "Empty: no limit.", numberMember, nil, false},
			{
				"stale_action", "What an older value does",
				"",
				selectMember, options(true, vault.StaleWarn, vault.StaleBlock, vault.StaleIgnore), false,
			},
			{
				"on_conflict", "What a weaker claim that differs does",
				"",
				selectMember,
				options(true, vault.ConflictAsk, vault.ConflictReview, vault.ConflictKeep, vault.ConflictNewest), false,
			},
			{
				"source_priority", "Sources, the strongest first",
				"One on each line, such as tool_result.",
				linesMember, nil, false,
			},
		}},
	}
}

// readDefinition returns the form of a definition; the name is that of the address or of the form.
func (q *request) readDefinition() (editing, error) {
	agent, err := q.id()
	if err != nil {
		return editing{}, err
	}
	f := &schemaForm{
		What: "definition", Action: Path + "/agents/" + agent.String() + "/definition",
		Back:  Path + "/agents/" + agent.String(),
		Token: q.session.Token, Groups: definitionGroups(), Errors: map[string]string{}, Checks: &checks{},
	}
	value := &vault.Definition{AgentID: agent, Enabled: true, ValueType: vault.TypeString}
	e := editing{form: f, value: value, title: "New definition"}
	name := strings.TrimSpace(q.r.FormValue("name"))
	if vault.NamePattern.MatchString(name) {
		stored, err := q.options.Query.Definition(q.ctx, q.key.TenantID, agent, name)
		if err != nil && vault.CodeOf(err) != vault.CodeUnknown {
			return e, err
		}
		if err == nil {
			*value, e.stored, e.version, e.title = stored, stored, stored.Version, "Definition "+name
		}
		if err != nil && q.r.Method == http.MethodGet {
			return e, err
		}
	}
	e.name = "the definition " + name
	if q.r.Method == http.MethodGet {
		f.fill(*value)
		if e.stored != nil {
			f.Seen = seenOf(e.version)
			f.Notes = []string{"Save it, and it is a definition of a person."}
		}
		return e, nil
	}
	f.read(q.r.PostForm)
	f.Typed["samples"] = q.r.PostFormValue("samples")
	f.into(value)
	e.preview = func() (vault.DryRun, error) {
		return q.options.Query.DryRunDefinition(q.ctx, q.key.TenantID, *value, query.Look{})
	}
	e.save = func(based vault.Based) (string, error) {
		if stored, ok := e.stored.(vault.Definition); ok {
			if err := api.CheckLoosens(q.may(api.ScopeAdmin), "", stored, value); err != nil {
				return "", err
			}
		}
		value.Based = based
		return saved(q, "/agents/"+agent.String(), vault.SaveDefinition, *value)
	}
	e.check = func() error { return q.checkSamples(f, *value) }
	return e, nil
}

// checkSamples checks the sample values of the form.
func (q *request) checkSamples(f *schemaForm, d vault.Definition) error {
	samples := linesOf(strings.ReplaceAll(f.Typed["samples"], "\r\n", "\n"))
	if len(samples) == 0 {
		f.Errors["samples"] = "Enter a value on a line of its own."
	}
	if len(samples) > maxSamples {
		samples = samples[:maxSamples]
		f.Errors["samples"] = "Only the first 50 are tried."
	}
	d.Multiple = false
	if d.Name == "" {
		d.Name = "value"
	}
	for _, text := range samples {
		c := valueCheck{Text: text}
		value, err := typedOne(text, d.ValueType)
		if err != nil {
			_, c.Problem = explain(err)
		} else {
			c.Problem = query.TryValue(d, value)
		}
		f.Checks.Values = append(f.Checks.Values, c)
	}
	return nil
}

func (q *request) definitionForm() error   { return q.showForm(q.readDefinition()) }
func (q *request) changeDefinition() error { return q.changeSchema(q.readDefinition) }
