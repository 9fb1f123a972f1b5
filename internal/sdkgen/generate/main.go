// Command generate writes the generated parts of the clients below sdk/. Run it in the root of the repository.
package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/contextvault/contextvault/internal/sdkgen"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	files, err := sdkgen.Files()
	if err != nil {
		return err
	}
	for name, content := range files {
		path := filepath.Join("sdk", name)
		if err := os.WriteFile(path, content, 0o644); err != nil { //nolint:gosec // source code is for everybody
			return fmt.Errorf("write a generated file: %w", err)
		}
	}
	return nil
}
