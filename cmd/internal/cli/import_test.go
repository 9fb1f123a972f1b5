package cli_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/contextvault/contextvault/cmd/internal/cli"
	"github.com/contextvault/contextvault/vault"
)

// summary is the summary of an import.
type summary struct {
	Lines, Written, Repeated, Superseded, Rejected, Operations int
}

// importing runs an import and returns its summary, standard error and exit code.
func (c *terminal) importing(args ...string) (summary, string, int) {
	c.t.Helper()
	out, errs, err := c.run("", append([]string{"import", "--json"}, args...)...)
	code := 0
	if err != nil {
		code = cli.ExitCode(err)
		errs += cli.Message(err)
	}
	var s summary
	if decodeErr := json.Unmarshal([]byte(out), &s); decodeErr != nil {
		c.t.Fatalf("import %v prints %s and says %s", args, out, errs)
	}
	return s, errs, code
}

func file(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// bank is a tenant with the definitions for the files of these tests.
func bank(t *testing.T) (c *terminal, agent string) {
	t.Helper()
	c, agent = newTerminal(t), newID()
	c.defineBank(agent)
	return c, agent
}

func (c *terminal) defineBank(agent string) {
	c.t.Helper()
	for name, kind := range map[string]string{"email": "email", "income": "number", "member": "boolean", "extra": "json", "plan": "string"} {
		c.ok(doc(c.t, "agent_id", agent, "name", name, "value_type", kind, "enabled", true,
			"is_pii", name == "email", "encryption_required", name == "email"), "definitions", "save")
	}
}

func (c *terminal) values(customer string) map[string]string {
	c.t.Helper()
	out := map[string]string{}
	for name, f := range parsed[vault.Profile](c, "", "customers", "get", "--customer", customer).Fields {
		var compact bytes.Buffer
		if err := json.Compact(&compact, f.Value); err != nil {
			c.t.Fatal(err)
		}
		out[name] = compact.String()
	}
	return out
}

func same(t *testing.T, what string, got, want any) {
	t.Helper()
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

// An invalid row does not stop the others. Its reject has line and reason, and no value. A second run changes nothing.
func TestImport_CSV(t *testing.T) {
	t.Parallel()
	c, agent := bank(t)
	ada, bob, eve := newID(), newID(), newID()
	text := "\ufeffcustomer_id,email,income,member,extra,plan\n" +
		ada + ",ada@example.com,1200.50,yes,\"{\"\"a\"\": [1]}\",gold\n" +
		bob + ",secret-at-example,1,,,\n" + // line 3
		"nobody,x@example.com,,,,\n" + // line 4
		eve + ",eve@example.com,hunter2,,,\"two\nlines\"\n" + // line 5
		eve + ",short\n" + // line 7
		bob + ",,,,,caf\xe9\n" // line 8
	path, rejects := file(t, "customers.csv", text), filepath.Join(t.TempDir(), "rejects.jsonl")
	for i := range 2 { // a named import is written once
		s, errs, code := c.importing(path, "--agent", agent, "--rejects", rejects, "--label", "monday")
		same(t, "the summary", s, summary{Lines: 6, Written: 8, Repeated: 8 * i, Rejected: 5, Operations: 1})
		if code != 2 || !strings.Contains(errs, "5 values were rejected; "+rejects) {
			t.Errorf("it exits with %d and says %s", code, errs)
		}
		raw, err := os.ReadFile(rejects)
		if err != nil {
			t.Fatal(err)
		}
		var lines []string
		for text := range strings.Lines(string(raw)) {
			var r struct {
				Line                int
				Field, Code, Reason string
			}
			if err := json.Unmarshal([]byte(text), &r); err != nil || r.Reason == "" || r.Code != "invalid_input" {
				t.Fatalf("%v: %s", err, text)
			}
			lines = append(lines, fmt.Sprintf("%d %s", r.Line, r.Field))
		}
		slices.Sort(lines)
		same(t, "the rejects", lines, []string{"3 email", "4 customer_id", "5 income", "7 email", "8 "})
		for _, value := range []string{"secret-at", "hunter2", "nobody"} {
			if strings.Contains(string(raw), value) {
				t.Errorf("the rejects hold a value: %s", raw)
			}
		}
		same(
			t,
			"Ada",
			c.values(ada),
			map[string]string{
				"email":  `"ada@example.com"`,
				"income": "1200.50",
				"member": "true",
				"extra":  `{"a":[1]}`,
				"plan":   `"gold"`,
			},
		)
		same(t, "Bob", c.values(bob), map[string]string{"income": "1"})
		same(t, "Eve", c.values(eve), map[string]string{"email": `"eve@example.com"`, "plan": `"two\nlines"`})
		if h := parsed[[]vault.Value](c, "", "customers", "history", "--customer", ada); len(h) != 5 {
			t.Errorf("Ada has %d versions", len(h))
		}
	}

	// --lines-of imports only the corrected lines.
	mended := strings.NewReplacer("secret-at-example", "bob@example.com", "hunter2", "7", "nobody", newID(), "short\n", "short@example.com,,,,\n", "\xe9", "é").
		Replace(text)
	path = file(t, "mended.csv", mended)
	if s, errs, code := c.importing(path, "--agent", agent, "--lines-of", rejects); code != 0 || s.Lines != 5 ||
		s.Rejected != 0 {
		t.Errorf("mended: %d, %+v, %s", code, s, errs)
	}
	same(t, "Bob", c.values(bob), map[string]string{"email": `"bob@example.com"`, "income": "1", "plan": `"café"`})
	if h := parsed[[]vault.Value](c, "", "customers", "history", "--customer", ada); len(h) != 5 {
		t.Errorf("Ada has %d versions now", len(h))
	}
	// A complete import that is run again is another import.
	if s, _, _ := c.importing(path, "--agent", agent); s.Written == 0 || s.Repeated != 0 {
		t.Errorf("again: %+v", s)
	}
	if h := parsed[[]vault.Value](c, "", "customers", "history", "--customer", ada); len(h) != 10 {
		t.Errorf("Ada has %d versions at last", len(h))
	}
}

// Consecutive lines of a customer are one operation, and several values of one field are versions in their order.
func TestImport_CustomerInOneOperation(t *testing.T) {
	t.Parallel()
	c, agent := bank(t)
	customers := []string{newID(), newID(), newID()}
	var text strings.Builder
	text.WriteString("customer_id,name,value\n")
	for _, customer := range customers {
		fmt.Fprintf(&text, "%[1]s,plan,basic\n%[1]s,plan,pro\n", customer)
	}
	s, errs, code := c.importing(file(t, "plans.csv", text.String()), "--agent", agent, "--batch", "3")
	same(t, "the summary", s, summary{Lines: 6, Written: 6, Operations: 3})
	if code != 0 {
		t.Errorf("it exits with %d and says %s", code, errs)
	}
	for _, customer := range customers {
		h := parsed[[]vault.Value](c, "", "values", "history", "--customer", customer, "--name", "plan")
		if len(h) != 2 || string(h[0].Value) != `"pro"` || h[0].Status != vault.StatusActive ||
			string(h[1].Value) != `"basic"` || h[0].OperationID != h[1].OperationID {
			t.Errorf("the versions are %+v", h)
		}
	}
}

// A channel identity can replace the customer id. New customers are created.
func TestImport_ByChannelIdentity(t *testing.T) {
	t.Parallel()
	c, agent := bank(t)
	path := file(
		t,
		"customers.csv",
		"channel;external_id;plan;income\nsms;+4915112345678;gold;1\nsms;+4915112345679;silver;2\nsms;+4915112345678;;3\n;+49;gold;\n",
	)
	for i := range 2 {
		s, errs, code := c.importing(path, "--agent", agent, "--separator", ";", "--label", "by channel")
		same(t, "the summary", s, summary{
			// one to open the customers, and one for all values; income is there twice
			Lines: 4, Written: 5, Repeated: 5 * i, Rejected: 1, Operations: 2,
		})
		if code != 2 || !strings.Contains(errs, "line 5, customer_id: ") {
			t.Errorf("it exits with %d and says %s", code, errs)
		}
	}
	opened := parsed[operation](c, "", "customers", "open", "--channel", "sms", "--external-id", "+4915112345678")
	same(t, "the customer", c.values(resultOf[vault.CustomerResult](t, opened).CustomerID.String()),
		map[string]string{"plan": `"gold"`, "income": "3"})
	if all := parsed[[]vault.Customer](c, "", "customers", "list"); len(all) != 2 {
		t.Errorf("there are %d customers", len(all))
	}
}

// Invalid lines, and a write that rejects its whole batch, do not stop the others.
func TestImport_JSONLines(t *testing.T) {
	t.Parallel()
	c, agent := bank(t)
	ada := newID()
	taken := resultOf[vault.ItemResult](
		t,
		parsed[operation](c, "", "values", "write", "--agent", agent, "--customer", newID(), "--name", "plan", "--value",
			"gold"),
	).ItemID.String()
	var lines []string
	for _, w := range [][]any{
		{"customer_id", ada, "name", "plan", "value", "silver", "collected_at", "2026-01-01T00:00:00Z", "source", "user_provided"},
		{"customer_id", ada, "name", "plan", "value", "gold"},
		{"customer_id", newID(), "name", "plan", "value", "gold", "item_id", taken},
		{"customer_id", ada, "name", "Plan", "value", "gold"},
		{"customer_id", ada, "name", "income", "value", 3, "colour", "red"},
		{"customer_id", ada, "channel", "sms", "external_id", "+49", "name", "income", "value", 3},
		{"customer_id", ada, "name", "income", "value", 4, "status", "active"},
	} {
		lines = append(lines, doc(t, w...))
	}
	lines = append(
		lines,
		`{"customer_id": `,
		`"x"`,
		`{"customer_id": "`+ada+`", "name": "income", "value": {"net": 1, "net": 2}}`,
		"",
		`{"customer_id": "`+strings.Repeat("x", 2<<20)+`"}`,
		doc(t, "customer_id", ada, "name", "member", "value", true),
	)
	path := file(t, "values.jsonl", strings.Join(lines, "\n"))
	for range 2 {
		s, errs, code := c.importing(path, "--agent", agent, "--label", "values")
		if s.Written != 4 || s.Rejected != 8 || s.Lines != 12 || code != 2 {
			t.Errorf("%d, %+v", code, s)
		}
		for _, want := range []string{"line 3, plan: item_id: " + taken + " is the id of another item", "line 4, Plan: ", "line 5, colour: ", "line 6, customer_id: ", "line 8: ", "line 9: ", "line 10, value.net: ", "line 12: the line is longer than 1 MiB"} {
			if !strings.Contains(errs, want) {
				t.Errorf("it does not say %q:\n%s", want, errs)
			}
		}
	}
	same(t, "Ada", c.values(ada), map[string]string{"plan": `"gold"`, "income": "4", "member": "true"})
	h := parsed[[]vault.Value](c, "", "values", "history", "--customer", ada, "--name", "plan")
	if len(h) != 2 || string(h[1].Value) != `"silver"` || h[1].Source != vault.ValueUserProvided ||
		h[0].Source != vault.ValueHumanEntered {
		t.Errorf("the history is %v", h)
	}
}

// An interrupted import continues and writes nothing twice.
func TestImport_ContinuesAfterInterruption(t *testing.T) {
	t.Parallel()
	c, agent := bank(t)
	var text strings.Builder
	var customers []string
	text.WriteString("customer_id,plan\n")
	for range 40 {
		customers = append(customers, newID())
		fmt.Fprintf(&text, "%s,gold\n", customers[len(customers)-1])
	}
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	half := text.Len() / 2
	in := io.MultiReader(strings.NewReader(text.String()[:half]), interrupting{interrupt})
	var out, errs bytes.Buffer
	root := cli.Root(&cli.App{Environ: func() []string {
		return []string{"VAULT_SERVER=" + server.URL, "VAULT_API_KEY=" + c.key}
	}, In: in, Out: &out, Err: &errs})
	args := []string{"import", "-", "--format", "csv", "--agent", agent, "--batch", "7", "--label", "nightly"}
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if err == nil || cli.ExitCode(err) != 130 || !strings.Contains(cli.Message(err), "run the same command to continue") {
		t.Fatalf("interrupted: %v", err)
	}
	has(t, c.ok(text.String(), args...), "written        40")
	same(t, "customers", len(parsed[[]vault.Customer](c, "", "customers", "list")), 40)
	for _, customer := range customers {
		if h := parsed[[]vault.Value](c, "", "customers", "history", "--customer", customer); len(h) != 1 {
			t.Errorf("%s has %d versions", customer, len(h))
		}
	}
}

// interrupting is a file that sends Ctrl-C in its middle.
type interrupting struct{ interrupt func() }

func (i interrupting) Read([]byte) (int, error) {
	i.interrupt()
	return 0, context.Canceled
}

// An export is imported into another tenant with its history, and is the same there.
func TestExport_CanBeImported(t *testing.T) {
	t.Parallel()
	c, agent := bank(t)
	ada, bob := newID(), newID()
	c.importing(
		file(
			t,
			"a.csv",
			"customer_id,email,income,member,extra,plan\n"+ada+",ada@example.com,1200.50,yes,\"{\"\"a\"\": [1]}\",gold\n"+bob+",,,,,\"silver, \"\"new\"\"\"\n",
		),
		"--agent",
		agent,
	)
	source := resultOf[vault.ItemResult](
		t,
		parsed[operation](c, "", "values", "write", "--agent", agent, "--customer", ada, "--name", "plan", "--value",
			"platinum"),
	).ItemID.String()
	c.ok("", "values", "write", "--agent", agent, "--customer", ada, "--name", "income", "--value", "7", "--source",
		"tool_result", "--source-item", source, "--source-type", "profile_field", "--source-metadata", `{"tool": "x"}`)
	c.ok("", "values", "verify", "--agent", agent, "--customer", ada, "--name", "email", "--method", "link", "--by", "me")
	for _, args := range [][]string{
		{"--format", "jsonl"}, {"--format", "csv"}, {"--format", "jsonl", "--history"}, {"--format", "csv", "--history"},
	} {
		t.Run(strings.Join(args, " "), func(t *testing.T) {
			t.Parallel()
			from, to := &terminal{t: t, tenant: c.tenant, key: c.key}, newTerminal(t)
			to.defineBank(agent)
			path := filepath.Join(t.TempDir(), "customers."+args[1])
			export := append([]string{"export", "--ids", "--output", path}, args...)
			has(t, from.ok("", export...), "customers  2")
			info, err := os.Stat(path)
			if err != nil || info.Mode().Perm() != 0o600 {
				t.Errorf("the file is %v, %v", info.Mode(), err)
			}
			raw, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			// Ids of items are unique in a vault, and this is the same vault: the items get other ids.
			moved := string(raw)
			for _, f := range parsed[[]vault.Value](from, "", "customers", "history", "--customer", ada) {
				moved = strings.ReplaceAll(moved, f.ID.String(), newID())
			}
			for _, f := range parsed[[]vault.Value](from, "", "customers", "history", "--customer", bob) {
				moved = strings.ReplaceAll(moved, f.ID.String(), newID())
			}
			if s, errs, code := to.importing(file(t, filepath.Base(path), moved), "--agent", agent); code != 0 ||
				s.Rejected != 0 {
				t.Fatalf("it exits with %d and says %s", code, errs)
			}
			for _, customer := range []string{ada, bob} {
				same(t, "the values", to.values(customer), from.values(customer))
				want := parsed[vault.Profile](from, "", "customers", "get", "--customer", customer).Fields
				for name, got := range parsed[vault.Profile](to, "", "customers", "get", "--customer", customer).Fields {
					w := want[name]
					if got.Source != w.Source || !got.CollectedAt.Equal(w.CollectedAt) || got.Verified != w.Verified ||
						got.VerifiedBy != w.VerifiedBy ||
						got.SourceItemType != w.SourceItemType ||
						got.Status != w.Status {
						t.Errorf("%s is %+v, want %+v", name, got, w)
					}
				}
			}
			if slices.Contains(args, "--history") {
				versions := func(c *terminal) (out []string) {
					for _, f := range parsed[[]vault.Value](c, "", "customers", "history", "--customer", ada) {
						out = append(out, fmt.Sprint(f.Name, f.Status, string(f.Value)))
					}
					slices.Sort(out)
					return out
				}
				same(t, "the history", versions(to), versions(from))
			}
		})
	}
}

// Whole profiles also contain assets, channels and consents.
func TestExport_WholeProfiles(t *testing.T) {
	t.Parallel()
	c, agent := bank(t)
	ada, bob := newID(), newID()
	for _, value := range []string{"gold", "silver"} {
		c.ok("", "values", "write", "--agent", agent, "--customer", ada, "--name", "plan", "--value", value)
	}
	c.ok("", "values", "write", "--agent", agent, "--customer", bob, "--name", "plan", "--value", "gold")
	c.ok("", "channels", "link", "--customer", ada, "--channel", "email", "--external-id", "ada@example.com")
	c.ok("", "consents", "record", "--customer", ada, "--purpose", "marketing", "--granted=false")
	c.ok(
		doc(t, "customer_id", ada, "name", "id_card", "asset_type", "image", "storage_provider", "s3", "storage_path",
			"s3://documents/1", "size_bytes", 1, "checksum", strings.Repeat("0", 64)),
		"assets",
		"add",
	)
	type line struct {
		vault.Profile
		History []vault.Value `json:"history"`
	}
	export := func(args ...string) (out []line) {
		for text := range strings.Lines(c.ok("", append([]string{"export", "--profiles"}, args...)...)) {
			var l line
			if err := json.Unmarshal([]byte(text), &l); err != nil {
				t.Fatalf("%v: %s", err, text)
			}
			out = append(out, l)
		}
		return out
	}
	all := export("--history")
	if len(all) != 2 || all[0].CustomerID.String() != ada || all[1].CustomerID.String() != bob {
		t.Fatalf("exported were %+v", all)
	}
	got := all[0]
	if len(got.Channels) != 1 || len(got.Consents) != 1 || len(got.Assets) != 1 || len(got.Fields) != 1 ||
		len(got.History) != 2 ||
		string(got.History[0].Value) != `"gold"` {
		t.Errorf("Ada is %+v", got)
	}
	if one := export("--customer", bob); len(one) != 1 || len(one[0].History) != 0 ||
		string(one[0].Fields["plan"].Value) != `"gold"` {
		t.Errorf("Bob is %+v", one)
	}
	has(t, c.refused("", "export", "--profiles", "--format", "csv"), "format", "jsonl")
	has(t, c.refused("", "export", "--profiles", "--ids"), "profiles", "ids")
}

func TestImport_InvalidFileIsRefused(t *testing.T) {
	t.Parallel()
	c, agent := bank(t)
	for name, bad := range map[string]struct {
		file, text string
		args, want []string
	}{
		"no format":         {"customers.txt", "x", nil, []string{"format", "csv or jsonl"}},
		"no file":           {"", "", nil, []string{"no such file"}},
		"an empty file":     {"a.csv", "", nil, []string{"header", "is empty"}},
		"no customer":       {"a.csv", "email,plan\n", nil, []string{"header", "customer_id", "external_id", "--separator"}},
		"half an identity":  {"a.csv", "channel,plan\n", nil, []string{"header", "external_id"}},
		"another separator": {"a.csv", "customer_id;plan\n", nil, []string{"header", "--separator"}},
		"a column twice":    {"a.csv", "customer_id,plan,plan\n", nil, []string{"plan", "twice"}},
		"no field's name":   {"a.csv", "customer_id,E-Mail\n", nil, []string{"E-Mail"}},
		"no value's column": {"a.csv", "customer_id,name,value,colour\n", nil, []string{"colour", "verified_by"}},
		"no agent":          {"a.csv", "customer_id,plan\n", []string{"--agent", ""}, []string{"agent"}},
		"a batch too large": {"a.csv", "customer_id,plan\n", []string{"--batch", "1001"}, []string{"batch", "1000"}},
		"no separator":      {"a.csv", "customer_id,plan\n", []string{"--separator", "::"}, []string{"separator"}},
		"no source":         {"a.csv", "customer_id,plan\n", []string{"--source", "gossip"}, []string{"gossip", "user_provided"}},
		"no rejects":        {"a.csv", "customer_id,plan\n", []string{"--lines-of", "main_test.go"}, []string{"lines-of", "main_test.go"}},
		"a line break":      {"a.csv", "customer_id,plan\n", []string{"--separator", "\n"}, []string{"separator", "line break"}},
		"a quote":           {"a.csv", "customer_id,plan\n", []string{"--separator", `"`}, []string{"separator", "quote"}},
		"a broken header":   {"a.csv", "customer_id,\"plan\n", nil, []string{"header", "not closed"}},
		"nowhere to reject": {"a.csv", "customer_id,plan\n", []string{"--rejects", "/nowhere/x"}, []string{"--rejects", "/nowhere/x"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := "/nowhere/customers.csv"
			if bad.file != "" {
				path = file(t, bad.file, bad.text)
			}
			args := append([]string{"import", path, "--agent", agent}, bad.args...)
			has(t, (&terminal{t: t, key: c.key}).refused("", args...), bad.want...)
		})
	}
	has(t, (&terminal{t: t, key: c.key}).refused("", "import", file(t, "a.csv", "customer_id,plan\n")), "agent", "--agent")
	has(t, c.refused("", "export", "--output", "/nowhere/x.csv"), "--output")
	has(t, c.refused("", "export", "--customer", newID()), "unknown customer")
}

// Rejects never overwrite an input, which can be the only copy of the data.
func TestImport_RejectsKeepInputs(t *testing.T) {
	t.Parallel()
	c, agent := bank(t)
	text := "customer_id,plan\nnobody,gold\n"
	path := file(t, "customers.csv", text)
	link := filepath.Join(t.TempDir(), "link.csv")
	if err := os.Symlink(path, link); err != nil {
		t.Fatal(err)
	}
	for _, rejects := range []string{path, link} {
		has(t, c.refused("", "import", path, "--agent", agent, "--rejects", rejects), "rejects", "is imported",
			"name another one")
	}
	lines := file(t, "rejects.jsonl", `{"line": 2}`)
	has(t, c.refused("", "import", path, "--agent", agent, "--lines-of", lines, "--rejects", lines), "rejects",
		"--lines-of")
	for kept, want := range map[string]string{path: text, lines: `{"line": 2}`} {
		if got, err := os.ReadFile(kept); err != nil || string(got) != want {
			t.Errorf("%s holds %q (%v)", kept, got, err)
		}
	}
}

// An unclosed quote loses only its line, and the rejects name every line that is not imported.
func TestImport_UnclosedQuoteLosesOneLine(t *testing.T) {
	t.Parallel()
	c, agent := bank(t)
	ada, bob, eve, kit := newID(), newID(), newID(), newID()
	text := "customer_id\tplan\textra\n" +
		ada + "\t\"gold\t1\n" + // line 2: not closed until the end of the file
		bob + "\tsilver\t2\n" +
		eve + "\t\"two\nlines\"\t3\n" + // lines 4 and 5
		kit + "\t5\" wide\t4\n" // line 6
	path, rejects := file(t, "customers.csv", text), filepath.Join(t.TempDir(), "rejects.jsonl")
	s, errs, code := c.importing(path, "--agent", agent, "--rejects", rejects, "--separator", `\t`)
	if s.Written != 4 || s.Rejected != 2 || code != 2 {
		t.Errorf("%d, %+v, %s", code, s, errs)
	}
	raw, err := os.ReadFile(rejects)
	if err != nil {
		t.Fatal(err)
	}
	has(t, string(raw), `{"line":2,`, "not closed", `{"line":6,`)
	same(t, "Bob", c.values(bob), map[string]string{"plan": `"silver"`, "extra": "2"})
	same(t, "Eve", c.values(eve), map[string]string{"plan": `"two\nlines"`, "extra": "3"})
	path = file(t, "mended.csv", strings.NewReplacer("\"gold", "gold", `5" wide`, "gold").Replace(text))
	if s, errs, code := c.importing(path, "--agent", agent, "--lines-of", rejects, "--separator", `\t`); code != 0 ||
		s.Written != 4 {
		t.Errorf("mended: %d, %+v, %s", code, s, errs)
	}
	same(t, "Ada", c.values(ada), map[string]string{"plan": `"gold"`, "extra": "1"})
}

// The shell completes the values of an enumeration.
func TestCompletion_OffersValues(t *testing.T) {
	t.Parallel()
	c := &terminal{t: t}
	has(t, c.ok("", "__complete", "values", "write", "--source", ""), "user_provided", "document_extracted")
	has(t, c.ok("", "__complete", "reviews", "decide", "--decision", ""), "approve", "reject")
	has(t, c.ok("", "__complete", "import", ""), "csv", "jsonl")
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		has(t, c.ok("", "completion", shell), "vault")
	}
}

// Files as people's programs make them.
func TestImport_FilesOfPrograms(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		text     string // A and B are customers
		args     []string
		code     int
		says     string
		rejected int
		want     map[string]string // of A
	}{
		"sep= and semicolons": {
			text: "sep=;\ncustomer_id;plan;income\nA;gold;5\n", want: map[string]string{"plan": `"gold"`, "income": "5"},
		},
		"short and padded lines": {
			text: "customer_id,plan,income\nA,gold\nB,silver,2,, \n", want: map[string]string{"plan": `"gold"`},
		},
		"blank cells say nothing": {
			text: "customer_id,plan,income\nA, \u00a0,\u200b\n", want: map[string]string{},
		},
		"a mapped column": {
			text: "customer_id,E-mail\nA,ada@example.com\n", args: []string{"--map", "E-mail=email"},
			want: map[string]string{"email": `"ada@example.com"`},
		},
		"a column that is no name": {
			text: "customer_id,E-mail\nA,ada@example.com\n", code: 1, says: `"E-mail" is not a valid field name: did you mean email?`,
		},
		"a misspelled column": {
			text: "customer_id,emial\nA,ada@example.com\n", code: 2, says: `"emial" is not a field of this agent: did you mean email?`,
			rejected: 1, want: map[string]string{},
		},
		"a misspelled column, strictly": {
			text: "customer_id,emial\nA,ada@example.com\n", args: []string{"--strict-columns"}, code: 1, says: "did you mean email?",
		},
		"a column that is not there": {
			text: "customer_id,plan\nA,gold\n", args: []string{"--map", "Mail=email"}, code: 1, says: `no column "Mail"`,
		},
		"broken JSON": {
			text: "customer_id,extra\nA,\"{\"\"a\"\": \"\n", code: 2, says: "not valid JSON", rejected: 1, want: map[string]string{},
		},
		"two open quotes swallow nobody": {
			text: "customer_id,income,plan\nA,1,gold\nA,2,\"open\nB,3,gold\nA,4,\"5\n\"\nB,5,gold\n", code: 2, says: "line 3: ",
			rejected: 1, want: map[string]string{"plan": `"5"`, "income": "4"},
		},
		"Latin-1": {
			text: "customer_id,plan\nA,caf\xe9\nB,gold\n", code: 2, says: "may be Latin-1", rejected: 1, want: map[string]string{},
		},
		"a header in Latin-1": {
			text: "customer_id,pr\xe9nom\nA,x\n", code: 1, says: "not valid UTF-8",
		},
		"a workbook": {text: "PK\x03\x04", code: 1, says: "export it as CSV"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, run := c, newRun(t)
			ada, bob := newID(), newID()
			path := file(t, "customers.csv", strings.NewReplacer("\nA", "\n"+ada, "\nB", "\n"+bob).Replace(c.text))
			out, errs, err := run.run("", append([]string{"import", "--json", path, "--agent", run.agent}, c.args...)...)
			code := 0
			if err != nil {
				code, errs = cli.ExitCode(err), errs+cli.Message(err)
			}
			if code != c.code || !strings.Contains(errs, c.says) {
				t.Errorf("it exits with %d and says %s", code, errs)
			}
			if c.code == 1 {
				return
			}
			var s summary
			if err := json.Unmarshal([]byte(out), &s); err != nil || s.Rejected != c.rejected {
				t.Errorf("the summary: %s, %v", out, err)
			}
			if len(c.want) > 0 {
				same(t, "Ada", run.values(ada), c.want)
			}
		})
	}
}

