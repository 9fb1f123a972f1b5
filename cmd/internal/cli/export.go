package cli

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"syscall"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/contextvault/contextvault/client"
	"github.com/contextvault/contextvault/cmd/internal/csvfile"
	"github.com/contextvault/contextvault/vault"
)

// maxReads is the number of customers that are read ahead.
const maxReads = 8

type exportFlags struct {
	file                    string
	format                  fileFormat
	customer                *uuid.UUID
	history, keep, profiles bool
	spreadsheet             bool
}

func (a *App) exportCommand() *cobra.Command {
	var f exportFlags
	cmd := &cobra.Command{
		Use: "export", Short: "Export the values of all customers to a file for vault import", Args: cobra.NoArgs,
		Long: `Export the values of all customers, one value per line, as JSON Lines or long CSV: the active values, or with
--history all versions, oldest first. ` + "`vault import`" + ` reads the file and restores the history in
the same order.

CSV is exact: an import reads every value back as it was. The column value_type says whether a cell is text or JSON.
With --for-spreadsheets the file is for people: a spreadsheet shows all characters and runs no cell as a formula, and an
import would keep the apostrophes.

--profiles exports the whole profile of each customer, one customer per line, as JSON: values, assets, channels and
consents, and with --history all versions of the values. Use it for other programs, and for customers who ask for their
data. ` + "`vault import`" + ` does not read it.`,
		Example: "  vault export --output customers.jsonl\n  vault export --history --customer 0198…\n" +
			"  vault export --profiles --history --output everything.jsonl",
	}
	a.addServerFlag(cmd)
	cmd.Flags().StringVarP(&f.file, "output", "o", "-",
		"`file` to write, readable only by this user, created once it is complete; -: standard output")
	enumVar(cmd, &f.format, "format", "", "format of the file (default: by its extension, else jsonl)", fileFormats)
	optionalID(cmd, &f.customer, "customer", "`id` of a customer: export only this customer")
	cmd.Flags().BoolVar(&f.history, "history", false, "export all versions instead of only the active ones")
	cmd.Flags().BoolVar(&f.keep, "ids", false,
		"include the ids of versions, so that another vault keeps the links between items")
	cmd.Flags().BoolVar(&f.spreadsheet, "for-spreadsheets", false,
		"write CSV that a spreadsheet opens safely: with a byte order mark, and an apostrophe before formulas")
	cmd.Flags().BoolVar(&f.profiles, "profiles", false, "export whole profiles, with assets, channels and consents")
	cmd.MarkFlagsMutuallyExclusive("profiles", "ids")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		ctx, stop := signal.NotifyContext(cmd.Context(), syscall.SIGINT, syscall.SIGTERM)
		defer stop()
		return a.export(ctx, f)
	}
	return cmd
}

func (a *App) export(ctx context.Context, f exportFlags) (err error) {
	if f.format == "" {
		f.format = formatJSONL
		if f.file != "-" {
			if f.format, err = formatOf("", f.file); err != nil {
				return err
			}
		}
	}
	if f.spreadsheet && f.format != formatCSV {
		return vault.Invalid("for-spreadsheets", "needs the format csv, not %s", f.format)
	}
	if f.profiles && f.format != formatJSONL {
		return vault.Invalid("format", "is csv, but --profiles needs jsonl")
	}
	c, err := a.client(byKey)
	if err != nil {
		return err
	}
	out, keep, err := a.create(f.file)
	if err != nil {
		return err
	}
	values, customers, err := exportTo(ctx, c, out, f, NewProgress(a.Err, -1, "customers", "export"))
	a.noteWithheld()
	if err = keep(err); err != nil {
		if ctx.Err() != nil {
			err = coded{errors.New("interrupted; no file was written"), exitInterrupted}
		}
		return err
	}
	if f.file != "-" {
		return a.print(exportSummary{Customers: customers, Values: values})
	}
	return nil
}

type exportSummary struct {
	Customers int `json:"customers"`
	Values    int `json:"values"`
}

func (s exportSummary) table(w io.Writer) {
	line(w, "customers", s.Customers)
	line(w, "values", s.Values)
}

// create creates a temporary file for an export. keep renames it to path, or removes it after an error.
func (a *App) create(path string) (out io.Writer, keep func(error) error, err error) {
	if path == "-" {
		return a.Out, func(err error) error { return err }, nil
	}
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*") // only this user can read it
	if err != nil {
		return nil, nil, fmt.Errorf("write --output: %w", err)
	}
	return f, func(err error) error {
		if err = errors.Join(err, f.Close()); err == nil {
			err = os.Rename(f.Name(), path)
		}
		if err != nil {
			_ = os.Remove(f.Name())
		}
		return err
	}, nil
}

// exportTo writes the values of customers, in the order of their ids.
func exportTo(
	ctx context.Context, c *client.Client, w io.Writer, f exportFlags, bar *Progress,
) (values, customers int, err error) {
	defer bar.End()
	buffered := bufio.NewWriter(w)
	write, flush := writerOf(buffered, f)
	for got, err := range readAhead(ctx, f, versionsOf(ctx, c, f)) {
		if err != nil {
			return values, customers, err
		}
		if err := write(got); err != nil {
			return values, customers, err
		}
		values, customers = values+len(got.fields), customers+1
		bar.At(int64(customers))
	}
	return values, customers, errors.Join(flush(), buffered.Flush())
}

// versions are the exported data of one customer.
type versions struct {
	customer uuid.UUID
	fields   []vault.Value
	profile  vault.Profile // with --profiles
}

// wholeProfile is a line of --profiles.
type wholeProfile struct {
	vault.Profile
	History []vault.Value `json:"history,omitempty"` // oldest first
}

