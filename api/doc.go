// Package api serves the vault over HTTP: reads through package query, changes through package trigger, described by OpenAPI
// 3.1 at /openapi.json. Handlers decode, call, and encode; what a request may do is decided before they run.
//
// The tenant comes from the API key, never from a path or a body. A change is answered with 202 and the id of its operation
// once it is accepted; with `Prefer: wait=5` the outcome is waited for. Errors are problem details (RFC 9457) with a stable
// code.
//
//   - server.go: New, and what every request goes through; serve.go: a server that stops without dropping a request;
//   - register.go: how an operation is declared; change.go: the ones that change something;
//   - auth.go, keys.go, limit.go: who may do what, and how often;
//   - problem.go, body.go, params.go, cursor.go, schema.go: what comes in and what goes out;
//   - one file for each kind of thing: config.go, customers.go, items.go, sessions.go, questions.go, operations.go, admin.go,
//     health.go;
//   - access.go, metrics.go, trace.go, docs.go: the access log, metrics, the span of a request, and the page that a person reads.
package api
