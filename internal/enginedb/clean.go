// Package enginedb looks into the database of the workflow engine (Hatchet v0.104.7). It removes the rows that the
// engine never removes, and measures how the database grows.
//
// The engine drops the partitions of its largest tables after its retention period. Other tables have no partitions,
// and keep a row of every run for good.
package enginedb

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// Table is a table of the engine that nothing cleans.
type Table struct {
	Name string
	// Time is the column with the time of the run that a row belongs to.
	Time string
	// Runs are the partitioned tables with the runs themselves. A row that is older than their partitions belongs to a
	// run that the engine has dropped.
	Runs []string
}

var (
	coreRuns = []string{"v1_task", "v1_dag"}
	olapRuns = []string{"v1_tasks_olap", "v1_dags_olap", "v1_runs_olap"}
)

// Tables lists the tables of the engine that nothing cleans. A test runs workflows and fails if one is missing.
var Tables = []Table{
	{"v1_lookup_table", "inserted_at", coreRuns},
	{"v1_dag_to_task", "dag_inserted_at", coreRuns},
	{"v1_dag_data", "dag_inserted_at", coreRuns},
	{"v1_task_expression_eval", "task_inserted_at", coreRuns},
	{"v1_lookup_table_olap", "inserted_at", olapRuns},
	{"v1_dag_to_task_olap", "dag_inserted_at", olapRuns},
	{"v1_task_events_olap", "task_inserted_at", olapRuns},
	{"v1_statuses_olap", "inserted_at", olapRuns},
}

// blocksAtOnce is the number of blocks that one statement cleans: 8 MB of a table. A statement takes milliseconds, and
// locks only the rows that it deletes.
const blocksAtOnce = 1024

// margin is kept beyond the oldest partition, whose date is in the time zone of the server.
const margin = 24 * time.Hour

// Cleaner removes rows of dropped runs from the engine's database.
type Cleaner struct {
	// URL is the address of the engine's database. Its role must be allowed to delete there.
	URL string
}

// Clean deletes the rows of runs that the engine has dropped, and returns their number. Rows of runs that the engine
// still has stay, whatever its retention period is. Several calls can run at once.
func (c Cleaner) Clean(ctx context.Context) (int64, error) {
	conn, err := pgx.Connect(ctx, c.URL)
	if err != nil {
		return 0, fmt.Errorf("connect to the engine's database: %w", err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	var removed int64
	for _, table := range Tables {
		n, err := cleanTable(ctx, conn, table)
		removed += n
		if err != nil {
			return removed, fmt.Errorf("clean %s of the engine: %w", table.Name, err)
		}
	}
	return removed, nil
}

// cleanTable deletes the old rows of a table, a range of blocks at a time. It deletes nothing if the engine has no such
// table, or no partition of its runs.
func cleanTable(ctx context.Context, conn *pgx.Conn, table Table) (int64, error) {
	var blocks int64
	var oldest *time.Time
	err := conn.QueryRow(ctx, `
		SELECT
		    coalesce(pg_relation_size(to_regclass($1)) / current_setting('block_size')::bigint, 0),
		    (SELECT min(to_date(right(c.relname, 8), 'YYYYMMDD'))::timestamptz
		     FROM pg_inherits i
		     JOIN pg_class c ON c.oid = i.inhrelid
		     JOIN pg_class p ON p.oid = i.inhparent
		     WHERE p.relname = ANY ($2)
		       AND c.relname ~ '_[0-9]{8}$')`, table.Name, table.Runs).Scan(&blocks, &oldest)
	if err != nil || oldest == nil {
		return 0, err
	}
	statement := fmt.Sprintf("DELETE FROM %s WHERE ctid >= $1::text::tid AND ctid < $2::text::tid AND %s < $3",
		pgx.Identifier{table.Name}.Sanitize(), pgx.Identifier{table.Time}.Sanitize())
	var removed int64
	for from := int64(0); from < blocks; from += blocksAtOnce {
		var tag pgconn.CommandTag
		tag, err = conn.Exec(ctx, statement,
			fmt.Sprintf("(%d,0)", from), fmt.Sprintf("(%d,0)", from+blocksAtOnce), oldest.Add(-margin))
		if err != nil {
			return removed, err
		}
		removed += tag.RowsAffected()
	}
	return removed, nil
}

// Size is the size of a table.
type Size struct {
	Bytes int64 // with its indexes
	// Partitioned: the engine drops its partitions after its retention period.
	Partitioned bool
}

// Sizes returns the size of each table of the database. The partitions of a table count as one, by the name of the
// table.
func Sizes(ctx context.Context, conn *pgx.Conn) (map[string]Size, error) {
	rows, err := conn.Query(ctx, `
		SELECT c.relname, pg_total_relation_size(c.oid), c.relispartition
		FROM pg_class c
		WHERE c.relnamespace = 'public'::regnamespace
		  AND c.relkind = 'r'`)
	if err != nil {
		return nil, err
	}
	sizes := map[string]Size{}
	var name string
	var size Size
	_, err = pgx.ForEachRow(rows, []any{&name, &size.Bytes, &size.Partitioned}, func() error {
		table := tableOf(name)
		size.Bytes += sizes[table].Bytes
		sizes[table] = size
		return nil
	})
	return sizes, err
}

// tableOf returns the name of a table without the date of a partition.
func tableOf(name string) string {
	const suffix = len("_20060102")
	if len(name) > suffix {
		if _, err := time.Parse("_20060102", name[len(name)-suffix:]); err == nil {
			return name[:len(name)-suffix]
		}
	}
	return name
}

// Cleans reports whether Clean cleans a table.
func Cleans(table string) bool {
	for _, t := range Tables {
		if strings.EqualFold(t.Name, table) {
			return true
		}
	}
	return false
}
