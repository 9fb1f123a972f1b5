// Package trigger submits operations. Everything that changes the vault uses it: the API, the command line,
// configuration services, agent runtimes, and workflows that start others.
//
// Submit validates the input, commits the operation, pushes an event that holds only ids, and returns a Receipt to wait
// on. The operation is accepted once it is committed, even if the workflow engine is down. The relay pushes the
// remaining events later: it is a cron workflow, and the loop of Client.Run.
//
//   - submit.go: accepts an operation; resolve.go: looks up its subject and parent;
//   - replay.go: accepts a failed operation again;
//   - client.go: commits operations and pushes events;
//   - receipt.go: waits for outcomes;
//   - relay.go: pushes due operations;
//   - engine.go: the only file that uses Hatchet.
package trigger
