package config

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/contextvault/contextvault/llm"
	"github.com/contextvault/contextvault/vault"
)

// secretWord is in every secret of these tests. It must never be printed.
const secretWord = "hunter2"

func file(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "vault.toml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func mustLoad(t *testing.T, path string, environ ...string) Config {
	t.Helper()
	cfg, err := Load(path, environ)
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

// problems loads a bad configuration and returns the lines of its error, with FILE as the path of the file.
func problems(t *testing.T, path string, environ ...string) []string {
	t.Helper()
	cfg, err := Load(path, environ)
	e, ok := errors.AsType[*Error](err)
	if !ok {
		t.Fatalf("error is %v, want an *Error", err)
	}
	if diff := cmp.Diff(Config{}, cfg); diff != "" {
		t.Errorf("the error comes with a configuration:\n%s", diff)
	}
	var lines []string
	for _, p := range e.Problems {
		line := p.String()
		if path != "" {
			line = strings.ReplaceAll(line, path, "FILE")
		}
		lines = append(lines, line)
		if !strings.Contains(err.Error(), p.String()) {
			t.Errorf("the error does not say %q:\n%v", p, err)
		}
	}
	return lines
}

func TestLoad_Defaults(t *testing.T) {
	t.Parallel()
	want := Config{
		Profile: Profile{
			CacheEnabled: true, CacheTTLSeconds: 1800, ValidationMode: vault.ModeWarn, ChainDepth: 10,
			FieldDefinitionsTTLSeconds: DefinitionsTTL{Default: 3600},
		},
		Jobs: Jobs{Hatchet: Hatchet{
			ServerURL: "http://localhost:7077", CronExpireValues: "*/5 * * * *", CronDetectOrphans: "*/15 * * * *",
			CronRelayOperations: "* * * * *", CronPurgeOperations: "17 3 * * *", CronReadQuietSessions: "* * * * *",
			CronRotateKeys: "41 * * * *", CronSealValues: "*/5 * * * *",
			CronSealAudit: "* * * * *", CronPurgeCustomers: "37 * * * *", CronRemoveExpired: "47 * * * *", CronDeliverWebhooks: "* * * * *",
			CronProposeMerges: "23 * * * *",
			WorkerConcurrency: 10, ModelConcurrency: 10,
			MaxPushes: 32,
		}},
		Sweeps:   Sweeps{BatchSize: 500, TenantKeyDays: 365},
		Database: Database{MaxConnections: 10},
		Redis:    Redis{TimeoutMilliseconds: 100},
		LLM: LLM{
			BaseURL: llm.DefaultBaseURL, Model: llm.DefaultModel, EmbeddingModel: llm.DefaultEmbeddingModel, TimeoutSeconds: 30, MaxRetries: llm.DefaultMaxRetries,
			PromptPricePerMillion: 0.4, CompletionPricePerMillion: 1.6,
		},
		Extraction: Extraction{MatchThreshold: 0.73},
		GapFill:    GapFill{UseThreshold: vault.UseThreshold, ConfirmThreshold: vault.ConfirmThreshold, ConversationBytes: 60_000, QuietAfterSeconds: 1800, TimeZone: "UTC"},
		Operations: Operations{RetentionDays: 30, FailedRetentionDays: 90},
		Erasure:    Erasure{ExportHours: 24},
		Events:     Events{RetentionDays: 14},
		Worker:     Worker{HealthAddress: ":8081", ShutdownGraceSeconds: 30, CountIntervalSeconds: 60},
		API:        API{ListenAddress: ":8000", MaxBodyBytes: 8 << 20, RateLimitPerSecond: 100, RequestTimeoutSeconds: 30, ShutdownGraceSeconds: 30},
		Console:    Console{OIDCGroupsClaim: "groups"},
		Log:        Log{Level: "info", Format: "json"},
		Tracing:    Tracing{Protocol: "grpc", SampleRatio: 1},
	}
	got := mustLoad(t, "")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("defaults (-want +got):\n%s", diff)
	}
	if got.LLM.Timeout() != llm.DefaultTimeout {
		t.Errorf("the time-out of the model is %v, package llm says %v", got.LLM.Timeout(), llm.DefaultTimeout)
	}
}

func TestLoad_CopyOfDefaultFile(t *testing.T) {
	t.Parallel()
	if diff := cmp.Diff(mustLoad(t, ""), mustLoad(t, file(t, defaults))); diff != "" {
		t.Errorf("a copy of default.toml changes:\n%s", diff)
	}
}

