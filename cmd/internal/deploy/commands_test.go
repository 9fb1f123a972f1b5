// Package deploy_test checks the commands in the manifests under deploy/ against the command line. The other checks of
// the manifests are in package deploy, which cannot import cmd/internal/cli.
package deploy_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"

	"github.com/contextvault/contextvault/cmd/internal/cli"
)

const kubernetes = "../../../deploy/kubernetes"

// Each container runs an existing command of the image.
func TestPods_CommandsExist(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(filepath.Join(kubernetes, "*.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, path := range files {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, document := range bytes.Split(text, []byte("\n---\n")) {
			var object struct {
				Spec struct {
					Template corev1.PodTemplateSpec `json:"template"`
				} `json:"spec"`
			}
			var kind struct {
				Kind string `json:"kind"`
			}
			if err := yaml.Unmarshal(document, &kind); err != nil {
				t.Fatalf("%s: %v", path, err)
			}
			if kind.Kind != "Deployment" && kind.Kind != "Job" {
				continue
			}
			if err := yaml.Unmarshal(document, &object); err != nil {
				t.Fatalf("%s: %v", path, err)
			}
			for _, c := range object.Spec.Template.Spec.Containers {
				n++
				root := cli.Root(&cli.App{})
				cmd, rest, err := root.Find(c.Args)
				if err != nil || cmd == root || len(rest) > 0 || c.Command != nil {
					t.Errorf("%s runs %q %q, which is no command of the image: %v", path, c.Command, c.Args, err)
				}
			}
		}
	}
	if n < 3 {
		t.Errorf("%d containers, want those of the API, the worker and the migration", n)
	}
}
