// Package upkeep holds the steps that keep the vault in order: sweeps, cache invalidation and acknowledgement, and the
// relay and purge of operations.
package upkeep
