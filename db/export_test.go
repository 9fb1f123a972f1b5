package db

import (
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/contextvault/contextvault/db/dbgen"
)

// AppPool is the pool of the tenants' queries.
func (d *DB) AppPool() *pgxpool.Pool { return d.app }

// SystemPool is the pool of the sweeps.
func (d *DB) SystemPool() *pgxpool.Pool { return d.system }

// TenantConn is what Tenant's queries go through.
func (d *DB) TenantConn(tenant uuid.UUID) dbgen.DBTX {
	return d.tenantConn(tenant)
}

// SystemConn is what System's queries go through.
func (d *DB) SystemConn() dbgen.DBTX { return d.systemConn() }

// Pooled reports whether a pooler was found.
func (d *DB) Pooled() bool { return d.pooled }
