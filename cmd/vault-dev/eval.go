package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/contextvault/contextvault/cmd/internal/cli"
	"github.com/contextvault/contextvault/config"
	"github.com/contextvault/contextvault/db"
	"github.com/contextvault/contextvault/eval"
	"github.com/contextvault/contextvault/internal/app"
	"github.com/contextvault/contextvault/llm"
	"github.com/contextvault/contextvault/llm/offline"
	"github.com/contextvault/contextvault/vault"
)

// evalFile is the file of the results, by model.
const evalFile = "benchmarks/sgd.json"

// sampleSeed makes samples reproducible.
const sampleSeed = 2020

type evalFlags struct {
	data, model            string
	dialogues, concurrency int
	json, direct           bool
	read, paraphrase       bool
	only                   string
	examples               int
}

func evalCommand() *cobra.Command {
	var flags evalFlags
	sgd := &cobra.Command{
		Use:   "sgd",
		Short: "replay Schema-Guided Dialogue through the whole system; writes " + evalFile,
		Args:  cobra.NoArgs,
		Long: "Replay Schema-Guided Dialogue (schema.json and dialogues_*.json of a folder or its subfolders train, dev,\n" +
			"test) through the whole system in this process. Compare stored values, missing values and questions with\n" +
			"the annotations and the human agent.\n\n" +
			"Any folder of this layout will do, such as the SGD-X variants. Services that eval/split.json names as tuned are\n" +
			"reported apart from all others.\n\n" +
			"--model offline is the built-in model. --model annotated is a model server that answers from the\n" +
			"annotations, without errors: it measures only the pipeline.",
		RunE: func(cmd *cobra.Command, _ []string) error { return evalSGD(cmd.Context(), flags) },
	}
	sgd.Flags().StringVar(&flags.data, "data", "", "folder of the data set")
	sgd.Flags().StringVar(&flags.model, "model", "offline", "offline or annotated")
	sgd.Flags().IntVar(&flags.dialogues, "dialogues", 0, "size of a random sample with a fixed seed; 0: all.\n"+
		"With --read a sample writes no file and measures no joint goal accuracy")
	sgd.Flags().IntVar(&flags.concurrency, "concurrency", eval.DefaultConcurrency, "dialogues at a time")
	sgd.Flags().BoolVar(
		&flags.direct,
		"direct",
		false,
		"run the steps in this process without the workflow engine: many times faster",
	)
	sgd.Flags().BoolVar(
		&flags.read,
		"read",
		false,
		"measure the built-in model by itself, without a database: seconds; with the joint goal accuracy",
	)
	sgd.Flags().BoolVar(
		&flags.paraphrase,
		"paraphrase",
		false,
		"give the slots the other names and descriptions of eval/paraphrases.json",
	)
	sgd.Flags().StringVar(&flags.only, "only", "", "replay only the dialogues whose services all belong to this group,\n"+
		"tuned or held_out, and write no file: to look at examples without seeing those of the other group")
	sgd.Flags().IntVar(&flags.examples, "examples", eval.DefaultExamples, "the maximum length of each list of examples")
	sgd.Flags().BoolVar(&flags.json, "json", false, "print the report as JSON")
	_ = sgd.MarkFlagRequired("data")
	cmd := &cobra.Command{Use: "eval", Short: "measure the vault against annotated conversations"}
	cmd.AddCommand(sgd, namesCommand())
	return cmd
}

