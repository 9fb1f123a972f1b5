package cli_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/contextvault/contextvault/cmd/internal/cli"
)

// Every command in documents, manifests and messages exists, with all its flags.
func TestDocs_CommandsExist(t *testing.T) {
	t.Parallel()
	quoted := regexp.MustCompile("`vault ([a-z][^`\n]*)`")
	typed := regexp.MustCompile(`(?m)^(?:\$ )?(?:echo .* \| |\. .*; )?(?:bin/)?vault(?:-dev)? ([a-z].*)$`)
	fenced := regexp.MustCompile("(?s)\n```.*?\n```")
	named := map[string]string{} // command: file
	err := filepath.WalkDir("../../..", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if name := d.Name(); strings.HasPrefix(name, ".") && name != "." && name != ".." || name == "testdata" ||
				name == "bin" {
				return fs.SkipDir
			}
			return nil
		}
		page := slices.Contains([]string{".md", ".yaml", ".yml", ".example"}, filepath.Ext(path))
		if !page && (filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go")) {
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		found := quoted.FindAllStringSubmatch(string(text), -1)
		if page {
			for _, block := range fenced.FindAllString(string(text), -1) {
				found = append(found, typed.FindAllStringSubmatch(block, -1)...)
			}
		}
		for _, m := range found {
			named[m[1]] = path
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(named) < 40 {
		t.Errorf("only %d commands are named", len(named))
	}
	root := cli.Root(&cli.App{Environ: os.Environ})
	root.InitDefaultCompletionCmd()
	for command, path := range named {
		words := strings.Fields(regexp.MustCompile(`[<|#;&].*$`).ReplaceAllString(command, ""))
		if words[0] == "eval" || words[0] == "run" || words[0] == "demo" { // of vault-dev
			continue
		}
		cmd := root
		for len(words) > 0 && cmd.HasSubCommands() {
			at := slices.IndexFunc(cmd.Commands(), func(c *cobra.Command) bool { return c.Name() == words[0] })
			if at < 0 {
				break
			}
			cmd, words = cmd.Commands()[at], words[1:]
		}
		if cmd == root ||
			cmd.HasSubCommands() && cmd.Args != nil && len(words) > 0 && cmd.Args(cmd, words[:1]) != nil &&
				!strings.HasPrefix(words[0], "-") {
			t.Errorf("%s: there is no `vault %s`", path, command)
			continue
		}
		for _, word := range words {
			flag, isFlag := strings.CutPrefix(word, "--")
			flag, _, _ = strings.Cut(flag, "=")
			if isFlag && flag != "help" && cmd.Flag(flag) == nil && cmd.InheritedFlags().Lookup(flag) == nil {
				t.Errorf("%s: `vault %s` has no flag --%s", path, command, flag)
			}
		}
	}
}
