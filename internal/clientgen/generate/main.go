// Command generate writes the generated file of package client. Its working directory is the folder client.
package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/contextvault/contextvault/internal/clientgen"
)

func main() {
	code, err := clientgen.Generate()
	if err == nil {
		err = os.WriteFile(filepath.Base(clientgen.File), code, 0o600)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "generate the client:", err)
		os.Exit(1)
	}
}
