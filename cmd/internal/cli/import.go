package cli

import (
	"bufio"
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

// showRejects is how many rejects are shown where no file takes them.
const showRejects = 20

type importFlags struct {
	presets
	file, rejects, linesOf, label, separator string
	format                                   fileFormat
	batch                                    int
}

func (a *App) importCommand() *cobra.Command {
	var f importFlags
	cmd := &cobra.Command{
		Use: "import FILE", Short: "write the values of a file, CSV or JSON Lines, of any size", Args: cobra.ExactArgs(1),
		Long: `Write the values of a file, which is read as it is sent. -: standard input.

CSV has a header. Wide: customer_id, or channel and external_id, then a column for each field; an empty cell says nothing.
Long, where there are the columns name and value: one value a line, with the other columns of a write where they are wanted.
JSON Lines: one value a line, as the API has it: {"customer_id": "…", "name": "email", "value": "ada@example.com"}; channel and
external_id may stand for customer_id. What ` + "`vault export`" + ` writes can be read.

A value that is rejected stops no other. Interrupted, or run again, the import goes on where it was: the same file is written
once, whatever happens, unless --label names another import. Exit codes: 0, all is written; 2, some was rejected; 130, interrupted.`,
		Example: "  vault import customers.csv --agent 0198… --rejects rejects.jsonl\n  vault import customers.csv --agent 0198… --lines-of rejects.jsonl",
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return []string{"csv", "jsonl", "ndjson"}, cobra.ShellCompDirectiveFilterFileExt
		},
	}
	a.speaks(cmd)
	idVar(cmd, &f.agent, "agent", "the agent whose definitions apply, for lines that name none", false)
	enumVar(cmd, &f.source, "source", vault.ValueHumanEntered, "who states the values of lines that do not say", vault.ValueSources)
	enumVar(cmd, &f.format, "format", "", "what the file is (default: by its name)", fileFormats)
	cmd.Flags().StringVar(&f.separator, "separator", ",", "what separates the columns of CSV")
	cmd.Flags().StringVar(&f.rejects, "rejects", "", "a file for what is rejected: line, field and reason as JSON Lines, without values")
	cmd.Flags().StringVar(&f.linesOf, "lines-of", "", "read only the lines that this file of rejects names")
	cmd.Flags().StringVar(&f.label, "label", "", "a name of this import: under another one, the same file is written again")
	cmd.Flags().IntVar(&f.batch, "batch", vault.MaxImport, fmt.Sprintf("writes of one transaction, at most %d", vault.MaxImport))
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
		return vault.Invalid("batch", "is %d; it is from 1 to %d", f.batch, vault.MaxImport)
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
	jsonFields, err := jsonFieldsOf(ctx, c, f)
	if err != nil {
		return err
	}
	counted := &counter{r: in}
	all, err := openRows(f.format, counted, separator, f.presets, jsonFields)
	if err != nil {
		return err
	}
	if f.linesOf != "" {
		lines, err := linesOf(f.linesOf)
		if err != nil {
			return err
		}
		all = some{all, lines}
	}
	if err := keepsInputs(f); err != nil {
		return err
	}
	rejects, err := a.openRejects(f.rejects)
	if err != nil {
		return err
	}
	bar := NewProgress(a.Err, size, "bytes", "import")
	im := &importer{client: c, label: f.label, size: f.batch, reject: rejects.add}
	im.say = sync.OnceFunc(func() {
		_, _ = fmt.Fprintln(a.Err, "a batch is accepted and owed, and not applied after 30 seconds: does a worker run? Waiting goes on.")
	})
	err = im.run(ctx, all, func() { bar.At(counted.n) })
	bar.End()
	err = errors.Join(err, rejects.close())
	switch {
	case err != nil && ctx.Err() != nil:
		_ = a.print(im.summary)
		return coded{errors.New("interrupted; the same command goes on where it was"), exitInterrupted}
	case err != nil:
		_ = a.print(im.summary)
		return fmt.Errorf("%w (the same command goes on where it was)", err)
	}
	if err := a.print(im.summary); err != nil {
		return err
	}
	if im.summary.Rejected > 0 {
		return coded{fmt.Errorf("%d were rejected%s", im.summary.Rejected, rejects.where()), exitRejected}
	}
	return nil
}

