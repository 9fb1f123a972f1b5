package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/contextvault/contextvault/client"
	"github.com/contextvault/contextvault/db"
	"github.com/contextvault/contextvault/internal/app"
	"github.com/contextvault/contextvault/steps/erasure"
	"github.com/contextvault/contextvault/vault"
)

func (a *App) eraseCommand() *cobra.Command {
	var in vault.EraseCustomerInput
	var yes bool
	var derived string
	cmd := withID(&cobra.Command{
		Use: "erase", Short: "Erase a customer for good, and sign a receipt",
		Long: "Erase a customer for good: everything that the vault holds of the customer and of the customers merged\n" +
			"with it. It cannot be undone. `vault customers delete` is the reversible deletion.",
		Example: "  vault customers erase --customer 0198… --yes",
	}, "customer", "customer `id`", &in.CustomerID)
	cmd.Flags().StringVar(&derived, "derived", "", "what happens to items of other customers that were derived from this "+
		"customer's items: `stale` keeps them, marked as stale; erase erases their values (default: stale)")
	cmd.Flags().BoolVar(&yes, "yes", false, "confirms that the customer is erased for good")
	return submit(a, cmd, &in, (*client.Client).EraseCustomer, func(in *vault.EraseCustomerInput) error {
		in.Derived = vault.DerivedAction(derived)
		if !yes {
			return errors.New("this erases the customer for good: confirm it with --yes, " +
				"or use `vault customers delete`, which is reversible")
		}
		return nil
	})
}

// The names of the files of an export in a directory.
const (
	exportedJSON = "customer.json"
	exportedHTML = "customer.html"
)

func (a *App) exportCustomerCommand() *cobra.Command {
	var customer uuid.UUID
	var out string
	var wait time.Duration
	cmd := withID(&cobra.Command{
		Use: "export", Short: "Export everything that the vault holds of a customer",
		Long: "Export everything that the vault holds of a customer, for a request of access or portability: what\n" +
			"`vault customers erase` would erase. A directory gets " + exportedJSON + ", with lineage, and " + exportedHTML +
			" for people.\nA file gets the format of its name (.json or .html). -: JSON on the standard output.",
		Example: "  vault customers export --customer 0198… --out ada/",
	}, "customer", "customer `id`", &customer)
	textVar(cmd, &out, "out", "`directory` or file", true)
	cmd.Flags().DurationVar(&wait, "wait", 30*time.Second, "time to wait until the export is recorded")
	return a.read(byKey, cmd, func(ctx context.Context, c *client.Client) (any, error) {
		op, err := c.ExportCustomer(ctx, vault.ExportCustomerInput{CustomerID: customer}, client.Wait(wait))
		if err != nil {
			return nil, err
		}
		if !op.Status.Finished() {
			return nil, fmt.Errorf("not finished after %s; wait for it with: vault operations wait --operation %s", wait, op.ID)
		}
		files, err := a.saveExport(ctx, c, customer, op.ID, out)
		if err != nil || out == "-" {
			return nothing{}, err
		}
		return exportedCustomer{op.Result, files}, nil
	})
}

// nothing is the output of a command that has written its result itself.
type nothing struct{}

func (nothing) table(io.Writer) {}

// saveExport writes an export to a file, or to two files of a directory.
func (a *App) saveExport(
	ctx context.Context, c *client.Client, customer, export uuid.UUID, out string,
) ([]string, error) {
	wanted := map[string]client.ExportFormat{}
	switch strings.ToLower(filepath.Ext(out)) {
	case ".json":
		wanted[out] = client.ExportJSON
	case ".html", ".htm":
		wanted[out] = client.ExportHTML
	default:
		if out == "-" {
			return nil, c.GetCustomerExport(ctx, customer, export, client.ExportJSON, a.Out)
		}
		if err := os.MkdirAll(out, 0o700); err != nil { //nolint:gosec // the person chose the directory
			return nil, fmt.Errorf("make the directory of --out: %w", err)
		}
		wanted[filepath.Join(out, exportedJSON)] = client.ExportJSON
		wanted[filepath.Join(out, exportedHTML)] = client.ExportHTML
	}
	files := slices.Sorted(maps.Keys(wanted))
	for _, file := range files {
		w, keep, err := a.create(file)
		if err != nil {
			return nil, err
		}
		if err := keep(c.GetCustomerExport(ctx, customer, export, wanted[file], w)); err != nil {
			return nil, err
		}
	}
	return files, nil
}

