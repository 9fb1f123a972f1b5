// Package openai is the language model behind an OpenAI-compatible endpoint: chat completions with a JSON Schema, and
// embeddings. It checks each entry of an answer against its schema, and asks once for a repair if no entry is usable.
// It does not check values against the customer's words; the caller does. Start reading at Model and prompts/.
package openai

import (
	"context"
	"net/http"

	sdk "github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/openai/openai-go/v3/packages/param"
	"github.com/openai/openai-go/v3/shared"

	"github.com/contextvault/contextvault/llm"
	"github.com/contextvault/contextvault/vault"
)

// maxCompletionTokens limits the cost of one answer. Two hundred proposals with prompts and examples need about half
// of it; the rest is for reasoning models.
const maxCompletionTokens = 32_000

// Model implements llm.Model.
type Model struct {
	cfg        llm.Config
	chat       sdk.ChatCompletionService
	embeddings sdk.EmbeddingService

	chatBreaker, embedBreaker breaker
}

// New returns a model that calls cfg.BaseURL. It ignores cfg.Provider. An error lists every problem of cfg.
func New(cfg llm.Config) (*Model, error) {
	cfg.Provider = llm.ProviderOpenAI
	cfg, err := cfg.Resolve()
	if err != nil {
		return nil, err
	}
	// sdk.NewClient would also read OPENAI_… from the environment and send a key meant for one server to another. The
	// single services do not.
	options := []option.RequestOption{
		option.WithBaseURL(cfg.BaseURL),
		option.WithHTTPClient(boundedClient(cfg.HTTPClient)),
		option.WithMaxRetries(max(0, cfg.MaxRetries)),
		option.WithMiddleware(giveUpInTime),
	}
	if cfg.APIKey != "" {
		options = append(options, option.WithAPIKey(cfg.APIKey))
	}
	return &Model{
		cfg:        cfg,
		chat:       sdk.NewChatService(options...).Completions,
		embeddings: sdk.NewEmbeddingService(options...),

		chatBreaker:  newBreaker(cfg, llm.EndpointChat),
		embedBreaker: newBreaker(cfg, llm.EndpointEmbeddings),
	}, nil
}

// Name returns the id of the embedding model. A change of the chat model keeps the stored vectors valid.
func (o *Model) Name() string { return o.cfg.EmbeddingModel }

// Reader returns the id of the chat model.
func (o *Model) Reader() string { return o.cfg.Model }

// ProposeRequirements implements llm.Model.
func (o *Model) ProposeRequirements(ctx context.Context, req llm.ProposeRequest) ([]vault.ProposedRequirement, error) {
	if !hasAnyText(req.Texts) {
		return nil, nil
	}
	prompt, err := proposePrompt(req)
	if err != nil {
		return nil, err
	}
	var fields []vault.ProposedRequirement
	err = o.completeStructured(ctx, llm.OperationPropose, prompt, func(answer string) (drops llm.Drops, problem error) {
		fields, drops, problem = decodeProposals(answer, req)
		return drops, problem
	})
	if err != nil {
		return nil, err
	}
	return fields, nil
}

// ExtractValues implements llm.Model.
func (o *Model) ExtractValues(ctx context.Context, req llm.ExtractRequest) ([]vault.Candidate, error) {
	if len(req.Definitions) == 0 || !hasCustomerTurn(req.Turns) {
		return nil, nil
	}
	prompt, err := extractPrompt(req)
	if err != nil {
		return nil, err
	}
	var found []vault.Candidate
	err = o.completeStructured(ctx, llm.OperationExtract, prompt, func(answer string) (drops llm.Drops, problem error) {
		found, drops, problem = decodeCandidates(answer, req)
		return drops, problem
	})
	if err != nil {
		return nil, err
	}
	return found, nil
}