func TestConfig_Durations(t *testing.T) {
	t.Parallel()
	cfg := mustLoad(t, "")
	for name, d := range map[string][2]time.Duration{
		"CacheTTL":        {cfg.Profile.CacheTTL(), 30 * time.Minute},
		"DefinitionsTTL":  {cfg.Profile.DefinitionsTTL(), time.Hour},
		"Timeout":         {cfg.LLM.Timeout(), 30 * time.Second},
		"Retention":       {cfg.Operations.Retention(), 30 * 24 * time.Hour},
		"FailedRetention": {cfg.Operations.FailedRetention(), 90 * 24 * time.Hour},
		"ShutdownGrace":   {cfg.Worker.ShutdownGrace(), 30 * time.Second},
		"RequestTimeout":  {cfg.API.RequestTimeout(), 30 * time.Second},
		"API grace":       {cfg.API.ShutdownGrace(), 30 * time.Second},
	} {
		if d[0] != d[1] {
			t.Errorf("%s is %v, want %v", name, d[0], d[1])
		}
	}
	for level, want := range map[string]slog.Level{"debug": slog.LevelDebug, "info": slog.LevelInfo, "warn": slog.LevelWarn, "error": slog.LevelError} {
		if got := (Log{Level: level}).SlogLevel(); got != want {
			t.Errorf("level %s is %v", level, got)
		}
	}
}

func TestLoad_Precedence(t *testing.T) {
	t.Parallel()
	path := file(t, `
		[profile]
		validation_mode = "strict"
		cache_ttl_seconds = 60
		[jobs.hatchet]
		worker_concurrency = 3
		[gap_fill]
		confirm_threshold = 1
	`)
	cfg := mustLoad(t, path, "VAULT_PROFILE_CACHE_TTL_SECONDS=61", "VAULT_PROFILE_CACHE_ENABLED=false", "VAULT_GAP_FILL_USE_THRESHOLD=0.9")
	want := mustLoad(t, "")
	want.Profile.ValidationMode, want.Profile.CacheTTLSeconds, want.Profile.CacheEnabled = vault.ModeStrict, 61, false
	want.Jobs.Hatchet.WorkerConcurrency = 3
	want.GapFill.UseThreshold, want.GapFill.ConfirmThreshold = 0.9, 1
	if diff := cmp.Diff(want, cfg); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestLoad_VaultConfigVariable(t *testing.T) {
	t.Parallel()
	named, given := file(t, "[log]\nlevel = \"debug\""), file(t, "[log]\nlevel = \"error\"")
	if got := mustLoad(t, "", "VAULT_CONFIG="+named).Log.Level; got != "debug" {
		t.Errorf("VAULT_CONFIG: level %s", got)
	}
	if got := mustLoad(t, given, "VAULT_CONFIG="+named).Log.Level; got != "error" {
		t.Errorf("the path given wins over VAULT_CONFIG: level %s", got)
	}
}

// Every key has a variable that sets it.
func TestLoad_EveryKeyHasAVariable(t *testing.T) {
	t.Parallel()
	var cfg Config
	for _, k := range keysOf(&cfg) {
		value := map[string]string{
			"profile.validation_mode": "strict", "llm.provider": "openai", "log.level": "warn", "log.format": "text",
			"sealing_key": "aHVudGVyMg==", "gap_fill.conversation_bytes": "7000",
			"tracing.protocol": "http/protobuf",
		}[k.path]
		switch {
		case value != "":
		case k.value.Kind() == reflect.Bool:
			value = "false"
		case k.value.Kind() == reflect.Int:
			value = "7"
		case k.value.Kind() == reflect.Float64:
			value = "0.95"
		case k.rule == "cron":
			value = "1 2 * * *"
		default:
			value = map[string]string{"engine-url": "https://e:1", "postgres-url": "postgres://h/d", "redis-url": "redis://h", "http-url": "http://h/v1", "collector-url": "http://h:4317", "address": "h:1", "address-or-none": "h:1", "long-token": strings.Repeat("word", 8), "time-zone": "Europe/Berlin", "groups": "a=read"}[k.rule]
		}
		if value == "" {
			value = "word"
		}
		for _, name := range k.env {
			set := value
			if name == envHost {
				set = "e:1"
			}
			cfg := mustLoad(t, "", name+"="+set)
			keys := keysOf(&cfg)
			i := slices.IndexFunc(keys, func(other key) bool { return other.path == k.path })
			if got := fmt.Sprint(reflect.ValueOf(keys[i].value.Interface()).Convert(keys[i].value.Type())); !k.secret && got != fmt.Sprint(value) {
				t.Errorf("%s=%s gives %s = %s", name, set, k.path, got)
			}
			if k.secret && keys[i].value.String() != value {
				t.Errorf("%s does not set %s", name, k.path)
			}
		}
	}
}

func TestLoad_SharedVariables(t *testing.T) {
	t.Parallel()
	cfg := mustLoad(t, "",
		"DATABASE_URL=postgres://u:p@h/d", "REDIS_URL=redis://h", "HATCHET_API_KEY=second", "HATCHET_CLIENT_TOKEN=first",
		"OPENAI_API_KEY=sk", "OPENAI_BASE_URL=http://localhost:11434/v1", "VAULT_SEALING_KEY=aGVsbG8=", "VAULT_REDIS_URL=rediss://ours:1/2")
	if cfg.Jobs.Hatchet.Token.Reveal() != "first" || cfg.Redis.URL.Reveal() != "rediss://ours:1/2" || cfg.Database.URL.Reveal() != "postgres://u:p@h/d" ||
		cfg.LLM.APIKey.Reveal() != "sk" || cfg.LLM.BaseURL.Reveal() != "http://localhost:11434/v1" || cfg.SealingKey.Reveal() != "aGVsbG8=" {
		t.Errorf("not all arrived: %v", cfg)
	}
	if got := mustLoad(t, "", "HATCHET_API_KEY=second").Jobs.Hatchet.Token.Reveal(); got != "second" {
		t.Errorf("HATCHET_API_KEY: %q", got)
	}
}

func TestLoad_EmptyVariableIsUnset(t *testing.T) {
	t.Parallel()
	cfg := mustLoad(t, "", "OPENAI_API_KEY=", "OPENAI_BASE_URL=", "VAULT_LOG_LEVEL=", "VAULT_CONFIG=", "VAULT_PROFILE_TYPO=", "broken")
	if diff := cmp.Diff(mustLoad(t, ""), cfg); diff != "" {
		t.Error(diff)
	}
}

func TestHatchet_HostPortAndTLS(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		environ  []string
		hostPort string
		tls      bool
	}{
		{nil, "localhost:7077", false},
		{[]string{"VAULT_JOBS_HATCHET_SERVER_URL=https://engine.example.com"}, "engine.example.com:443", true},
		{[]string{"VAULT_JOBS_HATCHET_SERVER_URL=http://engine/"}, "engine:80", false},
		{[]string{"VAULT_JOBS_HATCHET_SERVER_URL=http://[::1]:7077"}, "[::1]:7077", false},
		{[]string{"HATCHET_CLIENT_HOST_PORT=hatchet:7077"}, "hatchet:7077", true},
		{[]string{"HATCHET_CLIENT_HOST_PORT=hatchet:7077", "HATCHET_CLIENT_TLS_STRATEGY=none"}, "hatchet:7077", false},
		{[]string{"HATCHET_CLIENT_HOST_PORT=hatchet:7077", "VAULT_JOBS_HATCHET_SERVER_URL=http://ours:1"}, "ours:1", false},
	} {
		h := mustLoad(t, "", c.environ...).Jobs.Hatchet
		if h.HostPort() != c.hostPort || h.TLS() != c.tls {
			t.Errorf("%v: %s, TLS %v; want %s, %v", c.environ, h.HostPort(), h.TLS(), c.hostPort, c.tls)
		}
	}
}

