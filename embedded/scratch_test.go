package embedded_test

import (
	"context"
	"testing"
	"time"
	"sync"

	"github.com/contextvault/contextvault/embedded"
	"github.com/contextvault/contextvault/embedded/embeddedtest"
)

func TestScratchStress(t *testing.T) {
	cfg := embeddedtest.Config(t)
	for i := range 40 {
		engine, err := embedded.Start(t.Context(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		g, err := startGreeter(mustClient(t, engine))
		if err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		ctx, cancel := context.WithCancel(t.Context())
		for range 20 {
			wg.Go(func() {
				for ctx.Err() == nil {
					if g.push(ctx, "x") != nil { return }
				}
			})
		}
		go func() { for ctx.Err() == nil { <-g.greeted } }()
		time.Sleep(700 * time.Millisecond)
		t0 := time.Now()
		err = engine.Shutdown(context.Background())
		t.Log(i, time.Since(t0), err)
		g.stop()
		cancel()
	}
}
