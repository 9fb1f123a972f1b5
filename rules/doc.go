// Package rules holds the pure rules of the vault. No function here does I/O.
//
//   - check.go, decode.go, storable.go, storable_input.go: validate the input of an operation before it is accepted;
//   - validate.go, normalise.go, number.go, allowed.go, pattern.go, and package format: validate a value against its
//     definition;
//   - condition.go: evaluate conditions (CEL);
//   - missing.go: decide which requirements are unmet;
//   - version.go, verification.go, relink.go: place a version in its history, derive verification levels, join
//     histories;
//   - ground.go, ground_values.go, words.go: decide whether a quote contains a value;
//   - confirm.go: read a reply to a confirmation;
//   - naming.go: compare and normalise field names.
package rules
