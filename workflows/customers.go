package workflows

import (
	hatchet "github.com/hatchet-dev/hatchet/sdks/go"

	"github.com/contextvault/contextvault/steps"
	"github.com/contextvault/contextvault/vault"
)

func customerWorkflows(c *hatchet.Client, s steps.Steps, crons Crons) []hatchet.WorkflowBase {
	return []hatchet.WorkflowBase{
		writeValue(c, s),
		addElement(c, s),
		removeElement(c, s),
		importValues(c, s),
		verifyValue(c, s),
		expireValue(c, s),
		proposeDeletion(c, s),
		decideValue(c, s),
		correctValue(c, s),
		addAsset(c, s),
		deleteItem(c, s),
		restoreItem(c, s),
		openCustomer(c, s),
		openCustomers(c, s),
		linkChannel(c, s),
		recordConsent(c, s),
		setCustomerLabel(c, s),
		mergeCustomers(c, s),
		unmergeCustomer(c, s),
		deleteCustomer(c, s),
		saveMergeRule(c, s),
		deleteMergeRule(c, s),
		proposeMerges(c, s, crons.ProposeMerges),
		decideMerge(c, s),
	}
}

// writeValue stores values of customers.
func writeValue(c *hatchet.Client, s steps.Steps) *hatchet.Workflow {
	f := begin(c, s, vault.WriteValue)
	f = prepareBatch(f, "validate", quick, s.Values.ValidateValues)
	return effectBatch(f, "persist", quick, s.Values.PersistValues).end()
}

// addElement adds an element to the list of a field.
func addElement(c *hatchet.Client, s steps.Steps) *hatchet.Workflow {
	f := begin(c, s, vault.AddElement)
	f = prepare(f, "validate", quick, s.Values.ValidateElement)
	return effect(f, "persist", quick, s.Values.PersistAddition).end()
}

// removeElement removes an element from the list of a field.
func removeElement(c *hatchet.Client, s steps.Steps) *hatchet.Workflow {
	f := begin(c, s, vault.RemoveElement)
	f = prepare(f, "validate", quick, s.Values.ValidateElement)
	return effect(f, "persist", quick, s.Values.PersistRemoval).end()
}

// importValues stores many values in one transaction.
func importValues(c *hatchet.Client, s steps.Steps) *hatchet.Workflow {
	f := begin(c, s, vault.ImportValues)
	f = prepare(f, "validate", quick, s.Imports.ValidateImport)
	return effect(f, "persist", quick, s.Imports.PersistImport).end()
}

// verifyValue marks the active value of a field as verified.
func verifyValue(c *hatchet.Client, s steps.Steps) *hatchet.Workflow {
	return effect(begin(c, s, vault.VerifyValue), "persist", quick, s.Values.PersistVerification).end()
}

// expireValue ends the active value of a field.
func expireValue(c *hatchet.Client, s steps.Steps) *hatchet.Workflow {
	return effect(begin(c, s, vault.ExpireValue), "persist", quick, s.Values.PersistExpiry).end()
}

// proposeDeletion marks a value for a person who decides about its deletion.
func proposeDeletion(c *hatchet.Client, s steps.Steps) *hatchet.Workflow {
	return effect(begin(c, s, vault.ProposeDeletion), "persist", quick, s.Values.ProposeDeletion).end()
}

// decideValue stores the decision of a person about a pending value.
func decideValue(c *hatchet.Client, s steps.Steps) *hatchet.Workflow {
	return effect(begin(c, s, vault.DecideValue), "persist", quick, s.Values.PersistDecision).end()
}

// correctValue replaces a wrong value.
func correctValue(c *hatchet.Client, s steps.Steps) *hatchet.Workflow {
	f := begin(c, s, vault.CorrectValue)
	f = prepare(f, "validate", quick, s.Values.ValidateCorrection)
	return effect(f, "persist", quick, s.Values.PersistCorrection).end()
}

// addAsset stores the reference to a document.
func addAsset(c *hatchet.Client, s steps.Steps) *hatchet.Workflow {
	f := begin(c, s, vault.AddAsset)
	f = prepare(f, "validate", quick, s.Assets.ValidateAsset)
	return effect(f, "persist", quick, s.Assets.PersistAsset).end()
}

