// Package trigger is the thin client that everything which changes the vault goes through: a config service, an agent runtime,
// the API, the command line, and workflows that start others.
//
// A typed function per operation checks its input, commits an operation (from then on the change is accepted, whether or not the
// workflow engine can be reached), pushes an event that holds ids only, and returns a Receipt that can be waited on. What
// could not be pushed is pushed later by the relay: a cron workflow, and the loop that Client.Run keeps.
//
//   - submit.go: how an operation is accepted; replay.go: how a failed one is accepted again;
//   - client.go: acceptance and the push;
//   - receipt.go: how a caller learns the outcome;
//   - relay.go: what is owed;
//   - engine.go: the only file that knows Hatchet.
package trigger
