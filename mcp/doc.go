// Package mcp serves the vault to agents by the Model Context Protocol: over stdio (`vault mcp`) and over streamable
// HTTP (/mcp of `vault serve`).
//
// Every tool calls the HTTP API through package client, with the key and the purpose of the agent. So permissions,
// purposes, the evidence gate and rate limits are enforced in one place: the API. Over HTTP the calls stay in the
// process.
//
// What a tool returns holds words of customers. They are in JSON strings, or in a context block, and fenced by
// rules/block: nothing in them ends a string or begins a line.
//
//   - server.go: New, the server of one agent, and Run, which serves it over stdio;
//   - tool.go, arguments.go, output.go: a tool, its arguments and what it returns;
//   - read.go, change.go, remember.go: the tools; resources.go: the resources;
//   - http.go, local.go: the handler of /mcp, and its way to the API.
package mcp
