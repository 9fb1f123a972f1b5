package config

import (
	"encoding/base64"
	"fmt"
	"math"
	"net"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // time zones on machines without a tz database

	"github.com/robfig/cron/v3"

	"github.com/contextvault/contextvault/vault"
)

// rules are the named validation rules. Ranges ("1..100") and choices ("json|text") are in the tag itself.
var rules = map[string]struct {
	want string
	ok   func(string) bool
}{
	"cron": {
		"a schedule of five fields (minute, hour, day of month, month, day of week), such as */5 * * * *",
		isCron,
	},
	"postgres-url": {
		"a PostgreSQL address, such as postgres://user:password@host:5432/contextvault",
		hasScheme(true, "postgres", "postgresql"),
	},
	"redis-url": {"a Redis address, such as redis://user:password@host:6379/0 or rediss:// for TLS", isRedisURL},
	"http-url":  {"an http or https address, such as https://api.openai.com/v1", hasScheme(false, "http", "https")},
	"collector-url": {
		"an http or https address, such as http://localhost:4317",
		hasScheme(true, "http", "https"),
	},
	"engine-url": {"an http or https address without a path, such as http://localhost:7077", isEngineURL},
	"time-zone":  {"the name of a time zone, such as Europe/Berlin or UTC", isTimeZone},
	"address":    {"host:port, such as :8081 or 127.0.0.1:8081", isAddress},
	"address-or-none": {
		"host:port, such as :8001 or 127.0.0.1:8001, or empty",
		func(s string) bool { return s == "" || isAddress(s) },
	},
	"long-token": {
		"one word of 32 characters or more without spaces or line breaks, such as from openssl rand -hex 32",
		func(s string) bool { return isWord(s) && len(s) >= 32 },
	},
	"word-or-none": {
		"one word without spaces, or empty",
		func(s string) bool { return s == "" || isWord(s) },
	},
	"groups": {
		"a list of groups with their scopes, such as vault-admins=admin; support=read,review",
		func(s string) bool {
			for entry := range strings.SplitSeq(s, ";") {
				if strings.TrimSpace(entry) != "" && !strings.Contains(entry, "=") {
					return false
				}
			}
			return true
		},
	},
	"name":   {"a name without spaces", isWord},
	"token":  {"one word without spaces or line breaks", isWord},
	"keyset": {"a Tink keyset in base64; `vault sealing-key` makes one", isBase64},
}

func isTimeZone(s string) bool {
	_, err := time.LoadLocation(s)
	return err == nil && s != "Local"
}

// want describes the valid values of a key, for a message that begins with "is not".
func (k key) want() string {
	if r, ok := rules[k.rule]; ok {
		return r.want
	}
	if low, high, ok := strings.Cut(k.rule, ".."); ok {
		kind := "a number"
		if k.value.Kind() == reflect.Int {
			kind = "a whole number"
		}
		return fmt.Sprintf("%s from %s to %s", kind, low, high)
	}
	if strings.Contains(k.rule, "|") {
		words := strings.Split(k.rule, "|")
		if words[0] == "" {
			words = append(words[1:], "empty")
		}
		return vault.OneOf(words)
	}
	if k.value.Kind() == reflect.Bool {
		return "true or false"
	}
	return "text"
}

func (k key) isURL() bool { return k.value.Type() == reflect.TypeFor[URL]() }

// set sets the field to raw and reports whether raw is valid.
func (k key) set(raw any) bool {
	switch k.value.Kind() {
	case reflect.Bool:
		v, ok := raw.(bool)
		if ok {
			k.value.SetBool(v)
		}
		return ok
	case reflect.Int:
		v, ok := raw.(int64)
		if ok = ok && k.inRange(float64(v)); ok {
			k.value.SetInt(v)
		}
		return ok
	case reflect.Float64:
		v, ok := raw.(float64)
		if whole, isWhole := raw.(int64); isWhole {
			v, ok = float64(whole), true
		}
		if ok = ok && k.inRange(v); ok {
			k.value.SetFloat(v)
		}
		return ok
	default: // Config has no other kinds than strings
		v, ok := raw.(string)
		if ok = ok && k.allows(v); ok {
			k.value.SetString(v)
		}
		return ok
	}
}

// setText parses the text of an environment variable and sets the field.
func (k key) setText(text string) bool {
	var raw any = text
	var err error
	switch k.value.Kind() {
	case reflect.Bool:
		raw, err = strconv.ParseBool(text)
	case reflect.Int:
		raw, err = strconv.ParseInt(text, 10, 64)
	case reflect.Float64:
		raw, err = strconv.ParseFloat(text, 64)
	}
	return err == nil && k.set(raw)
}

func (k key) inRange(v float64) bool {
	low, high, ok := strings.Cut(k.rule, "..")
	if !ok {
		return true
	}
	from, errFrom := strconv.ParseFloat(low, 64)
	to, errTo := strconv.ParseFloat(high, 64)
	return errFrom == nil && errTo == nil && !math.IsNaN(v) && from <= v && v <= to
}

func (k key) allows(text string) bool {
	if r, ok := rules[k.rule]; ok {
		return r.ok(text)
	}
	if strings.Contains(k.rule, "|") {
		return slices.Contains(strings.Split(k.rule, "|"), text)
	}
	return true
}

// isCron accepts the schedules of the workflow engine, except time zones and @words. It rejects a schedule that never
// fires, such as 31 February.
func isCron(text string) bool {
	if strings.Contains(text, "=") { // TZ=…: the parser panics where no space follows
		return false
	}
	schedule, err := cron.NewParser(cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow).Parse(text)
	return err == nil && !schedule.Next(time.Now()).IsZero()
}

// hasScheme accepts a URL with a host and one of the schemes, and an empty text if the key is optional.
func hasScheme(optional bool, schemes ...string) func(string) bool {
	return func(text string) bool {
		if text == "" {
			return optional
		}
		u, err := url.Parse(text)
		return err == nil && slices.Contains(schemes, u.Scheme) && u.Hostname() != "" && isPort(u.Port())
	}
}

// isPort accepts a port, or none.
func isPort(text string) bool {
	n, err := strconv.ParseUint(text, 10, 16)
	return text == "" || err == nil && n > 0
}

func isRedisURL(text string) bool {
	if text == "" {
		return true
	}
	if !hasScheme(false, "redis", "rediss")(text) {
		return false
	}
	u, err := url.Parse(text)
	if err != nil {
		return false
	}
	if db := strings.Trim(u.Path, "/"); db != "" {
		_, err = strconv.ParseUint(db, 10, 16)
	}
	return err == nil
}

func isEngineURL(text string) bool {
	u, err := url.Parse(text)
	return err == nil && hasScheme(false, "http", "https")(text) && u.User == nil && strings.Trim(u.Path, "/") == "" &&
		u.RawQuery == ""
}

func isAddress(text string) bool {
	_, port, err := net.SplitHostPort(text)
	if err != nil {
		return false
	}
	_, err = strconv.ParseUint(port, 10, 16)
	return err == nil
}

func isWord(text string) bool {
	return len(strings.Fields(text)) == 1 && strings.TrimSpace(text) == text
}

func isBase64(text string) bool {
	raw, err := base64.StdEncoding.DecodeString(text)
	return err == nil && len(raw) > 0
}
