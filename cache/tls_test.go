package cache

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"log/slog"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/contextvault/contextvault/vault"
)

// trustedURL is the variable with the URL of a Redis whose authority the process trusts.
const trustedURL = "CACHE_TEST_TRUSTED_URL"

// authority signs certificates.
type authority struct {
	key  *ecdsa.PrivateKey
	cert *x509.Certificate
	file string
}

func newAuthority(t *testing.T) authority {
	t.Helper()
	a := authority{key: newECKey(t), cert: &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test authority"}, IsCA: true,
		BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}}
	a.file = writePEM(t, "CERTIFICATE", a.sign(t, a.cert, a.key))
	return a
}

func (a authority) sign(t *testing.T, cert *x509.Certificate, key *ecdsa.PrivateKey) []byte {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, cert, a.cert, &key.PublicKey, a.key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// startTLS starts a Redis with a TLS port and a certificate that is valid for 127.0.0.1 until an hour from now, unless
// change changes it. It returns the URL of the port.
func (a authority) startTLS(t *testing.T, change func(*x509.Certificate)) string {
	t.Helper()
	key := newECKey(t)
	cert := &x509.Certificate{
		SerialNumber: big.NewInt(2), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-2 * time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	if change != nil {
		change(cert)
	}
	private, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	s := newServer(t, "--tls-auth-clients", "no",
		"--tls-cert-file", writePEM(t, "CERTIFICATE", a.sign(t, cert, key)),
		"--tls-key-file", writePEM(t, "EC PRIVATE KEY", private))
	port := strconv.Itoa(newServer(t).port) // a free one
	s.args = append(s.args, "--tls-port", port)
	s.start()
	return "rediss://127.0.0.1:" + port + "/0"
}

func newECKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func writePEM(t *testing.T, kind string, der []byte) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "file.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// A Redis over TLS works if the process trusts the authority of its certificate. Go reads the trusted authorities once,
// so another process with SSL_CERT_FILE runs the test.
func TestRead_TLS(t *testing.T) {
	t.Parallel()
	url := os.Getenv(trustedURL)
	if url == "" {
		a := newAuthority(t)
		//nolint:gosec // this test
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestRead_TLS$", "-test.v")
		cmd.Env = append(os.Environ(), trustedURL+"="+a.startTLS(t, nil), "SSL_CERT_FILE="+a.file)
		out, err := cmd.CombinedOutput()
		if err != nil || !strings.Contains(string(out), "--- PASS: TestRead_TLS") {
			t.Errorf("with a trusted certificate: %v\n%s", err, out)
		}
		return
	}
	c, _ := newCache(t, Options{URL: url})
	if err := c.CheckServer(t.Context()); err != nil {
		t.Errorf("the server was refused: %v", err)
	}
	if err := c.Ping(t.Context()); err != nil {
		t.Errorf("the server does not answer: %v", err)
	}
	key := randomKey()
	l := loads{value: person{"Ada", 1}}
	l.read(t, c, key, 1)
	l.read(t, c, key, 1) // from Redis
	if err := c.Invalidate(t.Context(), key, 2); err != nil {
		t.Error(err)
	}
	l.value = person{"Ada", 2}
	l.read(t, c, key, 2)
}

// A connection that TLS refuses is an error at the start, with the reason; without it, the vault would work without a
// cache and say nothing. An expired certificate is an outage.
func TestCheckServer_TLS(t *testing.T) {
	t.Parallel()
	a := newAuthority(t) // no process trusts it
	for name, c := range map[string]struct {
		url  string
		says []string // nil: no error
		ping string
	}{
		"an unknown authority": {
			a.startTLS(t, nil), []string{"certificate of Redis is not trusted", "unknown authority", "SSL_CERT_FILE"},
			"certificate",
		},
		"another host": {
			a.startTLS(t, func(c *x509.Certificate) { c.IPAddresses, c.DNSNames = nil, []string{"redis.example"} }),
			[]string{"certificate of Redis is not trusted", "127.0.0.1"}, "certificate",
		},
		"a port without TLS": {
			strings.Replace(startServer(t).URL, "redis:", "rediss:", 1), []string{"answers without TLS", "redis://"}, "",
		},
		"a TLS port without TLS": {
			strings.Replace(a.startTLS(t, nil), "rediss:", "redis:", 1), []string{"answers with TLS", "rediss://"}, "",
		},
		"an expired certificate": {
			a.startTLS(t, func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Hour) }), nil, "expired",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cache, err := New(Options{Enabled: true, URL: c.url, Logger: slog.New(slog.DiscardHandler), OpTimeout: time.Second})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(cache.Close)
			err = cache.CheckServer(t.Context())
			if (err == nil) != (c.says == nil) || err != nil && vault.CodeOf(err) != vault.CodeInvalid {
				t.Errorf("got %v", err)
			}
			for _, want := range c.says {
				if err != nil && !strings.Contains(err.Error(), want) {
					t.Errorf("it does not say %q: %v", want, err)
				}
			}
			if err := cache.Ping(t.Context()); err == nil || !strings.Contains(err.Error(), c.ping) {
				t.Errorf("the ping: %v", err)
			}
		})
	}
}
