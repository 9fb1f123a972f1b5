package upkeep

import (
	"context"
	"fmt"
	"time"

	"github.com/contextvault/contextvault/db/dbgen"
)

// dueField is a field whose definitions changed, so that an index of its values must follow.
type dueField struct {
	name    string
	changed time.Time
	index   func() (int, error)
	mark    func(q *dbgen.Queries) error
}

// indexDue makes an index right for fields. A field is marked as done once every write that began before the change has
// ended.
func (s Keys) indexDue(ctx context.Context, fields []dueField) (int, error) {
	total := 0
	for _, f := range fields {
		n, err := f.index()
		if total += n; err != nil {
			return total, fmt.Errorf("index the values of %s: %w", f.name, err)
		}
		if s.Now().Before(f.changed.Add(maxWriteDuration)) {
			continue
		}
		if err := s.DB.InSystemTx(ctx, f.mark); err != nil {
			return total, err
		}
	}
	return total, nil
}