// bankRun is a tenant with the definitions of a bank.
type bankRun struct {
	*terminal
	agent string
}

func newRun(t *testing.T) bankRun {
	t.Helper()
	c, agent := bank(t)
	return bankRun{c, agent}
}

// Every value of every type is the same after an export and an import.
func TestExport_ImportIsTheIdentity(t *testing.T) {
	t.Parallel()
	c, agent := bank(t)
	values := []string{
		`"123"`, `123`, `"true"`, `true`, `"null"`, `{"a": [1, "2", null]}`, `"{\"a\": 1}"`, `"line 1\r\nline 2"`, `"a\rb"`,
		`" spaces "`, `"a \"quoted\" text"`, `"=1+1"`, `1e300`, `-0.5`, `"ünï ☃"`, `[]`, `"x,y;z"`, `"'"`,
	}
	var lines []string
	for _, value := range values {
		lines = append(lines, fmt.Sprintf(`{"customer_id": %q, "name": "extra", "value": %s}`, newID(), value))
	}
	if s, errs, code := c.importing(file(t, "a.jsonl", strings.Join(lines, "\n")), "--agent", agent); code != 0 ||
		s.Written != len(values) {
		t.Fatalf("%d, %+v, %s", code, s, errs)
	}
	exported := c.ok("", "export", "--format", "csv")
	d := newTerminal(t)
	d.defineBank(agent)
	if s, errs, code := d.importing(file(t, "b.csv", exported), "--agent", agent); code != 0 || s.Written != len(values) {
		t.Fatalf("%d, %+v, %s\n%s", code, s, errs, exported)
	}
	for _, customer := range parsed[[]vault.Customer](d, "", "customers", "list") {
		same(t, "a value", d.values(customer.CustomerID.String()), c.values(customer.CustomerID.String()))
	}
}

func TestImport_ListsWarnings(t *testing.T) {
	t.Parallel()
	c, agent := bank(t)
	c.ok(doc(t, "agent_id", agent, "name", "phone", "value_type", "phone", "enabled", true, "validation_mode", "warn"),
		"definitions", "save")
	warnings := filepath.Join(t.TempDir(), "warnings.jsonl")
	text := "customer_id,phone\n" + newID() + ",4.91512E+12\n" + newID() + ",+4915112345678\n"
	if s, errs, code := c.importing(file(t, "a.csv", text), "--agent", agent, "--warnings", warnings); code != 0 ||
		s.Written != 2 {
		t.Errorf("%d, %+v, %s", code, s, errs)
	}
	raw, err := os.ReadFile(warnings)
	if err != nil || !strings.Contains(string(raw), `"line":2,"field":"phone"`) || strings.Contains(string(raw), "4.91") ||
		strings.Count(string(raw), "\n") != 1 {
		t.Errorf("%s, %v", raw, err)
	}
}
