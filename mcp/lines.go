package mcp

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"sync"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
)

// noBatches is the first version of the protocol in which a line is one message, and never a list of them.
const noBatches = "2025-06-18"

// lines passes on what a client sends, one message per line. The SDK would end the session at a line that is no
// message, so such a line is answered here, and the next one is read.
type lines struct {
	from   io.ReadCloser
	in     *bufio.Reader
	answer func(refusal) // sends an error to the client
	alone  func() bool   // whether a line must be one message
	rest   []byte        // of the line that is being passed on
}

// refusal is the error of a line.
type refusal struct {
	Version string          `json:"jsonrpc"`
	ID      json.RawMessage `json:"id"` // null: it could not be read
	Error   *jsonrpc.Error  `json:"error"`
}

// Read implements io.Reader.
func (l *lines) Read(p []byte) (int, error) {
	for len(l.rest) == 0 {
		line, large, err := l.next()
		if refused := l.check(line, large); refused != nil {
			l.answer(*refused)
		} else if len(bytes.TrimSpace(line)) > 0 {
			l.rest = line
			break // an error comes back with the next line
		}
		if err != nil {
			return 0, err
		}
	}
	n := copy(p, l.rest)
	l.rest = l.rest[n:]
	return n, nil
}

// Close implements io.Closer.
func (l *lines) Close() error { return l.from.Close() }

// next reads a line. Of one that is larger than maxMessage it keeps nothing.
func (l *lines) next() (line []byte, large bool, err error) {
	for {
		part, err := l.in.ReadSlice('\n')
		large = large || len(line)+len(part) > maxMessage
		if large {
			line = nil
		} else {
			line = append(line, part...)
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return line, large, err
		}
	}
}

// check returns the answer to a line that is no message, nil for a message or an empty line.
func (l *lines) check(line []byte, large bool) *refusal {
	out := refusal{Version: "2.0", ID: json.RawMessage("null")}
	refuse := func(code int64, why string) *refusal {
		out.Error = &jsonrpc.Error{Code: code, Message: why}
		return &out
	}
	line = bytes.TrimSpace(line)
	switch {
	case large:
		return refuse(jsonrpc.CodeInvalidRequest, "the message exceeds the limit of 1 MiB")
	case len(line) == 0:
		return nil
	case !json.Valid(line):
		return refuse(jsonrpc.CodeParseError, "the line is not valid JSON; send one JSON-RPC message per line")
	}
	var batch []json.RawMessage
	isBatch := json.Unmarshal(line, &batch) == nil
	if !isBatch {
		batch = []json.RawMessage{line}
		out.ID = idOf(line)
	} else if l.alone() || len(batch) == 0 {
		return refuse(jsonrpc.CodeInvalidRequest, "the line is a list; send one JSON-RPC message per line")
	}
	for _, message := range batch {
		if _, err := jsonrpc.DecodeMessage(message); err != nil {
			return refuse(jsonrpc.CodeInvalidRequest, `the line is not a message of JSON-RPC 2.0, such as `+
				`{"jsonrpc": "2.0", "id": 1, "method": "tools/list"}`)
		}
	}
	return nil
}

// idOf returns the id of something that may be a message, null without a valid one.
func idOf(line []byte) json.RawMessage {
	var message struct {
		ID json.RawMessage `json:"id"`
	}
	var id any
	if json.Unmarshal(line, &message) != nil || json.Unmarshal(message.ID, &id) != nil {
		return json.RawMessage("null")
	}
	switch id.(type) {
	case string, float64:
		return message.ID
	}
	return json.RawMessage("null")
}

// whole is a writer of lines for several writers: each call writes a whole line.
type whole struct {
	io.WriteCloser

	mu sync.Mutex
}

// Write implements io.Writer.
func (w *whole) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.WriteCloser.Write(p)
}

// transport returns the transport of a client that sends lines.
func (s *Server) transport(in io.ReadCloser, out io.WriteCloser) sdk.Transport {
	to := &whole{WriteCloser: out}
	return &sdk.IOTransport{Writer: to, Reader: &lines{
		from: in, in: bufio.NewReader(in),
		answer: func(r refusal) {
			s.log.Warn("mcp_line_refused", "agent_id", s.agent, "error_code", r.Error.Code)
			encoded, err := json.Marshal(r)
			if err == nil {
				_, _ = to.Write(append(encoded, '\n')) // the client has gone
			}
		},
		alone: func() bool {
			for session := range s.sdk.Sessions() {
				if p := session.InitializeParams(); p != nil && p.ProtocolVersion >= noBatches {
					return true
				}
			}
			return false
		},
	}}
}
