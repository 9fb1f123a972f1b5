package config

import (
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2"
)

// Load reads the defaults, then the file at path, then environ (as os.Environ gives it). An empty path is VAULT_CONFIG,
// and without that there is no file. An empty variable counts as unset.
//
// VAULT_<SECTION>_<KEY> overrides a shared name of the same key (DATABASE_URL, OPENAI_BASE_URL …). A VAULT_ variable
// that is similar to a key is an error; variables of other programs are ignored. The error is an *Error and lists all
// problems.
func Load(path string, environ []string) (Config, error) {
	var cfg Config
	l := loader{keys: keysOf(&cfg), env: map[string]string{}}
	for _, pair := range environ {
		if name, value, _ := strings.Cut(pair, "="); value != "" {
			l.env[name] = value
		}
	}
	l.file("default.toml", defaults)
	if path == "" {
		path = l.env[envFile]
	}
	if path != "" {
		text, err := os.ReadFile(path)
		if err != nil {
			l.report(Problem{Where: path, Fault: "cannot be read: " + reason(err)})
		}
		l.file(path, string(text))
	}
	l.environment()
	l.unknownVariables()
	if g := cfg.GapFill; g.ConfirmThreshold < g.UseThreshold {
		l.report(Problem{
			Key: "gap_fill.confirm_threshold", Value: fmt.Sprint(g.ConfirmThreshold),
			Fault: fmt.Sprintf("is below gap_fill.use_threshold, which is %v", g.UseThreshold),
		})
	}
	if len(l.problems) > 0 {
		return Config{}, &Error{Problems: l.problems}
	}
	return cfg, nil
}

// reason returns an error of os.ReadFile without the path, which the message already contains.
func reason(err error) string {
	if e, ok := errors.AsType[*os.PathError](err); ok {
		return e.Err.Error()
	}
	return err.Error()
}

// Require returns an *Error that lists the given keys, such as "database.url", that are not set. Load does not check
// this, because each command requires other keys.
func (c *Config) Require(paths ...string) error {
	keys := keysOf(c)
	var problems []Problem
	for _, path := range paths {
		i := slices.IndexFunc(keys, func(k key) bool { return k.path == path })
		if i < 0 {
			return fmt.Errorf("configuration: no key is named %s", path)
		}
		if k := keys[i]; k.value.IsZero() {
			name := k.env[len(k.env)-1]
			if k.secret {
				name = k.env[0]
			}
			problems = append(problems, Problem{Key: path, Fault: fmt.Sprintf("is not set; %s sets it: %s", name, k.want())})
		}
	}
	if len(problems) > 0 {
		return &Error{Problems: problems}
	}
	return nil
}

// String lists every key with its value, one per line, without secrets.
func (c Config) String() string {
	var b strings.Builder
	for _, k := range keysOf(&c) {
		fmt.Fprintf(&b, "%s = %v\n", k.path, k.value.Interface())
	}
	return b.String()
}

// Shown returns every key with its value, without secrets.
func (c Config) Shown() map[string]any {
	out := map[string]any{}
	for _, k := range keysOf(&c) {
		out[k.path] = k.value.Interface()
	}
	return out
}

// LogValue returns every key with its value, without secrets.
func (c Config) LogValue() slog.Value {
	var attrs []slog.Attr
	for _, k := range keysOf(&c) {
		attrs = append(attrs, slog.Any(k.path, k.value.Interface()))
	}
	return slog.GroupValue(attrs...)
}

// loader merges the layers and collects their problems.
type loader struct {
	keys     []key
	env      map[string]string // without empty variables
	problems []Problem
}

func (l *loader) report(p Problem) { l.problems = append(l.problems, p) }

func (l *loader) file(name, text string) {
	var table map[string]any
	if err := toml.Unmarshal([]byte(text), &table); err != nil {
		fault := "is not TOML: " + strings.TrimPrefix(err.Error(), "toml: ")
		if e, ok := errors.AsType[*toml.DecodeError](err); ok {
			line, column := e.Position()
			fault = fmt.Sprintf("is not TOML: line %d, column %d: %s", line, column, strings.TrimPrefix(e.Error(), "toml: "))
		}
		l.report(Problem{Where: name, Fault: fault})
		return
	}
	l.table(name, "", table)
}

