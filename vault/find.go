package vault

import (
	"time"

	"github.com/google/uuid"
)

// MaxConditions is the maximum number of conditions of one search for customers.
const MaxConditions = 10

// MaxPrefixLength is the number of characters by which the beginning of a value is found.
const MaxPrefixLength = 64

// FieldCondition is a condition on the active value of a field of a customer.
type FieldCondition struct {
	Field string
	Kind  ConditionKind
	Text  string        // the value of ConditionEquals, or the beginning of ConditionBegins
	Age   time.Duration // of ConditionOlderThan
}

// ConditionKind is the kind of a FieldCondition.
type ConditionKind string

const (
	ConditionEquals    ConditionKind = "equals"     // the value is a certain one
	ConditionBegins    ConditionKind = "begins"     // the value begins with a text
	ConditionVerified  ConditionKind = "verified"   // the customer has a verified value
	ConditionPresent   ConditionKind = "present"    // the customer has a value
	ConditionMissing   ConditionKind = "missing"    // the customer has no value
	ConditionOlderThan ConditionKind = "older_than" // the value was collected longer ago
)

// CustomerCount is the number of customers that a search finds.
type CustomerCount struct {
	Count int64 `json:"count" doc:"The number of customers."`
	// Complete is false if the count ended at a limit: there may be more.
	Complete bool `json:"complete" doc:"false: the count ended after 200,000 candidates, and there may be more customers."`
}

// CustomerPosition is a position in a search for customers.
type CustomerPosition struct {
	By string     `json:"by"`           // how the search is ordered
	At *time.Time `json:"at,omitempty"` // of the age of a value
	ID uuid.UUID  `json:"id"`
}