// separatorOf reads --separator. What a shell makes of \t is up to the shell, so both are a tab.
func separatorOf(text string) (rune, error) {
	if text == `\t` {
		text = "\t"
	}
	separator, width := utf8.DecodeRuneInString(text)
	if width == 0 || width != len(text) || separator == utf8.RuneError || strings.ContainsRune("\"\r\n\x00", separator) {
		return 0, vault.Invalid("separator", `is one character, such as , or ; or \t, and neither a quote nor a line break`)
	}
	return separator, nil
}

// run imports all rows.
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
	return im.flush(ctx)
}

// open opens the file of an import; size -1: it is not known.
func (a *App) open(path string) (in io.ReadCloser, size int64, err error) {
	if path == "-" {
		return io.NopCloser(a.In), -1, nil
	}
	f, err := os.Open(path) //nolint:gosec // the user's own choice
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

// jsonFieldsOf are the fields of the agent that hold JSON: cells of CSV say it, and must not be taken for text.
func jsonFieldsOf(ctx context.Context, c *client.Client, f importFlags) ([]string, error) {
	if f.format != formatCSV || f.agent == (presets{}).agent {
		return nil, nil
	}
	var out []string
	for d, err := range c.ListDefinitions(ctx, f.agent) {
		if client.CodeOf(err) == vault.CodeUnknown {
			return nil, nil // nothing is defined: whether that is accepted is for the vault to say
		}
		if err != nil {
			return nil, err
		}
		if d.ValueType == vault.TypeJSON {
			out = append(out, d.Name)
		}
	}
	return out, nil
}

// counter counts what is read.
type counter struct {
	r io.Reader
	n int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

// rejectsFile takes what is rejected: a file, or the first few for a person.
type rejectsFile struct {
	path  string
	file  *os.File
	out   *bufio.Writer
	shown int
	to    io.Writer
}

// keepsInputs refuses to write rejects over what is read: --rejects begins with an empty file.
func keepsInputs(f importFlags) error {
	rejects, err := os.Stat(f.rejects)
	if err != nil {
		return nil //nolint:nilerr // it is not there yet, or says so when it is opened
	}
	for _, input := range []struct{ path, what string }{{f.file, "that is imported"}, {f.linesOf, "of --lines-of"}} {
		if read, err := os.Stat(input.path); err == nil && os.SameFile(read, rejects) {
			return vault.Invalid("rejects", "%s is the file %s, and would be written over; name another one", f.rejects, input.what)
		}
	}
	return nil
}

func (a *App) openRejects(path string) (*rejectsFile, error) {
	r := &rejectsFile{path: path, to: a.Err}
	if path == "" {
		return r, nil
	}
	var err error
	if r.file, err = os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600); err != nil { //nolint:gosec // the user's own choice
		return nil, fmt.Errorf("open --rejects: %w", err)
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

// where says where the rejects are.
func (r *rejectsFile) where() string {
	switch {
	case r.path != "":
		return "; " + r.path + " says why"
	case r.shown > showRejects:
		return fmt.Sprintf("; %d of them are shown, --rejects keeps them all", showRejects)
	default:
		return ""
	}
}

// linesOf reads the lines that a file of rejects names.
func linesOf(path string) (map[int]bool, error) {
	f, err := os.Open(path) //nolint:gosec // the user's own choice
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
			return nil, vault.Invalid("lines-of", "%s is no file of rejects: after %d lines it goes on with something else", path, len(lines))
		}
		lines[r.Line] = true
	}
}
