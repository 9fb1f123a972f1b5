package testkit

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// A start that meets a server which is about to end waits for that, and starts another one.
func TestPostgres_StartsWhileTheOldOneEnds(t *testing.T) {
	t.Parallel()
	server := StartPostgres(t)
	record, err := os.ReadFile(filepath.Join(server.dir, "postgres.pid"))
	if err != nil {
		t.Fatal(err)
	}
	old, err := strconv.Atoi(strings.Fields(string(record))[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(old, syscall.SIGSTOP); err != nil { // it runs and does not answer
		t.Fatal(err)
	}
	started := make(chan struct{})
	go func() {
		defer close(started)
		server.Start(t)
	}()
	select {
	case <-started:
		t.Error("a server that does not answer counts as running")
	case <-time.After(time.Second): // the start looks at the old one by now; the outcome does not depend on it
	}
	server.Kill(t)
	<-started
	conn, err := pgx.Connect(t.Context(), server.URL)
	if err != nil {
		t.Fatalf("after the start: %v", err)
	}
	if err := conn.Close(t.Context()); err != nil {
		t.Error(err)
	}
}
