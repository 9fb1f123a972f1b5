package cache

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"log/slog"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/contextvault/contextvault/vault"
)

func openCache(t *testing.T, url string) *Cache {
	t.Helper()
	c, err := New(Options{Enabled: true, URL: url, Logger: slog.New(slog.DiscardHandler), OpTimeout: 5 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// A cluster and a sentinel are refused with the reason; a standalone server, and one that is down, are not.
func TestCheckServer_Modes(t *testing.T) {
	t.Parallel()
	sentinel := filepath.Join(t.TempDir(), "sentinel.conf")
	if err := os.WriteFile(sentinel, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		args []string
		says string
	}{
		"standalone": {nil, ""},
		"cluster":    {[]string{"--cluster-enabled", "yes"}, "Redis Cluster"},
	} {
		err := openCache(t, startServer(t, c.args...).URL).CheckServer(t.Context())
		if (err == nil) != (c.says == "") || err != nil && !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
	s := newServer(t)
	s.args = append([]string{sentinel, "--sentinel"}, "--port", strings.Split(strings.TrimSuffix(s.URL, "/0"), ":")[2])
	s.start()
	if err := openCache(t, s.URL).CheckServer(t.Context()); vault.CodeOf(err) != vault.CodeInvalid ||
		!strings.Contains(err.Error(), "Redis Sentinel") {
		t.Errorf("sentinel: %v", err)
	}
	if err := openCache(t, "redis://127.0.0.1:1/0").CheckServer(t.Context()); err != nil {
		t.Errorf("a server that is down: %v", err)
	}
}

// rediss:// verifies the certificate of the server.
func TestPing_TLS(t *testing.T) {
	t.Parallel()
	key, cert := certificate(t)
	s := newServer(t, "--tls-cert-file", cert, "--tls-key-file", key, "--tls-auth-clients", "no")
	tls := newServer(t) // for a free port
	s.args = append(s.args, "--tls-port", strings.Split(strings.TrimSuffix(tls.URL, "/0"), ":")[2])
	s.start()
	err := openCache(t, strings.Replace(tls.URL, "redis://", "rediss://", 1)).Ping(t.Context())
	if err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("a certificate of an unknown authority: %v", err)
	}
}

// certificate creates a self-signed certificate and returns its files.
func certificate(t *testing.T) (keyFile, certFile string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	keyFile, certFile = filepath.Join(t.TempDir(), "key.pem"), filepath.Join(t.TempDir(), "cert.pem")
	for path, block := range map[string]*pem.Block{
		keyFile: {Type: "EC PRIVATE KEY", Bytes: private}, certFile: {Type: "CERTIFICATE", Bytes: der},
	} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return keyFile, certFile
}
