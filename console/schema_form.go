package console

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/a-h/templ"
	"github.com/google/uuid"

	"github.com/contextvault/contextvault/vault"
)

// memberKind is how a person edits a member of a definition, requirement, scenario or rule.
type memberKind int

const (
	textMember   memberKind = iota // a line
	areaMember                     // a longer text
	numberMember                   // a JSON number; empty: absent
	jsonMember                     // any JSON; empty: absent
	checkMember                    // true or false
	selectMember                   // one of Options
	linesMember                    // a list of texts, one on each line
	valuesMember                   // a list of values of the type of the definition, one on each line
	pairsMember                    // name = value on each line
	fixedMember                    // it is chosen once, and is part of the address from then on
)

// member is a member with its JSON name.
type member struct {
	Name, Label, Help string
	Kind              memberKind
	Options           []string // of a select; "" is the default
	Required          bool
}

// group is a part of a form.
type group struct {
	Label   string
	Open    bool
	Members []member
}

// schemaForm is a form for a definition, requirement, scenario or rule.
type schemaForm struct {
	What, Action, Back, Token string
	Groups                    []group
	Steps                     []stepRow // of a scenario; nil: it has none

	// What the person typed, by JSON name, and what was wrong with it.
	Typed  map[string]string
	Errors map[string]string
	Seen   string // the version that was stored when the form was opened; "": nothing
	Shown  string // the stamp of what the preview was of; "": none

	Preview *vault.DryRun
	Checks  *checks
	Notes   []string // what the form needs to know besides
}

// stepRow is a step of a scenario.
type stepRow struct{ ID, Text, Condition string }

// checks are the outcomes of a live check.
type checks struct {
	Values    []valueCheck
	Condition *conditionCheck
}

type valueCheck struct{ Text, Problem string }

type conditionCheck struct {
	Text   string
	Kind   string // of its badge
	Reads  []string
	Hidden []string
}

// membersOf returns the JSON members of a value.
func membersOf(v any) map[string]json.RawMessage {
	out := map[string]json.RawMessage{}
	encoded, err := json.Marshal(v)
	if err != nil || json.Unmarshal(encoded, &out) != nil {
		return map[string]json.RawMessage{}
	}
	return out
}

func (f *schemaForm) members() []member {
	var out []member
	for _, g := range f.Groups {
		out = append(out, g.Members...)
	}
	return out
}

// fill fills the form with what is stored.
func (f *schemaForm) fill(v any) {
	stored := membersOf(v)
	f.Typed = map[string]string{}
	for _, m := range f.members() {
		raw := stored[m.Name]
		if len(raw) == 0 || string(raw) == "null" {
			continue
		}
		switch m.Kind {
		case checkMember:
			if string(raw) == "true" {
				f.Typed[m.Name] = "yes"
			}
		case linesMember, valuesMember:
			f.Typed[m.Name] = editable(raw, true)
		case pairsMember:
			var pairs map[string]string
			_ = json.Unmarshal(raw, &pairs) // it was encoded from one
			for _, name := range slices.Sorted(maps.Keys(pairs)) {
				f.Typed[m.Name] += name + " = " + pairs[name] + "\n"
			}
		case numberMember:
			if string(raw) != "0" || m.Required {
				f.Typed[m.Name] = string(raw)
			}
		case jsonMember:
			var indented bytes.Buffer
			_ = json.Indent(&indented, raw, "", "  ")
			f.Typed[m.Name] = indented.String()
		case textMember, areaMember, selectMember, fixedMember:
			f.Typed[m.Name] = display(raw)
		}
	}
}

// read takes what the person typed.
func (f *schemaForm) read(form url.Values) {
	f.Typed = map[string]string{}
	for _, m := range f.members() {
		f.Typed[m.Name] = strings.ReplaceAll(form.Get(m.Name), "\r\n", "\n")
	}
	f.Seen, f.Shown = form.Get("seen"), form.Get("shown")
}

// into sets the typed members of v, which has what is stored, a pointer to a struct. Errors are beside their fields.
func (f *schemaForm) into(v any) {
	all := membersOf(v)
	for _, m := range f.members() {
		text := f.Typed[m.Name]
		if m.Kind != areaMember {
			text = strings.TrimSpace(text)
		}
		raw, err := memberOf(m, text, vault.ValueType(f.Typed["value_type"]))
		if err != "" {
			f.Errors[m.Name] = err
			continue
		}
		if raw == nil {
			delete(all, m.Name)
			continue
		}
		all[m.Name] = raw
	}
	encoded, err := json.Marshal(all)
	if err == nil {
		reflect.ValueOf(v).Elem().SetZero() // an absent member is the zero value
		err = json.Unmarshal(encoded, v)
	}
	if err != nil && len(f.Errors) == 0 {
		name := ""
		if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
			name = wrong.Field
		}
		f.Errors[f.fieldOf(name)] = "This cannot be read; check numbers and lists."
	}
}

