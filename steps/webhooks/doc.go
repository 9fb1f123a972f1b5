// Package webhooks holds the steps of webhooks.
//
//   - save.go: saves, deletes, tests and replays;
//   - deliver.go: makes deliveries of events and carries them out;
//   - send.go: one signed request, and where it may go.
package webhooks
