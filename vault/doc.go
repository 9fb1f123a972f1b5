// Package vault is the domain of the Customer Context Vault: its types, its enums, its errors, and the inputs and
// results of its operations. It is plain data without rules and without I/O, so every package and every client can
// import it. The rules over this data are in package rules.
//
// Start reading:
//
//   - enums.go, definition.go, item.go: the nouns;
//   - customers.go, schema.go, gapfill.go, upkeep.go: the input and the result of each operation, by subject;
//   - spec.go: the specification of each operation;
//   - errors.go: the errors, and which of them a retry cannot fix.
package vault