// memberOf returns the JSON of what a person typed for a member, nil for an absent one, or what is wrong with it.
func memberOf(m member, text string, kind vault.ValueType) (raw json.RawMessage, problem string) {
	if m.Required && text == "" {
		return nil, "Enter it: it is required."
	}
	encode := func(v any) json.RawMessage {
		out, err := json.Marshal(v)
		if err != nil {
			return nil
		}
		return out
	}
	switch m.Kind {
	case checkMember:
		return encode(text != ""), ""
	case numberMember:
		var number json.Number
		if text == "" {
			return nil, ""
		}
		if json.Unmarshal([]byte(text), &number) != nil || strings.HasPrefix(text, `"`) {
			return nil, "This is not a number, such as 12."
		}
		return json.RawMessage(text), ""
	case jsonMember:
		if text == "" {
			return nil, ""
		}
		if !json.Valid([]byte(text)) {
			return nil, "This is not JSON."
		}
		return json.RawMessage(text), ""
	case linesMember:
		return encode(linesOf(text)), ""
	case valuesMember:
		out := []json.RawMessage{}
		for _, line := range linesOf(text) {
			value, err := typedOne(line, kind)
			if err != nil {
				_, text := explain(err)
				return nil, text
			}
			out = append(out, value)
		}
		return encode(out), ""
	case pairsMember:
		out := map[string]string{}
		for _, line := range linesOf(text) {
			name, value, found := strings.Cut(line, "=")
			if name = strings.TrimSpace(name); !found || name == "" {
				return nil, "Write each variable on its line, as in country = Norway."
			}
			out[name] = strings.TrimSpace(value)
		}
		return encode(out), ""
	case textMember, areaMember, selectMember, fixedMember:
	}
	if text == "" {
		return nil, ""
	}
	return encode(text), ""
}

func linesOf(text string) []string {
	out := []string{}
	for line := range strings.SplitSeq(text, "\n") {
		if line = strings.TrimSpace(line); line != "" {
			out = append(out, line)
		}
	}
	return out
}

// fieldOf returns the field of the form that a path names, "" for the whole.
func (f *schemaForm) fieldOf(path string) string {
	name := path
	if at := strings.IndexAny(path, ".["); at >= 0 {
		name = path[:at]
	}
	for _, m := range f.members() {
		if m.Name == name {
			return name
		}
	}
	if name == "steps" && f.Steps != nil {
		return name
	}
	return ""
}

// refusedForm puts an error beside its field, or on top. An error that no person can mend is returned.
func (q *request) refusedForm(f *schemaForm, err error) (status int, fatal error) {
	e, ok := errors.AsType[*vault.Error](err)
	if !ok || e.Code == vault.CodeUnavailable {
		return 0, err
	}
	status, text := explain(err)
	field := f.fieldOf(e.Field)
	if field == "" || e.Code == vault.CodeConflict {
		q.notices = append(q.notices, notice{Kind: "failed", Text: text + " Nothing was changed."})
	} else {
		f.Errors[field] = text
	}
	return status, nil
}

// editing is what is edited: a pointer to it, and what is stored.
type editing struct {
	form    *schemaForm
	value   any       // a pointer, with what was typed
	stored  any       // nil: nothing
	version uuid.UUID // of what is stored; uuid.Nil: nothing is
	name    string    // for people
	title   string
	check   func() error // live checks, into form.Checks
	preview func() (vault.DryRun, error)
	save    func(based vault.Based) (page string, err error) // leads to a page
}

