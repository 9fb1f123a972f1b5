package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/spf13/cobra"

	"github.com/contextvault/contextvault/config"
	"github.com/contextvault/contextvault/db"
	"github.com/contextvault/contextvault/internal/app"
	"github.com/contextvault/contextvault/query"
	"github.com/contextvault/contextvault/rules"
	"github.com/contextvault/contextvault/vault"
)

// searchingFile is the file of the results.
const searchingFile = "benchmarks/searching.json"

const (
	searchRounds = 5
	searchReads  = 200 // of each kind in a round
	searchPage   = 100
	countries    = 200
)

// searchedKind is one kind of search beside the SQL that somebody would write for it by hand, on the same rows.
type searchedKind struct {
	Where    []string `json:"where"`
	Found    int      `json:"customers_on_the_first_page"`
	P50      float64  `json:"p50_ms"`
	P99      float64  `json:"p99_ms"`
	SQLP50   float64  `json:"sql_p50_ms"`
	SQLP99   float64  `json:"sql_p99_ms"`
	RatioP50 float64  `json:"ratio_p50"`
	RatioP99 float64  `json:"ratio_p99"`
}

// searching is the content of searchingFile.
type searching struct {
	Go        string         `json:"go"`
	CPUs      int            `json:"cpus"`
	LoadedBy  float64        `json:"load_average_at_start"`
	Customers int            `json:"customers"`
	Results   []searchedKind `json:"results"`
	Merges    []mergeSweep   `json:"propose_merges,omitempty"`
}

// searchingOptions are the flags of bench-searching.
type searchingOptions struct {
	customers int
	only      string
	keep      bool
}

func searchingCommand() *cobra.Command {
	o := searchingOptions{customers: 1_000_000}
	c := &cobra.Command{
		Use: "bench-searching",
		Short: "measure searches for customers beside plain SQL, and the search for merges, in a new database; writes " +
			searchingFile,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return benchSearching(cmd.Context(), o) },
	}
	c.Flags().IntVar(&o.customers, "customers", o.customers, "number of customers")
	c.Flags().StringVar(&o.only, "only", "", "measure only what has this text in its name, and write no file")
	c.Flags().BoolVar(&o.keep, "keep", false, "keep the database, and use it again if it has the number of customers")
	return c
}

// searchingDatabase is the name of the database.
const searchingDatabase = "vault_bench_searching"

func benchSearching(ctx context.Context, o searchingOptions) (err error) {
	cfg, err := loadConfig(os.Environ())
	if err != nil {
		return err
	}
	s := searcher{customers: o.customers}
	if o.keep {
		err = s.openAgain(ctx, cfg)
	}
	if err != nil {
		return err
	}
	if s.Runtime == nil {
		drop, err := s.create(ctx, cfg)
		if err != nil {
			return err
		}
		if !o.keep {
			defer func() { err = errors.Join(err, drop(context.WithoutCancel(ctx))) }()
		}
	}
	defer s.close()
	out := searching{Go: runtime.Version(), CPUs: runtime.NumCPU(), LoadedBy: loadAverage(), Customers: o.customers}
	for _, k := range searchKinds {
		if !strings.Contains(k.name, o.only) {
			continue
		}
		result, err := s.measure(ctx, k)
		if err != nil {
			return fmt.Errorf("%s: %w", k.name, err)
		}
		out.Results = append(out.Results, result)
		fmt.Fprintf(os.Stderr, "%s: %.3f ms, %.3f by SQL\n", k.name, result.P99, result.SQLP99)
	}
	if strings.Contains(mergesName, o.only) {
		if out.Merges, err = s.proposeMerges(ctx); err != nil {
			return fmt.Errorf("%s: %w", mergesName, err)
		}
	}
	if err := out.print(); err != nil || o.customers < 1_000_000 || o.only != "" {
		return err
	}
	return writeJSON(searchingFile, out)
}

