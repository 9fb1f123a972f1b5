package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"os"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/contextvault/contextvault/rules"
	"github.com/contextvault/contextvault/vault"
)

// exampleID is the id that messages show.
const exampleID = "0198c5f2-8a4b-7cde-9f01-23456789abcd"

func parseID(name, text string) (uuid.UUID, error) {
	var id idText
	if err := id.UnmarshalText([]byte(text)); err != nil {
		return uuid.Nil, vault.Invalid(name, "%s", err)
	}
	return uuid.UUID(id), nil
}

// idText is the text form of a UUID in a flag. The zero UUID is empty, so that --help shows no default.
type idText uuid.UUID

// UnmarshalText implements encoding.TextUnmarshaler.
func (t *idText) UnmarshalText(text []byte) error {
	id, err := uuid.ParseBytes(text)
	if err != nil {
		return fmt.Errorf("%q is not a UUID, such as "+exampleID, text)
	}
	*t = idText(id)
	return nil
}

// MarshalText implements encoding.TextMarshaler.
func (t idText) MarshalText() ([]byte, error) {
	if t == (idText{}) {
		return nil, nil
	}
	return uuid.UUID(t).MarshalText()
}

func idVar(cmd *cobra.Command, into *uuid.UUID, name, usage string, required bool) {
	cmd.Flags().TextVar((*idText)(into), name, idText{}, usage)
	if required {
		_ = cmd.MarkFlagRequired(name)
	}
	noFiles(cmd, name)
}

// optional is the text form of a flag that leaves a nil pointer if it is not given.
type optional[T any] struct {
	into  **T
	parse func(text []byte) (T, error)
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (o *optional[T]) UnmarshalText(text []byte) error {
	v, err := o.parse(text)
	if err == nil {
		*o.into = &v
	}
	return err
}

// MarshalText implements encoding.TextMarshaler. It is empty, so that --help shows no default.
func (o optional[T]) MarshalText() ([]byte, error) { return nil, nil }

func optionalVar[T any](cmd *cobra.Command, into **T, name, usage string, parse func(text []byte) (T, error)) {
	cmd.Flags().TextVar(&optional[T]{}, name, optional[T]{into, parse}, usage)
	noFiles(cmd, name)
}

func optionalID(cmd *cobra.Command, into **uuid.UUID, name, usage string) {
	optionalVar(cmd, into, name, usage, func(text []byte) (uuid.UUID, error) {
		var id idText
		err := id.UnmarshalText(text)
		return uuid.UUID(id), err
	})
}

// ifVersion adds the flag of a deletion that is based on a version.
func ifVersion(cmd *cobra.Command, into *vault.Based) {
	optionalID(cmd, &into.IfVersion, "if-version",
		"delete only the `version` that a read showed; another one is a conflict")
}

// ifVersionOrNone adds the flag of a save that is based on a version, or creates only.
func ifVersionOrNone(cmd *cobra.Command, into **uuid.UUID) {
	optionalVar(cmd, into, "if-version",
		"save only over the `version` that a read showed; none: only create; another one is a conflict",
		func(text []byte) (uuid.UUID, error) {
			if string(text) == "none" {
				return uuid.Nil, nil
			}
			var id idText
			err := id.UnmarshalText(text)
			return uuid.UUID(id), err
		})
}

func timeVar(cmd *cobra.Command, into **time.Time, name, usage string) {
	optionalVar(cmd, into, name, usage, func(text []byte) (time.Time, error) {
		at, err := time.Parse(time.RFC3339, string(text))
		if err != nil {
			return at, fmt.Errorf("%q is not a time, such as 2026-03-31T14:30:00Z", text)
		}
		return at, nil
	})
}

// momentVars adds the flags of a read of the past.
func momentVars(cmd *cobra.Command, into *vault.Moment) {
	timeVar(cmd, &into.AsOf, "as-of",
		"show what was true at this `time`, such as 2026-03-31T14:30:00Z (default: --known-at)")
	timeVar(cmd, &into.KnownAt, "known-at", "show what the vault knew at this `time` (default: now)")
}

func textVar(cmd *cobra.Command, into *string, name, usage string, required bool) {
	cmd.Flags().StringVar(into, name, "", usage)
	if required {
		_ = cmd.MarkFlagRequired(name)
	}
	noFiles(cmd, name)
}

// limitVar adds the flag that ends a list.
func limitVar(cmd *cobra.Command, into *int, what string) {
	cmd.Flags().IntVar(into, "limit", 100, "maximum number of "+what+"; 0: no limit")
}

// upTo reads the first entries of a list; 0: all of them.
func upTo[T any](all iter.Seq2[T, error], limit int) ([]T, error) {
	out := []T{}
	for item, err := range all {
		if err != nil {
			return nil, err
		}
		if limit > 0 && len(out) == limit {
			break
		}
		out = append(out, item)
	}
	return out, nil
}

// enumVar adds a flag with a fixed set of values, which the shell completes.
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

// noFiles prevents the completion of file names for a flag.
func noFiles(cmd *cobra.Command, flag string) {
	_ = cmd.RegisterFlagCompletionFunc(flag, cobra.NoFileCompletions)
}

// maxInput is the maximum size of a JSON document in bytes. It is above the default limit of the API.
const maxInput = 16 << 20

// input decodes a JSON document from a file, or from standard input if path is -. Unknown members are an error.
func (a *App) input(path string, into any) error {
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
	return rules.DecodeStrict(data, into)
}

// rawValue returns text itself if it is JSON, else text as a JSON string.
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