// changeSchema answers a form that read reads: it checks, previews or saves. A preview always comes before a save, and
// a form that was opened before somebody else saved changes nothing: the save itself compares the versions.
func (q *request) changeSchema(read func() (editing, error)) error {
	e, err := read()
	if err != nil {
		return err
	}
	f := e.form
	again := func(status int) error {
		return q.show(status, e.title, "schema", schemaFormContent(*f))
	}
	if len(f.Errors) > 0 {
		return again(http.StatusUnprocessableEntity)
	}
	do := q.r.PostFormValue("do")
	if do == "check" {
		if err := e.check(); err != nil {
			status, fatal := q.refusedForm(f, err)
			if fatal != nil {
				return fatal
			}
			return again(status)
		}
		return again(http.StatusOK)
	}
	typedStamp := f.stamp()
	if do == "save" && f.Shown == typedStamp {
		page, err := e.save(basedOn(f.Seen))
		if err == nil {
			return q.redirect(page)
		}
		if isStale(err) {
			if e, err = read(); err != nil { // what is stored now
				return err
			}
			return q.staleForm(e)
		}
		status, fatal := q.refusedForm(f, err)
		if fatal != nil {
			return fatal
		}
		f.Shown = ""
		return again(status)
	}
	if f.Seen != seenOf(e.version) {
		return q.staleForm(e)
	}
	if do == "save" {
		q.notices = append(q.notices, notice{
			Kind: "waits", Text: "The form differs from the preview, so here is another one. Nothing was changed.",
		})
	}
	preview, err := e.preview()
	if err != nil {
		f.Shown = ""
		status, fatal := q.refusedForm(f, err)
		if fatal != nil {
			return fatal
		}
		return again(status)
	}
	f.Preview, f.Shown = &preview, typedStamp
	return again(http.StatusOK)
}

// stamp identifies what is typed.
func (f *schemaForm) stamp() string {
	typed := map[string]string{}
	for _, m := range f.members() {
		typed[m.Name] = f.Typed[m.Name]
	}
	encoded, err := json.Marshal(struct {
		Typed map[string]string
		Steps []stepRow
	}{typed, f.Steps})
	if err != nil {
		return ""
	}
	sum := sha256.Sum256(encoded)
	return hex.EncodeToString(sum[:16])
}

// seenOf is the version in the hidden member seen of a form; "": nothing was stored.
func seenOf(version uuid.UUID) string {
	if version == uuid.Nil {
		return ""
	}
	return version.String()
}

// basedOn returns the condition that what a form showed is still stored.
func basedOn(seen string) vault.Based {
	if seen == "" {
		return vault.OnVersion(uuid.Nil)
	}
	version, err := uuid.Parse(seen)
	if err != nil {
		version = uuid.Max // no version of anything
	}
	return vault.OnVersion(version)
}

// isStale reports whether a change was based on another version than the stored one.
func isStale(err error) bool {
	e, ok := errors.AsType[*vault.Error](err)
	return ok && e.Code == vault.CodeConflict && e.Field == "if_version"
}

// staleForm shows a form again with what somebody else did while it was open. What was typed stays.
func (q *request) staleForm(e editing) error {
	f, now := e.form, seenOf(e.version)
	q.notices = append(q.notices, notice{Kind: "failed", Text: staleText(e, now, q.changeOf(e.version))})
	f.Seen, f.Shown = now, ""
	return q.show(http.StatusConflict, e.title, "schema", schemaFormContent(*f))
}

// changeOf says who made a version, and when. "": it is not known any more.
func (q *request) changeOf(version uuid.UUID) string {
	op, err := q.options.Query.Operation(vault.WithAgents(q.ctx, nil), q.key.TenantID, version)
	if err != nil { // none, or it was purged
		return ""
	}
	return fmt.Sprintf(" (%s, %s)", op.Actor, op.AcceptedAt.UTC().Format(time.RFC3339))
}

// staleText says what somebody else did while a form was open. by says who and when.
func staleText(e editing, now, by string) string {
	what := "Somebody else saved " + e.name + " meanwhile" + by + ". "
	switch {
	case now == "":
		what = "Somebody else deleted " + e.name + " meanwhile. "
	case e.form.Seen == "":
		what = cmp.Or(e.name, "This") + " exists by now: somebody else saved it meanwhile" + by + ". "
	}
	if now != "" {
		stored, typed := membersOf(e.stored), membersOf(e.value)
		var differ []string
		for _, m := range e.form.members() {
			if !bytes.Equal(stored[m.Name], typed[m.Name]) {
				differ = append(differ, fmt.Sprintf("%s is now %q", m.Label, display(stored[m.Name])))
			}
		}
		if len(differ) > 0 {
			what += "Other than what you typed: " + strings.Join(differ[:min(len(differ), 10)], "; ") + ". "
		}
	}
	return what + "Nothing was changed. What you typed is kept: preview it again to save it over theirs."
}

// invalid marks a field with an error.
func (f schemaForm) invalid(m member) templ.Attributes {
	if f.Errors[m.Name] == "" {
		return templ.Attributes{}
	}
	return templ.Attributes{"aria-invalid": "true"}
}

// typedIn reports whether a group has something that a person typed or an error.
func (f schemaForm) typedIn(g group) bool {
	return slices.ContainsFunc(g.Members, func(m member) bool { return f.Typed[m.Name] != "" || f.Errors[m.Name] != "" })
}