func (s searching) print() error {
	w := tabwriter.NewWriter(os.Stdout, 0, 8, 2, ' ', 0)
	_, _ = fmt.Fprintln(w, "WHERE\tFOUND\tP50 ms\tP99 ms\tSQL P50 ms\tSQL P99 ms\tRATIO P50\tRATIO P99")
	for _, r := range s.Results {
		_, _ = fmt.Fprintf(w, "%v\t%d\t%.3f\t%.3f\t%.3f\t%.3f\t%.2f\t%.2f\n", r.Where, r.Found, r.P50, r.P99, r.SQLP50,
			r.SQLP99, r.RatioP50, r.RatioP99)
	}
	for _, m := range s.Merges {
		_, _ = fmt.Fprintf(w, "propose-merges\t%d values\t%d proposed\t%d closed\t%.1f s\n", m.Compared, m.Proposed, m.Closed,
			m.Seconds)
	}
	return w.Flush()
}

// searcher holds a tenant with many customers.
type searcher struct {
	*app.Runtime
	raw       *pgxpool.Pool // as the owner, without row-level security
	reader    *query.Queries
	sealer    *db.Sealer
	tenant    uuid.UUID
	customers int
}

// create makes the database, with its customers.
func (s *searcher) create(ctx context.Context, cfg config.Config) (drop func(context.Context) error, err error) {
	if drop, err = ownDatabase(ctx, &cfg, searchingDatabase); err != nil {
		return nil, err
	}
	if err = s.open(ctx, cfg); err == nil {
		s.tenant = uuid.Must(uuid.NewV7())
		_, err = s.DB.System().CreateTenant(ctx, s.tenant, "bench")
	}
	if err == nil {
		err = s.fill(ctx)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("fill: %w", err), drop(context.WithoutCancel(ctx)))
	}
	return drop, nil
}

// openAgain opens the database of an earlier run, if there is one with the number of customers and the present schema.
func (s *searcher) openAgain(ctx context.Context, cfg config.Config) error {
	if _, err := useDatabase(&cfg, searchingDatabase); err != nil {
		return err
	}
	if err := s.open(ctx, cfg); err != nil {
		s.Runtime = nil
		return nil //nolint:nilerr // there is none: it is made
	}
	var found int
	const of = `SELECT min(tenant_id::text)::uuid, count(*) FROM customer_profiles`
	err := s.raw.QueryRow(ctx, of).Scan(&s.tenant, &found)
	if err != nil || found != s.customers {
		s.close()
		s.Runtime = nil
	}
	return err
}

func (s *searcher) open(ctx context.Context, cfg config.Config) error {
	cfg.Redis.URL = ""
	var err error
	if s.Runtime, err = app.Connect(ctx, cfg, nil, quietLog()); err != nil {
		return err
	}
	if s.raw, err = pgxpool.New(ctx, cfg.Database.OwnerURL().Reveal()); err != nil {
		return err
	}
	sealer, err := db.NewSealer(cfg.SealingKey.Reveal())
	if err != nil {
		return err
	}
	s.sealer = sealer.Bind(s.DB)
	s.reader = query.New(s.DB, nil, s.sealer)
	return nil
}

func (s *searcher) close() {
	s.raw.Close()
	s.Close()
}

