package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/google/uuid"
	"github.com/spf13/cobra"
	"sigs.k8s.io/yaml"

	"github.com/contextvault/contextvault/client"
	"github.com/contextvault/contextvault/rules"
	"github.com/contextvault/contextvault/vault"
)

func (a *App) applyCommand() *cobra.Command {
	var file string
	var prune, dryRun bool
	cmd := &cobra.Command{
		Use: "apply", Short: "Apply the configuration of an agent from a YAML or JSON file",
		Long: `Apply the definitions, scenarios, rules and requirements of an agent from a YAML or JSON file.

The command first prints what differs from the stored configuration, then applies it in one operation: all of it, or
nothing. Applying the same file again changes nothing. Parts that the file lacks stay, and are printed as kept. With
--prune, definitions and requirements that the file lacks are deleted; scenarios and rules always stay.`,
		Example: "  vault export-config --agent 0198… > agent.yaml\n  vault apply -f agent.yaml --dry-run\n" +
			"  vault apply -f agent.yaml --prune",
	}
	cmd.Flags().StringVarP(&file, "file", "f", "-", "YAML or JSON file; -: standard input")
	cmd.Flags().BoolVar(&prune, "prune", false, "delete the definitions and requirements that the file lacks")
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "print the differences and change nothing")
	a.addWaitFlag(cmd)
	a.addKeyFlag(cmd)
	return a.read(byKey, cmd, func(ctx context.Context, c *client.Client) (any, error) {
		in := vault.ApplyConfigurationInput{Prune: prune}
		if err := a.configuration(file, &in.AgentConfiguration); err != nil {
			return nil, err
		}
		if err := rules.Check(in); err != nil {
			return nil, err
		}
		stored, err := c.GetConfiguration(ctx, in.AgentID)
		if err != nil && client.CodeOf(err) != vault.CodeUnknown { // unknown: the agent has nothing yet
			return nil, err
		}
		changes := rules.DiffConfiguration(stored, in.AgentConfiguration, prune)
		if dryRun || !changesAnything(changes) {
			return plan{Changes: changes, DryRun: dryRun}, nil
		}
		table(a.Err, plan{Changes: changes, DryRun: true})
		op, err := c.ApplyConfiguration(ctx, in, a.options(a.wait)...)
		if err != nil {
			return nil, err
		}
		a.noteUnfinished(op.ID, op.Status)
		if a.json || !op.Status.Finished() {
			return untyped(op)
		}
		return plan{Changes: op.Result.Changes, Warnings: op.Result.Warnings, Extractions: op.Result.Extractions}, nil
	})
}

func (a *App) exportConfigCommand() *cobra.Command {
	var agent uuid.UUID
	cmd := withID(&cobra.Command{
		Use: "export-config", Short: "Print the configuration of an agent as YAML, for vault apply",
	}, "agent", "agent `id`", &agent)
	return a.read(byKey, cmd, func(ctx context.Context, c *client.Client) (any, error) {
		configuration, err := c.GetConfiguration(ctx, agent)
		return configFile{configuration}, err
	})
}

// configuration reads a configuration from a YAML or JSON file, or from standard input if path is -.
func (a *App) configuration(path string, into *vault.AgentConfiguration) error {
	in := a.In
	if path != "-" {
		f, err := os.Open(path) //nolint:gosec // the user chooses the path
		if err != nil {
			return fmt.Errorf("read --file: %w", err)
		}
		defer f.Close()
		in = f
	}
	data, err := io.ReadAll(io.LimitReader(in, maxInput))
	if err != nil {
		return fmt.Errorf("read --file: %w", err)
	}
	document, err := yaml.YAMLToJSONStrict(data)
	if err != nil {
		return vault.Invalid("file", "is not valid YAML: %s", strings.TrimPrefix(err.Error(), "yaml: "))
	}
	if err := rules.DecodeStrict(document, into); err != nil {
		return err
	}
	into.FillAgent()
	return nil
}

func changesAnything(changes []vault.ConfigurationChange) bool {
	for _, c := range changes {
		if c.Action != vault.ChangeKeep {
			return true
		}
	}
	return false
}

// plan prints the differences between a stored configuration and a file.
type plan struct {
	Changes     []vault.ConfigurationChange `json:"changes"`
	DryRun      bool                        `json:"dry_run"`
	Extractions []uuid.UUID                 `json:"extraction_operation_ids,omitempty"`
	Warnings    []string                    `json:"warnings,omitempty"`
}

func (p plan) table(w io.Writer) {
	signs := map[vault.ChangeAction]string{
		vault.ChangeCreate: "+", vault.ChangeUpdate: "~", vault.ChangeDelete: "-", vault.ChangeKeep: " ",
	}
	for _, c := range p.Changes {
		detail := ""
		switch c.Action {
		case vault.ChangeUpdate:
			detail = " (" + strings.Join(c.Members, ", ") + ")"
		case vault.ChangeKeep:
			detail = " (not in the file; stays)"
		case vault.ChangeCreate, vault.ChangeDelete:
		}
		_, _ = fmt.Fprintf(w, "%s %s %s%s\n", signs[c.Action], c.Kind, c.Name, detail)
	}
	for _, warning := range p.Warnings {
		_, _ = fmt.Fprintln(w, "warning:", warning)
	}
	switch {
	case !changesAnything(p.Changes):
		_, _ = fmt.Fprintln(w, "no changes")
	case !p.DryRun:
		_, _ = fmt.Fprintln(w, "applied")
	}
}

// configFile prints a configuration as YAML, without the members that the vault sets and those that are empty.
type configFile struct{ vault.AgentConfiguration }

func (e configFile) table(w io.Writer) {
	document, err := yaml.Marshal(e.plain())
	if err != nil {
		_, _ = fmt.Fprintln(w, "# the configuration cannot be written as YAML:", err)
		return
	}
	_, _ = w.Write(document)
}

// MarshalJSON writes the same members as the table.
func (e configFile) MarshalJSON() ([]byte, error) { return json.Marshal(e.plain()) }

// setByVault are members of the parts that the vault sets.
var setByVault = map[string]bool{
	"origin":             true,
	"review_state":       true,
	"updated_at":         true,
	"version":            true,
	"confidence":         true,
	"needs_human_review": true,
	"quote":              true,
}

func (e configFile) plain() map[string]any {
	out := map[string]any{}
	encoded, err := json.Marshal(e.AgentConfiguration)
	if err != nil {
		return out
	}
	dec := json.NewDecoder(bytes.NewReader(encoded))
	dec.UseNumber()
	if dec.Decode(&out) != nil {
		return out
	}
	for kind, parts := range out {
		list, ok := parts.([]any)
		if !ok {
			continue
		}
		for _, part := range list {
			members, ok := part.(map[string]any)
			if !ok {
				continue
			}
			for name, value := range members {
				ownID := name == "id" && (kind == "definitions" || kind == "requirements")
				if setByVault[name] || name == "agent_id" || ownID ||
					isEmpty(value) && name != "enabled" && name != "minimum" && name != "maximum" ||
					name == "enabled" && value == true {
					delete(members, name)
				}
			}
		}
	}
	return out
}

func isEmpty(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case string:
		return v == ""
	case bool:
		return !v
	case json.Number:
		return v == "0"
	case []any:
		return len(v) == 0
	case map[string]any:
		return len(v) == 0
	}
	return false
}
