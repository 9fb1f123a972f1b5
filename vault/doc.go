// Package vault is the domain of the Customer Context Vault: its types, the names of its workflows and events, the inputs and
// outcomes of its operations, and the rules that decide (is a value valid, what is missing, which version is the active one).
//
// Nothing here does I/O, and nothing here imports another package of this module. Where to start reading:
//
//   - enums.go, item.go, definition.go, config.go: the nouns;
//   - operations.go: what can be asked of the vault, one input type per workflow;
//   - names.go: the workflows and the events that start them;
//   - validate.go, ground.go, missing.go, condition.go, version.go: the rules, all pure functions;
//   - check.go, decode.go: whether the input of an operation is sound, before any rule is asked;
//   - errors.go: the errors that callers and workflows decide by.
package vault
