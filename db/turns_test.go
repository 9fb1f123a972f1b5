package db_test

import (
	"context"
	"testing"

	"golang.org/x/sync/errgroup"

	"github.com/contextvault/contextvault/db"
	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/db/dbtest"
)

// One tenant whose transactions and queries are slow leaves connections to the others.
func TestTenant_LeavesConnectionsToOthers(t *testing.T) {
	t.Parallel()
	d, err := dbtest.OpenLogins(t.Context(), dbtest.URL(t), db.Options{MaxConns: 4})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	busy, quiet := dbtest.Tenant(t, d), dbtest.Tenant(t, d)
	release, holds := make(chan struct{}), make(chan struct{}, 8)
	var g errgroup.Group
	for range 8 {
		g.Go(func() error {
			return d.InTx(context.WithoutCancel(t.Context()), busy, func(*dbgen.Queries) error {
				holds <- struct{}{}
				<-release
				return nil
			})
		})
	}
	for range 3 { // three quarters of four
		<-holds
	}
	for range 20 {
		if _, err := d.Tenant(quiet).ListDefinitions(t.Context(), quiet, quiet); err != nil {
			t.Fatal(err)
		}
		if err := d.InTx(t.Context(), quiet, func(*dbgen.Queries) error { return nil }); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := d.Tenant(busy).ListDefinitions(ctx, busy, busy); err == nil {
		t.Error("the busy tenant got the connection of the others")
	}
	if len(holds) > 0 {
		t.Errorf("the busy tenant got %d connections more", len(holds))
	}
	close(release)
	if err := g.Wait(); err != nil {
		t.Error(err)
	}
}
