package vault

import (
	"time"

	"github.com/google/uuid"
)

// AuditAction is what an entry of the audit records.
type AuditAction string

// The actions.
const (
	AuditAccepted   AuditAction = "accepted"    // an operation was accepted
	AuditForced     AuditAction = "forced"      // an operation was accepted that overrides a protection
	AuditApplied    AuditAction = "applied"     // its effect is stored
	AuditRejected   AuditAction = "rejected"    // it failed
	AuditReplayed   AuditAction = "replayed"    // it runs again
	AuditRead       AuditAction = "read"        // values of PII fields, or a conversation, were shown unmasked
	AuditExported   AuditAction = "exported"    // the data of a customer was exported
	AuditErased     AuditAction = "erased"      // the data of a customer was erased
	AuditKeyCreated AuditAction = "key_created" // an API key was created
	AuditKeyRevoked AuditAction = "key_revoked" // an API key was revoked
)

// AuditActions lists all actions.
var AuditActions = []AuditAction{
	AuditAccepted, AuditForced, AuditApplied, AuditRejected, AuditReplayed, AuditRead, AuditExported, AuditErased,
	AuditKeyCreated, AuditKeyRevoked,
}

// Names in AuditEntry.Fields of what has no field name of its own. No field can have them.
const (
	AuditedChannels = "(channels)" // the identifiers of the customer in channels
	AuditedTurns    = "(turns)"    // what was said in a conversation
)

// AuditEntry records who did what to whom. It holds ids and names, and no values. It outlives the customer.
type AuditEntry struct {
	ID       uuid.UUID   `json:"id"`
	TenantID uuid.UUID   `json:"-"`
	Xact     int64       `json:"-"` // the number of the transaction that wrote it
	At       time.Time   `json:"at"`
	Action   AuditAction `json:"action" enum:"accepted,forced,applied,rejected,replayed,read,exported,erased,key_created,key_revoked"`
	Actor    Actor       `json:"actor" doc:"Who did it: key:<id>, workflow:<name>:<operation>, admin …"`
	// Operation is the name of the workflow, of the read or of the command.
	Operation   string     `json:"operation" doc:"The name of the workflow, of the read or of the command." example:"write-value"`
	OperationID *uuid.UUID `json:"operation_id,omitempty" doc:"The operation, of a change."`
	Subject     string     `json:"subject,omitempty" doc:"The id of the customer, or of another thing that it is about."`
	Fields      []string   `json:"fields,omitempty" doc:"The names of the fields. (channels) are the identifiers of the customer in channels, (turns) what was said in a conversation."`
	Purpose     string     `json:"purpose,omitempty" doc:"The purpose of a read."`
	Code        string     `json:"code,omitempty" doc:"The code of a rejection; of an accepted review, the decision: approve or reject."`
}

// AuditSeal closes an interval of the audit of a tenant. It lists the entries with their hashes.
type AuditSeal struct {
	TenantID uuid.UUID
	Number   int64 // 1, 2, 3 …
	ClosedAt time.Time
	Cluster  string // the system identifier of the database server
	// FromXact and ToXact are the transactions of the interval: from the first, up to the second, which is excluded.
	FromXact, ToXact int64
	EntryIDs         []uuid.UUID
	LeafHashes       []byte // AuditHashSize bytes for each entry, in the order of EntryIDs
	Root             []byte // of the Merkle tree of RFC 6962 over the entries
	Previous         []byte // hash of the seal before it; empty: it is the first
	Hash             []byte // of all of the above
}

// AuditHashSize is the size of a hash of the audit in bytes: SHA-256.
const AuditHashSize = 32

// AuditFilter selects entries of the audit. The zero filter selects all.
type AuditFilter struct {
	Subject   string      // the id of a customer, or of another thing
	Actor     Actor       // ""; all
	Action    AuditAction // "": all
	Operation string      // "": all
	Purpose   string      // "": all
	From      *time.Time  // nil: from the first
	To        *time.Time  // nil: up to now; excluded
}

// AuditProblem is what a verification found.
type AuditProblem string

// The problems.
const (
	AuditEntryChanged  AuditProblem = "entry_changed"  // an entry differs from what was sealed
	AuditEntryRemoved  AuditProblem = "entry_removed"  // a sealed entry does not exist
	AuditEntryInserted AuditProblem = "entry_inserted" // an entry is in an interval whose seal does not list it
	AuditEntryRepeated AuditProblem = "entry_repeated" // an entry is sealed twice
	AuditSealChanged   AuditProblem = "seal_changed"   // a seal differs from its own hash or root
	AuditSealMissing   AuditProblem = "seal_missing"   // a number of a seal is left out
	AuditSealUnchained AuditProblem = "seal_unchained" // a seal does not continue the seal before it
	AuditHeadDiffers   AuditProblem = "head_differs"   // the seal that the caller expects is not there, or differs
)

// AuditFinding is one problem of the audit.
type AuditFinding struct {
	Problem AuditProblem `json:"problem"`
	Seal    int64        `json:"seal,omitempty" doc:"The number of the seal, which stands for its interval."`
	EntryID *uuid.UUID   `json:"entry_id,omitempty"`
	Detail  string       `json:"detail"`
}

// MaxAuditFindings is the maximum number of findings that a report lists.
const MaxAuditFindings = 100

// AuditReport is the result of a verification.
type AuditReport struct {
	Seals    int64 `json:"seals" doc:"The number of seals that were checked."`
	Entries  int64 `json:"entries" doc:"The number of sealed entries that were checked."`
	Unsealed int64 `json:"unsealed" doc:"The number of entries that no seal covers yet. Nothing can be said about them."`
	// Head is the newest seal, as number:hash. Whoever keeps it elsewhere notices later when seals are removed or made
	// anew.
	Head     string         `json:"head,omitempty" doc:"The newest seal, as number:hash. Keep it elsewhere, and pass it to a later verification as expect."`
	Intact   bool           `json:"intact"`
	Findings []AuditFinding `json:"findings" doc:"The problems, up to 100."`
	// Found is the number of all problems.
	Found int64 `json:"found" doc:"The number of all problems."`
}
