// Package client calls the API of the vault over HTTP. Configuration services, agent runtimes and other services import
// it. Of the vault, it only depends on the types of package vault.
//
// Each method has the name of an operation id in OpenAPI: save-definition is SaveDefinition. Lists are iterators that
// fetch further pages as needed. A method that submits an operation returns an Operation once it is accepted. With the
// option Wait it waits for the outcome; Operation.Wait waits later.
//
// The client retries a request after 429, 503 and failed connections a few times, as Retry-After says. It is safe to
// retry an operation because it carries an idempotency key: from the caller, or a new one for each call.
//
//   - client.go: New and requests; change.go: operations, their options and outcomes; operations_gen.go: their methods;
//   - problem.go: errors; list.go: lists;
//   - customers.go, values.go, items.go, schema.go, gapfill.go, upkeep.go: the other methods by subject.
package client

//go:generate go run ../internal/clientgen/generate
