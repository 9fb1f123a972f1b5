// Package deploy_test checks docker-compose.yml and the files in this folder against the programs: commands, settings,
// ports, metrics and grace periods.
package deploy_test

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"sigs.k8s.io/json"
	"sigs.k8s.io/yaml"

	"github.com/contextvault/contextvault/config"
	"github.com/contextvault/contextvault/vault"
)

const kubernetes = "kubernetes"

// kinds are the Kubernetes types that the manifests may use.
var kinds = map[string]func() any{
	"v1/Namespace":                           func() any { return new(corev1.Namespace) },
	"v1/ConfigMap":                           func() any { return new(corev1.ConfigMap) },
	"v1/Secret":                              func() any { return new(corev1.Secret) },
	"v1/Service":                             func() any { return new(corev1.Service) },
	"v1/ServiceAccount":                      func() any { return new(corev1.ServiceAccount) },
	"apps/v1/Deployment":                     func() any { return new(appsv1.Deployment) },
	"batch/v1/Job":                           func() any { return new(batchv1.Job) },
	"policy/v1/PodDisruptionBudget":          func() any { return new(policyv1.PodDisruptionBudget) },
	"autoscaling/v2/HorizontalPodAutoscaler": func() any { return new(autoscalingv2.HorizontalPodAutoscaler) },
	"networking.k8s.io/v1/NetworkPolicy":     func() any { return new(networkingv1.NetworkPolicy) },
	"networking.k8s.io/v1/Ingress":           func() any { return new(networkingv1.Ingress) },
}

// kustomization holds the fields of kustomization.yaml that the tests use.
type kustomization struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Namespace  string `json:"namespace"`
	Labels     []struct {
		Pairs map[string]string `json:"pairs"`
	} `json:"labels"`
	Resources []string `json:"resources"`
	Images    []struct {
		Name    string `json:"name"`
		NewName string `json:"newName"`
		NewTag  string `json:"newTag"`
	} `json:"images"`
}

// decode decodes as the API server does: an unknown or duplicate field, or one in another case, is an error.
func decode(document []byte, object any) error {
	encoded, err := yaml.YAMLToJSONStrict(document)
	if err != nil {
		return err
	}
	unknown, err := json.UnmarshalStrict(encoded, object)
	return errors.Join(append(unknown, err)...)
}

// manifests returns all objects of a file.
func manifests(t *testing.T, name string) []any {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(kubernetes, name))
	if err != nil {
		t.Fatal(err)
	}
	var out []any
	for _, document := range bytes.Split(text, []byte("\n---\n")) {
		var is struct {
			APIVersion string `json:"apiVersion"`
			Kind       string `json:"kind"`
		}
		if err := yaml.Unmarshal(document, &is); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		make, ok := kinds[is.APIVersion+"/"+is.Kind]
		if !ok {
			t.Fatalf("%s: %s/%s is not known here", name, is.APIVersion, is.Kind)
		}
		object := make()
		if err := decode(document, object); err != nil {
			t.Fatalf("%s: %s: %v", name, is.Kind, err)
		}
		out = append(out, object)
	}
	return out
}

// cluster holds the objects of the kustomization.
type cluster struct {
	kustomization
	objects     []any
	config      map[string]string
	deployments map[string]*appsv1.Deployment
	pods        map[string]corev1.PodTemplateSpec // of deployments and jobs
}

