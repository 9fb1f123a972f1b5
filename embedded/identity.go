package embedded

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"time"

	"github.com/google/uuid"
	"github.com/hatchet-dev/hatchet/pkg/config/server"
	"github.com/hatchet-dev/hatchet/pkg/encryption"
)

const (
	loopback = "127.0.0.1"

	keysFile  = "keys.json"
	stateFile = "state.json"

	// A token is reused until tokenReserve before it expires, so that it does not expire while an engine runs.
	tokenLife    = 365 * 24 * time.Hour
	tokenReserve = 30 * 24 * time.Hour
)

// keys are generated once and never change. They never enter the environment.
type keys struct {
	Master     string `json:"master"`
	PrivateJWT string `json:"private_jwt"`
	PublicJWT  string `json:"public_jwt"`
	Cookie     string `json:"cookie"`
}

// state holds the ports and the token of the last start, so that its clients can use the next engine.
type state struct {
	GRPCPort     int       `json:"grpc_port"`
	APIPort      int       `json:"api_port"`
	Token        string    `json:"token"`
	TokenExpires time.Time `json:"token_expires"`
}

// identity holds the keys and the state with which an engine replaces the last one of the same directory.
type identity struct {
	keys
	state
	api net.Listener // already open; the engine opens the gRPC port itself
}

// loadIdentity loads or creates the keys and the state, and reserves the ports.
func loadIdentity(ctx context.Context, cfg Config, undo *undoStack) (*identity, error) {
	var id identity
	var err error
	if id.keys, err = loadKeys(cfg.Dir); err != nil {
		return nil, fmt.Errorf("embedded: keys: %w", err)
	}
	if id.state, err = loadState(cfg.Dir); err != nil {
		return nil, fmt.Errorf("embedded: state: %w", err)
	}
	if id.api, err = listen(ctx, "API", cfg.APIPort, id.APIPort); err != nil {
		return nil, fmt.Errorf("embedded: %w", err)
	}
	undo.push("API port", func() error {
		_ = id.api.Close() // the API server has closed it already, if it ran
		return nil
	})
	id.APIPort = portOf(id.api)
	if id.GRPCPort, err = freePort(ctx, "gRPC", cfg.GRPCPort, id.GRPCPort); err != nil {
		return nil, fmt.Errorf("embedded: %w", err)
	}
	return &id, nil
}

// loadKeys reads the keys of dir, or generates them. If several processes generate keys at once, all get the same ones.
func loadKeys(dir string) (keys, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return keys{}, err
	}
	path := filepath.Join(dir, keysFile)
	var k keys
	err := readJSON(path, &k)
	if !errors.Is(err, fs.ErrNotExist) {
		return k, err
	}

	master, private, public, _, err := encryption.GenerateLocalKeys()
	if err != nil {
		return keys{}, fmt.Errorf("generate keys: %w", err)
	}
	// Two secrets: one of 32 bytes to sign cookies, one of 16 to encrypt them.
	k = keys{
		Master: string(master), PrivateJWT: string(private), PublicJWT: string(public),
		Cookie: randomHex(16) + " " + randomHex(8),
	}
	temp, err := writeTemp(dir, k)
	if err != nil {
		return keys{}, err
	}
	defer os.Remove(temp)
	if err := os.Link(temp, path); err != nil && !errors.Is(err, fs.ErrExist) {
		return keys{}, err
	}
	err = readJSON(path, &k) // another process may have written it
	return k, err
}

// loadState returns the zero state if there is none.
func loadState(dir string) (state, error) {
	var s state
	err := readJSON(filepath.Join(dir, stateFile), &s)
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return s, err
}

func (s state) save(dir string) error {
	temp, err := writeTemp(dir, s)
	if err != nil {
		return err
	}
	if err := os.Rename(temp, filepath.Join(dir, stateFile)); err != nil {
		_ = os.Remove(temp)
		return err
	}
	return nil
}

// ensureToken issues a token, unless the last one is still valid for this database, these keys and this URL.
func (s *state) ensureToken(ctx context.Context, sc *server.ServerConfig, tenant uuid.UUID) error {
	if s.Token != "" && time.Until(s.TokenExpires) > tokenReserve {
		if of, _, err := sc.Auth.JWTManager.ValidateTenantToken(ctx, s.Token); err == nil && of == tenant {
			return nil
		}
	}
	expires := time.Now().UTC().Add(tokenLife)
	token, err := sc.Auth.JWTManager.GenerateTenantToken(ctx, tenant, "embedded", false, &expires)
	if err != nil {
		return fmt.Errorf("embedded: issue token: %w", err)
	}
	s.Token, s.TokenExpires = token.Token, expires
	return nil
}

func readJSON(path string, into any) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(data, into); err != nil {
		return fmt.Errorf("%s is damaged (remove it to start again; existing tokens then become invalid): %w", path, err)
	}
	return nil
}

// writeTemp writes value to a new file of mode 0600 (as os.CreateTemp makes it) and returns its name.
func writeTemp(dir string, value any) (string, error) {
	data, err := json.MarshalIndent(value, "", "  ")
	if err != nil {
		return "", err
	}
	f, err := os.CreateTemp(dir, ".new-*")
	if err != nil {
		return "", err
	}
	_, err = f.Write(append(data, '\n'))
	err = errors.Join(err, f.Sync(), f.Close())
	if err != nil {
		_ = os.Remove(f.Name())
		return "", err
	}
	return f.Name(), nil
}

func randomHex(bytes int) string {
	b := make([]byte, bytes)
	_, _ = rand.Read(b) // never fails
	return hex.EncodeToString(b)
}

// listen opens a loopback port: wanted if it is not 0, else last if it is free, else any free port.
func listen(ctx context.Context, what string, wanted, last int) (net.Listener, error) {
	try := func(port int) (net.Listener, error) {
		return (&net.ListenConfig{}).Listen(ctx, "tcp", address(port))
	}
	if wanted != 0 {
		l, err := try(wanted)
		if err != nil {
			return nil, fmt.Errorf(
				"%s port %d cannot be opened (another engine? use another port, or 0 for any): %w",
				what,
				wanted,
				err,
			)
		}
		return l, nil
	}
	if last != 0 {
		if l, err := try(last); err == nil {
			return l, nil
		}
	}
	return try(0)
}

// freePort is like listen, for a server that opens its port itself. Another process may take the port in between.
func freePort(ctx context.Context, what string, wanted, last int) (int, error) {
	l, err := listen(ctx, what, wanted, last)
	if err != nil {
		return 0, err
	}
	return portOf(l), l.Close()
}

func portOf(l net.Listener) int { return int(netip.MustParseAddrPort(l.Addr().String()).Port()) }
