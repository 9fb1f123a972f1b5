package cli

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/contextvault/contextvault/client"
	"github.com/contextvault/contextvault/vault"
)

// showRejects is the maximum number of rejects to show without --rejects.
const showRejects = 20

type importFlags struct {
	presets
	file, rejects, warnings, linesOf, label, separator string
	names                                              []string
	strict                                             bool
	format                                             fileFormat
	batch                                              int
}

func (a *App) importCommand() *cobra.Command {
	var f importFlags
	cmd := &cobra.Command{
		Use: "import FILE", Short: "Import the values of a CSV or JSON Lines file of any size", Args: cobra.ExactArgs(1),
		Long: `Import the values of a file, which may be larger than memory. FILE -: standard input.

CSV has a header. A wide file has customer_id, or channel and external_id, then one column per field; blank cells are
skipped. --map gives a column the name of its field. A column that is no field of the agent is reported before anything
is written; its values then follow the validation mode, and with --strict-columns the import stops. A long file has the
columns name and value, one value per line; other members of a write are optional columns.
JSON Lines has one value per line, as in the API: {"customer_id": "…", "name": "email", "value": "ada@example.com"};
channel and external_id can replace customer_id. The command reads the files of ` + "`vault export`" + `.

The file is UTF-8, or UTF-16 with a byte order mark. Lines end with LF, CR LF or CR. A cell in quotes may contain line
breaks. If a quote is never closed, only the line of that quote is rejected.

A rejected value does not stop the others. After an interruption, run the same command again: the import continues, and
what it had written counts as repeated. After a complete import the same command writes everything again. With --label
a line is written once per name, also from standard input or on another machine.

Exit codes: 0: all values are written; 1: the import could not run; 2: some values were rejected; 130: interrupted.`,
		Example: "  vault import customers.csv --agent 0198… --rejects rejects.jsonl\n" +
			"  vault import customers.csv --agent 0198… --lines-of rejects.jsonl",
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return []string{"csv", "jsonl", "ndjson"}, cobra.ShellCompDirectiveFilterFileExt
		},
	}
	a.addServerFlag(cmd)
	idVar(cmd, &f.agent, "agent", "`id` of the agent whose definitions apply to lines without agent_id", false)
	enumVar(cmd, &f.source, "source", vault.ValueHumanEntered, "source to record for lines that name none",
		vault.ValueSources)
	enumVar(cmd, &f.format, "format", "", "format of the file (default: by its extension)", fileFormats)
	cmd.Flags().StringVar(&f.separator, "separator", ",", "separator of CSV columns")
	cmd.Flags().StringVar(&f.rejects, "rejects", "",
		"`file` for the line, field and reason of rejected values, as JSON Lines without values")
	cmd.Flags().StringVar(&f.warnings, "warnings", "",
		"`file` for the line, field and warning of values that are stored and break a rule, as JSON Lines without values")
	cmd.Flags().StringArrayVar(&f.names, "map", nil, "`column=field`: read a column as this field; repeat it per column")
	cmd.Flags().BoolVar(&f.strict, "strict-columns", false,
		"stop before the first line if a column is no field of the agent")
	cmd.Flags().StringVar(&f.linesOf, "lines-of", "", "retry only the lines that this `file` of --rejects lists")
	cmd.Flags().StringVar(&f.label, "label", "", "`name` of the import: the same name never writes a line twice")
	cmd.Flags().IntVar(&f.batch, "batch", vault.MaxImport,
		fmt.Sprintf("writes per transaction, from 1 to %d; a rejected value does not undo the others", vault.MaxImport))
	noFiles(cmd, "separator")
	noFiles(cmd, "label")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		f.file = args[0]
		ctx, stop := signal.NotifyContext(cmd.Context(), syscall.SIGINT, syscall.SIGTERM)
		defer stop()
		return a.importFile(ctx, f)
	}
	return cmd
}

