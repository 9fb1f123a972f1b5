package llm

import (
	"context"
	"net/http"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/openai/openai-go/v3/packages/param"
	"github.com/openai/openai-go/v3/shared"

	"github.com/contextvault/contextvault/vault"
)

// maxCompletionTokens bounds what one answer may cost. Two hundred proposals with prompts and examples need about half of it;
// the rest is for models that think before they answer.
const maxCompletionTokens = 32_000

// openAI speaks to an OpenAI-compatible endpoint: chat completions with a JSON Schema, and embeddings.
type openAI struct {
	cfg        Config
	chat       openai.ChatCompletionService
	embeddings openai.EmbeddingService
}

func newOpenAI(cfg Config) *openAI {
	// The services are made one by one: openai.NewClient would read OPENAI_… from the environment, and send a key meant for
	// one server to another.
	options := []option.RequestOption{
		option.WithBaseURL(cfg.BaseURL),
		option.WithHTTPClient(boundedClient(cfg.HTTPClient)),
		option.WithMaxRetries(cfg.MaxRetries),
	}
	if cfg.APIKey != "" {
		options = append(options, option.WithAPIKey(cfg.APIKey))
	}
	return &openAI{cfg: cfg, chat: openai.NewChatService(options...).Completions, embeddings: openai.NewEmbeddingService(options...)}
}

// Name gives the id of the embedding model: a change of the other one leaves the stored vectors good.
func (o *openAI) Name() string { return o.cfg.EmbeddingModel }

// ProposeFields asks for the fields that the texts need.
func (o *openAI) ProposeFields(ctx context.Context, req ProposeRequest) ([]vault.ProposedField, error) {
	if !hasText(req.Texts) {
		return nil, nil
	}
	prompt, err := proposePrompt(req)
	if err != nil {
		return nil, err
	}
	var fields []vault.ProposedField
	err = o.structured(ctx, OperationPropose, prompt, func(answer string) (problem error) {
		fields, problem = decodeProposals(answer, req)
		return problem
	})
	if err != nil {
		return nil, err
	}
	return fields, nil
}

// ExtractValues asks for what the customer said about the fields.
func (o *openAI) ExtractValues(ctx context.Context, req ExtractRequest) ([]vault.Candidate, error) {
	if len(req.Fields) == 0 || !hasCustomerTurn(req.Turns) {
		return nil, nil
	}
	prompt, err := extractPrompt(req)
	if err != nil {
		return nil, err
	}
	var found []vault.Candidate
	err = o.structured(ctx, OperationExtract, prompt, func(answer string) (problem error) {
		found, problem = decodeCandidates(answer, req)
		return problem
	})
	if err != nil {
		return nil, err
	}
	return found, nil
}

// structured makes one call whose answer must pass decode. An answer that does not is sent back once with what is wrong with
// it; a second one is an error, and a permanent one, so that nobody pays for a third.
func (o *openAI) structured(ctx context.Context, op Operation, p prompt, decode func(answer string) error) (err error) {
	m := startMeter(op, o.cfg.Model)
	defer func() { m.done(ctx, o.cfg.Usage, err) }()
	ctx, cancel := context.WithTimeout(ctx, o.cfg.Timeout)
	defer cancel()

	messages := []openai.ChatCompletionMessageParamUnion{openai.SystemMessage(p.system), openai.UserMessage(p.user)}
	for attempt := 1; ; attempt++ {
		m.usage.Calls++
		answer, problem, err := o.complete(ctx, m, messages, p)
		if err != nil {
			return err
		}
		if problem == nil {
			problem = decode(answer)
		}
		switch {
		case problem == nil && attempt > 1:
			m.usage.Outcome = OutcomeRepaired
			return nil
		case problem == nil:
			return nil
		case attempt > 1:
			m.usage.Outcome = OutcomeMalformed
			return &vault.Error{Code: vault.CodeInvalid, Message: dependency + " gave an answer that does not match its schema, twice: " + problem.Error()}
		}
		repair, err := repairPrompt(problem)
		if err != nil {
			return err
		}
		if answer != "" {
			messages = append(messages, openai.AssistantMessage(cut(answer, maxRepairBytes)))
		}
		messages = append(messages, openai.UserMessage(repair))
	}
}

// complete makes one chat completion. A problem is something wrong with the answer that a repair may mend.
func (o *openAI) complete(ctx context.Context, m *meter, messages []openai.ChatCompletionMessageParamUnion, p prompt) (answer string, problem, err error) {
	completion, err := o.chat.New(ctx, openai.ChatCompletionNewParams{
		Model:               o.cfg.Model,
		Messages:            messages,
		MaxCompletionTokens: param.NewOpt(int64(maxCompletionTokens)),
		ResponseFormat: openai.ChatCompletionNewParamsResponseFormatUnion{
			OfJSONSchema: &shared.ResponseFormatJSONSchemaParam{JSONSchema: shared.ResponseFormatJSONSchemaJSONSchemaParam{
				Name: p.schemaName, Strict: param.NewOpt(true), Schema: p.schema,
			}},
		},
	})
	sent := len(p.system) + len(p.user)
	if err != nil {
		if worked(err) {
			m.count(0, 0, sent, 0)
		}
		return "", nil, classify(ctx, o.cfg.Timeout, err)
	}
	if completion == nil {
		m.count(0, 0, sent, 0)
		return "", problemf("the answer is empty"), nil
	}
	received := 0
	for _, choice := range completion.Choices {
		received += len(choice.Message.Content)
	}
	m.count(completion.Usage.PromptTokens, completion.Usage.CompletionTokens, sent, received)
	if len(completion.Choices) == 0 {
		return "", problemf("the answer has no choices"), nil
	}
	choice := completion.Choices[0]
	switch {
	case choice.Message.Refusal != "" || choice.FinishReason == "content_filter":
		return "", nil, &vault.Error{Code: vault.CodeInvalid, Message: dependency + " declined to answer"}
	case choice.FinishReason == "length":
		return choice.Message.Content, problemf("the answer was cut off; give fewer and shorter entries"), nil
	case choice.Message.Content == "":
		return "", problemf("the answer is empty"), nil
	}
	return choice.Message.Content, nil, nil
}

// boundedClient is client, or one of its own, with a bound on what is read of a response.
func boundedClient(client *http.Client) *http.Client {
	bounded := http.Client{}
	if client != nil {
		bounded = *client
	}
	bounded.Transport = boundedTransport{next: bounded.Transport}
	return &bounded
}

func hasText(texts []Text) bool {
	for _, t := range texts {
		if isText(t.Text) {
			return true
		}
	}
	return false
}

func hasCustomerTurn(turns []vault.Turn) bool {
	for _, t := range turns {
		if t.Speaker == vault.SpeakerCustomer && isText(t.Text) {
			return true
		}
	}
	return false
}
