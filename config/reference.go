package config

import (
	"fmt"
	"strings"
)

//go:generate sh -c "go run ../cmd/vault config reference > ../docs/configuration.md"

// introduction is the text before the tables.
const introduction = `# Configuration

The configuration has three layers: the defaults, then a TOML file (--config or VAULT_CONFIG), then the environment. With an invalid
value or an unknown key the program does not start, and lists all problems. "vault config show" prints the effective
configuration without secrets.

"make generate" creates this page from config/default.toml.
`

// Reference returns the documentation of every key in Markdown: name, variables, default, valid values and meaning. The
// meanings are the comments of default.toml.
func Reference() string {
	cfg := Config{}
	docs := documented(defaults)
	var b strings.Builder
	b.WriteString(introduction)
	var secrets []key
	section := ""
	for _, k := range keysOf(&cfg) {
		if k.secret {
			secrets = append(secrets, k)
			continue
		}
		head := k.path[:strings.LastIndex(k.path, ".")]
		if head != section {
			section = head
			fmt.Fprintf(
				&b,
				"\n## `[%s]`\n\n| key | environment | default | allowed | meaning |\n|---|---|---|---|---|\n",
				section,
			)
		}
		doc := docs[k.path]
		fmt.Fprintf(&b, "| `%s` | `%s` | `%s` | %s | %s |\n",
			strings.TrimPrefix(k.path, section+"."), strings.Join(k.env, "`, `"), doc.value, cell(k.want()), cell(doc.text))
	}
	b.WriteString("\n## Secrets\n\nOnly from the environment.\n\n| environment | meaning |\n|---|---|\n")
	for _, k := range secrets {
		fmt.Fprintf(&b, "| `%s` | %s |\n", strings.Join(k.env, "`, `"), cell(k.doc))
	}
	fmt.Fprintf(&b, "\n`%s` is the path of the file if `--config` is not given.\n", envFile)
	return b.String()
}

func cell(text string) string { return strings.ReplaceAll(text, "|", `\|`) }

// documentedKey is the text of a key in default.toml.
type documentedKey struct {
	value string
	text  string // the comment above it
}

// documented parses default.toml line by line. It expects one key per line, with its comment above.
func documented(text string) map[string]documentedKey {
	docs := map[string]documentedKey{}
	section, comment := "", []string(nil)
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		switch {
		case strings.HasPrefix(line, "#"):
			comment = append(comment, strings.TrimSpace(strings.TrimPrefix(line, "#")))
			continue
		case strings.HasPrefix(line, "["):
			section = strings.Trim(line, "[]")
		case strings.Contains(line, " = "):
			name, value, _ := strings.Cut(line, " = ")
			if !strings.HasPrefix(value, `"`) || strings.Contains(value, `" #`) {
				value, _, _ = strings.Cut(value, " #")
			}
			docs[section+"."+name] = documentedKey{value: strings.TrimSpace(value), text: strings.Join(comment, " ")}
		}
		comment = nil
	}
	return docs
}
