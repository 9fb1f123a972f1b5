// Package catalogue compares what protects the data of a database with what the migrations make: roles, row-level
// security, policies, grants, triggers and indexes. A dump that is restored into a cluster without the roles of the vault
// has the tables and the rows, and none of the policies; its migrations are all applied.
//
//   - catalogue.go: Read lists the facts of a database, Expected those of a fresh migration;
//   - compare.go: the differences, and how to repair each;
//   - repair.go: repairs them.
package catalogue

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
)

// A Fact is one protection of a database, and the statement that makes it.
type Fact struct {
	Kind  Kind   `json:"kind"`
	Table string `json:"table,omitempty"` // of the object; "": it belongs to none
	Name  string `json:"name"`            // unique among the facts of a kind
	SQL   string `json:"sql,omitempty"`   // "": only a migration or a restore makes it
}

// Kind is the kind of a fact.
type Kind string

// The kinds of facts, in the order in which they are made.
const (
	KindRole        Kind = "role"
	KindMembership  Kind = "membership"
	KindTable       Kind = "table"
	KindFunction    Kind = "function"
	KindIndex       Kind = "index"
	KindTrigger     Kind = "trigger"
	KindRowSecurity Kind = "row security"
	KindPolicy      Kind = "policy"
	KindGrant       Kind = "grant"
)

// kinds is the order of the facts.
var kinds = []Kind{
	KindRole, KindMembership, KindTable, KindFunction, KindIndex, KindTrigger, KindRowSecurity, KindPolicy, KindGrant,
}

// expected is what a fresh migration makes: the output of Write.
//
//go:embed expected.jsonl
var expected []byte

// Expected returns the facts of a database that was just migrated.
func Expected() []Fact {
	var out []Fact
	lines := json.NewDecoder(bytes.NewReader(expected))
	for {
		var f Fact
		err := lines.Decode(&f)
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			panic("catalogue: expected.jsonl: " + err.Error()) // it is generated and tested
		}
		out = append(out, f)
	}
}

// Write writes facts as Expected reads them, one on a line.
func Write(w io.Writer, facts []Fact) error {
	lines := json.NewEncoder(w)
	lines.SetEscapeHTML(false)
	for _, f := range facts {
		if err := lines.Encode(f); err != nil {
			return err
		}
	}
	return nil
}

// Beginner begins a transaction: a connection, or a pool.
type Beginner interface {
	BeginTx(ctx context.Context, opts pgx.TxOptions) (pgx.Tx, error)
}

// Read lists the facts of a database by kind and name. Every login may read them.
func Read(ctx context.Context, conn Beginner) ([]Fact, error) {
	tx, err := conn.BeginTx(ctx, pgx.TxOptions{
		// PostgreSQL qualifies the names in its definitions by what the search path does not contain.
		BeginQuery: "BEGIN READ ONLY; SET LOCAL search_path = public, pg_catalog",
	})
	if err != nil {
		return nil, fmt.Errorf("read the catalogue: %w", err)
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }()
	var out []Fact
	for _, kind := range kinds {
		rows, err := tx.Query(ctx, queries[kind], pgx.QueryExecModeExec)
		if err != nil {
			return nil, fmt.Errorf("read the catalogue (%s): %w", kind, err)
		}
		facts, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (Fact, error) {
			f := Fact{Kind: kind}
			err := row.Scan(&f.Table, &f.Name, &f.SQL)
			f.SQL = strings.TrimSpace(f.SQL)
			return f, err
		})
		if err != nil {
			return nil, fmt.Errorf("read the catalogue (%s): %w", kind, err)
		}
		slices.SortFunc(facts, func(a, b Fact) int { return strings.Compare(a.Name, b.Name) })
		out = append(out, facts...)
	}
	return out, nil
}

