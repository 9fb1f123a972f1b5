package eval

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/llm"
	"github.com/contextvault/contextvault/llm/offline"
	"github.com/contextvault/contextvault/vault"
)

// Server is a model server with the OpenAI protocol that answers from the annotations of a data set, like a faultless
// model. It also reports values that only the agent said, which the vault must not store.
type Server struct {
	URL string // with the path /v1, for llm.Config.BaseURL

	http   *http.Server
	embeds llm.Model
	agents []agent
	said   map[string]Dialogue // by conversationKey of the turns up to each turn of the customer
}

// Serve starts a Server on a free loopback port. The caller must close it.
func Serve(ctx context.Context, services []Service, dialogues []Dialogue) (*Server, error) {
	embeds, err := offline.New(llm.Config{})
	if err != nil {
		return nil, err
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("serve the annotations: %w", err)
	}
	s := &Server{URL: "http://" + listener.Addr().String() + "/v1", embeds: embeds, said: map[string]Dialogue{}}
	for _, service := range services {
		s.agents = append(s.agents, newAgent(service, uuid.New))
	}
	for _, d := range dialogues {
		for i, turn := range d.Turns {
			if turn.Speaker == speakerUser {
				s.said[conversationKey(d.turns(0, i+1))] = d
			}
		}
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/chat/completions", s.complete)
	mux.HandleFunc("POST /v1/embeddings", s.embed)
	s.http = &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = s.http.Serve(listener) }()
	return s, nil
}

// Close stops the server.
func (s *Server) Close() error { return s.http.Close() }

// conversationKey returns a key that is unique for the text of a conversation.
func conversationKey(turns []vault.Turn) string {
	var b strings.Builder
	for _, t := range turns {
		b.WriteString(string(t.Speaker) + "\x1f" + t.Text + "\x1e")
	}
	return b.String()
}

// asked is the data of a prompt about a conversation, between its tags.
type asked struct {
	Fields []struct {
		Name        string `json:"field_name"`
		Description string `json:"description"`
	} `json:"fields"`
	Conversation []struct {
		Turn    int           `json:"turn"`
		Speaker vault.Speaker `json:"speaker"`
		Text    string        `json:"text"`
	} `json:"conversation"`
}

func (s *Server) complete(w http.ResponseWriter, r *http.Request) {
	var req struct {
		Model    string
		Messages []struct{ Content string }
	}
	if err := json.NewDecoder(r.Body).Decode(&req); err != nil || len(req.Messages) == 0 {
		http.Error(w, `{"error":{"message":"bad request","type":"invalid_request_error"}}`, http.StatusBadRequest)
		return
	}
	prompt := req.Messages[len(req.Messages)-1].Content
	answer, err := s.answer(prompt)
	if err != nil {
		http.Error(w, `{"error":{"message":"no annotations for this","type":"invalid_request_error"}}`, http.StatusBadRequest)
		return
	}
	respond(w, map[string]any{
		"id":      "annotated",
		"object":  "chat.completion",
		"created": time.Now().Unix(),
		"model":   req.Model,
		"choices": []any{
			map[string]any{
				"index":         0,
				"finish_reason": "stop",
				"message":       map[string]any{"role": "assistant", "content": answer},
			},
		},
		"usage": map[string]any{
			"prompt_tokens":     len(prompt) / 4,
			"completion_tokens": len(answer) / 4,
			"total_tokens":      (len(prompt) + len(answer)) / 4,
		},
	})
}

// answer returns the structured answer to a prompt. It proposes nothing for a scenario, because the requirements come
// from the data set.
func (s *Server) answer(prompt string) (string, error) {
	var q asked
	from, to := strings.Index(prompt, "<data>"), strings.LastIndex(prompt, "</data>")
	if from < 0 || to < from {
		return "", errors.New("the prompt has no data")
	}
	if err := json.Unmarshal([]byte(prompt[from+len("<data>"):to]), &q); err != nil {
		return "", fmt.Errorf("read the prompt: %w", err)
	}
	if len(q.Fields) == 0 {
		return `{"fields":[]}`, nil
	}
	type value struct {
		FieldName  string          `json:"field_name"`
		Value      json.RawMessage `json:"value"`
		Confidence float64         `json:"confidence"`
		Quote      string          `json:"quote"`
		Turn       int             `json:"turn"`
	}
	out := struct {
		Values []value `json:"values"`
	}{Values: []value{}}
	turns := make([]vault.Turn, len(q.Conversation))
	for i, t := range q.Conversation {
		turns[i] = vault.Turn{Index: t.Turn, Speaker: t.Speaker, Text: t.Text}
	}
	d, ok := s.said[conversationKey(turns)]
	a, found := s.agentOf(d, q)
	if !ok || !found {
		return "", errors.New("the conversation is not one of the data set")
	}
	slots := make([]string, len(q.Fields))
	for i, f := range q.Fields {
		slots[i] = f.Name
	}
	for _, f := range d.annotate(a, slots, len(turns)-1) {
		if f.reason != reasonNoPreference {
			c := f.candidate
			out.Values = append(out.Values, value{c.FieldName, c.Value, c.Confidence, c.Quote, c.Turn})
		}
	}
	encoded, err := json.Marshal(out)
	return string(encoded), err
}

// agentOf returns the agent of the dialogue that defines all fields of the prompt.
func (s *Server) agentOf(d Dialogue, q asked) (agent, bool) {
	for _, name := range d.Services {
		for _, a := range s.agents {
			if a.service.Name != name {
				continue
			}
			all := true
			for _, f := range q.Fields {
				def, ok := a.defs[f.Name]
				all = all && ok && def.Description == f.Description
			}
			if all {
				return a, true
			}
		}
	}
	return agent{}, false
}

func (s *Server) embed(w http.ResponseWriter, r *http.Request) {
	var req struct{ Input []string }
	if err := json.NewDecoder(r.Body).Decode(&req); err != nil {
		http.Error(w, `{"error":{"message":"bad request","type":"invalid_request_error"}}`, http.StatusBadRequest)
		return
	}
	vectors, err := s.embeds.Embed(r.Context(), req.Input)
	if err != nil {
		http.Error(w, `{"error":{"message":"bad request","type":"invalid_request_error"}}`, http.StatusBadRequest)
		return
	}
	data := make([]any, len(vectors))
	for i, v := range vectors {
		data[i] = map[string]any{"object": "embedding", "index": i, "embedding": v}
	}
	respond(
		w,
		map[string]any{
			"object": "list",
			"data":   data,
			"model":  "annotated",
			"usage":  map[string]any{"prompt_tokens": 0, "total_tokens": 0},
		},
	)
}

func respond(w http.ResponseWriter, body any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(body)
}
