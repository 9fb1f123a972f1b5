package deploy_test

import (
	"bufio"
	"context"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	compose "github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/types"
	"github.com/google/go-cmp/cmp"

	"github.com/contextvault/contextvault/config"
	"github.com/contextvault/contextvault/db"
	"github.com/contextvault/contextvault/vault"
)

// secrets are the variables that docker-compose.yml requires.
var secrets = map[string]string{
	"POSTGRES_PASSWORD":      "p0stgres",
	"HATCHET_ADMIN_PASSWORD": "Dashb0ard",
	"HATCHET_CLIENT_TOKEN":   "token",
	"ADMIN_TOKEN":            "0123456789abcdef0123456789abcdef",
	"VAULT_SEALING_KEY":      "key",
}

// loadCompose loads the project as `docker compose config` does. The environment is env.
func loadCompose(t *testing.T, env map[string]string) (*types.Project, error) {
	t.Helper()
	var pairs []string
	for name, value := range env {
		pairs = append(pairs, name+"="+value)
	}
	options, err := compose.NewProjectOptions(
		[]string{"../docker-compose.yml"}, compose.WithEnv(pairs), compose.WithWorkingDirectory(".."),
	)
	if err != nil {
		t.Fatalf("compose options: %v", err)
	}
	return options.LoadProject(context.Background())
}

func mustLoadCompose(t *testing.T) *types.Project {
	t.Helper()
	project, err := loadCompose(t, secrets)
	if err != nil {
		t.Fatalf("docker-compose.yml is not valid: %v", err)
	}
	return project
}

func TestCompose_Services(t *testing.T) {
	t.Parallel()
	project := mustLoadCompose(t)

	want := map[string]struct {
		command   []string
		dependsOn map[string]string
		healthy   bool // other services wait for its health check
	}{
		"postgres": {command: []string{"postgres", "-c", "max_connections=300"}, healthy: true},
		"redis":    {command: []string{"redis-server", "--save", "", "--appendonly", "no"}, healthy: true},
		"hatchet":  {dependsOn: map[string]string{"postgres": "service_healthy"}, healthy: true},
		"migrate":  {command: []string{"migrate", "up"}, dependsOn: map[string]string{"postgres": "service_healthy"}},
		"worker": {command: []string{"worker"}, dependsOn: map[string]string{
			"migrate": "service_completed_successfully",
			"redis":   "service_healthy",
			"hatchet": "service_healthy",
		}},
		// The API accepts operations without the engine, and reads without Redis.
		"api": {command: []string{"serve"}, dependsOn: map[string]string{"migrate": "service_completed_successfully"}},
	}
	if diff := cmp.Diff(slices.Sorted(maps.Keys(want)), slices.Sorted(maps.Keys(project.Services))); diff != "" {
		t.Fatalf("services (-want +got):\n%s", diff)
	}
	for name, w := range want {
		service := project.Services[name]
		if diff := cmp.Diff(w.command, []string(service.Command)); diff != "" {
			t.Errorf("%s: command (-want +got):\n%s", name, diff)
		}
		var dependsOn map[string]string
		for on, dependency := range service.DependsOn {
			if dependsOn == nil {
				dependsOn = map[string]string{}
			}
			dependsOn[on] = dependency.Condition
		}
		if diff := cmp.Diff(w.dependsOn, dependsOn); diff != "" {
			t.Errorf("%s: depends_on (-want +got):\n%s", name, diff)
		}
		if w.healthy && (service.HealthCheck == nil || len(service.HealthCheck.Test) == 0) {
			t.Errorf("%s: other services wait for its health, and it has no health check", name)
		}
		for _, port := range service.Ports {
			if port.HostIP != "127.0.0.1" {
				t.Errorf("%s: port %s is published on %q, not on loopback only", name, port.Published, port.HostIP)
			}
		}
	}
}

