package db

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// login is what one pool connects with.
type login struct {
	config   *pgxpool.Config
	variable string // that names it, for errors
	role     string // which its queries have
	separate bool   // another login has the role of the system
}

// loginsHint says where the logins of the vault are described.
const loginsHint = "docs/backup.md, section Roles and logins, has the statements that create both"

// errRole reports a connection whose login or role could see more than it may.
var errRole = errors.New("the connection has the wrong role")

// check verifies a new connection. Its queries must have the role that row-level security relies on: a proxy that drops
// the startup parameter role gives a connection of the login. And the login must not be able to leave that role for one
// that sees all rows.
func (l login) check(ctx context.Context, conn *pgx.Conn, pooled bool) error {
	var current, session, owned string
	var bypasses, super, sessionBypasses, createsRoles, sweeps bool
	err := inRole(ctx, conn, l.role, pooled, func(row func(sql string, args ...any) pgx.Row) error {
		return row(`
			SELECT r.rolname::text, r.rolsuper OR r.rolbypassrls,
			    s.rolname::text, s.rolsuper, s.rolbypassrls, s.rolcreaterole,
			    EXISTS (SELECT FROM pg_roles v WHERE v.rolname = 'vault_system' AND pg_has_role(s.oid, v.oid, 'MEMBER')),
			    coalesce((
			        SELECT min(c.relname::text) FROM pg_class c
			        WHERE c.relnamespace = to_regnamespace('public') AND c.relkind IN ('r', 'p')
			          AND pg_has_role(s.oid, c.relowner, 'MEMBER')
			    ), '')
			FROM pg_roles r, pg_roles s
			WHERE r.rolname = current_user AND s.rolname = session_user`,
			pgx.QueryExecModeExec).
			Scan(&current, &bypasses, &session, &super, &sessionBypasses, &createsRoles, &sweeps, &owned)
	})
	if err != nil {
		return fmt.Errorf("read the role of the connection: %w", err)
	}
	refused := func(what string) error {
		return fmt.Errorf("%w: the login %s (%s) %s. Use a login that is a member of %s and nothing more; %s",
			errRole, session, l.variable, what, l.role, loginsHint)
	}
	switch {
	case current != l.role:
		return fmt.Errorf("%w: it is %s, and the vault asked for %s. A proxy between the vault and PostgreSQL dropped the "+
			"startup parameter role, so tenants would not be separated: connect to PostgreSQL itself, or to PgBouncer",
			errRole, current, l.role)
	case bypasses:
		return fmt.Errorf("%w: %s is a superuser or bypasses row-level security, so tenants would not be separated: run "+
			"ALTER ROLE %s NOSUPERUSER NOBYPASSRLS", errRole, l.role, l.role)
	case super:
		return refused("is a superuser")
	case sessionBypasses:
		return refused("bypasses row-level security")
	case createsRoles:
		return refused("may create roles, and so give itself others")
	case owned != "":
		return refused("owns tables, such as " + owned + ", or is a member of their owner")
	case l.separate && sweeps:
		return refused("is a member of " + roleSystem + " too, although SYSTEM_DATABASE_URL names a login for it")
	default:
		return nil
	}
}