// completeStructured makes one call and passes the answer to decode. If decode finds nothing usable, it asks once for a
// repair. A second failure is a permanent error, so that retries of the step do not pay for a third call.
func (o *Model) completeStructured(
	ctx context.Context,
	op llm.Operation,
	p prompt,
	decode func(answer string) (llm.Drops, error),
) (err error) {
	m := llm.StartMeter(op, o.cfg.Model)
	defer func() { m.Report(ctx, o.cfg.Usage, err) }()
	caller := ctx
	ctx, cancel := context.WithTimeout(ctx, o.cfg.Timeout)
	defer cancel()

	messages := []sdk.ChatCompletionMessageParamUnion{sdk.SystemMessage(p.system), sdk.UserMessage(p.user)}
	for attempt := 1; ; attempt++ {
		var answer string
		var problem error
		err := o.chatBreaker.do(caller, func() (err error) {
			m.Usage.Calls++
			answer, problem, err = o.complete(ctx, m, messages, p)
			return err
		})
		if err != nil {
			return err
		}
		if problem == nil {
			m.Usage.Drops, problem = decode(answer)
		}
		switch {
		case problem == nil && attempt > 1:
			m.Usage.Outcome = llm.OutcomeRepaired
			return nil
		case problem == nil:
			return nil
		case attempt > 1:
			m.Usage.Outcome = llm.OutcomeMalformed
			return &vault.Error{
				Code:    vault.CodeInvalid,
				Message: llm.Dependency + " gave an answer that does not match its schema, twice: " + problem.Error(),
			}
		}
		repair, err := repairPrompt(problem)
		if err != nil {
			return err
		}
		if answer != "" {
			messages = append(messages, sdk.AssistantMessage(llm.Truncate(answer, maxRepairBytes)))
		}
		messages = append(messages, sdk.UserMessage(repair))
	}
}

// complete makes one chat completion. problem is set if a repair request may fix the answer.
func (o *Model) complete(
	ctx context.Context,
	m *llm.Meter,
	messages []sdk.ChatCompletionMessageParamUnion,
	p prompt,
) (answer string, problem, err error) {
	completion, err := o.chat.New(ctx, sdk.ChatCompletionNewParams{
		Model:               o.cfg.Model,
		Messages:            messages,
		MaxCompletionTokens: param.NewOpt(int64(maxCompletionTokens)),
		ResponseFormat: sdk.ChatCompletionNewParamsResponseFormatUnion{
			OfJSONSchema: &shared.ResponseFormatJSONSchemaParam{JSONSchema: shared.ResponseFormatJSONSchemaJSONSchemaParam{
				Name: p.schemaName, Strict: param.NewOpt(true), Schema: p.schema,
			}},
		},
	})
	sent := len(p.system) + len(p.user)
	if err != nil {
		if mayCharge(err) {
			m.AddTokens(0, 0, sent, 0)
		}
		return "", nil, classify(ctx, o.cfg.Timeout, err)
	}
	if completion == nil {
		m.AddTokens(0, 0, sent, 0)
		return "", problemf("the answer is empty"), nil
	}
	received := 0
	for _, choice := range completion.Choices {
		received += len(choice.Message.Content)
	}
	m.AddTokens(completion.Usage.PromptTokens, completion.Usage.CompletionTokens, sent, received)
	if len(completion.Choices) == 0 {
		return "", problemf("the answer has no choices"), nil
	}
	choice := completion.Choices[0]
	switch {
	case choice.Message.Refusal != "" || choice.FinishReason == "content_filter":
		return "", nil, &vault.Error{Code: vault.CodeInvalid, Message: llm.Dependency + " declined to answer"}
	case choice.FinishReason == "length" && choice.Message.Content == "":
		return "", errCutOff, nil // all of it were thoughts
	case choice.Message.Content == "":
		return "", problemf("the answer is empty"), nil
	}
	return choice.Message.Content, nil, nil
}

// boundedClient returns a copy of client, or a new client, that limits the size of a response.
func boundedClient(client *http.Client) *http.Client {
	bounded := http.Client{}
	if client != nil {
		bounded = *client
	}
	bounded.Transport = boundedTransport{next: bounded.Transport}
	return &bounded
}

func hasAnyText(texts []llm.Text) bool {
	for _, t := range texts {
		if llm.HasText(t.Text) {
			return true
		}
	}
	return false
}

func hasCustomerTurn(turns []vault.Turn) bool {
	for _, t := range turns {
		if t.Speaker == vault.SpeakerCustomer && llm.HasText(t.Text) {
			return true
		}
	}
	return false
}