// fill adds the customers: each with an email (one in ten without, one in ten verified, one in a hundred with the
// verified email of another customer), a country and a plan. It makes the indexes of the values after the rows, and
// checks no foreign key, which is faster.
func (s *searcher) fill(ctx context.Context) error {
	conn, err := s.raw.Acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	rows, err := conn.Query(ctx, `SELECT indexname::text AS name, indexdef AS definition FROM pg_indexes
		WHERE tablename = 'customer_values' AND NOT EXISTS (
			SELECT FROM pg_constraint WHERE conindid = (quote_ident(indexname))::regclass)`)
	if err != nil {
		return err
	}
	type index struct{ Name, Definition string }
	indexes, err := pgx.CollectRows(rows, pgx.RowToStructByName[index])
	if err != nil {
		return err
	}
	statements := []string{"SET session_replication_role = replica"}
	for _, i := range indexes {
		statements = append(statements, "DROP INDEX "+i.Name)
	}
	statements = append(statements,
		fmt.Sprintf(`CREATE TEMP TABLE made AS SELECT n, gen_random_uuid() AS id FROM generate_series(1, %d) n`, s.customers),
		fmt.Sprintf(`INSERT INTO definitions (id, tenant_id, agent_id, name, value_type, origin, operation_id, accepted_at)
			SELECT gen_random_uuid(), '%[1]s', '%[1]s', name, CASE name WHEN 'email' THEN 'email' ELSE 'string' END, 'human',
				'%[1]s', now() FROM unnest(ARRAY['email', 'country', 'plan']) name`, s.tenant),
		fmt.Sprintf(`INSERT INTO customer_profiles (id, tenant_id, customer_id) SELECT id, '%s', id FROM made`, s.tenant),
		fmt.Sprintf(`INSERT INTO customer_values (id, tenant_id, profile_id, name, value, value_type, source, status,
				verified, collected_at, operation_id, accepted_at)
			SELECT gen_random_uuid(), '%s', m.id, f.name, to_jsonb(f.value), 'string', 'user_provided', 'active',
				f.name = 'email' AND m.n %% 10 = 0, now() - m.n * interval '1 minute', gen_random_uuid(), now()
			FROM made m CROSS JOIN LATERAL (VALUES ('email',
					'person' || CASE WHEN m.n %% 200 = 100 THEN m.n + 100 ELSE m.n END || '@example.com'),
				('country', 'C' || m.n %% %d), ('plan', 'plan' || (m.n / %d) %% 4)) f (name, value)
			WHERE f.name <> 'email' OR m.n %% 10 <> 1`, s.tenant, countries, countries))
	for _, i := range indexes {
		statements = append(statements, i.Definition)
	}
	statements = append(statements, "VACUUM ANALYZE customer_values, customer_profiles", "CHECKPOINT",
		"SET session_replication_role = DEFAULT")
	for _, statement := range statements {
		if _, err := conn.Exec(ctx, statement); err != nil {
			return fmt.Errorf("%.60s: %w", statement, err)
		}
	}
	return nil
}

// searchKind is a search, and the SQL for it: its parameters are the tenant, the limit and the value of the search.
type searchKind struct {
	name  string
	where func(customer int) []string
	value func(customer int) string
	sql   string
}

const (
	selectCustomers = `SELECT p.customer_id, p.version, p.created_at, p.updated_at FROM `
	byMatch         = selectCustomers + `customer_values v JOIN customer_profiles p ON p.id = v.profile_id
		WHERE v.match_key = match_key($1, '%s', to_jsonb($3::text)) AND match_text(v.value) = match_text(to_jsonb($3::text))
		AND v.tenant_id = $1 AND p.merged_into_id IS NULL AND p.deleted_at IS NULL %s ORDER BY v.profile_id LIMIT $2`
	also = `AND EXISTS (SELECT FROM customer_values o WHERE o.profile_id = v.profile_id AND o.name = '%s' AND
		o.status = 'active' AND o.deleted_at IS NULL AND %s)`
)

func countryOf(n int) string { return fmt.Sprintf("C%d", n%countries) }

var searchKinds = []searchKind{
	{
		"an email",
		func(n int) []string { return []string{fmt.Sprintf("email=person%d@example.com", n)} },
		func(n int) string { return fmt.Sprintf("person%d@example.com", n) },
		fmt.Sprintf(byMatch, "email", ""),
	},
	{
		"a country", func(n int) []string { return []string{"country=" + countryOf(n)} }, countryOf,
		fmt.Sprintf(byMatch, "country", ""),
	},
	{
		"a country and a verified email",
		func(n int) []string { return []string{"country=" + countryOf(n), "email:verified"} },
		countryOf, fmt.Sprintf(byMatch, "country", fmt.Sprintf(also, "email", "o.verified")),
	},
	{
		"a country and a plan", func(n int) []string { return []string{"country=" + countryOf(n), "plan=plan1"} }, countryOf,
		fmt.Sprintf(byMatch, "country", fmt.Sprintf(also, "plan", `match_text(o.value) = '"plan1"'`)),
	},
	{
		"no email", func(int) []string { return []string{"email:missing"} }, func(int) string { return "" },
		selectCustomers + `customer_profiles p WHERE p.tenant_id = $1 AND p.merged_into_id IS NULL AND p.deleted_at IS NULL
			AND NOT EXISTS (SELECT FROM customer_values o WHERE o.profile_id = p.id AND o.name = 'email' AND
				o.status = 'active' AND o.deleted_at IS NULL) AND $3::text = ''
			ORDER BY p.customer_id LIMIT $2`,
	},
	{
		"an old email", func(int) []string { return []string{"email:older_than=30d"} }, func(int) string { return "" },
		selectCustomers + `customer_values v JOIN customer_profiles p ON p.id = v.profile_id
			WHERE v.field_key = field_key($1, 'email') AND v.tenant_id = $1 AND v.collected_at < now() - interval '30 days'
			AND p.merged_into_id IS NULL AND p.deleted_at IS NULL AND $3::text = ''
			ORDER BY v.collected_at NULLS FIRST, v.profile_id LIMIT $2`,
	},
}

