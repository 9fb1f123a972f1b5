package cli

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/google/uuid"
)

// importRun is one import of one file. Its id is part of the idempotency keys of the batches: the same run writes each
// batch once, and another run of the same file writes it again. The run of a file is kept in a file of the user's cache
// folder until the import is complete, so that the same command continues it.
type importRun struct {
	ID string `json:"id"`
	// The run continues only if the file is still the same.
	Size     int64     `json:"size"`
	Modified time.Time `json:"modified"`

	path string // "": the run is not kept
}

// openRun continues the interrupted run of a file, or begins one. A named run (--label) is not kept: its name is its
// id.
func openRun(server string, f importFlags) (*importRun, error) {
	if f.label != "" {
		return &importRun{ID: "label " + f.label}, nil
	}
	run := &importRun{ID: uuid.NewString()}
	if f.file == "-" {
		return run, nil
	}
	info, err := os.Stat(f.file)
	if err != nil {
		return nil, err
	}
	absolute, err := filepath.Abs(f.file)
	if err != nil {
		return nil, err
	}
	folder, err := os.UserCacheDir()
	if err != nil {
		return run, nil //nolint:nilerr // no home folder: an interrupted import begins again
	}
	run.Size, run.Modified = info.Size(), info.ModTime()
	// Everything that changes what the batches contain.
	identity := strings.Join([]string{
		server, absolute, f.agent.String(), string(f.source), f.linesOf, f.separator, fmt.Sprint(f.batch, f.names),
	}, "\x00")
	sum := sha256.Sum256([]byte(identity))
	run.path = filepath.Join(folder, "contextvault", "imports", hex.EncodeToString(sum[:12])+".json")
	var before importRun
	if kept, err := os.ReadFile(run.path); err == nil && json.Unmarshal(kept, &before) == nil &&
		before.ID != "" && before.Size == run.Size && before.Modified.Equal(run.Modified) {
		run.ID = before.ID
		return run, nil
	}
	return run, run.keep()
}

func (r *importRun) keep() error {
	encoded, err := json.Marshal(r)
	if err == nil {
		err = os.MkdirAll(filepath.Dir(r.path), 0o700)
	}
	if err == nil {
		err = os.WriteFile(r.path, encoded, 0o600)
	}
	if err != nil {
		return fmt.Errorf("keep the state of the import, by which an interrupted one continues: %w", err)
	}
	return nil
}

// done ends a complete run.
func (r *importRun) done() error {
	if r.path == "" {
		return nil
	}
	if err := os.Remove(r.path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("remove the state of the import: %w", err)
	}
	return nil
}
