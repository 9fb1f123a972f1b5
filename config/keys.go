package config

import (
	"reflect"
	"strings"
)

// key is one setting: a field of Config with its tags.
type key struct {
	path   string        // its path in the file, such as "profile.validation_mode"
	env    []string      // its variables; the first non-empty one wins
	rule   string        // its validation rule; "": any value of its type
	doc    string        // for keys that are not in default.toml
	secret bool          // it comes only from the environment, and is never shown
	value  reflect.Value // the field
}

// keysOf lists the settings of cfg in the order of its fields. Setting value of a key sets cfg.
func keysOf(cfg *Config) []key {
	var keys []key
	var walk func(prefix string, v reflect.Value)
	walk = func(prefix string, v reflect.Value) {
		for i := range v.NumField() {
			field := v.Type().Field(i)
			path := prefix + field.Tag.Get("toml")
			if field.Type.Kind() == reflect.Struct {
				walk(path+".", v.Field(i))
				continue
			}
			k := key{path: path, rule: field.Tag.Get("rule"), doc: field.Tag.Get("doc"), value: v.Field(i)}
			k.secret = field.Type == reflect.TypeFor[Secret]()
			if !k.secret {
				k.env = append(k.env, envName(path))
			}
			if names := field.Tag.Get("env"); names != "" {
				k.env = append(k.env, strings.Split(names, ",")...)
			}
			keys = append(keys, k)
		}
	}
	walk("", reflect.ValueOf(cfg).Elem())
	return keys
}

// envName returns the variable of a key: VAULT_PROFILE_VALIDATION_MODE for profile.validation_mode.
func envName(path string) string {
	return envPrefix + strings.ToUpper(strings.ReplaceAll(path, ".", "_"))
}

const (
	envPrefix = "VAULT_"
	envFile   = "VAULT_CONFIG"
	envAPIKey = "VAULT_API_KEY" // a setting of the client, not of a server
	envTLS    = "HATCHET_CLIENT_TLS_STRATEGY"
	envHost   = "HATCHET_CLIENT_HOST_PORT"
)

// nearest returns the most similar of names, with an edit distance of at most 2. "": none.
func nearest(name string, names []string) string {
	best, bestAt := "", 3
	for _, candidate := range names {
		if d := distance(name, candidate); d < bestAt {
			best, bestAt = candidate, d
		}
	}
	return best
}

// distance returns the Damerau-Levenshtein distance (optimal string alignment) of a and b.
func distance(a, b string) int {
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			replace := rows[i-1][j-1]
			if a[i-1] != b[j-1] {
				replace++
			}
			rows[i][j] = min(rows[i-1][j]+1, rows[i][j-1]+1, replace)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				rows[i][j] = min(rows[i][j], rows[i-2][j-2]+1)
			}
		}
	}
	return rows[len(a)][len(b)]
}
