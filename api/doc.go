// Package api serves the vault over HTTP: it reads through package query and submits operations through package
// trigger. OpenAPI 3.1 describes it at /openapi.json. Middleware checks the permission of a request before its handler
// runs.
//
// The API key determines the tenant, never a path or a body. A route that submits an operation responds with 202 and
// the id of the operation once it is accepted. With `Prefer: wait=5` it waits for the outcome. Errors are problem
// details (RFC 9457) with a stable code.
//
//   - server.go: New; serve.go: a server with a graceful shutdown;
//   - register.go: declares routes; change.go and submit.go: routes that submit an operation;
//   - auth.go, keys.go: API keys, permissions and rate limits;
//   - customers: customers.go, values.go, items.go;
//   - schema: definitions.go, scenarios.go, requirements.go, reviews.go;
//   - gap fill: gaps.go, questions.go, sessions.go;
//   - upkeep.go: operations, maintenance and health;
//   - internal: access (log, metrics, traces), cursor, docs, input, limit, problem, schema.
package api