func namesCommand() *cobra.Command {
	var data string
	cmd := &cobra.Command{
		Use:   "names",
		Short: "measure how the embeddings of the configured model match names and descriptions in other words",
		Args:  cobra.NoArgs,
		Long: "Compare the names and descriptions of eval/paraphrases.json with the slots of the data set's schema.json,\n" +
			"by the embeddings of the configured model: VAULT_LLM_PROVIDER=offline for the built-in one, or openai with\n" +
			"VAULT_LLM_BASE_URL and VAULT_LLM_EMBEDDING_MODEL for a server. Print for each threshold how many match the\n" +
			"right definition, another one, and how many pairs of different slots would match each other.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			services, _, err := eval.Load(data)
			if err != nil {
				return err
			}
			cfg, err := loadConfig(os.Environ())
			if err != nil {
				return err
			}
			model, err := app.Model(cfg.LLM)
			if err != nil {
				return err
			}
			names, err := eval.MatchNames(cmd.Context(), model, services)
			if err != nil {
				return err
			}
			return eval.PrintNames(cmd.OutOrStdout(), names)
		},
	}
	cmd.Flags().StringVar(&data, "data", "", "folder of the data set")
	_ = cmd.MarkFlagRequired("data")
	return cmd
}

func evalSGD(ctx context.Context, flags evalFlags) error {
	services, dialogues, err := eval.Load(flags.data)
	if err != nil {
		return err
	}
	if flags.paraphrase {
		services, dialogues = eval.Paraphrase(services, dialogues)
	}
	switch flags.only {
	case "":
	case eval.GroupTuned, eval.GroupHeldOut:
		dialogues = eval.Only(flags.only, dialogues)
	default:
		return vault.Invalid("only", "is %q; it is %s or %s", flags.only, eval.GroupTuned, eval.GroupHeldOut)
	}
	sample := ""
	if flags.dialogues > 0 && flags.dialogues < len(dialogues) {
		sample = fmt.Sprintf("a sample of %d, seed %d", flags.dialogues, sampleSeed)
		shuffle := rand.New(rand.NewPCG(sampleSeed, 0)) //nolint:gosec // the same sample every time
		shuffle.Shuffle(len(dialogues), func(i, j int) { dialogues[i], dialogues[j] = dialogues[j], dialogues[i] })
		dialogues = dialogues[:flags.dialogues]
	}
	if flags.read {
		return evalReader(ctx, services, dialogues, sample, flags)
	}
	cfg, err := loadConfig(os.Environ())
	if err != nil {
		return err
	}
	cfg.Profile.ValidationMode = vault.ModeStrict
	switch flags.model {
	case "offline":
		cfg.LLM.Provider = llm.ProviderOffline
	case "annotated":
		server, err := eval.Serve(ctx, services, dialogues)
		if err != nil {
			return err
		}
		defer func() { _ = server.Close() }()
		cfg.LLM.Provider, cfg.LLM.BaseURL, cfg.LLM.APIKey = llm.ProviderOpenAI, config.URL(server.URL), "none"
		cfg.LLM.Model, cfg.LLM.EmbeddingModel, cfg.LLM.DailyBudgetTokens = "annotated", "annotated", 0
	default:
		return vault.Invalid("model", "is %q; it is offline or annotated", flags.model)
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError}))
	report, err := evalOn(ctx, cfg, log, services, dialogues, flags)
	if err != nil {
		return err
	}
	report.Sample = sample
	name := flags.model
	if flags.direct {
		name += ", direct"
	}
	return writeEval(name, report, flags)
}

// evalReader measures the built-in model without the rest of the vault.
func evalReader(
	ctx context.Context, services []eval.Service, dialogues []eval.Dialogue, sample string, flags evalFlags,
) error {
	if flags.model != llm.ProviderOffline {
		return vault.Invalid("model", "is %q; with --read it is offline", flags.model)
	}
	model, err := offline.New(llm.Config{})
	if err != nil {
		return err
	}
	bar := cli.NewProgress(os.Stderr, int64(len(dialogues)), "dialogues", "eval")
	defer bar.End()
	report, err := eval.Read(ctx, model, services, dialogues, eval.ReadOptions{
		Model:       flags.model,
		Concurrency: runtime.NumCPU(),
		Joint:       sample == "",
		Examples:    flags.examples,
		Progress:    progress(bar),
	})
	if err != nil {
		return err
	}
	report.Sample = sample
	return writeEval(flags.model+", read", report, flags)
}

