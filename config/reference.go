package config

import (
	"fmt"
	"strings"
)

//go:generate sh -c "go run ../cmd/vault config reference > ../docs/configuration.md"

// introduction is what the page says before its tables.
const introduction = `# Configuration

Defaults, then a TOML file (--config, or VAULT_CONFIG), then the environment. A value that is not allowed, or a key that does not exist,
stops the start, with everything that is wrong. "vault config show" prints what is in force, without secrets.

This page is made of config/default.toml by "make generate".
`

// Reference describes every key in Markdown: its name, the variables that set it, its default, what it may hold, what it
// means. The texts are the comments of default.toml.
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
			fmt.Fprintf(&b, "\n## `[%s]`\n\n| key | environment | default | allowed | meaning |\n|---|---|---|---|---|\n", section)
		}
		doc := docs[k.path]
		fmt.Fprintf(&b, "| `%s` | `%s` | `%s` | %s | %s |\n",
			strings.TrimPrefix(k.path, section+"."), strings.Join(k.env, "`, `"), doc.value, cell(k.want()), cell(doc.text))
	}
	b.WriteString("\n## Secrets\n\nFrom the environment alone.\n\n| environment | meaning |\n|---|---|\n")
	for _, k := range secrets {
		fmt.Fprintf(&b, "| `%s` | %s |\n", strings.Join(k.env, "`, `"), cell(k.doc))
	}
	fmt.Fprintf(&b, "\n`%s` names the file, where no `--config` does.\n", envFile)
	return b.String()
}

func cell(text string) string { return strings.ReplaceAll(text, "|", `\|`) }

// documentedKey is a key of default.toml as it is written there.
type documentedKey struct {
	value string
	text  string // the comment above it
}

// documented reads default.toml line by line. It knows only how that file is written: one key a line, its comment above it.
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