// measure compares both ways in turn, with the same random values, so that the load of the machine affects both. Each
// is the first one every other time: the second one finds the rows in the caches of the machine.
func (s *searcher) measure(ctx context.Context, k searchKind) (searchedKind, error) {
	out := searchedKind{Where: k.where(1)}
	var p50, p99, sql50, sql99 []float64
	for round := range searchRounds + 1 {
		var vaults, plain []time.Duration
		for i := range searchReads {
			n := rand.IntN(s.customers) + 1 //nolint:gosec // no secret
			c, err := s.compare(ctx, k, n, i%2 == 0)
			if err != nil {
				return out, err
			}
			vaults, plain, out.Found = append(vaults, c.vault), append(plain, c.sql), c.found
		}
		if round == 0 { // warm-up
			continue
		}
		a, b := percentiles(vaults)
		c, d := percentiles(plain)
		p50, p99, sql50, sql99 = append(p50, a), append(p99, b), append(sql50, c), append(sql99, d)
	}
	out.P50, out.P99, out.SQLP50, out.SQLP99 = median(p50), median(p99), median(sql50), median(sql99)
	out.RatioP50, out.RatioP99 = out.P50/out.SQLP50, out.P99/out.SQLP99
	return out, nil
}

// comparison is one search, made in both ways.
type comparison struct {
	vault, sql time.Duration
	found      int
}

// compare makes a search in both ways, and checks that they find the same customers.
func (s *searcher) compare(ctx context.Context, k searchKind, n int, vaultFirst bool) (out comparison, err error) {
	where, err := rules.ParseConditions(k.where(n))
	if err != nil {
		return out, err
	}
	var found query.FoundCustomers
	var same []vault.Customer
	search := func() error {
		start := time.Now()
		found, err = s.reader.FindCustomers(ctx, s.tenant, where, nil, searchPage)
		out.vault = time.Since(start)
		return err
	}
	plain := func() error {
		start := time.Now()
		same, err = s.bySQL(ctx, k.sql, k.value(n))
		out.sql = time.Since(start)
		return err
	}
	order := []func() error{search, plain}
	if !vaultFirst {
		slices.Reverse(order)
	}
	for _, way := range order {
		if err := way(); err != nil {
			return out, err
		}
	}
	out.found = len(found.Customers)
	equal := out.found <= len(same) && slices.EqualFunc(found.Customers, same[:out.found], func(a, b vault.Customer) bool {
		return a.CustomerID == b.CustomerID && a.Version == b.Version
	})
	if !equal || out.found < len(same) && found.Next == nil {
		return out, fmt.Errorf("%v: %d customers, and %d by SQL", k.where(n), out.found, len(same))
	}
	return out, nil
}

// bySQL runs the SQL, as a page does: one row more than it holds.
func (s *searcher) bySQL(ctx context.Context, sql, value string) ([]vault.Customer, error) {
	rows, err := s.raw.Query(ctx, sql, s.tenant, searchPage+1, value)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (vault.Customer, error) {
		var c vault.Customer
		err := row.Scan(&c.CustomerID, &c.Version, &c.CreatedAt, &c.UpdatedAt)
		return c, err
	})
}
