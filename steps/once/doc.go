// Package once is the once-only machinery of the steps: a Runner runs the effect of an operation once, in one
// transaction with the proof of it. It also holds what all steps share: settings, the observer, the enqueuer and the
// model budget.
//
// Start reading at once.go and touched.go. The steps themselves are in the packages customers, schema, gapfill and
// upkeep.
package once
