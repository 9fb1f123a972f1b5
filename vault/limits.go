package vault

import "time"

// Limits of what one tenant can make the vault do, so that none holds up the others. docs/limits.md lists them all,
// also those in the validate tags of the inputs.
const (
	// MaxProblems is the maximum number of problems that one error lists.
	MaxProblems = 20
	// MaxEntries is the maximum number of entries of any list and of members of any object of an input, outside of JSON
	// values. Most lists have a lower limit of their own.
	MaxEntries = 1000
	// MaxNameLength is in characters of a field name.
	MaxNameLength = 50
	// MaxRegexLength is in characters of a regular expression.
	MaxRegexLength = 500
	// MaxRegexInstructions is the maximum size of a compiled regular expression. Repetitions multiply it: (a{9}){9} has
	// over 81 instructions.
	MaxRegexInstructions = 2000
	// MaxRegexSteps is the maximum of the instructions of a regular expression times the bytes of the text that it is
	// matched against: some 100 ms in the worst case.
	MaxRegexSteps = 4_000_000
	// MaxImportRegexSteps is the maximum of these products over all writes of an import.
	MaxImportRegexSteps = 100_000_000
	// MaxSchemaBytes is in bytes of a JSON Schema.
	MaxSchemaBytes = 16 << 10
	// MaxSchemaParts is the maximum number of schemas in a JSON Schema. The check of a value has the limit MaxRegexSteps:
	// a part of the schema that is applied to a part of the value counts as 40 steps.
	MaxSchemaParts = 500
	// MaxConditionCost is the maximum cost of the evaluation of a condition, in units of 100 to 500 ns.
	MaxConditionCost = 1_000_000
	// MaxConditionsCost is the maximum cost of the conditions of one scenario together.
	MaxConditionsCost = 5_000_000
	// MaxConditionList is the maximum length of a list, and of an object, that a condition reads or makes.
	MaxConditionList = 2000
	// MaxConditionLength is in characters of a condition.
	MaxConditionLength = 2000
	// MaxValueBytes is in bytes of a value as JSON.
	MaxValueBytes = 64 << 10
	// MaxAllowedBytes is in bytes of the allowed values of a definition together. Each write is compared with all of them.
	MaxAllowedBytes = 64 << 10
	// MaxImport is the maximum number of writes in one import. An import of this size is one transaction of about a
	// second.
	MaxImport = 1000
	// MaxDefinitions is the maximum number of definitions of one agent, suggested ones included. More cannot be saved,
	// and an extraction suggests no more.
	MaxDefinitions = 1000
	// MaxClockSkew is the maximum time by which a turn may be ahead of the clock of the vault, as clocks differ.
	MaxClockSkew = 5 * time.Minute
	// MaxTurns is the maximum number of turns of one session.
	MaxTurns = 10_000
	// MaxFields is the maximum number of fields of one customer with a value, defined or not.
	MaxFields = 1000
	// MaxPending is the maximum number of pending values that a profile lists.
	MaxPending = 200
	// MaxProfileBytes is in bytes of the values of a profile in one answer. A larger profile is read value by value.
	MaxProfileBytes = 16 << 20
	// MaxPageBytes is in bytes of the values of one page of an answer. A page that would be larger ends early. It always
	// has at least one entry.
	MaxPageBytes = 1 << 20
)