// deleteItem deletes a version of a field or an asset. If it is forced, the step delete also orphans the dependents.
func deleteItem(c *hatchet.Client, s steps.Steps) *hatchet.Workflow {
	f := begin(c, s, vault.DeleteItem)
	f = prepare(f, "check-dependents", quick, s.Items.CheckDependents)
	return effect(f, "delete", quick, s.Items.DeleteItem).end()
}

// restoreItem restores a deleted item, or an orphaned one whose source exists again.
func restoreItem(c *hatchet.Client, s steps.Steps) *hatchet.Workflow {
	return effect(begin(c, s, vault.RestoreItem), "restore", quick, s.Items.RestoreItem).end()
}

// openCustomer finds or creates the customer of a channel identity.
func openCustomer(c *hatchet.Client, s steps.Steps) *hatchet.Workflow {
	return effect(begin(c, s, vault.OpenCustomer), "persist", quick, s.Customers.OpenCustomer).end()
}

// openCustomers finds or creates the customers of many channel identities.
func openCustomers(c *hatchet.Client, s steps.Steps) *hatchet.Workflow {
	return effect(begin(c, s, vault.OpenCustomers), "persist", quick, s.Customers.OpenCustomers).end()
}

// linkChannel links a channel identity to a customer.
func linkChannel(c *hatchet.Client, s steps.Steps) *hatchet.Workflow {
	return effect(begin(c, s, vault.LinkChannel), "persist", quick, s.Customers.LinkChannel).end()
}

// recordConsent adds a consent to the customer's consent log.
func recordConsent(c *hatchet.Client, s steps.Steps) *hatchet.Workflow {
	return effect(begin(c, s, vault.RecordConsent), "persist", quick, s.Customers.RecordConsent).end()
}

// setCustomerLabel sets the label of a customer, or removes it.
func setCustomerLabel(c *hatchet.Client, s steps.Steps) *hatchet.Workflow {
	return effect(begin(c, s, vault.SetCustomerLabel), "persist", quick, s.Customers.SetLabel).end()
}

// mergeCustomers merges the source customer into the target.
func mergeCustomers(c *hatchet.Client, s steps.Steps) *hatchet.Workflow {
	return effect(begin(c, s, vault.MergeCustomers), "merge", quick, s.Merges.MergeCustomers).end()
}

// unmergeCustomer undoes a merge.
func unmergeCustomer(c *hatchet.Client, s steps.Steps) *hatchet.Workflow {
	return effect(begin(c, s, vault.UnmergeCustomer), "unmerge", quick, s.Merges.UnmergeCustomer).end()
}

// deleteCustomer deletes a customer and its items. The rows stay, marked as deleted.
func deleteCustomer(c *hatchet.Client, s steps.Steps) *hatchet.Workflow {
	return effect(begin(c, s, vault.DeleteCustomer), "delete", quick, s.Customers.DeleteCustomer).end()
}

// saveMergeRule stores a rule by which two customers may be the same person.
func saveMergeRule(c *hatchet.Client, s steps.Steps) *hatchet.Workflow {
	return store(begin(c, s, vault.SaveMergeRule), "persist", quick, s.Merges.SaveMergeRule).end()
}

// deleteMergeRule deletes a merge rule.
func deleteMergeRule(c *hatchet.Client, s steps.Steps) *hatchet.Workflow {
	return store(begin(c, s, vault.DeleteMergeRule), "persist", quick, s.Merges.DeleteMergeRule).end()
}

// proposeMerges looks for customers who may be the same person, on a cron in all tenants and on demand in one.
func proposeMerges(c *hatchet.Client, s steps.Steps, cron string) *hatchet.Workflow {
	f := begin(c, s, vault.ProposeMerges, onCron(cron)...)
	return store(f, "propose", long, s.Merges.ProposeMerges).end()
}

// decideMerge stores the decision of a person about a proposed merge, and merges the customers if it is approved.
func decideMerge(c *hatchet.Client, s steps.Steps) *hatchet.Workflow {
	return effect(begin(c, s, vault.DecideMerge), "decide", quick, s.Merges.DecideMerge).end()
}
