// Package steps builds the idempotent steps that workflows run.
//
// A step is a method `func(ctx, event) (output, error)` on a small struct of its subject. It has no types of the
// workflow engine. Its effect and the proof of the effect (the operation's status and result) commit in one
// transaction, so a second run changes nothing and returns the stored output. Inputs and outputs hold ids, counts,
// names and codes, never a customer's value: a step reads values from the sealed payload of the operation.
//
// The steps are in the packages below: customers, schema, gapfill and upkeep. Start reading at once/once.go.
package steps