// exportedCustomer says what an export has and where it is.
type exportedCustomer struct {
	vault.ExportCustomerResult

	Files []string `json:"files"`
}

func (e exportedCustomer) table(w io.Writer) {
	line(w, "export", e.ExportID)
	for _, name := range slices.Sorted(maps.Keys(e.Rows)) {
		line(w, name, e.Rows[name])
	}
	for _, f := range e.Files {
		line(w, "file", f)
	}
}

func (a *App) erasureCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "erasure", Short: "List erasures of customers, and check their receipts"}
	var id uuid.UUID
	one := func(use, short string) *cobra.Command {
		return withID(&cobra.Command{Use: use, Short: short}, "erasure", "erasure `id`", &id)
	}
	cmd.AddCommand(
		a.read(byKey, &cobra.Command{Use: "list", Short: "List the erasures, newest first"},
			func(ctx context.Context, c *client.Client) (any, error) {
				all, err := client.Collect(c.ListErasures(ctx))
				return erasures(all), err
			}),
		a.read(byKey, one("get", "Show the state of an erasure"),
			func(ctx context.Context, c *client.Client) (any, error) {
				e, err := c.GetErasure(ctx, id)
				return erasures{e}, err
			}),
		a.read(byKey, one("receipt", "Print the signed receipt of an erasure"),
			func(ctx context.Context, c *client.Client) (any, error) {
				e, err := c.GetErasure(ctx, id)
				if err == nil && e.Receipt == "" {
					err = fmt.Errorf("the erasure is %s; there is a receipt once it has finished", e.State)
				}
				return verbatim(e.Receipt), err
			}),
		a.read(byKey, &cobra.Command{Use: "public-key", Short: "Print the public key that checks the receipts of the tenant"},
			func(ctx context.Context, c *client.Client) (any, error) {
				key, err := c.GetReceiptKey(ctx)
				return verbatim(key + "\n"), err
			}),
		a.verifyReceiptCommand(), a.recordErasuresCommand(), a.repeatErasuresCommand(),
	)
	return cmd
}

// verbatim is a text that is printed as it is.
type verbatim string

func (v verbatim) table(w io.Writer) { _, _ = io.WriteString(w, string(v)) }

// erasures are shown as a table.
type erasures []vault.Erasure

func (e erasures) table(w io.Writer) {
	head(w, "ERASURE", "STATE", "ROWS", "MENTIONS", "BEGUN", "FINISHED")
	sum := func(counts map[string]int64) (n int64) {
		for _, c := range counts {
			n += c
		}
		return n
	}
	for _, one := range e {
		line(w, one.ID, one.State, sum(one.Rows), sum(one.Mentions), when(&one.BegunAt), when(one.FinishedAt))
	}
}

func (a *App) verifyReceiptCommand() *cobra.Command {
	var customer *uuid.UUID
	var key string
	cmd := &cobra.Command{
		Use: "verify RECEIPT", Short: "Check a receipt, without a vault", Args: cobra.ExactArgs(1),
		Long: "Check the signature of a receipt with a public key, without a vault. Each changed byte is found. With\n" +
			"--customer it also checks that the receipt is about this customer: the receipt itself does not reveal it.",
		Example: "  vault erasure public-key > key.json\n" +
			"  vault erasure verify receipt.json --public-key key.json --customer 0198…",
	}
	textVar(cmd, &key, "public-key", "`file` with the public key", true)
	optionalID(cmd, &customer, "customer", "customer `id` that the receipt must be about")
	cmd.RunE = func(_ *cobra.Command, args []string) error {
		public, err := os.ReadFile(key) //nolint:gosec // the person chose the file
		if err != nil {
			return fmt.Errorf("read --public-key: %w", err)
		}
		text, err := os.ReadFile(args[0])
		if err != nil {
			return fmt.Errorf("read the receipt: %w", err)
		}
		r, err := db.VerifyReceipt(public, text)
		if err != nil {
			return err
		}
		if customer != nil && vault.Commitment(r.Salt, *customer) != r.Customer {
			return vault.Invalid("customer", "the receipt is about another customer")
		}
		return a.print(verified{r})
	}
	return cmd
}

// verified is a receipt with a valid signature.
type verified struct{ vault.ErasureReceipt }