// table loads one table of the file. prefix is its path, such as "jobs.".
func (l *loader) table(file, prefix string, table map[string]any) {
	for _, word := range slices.Sorted(maps.Keys(table)) {
		path, raw := prefix+word, table[word]
		if i := slices.IndexFunc(l.keys, func(k key) bool { return k.path == path }); i >= 0 {
			switch k := l.keys[i]; {
			case k.secret:
				l.report(
					Problem{Key: path, Where: file, Fault: "is a secret: set " + k.env[0] + " in the environment, not the file"},
				)
			case !k.set(raw):
				l.report(Problem{Key: path, Where: file, Value: show(k, raw), Fault: "is not " + k.want()})
			}
			continue
		}
		isSection := slices.ContainsFunc(l.keys, func(k key) bool { return strings.HasPrefix(k.path, path+".") })
		inner, isTable := raw.(map[string]any)
		switch {
		case isSection && isTable:
			l.table(file, path+".", inner)
		case isSection:
			l.report(Problem{Key: path, Where: file, Fault: "is a section: write [" + path + "] and its keys under it"})
		default: // the value is not shown: it may be a secret under a wrong name
			l.report(Problem{Key: path, Where: file, Fault: "is not a key" + l.meant(path)})
		}
	}
}

// meant returns a suggestion for an unknown key.
func (l *loader) meant(path string) string {
	var paths []string
	for _, k := range l.keys {
		if !k.secret {
			paths = append(paths, k.path)
		}
	}
	if best := nearest(path, paths); best != "" {
		return "; did you mean " + best + "?"
	}
	section, _, found := strings.Cut(path, ".")
	if !found {
		section = ""
	}
	var words []string
	for _, p := range paths {
		if head, rest, _ := strings.Cut(p, "."); section == "" {
			words = append(words, "["+head+"]")
		} else if head == section {
			words = append(words, rest)
		}
	}
	if words = slices.Compact(words); len(words) == 0 {
		return ""
	}
	return "; there are " + strings.Join(words, ", ")
}

func (l *loader) environment() {
	for _, k := range l.keys {
		for _, name := range k.env {
			text, ok := l.env[name]
			if !ok {
				continue
			}
			value := text
			if name == envHost {
				value = l.engineURL(text)
			}
			if !k.setText(value) {
				l.report(Problem{Key: k.path, Where: name, Value: show(k, text), Fault: "is not " + k.wantOf(name)})
			}
			break
		}
	}
}

// engineURL converts the host:port of the engine to a URL.
func (l *loader) engineURL(hostPort string) string {
	if l.env[envTLS] == "none" {
		return "http://" + hostPort
	}
	return "https://" + hostPort
}

func (k key) wantOf(name string) string {
	if name == envHost {
		return "host:port, such as localhost:7077"
	}
	return k.want()
}

// kubernetesLink matches the variables that Kubernetes sets for a service with a name that begins with "vault".
var kubernetesLink = regexp.MustCompile(`_SERVICE_(HOST|PORT(_\w+)?)$|_PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?$`)

// unknownVariables reports VAULT_ variables that are similar to a setting and are none. It ignores the variables of
// HashiCorp Vault, which have the same prefix (VAULT_ADDR, VAULT_TOKEN …), and those of Kubernetes.
func (l *loader) unknownVariables() {
	known := []string{envFile, envAPIKey}
	var sections []string
	for _, k := range l.keys {
		known = append(known, k.env...)
		if section, _, found := strings.Cut(k.path, "."); found {
			sections = append(sections, envName(section)+"_")
		}
	}
	for _, name := range slices.Sorted(maps.Keys(l.env)) {
		if !strings.HasPrefix(name, envPrefix) || slices.Contains(known, name) || kubernetesLink.MatchString(name) ||
			strings.HasSuffix(name, "_PORT") && strings.Contains(l.env[name], "://") {
			continue
		}
		if i := slices.IndexFunc(l.keys, func(k key) bool { return k.secret && envName(k.path) == name }); i >= 0 {
			l.report(Problem{Where: name, Fault: "is not a setting; did you mean " + l.keys[i].env[0] + "?"})
			continue
		}
		meant := nearest(name, known)
		ours := slices.ContainsFunc(sections, func(prefix string) bool { return strings.HasPrefix(name, prefix) })
		switch {
		case meant != "":
			l.report(Problem{Where: name, Fault: "is not a setting; did you mean " + meant + "?"})
		case ours:
			l.report(Problem{Where: name, Fault: "is not a setting; default.toml lists them all"})
		}
	}
}
