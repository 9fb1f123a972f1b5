package workflows_test

import (
	"os"
	"testing"

	"github.com/contextvault/contextvault/internal/testkit"
)

// kit is the test system of this package.
var kit *testkit.Kit

func TestMain(m *testing.M) { os.Exit(testkit.Main(m, func(k *testkit.Kit) { kit = k })) }
