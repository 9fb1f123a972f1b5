# Generated from the OpenAPI document by `make generate`. Do not edit.
"""The types of the vault, as in its OpenAPI document."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Union
from uuid import UUID

AuditAction = Literal[
    "accepted",
    "forced",
    "applied",
    "rejected",
    "replayed",
    "read",
    "exported",
    "erased",
    "key_created",
    "key_revoked",
]

AuditProblem = Literal[
    "entry_changed",
    "entry_removed",
    "entry_inserted",
    "entry_repeated",
    "seal_changed",
    "seal_missing",
    "seal_unchained",
    "head_differs",
]

Certainty = Literal[
    "verified",
    "stated",
    "derived",
    "unconfirmed",
    "pending",
    "stale",
    "expired",
    "invalid",
]

ChangeAction = Literal[
    "create",
    "update",
    "delete",
    "keep",
]

Code = Literal[
    "invalid_input",
    "unknown",
    "conflict",
    "has_dependents",
    "not_allowed",
    "consent_required",
    "erased",
    "expired",
    "over_budget",
    "unavailable",
]

ContextFormat = Literal[
    "text",
    "markdown",
    "json",
]

ContextSection = Literal[
    "missing",
    "needed",
    "uncertain",
    "withheld",
    "known",
    "documents",
]

Decision = Literal[
    "approve",
    "reject",
]

DeletionReason = Literal[
    "wrong",
    "customer_asked",
    "not_needed",
    "other",
]

DeliveryStatus = Literal[
    "pending",
    "delivered",
    "dead",
]

DerivedAction = Literal[
    "stale",
    "erase",
]

ErasureState = Literal[
    "begun",
    "erased",
    "scanned",
    "finished",
]

EventType = Literal[
    "value.changed",
    "value.pending",
    "value.verified",
    "value.expired",
    "value.orphaned",
    "value.deleted",
    "asset.changed",
    "asset.deleted",
    "consent.changed",
    "question.opened",
    "question.settled",
    "review.opened",
    "review.settled",
    "fill.done",
    "operation.failed",
    "customer.merged",
    "customer.unmerged",
    "customer.deleted",
    "customer.erased",
]

FallbackAction = Literal[
    "ask",
    "skip",
    "block",
    "extract",
]

GapSource = Literal[
    "profile",
    "session",
    "conversation",
    "customer",
]

ItemStatus = Literal[
    "active",
    "pending",
    "superseded",
    "expired",
    "orphaned",
]

MatchedBy = Literal[
    "name",
    "words",
    "description",
    "meaning",
    "condition",
    "expression",
    "model",
    "nothing",
]

MergeCloseReason = Literal[
    "value_changed",
    "customer_merged",
    "customer_deleted",
    "rule_changed",
    "rule_deleted",
]

MergeKeep = Literal[
    "older",
    "newer",
]

MergeProposalStatus = Literal[
    "pending",
    "approved",
    "rejected",
    "closed",
]

MergeState = Literal[
    "undoable",
    "undone",
    "target_merged",
    "target_deleted",
]

MissingReason = Literal[
    "absent",
    "expired",
    "stale",
    "derived",
    "invalid",
    "unverified",
]

OnConflict = Literal[
    "ask",
    "review",
    "keep",
    "newest",
]

OperationStatus = Literal[
    "accepted",
    "applied",
    "succeeded",
    "failed",
]

Origin = Literal[
    "human",
    "extracted",
]

QuestionKind = Literal[
    "value",
    "confirm",
]

QuestionStatus = Literal[
    "open",
    "answered",
    "denied",
    "refused",
    "rejected",
    "expired",
    "cancelled",
]

ReadOutcome = Literal[
    "read",
    "nothing_new",
    "fill_running",
    "customer_deleted",
]

RecallKind = Literal[
    "fact",
    "quote",
]

ReplayAction = Literal[
    "reopened",
    "repeated",
]

RequiredLevel = Literal[
    "hard",
    "soft",
]

ReviewState = Literal[
    "none",
    "pending",
    "approved",
    "rejected",
]

SourceType = Literal[
    "profile_field",
    "profile_asset",
    "session",
    "tool",
    "external",
]

Speaker = Literal[
    "customer",
    "agent",
]

StaleAction = Literal[
    "block",
    "warn",
    "ignore",
]

TurnOutcome = Literal[
    "answered",
    "confirmed",
    "denied",
    "refused",
    "invalid",
    "not_answered",
]

ValidationMode = Literal[
    "strict",
    "warn",
    "disabled",
]

ValueDecision = Literal[
    "accepted",
    "confirmed",
    "rejected",
    "corrected",
]

ValueSource = Literal[
    "user_provided",
    "llm_extracted",
    "tool_result",
    "document_extracted",
    "human_entered",
    "system_inferred",
]

ValueType = Literal[
    "string",
    "email",
    "phone",
    "date",
    "datetime",
    "number",
    "boolean",
    "url",
    "json",
]

VerificationLevel = Literal[
    "unverified",
    "email_verified",
    "phone_verified",
    "document_verified",
    "kyc_complete",
]

WithheldReason = Literal[
    "purpose_required",
    "purpose_not_allowed",
    "no_consent",
]


@dataclass(kw_only=True)
class AddAsset:
    """AddAsset of the vault."""

    asset_type: str

    checksum: str
    # The SHA-256 of the document, in hexadecimal.

    name: str

    storage_path: str

    storage_provider: str

    customer_id: UUID | None = None

    expires_at: datetime | None = None
    # The time when the value expires. Absent: by the retention of the definition, or never.

    mime_type: str | None = None

    size_bytes: int | None = None

    source_item_id: UUID | None = None
    # The id of the value or asset from which it was derived.

    source_item_type: SourceType | None = None
    # The type of source_item_id.

    source_metadata: Any | None = None
    # Metadata of the source: an object with any members, such as confidence, quote or page.

    supersede_existing: bool | None = None
    # Supersedes the active assets of the same name.

    upload_scenario_id: UUID | None = None

    upload_session_id: UUID | None = None

    uploaded_at: datetime | None = None


@dataclass(kw_only=True)
class AddTurns:
    """AddTurns of the vault."""

    turns: list[Turn]

    agent_id: UUID | None = None
    # The id of the agent whose definitions apply.

    customer_id: UUID | None = None


@dataclass(kw_only=True)
class AgentConfiguration:
    """AgentConfiguration of the vault."""

    agent_id: UUID

    definitions: list[Definition] | None = None

    requirements: list[Requirement] | None = None

    rules: list[Rule] | None = None

    scenarios: list[Scenario] | None = None


@dataclass(kw_only=True)
class AgentSummary:
    """AgentSummary of the vault."""

    agent_id: UUID

    definitions: int
    # The number of definitions.

    scenarios: int
    # The number of scenarios.


@dataclass(kw_only=True)
class Alive:
    """Alive of the vault."""

    status: Literal["ok"] = "ok"


@dataclass(kw_only=True)
class AnswerQuestion:
    """AnswerQuestion of the vault."""

    value: Any
    # Any JSON value of the type of the definition, up to 64 KiB.

    channel: str | None = None
    # The channel of the answer, such as phone. The question names it as answered_on.

    question_id: UUID | None = None

    session_id: UUID | None = None


@dataclass(kw_only=True)
class ApplyConfiguration:
    """ApplyConfiguration of the vault."""

    agent_id: UUID | None = None
    # The id of the agent whose definitions apply.

    definitions: list[Definition] | None = None

    prune: bool | None = None
    # Deletes the saved definitions and requirements that the configuration lacks. Scenarios and
    # rules stay.

    requirements: list[Requirement] | None = None

    rules: list[Rule] | None = None

    scenarios: list[Scenario] | None = None


@dataclass(kw_only=True)
class ApplyConfigurationResult:
    """ApplyConfigurationResult of the vault."""

    changes: list[ConfigurationChange]

    extraction_operation_ids: list[UUID] | None = None

    warnings: list[str] | None = None


@dataclass(kw_only=True)
class Asset:
    """Asset of the vault."""

    accepted_at: datetime

    asset_type: str

    checksum: str

    id: UUID

    name: str

    operation_id: UUID

    profile_id: UUID

    size_bytes: int

    status: ItemStatus

    storage_path: str

    storage_provider: str

    uploaded_at: datetime

    actor: str | None = None
    # Who submitted the operation that added it, as of a value.

    expires_at: datetime | None = None

    mime_type: str | None = None

    source_item_id: UUID | None = None
    # The id of the value or asset from which it was derived.

    source_item_type: SourceType | None = None
    # The type of source_item_id.

    source_metadata: Any | None = None

    stale_since: datetime | None = None
    # The time at which the asset became stale, as of a value. Absent: it is not stale.

    upload_scenario_id: UUID | None = None

    upload_session_id: UUID | None = None


@dataclass(kw_only=True)
class AuditEntry:
    """AuditEntry of the vault."""

    action: AuditAction

    actor: str
    # Who did it: key:<id>, workflow:<name>:<operation>, admin …

    at: datetime

    id: UUID

    operation: str
    # The name of the workflow, of the read or of the command.

    code: str | None = None
    # The code of a rejection; of an accepted review, the decision: approve or reject.

    fields: list[str] | None = None
    # The names of the fields. (channels) are the identifiers of the customer in channels, (turns)
    # what was said in a conversation.

    operation_id: UUID | None = None
    # The operation, of a change.

    purpose: str | None = None
    # The purpose of a read.

    subject: str | None = None
    # The id of the customer, or of another thing that it is about.


@dataclass(kw_only=True)
class AuditFinding:
    """AuditFinding of the vault."""

    detail: str

    problem: AuditProblem

    entry_id: UUID | None = None

    seal: int | None = None
    # The number of the seal, which stands for its interval.


@dataclass(kw_only=True)
class AuditReport:
    """AuditReport of the vault."""

    entries: int
    # The number of sealed entries that were checked.

    findings: list[AuditFinding]
    # The problems, up to 100.

    found: int
    # The number of all problems.

    intact: bool

    seals: int
    # The number of seals that were checked.

    unsealed: int
    # The number of entries that no seal covers yet. Nothing can be said about them.

    head: str | None = None
    # The newest seal, as number:hash. Keep it elsewhere, and pass it to a later verification as
    # expect.


@dataclass(kw_only=True)
class CancelResult:
    """CancelResult of the vault."""

    fill_id: UUID

    question_id: UUID | None = None


@dataclass(kw_only=True)
class Chain:
    """Chain of the vault."""

    links: list[ChainLink]

    missing: bool

    truncated: bool

    withheld: list[Withheld] | None = None
    # The fields with metadata that is not shown, and why.


@dataclass(kw_only=True)
class ChainLink:
    """ChainLink of the vault."""

    id: UUID

    name: str

    type: SourceType

    actor: str | None = None
    # Who wrote the item, as of a value. Absent: it is no item of the vault.

    source_metadata: Any | None = None

    stale_since: datetime | None = None
    # The time at which the item became stale. Absent: it is not stale.

    status: ItemStatus | None = None


@dataclass(kw_only=True)
class Channel:
    """Channel of the vault."""

    channel: str

    external_id: str

    id: UUID

    linked_at: datetime

    verified: bool


@dataclass(kw_only=True)
class ClaimQuestion:
    """ClaimQuestion of the vault."""

    channel: str
    # The channel that asks the question, such as phone.

    question_id: UUID | None = None

    seconds: int | None = None
    # The duration of the claim. 0: 60 seconds.


@dataclass(kw_only=True)
class ClaimResult:
    """ClaimResult of the vault."""

    channel: str

    claimed_until: datetime

    question_id: UUID


@dataclass(kw_only=True)
class ConfigurationChange:
    """ConfigurationChange of the vault."""

    action: ChangeAction

    kind: str

    name: str

    members: list[str] | None = None


@dataclass(kw_only=True)
class Consent:
    """Consent of the vault."""

    accepted_at: datetime

    granted: bool

    id: UUID

    purpose: str

    expires_at: datetime | None = None

    source: str | None = None


@dataclass(kw_only=True)
class ContextBlock:
    """ContextBlock of the vault."""

    customer_id: UUID

    entries: list[ContextEntry]
    # The entries that fit, the most useful first: a larger max_tokens adds entries at the end.

    left_out: int
    # The number of entries that did not fit.

    scenario_id: UUID | None = None


@dataclass(kw_only=True)
class ContextEntry:
    """ContextEntry of the vault."""

    name: str
    # The name of the field or of the document.

    section: ContextSection

    age: str | None = None
    # The age of the value in words, such as 3 days old.

    blocking: bool | None = None
    # The scenario may not start without the field.

    certainty: Certainty | None = None

    collected_at: datetime | None = None

    confidence: float | None = None
    # From 0 to 1, of a value that no person stated.

    item_id: UUID | None = None
    # The id of the value or the document, to cite it.

    label: str | None = None
    # The label of the field for people, if it differs from the name.

    prompt: str | None = None
    # The question that asks the customer for the field.

    reason: str | None = None
    # Why the field is missing or withheld.

    required_level: RequiredLevel | None = None

    source: ValueSource | None = None

    value: Any | None = None
    # The value. A long one is cut, and is a text then.

    value_cut: bool | None = None
    # The value is longer than shown. GET /v1/items/{item_id} returns it whole.


@dataclass(kw_only=True)
class CorrectValue:
    """CorrectValue of the vault."""

    agent_id: UUID
    # The id of the agent whose definitions apply.

    reason: str
    # Why the value was wrong, for people.

    value: Any
    # Any JSON value of the type of the definition, up to 64 KiB.

    corrected_by: str | None = None
    # The person who corrected it.

    customer_id: UUID | None = None

    item_id: UUID | None = None
    # The id of the version, or the id for a new item.

    name: str | None = None

    replaces_item_id: UUID | None = None
    # The active version that the person saw. The correction is rejected if another one is active by
    # then. Absent: whichever is active.

    verification_method: str | None = None
    # The method of the verification. Required if verified is true.

    verified: bool | None = None


@dataclass(kw_only=True)
class CreateKey:
    """CreateKey of the vault."""

    key_hash: str
    # The SHA-256 of the secret, in hexadecimal. The secret is cv_ followed by 32 random bytes in
    # base64url without padding; make it yourself and keep it: the vault never sees it before it is
    # used.

    name: str
    # The purpose of the key, for people.

    scopes: list[Literal["read", "write", "verify", "review", "erase", "admin"]]
    # The permissions of the key: read, write, verify, review, erase, admin.

    agents: list[UUID] | None = None
    # The ids of the agents whose data the key may use. Absent: all agents. The scopes admin and
    # erase cover all agents, so they cannot be combined with it.

    expires_at: datetime | None = None
    # The end of the key. Absent: it is valid until it is revoked.

    masked: bool | None = None
    # The key sees values of PII fields masked only. A masked key can create only masked keys.

    purpose: str | None = None
    # The purpose of reads that state none. One of the purposes that the definitions of the tenant
    # name.

    sources: list[ValueSource] | None = None
    # The sources of the values that the key may write. Absent: all except human_entered and
    # document_extracted, which are stronger than the customer's own word.


@dataclass(kw_only=True)
class Customer:
    """Customer of the vault."""

    created_at: datetime

    customer_id: UUID

    updated_at: datetime

    version: int

    fields: dict[str, Value] | None = None


@dataclass(kw_only=True)
class CustomerCount:
    """CustomerCount of the vault."""

    complete: bool
    # false: the count ended after 200,000 candidates, and there may be more customers.

    count: int
    # The number of customers.


@dataclass(kw_only=True)
class CustomerProfile:
    """CustomerProfile of the vault."""

    created_at: datetime

    customer_id: UUID

    fields: dict[str, Value]

    id: UUID

    tenant_id: UUID

    updated_at: datetime

    verification_level: VerificationLevel

    version: int

    assets: list[Asset] | None = None

    channels: list[Channel] | None = None

    consents: list[Consent] | None = None

    history: list[Value] | None = None
    # The versions of all fields, newest first, up to 1,000. GET …/history returns all of them in
    # pages.

    history_truncated: bool | None = None
    # There are more than 1,000 versions.

    history_withheld: list[Withheld] | None = None
    # The fields with versions that are not shown, and why.

    label: str | None = None

    merged_customers: list[UUID] | None = None
    # Customers who were merged into this customer, up to 100. GET …/merges lists all merges.

    pending: list[Value] | None = None

    requested_customer_id: UUID | None = None
    # The requested customer, if it was merged into this customer. unmerge-customer separates them
    # again.

    withheld: list[Withheld] | None = None
    # The fields with a value that is not shown, and why.


@dataclass(kw_only=True)
class CustomerResult:
    """CustomerResult of the vault."""

    customer_id: UUID

    profile_version: int

    created: bool | None = None

    erased: int | None = None

    purge_after: datetime | None = None

    warnings: list[str] | None = None
    # Of record-consent: no definition names the purpose, so the record has no effect yet.


@dataclass(kw_only=True)
class DecideMerge:
    """DecideMerge of the vault."""

    decision: Decision
    # approve merges the customers; reject keeps them apart, and the pair is not proposed again for
    # the same values.

    keep: MergeKeep | None = None
    # With approve, the customer who remains: older (default) is the one who was created first,
    # newer the other one.

    proposal_id: UUID | None = None


@dataclass(kw_only=True)
class DecideMergeResult:
    """DecideMergeResult of the vault."""

    proposal_id: UUID

    status: Literal["approved", "rejected"]

    customer_id: UUID | None = None
    # The customer who remains. Absent: the proposal was rejected.

    version: int | None = None


@dataclass(kw_only=True)
class DecideReviewDefinition:
    """DecideReviewDefinition of the vault."""

    decision: Decision
    # The decision of the reviewer.

    kind: Literal["definition"] = "definition"

    edit: DefinitionEdit | None = None
    # Changes of the reviewer to an approved requirement or definition.

    id: UUID | None = None

    only_pending: bool | None = None
    # Rejects the decision if another one was made before, also if it was the same.


@dataclass(kw_only=True)
class DecideReviewRequirement:
    """DecideReviewRequirement of the vault."""

    decision: Decision
    # The decision of the reviewer.

    kind: Literal["requirement"] = "requirement"

    edit: RequirementEdit | None = None
    # Changes of the reviewer to an approved requirement or definition.

    id: UUID | None = None

    only_pending: bool | None = None
    # Rejects the decision if another one was made before, also if it was the same.


@dataclass(kw_only=True)
class DecideValue:
    """DecideValue of the vault."""

    decision: Decision
    # approve makes a pending value active, and reject keeps it in the history. For a proposed
    # deletion, approve deletes the value, and reject keeps it.

    decided_by: str | None = None
    # The person who decided.

    item_id: UUID | None = None
    # The id of the version, or the id for a new item.

    note: str | None = None
    # The reason, for people.


@dataclass(kw_only=True)
class Definition:
    """Definition of the vault."""

    value_type: ValueType

    about: str | None = None
    # The person or thing, other than the customer, that the value is about, such as emergency
    # contact. Absent: the customer.

    agent_id: UUID | None = None
    # The id of the agent whose definitions apply.

    allowed_values: list[Any] | None = None
    # The allowed values, compared after normalisation. Empty: any value.

    ask_channels: list[str] | None = None
    # The channels on which the customer may be asked for the value, such as phone. Absent: each.

    collection_prompt: str | None = None
    # The question to the customer. Absent: derived from the display name.

    default_region: str | None = None
    # The region of a phone number without a country code: two letters, such as DE. Absent: a phone
    # number needs a country code.

    description: str | None = None

    display_name: str | None = None
    # The name of the field for people. Absent: derived from the name.

    enabled: bool | None = None
    # Whether the field may be collected. Absent: true.

    encryption_required: bool | None = None
    # Encrypts the value in the database and the cache, and keeps it out of error messages.

    erase_on_withdrawal: bool | None = None
    # A withdrawal that leaves no consent to any of the purposes erases the values for good, history
    # included. It needs purposes.

    extraction_examples: list[str] | None = None

    extraction_prompt_hint: str | None = None
    # A hint for a model that extracts the value from a conversation.

    forbid_extraction: bool | None = None
    # No value is read from conversations. The field is filled by an answer to its own question, a
    # session variable or a write. Absent: false.

    freshness_seconds: int | None = None
    # The maximum age of a value, in seconds. 0: no age limit.

    id: UUID | None = None

    if_version: UUID | None = None
    # The version that the change is based on. If another one is stored, the change fails with the
    # code conflict, which says who changed it and when, and nothing changes. The zero UUID: there
    # must be none yet. Absent: no check.

    is_pii: bool | None = None
    # Keeps the value out of error messages.

    json_schema: Any | None = None
    # The JSON Schema of a json value: an object, draft 2020-12 or what its $schema names, up to 16
    # KiB. References begin with #. Absent: any JSON.

    max_elements: int | None = None
    # The maximum number of elements, with multiple. 0: 100.

    maximum: Any | None = None
    # The largest valid number. Absent: no limit.

    minimum: Any | None = None
    # The smallest valid number. Absent: no limit.

    multiple: bool | None = None
    # Makes the value a list: a JSON array of elements of the type, each once. Each rule of the
    # definition holds for each element.

    name: str | None = None

    on_conflict: OnConflict | None = None
    # What happens to a claim that differs from a stronger active value. Absent: ask where a gap
    # fill can ask, else review.

    origin: Origin | None = None

    prefix_search: bool | None = None
    # Lets list-customers find customers by the beginning of a value: the database keeps its first
    # 64 characters once more, in an index. Only for string, email, phone and url; never for
    # encrypted values. Absent: false.

    purposes: list[str] | None = None
    # The purposes for which the value may be used. A read states one of them, and the customer must
    # have consented to it; a write needs a consent to one of them. It holds for the name of the
    # field, whatever the agent. Absent: no consent is needed.

    remove_after_days: int | None = None
    # The number of days after their expiry that versions are kept; then they are removed for good.
    # 0: expired versions stay in the history.

    required_verification: bool | None = None
    # An unverified value still counts as missing.

    retention_days: int | None = None
    # The number of days that a value is valid after its collection. 0: no limit.

    retry_prompt: str | None = None
    # The text to the customer after an answer that was unclear or invalid, such as "The number is
    # on your card.". Absent: derived from the type and the allowed values.

    review_state: ReviewState | None = None

    searchable: bool | None = None
    # Lets list-customers find customers by an encrypted value: the database keeps a keyed hash of
    # it, which shows which customers have the same value. It holds for the name of the field: each
    # definition that requires the encryption must allow it. Values that are not encrypted can
    # always be found. Absent: false.

    source_priority: list[ValueSource] | None = None
    # The sources from the strongest to the weakest. Those that are absent follow in the usual
    # order.

    stale_action: StaleAction | None = None
    # The effect of a value that exceeds the maximum age. Absent: block.

    time_zone: str | None = None
    # The IANA time zone of a datetime without an offset from UTC, such as Europe/Berlin. Absent: a
    # datetime needs an offset.

    unit: str | None = None
    # The unit of a number, such as kg or EUR per month. A number that is stated in another unit is
    # not a value. Absent: none.

    updated_at: datetime | None = None

    validation_mode: ValidationMode | None = None
    # The handling of a value that violates the definition. Absent: the configured mode.

    validation_regex: str | None = None
    # A regular expression in RE2 syntax that must match the whole value.

    verification_methods: list[str] | None = None
    # The methods that count as verification. Absent: any method.

    version: UUID | None = None
    # Its version: the operation that changed it last. Pass it as if_version with a change that is
    # based on it.

    write_once: bool | None = None
    # Rejects a value that differs from the active one. The same value may be written again, and a
    # person may correct it.


@dataclass(kw_only=True)
class DefinitionEdit:
    """DefinitionEdit of the vault."""

    is_pii: bool | None = None
    # Keeps the value out of error messages.

    required_verification: bool | None = None
    # An unverified value still counts as missing.


@dataclass(kw_only=True)
class DeleteResult:
    """DeleteResult of the vault."""

    item_id: UUID

    orphaned: int

    previous_id: UUID | None = None

    restored: bool | None = None


@dataclass(kw_only=True)
class Delivery:
    """Delivery of the vault."""

    attempts: int

    created_at: datetime

    delivery_id: UUID
    # The header webhook-id of each attempt.

    status: DeliveryStatus

    type: str
    # The type of the event, or webhook.test.

    event_id: int | None = None
    # The event of the feed. Absent: a test.

    finished_at: datetime | None = None

    last_error: str | None = None
    # Why the last attempt failed.

    last_status: int | None = None
    # The HTTP status of the last answer.

    next_at: datetime | None = None
    # The time of the next attempt, of a pending delivery.


@dataclass(kw_only=True)
class DryRun:
    """DryRun of the vault."""

    action: ChangeAction
    # create, update, delete, or keep: it is stored already.

    complete: bool
    # Whether all customers were looked at, those before after included. If not, the numbers are
    # those of a part.

    customers: int
    # The number of customers that were looked at.

    kind: str
    # definition, requirement, scenario or rule.

    name: str

    effects: list[DryRunEffect] | None = None

    examples_hidden: bool | None = None
    # The key sees masked values only, so customers are counted and not named.

    members: list[str] | None = None
    # The members that differ from what is stored.

    next_after: UUID | None = None
    # Pass it as after to look at the customers that follow. Absent: there are none.

    references: list[DryRunReference] | None = None
    # The requirements, conditions and dependencies that the change is about. One with a problem
    # needs a change as well.

    scenarios: list[DryRunScenario] | None = None
    # The scenarios that the change is about: for whom each could no longer start.

    values: DryRunValues | None = None
    # What becomes of the stored values. Absent: the change is not of a definition.

    withheld: list[Withheld] | None = None
    # Fields of examples that are left out, as the customers have not consented to the purpose.


@dataclass(kw_only=True)
class DryRunEffect:
    """DryRunEffect of the vault."""

    member: str

    text: str


@dataclass(kw_only=True)
class DryRunExample:
    """DryRunExample of the vault."""

    customer_id: UUID

    item_id: UUID

    reason: str

    status: ItemStatus

    value: Any


@dataclass(kw_only=True)
class DryRunMissing:
    """DryRunMissing of the vault."""

    customers: int

    field_name: str

    reason: MissingReason


@dataclass(kw_only=True)
class DryRunReason:
    """DryRunReason of the vault."""

    text: str
    # The problem, without a value.

    values: int


@dataclass(kw_only=True)
class DryRunReference:
    """DryRunReference of the vault."""

    kind: str
    # requirement, condition, dependency, step condition, rule or evidence.

    scenario_id: UUID

    scenario_name: str

    field_name: str | None = None

    problem: str | None = None
    # What would be wrong with it after the change. Absent: nothing.

    requirement_id: UUID | None = None

    rule_id: UUID | None = None

    rule_name: str | None = None

    step_id: str | None = None


@dataclass(kw_only=True)
class DryRunScenario:
    """DryRunScenario of the vault."""

    asked: int
    # The number of customers who would miss a field that they do not miss now.

    blocked: int
    # The number of customers for whom the scenario could start, and no longer could.

    name: str

    new_customer: DryRunStart
    # A customer of whom nothing is known.

    scenario_id: UUID

    unblocked: int
    # The number of customers for whom the scenario could not start, and then could.

    examples: list[UUID] | None = None
    # Customers for whom the scenario could no longer start, then customers who would miss a field,
    # at most 10.

    missing: list[DryRunMissing] | None = None
    # The fields that customers would miss, and why.


@dataclass(kw_only=True)
class DryRunStart:
    """DryRunStart of the vault."""

    asks_after: list[str]
    # The missing fields in the order of collection, after the change.

    asks_before: list[str]
    # The missing fields in the order of collection, as it is.

    blocked_after: bool

    blocked_before: bool


@dataclass(kw_only=True)
class DryRunValues:
    """DryRunValues of the vault."""

    already_invalid: int
    # The number of values that break the stored definition already, and the changed one too.

    checked: int
    # The number of active and pending values that were checked.

    customers: int
    # The number of customers with such a value.

    invalid: int
    # The number of values that break the changed definition, and not the stored one.

    examples: list[DryRunExample] | None = None
    # Values that would be invalid, at most 10.

    reasons: list[DryRunReason] | None = None
    # Why values would be invalid, the most frequent first, at most 10.


@dataclass(kw_only=True)
class EngineFailure:
    """EngineFailure of the vault."""

    at: datetime

    error: str | None = None


@dataclass(kw_only=True)
class EngineRun:
    """EngineRun of the vault."""

    created_at: datetime

    engine_tenant_id: UUID

    run_id: UUID

    status: Literal["QUEUED", "RUNNING", "COMPLETED", "FAILED", "CANCELLED"]
    # As the engine says.

    steps: list[EngineStep]
    # In the order in which they were created.

    finished_at: datetime | None = None

    started_at: datetime | None = None


@dataclass(kw_only=True)
class EngineStep:
    """EngineStep of the vault."""

    attempts: int
    # The number of times that it was started; 0: not yet.

    name: str

    status: Literal["QUEUED", "RUNNING", "COMPLETED", "FAILED", "CANCELLED"]

    failures: list[EngineFailure] | None = None
    # The attempts that failed, the first one first, at most 20.

    finished_at: datetime | None = None

    started_at: datetime | None = None
    # Of the last attempt.


@dataclass(kw_only=True)
class EraseCustomer:
    """EraseCustomer of the vault."""

    customer_id: UUID | None = None

    derived: DerivedAction | None = None
    # What happens to items of other customers that were derived from this customer's items: stale
    # (default) keeps them, marked as stale and without their link; erase erases their values as
    # well.


@dataclass(kw_only=True)
class EraseResult:
    """EraseResult of the vault."""

    erasure_id: UUID

    rows: dict[str, int]

    mentions: dict[str, int] | None = None


@dataclass(kw_only=True)
class Erasure:
    """Erasure of the vault."""

    begun_at: datetime

    derived: DerivedAction

    erasure_id: UUID

    rows: dict[str, int]
    # The number of erased rows, by table.

    state: ErasureState
    # begun: no reader sees the customer any more; erased: the rows are removed; scanned: nothing
    # was found afterwards; finished: there is a receipt.

    finished_at: datetime | None = None

    mentions: dict[str, int] | None = None
    # The number of rows of others, by table, in which a distinctive value of the customer still
    # occurs. They are not erased: the value may be their own.

    receipt: str | None = None
    # The signed receipt, as vault erasure verify reads it. Lists leave it out.


@dataclass(kw_only=True)
class EventList:
    """EventList of the vault."""

    after: str
    # The position up to which the feed was read. Pass it as after to continue later, also if items
    # is empty.

    items: list[FeedEvent]

    next_cursor: str | None = None
    # The cursor of the next page. Absent: the newest event was read.

    withheld: list[Withheld] | None = None
    # The fields of customers whose values are not shown, and why.


@dataclass(kw_only=True)
class ExpireValue:
    """ExpireValue of the vault."""

    customer_id: UUID | None = None

    item_id: UUID | None = None
    # The version that expires. Absent: the version that is active when the operation is accepted.

    name: str | None = None


@dataclass(kw_only=True)
class ExportCustomerResult:
    """ExportCustomerResult of the vault."""

    customer_id: UUID

    expires_at: datetime

    export_id: UUID

    rows: dict[str, int]


@dataclass(kw_only=True)
class ExtractResult:
    """ExtractResult of the vault."""

    model_calls: int

    outcome: str

    need_review: list[str] | None = None

    requirements: list[str] | None = None

    suggested: list[str] | None = None

    warnings: list[str] | None = None


@dataclass(kw_only=True)
class ExtractSchema:
    """ExtractSchema of the vault."""

    agent_id: UUID | None = None
    # The id of the agent whose definitions apply.

    content_hash: str | None = None

    rule_id: UUID | None = None
    # The id of the rule. Absent: the scenario itself.

    scenario_id: UUID | None = None


@dataclass(kw_only=True)
class FeedEvent:
    """FeedEvent of the vault."""

    at: datetime
    # The time of the change.

    id: int
    # The position in the feed: 1, 2, 3 … with gaps where a customer was erased.

    type: EventType

    agent_id: UUID | None = None
    # The agent of the definition, question or scenario.

    customer_id: UUID | None = None

    into_customer_id: UUID | None = None
    # Of a merge and its undo: the customer into whom customer_id was merged. Of the review of a
    # proposed merge: the older customer.

    kind: str | None = None
    # Of a question: value or confirm. Of a review: definition, requirement, value or merge.

    name: str | None = None
    # The name of the field, of a proposed merge those of all its fields; of a consent, the purpose;
    # of a failure, the workflow.

    operation_id: UUID | None = None
    # The operation that made the change, if it is known; of question.opened, the gap fill.

    status: str | None = None
    # The outcome: of a question, its status; of a review, the decision, or of a value its status
    # afterwards: active, superseded … or deleted, or of a proposed merge closed; of a consent,
    # granted or withdrawn; of a gap fill, ended or cancelled; of a failure, the code of the error.

    subject_id: UUID | None = None
    # The id of the value or asset, the question, the gap fill or the operation; of a review, of
    # what is reviewed.

    value: Any | None = None
    # With values=true: the value of the item at the time of reading, of value.changed,
    # value.pending and value.verified. Absent: it was deleted since, or is withheld.


@dataclass(kw_only=True)
class FieldProblem:
    """FieldProblem of the vault."""

    detail: str

    field: str


@dataclass(kw_only=True)
class FillGaps:
    """FillGaps of the vault."""

    scenario_id: UUID

    customer_id: UUID | None = None

    deadline_seconds: int | None = None
    # The deadline of each question, in seconds. 0: 24 hours.

    level: RequiredLevel | None = None

    max_attempts: int | None = None
    # The maximum number of answers to one field that are unclear or invalid. 0: 3.

    session_id: UUID | None = None

    step_id: str | None = None
    # The id of the step of the scenario. Absent: the whole scenario.


@dataclass(kw_only=True)
class FillResult:
    """FillResult of the vault."""

    blocked: bool

    fields: list[GapResult]

    model_calls: int

    cancelled: bool | None = None

    warnings: list[str] | None = None


@dataclass(kw_only=True)
class GapResult:
    """GapResult of the vault."""

    field_name: str

    filled: bool

    action: str | None = None

    confidence: float | None = None

    item_id: UUID | None = None

    requires_confirmation: bool | None = None

    source: GapSource | None = None

    validation_errors: list[str] | None = None


@dataclass(kw_only=True)
class GivenRequirement:
    """GivenRequirement of the vault."""

    confidence: float

    existing: bool

    fallback_action: FallbackAction

    field_name: str

    matched_by: MatchedBy
    # How the phrase was matched: name, words, description, meaning, condition, expression, model or
    # nothing (a new definition).

    quote: str

    required_level: RequiredLevel

    required_verification: bool | None = None

    unbound_condition: str | None = None
    # The words of a condition that no definition of the agent decides. The requirement is soft.

    when_condition: str | None = None


@dataclass(kw_only=True)
class Health:
    """Health of the vault."""

    dependencies: dict[str, str]
    # The state of each dependency: ok or does not answer.

    status: Literal["ready", "degraded", "unavailable", "stopping"]
    # degraded: an optional dependency does not answer; stopping: the program shuts down.


@dataclass(kw_only=True)
class ImportResult:
    """ImportResult of the vault."""

    customers: int

    pending: int

    superseded: int

    warnings: int

    written: int

    rejected: list[Rejected] | None = None

    warned: list[Warned] | None = None


@dataclass(kw_only=True)
class ImportValues:
    """ImportValues of the vault."""

    writes: list[WriteValue]

    skip_invalid: bool | None = None
    # Stores the valid writes and lists the others in the result. Absent: all or none.


@dataclass(kw_only=True)
class ItemResult:
    """ItemResult of the vault."""

    item_id: UUID

    profile_version: int

    status: ItemStatus

    also_read: list[str] | None = None
    # For an answer: the other fields that the reply states. They are written as well.

    denied: bool | None = None

    interrupted: bool | None = None
    # For an answer: the reply does not answer the question, such as "just a moment". The question
    # stays open.

    refused: bool | None = None
    # For an answer: the customer does not give the value. The gap fill does not ask for it again.

    warnings: list[str] | None = None


@dataclass(kw_only=True)
class KeyResult:
    """KeyResult of the vault."""

    key_id: UUID


@dataclass(kw_only=True)
class KeySummary:
    """KeySummary of the vault."""

    created_at: datetime

    id: UUID

    masked: bool
    # The key sees values of PII fields masked only.

    name: str
    # The purpose of the key, for people.

    scopes: list[str]

    agents: list[UUID] | None = None
    # The agents whose data the key may use. Absent: all agents.

    expires_at: datetime | None = None

    last_used_at: datetime | None = None
    # The last use, at most a minute old.

    purpose: str | None = None
    # The purpose of reads that state none.

    revoked_at: datetime | None = None

    sources: list[ValueSource] | None = None
    # The sources of the values that the key may write. Absent: all except human_entered and
    # document_extracted.


@dataclass(kw_only=True)
class LinkChannel:
    """LinkChannel of the vault."""

    channel: str

    external_id: str
    # The identity of the customer on the channel, such as a phone number.

    after_erasure: bool | None = None
    # Accept an identity of an erased customer: the person came back, as a new customer. Absent: it
    # is rejected with erased.

    customer_id: UUID | None = None

    verified: bool | None = None


@dataclass(kw_only=True)
class Merge:
    """Merge of the vault."""

    id: UUID

    merged_at: datetime

    operation_id: UUID

    source_customer_id: UUID
    # The customer who was merged. unmerge-customer takes this id.

    state: MergeState
    # undoable: unmerge-customer undoes it; undone; target_merged: the target was merged itself,
    # undo that merge first; target_deleted: the target was deleted, with everything merged into it.

    target_customer_id: UUID
    # The customer who remained.

    undone_at: datetime | None = None


@dataclass(kw_only=True)
class MergeCustomers:
    """MergeCustomers of the vault."""

    source_customer_id: UUID
    # The customer that is merged. Afterwards its id refers to the other customer.

    target_customer_id: UUID | None = None


@dataclass(kw_only=True)
class MergeProposal:
    """MergeProposal of the vault."""

    fields: list[str]
    # The fields whose values are equal.

    merge_rule_id: UUID

    newer_customer_id: UUID

    older_customer_id: UUID
    # The customer who was created first. It remains, unless the decision keeps the newer one.

    proposal_id: UUID

    proposed_at: datetime

    status: MergeProposalStatus
    # pending: a person decides; approved: the customers were merged; rejected: they stay apart, and
    # are not proposed again for these values; closed: see reason.

    updated_at: datetime

    decided_at: datetime | None = None

    decided_by: str | None = None

    kept_customer_id: UUID | None = None
    # Of an approved proposal: the customer who remained.

    reason: MergeCloseReason | None = None
    # Of a closed proposal, why it needs no decision any more.


@dataclass(kw_only=True)
class MergeRule:
    """MergeRule of the vault."""

    created_at: datetime

    enabled: bool

    fields: list[str]

    max_group: int

    merge_rule_id: UUID

    unverified: bool

    updated_at: datetime

    looked_at: datetime | None = None
    # The end of the last search by this rule. Absent: there was none since it was saved.

    name: str | None = None

    version: UUID | None = None
    # Its version: the operation that changed it last. Pass it as if_version with a change that is
    # based on it.


@dataclass(kw_only=True)
class Missing:
    """Missing of the vault."""

    blocking: bool

    reason: MissingReason

    requirement: Requirement

    definition: Definition | None = None


@dataclass(kw_only=True)
class MissingFields:
    """MissingFields of the vault."""

    blocked: bool

    missing: list[Missing]

    warnings: list[str] | None = None

    withheld: list[Withheld] | None = None
    # Fields that the scenario needs, and that the customer has not consented to: they must not be
    # asked for.


@dataclass(kw_only=True)
class OpenCustomer:
    """OpenCustomer of the vault."""

    channel: str

    external_id: str
    # The identity of the customer on the channel, such as a phone number.

    after_erasure: bool | None = None
    # Accept an identity of an erased customer: the person came back, as a new customer. Absent: it
    # is rejected with erased.

    verified: bool | None = None


@dataclass(kw_only=True)
class OpenCustomers:
    """OpenCustomers of the vault."""

    identities: list[OpenCustomer]


@dataclass(kw_only=True)
class OpenCustomersResult:
    """OpenCustomersResult of the vault."""

    created: int

    customer_ids: list[UUID]


@dataclass(kw_only=True)
class OperationRuns:
    """OperationRuns of the vault."""

    runs: list[EngineRun]
    # The newest first, at most 5. Empty: the engine has none, or has dropped it: it keeps a run for
    # some days.


@dataclass(kw_only=True)
class OperationSummary:
    """OperationSummary of the vault."""

    accepted_at: datetime

    attempts: int
    # The number of times the operation was pushed to the workflow engine.

    operation_id: UUID

    status: OperationStatus

    subject: str
    # The thing that the operation changes, mostly the id of a customer, agent or scenario. Of a gap
    # fill: customer:scenario.

    workflow: str

    actor: str | None = None
    # Who submitted the operation: key:<id>, workflow:<name>:<operation>, admin …

    error: SummarisedError | None = None
    # The reason of the failure.

    finished_at: datetime | None = None


@dataclass(kw_only=True)
class PassedOver:
    """PassedOver of the vault."""

    reason: str

    text: str


@dataclass(kw_only=True)
class PendingReviews:
    """PendingReviews of the vault."""

    definitions: list[Definition]

    merges: list[MergeProposal]

    requirements: list[Requirement]

    values: list[PendingValue]

    next_cursor: str | None = None
    # The cursor of the next page. Absent: this is the last page.

    withheld: list[Withheld] | None = None
    # The fields with a value that is not shown, and why.


@dataclass(kw_only=True)
class PendingValue:
    """PendingValue of the vault."""

    customer_id: UUID

    pending: Value

    active: Value | None = None


@dataclass(kw_only=True)
class ProposeDeletion:
    """ProposeDeletion of the vault."""

    reason: DeletionReason
    # Why the value should be deleted.

    customer_id: UUID | None = None

    name: str | None = None


@dataclass(kw_only=True)
class ProposeMerges:
    """ProposeMerges of the vault."""

    merge_rule_id: UUID | None = None
    # One rule. Absent: all enabled rules.


@dataclass(kw_only=True)
class ProposeMergesResult:
    """ProposeMergesResult of the vault."""

    closed: int
    # The number of pending proposals that were closed, because their customers do not share the
    # values any more.

    compared: int
    # The number of values that were compared.

    proposed: int
    # The number of pairs that were proposed.

    rules: int
    # The number of rules that were applied.

    too_large: int
    # The number of groups that were left out, because more customers share the value than the rule
    # allows, or more than 100.

    skipped: list[SkippedMergeRule] | None = None
    # The rules that cannot be applied any more, and why.


@dataclass(kw_only=True)
class Question:
    """Question of the vault."""

    agent_id: UUID

    attempt: int

    customer_id: UUID

    deadline_at: datetime

    field_name: str

    fill_id: UUID

    id: UUID

    kind: QuestionKind

    opened_at: datetime

    prompt: str

    scenario_id: UUID

    status: QuestionStatus

    answered_on: str | None = None
    # The channel of the answer that closed it.

    candidate: Any | None = None

    channels: list[str] | None = None
    # The channels on which it may be asked. Absent: each.

    claimed_by: str | None = None
    # The channel that asks it until claimed_until.

    claimed_until: datetime | None = None

    closed_at: datetime | None = None
    # The time at which it was answered, expired or cancelled. Absent: it is open.

    item_id: UUID | None = None

    reason: str | None = None

    rejection: str | None = None
    # Why the answer was not taken, in words for the customer.


@dataclass(kw_only=True)
class ReadConversationResult:
    """ReadConversationResult of the vault."""

    fields: list[ReadField]

    model_calls: int

    outcome: ReadOutcome
    # read, nothing_new (the customer said nothing since the last reading), fill_running (a gap fill
    # of the session has not ended, and reads it) or customer_deleted.

    warnings: list[str] | None = None


@dataclass(kw_only=True)
class ReadField:
    """ReadField of the vault."""

    field_name: str

    action: str | None = None

    confidence: float | None = None

    requires_confirmation: bool | None = None

    validation_errors: list[str] | None = None

    write_operation_id: UUID | None = None


@dataclass(kw_only=True)
class Recall:
    """Recall of the vault."""

    question: str
    # The question, in words, such as: does she have allergies?

    limit: int | None = None
    # The maximum number of results. Absent: 10.


@dataclass(kw_only=True)
class RecallResult:
    """RecallResult of the vault."""

    at: datetime
    # The time of the turn, or of the collection of the value.

    kind: RecallKind

    score: float
    # The reciprocal rank fusion of the ranks by words and by meaning. It orders the results of one
    # answer.

    confidence: float | None = None
    # The confidence of the value, of a fact.

    item_id: UUID | None = None
    # The id of the value, of a fact.

    name: str | None = None
    # The name of the field, of a fact.

    session_id: UUID | None = None
    # The session in which it was said.

    source: ValueSource | None = None
    # The source of the value, of a fact.

    speaker: Speaker | None = None
    # Who said it, of a quote.

    text: str | None = None
    # What was said, of a quote.

    turn: int | None = None
    # The index of the turn in the session.

    value: Any | None = None
    # The value, of a fact.

    verified: bool | None = None
    # Whether the value is verified, of a fact.


@dataclass(kw_only=True)
class Recalled:
    """Recalled of the vault."""

    complete: bool
    # false: the customer has more turns than a recall reads, and the oldest were left out.

    meaning: bool
    # Whether turns were also compared by their meaning. false: by their words only, because the
    # model could not embed the question.

    results: list[RecallResult]
    # The closest facts and quotes, the closest first.

    withheld: list[Withheld] | None = None
    # The fields that are left out, and why.


@dataclass(kw_only=True)
class ReceiptKey:
    """ReceiptKey of the vault."""

    public_key: str
    # The public key that checks the receipts of this tenant: a keyset of Tink in JSON, as vault
    # erasure verify reads it.


@dataclass(kw_only=True)
class RecordConsent:
    """RecordConsent of the vault."""

    purpose: str

    customer_id: UUID | None = None

    expires_at: datetime | None = None
    # The time when the value expires. Absent: by the retention of the definition, or never.

    granted: bool | None = None

    source: str | None = None
    # The source of the value.


@dataclass(kw_only=True)
class Rejected:
    """Rejected of the vault."""

    code: Code

    index: int

    message: str


@dataclass(kw_only=True)
class Rejection:
    """Rejection of the vault."""

    code: Code

    detail: str

    field: str | None = None

    related: list[UUID] | None = None


@dataclass(kw_only=True)
class ReplayDeliveries:
    """ReplayDeliveries of the vault."""

    delivery_id: UUID | None = None
    # The delivery. Absent: all dead deliveries of the webhook.

    webhook_id: UUID | None = None


@dataclass(kw_only=True)
class ReplayDeliveriesResult:
    """ReplayDeliveriesResult of the vault."""

    replayed: int
    # The number of deliveries.

    webhook_id: UUID


@dataclass(kw_only=True)
class Requirement:
    """Requirement of the vault."""

    fallback_action: FallbackAction
    # The action of gap fill if no source has the value.

    required_level: RequiredLevel
    # hard: the scenario must not start without the field.

    agent_id: UUID | None = None
    # The id of the agent whose definitions apply.

    collection_order: int | None = None
    # The position in the order of collection. Lower numbers come first.

    confidence: float | None = None
    # From 0 to 1. Absent: 1.

    depends_on_fields: list[str] | None = None
    # Fields that must be known before this requirement applies.

    field_name: str | None = None

    id: UUID | None = None

    if_version: UUID | None = None
    # The version that the change is based on. If another one is stored, the change fails with the
    # code conflict, which says who changed it and when, and nothing changes. The zero UUID: there
    # must be none yet. Absent: no check.

    needs_human_review: bool | None = None

    origin: Origin | None = None

    quote: str | None = None

    refuse_stale: bool | None = None
    # A value that is stale, because its source was replaced or expired, counts as missing.

    review_state: ReviewState | None = None

    rule_id: UUID | None = None
    # The id of the rule. Absent: the scenario itself.

    scenario_id: UUID | None = None

    step_id: str | None = None
    # The id of the step of the scenario. Absent: the whole scenario.

    version: UUID | None = None
    # Its version: the operation that changed it last. Pass it as if_version with a change that is
    # based on it.

    when_condition: str | None = None
    # A CEL expression over fields, session and scenario. Absent: always true.


@dataclass(kw_only=True)
class RequirementEdit:
    """RequirementEdit of the vault."""

    collection_order: int | None = None
    # The position in the order of collection. Lower numbers come first.

    depends_on_fields: list[str] | None = None
    # Fields that must be known before this requirement applies.

    fallback_action: FallbackAction | None = None
    # The action of gap fill if no source has the value.

    required_level: RequiredLevel | None = None
    # hard: the scenario must not start without the field.

    when_condition: str | None = None
    # A CEL expression over fields, session and scenario. Absent: always true.


@dataclass(kw_only=True)
class Rule:
    """Rule of the vault."""

    condition: str
    # Free text or an expression.

    name: str

    scenario_id: UUID

    action: str | None = None

    agent_id: UUID | None = None
    # The id of the agent whose definitions apply.

    id: UUID | None = None

    if_version: UUID | None = None
    # The version that the change is based on. If another one is stored, the change fails with the
    # code conflict, which says who changed it and when, and nothing changes. The zero UUID: there
    # must be none yet. Absent: no check.

    version: UUID | None = None
    # Its version: the operation that changed it last. Pass it as if_version with a change that is
    # based on it.


@dataclass(kw_only=True)
class RuleSummary:
    """RuleSummary of the vault."""

    agent_id: UUID

    created_at: datetime

    id: UUID

    name: str

    scenario_id: UUID

    updated_at: datetime


@dataclass(kw_only=True)
class SaveMergeRule:
    """SaveMergeRule of the vault."""

    fields: list[str]
    # The fields whose values must all be equal, such as email. A definition of each exists, of type
    # string, email, phone, url or number; a date may stand beside one of these. Put the field with
    # the most distinctive values first.

    enabled: bool | None = None
    # false: nothing is looked for by this rule until it is saved again. Absent: true.

    if_version: UUID | None = None
    # The version that the change is based on. If another one is stored, the change fails with the
    # code conflict, which says who changed it and when, and nothing changes. The zero UUID: there
    # must be none yet. Absent: no check.

    max_group: int | None = None
    # The maximum number of customers with equal values: if more have them, such as the phone of an
    # office, none of them is proposed. Absent: 10.

    merge_rule_id: UUID | None = None

    name: str | None = None
    # A name for people.

    unverified: bool | None = None
    # Values that nobody verified count too. Absent: only verified ones.


@dataclass(kw_only=True)
class SaveSession:
    """SaveSession of the vault."""

    agent_id: UUID
    # The id of the agent whose definitions apply.

    customer_id: UUID

    ended: bool | None = None
    # The conversation is over: its facts are read at the next sweep. Absent: when it has been quiet
    # for a while.

    session_id: UUID | None = None

    turns: list[Turn] | None = None

    variables: dict[str, Any] | None = None
    # Values by name.


@dataclass(kw_only=True)
class SaveWebhook:
    """SaveWebhook of the vault."""

    url: str
    # The address that receives the events: https, and not a private one unless the configuration
    # allows it.

    agent_id: UUID | None = None
    # Only events of this agent. Absent: all.

    enabled: bool | None = None
    # false: deliver nothing until it is saved again. Absent: true.

    if_version: UUID | None = None
    # The version that the change is based on. If another one is stored, the change fails with the
    # code conflict, which says who changed it and when, and nothing changes. The zero UUID: there
    # must be none yet. Absent: no check.

    secret: str | None = None
    # Signs the deliveries: whsec_ and 24 to 64 random bytes in base64. A new webhook needs one; no
    # read returns it. Another one than before replaces it, and the one before still signs for 24
    # hours. Absent: it stays.

    types: list[EventType] | None = None
    # The types of the events. Absent: all.

    values: bool | None = None
    # Send the values that the key of this request may see, by its purpose, as long as the key is
    # valid.

    webhook_id: UUID | None = None


@dataclass(kw_only=True)
class SavedResult:
    """SavedResult of the vault."""

    id: UUID

    extraction_operation_id: UUID | None = None

    warnings: list[str] | None = None


@dataclass(kw_only=True)
class Scenario:
    """Scenario of the vault."""

    name: str

    agent_id: UUID | None = None
    # The id of the agent whose definitions apply.

    description: str | None = None

    id: UUID | None = None

    if_version: UUID | None = None
    # The version that the change is based on. If another one is stored, the change fails with the
    # code conflict, which says who changed it and when, and nothing changes. The zero UUID: there
    # must be none yet. Absent: no check.

    steps: list[ScenarioStep] | None = None

    variables: dict[str, str] | None = None
    # Values by name.

    version: UUID | None = None
    # Its version: the operation that changed it last. Pass it as if_version with a change that is
    # based on it.


@dataclass(kw_only=True)
class ScenarioExplanation:
    """ScenarioExplanation of the vault."""

    current: bool
    # Whether all texts were read as they are saved now.

    model: str

    requirements: list[Requirement]

    scenario_id: UUID

    sentences: list[SentenceReading]
    # The sentences of the scenario, then those of its rules.


@dataclass(kw_only=True)
class ScenarioStep:
    """ScenarioStep of the vault."""

    id: str

    condition: str | None = None
    # Free text or an expression.

    text: str | None = None


@dataclass(kw_only=True)
class ScenarioSummary:
    """ScenarioSummary of the vault."""

    agent_id: UUID

    created_at: datetime

    id: UUID

    name: str

    requirements: int
    # The number of requirements, those of the rules included.

    rules: int
    # The number of rules.

    updated_at: datetime


@dataclass(kw_only=True)
class SentenceReading:
    """SentenceReading of the vault."""

    label: str

    text: str

    gave: list[GivenRequirement] | None = None

    passed_over: list[PassedOver] | None = None

    rule_id: UUID | None = None


@dataclass(kw_only=True)
class Session:
    """Session of the vault."""

    agent_id: UUID

    customer_id: UUID

    id: UUID

    turns: list[Turn] | None = None

    variables: dict[str, Any] | None = None

    withheld: list[Withheld] | None = None
    # The fields with a variable that is not shown, and why.


@dataclass(kw_only=True)
class SessionSummary:
    """SessionSummary of the vault."""

    agent_id: UUID

    created_at: datetime

    customer_id: UUID
    # The customer of the session: the requested one, or one that shares its profile since a merge.

    id: UUID

    turns: int
    # The number of turns.

    updated_at: datetime


@dataclass(kw_only=True)
class SetCustomerLabel:
    """SetCustomerLabel of the vault."""

    customer_id: UUID | None = None

    label: str | None = None


@dataclass(kw_only=True)
class SkippedMergeRule:
    """SkippedMergeRule of the vault."""

    detail: str

    merge_rule_id: UUID


@dataclass(kw_only=True)
class SummarisedError:
    """SummarisedError of the vault."""

    code: Code

    detail: str

    field: str | None = None


@dataclass(kw_only=True)
class SweepResult:
    """SweepResult of the vault."""

    customers: int

    marked: int


@dataclass(kw_only=True)
class TakeTurn:
    """TakeTurn of the vault."""

    text: str
    # The message, at most 64 KiB.

    agent_id: UUID | None = None
    # The agent. Absent: the agent of the scenario, or of the session.

    at: datetime | None = None
    # The time of the message. Absent: the time of acceptance. One in the future is refused.

    channel: str | None = None
    # The channel of the identity, such as whatsapp. With customer_id it is where the message came
    # from.

    customer_id: UUID | None = None
    # The customer. Absent: the customer of channel and external_id, who is created if there is
    # none.

    external_id: str | None = None
    # The identity of the customer on the channel. Required without customer_id.

    scenario_id: UUID | None = None
    # The scenario to move on: a gap fill is started if none of the customer runs. Absent: none.

    session_id: UUID | None = None
    # The session. Absent: the session of session_key.

    session_key: str | None = None
    # The caller's own name of the conversation. The same key of the same agent is the same session,
    # which is created with its first turn.

    speaker: Speaker | None = None
    # The author of the message. Absent: customer. The turn of an agent is saved, and neither
    # answers nor says anything.


@dataclass(kw_only=True)
class TestWebhookResult:
    """TestWebhookResult of the vault."""

    delivery_id: UUID
    # The delivery; list-deliveries shows its outcome.

    webhook_id: UUID


@dataclass(kw_only=True)
class Turn:
    """Turn of the vault."""

    text: str

    at: datetime | None = None

    index: int | None = None

    speaker: Speaker | None = None


@dataclass(kw_only=True)
class TurnAnswer:
    """TurnAnswer of the vault."""

    field_name: str

    outcome: TurnOutcome

    question_id: UUID


@dataclass(kw_only=True)
class TurnFact:
    """TurnFact of the vault."""

    field_name: str

    item_id: UUID | None = None

    quote: str | None = None
    # The words of the customer.

    requires_confirmation: bool | None = None

    status: ItemStatus | None = None
    # active, or pending if a stronger value differs. Absent: the field has this value already.

    value: Any | None = None


@dataclass(kw_only=True)
class TurnRefusal:
    """TurnRefusal of the vault."""

    code: Code

    detail: str
    # Why it is not stored.

    field_name: str


@dataclass(kw_only=True)
class TurnResult:
    """TurnResult of the vault."""

    agent_id: UUID

    customer_id: UUID

    learned: list[TurnFact]
    # The values that the turn states.

    model_calls: int

    refused: list[TurnRefusal]
    # What was read and is not stored, and why.

    session_id: UUID

    turn_index: int

    answer: TurnAnswer | None = None
    # What the turn says to the open question. Absent: none was open.

    channel: str | None = None

    context: str | None = None
    # The context block, as of GET …/context. Only in the response to the turn.

    customer_created: bool | None = None
    # The channel identity was unknown, and the customer was created.

    fill_id: UUID | None = None
    # The fill-gaps operation that the turn moved on.

    missing: list[ContextEntry] | None = None
    # What the scenario still misses. Only in the response to the turn.

    question: Question | None = None
    # The next question to the customer. Absent: none, or the response is that of the operation.

    scenario_id: UUID | None = None

    warnings: list[str] | None = None


@dataclass(kw_only=True)
class Usage:
    """Usage of the vault."""

    calls: int

    completion_tokens: int

    cost_micros: int
    # The cost, in millionths of the currency of the configured prices.

    day: str
    # The day, in UTC.

    prompt_tokens: int


@dataclass(kw_only=True)
class Value:
    """Value of the vault."""

    accepted_at: datetime

    collected_at: datetime

    confidence: float

    id: UUID

    name: str

    operation_id: UUID

    profile_id: UUID

    source: ValueSource

    status: ItemStatus

    updated_at: datetime

    value: Any

    value_type: ValueType

    verified: bool

    actor: str | None = None
    # Who submitted the operation that wrote it: key:<id>, workflow:<name>:<operation>, admin …

    decided_at: datetime | None = None

    decided_by: str | None = None

    decision: ValueDecision | None = None

    decision_note: str | None = None

    definition_id: UUID | None = None

    deletion_proposed_at: datetime | None = None
    # The time at which somebody proposed to delete the value. Absent: nobody did.

    deletion_reason: DeletionReason | None = None

    encrypted: bool | None = None

    expires_at: datetime | None = None

    requires_confirmation: bool | None = None

    source_item_id: UUID | None = None
    # The id of the value or asset from which it was derived.

    source_item_type: SourceType | None = None
    # The type of source_item_id.

    source_metadata: Any | None = None

    source_scenario_id: UUID | None = None

    source_session_id: UUID | None = None

    source_step_id: str | None = None

    stale_since: datetime | None = None
    # The time at which the value became stale: the item from which it was derived was replaced,
    # expired, or became stale itself. Absent: it is not stale.

    superseded_at: datetime | None = None

    superseded_by_id: UUID | None = None

    verification_method: str | None = None

    verified_at: datetime | None = None

    verified_by: str | None = None

    warnings: list[str] | None = None

    yields_to_id: UUID | None = None


@dataclass(kw_only=True)
class VerifyValue:
    """VerifyValue of the vault."""

    agent_id: UUID
    # The id of the agent whose definitions apply.

    method: str

    customer_id: UUID | None = None

    item_id: UUID | None = None
    # The id of the version, or the id for a new item.

    name: str | None = None

    verified_by: str | None = None
    # The person or system that verified the value.


@dataclass(kw_only=True)
class WaitingFor:
    """WaitingFor of the vault."""

    deadline_at: datetime

    field_name: str

    fill_id: UUID

    prompt: str

    question_id: UUID


@dataclass(kw_only=True)
class Warned:
    """Warned of the vault."""

    index: int

    message: str


@dataclass(kw_only=True)
class Webhook:
    """Webhook of the vault."""

    created_at: datetime

    enabled: bool

    types: list[EventType]
    # None: all.

    updated_at: datetime

    url: str

    values: bool

    webhook_id: UUID

    agent_id: UUID | None = None

    disabled_reason: str | None = None
    # The reason that the vault disabled it: gone, as the receiver answered 410, or loop, as it
    # leads to a vault.

    key_id: UUID | None = None
    # The API key that saved it, whose rights decide about values.

    previous_secret_until: datetime | None = None
    # Up to then the secret before the last change signs too.

    version: UUID | None = None
    # Its version: the operation that changed it last. Pass it as if_version with a change that is
    # based on it.


@dataclass(kw_only=True)
class Withheld:
    """Withheld of the vault."""

    name: str

    reason: WithheldReason
    # purpose_required: the read states no purpose, and the field needs one. purpose_not_allowed:
    # the field may not be used for the stated purpose. no_consent: the customer has not consented
    # to it, has withdrawn the consent, or it has expired.


@dataclass(kw_only=True)
class WriteValue:
    """WriteValue of the vault."""

    agent_id: UUID
    # The id of the agent whose definitions apply.

    source: ValueSource
    # The source of the value.

    value: Any
    # Any JSON value of the type of the definition, up to 64 KiB.

    collected_at: datetime | None = None
    # The time when the customer stated the value. Absent: the time of acceptance.

    confidence: float | None = None
    # From 0 to 1. Absent: 1.

    customer_id: UUID | None = None

    expires_at: datetime | None = None
    # The time when the value expires. Absent: by the retention of the definition, or never.

    item_id: UUID | None = None
    # The id of the version, or the id for a new item.

    name: str | None = None

    requires_confirmation: bool | None = None
    # The customer has not confirmed the value yet.

    source_item_id: UUID | None = None
    # The id of the value or asset from which it was derived.

    source_item_type: SourceType | None = None
    # The type of source_item_id.

    source_metadata: Any | None = None
    # Metadata of the source: an object with any members, such as confidence, quote or page.

    source_scenario_id: UUID | None = None

    source_session_id: UUID | None = None

    source_step_id: str | None = None

    verification_method: str | None = None
    # The method of the verification. Required if verified is true.

    verified: bool | None = None

    verified_by: str | None = None
    # The person or system that verified the value.


DecideReview = Union[DecideReviewDefinition, DecideReviewRequirement]
StoredDefinition = Definition
StoredRequirement = Requirement
StoredRule = Rule
StoredScenario = Scenario
StoredScenarioStep = ScenarioStep
StoredTurn = Turn

# The types of the results of operations, by workflow.
RESULTS: dict[str, Any] = {
    "write-value": ItemResult,
    "add-element": ItemResult,
    "remove-element": ItemResult,
    "import-values": ImportResult,
    "verify-value": ItemResult,
    "expire-value": ItemResult,
    "propose-deletion": ItemResult,
    "decide-value": ItemResult,
    "correct-value": ItemResult,
    "add-asset": ItemResult,
    "delete-item": DeleteResult,
    "restore-item": ItemResult,
    "open-customer": CustomerResult,
    "open-customers": OpenCustomersResult,
    "link-channel": CustomerResult,
    "record-consent": CustomerResult,
    "set-customer-label": CustomerResult,
    "merge-customers": CustomerResult,
    "unmerge-customer": CustomerResult,
    "delete-customer": CustomerResult,
    "erase-customer": EraseResult,
    "export-customer": ExportCustomerResult,
    "save-definition": SavedResult,
    "delete-definition": SavedResult,
    "save-requirement": SavedResult,
    "delete-requirement": SavedResult,
    "save-scenario": SavedResult,
    "save-rule": SavedResult,
    "extract-schema": ExtractResult,
    "apply-configuration": ApplyConfigurationResult,
    "decide-review": SavedResult,
    "save-merge-rule": SavedResult,
    "delete-merge-rule": SavedResult,
    "propose-merges": ProposeMergesResult,
    "decide-merge": DecideMergeResult,
    "save-session": SavedResult,
    "fill-gaps": FillResult,
    "answer-question": ItemResult,
    "claim-question": ClaimResult,
    "read-conversation": ReadConversationResult,
    "cancel-fill": CancelResult,
    "save-webhook": SavedResult,
    "delete-webhook": SavedResult,
    "test-webhook": TestWebhookResult,
    "replay-deliveries": ReplayDeliveriesResult,
    "create-key": KeyResult,
    "revoke-key": KeyResult,
    "expire-values": SweepResult,
    "detect-orphans": SweepResult,
    "take-turn": TurnResult,
}
