package workflows

import (
	hatchet "github.com/hatchet-dev/hatchet/sdks/go"

	"github.com/contextvault/contextvault/steps"
	"github.com/contextvault/contextvault/vault"
)

func erasureWorkflows(c *hatchet.Client, s steps.Steps, crons Crons) []hatchet.WorkflowBase {
	return []hatchet.WorkflowBase{
		eraseCustomer(c, s),
		exportCustomer(c, s),
		purgeCustomers(c, s, crons.PurgeCustomers),
		removeExpired(c, s, crons.RemoveExpired),
	}
}

// eraseCustomer removes everything that the vault holds of a customer, and signs a receipt. A run that was killed goes
// on where it stopped.
func eraseCustomer(c *hatchet.Client, s steps.Steps) *hatchet.Workflow {
	f := stage(begin(c, s, vault.EraseCustomer), "begin", quick, s.Erasure.Begin)
	f = stage(f, "end-work", long, s.Erasure.EndWork)
	f = stage(f, "erase", long, s.Erasure.Erase)
	f = stage(f, "scan", long, s.Erasure.Scan)
	return effect(f, "finish", quick, s.Erasure.Finish).end()
}

// exportCustomer records that an export of a customer was asked for, and makes it available.
func exportCustomer(c *hatchet.Client, s steps.Steps) *hatchet.Workflow {
	f := prepare(begin(c, s, vault.ExportCustomer), "record", quick, s.Exports.RecordExport)
	return store(f, "finish", quick, s.Exports.AnnounceExport).end()
}

// purgeCustomers starts the erasures of deleted customers that are due.
func purgeCustomers(c *hatchet.Client, s steps.Steps, cron string) *hatchet.Workflow {
	w := c.NewWorkflow(vault.WorkflowPurgeCustomers, onCron(cron)...)
	w.NewTask("queue", single(s.Retention.QueueDueErasures), sweep()...)
	return w
}

// removeExpired removes expired versions that their definitions do not keep any longer.
func removeExpired(c *hatchet.Client, s steps.Steps, cron string) *hatchet.Workflow {
	f := flow{workflow: c.NewWorkflow(vault.WorkflowRemoveExpired, onCron(cron)...), caches: s.Caches}
	return effect(f, "remove", sweep, s.Retention.RemoveExpired).end()
}
