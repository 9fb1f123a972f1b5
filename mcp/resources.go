package mcp

import (
	"context"
	"encoding/json"
	"errors"
	"strings"

	"github.com/google/uuid"
	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/contextvault/contextvault/client"
	"github.com/contextvault/contextvault/vault"
)

// The resources, and the parts of their addresses around the id.
const (
	schemaURI       = "vault://schema"
	profilePrefix   = "vault://customers/"
	profileSuffix   = "/profile"
	scenarioPrefix  = "vault://scenarios/"
	resourceContent = "application/json"
)

func (s *Server) resources() {
	s.sdk.AddResource(&sdk.Resource{
		URI: schemaURI, Name: "schema", Title: "What the agent collects", MIMEType: resourceContent,
		Description: "The definitions of the agent: the fields, their types and their rules.",
	}, s.readSchema)
	s.sdk.AddResourceTemplate(&sdk.ResourceTemplate{
		URITemplate: profilePrefix + "{customer_id}" + profileSuffix, Name: "profile", Title: "The profile of a customer",
		MIMEType: resourceContent, Description: "Active and pending values, documents, channels and consents.",
	}, s.readProfile)
	s.sdk.AddResourceTemplate(&sdk.ResourceTemplate{
		URITemplate: scenarioPrefix + "{scenario_id}", Name: "scenario", Title: "A scenario", MIMEType: resourceContent,
		Description: "The steps of a scenario of the agent, and the fields that it requires.",
	}, s.readScenario)
}

func (s *Server) readSchema(ctx context.Context, req *sdk.ReadResourceRequest) (*sdk.ReadResourceResult, error) {
	fields, err := client.Collect(s.client.ListDefinitions(ctx, s.agent))
	return content(req.Params.URI, struct {
		AgentID     uuid.UUID          `json:"agent_id"`
		Definitions []vault.Definition `json:"definitions"`
	}{s.agent, fields}, err)
}

func (s *Server) readProfile(ctx context.Context, req *sdk.ReadResourceRequest) (*sdk.ReadResourceResult, error) {
	uri := req.Params.URI
	id, err := uuid.Parse(strings.TrimSuffix(strings.TrimPrefix(uri, profilePrefix), profileSuffix))
	if err != nil {
		return nil, sdk.ResourceNotFoundError(uri)
	}
	profile, err := s.client.GetCustomer(ctx, id)
	return content(uri, profile, err)
}

func (s *Server) readScenario(ctx context.Context, req *sdk.ReadResourceRequest) (*sdk.ReadResourceResult, error) {
	uri := req.Params.URI
	id, err := uuid.Parse(strings.TrimPrefix(uri, scenarioPrefix))
	if err != nil {
		return nil, sdk.ResourceNotFoundError(uri)
	}
	scenario, err := s.client.GetScenario(ctx, s.agent, id)
	if err != nil {
		return content(uri, nil, err)
	}
	required, err := client.Collect(s.client.ListRequirements(ctx, id))
	return content(uri, struct {
		vault.Scenario
		Requirements []vault.Requirement `json:"requirements"`
	}{scenario, required}, err)
}

// protocolCode returns the code of the protocol for an error. Resources have the one of an unknown resource for all
// that the client asked wrongly, such as what its key may not read: the data of the error says which it is.
func protocolCode(code vault.Code) int64 {
	switch code { //nolint:exhaustive // the other codes are about the request
	case client.CodeInternal, client.CodeRateLimited, client.CodeTimeout, vault.CodeUnavailable, vault.CodeBudget:
		return jsonrpc.CodeInternalError
	}
	return jsonrpc.CodeInvalidParams
}

// content is the JSON of a resource, fenced as what tools return.
func content(uri string, v any, err error) (*sdk.ReadResourceResult, error) {
	if client.CodeOf(err) == vault.CodeUnknown {
		return nil, sdk.ResourceNotFoundError(uri)
	}
	if err != nil {
		f := failureOf(err, nil)
		detail, encodeErr := json.Marshal(f)
		if encodeErr != nil {
			return nil, errors.New("the error cannot be encoded")
		}
		return nil, &jsonrpc.Error{Code: protocolCode(f.Code), Message: f.Detail, Data: detail}
	}
	text, err := fenced(v)
	if err != nil {
		return nil, err
	}
	return &sdk.ReadResourceResult{
		Contents: []*sdk.ResourceContents{{URI: uri, MIMEType: resourceContent, Text: text}},
	}, nil
}
