package db_test

import (
	"strings"
	"testing"

	"github.com/contextvault/contextvault/db"
	"github.com/contextvault/contextvault/db/dbtest"
)

func TestOpen_OlderSchemaIsRefused(t *testing.T) {
	t.Parallel()
	url := dbtest.URL(t)
	open := func() error {
		d, err := db.Open(t.Context(), url, db.Options{})
		if err == nil {
			d.Close()
		}
		return err
	}
	dbtest.Exec(t, url, "INSERT INTO goose_db_version (version_id, is_applied) VALUES (99999, true)")
	if err := open(); err != nil {
		t.Errorf("a newer schema is refused: %v", err)
	}
	dbtest.Exec(t, url, "DELETE FROM goose_db_version WHERE version_id > 5")
	if err := open(); err == nil || !strings.Contains(err.Error(), "at version 5 and this program needs") || !strings.Contains(err.Error(), "vault migrate up") {
		t.Errorf("an older schema: %v", err)
	}
}
