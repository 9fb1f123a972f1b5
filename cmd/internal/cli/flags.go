package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/contextvault/contextvault/rules"
	"github.com/contextvault/contextvault/vault"
)

func parseID(name, text string) (uuid.UUID, error) {
	id, err := uuid.Parse(text)
	if err != nil {
		return uuid.Nil, vault.Invalid(name, "%q is not a UUID, such as 0198c5f2-8a4b-7cde-9f01-23456789abcd", text)
	}
	return id, nil
}

// idFlag is a flag that is a UUID.
type idFlag struct {
	name string
	set  func(uuid.UUID)
	text string
}

func (f *idFlag) String() string { return f.text }
func (f *idFlag) Type() string   { return "id" }

// Set implements pflag.Value.
func (f *idFlag) Set(text string) error {
	id, err := uuid.Parse(text)
	if err != nil {
		return fmt.Errorf("%s: %q is not a UUID, such as 0198c5f2-8a4b-7cde-9f01-23456789abcd", f.name, text)
	}
	f.text = text
	f.set(id)
	return nil
}

func idVar(cmd *cobra.Command, into *uuid.UUID, name, usage string, required bool) {
	cmd.Flags().Var(&idFlag{name: name, set: func(id uuid.UUID) { *into = id }}, name, usage)
	if required {
		_ = cmd.MarkFlagRequired(name)
	}
	noFiles(cmd, name)
}

// optionalID leaves nil where the flag is not given.
func optionalID(cmd *cobra.Command, into **uuid.UUID, name, usage string) {
	cmd.Flags().Var(&idFlag{name: name, set: func(id uuid.UUID) { *into = &id }}, name, usage)
	noFiles(cmd, name)
}

// textVar is a flag that is a text.
func textVar(cmd *cobra.Command, into *string, name, usage string, required bool) {
	cmd.Flags().StringVar(into, name, "", usage)
	if required {
		_ = cmd.MarkFlagRequired(name)
	}
	noFiles(cmd, name)
}

// enumVar is a flag that is one of some words, which the shell completes.
func enumVar[T ~string](cmd *cobra.Command, into *T, name string, preset T, usage string, values []T) {
	*into = preset
	cmd.Flags().Var(&enumFlag[T]{name: name, into: into, values: values}, name, usage+": "+vault.OneOf(values))
	words := make([]string, len(values))
	for i, v := range values {
		words[i] = string(v)
	}
	_ = cmd.RegisterFlagCompletionFunc(name, cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp))
}

type enumFlag[T ~string] struct {
	name   string
	into   *T
	values []T
}

func (f *enumFlag[T]) String() string { return string(*f.into) }
func (f *enumFlag[T]) Type() string   { return "word" }

// Set implements pflag.Value.
func (f *enumFlag[T]) Set(text string) error {
	for _, v := range f.values {
		if string(v) == text {
			*f.into = v
			return nil
		}
	}
	return fmt.Errorf("%s: %q is not %s", f.name, text, vault.OneOf(f.values))
}

// timeVar is a flag that is a time; nil where it is not given.
func timeVar(cmd *cobra.Command, into **time.Time, name, usage string) {
	cmd.Flags().Var(&timeFlag{name: name, into: into}, name, usage)
	noFiles(cmd, name)
}

type timeFlag struct {
	name string
	into **time.Time
}

func (f *timeFlag) String() string { return "" }
func (f *timeFlag) Type() string   { return "time" }

// Set implements pflag.Value.
func (f *timeFlag) Set(text string) error {
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return fmt.Errorf("%s: %q is not a time, such as 2026-03-31T14:30:00Z", f.name, text)
	}
	*f.into = &at
	return nil
}

// noFiles keeps the shell from offering files for a flag that is none.
func noFiles(cmd *cobra.Command, flag string) {
	_ = cmd.RegisterFlagCompletionFunc(flag, cobra.NoFileCompletions)
}

// maxInput bounds a JSON document: more than the API takes.
const maxInput = 16 << 20

// input reads a JSON document for a command: a file, or - for standard input. Unknown keys are refused.
func (a *App) input(path string, into any) error {
	in := a.In
	if path != "-" {
		f, err := os.Open(path) //nolint:gosec // the user's own choice
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
	return rules.DecodeStrict(data, into)
}

// rawValue takes what a person typed for JSON where it is JSON, else for a string.
func rawValue(text string) json.RawMessage {
	if json.Valid([]byte(text)) {
		return json.RawMessage(text)
	}
	return jsonText(text)
}

func jsonText(text string) json.RawMessage {
	encoded, _ := json.Marshal(text) // a string always encodes
	return encoded
}
