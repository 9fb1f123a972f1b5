package config

import (
	"fmt"
	"log/slog"
	"net/url"
	"strings"
)

// Secret is a key or token. Printed, logged or encoded it shows only whether it is set. Reveal returns it.
type Secret string

// Reveal returns the secret.
func (s Secret) Reveal() string { return string(s) }

// String is "(set)" or "".
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return "(set)"
}

// Format keeps the secret out of every verb.
func (s Secret) Format(state fmt.State, _ rune) { _, _ = fmt.Fprint(state, s.String()) }

// LogValue keeps the secret out of logs.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText keeps the secret out of JSON, TOML and the like.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// URL is an address that may contain a password. Printed, logged or encoded it shows no user, password and query.
// Reveal returns it.
type URL string

// Reveal returns the address with its password.
func (u URL) Reveal() string { return string(u) }

// String returns the address without its secret parts.
func (u URL) String() string {
	if shown, ok := redactURL(string(u)); ok {
		return shown
	}
	return notShown
}

// Format keeps the password out of every verb.
func (u URL) Format(state fmt.State, _ rune) { _, _ = fmt.Fprint(state, u.String()) }

// LogValue keeps the password out of logs.
func (u URL) LogValue() slog.Value { return slog.StringValue(u.String()) }

// MarshalText keeps the password out of JSON, TOML and the like.
func (u URL) MarshalText() ([]byte, error) { return []byte(u.String()), nil }

const notShown = "(not shown)"

// redactURL returns an address without user, password, query and fragment. It returns false if it cannot identify the
// password: no scheme, no host, or a password with an unescaped / ? # or @.
func redactURL(raw string) (string, bool) {
	if raw == "" {
		return "", true
	}
	u, err := url.Parse(raw)
	if err != nil || u.Opaque != "" || u.Host == "" || strings.Count(raw, "@") > 1 ||
		strings.Contains(u.Host+u.Path+u.RawQuery+u.Fragment, "@") {
		return "", false
	}
	shown := u.Scheme + "://"
	if u.User != nil {
		shown += "***@"
	}
	shown += u.Host + u.EscapedPath()
	if u.RawQuery != "" {
		shown += "?***"
	}
	return shown, true
}
