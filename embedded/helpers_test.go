package embedded_test

import (
	"net"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

func mustConnect(t *testing.T, databaseURL string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), databaseURL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(t.Context()) })
	return conn
}

// maxWait limits every wait, with a wide margin for a busy machine.
const maxWait = 2 * time.Minute

func wait(t *testing.T, c <-chan struct{}, what string) {
	t.Helper()
	select {
	case <-c:
	case <-time.After(maxWait):
		t.Fatalf("%s did not happen", what)
	}
}

// eventually polls get until it returns want.
func eventually(t *testing.T, want string, get func() string) {
	t.Helper()
	var got string
	for deadline := time.Now().Add(maxWait); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		if got = get(); got == want {
			return
		}
	}
	t.Fatalf("still %q, want %q", got, want)
}

// outsideAddress returns an address of this machine that is not loopback.
func outsideAddress(t *testing.T) string {
	t.Helper()
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range addresses {
		if ip, ok := a.(*net.IPNet); ok && !ip.IP.IsLoopback() && ip.IP.To4() != nil {
			return ip.IP.String()
		}
	}
	return "127.0.0.2" // loopback, but not the address of the listeners
}

func contains(list []string, s string) bool { return slices.Contains(list, s) }

func sorted(list []string) []string {
	list = slices.Clone(list)
	slices.Sort(list)
	return list
}
