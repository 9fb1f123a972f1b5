package embeddedtest_test

import (
	"os"
	"testing"

	"github.com/contextvault/contextvault/embedded"
	"github.com/contextvault/contextvault/embedded/embeddedtest"
)

var engine *embedded.Engine

func TestMain(m *testing.M) {
	os.Exit(embeddedtest.Main(m, func(e *embedded.Engine) { engine = e }))
}

func TestMain_ProvidesEngine(t *testing.T) {
	client, err := engine.Client()
	if err != nil {
		t.Fatal(err)
	}
	if version, err := client.GetEngineVersion(t.Context()); err != nil || version != embedded.EngineVersion {
		t.Errorf("engine version %q, %v", version, err)
	}
	if _, err := client.Workflows().List(t.Context(), nil); err != nil {
		t.Errorf("API: %v", err)
	}
}

// Two engines in one process share nothing.
func TestStart_SecondEngineIsSeparate(t *testing.T) {
	other := embeddedtest.Start(t)
	if other.DatabaseURL() == engine.DatabaseURL() || other.GRPCAddress() == engine.GRPCAddress() ||
		other.Token() == engine.Token() {
		t.Error("it is the same engine")
	}
}