func load(t *testing.T) cluster {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(kubernetes, "kustomization.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	c := cluster{deployments: map[string]*appsv1.Deployment{}, pods: map[string]corev1.PodTemplateSpec{}}
	if err := decode(text, &c.kustomization); err != nil {
		t.Fatal(err)
	}
	for _, name := range c.Resources {
		for _, object := range manifests(t, name) {
			c.objects = append(c.objects, object)
			switch o := object.(type) {
			case *corev1.ConfigMap:
				c.config = o.Data
			case *appsv1.Deployment:
				c.deployments[o.Name], c.pods[o.Name] = o, o.Spec.Template
			case *batchv1.Job:
				c.pods[o.Name] = o.Spec.Template
			}
		}
	}
	return c
}

// of returns the objects of one type.
func of[T any](c cluster) []T {
	var out []T
	for _, object := range c.objects {
		if o, ok := object.(T); ok {
			out = append(out, o)
		}
	}
	return out
}

func TestManifests_KustomizationListsAll(t *testing.T) {
	t.Parallel()
	c := load(t)
	files, err := filepath.Glob(filepath.Join(kubernetes, "*.yaml"))
	if err != nil || len(files) < 5 {
		t.Fatalf("%v, %v", files, err)
	}
	for _, path := range files {
		name := filepath.Base(path)
		switch {
		case name == "kustomization.yaml" || slices.Contains(c.Resources, name):
		case strings.HasSuffix(name, ".example.yaml"):
			manifests(t, name)
		default:
			t.Errorf("%s is in no kustomization", name)
		}
	}
	want := []string{"vault-api", "vault-migrate", "vault-worker"}
	if got := slices.Sorted(maps.Keys(c.pods)); !slices.Equal(got, want) {
		t.Fatalf("pods of %v, want %v", got, want)
	}
	for _, image := range c.Images {
		if image.Name != "contextvault/vault" || image.NewTag == "" || image.NewTag == "latest" {
			t.Errorf("the image is %+v: it has no fixed version", image)
		}
	}
}

// Each pod has one container and no privileges. cmd/internal/deploy checks its command.
func TestPods_NoPrivileges(t *testing.T) {
	t.Parallel()
	for name, pod := range load(t).pods {
		if got := pod.Spec.SecurityContext; got == nil || got.RunAsNonRoot == nil || !*got.RunAsNonRoot ||
			got.RunAsUser == nil || *got.RunAsUser == 0 ||
			got.SeccompProfile == nil || got.SeccompProfile.Type != corev1.SeccompProfileTypeRuntimeDefault {
			t.Errorf("%s may run as root, or any system call", name)
		}
		if pod.Spec.AutomountServiceAccountToken == nil || *pod.Spec.AutomountServiceAccountToken {
			t.Errorf("%s gets a token of the cluster", name)
		}
		if pod.Spec.EnableServiceLinks == nil || *pod.Spec.EnableServiceLinks {
			t.Errorf("%s gets VAULT_… variables from Kubernetes", name)
		}
		if len(pod.Spec.Containers) != 1 {
			t.Fatalf("%s has %d containers", name, len(pod.Spec.Containers))
		}
		container := pod.Spec.Containers[0]
		if s := container.SecurityContext; s == nil || s.AllowPrivilegeEscalation == nil || *s.AllowPrivilegeEscalation ||
			s.ReadOnlyRootFilesystem == nil || !*s.ReadOnlyRootFilesystem || s.Capabilities == nil ||
			!slices.Equal(s.Capabilities.Drop, []corev1.Capability{"ALL"}) {
			t.Errorf("%s has privileges, or may write to its image", name)
		}
		for what, quantities := range map[string]corev1.ResourceList{
			"requests": container.Resources.Requests, "limits": container.Resources.Limits,
		} {
			if m, ok := quantities[corev1.ResourceMemory]; !ok || m.Cmp(resource.MustParse("32Mi")) < 0 {
				t.Errorf("%s %s %s of memory", name, what, m.String())
			}
		}
		if cpu := container.Resources.Requests[corev1.ResourceCPU]; cpu.IsZero() {
			t.Errorf("%s requests no CPU: nothing could be scaled by it", name)
		}
	}
}

// secretsOf returns the keys of the example secret.
func secretsOf(t *testing.T) map[string]string {
	t.Helper()
	for _, object := range manifests(t, "secret.example.yaml") {
		if s, ok := object.(*corev1.Secret); ok {
			return s.StringData
		}
	}
	t.Fatal("there is no secret")
	return nil
}

// Every environment variable of a pod is a known setting with a valid value.
func TestPods_Configuration(t *testing.T) {
	t.Parallel()
	c := load(t)
	reference := config.Reference()
	documented := func(name string) bool {
		return strings.Contains(reference, "`"+name+"`") || name == "HATCHET_CLIENT_TLS_STRATEGY"
	}
	var environ []string
	for name, value := range c.config {
		if !documented(name) {
			t.Errorf("the ConfigMap sets %s, which is not a setting", name)
		}
		environ = append(environ, name+"="+value)
	}
	cfg, err := config.Load("", environ)
	if err != nil {
		t.Fatalf("the ConfigMap is no configuration: %v", err)
	}
	if mode := cfg.Profile.ValidationMode; mode != vault.ModeStrict {
		t.Errorf("the ConfigMap sets the validation mode %s", mode)
	}
	secrets, used := secretsOf(t), map[string]bool{}
	for name, pod := range c.pods {
		container := pod.Spec.Containers[0]
		given := map[string]bool{}
		for _, e := range container.Env {
			given[e.Name] = true
			if !documented(e.Name) {
				t.Errorf("%s gets %s, which is not a setting", name, e.Name)
			}
			if e.ValueFrom == nil || e.ValueFrom.SecretKeyRef == nil || e.ValueFrom.SecretKeyRef.Name != "vault" {
				t.Errorf("%s: %s comes from no secret", name, e.Name)
				continue
			}
			if _, ok := secrets[e.ValueFrom.SecretKeyRef.Key]; !ok {
				t.Errorf("%s: secret.example.yaml does not list %s", name, e.ValueFrom.SecretKeyRef.Key)
			}
			used[e.ValueFrom.SecretKeyRef.Key] = true
		}
		needs := []string{"MIGRATE_DATABASE_URL"}
		if name != "vault-migrate" {
			if given["MIGRATE_DATABASE_URL"] {
				t.Errorf("%s gets the login of the owner of the tables", name)
			}
			needs = append(needs[:0], "DATABASE_URL", "SYSTEM_DATABASE_URL", "VAULT_SEALING_KEY", "HATCHET_CLIENT_TOKEN")
			if len(container.EnvFrom) != 1 || container.EnvFrom[0].ConfigMapRef == nil ||
				container.EnvFrom[0].ConfigMapRef.Name != "vault" {
				t.Errorf("%s does not read the ConfigMap", name)
			}
		}
		for _, n := range needs {
			if !given[n] {
				t.Errorf("%s does not get %s", name, n)
			}
		}
	}
	for name := range secrets {
		if !used[name] {
			t.Errorf("secret.example.yaml lists %s, which no pod uses", name)
		}
	}
	if c.pods["vault-worker"].Spec.Containers[0].Env[0].ValueFrom.SecretKeyRef.Optional != nil {
		t.Error("the address of the database is optional")
	}

	// A pod that is killed during its own grace period leaves steps unfinished.
	for name, grace := range map[string]time.Duration{
		"vault-worker": cfg.Worker.ShutdownGrace(), "vault-api": cfg.API.ShutdownGrace(),
	} {
		pod := c.pods[name].Spec.TerminationGracePeriodSeconds
		if pod == nil || time.Duration(*pod)*time.Second < grace+5*time.Second {
			t.Errorf("%s is killed during its own grace period of %s", name, grace)
		}
	}
	if cfg.Worker.ShutdownGrace() <= longestStep(t) {
		t.Errorf("the grace period of the worker is %s, and a step may take %s", cfg.Worker.ShutdownGrace(), longestStep(t))
	}

	// The ports are those of the programs.
	for name, address := range map[string]string{
		"vault-worker": cfg.Worker.HealthAddress, "vault-api": cfg.API.ListenAddress,
	} {
		_, text, err := net.SplitHostPort(address)
		if err != nil {
			t.Fatal(err)
		}
		port, err := strconv.ParseInt(text, 10, 32)
		if err != nil {
			t.Fatal(err)
		}
		container := c.pods[name].Spec.Containers[0]
		if len(container.Ports) != 1 || int64(container.Ports[0].ContainerPort) != port {
			t.Errorf("%s listens on %d, its port is %v", name, port, container.Ports)
		}
		if got := c.pods[name].Annotations["prometheus.io/port"]; got != text {
			t.Errorf("%s listens on %d, Prometheus looks at %s", name, port, got)
		}
		for what, probe := range map[string]*corev1.Probe{
			"startup": container.StartupProbe, "liveness": container.LivenessProbe, "readiness": container.ReadinessProbe,
		} {
			path := map[string]string{"readiness": "/readyz"}[what]
			if path == "" {
				path = "/healthz" // an unavailable dependency is no reason to restart
			}
			if probe == nil || probe.HTTPGet == nil || probe.HTTPGet.Path != path ||
				probe.HTTPGet.Port.StrVal != container.Ports[0].Name {
				t.Errorf("%s: the %s probe is %v", name, what, probe)
			}
		}
	}
}

// resumed are workflows whose steps go on where a killed run stopped, or wait for people; sweeping are the steps of
// sweeps, which the next run continues.
var (
	resumed  = []string{"fill-gaps", "erase-customer", "propose-merges"}
	sweeping = []string{"deliver", "expire", "mark", "relay", "purge", "queue", "seal", "rewrap", "remove"}
)

// longestStep returns the longest timeout of the steps in docs/operation.md, except those that need not end in the
// grace period.
func longestStep(t *testing.T) time.Duration {
	t.Helper()
	text, err := os.ReadFile("../docs/operation.md")
	if err != nil {
		t.Fatal(err)
	}
	longest := time.Duration(0)
	steps := regexp.MustCompile("(?m)^\\| `([a-z-]+)` \\| `([a-z-]+)` \\| .* \\| ([0-9a-z]+) \\|$")
	for _, row := range steps.FindAllStringSubmatch(string(text), -1) {
		took, err := time.ParseDuration(row[3])
		if err != nil {
			t.Fatal(err)
		}
		if slices.Contains(resumed, row[1]) || slices.Contains(sweeping, row[2]) {
			continue
		}
		longest = max(longest, took)
	}
	if longest == 0 {
		t.Fatal("docs/operation.md lists no steps")
	}
	return longest
}

// Every deployment has its own autoscaler and a disruption budget.
func TestDeployments_ScaledAndGuarded(t *testing.T) {
	t.Parallel()
	c := load(t)
	scaled, guarded := map[string]bool{}, map[string]bool{}
	for _, h := range of[*autoscalingv2.HorizontalPodAutoscaler](c) {
		if h.Spec.MinReplicas == nil || *h.Spec.MinReplicas < 2 || h.Spec.MaxReplicas <= *h.Spec.MinReplicas ||
			h.Spec.ScaleTargetRef.Kind != "Deployment" {
			t.Errorf("the autoscaler %s is %+v", h.Name, h.Spec)
		}
		scaled[h.Spec.ScaleTargetRef.Name] = true
	}
	for _, b := range of[*policyv1.PodDisruptionBudget](c) {
		for name, d := range c.deployments {
			if maps.Equal(b.Spec.Selector.MatchLabels, d.Spec.Selector.MatchLabels) {
				guarded[name] = true
			}
		}
	}
	for name, d := range c.deployments {
		if !scaled[name] || !guarded[name] || d.Spec.Replicas != nil {
			t.Errorf("%s: scaled %t, guarded %t, replicas %v (the autoscaler sets them)",
				name, scaled[name], guarded[name], d.Spec.Replicas)
		}
		if !maps.Equal(d.Spec.Selector.MatchLabels, d.Spec.Template.Labels) {
			t.Errorf("%s selects %v, its pods have %v", name, d.Spec.Selector.MatchLabels, d.Spec.Template.Labels)
		}
	}
	for _, s := range of[*corev1.Service](c) {
		d, ok := c.deployments[s.Name]
		if !ok || !maps.Equal(s.Spec.Selector, d.Spec.Template.Labels) || s.Spec.Type != "" ||
			s.Spec.Ports[0].TargetPort.StrVal != d.Spec.Template.Spec.Containers[0].Ports[0].Name {
			t.Errorf("the service %s leads nowhere, or outside: %+v", s.Name, s.Spec)
		}
	}
}

// The network policy admits only named clients, and the ingress does not expose metrics and health.
func TestNetwork_MetricsStayInside(t *testing.T) {
	t.Parallel()
	c := load(t)
	closed, open := false, map[string]bool{}
	for _, p := range of[*networkingv1.NetworkPolicy](c) {
		ingress := []networkingv1.PolicyType{networkingv1.PolicyTypeIngress, networkingv1.PolicyTypeEgress}
		if len(p.Spec.PodSelector.MatchLabels) == 0 && len(p.Spec.Ingress) == 0 &&
			slices.Equal(p.Spec.PolicyTypes, ingress) {
			closed = true
		}
		for _, rule := range p.Spec.Ingress {
			if len(rule.From) == 0 || len(rule.Ports) == 0 {
				t.Errorf("%s lets in everybody", p.Name)
			}
			for _, from := range rule.From {
				if from.IPBlock != nil || from.NamespaceSelector == nil || len(from.NamespaceSelector.MatchLabels) == 0 {
					t.Errorf("%s lets in %+v", p.Name, from)
				}
			}
			for name, pod := range c.pods {
				if !maps.Equal(p.Spec.PodSelector.MatchLabels, pod.Labels) {
					continue
				}
				for _, port := range rule.Ports {
					open[fmt.Sprintf("%s:%s", name, port.Port.StrVal)] = true
				}
			}
		}
	}
	if !closed || !maps.Equal(open, map[string]bool{"vault-api:http": true, "vault-worker:health": true}) {
		t.Errorf("closed by default: %t, open are %v", closed, open)
	}
	for _, object := range manifests(t, "ingress.example.yaml") {
		ingress, ok := object.(*networkingv1.Ingress)
		if !ok {
			t.Fatalf("it is a %T", object)
		}
		for _, rule := range ingress.Spec.Rules {
			for _, path := range rule.HTTP.Paths {
				if !slices.Contains([]string{"/v1", "/docs", "/openapi.json"}, path.Path) ||
					path.Backend.Service.Name != "vault-api" {
					t.Errorf("the ingress passes on %s to %s", path.Path, path.Backend.Service.Name)
				}
			}
		}
	}
}

// Pods reach named ports alone, and no metadata of the machine; only workers reach the world.
func TestNetwork_EgressIsLimited(t *testing.T) {
	t.Parallel()
	c := load(t)
	open := map[string]bool{}
	for _, p := range of[*networkingv1.NetworkPolicy](c) {
		for _, rule := range p.Spec.Egress {
			if len(rule.To) == 0 || len(rule.Ports) == 0 {
				t.Errorf("%s lets out to everywhere", p.Name)
			}
			for _, to := range rule.To {
				if to.IPBlock != nil && !slices.Contains(to.IPBlock.Except, "169.254.0.0/16") {
					t.Errorf("%s lets out to the metadata of the machine", p.Name)
				}
				for _, port := range rule.Ports {
					where := "inside"
					if to.IPBlock != nil {
						where = "anywhere"
					}
					open[fmt.Sprintf("%s %s %s", p.Name, where, port.Port.String())] = true
				}
			}
		}
	}
	want := map[string]bool{
		"vault-egress inside 53": true, "vault-egress inside 7070": true, "vault-egress inside 4317": true,
		"vault-egress inside 4318": true, "vault-egress anywhere 5432": true, "vault-egress anywhere 6432": true,
		"vault-egress anywhere 6379": true, "vault-worker-egress anywhere 443": true,
	}
	if !maps.Equal(open, want) {
		t.Errorf("open are %v", open)
	}
	if _, port, err := net.SplitHostPort(c.config["HATCHET_CLIENT_HOST_PORT"]); err != nil || !open["vault-egress inside "+port] {
		t.Errorf("the workflow engine is not reached: %v", err)
	}
}