func (a *App) importFile(ctx context.Context, f importFlags) (err error) {
	if f.batch < 1 || f.batch > vault.MaxImport {
		return vault.Invalid("batch", "is %d; use a number from 1 to %d", f.batch, vault.MaxImport)
	}
	separator, err := separatorOf(f.separator)
	if err != nil {
		return err
	}
	if f.format, err = formatOf(f.format, f.file); err != nil {
		return err
	}
	c, err := a.client(byKey)
	if err != nil {
		return err
	}
	in, size, err := a.open(f.file)
	if err != nil {
		return err
	}
	defer in.Close()
	options := csvOptions{separator: separator, strict: f.strict, warn: func(text string) {
		_, _ = fmt.Fprintf(a.Err, "%s\n", text)
	}}
	if options.names, err = namesOf(f.names); err != nil {
		return err
	}
	if options.known, err = definitionsOf(ctx, c, f); err != nil {
		return err
	}
	counted := &counter{r: in}
	all, err := openRows(f.format, counted, f.presets, options)
	if err != nil {
		return err
	}
	if f.linesOf != "" {
		lines, err := linesOf(f.linesOf)
		if err != nil {
			return err
		}
		all = onlyLines{all, lines}
	}
	if err := checkOutputs(f); err != nil {
		return err
	}
	rejects, err := a.openRejects("rejects", f.rejects)
	if err != nil {
		return err
	}
	warnings, err := a.openRejects("warnings", f.warnings)
	if err != nil {
		return errors.Join(err, rejects.close())
	}
	run, err := openRun(cmp.Or(a.server, a.env("VAULT_SERVER"), defaultServer), f)
	if err != nil {
		return errors.Join(err, rejects.close(), warnings.close())
	}
	bar := NewProgress(a.Err, size, "bytes", "import")
	im := &importer{
		client: c, runID: run.ID, size: f.batch, reject: rejects.add, warned: func(reject) error { return nil },
	}
	if f.warnings != "" {
		im.warned = warnings.add
	}
	im.warn = sync.OnceFunc(func() {
		_, _ = fmt.Fprintf(a.Err,
			"a batch is accepted, but not applied after %s: check that a worker is running; still waiting\n", slowBatch)
	})
	err = im.run(ctx, all, func() { bar.At(counted.n) })
	bar.End()
	err = errors.Join(err, rejects.close(), warnings.close())
	if err == nil {
		err = run.done()
	}
	switch {
	case err != nil && ctx.Err() != nil:
		_ = a.print(im.summary)
		return coded{errors.New("interrupted; run the same command to continue"), exitInterrupted}
	case err != nil:
		_ = a.print(im.summary)
		return fmt.Errorf("%w (run the same command to continue)", err)
	}
	if err := a.print(im.summary); err != nil {
		return err
	}
	if im.summary.Rejected > 0 {
		return coded{fmt.Errorf("%d values were rejected%s", im.summary.Rejected, rejects.hint()), exitRejected}
	}
	return nil
}

// separatorOf parses --separator. A tab can be given as the character or, for shells that do not expand it, as \t.
func separatorOf(text string) (rune, error) {
	if text == `\t` {
		text = "\t"
	}
	separator, width := utf8.DecodeRuneInString(text)
	if width == 0 || width != len(text) || separator == utf8.RuneError || strings.ContainsRune("\"\r\n\x00", separator) {
		return 0, vault.Invalid("separator", `must be one character, such as , or ; or \t, except a quote or a line break`)
	}
	return separator, nil
}

// run imports all rows. It calls progress after each row.
func (im *importer) run(ctx context.Context, all rows, progress func()) error {
	for {
		r, err := all.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err == nil {
			err = ctx.Err()
		}
		if err == nil {
			err = im.add(ctx, r)
		}
		if err != nil {
			return err
		}
		progress()
	}
	return im.finish(ctx)
}

// open opens the file of an import. size is -1 if it is unknown.
func (a *App) open(path string) (in io.ReadCloser, size int64, err error) {
	if path == "-" {
		return io.NopCloser(a.In), -1, nil
	}
	f, err := os.Open(path) //nolint:gosec // the user chooses the path
	if err != nil {
		return nil, 0, err
	}
	info, err := f.Stat()
	if err == nil && info.IsDir() {
		err = vault.Invalid("file", "%s is a directory", path)
	}
	if err != nil {
		return nil, 0, errors.Join(err, f.Close())
	}
	return f, info.Size(), nil
}