// writeEval keeps a report and prints it.
func writeEval(name string, report *eval.Report, flags evalFlags) error {
	if flags.paraphrase {
		name += ", paraphrased"
	}
	if flags.only == "" && (!flags.read || report.Sample == "") {
		if err := keepEval(name, report); err != nil {
			return err
		}
	}
	if flags.json {
		enc := json.NewEncoder(os.Stdout)
		enc.SetIndent("", "  ")
		return enc.Encode(report)
	}
	if err := report.Print(os.Stdout); err != nil {
		return err
	}
	if flags.only == "" && (!flags.read || report.Sample == "") {
		fmt.Printf("\nwritten to %s\n", evalFile)
	}
	return nil
}

// evalOn starts the system, runs the evaluation and stops the system.
func evalOn(
	ctx context.Context,
	cfg config.Config,
	log *slog.Logger,
	services []eval.Service,
	dialogues []eval.Dialogue,
	flags evalFlags,
) (*eval.Report, error) {
	if !flags.direct {
		engine, err := startEngine(cfg)
		if err != nil {
			return nil, err
		}
		s, err := start(ctx, cfg, engine, log)
		if err != nil {
			return nil, err
		}
		report, err := runEval(ctx, s.Runtime, services, dialogues, flags, cfg.Extraction.MatchThreshold)
		return report, errors.Join(err, s.stop())
	}
	if err := db.Migrate(ctx, cfg.Database.OwnerURL().Reveal()); err != nil {
		return nil, err
	}
	direct := &eval.Direct{Log: log}
	r, err := app.ConnectTo(ctx, cfg, direct, log)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	if r.ModelError != nil {
		return nil, r.ModelError
	}
	direct.Steps = &r.Steps
	report, err := runEval(ctx, r, services, dialogues, flags, cfg.Extraction.MatchThreshold)
	if err == nil {
		report.Direct = true
		direct.Wait()
	}
	return report, err
}

func runEval(
	ctx context.Context,
	s *app.Runtime,
	services []eval.Service,
	dialogues []eval.Dialogue,
	flags evalFlags,
	matchThreshold float64,
) (*eval.Report, error) {
	tenant := uuid.Must(uuid.NewV7())
	if _, err := s.DB.System().CreateTenant(ctx, tenant, "evaluation"); err != nil {
		return nil, err
	}
	sys := eval.System{Trigger: s.Trigger, Query: s.Query, ModelUsage: s.ModelUsage, Tenant: tenant}
	bar := cli.NewProgress(os.Stderr, int64(len(dialogues)), "dialogues", "eval")
	defer bar.End()
	return eval.Run(ctx, sys, services, dialogues, eval.Options{
		Model:          flags.model,
		Concurrency:    flags.concurrency,
		Examples:       flags.examples,
		MatchThreshold: matchThreshold,
		Progress:       progress(bar),
	})
}

// progress shows the progress of a run: a bar on a terminal, otherwise a line for each tenth.
func progress(bar *cli.Progress) func(done, total int) {
	return func(done, total int) {
		bar.At(int64(done))
		if !bar.Shown() && done*10/total > (done-1)*10/total {
			_, _ = fmt.Fprintf(os.Stderr, "eval: %d of %d dialogues\n", done, total)
		}
	}
}

// keepEval adds a report to evalFile, with its numbers and without the words of the data set.
func keepEval(name string, report *eval.Report) error {
	all := map[string]json.RawMessage{}
	if raw, err := os.ReadFile(evalFile); err == nil {
		if err := json.Unmarshal(raw, &all); err != nil {
			return fmt.Errorf("read %s: %w", evalFile, err)
		}
	}
	encoded, err := json.Marshal(report.WithoutWords())
	if err != nil {
		return err
	}
	all[name] = encoded
	out, err := json.MarshalIndent(all, "", "  ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(evalFile), 0o755); err != nil { //nolint:gosec // public results
		return err
	}
	return os.WriteFile(evalFile, append(out, '\n'), 0o644) //nolint:gosec // as above
}
