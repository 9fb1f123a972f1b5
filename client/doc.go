// Package client speaks to the vault over HTTP: what a config service, an agent runtime or any other service imports. It brings
// the types of package vault and nothing else of the vault with it: no database, no workflow engine.
//
// A method has the name of its operation in the API's description (save-definition is SaveDefinition). Reads give what they read; lists
// are iterators that fetch page after page. A change gives its Operation: once that is returned the change is accepted and owed.
// With Wait the method waits for the outcome; Operation.Wait does so later.
//
// Requests that were turned away for the time being (429, 503, no connection) are made again, a few times, as Retry-After says.
// A change is safe to repeat because it carries an idempotency key: yours, or one that is made for the call.
//
//   - client.go: New, and how a request is made;
//   - change.go: changes, their options and outcomes;
//   - problem.go: what goes wrong;
//   - list.go: lists;
//   - one file for each kind of thing: config.go, customers.go, values.go, items.go, sessions.go, questions.go, reviews.go,
//     admin.go.
//
package client

//go:generate go run ../internal/clientgen/generate