// versionsOf returns a function per customer that reads its versions, in the order of the ids. The list of customers
// includes active values; a history needs further requests.
func versionsOf(ctx context.Context, c *client.Client, f exportFlags) iter.Seq2[func() (versions, error), error] {
	one := func(customer uuid.UUID) func() (versions, error) {
		return func() (versions, error) {
			out := versions{customer: customer}
			var err error
			if f.profiles || !f.history {
				out.profile, err = c.GetCustomer(ctx, customer)
				out.fields = byName(out.profile.Fields)
			}
			if err == nil && f.history {
				out.fields, err = client.Collect(c.ListCustomerHistory(ctx, customer))
				slices.Reverse(out.fields) // oldest first
			}
			return out, err
		}
	}
	return func(yield func(func() (versions, error), error) bool) {
		if f.customer != nil {
			yield(one(*f.customer), nil)
			return
		}
		for customer, err := range c.ListCustomers(ctx, client.CustomersQuery{Values: !f.history && !f.profiles}) {
			read := one(customer.CustomerID)
			if !f.history && !f.profiles {
				read = func() (versions, error) {
					return versions{customer: customer.CustomerID, fields: byName(customer.Fields)}, nil
				}
			}
			if !yield(read, err) {
				return
			}
		}
	}
}

func byName(fields map[string]vault.Value) []vault.Value {
	var out []vault.Value
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		out = append(out, fields[name])
	}
	return out
}

// readAhead reads up to maxReads customers concurrently and returns them in order.
func readAhead(
	ctx context.Context, f exportFlags, all iter.Seq2[func() (versions, error), error],
) iter.Seq2[versions, error] {
	type answer struct {
		versions
		err error
	}
	return func(yield func(versions, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		queue := make(chan chan answer, maxReads)
		go func() {
			defer close(queue)
			for read, err := range all {
				one := make(chan answer, 1)
				select {
				case queue <- one:
				case <-ctx.Done():
					return
				}
				if err != nil {
					one <- answer{err: err}
					return
				}
				go func() {
					got, err := read()
					one <- answer{got, err}
				}()
			}
		}()
		for one := range queue {
			got := <-one
			if f.customer == nil && client.CodeOf(got.err) == vault.CodeUnknown {
				continue // deleted or merged after it was listed
			}
			if !yield(got.versions, got.err) || got.err != nil {
				return
			}
		}
		if err := ctx.Err(); err != nil {
			yield(versions{}, err)
		}
	}
}

// lineOf converts a value to a line of an import. A test checks that it sets every column.
func lineOf(customer uuid.UUID, v vault.Value, ids bool) fileLine {
	out := fileLine{exported: exported{Status: v.Status, AcceptedAt: &v.AcceptedAt}}
	copyMembers(v, &out.WriteValueInput)
	if out.CustomerID = customer; ids {
		out.ItemID = &v.ID
	}
	return out
}

// writerOf returns the functions that write a customer and flush the output.
func writerOf(w io.Writer, f exportFlags) (write func(versions) error, flush func() error) {
	switch {
	case f.profiles:
		return profileWriter(w, f.history), func() error { return nil }
	case f.format == formatCSV:
		return csvWriter(w, f)
	default:
		return lineWriter(w, f.keep), func() error { return nil }
	}
}

func profileWriter(w io.Writer, history bool) func(versions) error {
	enc := json.NewEncoder(w)
	return func(v versions) error {
		line := wholeProfile{Profile: v.profile}
		if history {
			line.History = v.fields
		}
		return enc.Encode(line)
	}
}

func lineWriter(w io.Writer, ids bool) func(versions) error {
	enc := json.NewEncoder(w)
	return func(v versions) error {
		for _, field := range v.fields {
			members, err := membersOf(lineOf(v.customer, field, ids))
			if err == nil {
				err = enc.Encode(members)
			}
			if err != nil {
				return err
			}
		}
		return nil
	}
}

func csvWriter(w io.Writer, f exportFlags) (write func(versions) error, flush func() error) {
	columns := exportColumns(f.keep)
	var out *csvfile.Writer
	head := func() (err error) {
		if out != nil {
			return nil
		}
		if out, err = csvfile.NewWriter(w, f.spreadsheet); err != nil {
			return err
		}
		return out.Write(columns)
	}
	write = func(v versions) error {
		for _, field := range v.fields {
			members, err := membersOf(lineOf(v.customer, field, f.keep))
			if err != nil {
				return err
			}
			record := make([]string, len(columns))
			for i, column := range columns {
				record[i], _ = cellOf(members[column])
				if column == columnValueType {
					_, record[i] = cellOf(members["value"])
				}
			}
			if err := head(); err != nil {
				return err
			}
			if err := out.Write(record); err != nil {
				return err
			}
		}
		return nil
	}
	return write, func() error {
		if err := head(); err != nil {
			return err
		}
		return out.Flush()
	}
}

// membersOf returns the members of a line, without agent_id: the vault does not store it with a value.
func membersOf(l fileLine) (map[string]json.RawMessage, error) {
	encoded, err := json.Marshal(l)
	var members map[string]json.RawMessage
	if err != nil || json.Unmarshal(encoded, &members) != nil {
		return nil, errors.New("encode a value") // the cause could quote it
	}
	delete(members, "agent_id")
	if string(members["source_metadata"]) == "{}" {
		delete(members, "source_metadata")
	}
	return members, nil
}

// cellOf returns a JSON value as a CSV cell, with its kind: a string without its quotes, everything else as JSON.
func cellOf(raw json.RawMessage) (cell, kind string) {
	if text, ok := jsonTextOf(raw); ok {
		return text, cellText
	}
	return string(raw), cellJSON
}