// namesOf parses the flags --map.
func namesOf(flags []string) (map[string]string, error) {
	names := map[string]string{}
	for _, flag := range flags {
		at := strings.LastIndexByte(flag, '=') // the name of a column can contain =
		if at < 1 || at == len(flag)-1 {
			return nil, vault.Invalid("map", `is %q; use column=field, such as "First name=first_name"`, flag)
		}
		names[strings.TrimSpace(flag[:at])] = strings.TrimSpace(flag[at+1:])
	}
	return names, nil
}

// definitionsOf returns the definitions of the agent, nil if they are unknown.
func definitionsOf(ctx context.Context, c *client.Client, f importFlags) ([]vault.Definition, error) {
	if f.format != formatCSV || f.agent == (presets{}).agent {
		return nil, nil
	}
	out, err := client.Collect(c.ListDefinitions(ctx, f.agent))
	if client.CodeOf(err) == vault.CodeUnknown {
		return nil, nil // the agent has no definitions; the vault decides whether it accepts the writes
	}
	return out, err
}

// counter counts the bytes that are read.
type counter struct {
	r io.Reader
	n int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

// rejectsFile writes rejects or warnings to a file, or shows the first ones if there is no file.
type rejectsFile struct {
	path  string
	file  *os.File
	out   *bufio.Writer
	shown int
	to    io.Writer
}

// checkOutputs returns an error if --rejects or --warnings would overwrite an input, or each other.
func checkOutputs(f importFlags) error {
	if f.rejects != "" && f.rejects == f.warnings {
		return vault.Invalid("warnings", "is the file of --rejects; name another one")
	}
	for flag, path := range map[string]string{"rejects": f.rejects, "warnings": f.warnings} {
		output, err := os.Stat(path)
		if err != nil {
			continue // the file does not exist yet, or opening it fails
		}
		for _, input := range []struct{ path, use string }{{f.file, "that is imported"}, {f.linesOf, "of --lines-of"}} {
			if read, err := os.Stat(input.path); err == nil && os.SameFile(read, output) {
				return vault.Invalid(flag, "%s is the file %s and would be overwritten; name another one", path, input.use)
			}
		}
	}
	return nil
}

func (a *App) openRejects(flag, path string) (*rejectsFile, error) {
	r := &rejectsFile{path: path, to: a.Err}
	if path == "" {
		return r, nil
	}
	var err error
	//nolint:gosec // the user chooses the path
	if r.file, err = os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600); err != nil {
		return nil, fmt.Errorf("open --%s: %w", flag, err)
	}
	r.out = bufio.NewWriter(r.file)
	return r, nil
}

func (r *rejectsFile) add(bad reject) error {
	if r.out != nil {
		return json.NewEncoder(r.out).Encode(bad)
	}
	if r.shown++; r.shown <= showRejects {
		field := ""
		if bad.Field != "" {
			field = ", " + bad.Field
		}
		_, _ = fmt.Fprintf(r.to, "line %d%s: %s\n", bad.Line, field, bad.Reason)
	}
	return nil
}

func (r *rejectsFile) close() error {
	if r.file == nil {
		return nil
	}
	return errors.Join(r.out.Flush(), r.file.Close())
}

// hint returns where to find the rejects.
func (r *rejectsFile) hint() string {
	switch {
	case r.path != "":
		return "; " + r.path + " has the reasons"
	case r.shown > showRejects:
		return fmt.Sprintf("; the first %d are shown, --rejects writes all to a file", showRejects)
	default:
		return ""
	}
}

// linesOf returns the line numbers in a file of rejects.
func linesOf(path string) (map[int]bool, error) {
	f, err := os.Open(path) //nolint:gosec // the user chooses the path
	if err != nil {
		return nil, fmt.Errorf("read --lines-of: %w", err)
	}
	defer f.Close()
	lines := map[int]bool{}
	dec := json.NewDecoder(f)
	for {
		var r reject
		err := dec.Decode(&r)
		if errors.Is(err, io.EOF) {
			return lines, nil
		}
		if err != nil || r.Line < 1 {
			return nil, vault.Invalid("lines-of",
				"%s is not a file of rejects: the entry after %d lines is invalid", path, len(lines))
		}
		lines[r.Line] = true
	}
}
