package trigger

import (
	"context"
	"time"

	"github.com/contextvault/contextvault/vault"
)

type bounded struct {
	engine  Engine
	timeout time.Duration
}

// Push implements Engine.
func (b bounded) Push(ctx context.Context, event string, batch vault.Batch) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // a fake engine ends with its context
	return within(ctx, event, b.timeout, func() error { return b.engine.Push(ctx, event, batch) })
}

// Bounded returns an Engine whose pushes take at most timeout, as those of Hatchet do.
func Bounded(engine Engine, timeout time.Duration) Engine { return bounded{engine, timeout} }
