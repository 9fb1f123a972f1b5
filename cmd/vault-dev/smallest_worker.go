package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	hatchet "github.com/hatchet-dev/hatchet/sdks/go"
	"github.com/rs/zerolog"
	"github.com/spf13/cobra"

	"github.com/contextvault/contextvault/vault"
)

// smallestWorkerRuns is the number of runs after which the memory of the smallest worker is taken.
const smallestWorkerRuns = 100

// smallestWorkerCommand is a worker with one empty step: the least memory that a worker of the SDK in this binary
// takes. bench-growing runs it beside the vault's.
func smallestWorkerCommand() *cobra.Command {
	return &cobra.Command{
		Use: "smallest-worker", Hidden: true, Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			client, err := hatchet.NewClient()
			if err != nil {
				return err
			}
			ran := make(chan struct{}, smallestWorkerRuns)
			const event = "bench:smallest"
			w := client.NewWorkflow("bench-smallest", hatchet.WithWorkflowEvents(event))
			w.NewTask("nothing", func(hatchet.Context, vault.Event) (struct{}, error) {
				ran <- struct{}{}
				return struct{}{}, nil
			})
			quiet := zerolog.Nop()
			worker, err := client.NewWorker("bench-smallest", hatchet.WithWorkflows(w), hatchet.WithLogger(&quiet))
			if err != nil {
				return err
			}
			stop, err := worker.Start()
			if err != nil {
				return err
			}
			defer func() { _ = stop() }()
			for range smallestWorkerRuns {
				if err := client.Events().Push(cmd.Context(), event, vault.Batch{}); err != nil {
					return err
				}
				select {
				case <-ran:
				case <-time.After(time.Minute):
					return fmt.Errorf("the step of %s did not run within a minute", event)
				case <-cmd.Context().Done():
					return cmd.Context().Err()
				}
			}
			peak, err := peakMemory(os.Getpid())
			if err == nil {
				_, err = fmt.Println(peak)
			}
			return err
		},
	}
}

// measureSmallestWorker returns the peak of its resident memory in MiB.
func measureSmallestWorker(ctx context.Context) (int64, error) {
	self, err := os.Executable()
	if err != nil {
		return 0, err
	}
	cmd := exec.CommandContext(ctx, self, "smallest-worker") //nolint:gosec // this program
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return 0, fmt.Errorf("smallest-worker: %w", err)
	}
	return strconv.ParseInt(strings.TrimSpace(string(out)), 10, 64)
}
