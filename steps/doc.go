// Package steps holds the idempotent steps that workflows are made of.
//
// A step is a method `func(ctx, input) (output, error)` on a small struct of its concern; it knows nothing of the workflow
// engine. Its effect and the proof of it (the operation's status and result) commit in one transaction, so a second run changes
// nothing and returns the stored output. Inputs and outputs hold ids, counts, names and codes, never a customer's value:
// values are read from the sealed payload of the operation.
//
// Start reading at once.go, then at the file of the concern: fields.go, definitions.go, scenarios.go, extract.go, gaps.go …
package steps