func TestCompose_ImagesArePinned(t *testing.T) {
	t.Parallel()
	project := mustLoadCompose(t)

	for name, service := range project.Services {
		_, tag, found := strings.Cut(service.Image, ":")
		if !found || tag == "latest" {
			t.Errorf("%s: image %q has no fixed version", name, service.Image)
		}
	}
	goMod, err := os.ReadFile("../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	sdk := regexp.MustCompile(`github\.com/hatchet-dev/hatchet (v\S+)`).FindSubmatch(goMod)
	if sdk == nil {
		t.Fatal("go.mod does not require the Hatchet SDK")
	}
	if image := project.Services["hatchet"].Image; !strings.HasSuffix(image, ":"+string(sdk[1])) {
		t.Errorf("engine image %s, SDK %s: the versions must be equal", image, sdk[1])
	}
}

func TestCompose_DatabaseNames(t *testing.T) {
	t.Parallel()
	project := mustLoadCompose(t)

	for service, want := range map[string]string{
		"hatchet": "hatchet", "migrate": "contextvault", "worker": "contextvault", "api": "contextvault",
	} {
		url := project.Services[service].Environment["DATABASE_URL"]
		if url == nil || *url != "postgresql://vault:p0stgres@postgres:5432/"+want+"?sslmode=disable" {
			t.Errorf("%s: DATABASE_URL does not name the database %s", service, want)
		}
	}
	if got := project.Configs["create-hatchet-database"].Content; !strings.Contains(got, "CREATE DATABASE hatchet;") {
		t.Errorf("nothing creates the engine's database: %q", got)
	}
}

// Every environment variable of a service is a known setting with a valid value, and the stop grace period of a service
// is longer than its own grace period.
func TestCompose_Configuration(t *testing.T) {
	t.Parallel()
	project, reference := mustLoadCompose(t), config.Reference()
	key, err := db.NewSealingKey()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"migrate", "worker", "api"} {
		service := project.Services[name]
		var environ []string
		for variable, value := range service.Environment {
			if !strings.Contains(reference, "`"+variable+"`") && variable != "HATCHET_CLIENT_TLS_STRATEGY" {
				t.Errorf("%s gets %s, which is not a setting", name, variable)
			}
			if variable == "VAULT_SEALING_KEY" {
				value = &key
			}
			environ = append(environ, variable+"="+*value)
		}
		cfg, err := config.Load("", environ)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if name == "migrate" {
			continue
		}
		if mode := cfg.Profile.ValidationMode; mode != vault.ModeStrict {
			t.Errorf("%s validates in the mode %s", name, mode)
		}
		grace := map[string]time.Duration{"worker": cfg.Worker.ShutdownGrace(), "api": cfg.API.ShutdownGrace()}[name]
		if stop := service.StopGracePeriod; stop == nil || time.Duration(*stop) < grace+5*time.Second {
			t.Errorf("%s is killed during its own grace period of %s", name, grace)
		}
		if name == "worker" && grace <= 3*time.Minute { // the limit of a step that calls the model (docs/operation.md)
			t.Errorf("the grace period of the worker is %s", grace)
		}
	}
}

func TestCompose_MissingSecret(t *testing.T) {
	t.Parallel()
	for name := range secrets {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, how := range []string{"unset", "empty"} {
				env := maps.Clone(secrets)
				delete(env, name)
				if how == "empty" {
					env[name] = ""
				}
				_, err := loadCompose(t, env)
				if err == nil || !strings.Contains(err.Error(), name) {
					t.Errorf("%s %s: error %v, want one that names it", name, how, err)
				}
			}
		})
	}
}

func TestEnvExample_ListsEverySecret(t *testing.T) {
	t.Parallel()
	file, err := os.Open("../.env.example")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var got []string
	for lines := bufio.NewScanner(file); lines.Scan(); {
		name, value, found := strings.Cut(lines.Text(), "=")
		if !found || strings.HasPrefix(name, "#") {
			continue
		}
		if value != "" {
			t.Errorf("%s has a value, which every installation would share", name)
		}
		got = append(got, name)
	}
	slices.Sort(got)
	if diff := cmp.Diff(slices.Sorted(maps.Keys(secrets)), got); diff != "" {
		t.Errorf(".env.example and docker-compose.yml (-required +listed):\n%s", diff)
	}
}
