// Package customers holds the steps that change a customer: values, imports, verifications, assets, deletions,
// restores, channels, consents and merges. lineage.go checks where an item comes from; profile_lock.go makes the
// writers of one profile take turns.
package customers