// queries select table, name and statement of the facts of a kind.
var queries = map[Kind]string{
	KindRole: `
		SELECT '', r.rolname::text, format(
		    'ALTER ROLE %I %s %s %s %s %s', r.rolname,
		    CASE WHEN r.rolsuper THEN 'SUPERUSER' ELSE 'NOSUPERUSER' END,
		    CASE WHEN r.rolbypassrls THEN 'BYPASSRLS' ELSE 'NOBYPASSRLS' END,
		    CASE WHEN r.rolcreaterole THEN 'CREATEROLE' ELSE 'NOCREATEROLE' END,
		    CASE WHEN r.rolcreatedb THEN 'CREATEDB' ELSE 'NOCREATEDB' END,
		    CASE WHEN r.rolreplication THEN 'REPLICATION' ELSE 'NOREPLICATION' END)
		FROM pg_roles r
		WHERE r.rolname IN ('vault_app', 'vault_system')`,

	// A role of the vault that is a member of another has its rights too.
	KindMembership: `
		SELECT '', m.rolname || ' in ' || r.rolname, format('GRANT %I TO %I', r.rolname, m.rolname)
		FROM pg_auth_members a
		JOIN pg_roles m ON m.oid = a.member
		JOIN pg_roles r ON r.oid = a.roleid
		WHERE m.rolname IN ('vault_app', 'vault_system')`,

	KindTable: `
		SELECT c.relname::text, c.relname::text, ''
		FROM pg_class c
		WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')`,

	KindFunction: `
		SELECT '', p.oid::regprocedure::text, pg_get_functiondef(p.oid)
		FROM pg_proc p
		WHERE p.pronamespace = 'public'::regnamespace AND p.prokind IN ('f', 'p')
		  AND NOT EXISTS (
		      SELECT 1 FROM pg_depend d
		      WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')`,

	// The index of a constraint is made by the constraint.
	KindIndex: `
		SELECT t.relname::text, i.relname::text, CASE
		    WHEN k.oid IS NULL THEN pg_get_indexdef(x.indexrelid)
		    ELSE format('ALTER TABLE %I ADD CONSTRAINT %I %s', t.relname, k.conname, pg_get_constraintdef(k.oid))
		    END || CASE WHEN x.indisvalid THEN '' ELSE ' -- invalid' END
		FROM pg_index x
		JOIN pg_class i ON i.oid = x.indexrelid
		JOIN pg_class t ON t.oid = x.indrelid
		LEFT JOIN pg_constraint k ON k.conindid = x.indexrelid AND k.contype IN ('p', 'u', 'x')
		WHERE t.relnamespace = 'public'::regnamespace AND t.relkind IN ('r', 'p')`,

	KindTrigger: `
		SELECT c.relname::text, g.tgname || ' on ' || c.relname,
		    pg_get_triggerdef(g.oid) || CASE g.tgenabled WHEN 'O' THEN '' ELSE ' -- disabled' END
		FROM pg_trigger g
		JOIN pg_class c ON c.oid = g.tgrelid
		WHERE c.relnamespace = 'public'::regnamespace AND NOT g.tgisinternal`,

	KindRowSecurity: `
		SELECT c.relname::text, c.relname::text, format('ALTER TABLE %I %s ROW LEVEL SECURITY, %s ROW LEVEL SECURITY',
		    c.relname,
		    CASE WHEN c.relrowsecurity THEN 'ENABLE' ELSE 'DISABLE' END,
		    CASE WHEN c.relforcerowsecurity THEN 'FORCE' ELSE 'NO FORCE' END)
		FROM pg_class c
		WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')`,

	KindPolicy: `
		SELECT p.tablename::text, p.policyname || ' on ' || p.tablename, format(
		    'CREATE POLICY %I ON %I AS %s FOR %s TO %s', p.policyname, p.tablename, p.permissive, p.cmd,
		    array_to_string(p.roles, ', ')) ||
		    coalesce(' USING (' || p.qual || ')', '') || coalesce(' WITH CHECK (' || p.with_check || ')', '')
		FROM pg_policies p
		WHERE p.schemaname = 'public'`,

	// Of the roles of the vault, and of everybody. Other roles, such as one that makes dumps, are the operator's.
	KindGrant: `
		WITH acl AS (
		    SELECT c.relname::text AS tab, format('%s %I',
		        CASE c.relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END, c.relname) AS object, '' AS col,
		        (aclexplode(c.relacl)).*
		    FROM pg_class c
		    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
		    UNION ALL
		    SELECT c.relname::text, format('TABLE %I', c.relname), format(' (%I)', a.attname), (aclexplode(a.attacl)).*
		    FROM pg_attribute a
		    JOIN pg_class c ON c.oid = a.attrelid
		    WHERE c.relnamespace = 'public'::regnamespace AND NOT a.attisdropped
		    UNION ALL
		    SELECT '', 'SCHEMA public', '', (aclexplode(n.nspacl)).*
		    FROM pg_namespace n
		    WHERE n.nspname = 'public'
		)
		SELECT acl.tab,
		    format('%s%s on %s to %s', acl.privilege_type, acl.col, acl.object, coalesce(r.rolname, 'PUBLIC')),
		    format('GRANT %s%s ON %s TO %s%s', acl.privilege_type, acl.col, acl.object,
		        coalesce(quote_ident(r.rolname), 'PUBLIC'), CASE WHEN acl.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)
		FROM acl
		LEFT JOIN pg_roles r ON r.oid = acl.grantee
		WHERE r.rolname IN ('vault_app', 'vault_system')
		   -- What everybody may do with a schema depends on the version of PostgreSQL that made the database.
		   OR acl.grantee = 0 AND acl.object <> 'SCHEMA public'`,
}
