package mcp

import (
	"context"
	"encoding/json"
	"time"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/contextvault/contextvault/client"
	"github.com/contextvault/contextvault/vault"
)

// changeWait is the time that a tool waits for the outcome of an operation.
const changeWait = 30 * time.Second

// tool describes a tool.
type tool struct {
	name, title, description string
	reads                    bool // the tool changes nothing
	// limits adds to the properties of the schema what the type of the arguments does not say.
	limits map[string]map[string]any
	// names maps members of the API, as its errors name them, to arguments.
	names map[string]string
}

// add adds a tool with arguments of the type In.
func add[In any](s *Server, t tool, call func(ctx context.Context, in In) (answer, error)) {
	schema := schemaOf[In]()
	properties, _ := schema["properties"].(map[string]any)
	for name, limits := range t.limits {
		property, ok := properties[name].(map[string]any)
		if !ok {
			panic("tool " + t.name + " has no argument " + name)
		}
		for keyword, value := range limits {
			property[keyword] = value
		}
	}
	checked, err := newArguments(schema)
	if err != nil {
		panic(err) // the schema comes from this package
	}
	s.sdk.AddTool(t.describe(schema), s.handler(t, func(ctx context.Context, raw json.RawMessage) (answer, error) {
		var in In
		if err := checked.decode(raw, &in); err != nil {
			return answer{}, err
		}
		return call(ctx, in)
	}))
}

func (t tool) describe(schema any) *sdk.Tool {
	no := false
	return &sdk.Tool{
		Name: t.name, Title: t.title, Description: t.description, InputSchema: schema,
		Annotations: &sdk.ToolAnnotations{ReadOnlyHint: t.reads, DestructiveHint: &no, OpenWorldHint: &no},
	}
}

// handler runs a tool, converts its error, and logs the call without its arguments.
func (s *Server) handler(
	t tool, call func(ctx context.Context, raw json.RawMessage) (answer, error),
) sdk.ToolHandler {
	return func(ctx context.Context, req *sdk.CallToolRequest) (*sdk.CallToolResult, error) {
		start := time.Now()
		out, err := call(ctx, req.Params.Arguments)
		code := vault.Code("")
		if err != nil {
			out, code = failed(err, t.names), failureOf(err, nil).Code
		}
		s.log.InfoContext(ctx, "mcp_tool_called",
			"tool", t.name, "agent_id", s.agent, "error_code", code, "seconds", time.Since(start).Seconds())
		return out.result(), nil
	}
}

// unfinished is the answer about an operation that is accepted and not finished in time.
type unfinished struct {
	OperationID string                `json:"operation_id"`
	Status      vault.OperationStatus `json:"status"`
	Note        string                `json:"note"`
}

// outcome returns the result of an operation, or its state if it is not finished.
func outcome[R any](op client.Operation[R], err error) (answer, error) {
	if err != nil {
		return answer{}, err
	}
	if !op.Status.Finished() {
		return data(waiting(op))
	}
	return data(op.Result)
}

func waiting[R any](op client.Operation[R]) unfinished {
	return unfinished{op.ID.String(), op.Status, "The change is accepted and will be applied. Do not send it again."}
}
