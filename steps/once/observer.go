package once

import (
	"github.com/contextvault/contextvault/rules"
	"github.com/contextvault/contextvault/vault"
)

// Observer receives counts from the steps, for metrics. Package metrics implements it. A step that runs again reports
// again.
type Observer interface {
	// ValuesInvalid reports how many values of one operation broke the rules of their definitions: rejected values, and
	// values stored with a warning.
	ValuesInvalid(workflow string, rejected, warned int)
	// GapTried reports the outcome of one field when its gap fill ends. source is the origin of the value, "" without a
	// value. outcome is "filled" or the reason why it is not, from a small set of words.
	GapTried(source, outcome string)
	// BudgetSpent reports that a model call was not made because the tenant's daily budget is spent.
	BudgetSpent()
}

// NopObserver is an Observer that does nothing.
type NopObserver struct{}

// ValuesInvalid implements Observer.
func (NopObserver) ValuesInvalid(string, int, int) {}

// GapTried implements Observer.
func (NopObserver) GapTried(string, string) {}

// BudgetSpent implements Observer.
func (NopObserver) BudgetSpent() {}

// ObserveValue reports the check of one value. err is the error of rules.CheckValue.
func ObserveValue(o Observer, workflow string, checked rules.Checked, err error) {
	switch {
	case vault.CodeOf(err) == vault.CodeInvalid:
		o.ValuesInvalid(workflow, 1, 0)
	case err == nil && len(checked.Warnings) > 0:
		o.ValuesInvalid(workflow, 0, 1)
	}
}

// ObserveFill reports the outcome of each field of a gap fill.
func ObserveFill(o Observer, result vault.FillResult) {
	for _, f := range result.Fields {
		outcome := f.Action
		switch {
		case f.Filled:
			outcome = "filled"
		case outcome == "":
			outcome = "missing"
		}
		o.GapTried(string(f.Source), outcome)
	}
}