func TestLoad_BadFile(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ text, want string }{
		{"[profile]\ncache_enabled = \"yes\"", `profile.cache_enabled (FILE): "yes" is not true or false`},
		{"[profile]\ncache_ttl_seconds = \"1800\"", `profile.cache_ttl_seconds (FILE): "1800" is not a whole number from 1 to 604800`},
		{"[profile]\ncache_ttl_seconds = 0", `profile.cache_ttl_seconds (FILE): 0 is not a whole number from 1 to 604800`},
		{"[profile]\ncache_ttl_seconds = 1.5", `profile.cache_ttl_seconds (FILE): 1.5 is not a whole number from 1 to 604800`},
		{"[profile]\ncache_ttl_seconds = [1, 2]", `profile.cache_ttl_seconds (FILE): a list is not a whole number from 1 to 604800`},
		{"[profile]\nvalidation_mode = \"strct\"", `profile.validation_mode (FILE): "strct" is not strict, warn or disabled`},
		{"[profile]\nvalidation_mode = \"\"", `profile.validation_mode (FILE): "" is not strict, warn or disabled`},
		{"[profile]\nvalidation_mode = 2024-01-01", `profile.validation_mode (FILE): 2024-01-01 is not strict, warn or disabled`},
		{"[profile]\nchain_depth = 101", `profile.chain_depth (FILE): 101 is not a whole number from 1 to 100`},
		{"[profile]\nfield_definitions_ttl_seconds = 3600", `profile.field_definitions_ttl_seconds (FILE): is a section: write [profile.field_definitions_ttl_seconds] and its keys under it`},
		{"[profile.field_definitions_ttl_seconds]\ndefault = -1", `profile.field_definitions_ttl_seconds.default (FILE): -1 is not a whole number from 1 to 604800`},
		{"[jobs.hatchet]\nserver_url = \"localhost:7077\"", `jobs.hatchet.server_url (FILE): "localhost:7077" is not an http or https address without a path, such as http://localhost:7077`},
		{"[jobs.hatchet]\nserver_url = \"http://localhost:7077/api\"", `jobs.hatchet.server_url (FILE): "http://localhost:7077/api" is not an http or https address without a path, such as http://localhost:7077`},
		{"[jobs.hatchet]\nworker_concurrency = 0", `jobs.hatchet.worker_concurrency (FILE): 0 is not a whole number from 1 to 1000`},
		{"[sweeps]\nbatch_size = 10001", `sweeps.batch_size (FILE): 10001 is not a whole number from 1 to 10000`},
		{"[database]\nurl = \"mysql://h/d\"", `database.url (FILE): "mysql://h/d" is not a PostgreSQL address, such as postgres://user:password@host:5432/contextvault`},
		{"[database]\nurl = 5432", `database.url (FILE): (not shown) is not a PostgreSQL address, such as postgres://user:password@host:5432/contextvault`},
		{"[database.url]\nhost = \"h\"", `database.url (FILE): a table is not a PostgreSQL address, such as postgres://user:password@host:5432/contextvault`},
		{"[database]\nmax_connections = 1", `database.max_connections (FILE): 1 is not a whole number from 2 to 1000`},
		{"[redis]\nurl = \"http://h\"", `redis.url (FILE): "http://h" is not a Redis address, such as redis://user:password@host:6379/0 or rediss:// for TLS`},
		{"[redis]\nurl = \"redis://h/db\"", `redis.url (FILE): "redis://h/db" is not a Redis address, such as redis://user:password@host:6379/0 or rediss:// for TLS`},
		{"[redis]\nurl = \"redis://h:99999\"", `redis.url (FILE): "redis://h:99999" is not a Redis address, such as redis://user:password@host:6379/0 or rediss:// for TLS`},
		{"[llm]\nprovider = \"azure\"", `llm.provider (FILE): "azure" is not openai, offline or empty`},
		{"[llm]\nbase_url = \"ftp://h\"", `llm.base_url (FILE): "ftp://h" is not an http or https address, such as https://api.openai.com/v1`},
		{"[llm]\nmodel = \"\"", `llm.model (FILE): "" is not a name without spaces`},
		{"[llm]\nembedding_model = \"a b\"", `llm.embedding_model (FILE): "a b" is not a name without spaces`},
		{"[llm]\ntimeout_seconds = 601", `llm.timeout_seconds (FILE): 601 is not a whole number from 1 to 600`},
		{"[llm]\nmax_retries = -1", `llm.max_retries (FILE): -1 is not a whole number from 0 to 10`},
		{"[llm]\napi_key = \"" + secretWord + "\"", `llm.api_key (FILE): is a secret: set OPENAI_API_KEY in the environment, not the file`},
		{"[jobs.hatchet]\ntoken = \"" + secretWord + "\"", `jobs.hatchet.token (FILE): is a secret: set HATCHET_CLIENT_TOKEN in the environment, not the file`},
		{"sealing_key = \"" + secretWord + "\"", `sealing_key (FILE): is a secret: set VAULT_SEALING_KEY in the environment, not the file`},
		{"[extraction]\nmatch_threshold = 1.01", `extraction.match_threshold (FILE): 1.01 is not a number from 0 to 1`},
		{"[extraction]\nmatch_threshold = nan", `extraction.match_threshold (FILE): NaN is not a number from 0 to 1`},
		{"[gap_fill]\nuse_threshold = \"high\"", `gap_fill.use_threshold (FILE): "high" is not a number from 0 to 1`},
		{"[gap_fill]\nuse_threshold = 0.96", `gap_fill.confirm_threshold: 0.95 is below gap_fill.use_threshold, which is 0.96`},
		{"[operations]\nretention_days = 0", `operations.retention_days (FILE): 0 is not a whole number from 1 to 3650`},
		{"[events]\nretention_days = 0", `events.retention_days (FILE): 0 is not a whole number from 1 to 3650`},
		{"[operations]\nfailed_retention_days = 0", `operations.failed_retention_days (FILE): 0 is not a whole number from 1 to 3650`},
		{"[worker]\nhealth_address = \"8081\"", `worker.health_address (FILE): "8081" is not host:port, such as :8081 or 127.0.0.1:8081`},
		{"[worker]\nshutdown_grace_seconds = true", `worker.shutdown_grace_seconds (FILE): true is not a whole number from 1 to 3600`},
		{"[api]\nlisten_address = \"8000\"", `api.listen_address (FILE): "8000" is not host:port, such as :8081 or 127.0.0.1:8081`},
		{"[api]\nmax_body_bytes = 0", `api.max_body_bytes (FILE): 0 is not a whole number from 1 to 268435456`},
		{"[api]\nrate_limit_per_second = -1", `api.rate_limit_per_second (FILE): -1 is not a whole number from 0 to 1000000`},
		{"[api]\nrequest_timeout_seconds = 0", `api.request_timeout_seconds (FILE): 0 is not a whole number from 1 to 600`},
		{"[api]\nshutdown_grace_seconds = 0", `api.shutdown_grace_seconds (FILE): 0 is not a whole number from 1 to 3600`},
		{"[api]\nadmin_token = \"" + secretWord + "\"", `api.admin_token (FILE): is a secret: set ADMIN_TOKEN in the environment, not the file`},
		{"[log]\nlevel = \"INFO\"", `log.level (FILE): "INFO" is not debug, info, warn or error`},
		{"[log]\nformat = \"xml\"", `log.format (FILE): "xml" is not json or text`},

		{"[profile]\nvalidaton_mode = \"strict\"", `profile.validaton_mode (FILE): is not a key; did you mean profile.validation_mode?`},
		{"[redis]\npassword = \"" + secretWord + "\"", `redis.password (FILE): is not a key; there are url, timeout_milliseconds`},
		{"[http]\nport = 1", `http (FILE): is not a key; there are [profile], [jobs], [sweeps], [database], [redis], [llm], [extraction], [gap_fill], [operations], [erasure], [events], [worker], [api], [console], [log], [tracing]`},
		{"profile = true", `profile (FILE): is a section: write [profile] and its keys under it`},
		{"[profile]\ncache_enabled = yes", `FILE: is not TOML: line 2, column 17: expected 'n'`},
		{"[log]\nlevel = \"info\"\nlevel = \"warn\"", `FILE: is not TOML: key level is already defined`},
	} {
		t.Run(c.text, func(t *testing.T) {
			t.Parallel()
			got := problems(t, file(t, c.text))
			if strings.HasPrefix(c.want, "FILE: is not TOML") {
				if len(got) != 1 || !strings.HasPrefix(got[0], "FILE: is not TOML: ") {
					t.Errorf("got %q", got)
				}
				return
			}
			if diff := cmp.Diff([]string{c.want}, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestLoad_BadCron(t *testing.T) {
	t.Parallel()
	const want = "a schedule of five fields (minute, hour, day of month, month, day of week), such as */5 * * * *"
	for _, key := range []string{
		"cron_expire_fields", "cron_detect_orphans", "cron_relay_operations", "cron_purge_operations",
		"cron_read_quiet_sessions", "cron_seal_audit", "cron_rotate_keys", "cron_seal_values", "cron_purge_customers",
		"cron_remove_expired",
	} {
		for _, value := range []string{"", "* * * *", "* * * * * *", "61 * * * *", "@hourly", "TZ=UTC", "TZ=UTC * * * * *", "every five minutes", "0 0 31 2 *"} {
			got := problems(t, file(t, fmt.Sprintf("[jobs.hatchet]\n%s = %q", key, value)))
			if diff := cmp.Diff([]string{fmt.Sprintf("jobs.hatchet.%s (FILE): %q is not %s", key, value, want)}, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		}
	}
}

func TestLoad_BadEnvironment(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ pair, want string }{
		{"VAULT_PROFILE_VALIDATION_MODE=strct", `profile.validation_mode (VAULT_PROFILE_VALIDATION_MODE): "strct" is not strict, warn or disabled`},
		{"VAULT_PROFILE_CACHE_ENABLED=maybe", `profile.cache_enabled (VAULT_PROFILE_CACHE_ENABLED): "maybe" is not true or false`},
		{"VAULT_PROFILE_CACHE_TTL_SECONDS=30m", `profile.cache_ttl_seconds (VAULT_PROFILE_CACHE_TTL_SECONDS): "30m" is not a whole number from 1 to 604800`},
		{"VAULT_JOBS_HATCHET_WORKER_CONCURRENCY=99999999999999999999", `jobs.hatchet.worker_concurrency (VAULT_JOBS_HATCHET_WORKER_CONCURRENCY): "99999999999999999999" is not a whole number from 1 to 1000`},
		{"VAULT_GAP_FILL_USE_THRESHOLD=NaN", `gap_fill.use_threshold (VAULT_GAP_FILL_USE_THRESHOLD): "NaN" is not a number from 0 to 1`},
		{"HATCHET_CLIENT_HOST_PORT=localhost:port", `jobs.hatchet.server_url (HATCHET_CLIENT_HOST_PORT): "localhost:port" is not host:port, such as localhost:7077`},
		{"VAULT_LOG_LEVEL=" + strings.Repeat("x", 1000), `log.level (VAULT_LOG_LEVEL): "` + strings.Repeat("x", 80) + `…" is not debug, info, warn or error`},
		{"VAULT_LOG_LEVEL=a\nb", `log.level (VAULT_LOG_LEVEL): "a\nb" is not debug, info, warn or error`},

		{"ADMIN_TOKEN=" + strings.Repeat("x", 31), `api.admin_token (ADMIN_TOKEN): (not shown) is not one word of 32 characters or more without spaces or line breaks, such as from openssl rand -hex 32`},
		{"DATABASE_URL=http://user:" + secretWord + "@h/d", `database.url (DATABASE_URL): "http://***@h/d" is not a PostgreSQL address, such as postgres://user:password@host:5432/contextvault`},
		{"DATABASE_URL=host=h password=" + secretWord, `database.url (DATABASE_URL): (not shown) is not a PostgreSQL address, such as postgres://user:password@host:5432/contextvault`},
		{"DATABASE_URL=user:" + secretWord + "@h/d", `database.url (DATABASE_URL): (not shown) is not a PostgreSQL address, such as postgres://user:password@host:5432/contextvault`},
		{"DATABASE_URL=" + secretWord, `database.url (DATABASE_URL): (not shown) is not a PostgreSQL address, such as postgres://user:password@host:5432/contextvault`},
		{"DATABASE_URL=postgres://user:" + secretWord + "#x@h/d", `database.url (DATABASE_URL): (not shown) is not a PostgreSQL address, such as postgres://user:password@host:5432/contextvault`},
		{"DATABASE_URL=postgres:///d", `database.url (DATABASE_URL): (not shown) is not a PostgreSQL address, such as postgres://user:password@host:5432/contextvault`},
		{"REDIS_URL=redis://:" + secretWord + "@h/x", `redis.url (REDIS_URL): "redis://***@h/x" is not a Redis address, such as redis://user:password@host:6379/0 or rediss:// for TLS`},
		{"OPENAI_BASE_URL=ws://h/v1?key=" + secretWord, `llm.base_url (OPENAI_BASE_URL): "ws://h/v1?***" is not an http or https address, such as https://api.openai.com/v1`},
		{"OPENAI_API_KEY=sk " + secretWord, `llm.api_key (OPENAI_API_KEY): (not shown) is not one word without spaces or line breaks`},
		{"HATCHET_CLIENT_TOKEN=" + secretWord + "\n", `jobs.hatchet.token (HATCHET_CLIENT_TOKEN): (not shown) is not one word without spaces or line breaks`},
		{"HATCHET_API_KEY=" + secretWord + " ", `jobs.hatchet.token (HATCHET_API_KEY): (not shown) is not one word without spaces or line breaks`},
		{"VAULT_SEALING_KEY=" + secretWord + "!", "sealing_key (VAULT_SEALING_KEY): (not shown) is not a Tink keyset in base64; `vault sealing-key` makes one"},

		{"VAULT_PROFILE_VALIDATON_MODE=strict", `VAULT_PROFILE_VALIDATON_MODE: is not a setting; did you mean VAULT_PROFILE_VALIDATION_MODE?`},
		{"VAULT_PROFIEL_VALIDATION_MODE=strict", `VAULT_PROFIEL_VALIDATION_MODE: is not a setting; did you mean VAULT_PROFILE_VALIDATION_MODE?`},
		{"VAULT_SEALNG_KEY=" + secretWord, `VAULT_SEALNG_KEY: is not a setting; did you mean VAULT_SEALING_KEY?`},
		{"VAULT_LLM_API_KEY=" + secretWord, `VAULT_LLM_API_KEY: is not a setting; did you mean OPENAI_API_KEY?`},
		{"VAULT_DATABASE_PASSWORD=" + secretWord, `VAULT_DATABASE_PASSWORD: is not a setting; default.toml lists them all`},
		{"VAULT_WORKER_PORT=8081", `VAULT_WORKER_PORT: is not a setting; default.toml lists them all`},
		{"VAULT_CONFIG=/does/not/exist.toml", `/does/not/exist.toml: cannot be read: no such file or directory`},
	} {
		t.Run(c.pair, func(t *testing.T) {
			t.Parallel()
			got := problems(t, "", c.pair)
			if diff := cmp.Diff([]string{c.want}, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if strings.Contains(strings.Join(got, ""), secretWord) {
				t.Error("a secret shows")
			}
		})
	}
}

func TestLoad_ReportsAllProblems(t *testing.T) {
	t.Parallel()
	got := problems(t, file(t, `
		surprise = 1
		[profile]
		cache_ttl_seconds = 0
		validation_mode = "loose"
		[jobs.hatchet]
		cron_expire_fields = "often"
	`), "VAULT_LOG_LEVEL=loud", "VAULT_LOG_LVEL=info", "REDIS_URL=memcached://h")
	want := []string{
		`jobs.hatchet.cron_expire_fields (FILE): "often" is not a schedule of five fields (minute, hour, day of month, month, day of week), such as */5 * * * *`,
		`profile.cache_ttl_seconds (FILE): 0 is not a whole number from 1 to 604800`,
		`profile.validation_mode (FILE): "loose" is not strict, warn or disabled`,
		`surprise (FILE): is not a key; there are [profile], [jobs], [sweeps], [database], [redis], [llm], [extraction], [gap_fill], [operations], [erasure], [events], [worker], [api], [console], [log], [tracing]`,
		`redis.url (REDIS_URL): "memcached://h" is not a Redis address, such as redis://user:password@host:6379/0 or rediss:// for TLS`,
		`log.level (VAULT_LOG_LEVEL): "loud" is not debug, info, warn or error`,
		`VAULT_LOG_LVEL: is not a setting; did you mean VAULT_LOG_LEVEL?`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}

	got = problems(t, file(t, "[profile"), "VAULT_LOG_LEVEL=loud")
	if len(got) != 2 {
		t.Errorf("a file that is not TOML hides what else is wrong: %q", got)
	}
}

// Other programs and Kubernetes may set variables with the same prefix.
func TestLoad_IgnoresForeignVariables(t *testing.T) {
	t.Parallel()
	cfg := mustLoad(t, "",
		"VAULT_ADDR=https://h:8200", "VAULT_TOKEN=x", "VAULT_NAMESPACE=n", "VAULT_SKIP_VERIFY=1", "VAULT_CACERT=/c", "VAULT_CLIENT_TIMEOUT=1",
		"VAULT_MAX_RETRIES=2", "VAULT_API_KEY=cv_x", "VAULT_FORMAT=json", "VAULT_AGENT_ADDR=x", "VAULT_TLS_SERVER_NAME=x", "VAULT_RATE_LIMIT=1",
		"VAULT_SERVICE_HOST=10.0.0.1", "VAULT_PORT=tcp://10.0.0.1:8000", "VAULT_PORT_8000_TCP_ADDR=10.0.0.1",
		"VAULT_WORKER_SERVICE_HOST=10.0.0.1", "VAULT_WORKER_SERVICE_PORT=8081", "VAULT_WORKER_SERVICE_PORT_HEALTH=8081",
		"VAULT_WORKER_PORT=tcp://10.0.0.1:8081", "VAULT_WORKER_PORT_8081_TCP=tcp://10.0.0.1:8081", "VAULT_WORKER_PORT_8081_TCP_PROTO=tcp",
	)
	if diff := cmp.Diff(mustLoad(t, ""), cfg); diff != "" {
		t.Error(diff)
	}
}

func TestRequire_MissingKeys(t *testing.T) {
	t.Parallel()
	cfg := mustLoad(t, "", "REDIS_URL=redis://h")
	err := cfg.Require("database.url", "redis.url", "jobs.hatchet.token", "sealing_key")
	want := "configuration: 3 problems\n" +
		"  database.url: is not set; DATABASE_URL sets it: a PostgreSQL address, such as postgres://user:password@host:5432/contextvault\n" +
		"  jobs.hatchet.token: is not set; HATCHET_CLIENT_TOKEN sets it: one word without spaces or line breaks\n" +
		"  sealing_key: is not set; VAULT_SEALING_KEY sets it: a Tink keyset in base64; `vault sealing-key` makes one"
	if err == nil || err.Error() != want {
		t.Errorf("got %v\nwant %s", err, want)
	}
	if err := cfg.Require("redis.url"); err != nil {
		t.Error(err)
	}
	if err := cfg.Require("redis.uri"); err == nil || !strings.Contains(err.Error(), "no key is named redis.uri") {
		t.Errorf("a key that does not exist: %v", err)
	}
}

func TestConfig_HidesSecrets(t *testing.T) {
	t.Parallel()
	cfg := mustLoad(t, "",
		"DATABASE_URL=postgres://user:"+secretWord+"@h:5432/d?sslpassword="+secretWord, "REDIS_URL=redis://"+secretWord+"@h", "OPENAI_API_KEY="+secretWord,
		"HATCHET_CLIENT_TOKEN="+secretWord, "ADMIN_TOKEN="+strings.Repeat(secretWord, 6), "VAULT_SEALING_KEY=aHVudGVyMg==", "OPENAI_BASE_URL=https://u:"+secretWord+"@h/v1")
	var logged strings.Builder
	slog.New(slog.NewJSONHandler(&logged, nil)).Info("started", "config", cfg, "section", cfg.Database, "url", cfg.Redis.URL, "token", cfg.Jobs.Hatchet.Token)
	slog.New(slog.NewTextHandler(&logged, nil)).Info("started", "config", cfg, "section", cfg.LLM, "pointer", &cfg)
	asJSON, err := json.Marshal(cfg)
	if err != nil {
		t.Fatal(err)
	}
	texts := map[string]string{"String": cfg.String(), "log": logged.String(), "JSON": string(asJSON)}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		texts["config "+verb] = fmt.Sprintf(verb, cfg)
		texts["pointer "+verb] = fmt.Sprintf(verb, &cfg)
		texts["section "+verb] = fmt.Sprintf(verb, cfg.Database)
		texts["llm "+verb] = fmt.Sprintf(verb, cfg.LLM)
		texts["url "+verb] = fmt.Sprintf(verb, cfg.Redis.URL)
		texts["secret "+verb] = fmt.Sprintf(verb, cfg.SealingKey)
	}
	for what, text := range texts {
		for _, secret := range []string{secretWord, "aHVudGVyMg==", fmt.Sprintf("%x", secretWord), "104 117 110 116"} {
			if strings.Contains(text, secret) {
				t.Errorf("%s shows a secret: %s", what, text)
			}
		}
	}
	for _, want := range []string{"database.url = postgres://***@h:5432/d?***\n", "redis.url = redis://***@h\n", "llm.api_key = (set)\n", "profile.cache_ttl_seconds = 1800\n"} {
		if !strings.Contains(cfg.String(), want) {
			t.Errorf("String does not say %q:\n%s", want, cfg)
		}
	}
}

func TestReference_ListsEveryKey(t *testing.T) {
	t.Parallel()
	text := Reference()
	docs := documented(defaults)
	var cfg Config
	for _, k := range keysOf(&cfg) {
		for _, name := range k.env {
			if !strings.Contains(text, "`"+name+"`") {
				t.Errorf("%s is not in the reference", name)
			}
		}
		if k.secret {
			if !strings.Contains(text, k.doc) || k.doc == "" {
				t.Errorf("%s is not explained", k.path)
			}
			continue
		}
		doc, ok := docs[k.path]
		if !ok || doc.text == "" || doc.value == "" {
			t.Errorf("%s has no line with a comment in default.toml", k.path)
		}
		if !strings.Contains(text, doc.text) {
			t.Errorf("the meaning of %s is not in the reference", k.path)
		}
		delete(docs, k.path)
	}
	if len(docs) > 0 {
		t.Errorf("default.toml has lines that are no keys: %v", docs)
	}
	const row = "| `validation_mode` | `VAULT_PROFILE_VALIDATION_MODE` | `\"warn\"` | strict, warn or disabled | What happens to a value that breaks its definition:"
	if !strings.Contains(text, row) || !strings.Contains(text, "| `batch_size` | `VAULT_SWEEPS_BATCH_SIZE` | `500` | a whole number from 1 to 10000 |") {
		t.Errorf("the reference reads otherwise:\n%s", text)
	}
}

// A misspelt rule in a tag would accept any value.
func TestKeys_RulesExist(t *testing.T) {
	t.Parallel()
	var cfg Config
	for _, k := range keysOf(&cfg) {
		if _, named := rules[k.rule]; !named && k.value.Kind() != reflect.Bool && !strings.Contains(k.rule, "|") && !strings.Contains(k.rule, "..") {
			t.Errorf("%s: no rule is named %q", k.path, k.rule)
		}
	}
}

// docs/configuration.md equals Reference.
func TestReference_PageIsCurrent(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../docs/configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(Reference(), string(page)); diff != "" {
		t.Errorf("run `make generate` (-reference +page):\n%s", diff)
	}
}