func (v verified) table(w io.Writer) {
	line(w, "receipt", "valid")
	line(w, "erasure", v.ErasureID)
	line(w, "tenant", v.TenantID)
	line(w, "finished", when(&v.FinishedAt))
	for _, name := range slices.Sorted(maps.Keys(v.Rows)) {
		line(w, name, v.Rows[name])
	}
	line(w, "tables scanned", len(v.Scanned))
	line(w, "cache keys scanned", v.CacheKeys)
}

func (a *App) recordErasuresCommand() *cobra.Command {
	var file string
	var since *time.Time
	cmd := &cobra.Command{
		Use: "record", Short: "Write the finished erasures to a file, for vault erasure repeat", Args: cobra.NoArgs,
		Long: "Write the finished erasures of all tenants, or of --tenant, to a file. Keep it apart from the backups:\n" +
			"after the restore of an old one, `vault erasure repeat` erases again who was erased since. The file has " +
			"receipts,\n" +
			"keyed hashes and sealed keys, and no personal data. The command works on the database.",
		Example: "  vault erasure record --output erased.jsonl",
	}
	textVar(cmd, &file, "output", "`file` to write, readable only by this user; -: the standard output", true)
	timeVar(cmd, &since, "since", "only erasures that began at this `time` or later (default: all)")
	cmd.Flags().StringVar(&a.tenant, "tenant", "", "tenant `id` (default: all tenants)")
	cmd.RunE = a.system(func(ctx context.Context, r *app.Runtime) (any, error) {
		tenants, err := a.recordedTenants(ctx, r)
		if err != nil {
			return nil, err
		}
		out, keep, err := a.create(file)
		if err != nil {
			return nil, err
		}
		from := time.Unix(0, 0)
		if since != nil {
			from = *since
		}
		done, err := r.Steps.Erasure.Record(ctx, tenants, from, out)
		if err := keep(err); err != nil || file == "-" {
			return nothing{}, err
		}
		return recorded(done), nil
	})
	return cmd
}

func (a *App) recordedTenants(ctx context.Context, r *app.Runtime) ([]uuid.UUID, error) {
	if a.tenant != "" {
		tenant, err := parseID("tenant", a.tenant)
		return []uuid.UUID{tenant}, err
	}
	rows, err := r.DB.System().ListTenants(ctx)
	if err == nil && len(rows) == maxListedTenants {
		err = fmt.Errorf("there are %d tenants or more: write a file for each with --tenant", maxListedTenants)
	}
	out := make([]uuid.UUID, len(rows))
	for i, row := range rows {
		out[i] = row.ID
	}
	return out, err
}

// maxListedTenants is the limit of ListTenants.
const maxListedTenants = 1000

type recorded erasure.Recorded

func (r recorded) table(w io.Writer) {
	line(w, "tenants", r.Tenants)
	line(w, "erasures", r.Erasures)
}

func (a *App) repeatErasuresCommand() *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use: "repeat", Short: "Erase again who is back after the restore of an old backup", Args: cobra.NoArgs,
		Long: "Erase the customers of a file of `vault erasure record` who are in this database, and keep the receipts\n" +
			"and tombstones of the file. Run it after the restore of an old backup, before the vault serves: it needs the\n" +
			"database, Redis and VAULT_SEALING_KEY, and no worker. It can be interrupted and repeated.",
		Example: "  vault erasure repeat --from erased.jsonl",
	}
	textVar(cmd, &file, "from", "`file` of vault erasure record; -: the standard input", true)
	cmd.RunE = a.system(func(ctx context.Context, r *app.Runtime) (any, error) {
		in := a.In
		if file != "-" {
			f, err := os.Open(file) //nolint:gosec // the person chose the file
			if err != nil {
				return nil, fmt.Errorf("read --from: %w", err)
			}
			defer func() { _ = f.Close() }()
			in = f
		}
		done, err := r.Steps.Erasure.Repeat(vault.WithActor(ctx, vault.ActorCommand), in)
		return repeated(done), err
	})
	return cmd
}

type repeated erasure.Repeated

func (r repeated) table(w io.Writer) {
	line(w, "erasures in the file", r.Erasures)
	line(w, "customers erased again", r.Customers)
	if r.Foreign > 0 {
		line(w, "tenants with another key of tombstones", r.Foreign)
	}
}
