package config

import (
	"reflect"
	"strings"
)

// key is one setting: a field of Config and what its tags say.
type key struct {
	path   string        // its place in the file, such as "profile.validation_mode"
	env    []string      // the variables that set it; the first that is set and not empty wins
	rule   string        // the name of what is allowed; "": anything of its type
	doc    string        // for keys that are not in default.toml
	secret bool          // comes from the environment alone, and is never shown
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

// envName is the variable of a key: VAULT_PROFILE_VALIDATION_MODE for profile.validation_mode.
func envName(path string) string {
	return envPrefix + strings.ToUpper(strings.ReplaceAll(path, ".", "_"))
}

const (
	envPrefix = "VAULT_"
	envFile   = "VAULT_CONFIG"
	envAPIKey = "VAULT_API_KEY" // what a client of the API sends; no setting of a server
	envTLS    = "HATCHET_CLIENT_TLS_STRATEGY"
	envHost   = "HATCHET_CLIENT_HOST_PORT"
)

// nearest gives the name that name was most likely meant to be: at most two edits away, "" where there is none.
func nearest(name string, names []string) string {
	best, bestAt := "", 3
	for _, candidate := range names {
		if d := distance(name, candidate); d < bestAt {
			best, bestAt = candidate, d
		}
	}
	return best
}

// distance counts the characters to insert, remove, replace or swap with their neighbour to make b of a.
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
