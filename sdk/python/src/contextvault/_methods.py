# Generated from the OpenAPI document by `make generate`. Do not edit.
"""One method for each operation of the OpenAPI document, for both clients."""

from __future__ import annotations

from datetime import datetime
from typing import Any, AsyncIterator, Iterator, Literal, Union
from uuid import UUID

from . import models as m
from ._call import Call, Operation

Id = Union[UUID, str]

_add_asset = Call(
    name="add_asset",
    method="POST",
    path="/v1/customers/{customer_id}/assets",
    in_path={"customer_id": "customer_id"},
    in_query=(),
    has_body=True,
    result=m.ItemResult,
)
_add_element = Call(
    name="add_element",
    method="POST",
    path="/v1/customers/{customer_id}/values/{name}/elements",
    in_path={"customer_id": "customer_id", "name": "name"},
    in_query=(),
    has_body=True,
    result=m.ItemResult,
)
_add_turns = Call(
    name="add_turns",
    method="POST",
    path="/v1/sessions/{session_id}/turns",
    in_path={"session_id": "session_id"},
    in_query=(),
    has_body=True,
    result=m.SavedResult,
)
_answer_question = Call(
    name="answer_question",
    method="POST",
    path="/v1/questions/{question_id}/answer",
    in_path={"question_id": "question_id"},
    in_query=(),
    has_body=True,
    result=m.ItemResult,
)
_apply_configuration = Call(
    name="apply_configuration",
    method="PUT",
    path="/v1/agents/{agent_id}/configuration",
    in_path={"agent_id": "agent_id"},
    in_query=(),
    has_body=True,
    result=m.ApplyConfigurationResult,
)
_await_questions = Call(
    name="await_questions",
    method="GET",
    path="/v1/customers/{customer_id}/questions",
    in_path={"customer_id": "customer_id"},
    in_query=("wait", "channel"),
    result=m.Question,
)
_cancel_fill = Call(
    name="cancel_fill",
    method="POST",
    path="/v1/operations/{operation_id}/cancel",
    in_path={"operation_id": "operation_id"},
    in_query=(),
    result=m.CancelResult,
)
_claim_question = Call(
    name="claim_question",
    method="POST",
    path="/v1/questions/{question_id}/claim",
    in_path={"question_id": "question_id"},
    in_query=(),
    has_body=True,
    result=m.ClaimResult,
)
_correct_value = Call(
    name="correct_value",
    method="POST",
    path="/v1/customers/{customer_id}/values/{name}/correction",
    in_path={"customer_id": "customer_id", "name": "name"},
    in_query=(),
    has_body=True,
    result=m.ItemResult,
)
_count_customers = Call(
    name="count_customers",
    method="GET",
    path="/v1/customers/count",
    in_path={},
    in_query=("where",),
    result=m.CustomerCount,
)
_create_key = Call(
    name="create_key",
    method="POST",
    path="/v1/keys",
    in_path={},
    in_query=(),
    has_body=True,
    result=m.KeyResult,
)
_decide_merge = Call(
    name="decide_merge",
    method="POST",
    path="/v1/merge-proposals/{proposal_id}/decision",
    in_path={"proposal_id": "proposal_id"},
    in_query=(),
    has_body=True,
    result=m.DecideMergeResult,
)
_decide_review = Call(
    name="decide_review",
    method="POST",
    path="/v1/reviews/{review_id}/decision",
    in_path={"review_id": "id"},
    in_query=(),
    has_body=True,
    result=m.SavedResult,
)
_decide_value = Call(
    name="decide_value",
    method="POST",
    path="/v1/items/{item_id}/decision",
    in_path={"item_id": "item_id"},
    in_query=(),
    has_body=True,
    result=m.ItemResult,
)
_delete_customer = Call(
    name="delete_customer",
    method="DELETE",
    path="/v1/customers/{customer_id}",
    in_path={"customer_id": "customer_id"},
    in_query=("purge_after", "force"),
    result=m.CustomerResult,
)
_delete_definition = Call(
    name="delete_definition",
    method="DELETE",
    path="/v1/agents/{agent_id}/definitions/{name}",
    in_path={"agent_id": "agent_id", "name": "name"},
    in_query=("if_version",),
    result=m.SavedResult,
)
_delete_item = Call(
    name="delete_item",
    method="DELETE",
    path="/v1/items/{item_id}",
    in_path={"item_id": "item_id"},
    in_query=("force", "restore_previous"),
    result=m.DeleteResult,
)
_delete_merge_rule = Call(
    name="delete_merge_rule",
    method="DELETE",
    path="/v1/merge-rules/{merge_rule_id}",
    in_path={"merge_rule_id": "merge_rule_id"},
    in_query=("if_version",),
    result=m.SavedResult,
)
_delete_requirement = Call(
    name="delete_requirement",
    method="DELETE",
    path="/v1/scenarios/{scenario_id}/requirements/{field_name}",
    in_path={"scenario_id": "scenario_id", "field_name": "field_name"},
    in_query=("step_id", "rule_id", "if_version"),
    result=m.SavedResult,
)
_delete_webhook = Call(
    name="delete_webhook",
    method="DELETE",
    path="/v1/webhooks/{webhook_id}",
    in_path={"webhook_id": "webhook_id"},
    in_query=("if_version",),
    result=m.SavedResult,
)
_detect_orphans = Call(
    name="detect_orphans",
    method="POST",
    path="/admin/profiles/detect-orphans",
    in_path={},
    in_query=(),
    result=m.SweepResult,
)
_detect_own_orphans = Call(
    name="detect_own_orphans",
    method="POST",
    path="/v1/sweeps/detect-orphans",
    in_path={},
    in_query=(),
    result=m.SweepResult,
)
_drop_cached_profile = Call(
    name="drop_cached_profile",
    method="DELETE",
    path="/admin/cache/profiles/{customer_id}",
    in_path={"customer_id": "customer_id"},
    in_query=(),
)
_dry_run_definition = Call(
    name="dry_run_definition",
    method="POST",
    path="/v1/agents/{agent_id}/definitions/{name}/dry-run",
    in_path={"agent_id": "agent_id", "name": "name"},
    in_query=("after", "customers"),
    has_body=True,
    reads=True,
    result=m.DryRun,
)
_dry_run_delete_definition = Call(
    name="dry_run_delete_definition",
    method="POST",
    path="/v1/agents/{agent_id}/definitions/{name}/dry-run-delete",
    in_path={"agent_id": "agent_id", "name": "name"},
    in_query=("after", "customers"),
    reads=True,
    result=m.DryRun,
)
_dry_run_delete_requirement = Call(
    name="dry_run_delete_requirement",
    method="POST",
    path="/v1/scenarios/{scenario_id}/requirements/{field_name}/dry-run-delete",
    in_path={"scenario_id": "scenario_id", "field_name": "field_name"},
    in_query=("step_id", "rule_id", "after", "customers"),
    reads=True,
    result=m.DryRun,
)
_dry_run_requirement = Call(
    name="dry_run_requirement",
    method="POST",
    path="/v1/scenarios/{scenario_id}/requirements/{field_name}/dry-run",
    in_path={"scenario_id": "scenario_id", "field_name": "field_name"},
    in_query=("after", "customers"),
    has_body=True,
    reads=True,
    result=m.DryRun,
)
_dry_run_rule = Call(
    name="dry_run_rule",
    method="POST",
    path="/v1/agents/{agent_id}/rules/{rule_id}/dry-run",
    in_path={"agent_id": "agent_id", "rule_id": "id"},
    in_query=(),
    has_body=True,
    reads=True,
    result=m.DryRun,
)
_dry_run_scenario = Call(
    name="dry_run_scenario",
    method="POST",
    path="/v1/agents/{agent_id}/scenarios/{scenario_id}/dry-run",
    in_path={"agent_id": "agent_id", "scenario_id": "id"},
    in_query=("after", "customers"),
    has_body=True,
    reads=True,
    result=m.DryRun,
)
_erase_customer = Call(
    name="erase_customer",
    method="POST",
    path="/v1/customers/{customer_id}/erasure",
    in_path={"customer_id": "customer_id"},
    in_query=(),
    has_body=True,
    result=m.EraseResult,
)
_expire_own_values = Call(
    name="expire_own_values",
    method="POST",
    path="/v1/sweeps/expire-values",
    in_path={},
    in_query=(),
    result=m.SweepResult,
)
_expire_value = Call(
    name="expire_value",
    method="POST",
    path="/v1/customers/{customer_id}/values/{name}/expiry",
    in_path={"customer_id": "customer_id", "name": "name"},
    in_query=(),
    has_body=True,
    result=m.ItemResult,
)
_expire_values = Call(
    name="expire_values",
    method="POST",
    path="/admin/profiles/expire-stale",
    in_path={},
    in_query=(),
    result=m.SweepResult,
)
_explain_scenario = Call(
    name="explain_scenario",
    method="GET",
    path="/v1/scenarios/{scenario_id}/explanation",
    in_path={"scenario_id": "scenario_id"},
    in_query=(),
    result=m.ScenarioExplanation,
)
_export_customer = Call(
    name="export_customer",
    method="POST",
    path="/v1/customers/{customer_id}/exports",
    in_path={"customer_id": "customer_id"},
    in_query=(),
    result=m.ExportCustomerResult,
)
_extract_schema = Call(
    name="extract_schema",
    method="POST",
    path="/v1/scenarios/{scenario_id}/extract",
    in_path={"scenario_id": "scenario_id"},
    in_query=(),
    has_body=True,
    result=m.ExtractResult,
)
_fill_gaps = Call(
    name="fill_gaps",
    method="POST",
    path="/v1/customers/{customer_id}/fill",
    in_path={"customer_id": "customer_id"},
    in_query=(),
    has_body=True,
    result=m.FillResult,
    asks=True,
)
_find_customer = Call(
    name="find_customer",
    method="GET",
    path="/v1/channels/{channel}/customer",
    in_path={"channel": "channel"},
    in_query=("external_id",),
    result=m.Customer,
)
_get_chain = Call(
    name="get_chain",
    method="GET",
    path="/v1/items/{item_id}/chain",
    in_path={"item_id": "item_id"},
    in_query=("as_of", "known_at", "depth"),
    result=m.Chain,
)
_get_configuration = Call(
    name="get_configuration",
    method="GET",
    path="/v1/agents/{agent_id}/configuration",
    in_path={"agent_id": "agent_id"},
    in_query=(),
    result=m.AgentConfiguration,
)
_get_context = Call(
    name="get_context",
    method="GET",
    path="/v1/customers/{customer_id}/context",
    in_path={"customer_id": "customer_id"},
    in_query=("scenario", "session_id", "max_tokens", "format"),
    result=m.ContextBlock,
)
_get_customer = Call(
    name="get_customer",
    method="GET",
    path="/v1/customers/{customer_id}",
    in_path={"customer_id": "customer_id"},
    in_query=("as_of", "known_at", "history"),
    result=m.CustomerProfile,
)
_get_customer_export = Call(
    name="get_customer_export",
    method="GET",
    path="/v1/customers/{customer_id}/exports/{export_id}",
    in_path={"customer_id": "customer_id", "export_id": "export_id"},
    in_query=("format",),
    result=dict[str, Any],
)
_get_definition = Call(
    name="get_definition",
    method="GET",
    path="/v1/agents/{agent_id}/definitions/{name}",
    in_path={"agent_id": "agent_id", "name": "name"},
    in_query=(),
    result=m.Definition,
)
_get_erasure = Call(
    name="get_erasure",
    method="GET",
    path="/v1/erasures/{erasure_id}",
    in_path={"erasure_id": "erasure_id"},
    in_query=(),
    result=m.Erasure,
)
_get_health = Call(
    name="get_health",
    method="GET",
    path="/healthz",
    in_path={},
    in_query=(),
    result=m.Alive,
)
_get_missing = Call(
    name="get_missing",
    method="GET",
    path="/v1/customers/{customer_id}/missing",
    in_path={"customer_id": "customer_id"},
    in_query=("scenario_id", "step_id", "rule_id", "session_id", "level"),
    result=m.MissingFields,
)
_get_operation = Call(
    name="get_operation",
    method="GET",
    path="/v1/operations/{operation_id}",
    in_path={"operation_id": "operation_id"},
    in_query=(),
)
_get_question = Call(
    name="get_question",
    method="GET",
    path="/v1/questions/{question_id}",
    in_path={"question_id": "question_id"},
    in_query=(),
    result=m.Question,
)
_get_readiness = Call(
    name="get_readiness",
    method="GET",
    path="/readyz",
    in_path={},
    in_query=(),
    result=m.Health,
    also=(503,),
)
_get_receipt_key = Call(
    name="get_receipt_key",
    method="GET",
    path="/v1/receipt-key",
    in_path={},
    in_query=(),
    result=m.ReceiptKey,
)
_get_rule = Call(
    name="get_rule",
    method="GET",
    path="/v1/agents/{agent_id}/rules/{rule_id}",
    in_path={"agent_id": "agent_id", "rule_id": "rule_id"},
    in_query=(),
    result=m.Rule,
)
_get_runs = Call(
    name="get_runs",
    method="GET",
    path="/v1/operations/{operation_id}/runs",
    in_path={"operation_id": "operation_id"},
    in_query=(),
    result=m.OperationRuns,
)
_get_scenario = Call(
    name="get_scenario",
    method="GET",
    path="/v1/agents/{agent_id}/scenarios/{scenario_id}",
    in_path={"agent_id": "agent_id", "scenario_id": "scenario_id"},
    in_query=(),
    result=m.Scenario,
)
_get_session = Call(
    name="get_session",
    method="GET",
    path="/v1/sessions/{session_id}",
    in_path={"session_id": "session_id"},
    in_query=(),
    result=m.Session,
)
_get_value = Call(
    name="get_value",
    method="GET",
    path="/v1/customers/{customer_id}/values/{name}",
    in_path={"customer_id": "customer_id", "name": "name"},
    in_query=("as_of", "known_at"),
    result=m.Value,
)
_get_webhook = Call(
    name="get_webhook",
    method="GET",
    path="/v1/webhooks/{webhook_id}",
    in_path={"webhook_id": "webhook_id"},
    in_query=(),
    result=m.Webhook,
)
_import_customer_values = Call(
    name="import_customer_values",
    method="POST",
    path="/v1/customers/{customer_id}/import",
    in_path={"customer_id": "customer_id"},
    in_query=(),
    has_body=True,
    result=m.ImportResult,
)
_import_values = Call(
    name="import_values",
    method="POST",
    path="/v1/import",
    in_path={},
    in_query=(),
    has_body=True,
    result=m.ImportResult,
)
_link_channel = Call(
    name="link_channel",
    method="POST",
    path="/v1/customers/{customer_id}/channels",
    in_path={"customer_id": "customer_id"},
    in_query=(),
    has_body=True,
    result=m.CustomerResult,
)
_list_agents = Call(
    name="list_agents",
    method="GET",
    path="/v1/agents",
    in_path={},
    in_query=("limit",),
    result=m.AgentSummary,
)
_list_audit = Call(
    name="list_audit",
    method="GET",
    path="/v1/audit",
    in_path={},
    in_query=("subject", "actor", "action", "operation", "purpose", "from", "to", "limit"),
    result=m.AuditEntry,
)
_list_closed_questions = Call(
    name="list_closed_questions",
    method="GET",
    path="/v1/customers/{customer_id}/questions/closed",
    in_path={"customer_id": "customer_id"},
    in_query=("limit",),
    result=m.Question,
)
_list_customer_history = Call(
    name="list_customer_history",
    method="GET",
    path="/v1/customers/{customer_id}/history",
    in_path={"customer_id": "customer_id"},
    in_query=("limit",),
    result=m.Value,
)
_list_customers = Call(
    name="list_customers",
    method="GET",
    path="/v1/customers",
    in_path={},
    in_query=("values", "where", "limit"),
    result=m.Customer,
)
_list_definitions = Call(
    name="list_definitions",
    method="GET",
    path="/v1/agents/{agent_id}/definitions",
    in_path={"agent_id": "agent_id"},
    in_query=("limit",),
    result=m.Definition,
)
_list_deliveries = Call(
    name="list_deliveries",
    method="GET",
    path="/v1/webhooks/{webhook_id}/deliveries",
    in_path={"webhook_id": "webhook_id"},
    in_query=("status", "limit"),
    result=m.Delivery,
)
_list_derived = Call(
    name="list_derived",
    method="GET",
    path="/v1/items/{item_id}/derived",
    in_path={"item_id": "item_id"},
    in_query=("limit",),
    result=m.ChainLink,
)
_list_erasures = Call(
    name="list_erasures",
    method="GET",
    path="/v1/erasures",
    in_path={},
    in_query=("limit",),
    result=m.Erasure,
)
_list_events = Call(
    name="list_events",
    method="GET",
    path="/v1/events",
    in_path={},
    in_query=("after", "types", "customer_id", "agent_id", "values", "limit"),
    result=m.FeedEvent,
)
_list_history = Call(
    name="list_history",
    method="GET",
    path="/v1/customers/{customer_id}/values/{name}/history",
    in_path={"customer_id": "customer_id", "name": "name"},
    in_query=("limit",),
    result=m.Value,
)
_list_keys = Call(
    name="list_keys",
    method="GET",
    path="/v1/keys",
    in_path={},
    in_query=("limit",),
    result=m.KeySummary,
)
_list_merge_proposals = Call(
    name="list_merge_proposals",
    method="GET",
    path="/v1/merge-proposals",
    in_path={},
    in_query=("status", "customer_id", "limit"),
    result=m.MergeProposal,
)
_list_merge_rules = Call(
    name="list_merge_rules",
    method="GET",
    path="/v1/merge-rules",
    in_path={},
    in_query=(),
    result=m.MergeRule,
)
_list_merges = Call(
    name="list_merges",
    method="GET",
    path="/v1/customers/{customer_id}/merges",
    in_path={"customer_id": "customer_id"},
    in_query=("limit",),
    result=m.Merge,
)
_list_operations = Call(
    name="list_operations",
    method="GET",
    path="/v1/operations",
    in_path={},
    in_query=("status", "workflow", "customer_id", "limit"),
    result=m.OperationSummary,
)
_list_questions = Call(
    name="list_questions",
    method="GET",
    path="/v1/questions",
    in_path={},
    in_query=("customer_id", "limit"),
    result=m.Question,
)
_list_requirements = Call(
    name="list_requirements",
    method="GET",
    path="/v1/scenarios/{scenario_id}/requirements",
    in_path={"scenario_id": "scenario_id"},
    in_query=("limit",),
    result=m.Requirement,
)
_list_reviews = Call(
    name="list_reviews",
    method="GET",
    path="/v1/reviews",
    in_path={},
    in_query=("limit",),
    result=m.PendingReviews,
)
_list_rules = Call(
    name="list_rules",
    method="GET",
    path="/v1/agents/{agent_id}/rules",
    in_path={"agent_id": "agent_id"},
    in_query=("scenario_id", "limit"),
    result=m.RuleSummary,
)
_list_scenarios = Call(
    name="list_scenarios",
    method="GET",
    path="/v1/agents/{agent_id}/scenarios",
    in_path={"agent_id": "agent_id"},
    in_query=("limit",),
    result=m.ScenarioSummary,
)
_list_sessions = Call(
    name="list_sessions",
    method="GET",
    path="/v1/customers/{customer_id}/sessions",
    in_path={"customer_id": "customer_id"},
    in_query=("limit",),
    result=m.SessionSummary,
)
_list_usage = Call(
    name="list_usage",
    method="GET",
    path="/v1/usage",
    in_path={},
    in_query=("limit",),
    result=m.Usage,
)
_list_webhooks = Call(
    name="list_webhooks",
    method="GET",
    path="/v1/webhooks",
    in_path={},
    in_query=(),
    result=m.Webhook,
)
_merge_customers = Call(
    name="merge_customers",
    method="POST",
    path="/v1/customers/{customer_id}/merge",
    in_path={"customer_id": "target_customer_id"},
    in_query=(),
    has_body=True,
    result=m.CustomerResult,
)
_open_customer = Call(
    name="open_customer",
    method="POST",
    path="/v1/customers",
    in_path={},
    in_query=(),
    has_body=True,
    result=m.CustomerResult,
)
_open_customers = Call(
    name="open_customers",
    method="POST",
    path="/v1/customers/open",
    in_path={},
    in_query=(),
    has_body=True,
    result=m.OpenCustomersResult,
)
_propose_deletion = Call(
    name="propose_deletion",
    method="POST",
    path="/v1/customers/{customer_id}/values/{name}/propose-deletion",
    in_path={"customer_id": "customer_id", "name": "name"},
    in_query=(),
    has_body=True,
    result=m.ItemResult,
)
_propose_merges = Call(
    name="propose_merges",
    method="POST",
    path="/v1/merge-proposals",
    in_path={},
    in_query=(),
    has_body=True,
    result=m.ProposeMergesResult,
)
_read_conversation = Call(
    name="read_conversation",
    method="POST",
    path="/v1/sessions/{session_id}/read",
    in_path={"session_id": "session_id"},
    in_query=(),
    result=m.ReadConversationResult,
)
_recall = Call(
    name="recall",
    method="POST",
    path="/v1/customers/{customer_id}/recall",
    in_path={"customer_id": "customer_id"},
    in_query=(),
    has_body=True,
    reads=True,
    result=m.Recalled,
)
_record_consent = Call(
    name="record_consent",
    method="POST",
    path="/v1/customers/{customer_id}/consents",
    in_path={"customer_id": "customer_id"},
    in_query=(),
    has_body=True,
    result=m.CustomerResult,
)
_remove_element = Call(
    name="remove_element",
    method="POST",
    path="/v1/customers/{customer_id}/values/{name}/elements/remove",
    in_path={"customer_id": "customer_id", "name": "name"},
    in_query=(),
    has_body=True,
    result=m.ItemResult,
)
_replay_deliveries = Call(
    name="replay_deliveries",
    method="POST",
    path="/v1/webhooks/{webhook_id}/replay",
    in_path={"webhook_id": "webhook_id"},
    in_query=(),
    has_body=True,
    result=m.ReplayDeliveriesResult,
)
_replay_operation = Call(
    name="replay_operation",
    method="POST",
    path="/v1/operations/{operation_id}/replay",
    in_path={"operation_id": "operation_id"},
    in_query=(),
)
_restore_item = Call(
    name="restore_item",
    method="POST",
    path="/v1/items/{item_id}/restore",
    in_path={"item_id": "item_id"},
    in_query=(),
    result=m.ItemResult,
)
_revoke_key = Call(
    name="revoke_key",
    method="DELETE",
    path="/v1/keys/{key_id}",
    in_path={"key_id": "key_id"},
    in_query=(),
    result=m.KeyResult,
)
_save_definition = Call(
    name="save_definition",
    method="PUT",
    path="/v1/agents/{agent_id}/definitions/{name}",
    in_path={"agent_id": "agent_id", "name": "name"},
    in_query=(),
    has_body=True,
    result=m.SavedResult,
)
_save_merge_rule = Call(
    name="save_merge_rule",
    method="PUT",
    path="/v1/merge-rules/{merge_rule_id}",
    in_path={"merge_rule_id": "merge_rule_id"},
    in_query=(),
    has_body=True,
    result=m.SavedResult,
)
_save_requirement = Call(
    name="save_requirement",
    method="PUT",
    path="/v1/scenarios/{scenario_id}/requirements/{field_name}",
    in_path={"scenario_id": "scenario_id", "field_name": "field_name"},
    in_query=(),
    has_body=True,
    result=m.SavedResult,
)
_save_rule = Call(
    name="save_rule",
    method="PUT",
    path="/v1/agents/{agent_id}/rules/{rule_id}",
    in_path={"agent_id": "agent_id", "rule_id": "id"},
    in_query=(),
    has_body=True,
    result=m.SavedResult,
)
_save_scenario = Call(
    name="save_scenario",
    method="PUT",
    path="/v1/agents/{agent_id}/scenarios/{scenario_id}",
    in_path={"agent_id": "agent_id", "scenario_id": "id"},
    in_query=(),
    has_body=True,
    result=m.SavedResult,
)
_save_session = Call(
    name="save_session",
    method="PUT",
    path="/v1/sessions/{session_id}",
    in_path={"session_id": "session_id"},
    in_query=(),
    has_body=True,
    result=m.SavedResult,
)
_save_webhook = Call(
    name="save_webhook",
    method="PUT",
    path="/v1/webhooks/{webhook_id}",
    in_path={"webhook_id": "webhook_id"},
    in_query=(),
    has_body=True,
    result=m.SavedResult,
)
_set_customer_label = Call(
    name="set_customer_label",
    method="PUT",
    path="/v1/customers/{customer_id}/label",
    in_path={"customer_id": "customer_id"},
    in_query=(),
    has_body=True,
    result=m.CustomerResult,
)
_take_session_turn = Call(
    name="take_session_turn",
    method="POST",
    path="/v1/sessions/{session_id}/take-turn",
    in_path={"session_id": "session_id"},
    in_query=("max_tokens", "format"),
    has_body=True,
    result=m.TurnResult,
)
_take_turn = Call(
    name="take_turn",
    method="POST",
    path="/v1/turns",
    in_path={},
    in_query=("max_tokens", "format"),
    has_body=True,
    result=m.TurnResult,
)
_test_webhook = Call(
    name="test_webhook",
    method="POST",
    path="/v1/webhooks/{webhook_id}/test",
    in_path={"webhook_id": "webhook_id"},
    in_query=(),
    result=m.TestWebhookResult,
)
_unmerge_customer = Call(
    name="unmerge_customer",
    method="POST",
    path="/v1/customers/{customer_id}/unmerge",
    in_path={"customer_id": "customer_id"},
    in_query=(),
    result=m.CustomerResult,
)
_verify_audit = Call(
    name="verify_audit",
    method="GET",
    path="/v1/audit/verification",
    in_path={},
    in_query=("expect",),
    result=m.AuditReport,
)
_verify_value = Call(
    name="verify_value",
    method="POST",
    path="/v1/customers/{customer_id}/values/{name}/verify",
    in_path={"customer_id": "customer_id", "name": "name"},
    in_query=(),
    has_body=True,
    result=m.ItemResult,
)
_write_value = Call(
    name="write_value",
    method="PUT",
    path="/v1/customers/{customer_id}/values/{name}",
    in_path={"customer_id": "customer_id", "name": "name"},
    in_query=(),
    has_body=True,
    result=m.ItemResult,
)


class Methods:
    """The methods of Vault."""

    def add_asset(
        self,
        body: m.AddAsset | None = None,
        /,
        *,
        customer_id: Id | None = None,
        asset_type: str | None = None,
        checksum: str | None = None,
        expires_at: datetime | str | None = None,
        mime_type: str | None = None,
        name: str | None = None,
        size_bytes: int | None = None,
        source_item_id: Id | None = None,
        source_item_type: m.SourceType | None = None,
        source_metadata: Any | None = None,
        storage_path: str | None = None,
        storage_provider: str | None = None,
        supersede_existing: bool | None = None,
        upload_scenario_id: Id | None = None,
        upload_session_id: Id | None = None,
        uploaded_at: datetime | str | None = None,
        wait: float | None = None,
        idempotency_key: str | None = None,
    ) -> Operation[m.ItemResult]:
        """Add a reference to a document.

        The document itself remains in its storage.
        """
        members: dict[str, Any] = {"customer_id": customer_id, "asset_type": asset_type, "checksum": checksum,
            "expires_at": expires_at, "mime_type": mime_type, "name": name, "size_bytes":
            size_bytes, "source_item_id": source_item_id, "source_item_type": source_item_type,
            "source_metadata": source_metadata, "storage_path": storage_path, "storage_provider":
            storage_provider, "supersede_existing": supersede_existing, "upload_scenario_id":
            upload_scenario_id, "upload_session_id": upload_session_id, "uploaded_at": uploaded_at}
        return self._call(_add_asset, body, members, wait, idempotency_key)

    def add_element(
        self,
        body: m.WriteValue | None = None,
        /,
        *,
        customer_id: Id | None = None,
        name: str | None = None,
        agent_id: Id | None = None,
        collected_at: datetime | str | None = None,
        confidence: float | None = None,
        expires_at: datetime | str | None = None,
        item_id: Id | None = None,
        requires_confirmation: bool | None = None,
        source: m.ValueSource | None = None,
        source_item_id: Id | None = None,
        source_item_type: m.SourceType | None = None,
        source_metadata: Any | None = None,
        source_scenario_id: Id | None = None,
        source_session_id: Id | None = None,
        source_step_id: str | None = None,
        value: Any | None = None,
        verification_method: str | None = None,
        verified: bool | None = None,
        verified_by: str | None = None,
        wait: float | None = None,
        idempotency_key: str | None = None,
    ) -> Operation[m.ItemResult]:
        """Add an element to the list of a field.

        value is the element. The definition has multiple. The list with the element is a new
        version. An element that the list has already changes nothing.
        """
        members: dict[str, Any] = {"customer_id": customer_id, "name": name, "agent_id": agent_id, "collected_at":
            collected_at, "confidence": confidence, "expires_at": expires_at, "item_id": item_id,
            "requires_confirmation": requires_confirmation, "source": source, "source_item_id":
            source_item_id, "source_item_type": source_item_type, "source_metadata":
            source_metadata, "source_scenario_id": source_scenario_id, "source_session_id":
            source_session_id, "source_step_id": source_step_id, "value": value,
            "verification_method": verification_method, "verified": verified, "verified_by":
            verified_by}
        return self._call(_add_element, body, members, wait, idempotency_key)

    def add_turns(
        self,
        body: m.AddTurns | None = None,
        /,
        *,
        session_id: Id | None = None,
        agent_id: Id | None = None,
        customer_id: Id | None = None,
        turns: list[m.Turn] | None = None,
        wait: float | None = None,
        idempotency_key: str | None = None,
    ) -> Operation[m.SavedResult]:
        """Add turns to a session.

        Agent and customer are those of the session, unless the body names both.
        """
        members: dict[str, Any] = {"session_id": session_id, "agent_id": agent_id, "customer_id": customer_id, "turns":
            turns}
        return self._call(_add_turns, body, members, wait, idempotency_key)

    def answer_question(
        self,
        body: m.AnswerQuestion | None = None,
        /,
        *,
        question_id: Id | None = None,
        channel: str | None = None,
        session_id: Id | None = None,
        value: Any | None = None,
        wait: float | None = None,
        idempotency_key: str | None = None,
    ) -> Operation[m.ItemResult]:
        """Answer a question.

        The answer is a value, or the words of the customer. A reply that does not answer, such as
        "just a moment", succeeds with interrupted, and the question stays open. A refusal succeeds
        with refused. After an unclear or invalid answer, the gap fill asks again in other words, up
        to its maximum number of attempts.
        """
        members: dict[str, Any] = {"question_id": question_id, "channel": channel, "session_id": session_id, "value": value}
        return self._call(_answer_question, body, members, wait, idempotency_key)

    def apply_configuration(
        self,
        body: m.ApplyConfiguration | None = None,
        /,
        *,
        agent_id: Id | None = None,
        definitions: list[m.Definition] | None = None,
        prune: bool | None = None,
        requirements: list[m.Requirement] | None = None,
        rules: list[m.Rule] | None = None,
        scenarios: list[m.Scenario] | None = None,
        wait: float | None = None,
        idempotency_key: str | None = None,
    ) -> Operation[m.ApplyConfigurationResult]:
        """Apply the configuration of an agent.

        Stores the changed definitions, scenarios, rules and requirements in one transaction, or
        nothing. Applying the same configuration again changes nothing. Each changed text starts an
        extraction. A definition that loses is_pii, or gets other purposes, needs the scope admin.
        """
        members: dict[str, Any] = {"agent_id": agent_id, "definitions": definitions, "prune": prune, "requirements":
            requirements, "rules": rules, "scenarios": scenarios}
        return self._call(_apply_configuration, body, members, wait, idempotency_key)

    def await_questions(
        self,
        customer_id: Id,
        *,
        wait: int | None = None,
        channel: str | None = None,
    ) -> Iterator[m.Question]:
        """List the open questions to a customer, or wait for one.

        Oldest first, up to 1,000, those that the channel may ask now. With wait, the response comes
        as soon as there is one, or empty after that time. A process has a limited number of waiting
        requests, and fewer of one key; one beyond it is answered at once.
        """
        members: dict[str, Any] = {"customer_id": customer_id, "wait": wait, "channel": channel}
        return self._list(_await_questions, members)

    def cancel_fill(
        self,
        operation_id: Id,
        *,
        wait: float | None = None,
        idempotency_key: str | None = None,
    ) -> Operation[m.CancelResult]:
        """Cancel a gap fill.

        The gap fill opens no more questions and closes its open question. It ends at once with what
        it has, or when its current write has finished. Other operations cannot be cancelled.
        """
        members: dict[str, Any] = {"operation_id": operation_id}
        return self._call(_cancel_fill, None, members, wait, idempotency_key)

    def claim_question(
        self,
        body: m.ClaimQuestion | None = None,
        /,
        *,
        question_id: Id | None = None,
        channel: str | None = None,
        seconds: int | None = None,
        wait: float | None = None,
        idempotency_key: str | None = None,
    ) -> Operation[m.ClaimResult]:
        """Claim a question for a channel.

        For some seconds no other channel asks it: 409 while another channel has it. The same
        channel renews its claim. An answer is taken from every channel.
        """
        members: dict[str, Any] = {"question_id": question_id, "channel": channel, "seconds": seconds}
        return self._call(_claim_question, body, members, wait, idempotency_key)

    def correct_value(
        self,
        body: m.CorrectValue | None = None,
        /,
        *,
        customer_id: Id | None = None,
        name: str | None = None,
        agent_id: Id | None = None,
        corrected_by: str | None = None,
        item_id: Id | None = None,
        reason: str | None = None,
        replaces_item_id: Id | None = None,
        value: Any | None = None,
        verification_method: str | None = None,
        verified: bool | None = None,
        wait: float | None = None,
        idempotency_key: str | None = None,
    ) -> Operation[m.ItemResult]:
        """Replace a wrong value.

        Whatever its strength. Both versions remain in the history, the new one with the reason.
        """
        members: dict[str, Any] = {"customer_id": customer_id, "name": name, "agent_id": agent_id, "corrected_by":
            corrected_by, "item_id": item_id, "reason": reason, "replaces_item_id":
            replaces_item_id, "value": value, "verification_method": verification_method,
            "verified": verified}
        return self._call(_correct_value, body, members, wait, idempotency_key)

    def count_customers(
        self,
        *,
        where: list[str] | None = None,
    ) -> m.CustomerCount:
        """Count the customers who meet conditions.

        The conditions are those of list-customers. Merged customers are not counted. The count ends
        after 200,000 candidates.
        """
        members: dict[str, Any] = {"where": where}
        return self._call(_count_customers, None, members, None, None)

    def create_key(
        self,
        body: m.CreateKey | None = None,
        /,
        *,
        agents: list[UUID] | None = None,
        expires_at: datetime | str | None = None,
        key_hash: str | None = None,
        masked: bool | None = None,
        name: str | None = None,
        purpose: str | None = None,
        scopes: list[Literal["read", "write", "verify", "review", "erase", "admin"]] | None = None,
        sources: list[m.ValueSource] | None = None,
        wait: float | None = None,
        idempotency_key: str | None = None,
    ) -> Operation[m.KeyResult]:
        """Create an API key.

        You make the secret and send its hash, so that the secret is in no request and no answer
        before it is used. The id of the operation is the id of the key.
        """
        members: dict[str, Any] = {"agents": agents, "expires_at": expires_at, "key_hash": key_hash, "masked": masked,
            "name": name, "purpose": purpose, "scopes": scopes, "sources": sources}
        return self._call(_create_key, body, members, wait, idempotency_key)

    def decide_merge(
        self,
        body: m.DecideMerge | None = None,
        /,
        *,
        proposal_id: Id | None = None,
        decision: m.Decision | None = None,
        keep: m.MergeKeep | None = None,
        wait: float | None = None,
        idempotency_key: str | None = None,
    ) -> Operation[m.DecideMergeResult]:
        """Approve or reject a proposed merge.

        An approval merges the customers; unmerge-customer undoes it. A rejected pair is not
        proposed again for the same values. If the proposal is not pending any more, or the
        customers do not share the values any more, nothing is changed and the response is 409.
        """
        members: dict[str, Any] = {"proposal_id": proposal_id, "decision": decision, "keep": keep}
        return self._call(_decide_merge, body, members, wait, idempotency_key)

    def decide_review(
        self,
        body: m.DecideReview | None = None,
        /,
        *,
        id: Id | None = None,
        decision: m.Decision | None = None,
        edit: m.DefinitionEdit | None = None,
        kind: Literal["definition"] | None = None,
        only_pending: bool | None = None,
        wait: float | None = None,
        idempotency_key: str | None = None,
    ) -> Operation[m.SavedResult]:
        """Approve or reject an extracted definition or requirement.

        An approval of a requirement can include changes to it.
        """
        members: dict[str, Any] = {"id": id, "decision": decision, "edit": edit, "kind": kind, "only_pending": only_pending}
        return self._call(_decide_review, body, members, wait, idempotency_key)

    def decide_value(
        self,
        body: m.DecideValue | None = None,
        /,
        *,
        item_id: Id | None = None,
        decided_by: str | None = None,
        decision: m.Decision | None = None,
        note: str | None = None,
        wait: float | None = None,
        idempotency_key: str | None = None,
    ) -> Operation[m.ItemResult]:
        """Approve or reject a pending value or a proposed deletion.

        An approved value becomes active with its own lineage, and the version that it replaces
        superseded. A rejected one remains in the history. An approved deletion deletes the value, a
        rejected one keeps it.
        """
        members: dict[str, Any] = {"item_id": item_id, "decided_by": decided_by, "decision": decision, "note": note}
        return self._call(_decide_value, body, members, wait, idempotency_key)

    def delete_customer(
        self,
        customer_id: Id,
        *,
        purge_after: datetime | str | None = None,
        force: bool | None = None,
        wait: float | None = None,
        idempotency_key: str | None = None,
    ) -> Operation[m.CustomerResult]:
        """Delete a customer.

        Also deletes its values and assets. It is reversible by an operator: the rows remain in the
        database, but no read returns them, until purge_after, when the customer is erased for good.
        POST …/erasure erases at once. If items of other customers were derived from them, the
        response is 409 has_dependents with the ids of those items.
        """
        members: dict[str, Any] = {"customer_id": customer_id, "purge_after": purge_after, "force": force}
        return self._call(_delete_customer, None, members, wait, idempotency_key)

    def delete_definition(
        self,
        agent_id: Id,
        name: str,
        *,
        if_version: Id | None = None,
        wait: float | None = None,
        idempotency_key: str | None = None,
    ) -> Operation[m.SavedResult]:
        """Delete a definition.

        Collected values remain. A definition with requirements cannot be deleted: related contains
        the ids of the requirements. One with is_pii or purposes is deleted by a key with the scope
        admin.
        """
        members: dict[str, Any] = {"agent_id": agent_id, "name": name, "if_version": if_version}
        return self._call(_delete_definition, None, members, wait, idempotency_key)

    def delete_item(
        self,
        item_id: Id,
        *,
        force: bool | None = None,
        restore_previous: bool | None = None,
        wait: float | None = None,
        idempotency_key: str | None = None,
    ) -> Operation[m.DeleteResult]:
        """Delete a value or an asset.

        If other items were derived from it, the response is 409 has_dependents with their ids.
        """
        members: dict[str, Any] = {"item_id": item_id, "force": force, "restore_previous": restore_previous}
        return self._call(_delete_item, None, members, wait, idempotency_key)

    def delete_merge_rule(
        self,
        merge_rule_id: Id,
        *,
        if_version: Id | None = None,
        wait: float | None = None,
        idempotency_key: str | None = None,
    ) -> Operation[m.SavedResult]:
        """Delete a merge rule.

        Closes its pending proposals. Decisions stay.
        """
        members: dict[str, Any] = {"merge_rule_id": merge_rule_id, "if_version": if_version}
        return self._call(_delete_merge_rule, None, members, wait, idempotency_key)

    def delete_requirement(
        self,
        scenario_id: Id,
        field_name: str,
        *,
        step_id: str | None = None,
        rule_id: Id | None = None,
        if_version: Id | None = None,
        wait: float | None = None,
        idempotency_key: str | None = None,
    ) -> Operation[m.SavedResult]:
        """Delete a requirement.

        A later extraction does not add it again. Saving it adds it again.
        """
        members: dict[str, Any] = {"scenario_id": scenario_id, "field_name": field_name, "step_id": step_id, "rule_id":
            rule_id, "if_version": if_version}
        return self._call(_delete_requirement, None, members, wait, idempotency_key)

    def delete_webhook(
        self,
        webhook_id: Id,
        *,
        if_version: Id | None = None,
        wait: float | None = None,
        idempotency_key: str | None = None,
    ) -> Operation[m.SavedResult]:
        """Delete a webhook.

        Removes its deliveries too. Nothing is delivered afterwards.
        """
        members: dict[str, Any] = {"webhook_id": webhook_id, "if_version": if_version}
        return self._call(_delete_webhook, None, members, wait, idempotency_key)

    def detect_orphans(
        self,
        *,
        wait: float | None = None,
        idempotency_key: str | None = None,
    ) -> Operation[m.SweepResult]:
        """Mark items without their source now.

        In all tenants, so with ADMIN_TOKEN alone. A schedule does the same.
        """
        members: dict[str, Any] = {}
        return self._call(_detect_orphans, None, members, wait, idempotency_key)

    def detect_own_orphans(
        self,
        *,
        wait: float | None = None,
        idempotency_key: str | None = None,
    ) -> Operation[m.SweepResult]:
        """Mark items of the tenant without their source now.

        In the tenant of the key alone. A schedule does the same in all tenants.
        """
        members: dict[str, Any] = {}
        return self._call(_detect_own_orphans, None, members, wait, idempotency_key)

    def drop_cached_profile(
        self,
        customer_id: Id,
    ) -> None:
        """Remove the cache entry of a customer.

        The next read uses the database. With ADMIN_TOKEN, X-Tenant is the tenant of the customer.
        This is never necessary: the vault invalidates entries itself.
        """
        members: dict[str, Any] = {"customer_id": customer_id}
        return self._call(_drop_cached_profile, None, members, None, None)

    def dry_run_definition(
        self,
        body: m.Definition | None = None,
        /,
        *,
        agent_id: Id | None = None,
        name: str | None = None,
        about: str | None = None,
        allowed_values: list[Any] | None = None,
        ask_channels: list[str] | None = None,
        collection_prompt: str | None = None,
        default_region: str | None = None,
        description: str | None = None,
        display_name: str | None = None,
        enabled: bool | None = None,
        encryption_required: bool | None = None,
        erase_on_withdrawal: bool | None = None,
        extraction_examples: list[str] | None = None,
        extraction_prompt_hint: str | None = None,
        forbid_extraction: bool | None = None,
        freshness_seconds: int | None = None,
        if_version: Id | None = None,
        is_pii: bool | None = None,
        json_schema: Any | None = None,
        max_elements: int | None = None,
        maximum: Any | None = None,
        minimum: Any | None = None,
        multiple: bool | None = None,
        on_conflict: m.OnConflict | None = None,
        prefix_search: bool | None = None,
        purposes: list[str] | None = None,
        remove_after_days: int | None = None,
        required_verification: bool | None = None,
        retention_days: int | None = None,
        retry_prompt: str | None = None,
        searchable: bool | None = None,
        source_priority: list[m.ValueSource] | None = None,
        stale_action: m.StaleAction | None = None,
        time_zone: str | None = None,
        unit: str | None = None,
        validation_mode: m.ValidationMode | None = None,
        validation_regex: str | None = None,
        value_type: m.ValueType | None = None,
        verification_methods: list[str] | None = None,
        write_once: bool | None = None,
        after: Id | None = None,
        customers: int | None = None,
    ) -> m.DryRun:
        """Say what a changed definition would break.

        Changes nothing. It needs the scopes read and write, as it shows what a save would do, and a
        key that sees PII, as its numbers tell what values are. Returns the stored values that would
        be invalid, the scenarios that could no longer start for customers, and the requirements and
        conditions that name the field. The numbers are those of the customers that it looked at:
        complete says whether these are all, and next_after leads to the others. It looks at fewer
        than asked for if that takes long. A condition that reads the session counts as true.
        """
        members: dict[str, Any] = {"agent_id": agent_id, "name": name, "about": about, "allowed_values": allowed_values,
            "ask_channels": ask_channels, "collection_prompt": collection_prompt, "default_region":
            default_region, "description": description, "display_name": display_name, "enabled":
            enabled, "encryption_required": encryption_required, "erase_on_withdrawal":
            erase_on_withdrawal, "extraction_examples": extraction_examples,
            "extraction_prompt_hint": extraction_prompt_hint, "forbid_extraction":
            forbid_extraction, "freshness_seconds": freshness_seconds, "if_version": if_version,
            "is_pii": is_pii, "json_schema": json_schema, "max_elements": max_elements, "maximum":
            maximum, "minimum": minimum, "multiple": multiple, "on_conflict": on_conflict,
            "prefix_search": prefix_search, "purposes": purposes, "remove_after_days":
            remove_after_days, "required_verification": required_verification, "retention_days":
            retention_days, "retry_prompt": retry_prompt, "searchable": searchable,
            "source_priority": source_priority, "stale_action": stale_action, "time_zone":
            time_zone, "unit": unit, "validation_mode": validation_mode, "validation_regex":
            validation_regex, "value_type": value_type, "verification_methods":
            verification_methods, "write_once": write_once, "after": after, "customers": customers}
        return self._call(_dry_run_definition, body, members, None, None)

    def dry_run_delete_definition(
        self,
        agent_id: Id,
        name: str,
        *,
        after: Id | None = None,
        customers: int | None = None,
    ) -> m.DryRun:
        """Say what the deletion of a definition would break.

        Changes nothing. It needs the scopes read and write, as it shows what a save would do, and a
        key that sees PII, as its numbers tell what values are. Returns the stored values, which
        stay and would be those of an unknown field, the scenarios that could no longer start for
        customers, the requirements, conditions and rules that name the field, and the merge rules
        that compare by it. The numbers are those of the customers that it looked at: complete says
        whether these are all, and next_after leads to the others. It looks at fewer than asked for
        if that takes long. A condition that reads the session counts as true.
        """
        members: dict[str, Any] = {"agent_id": agent_id, "name": name, "after": after, "customers": customers}
        return self._call(_dry_run_delete_definition, None, members, None, None)

    def dry_run_delete_requirement(
        self,
        scenario_id: Id,
        field_name: str,
        *,
        step_id: str | None = None,
        rule_id: Id | None = None,
        after: Id | None = None,
        customers: int | None = None,
    ) -> m.DryRun:
        """Say what the deletion of a requirement would change.

        Changes nothing. It needs the scopes read and write, as it shows what a save would do, and a
        key that sees PII, as its numbers tell what values are. Returns for how many customers the
        scenario could then start, and the requirements that depend on the field or read it. The
        numbers are those of the customers that it looked at: complete says whether these are all,
        and next_after leads to the others. It looks at fewer than asked for if that takes long. A
        condition that reads the session counts as true.
        """
        members: dict[str, Any] = {"scenario_id": scenario_id, "field_name": field_name, "step_id": step_id, "rule_id":
            rule_id, "after": after, "customers": customers}
        return self._call(_dry_run_delete_requirement, None, members, None, None)

    def dry_run_requirement(
        self,
        body: m.Requirement | None = None,
        /,
        *,
        scenario_id: Id | None = None,
        field_name: str | None = None,
        agent_id: Id | None = None,
        collection_order: int | None = None,
        depends_on_fields: list[str] | None = None,
        fallback_action: m.FallbackAction | None = None,
        if_version: Id | None = None,
        refuse_stale: bool | None = None,
        required_level: m.RequiredLevel | None = None,
        rule_id: Id | None = None,
        step_id: str | None = None,
        when_condition: str | None = None,
        after: Id | None = None,
        customers: int | None = None,
    ) -> m.DryRun:
        """Say what a changed requirement would break.

        Changes nothing. It needs the scopes read and write, as it shows what a save would do, and a
        key that sees PII, as its numbers tell what values are. Returns for how many customers the
        scenario could no longer start, and who would be asked for more. The numbers are those of
        the customers that it looked at: complete says whether these are all, and next_after leads
        to the others. It looks at fewer than asked for if that takes long. A condition that reads
        the session counts as true.
        """
        members: dict[str, Any] = {"scenario_id": scenario_id, "field_name": field_name, "agent_id": agent_id,
            "collection_order": collection_order, "depends_on_fields": depends_on_fields,
            "fallback_action": fallback_action, "if_version": if_version, "refuse_stale":
            refuse_stale, "required_level": required_level, "rule_id": rule_id, "step_id": step_id,
            "when_condition": when_condition, "after": after, "customers": customers}
        return self._call(_dry_run_requirement, body, members, None, None)

    def dry_run_rule(
        self,
        body: m.Rule | None = None,
        /,
        *,
        agent_id: Id | None = None,
        id: Id | None = None,
        action: str | None = None,
        condition: str | None = None,
        if_version: Id | None = None,
        name: str | None = None,
        scenario_id: Id | None = None,
    ) -> m.DryRun:
        """Say what a changed rule would break.

        Changes nothing. It needs the scopes read and write, as it shows what a save would do, and a
        key that sees PII, as its numbers tell what values are. Returns the requirements of the rule
        whose evidence would be gone. What the extraction finds in the new text is not known before,
        so it looks at no customer.
        """
        members: dict[str, Any] = {"agent_id": agent_id, "id": id, "action": action, "condition": condition, "if_version":
            if_version, "name": name, "scenario_id": scenario_id}
        return self._call(_dry_run_rule, body, members, None, None)

    def dry_run_scenario(
        self,
        body: m.Scenario | None = None,
        /,
        *,
        agent_id: Id | None = None,
        id: Id | None = None,
        description: str | None = None,
        if_version: Id | None = None,
        name: str | None = None,
        steps: list[m.ScenarioStep] | None = None,
        variables: dict[str, str] | None = None,
        after: Id | None = None,
        customers: int | None = None,
    ) -> m.DryRun:
        """Say what a changed scenario would break.

        Changes nothing. It needs the scopes read and write, as it shows what a save would do, and a
        key that sees PII, as its numbers tell what values are. Returns the requirements whose step
        or evidence would be gone, and for how many customers its new variables change what the
        scenario asks. What the extraction finds in the new text is not known before. The numbers
        are those of the customers that it looked at: complete says whether these are all, and
        next_after leads to the others. It looks at fewer than asked for if that takes long. A
        condition that reads the session counts as true.
        """
        members: dict[str, Any] = {"agent_id": agent_id, "id": id, "description": description, "if_version": if_version,
            "name": name, "steps": steps, "variables": variables, "after": after, "customers":
            customers}
        return self._call(_dry_run_scenario, body, members, None, None)

    def erase_customer(
        self,
        body: m.EraseCustomer | None = None,
        /,
        *,
        customer_id: Id | None = None,
        derived: m.DerivedAction | None = None,
        wait: float | None = None,
        idempotency_key: str | None = None,
    ) -> Operation[m.EraseResult]:
        """Erase a customer for good.

        Removes everything that the vault holds of the customer and of the customers merged with it,
        in all tables and in the cache, and signs a receipt. It cannot be undone: DELETE
        /v1/customers/{customer_id} is the reversible deletion. From its start on nothing can be
        stored for the customer: later operations fail with erased. The id of the operation is the
        id of the erasure.
        """
        members: dict[str, Any] = {"customer_id": customer_id, "derived": derived}
        return self._call(_erase_customer, body, members, wait, idempotency_key)

    def expire_own_values(
        self,
        *,
        wait: float | None = None,
        idempotency_key: str | None = None,
    ) -> Operation[m.SweepResult]:
        """Mark the values and assets of the tenant whose expiry has passed as expired.

        In the tenant of the key alone. A schedule does the same in all tenants.
        """
        members: dict[str, Any] = {}
        return self._call(_expire_own_values, None, members, wait, idempotency_key)

    def expire_value(
        self,
        body: m.ExpireValue | None = None,
        /,
        *,
        customer_id: Id | None = None,
        name: str | None = None,
        item_id: Id | None = None,
        wait: float | None = None,
        idempotency_key: str | None = None,
    ) -> Operation[m.ItemResult]:
        """End the active value of a field now.

        As if its expires_at had passed: the value stays in the history as expired, the field is
        missing until the next write, and what was derived from the value becomes stale.
        """
        members: dict[str, Any] = {"customer_id": customer_id, "name": name, "item_id": item_id}
        return self._call(_expire_value, body, members, wait, idempotency_key)

    def expire_values(
        self,
        *,
        wait: float | None = None,
        idempotency_key: str | None = None,
    ) -> Operation[m.SweepResult]:
        """Mark the values and assets whose expiry has passed as expired.

        In all tenants, so with ADMIN_TOKEN alone. A schedule does the same.
        """
        members: dict[str, Any] = {}
        return self._call(_expire_values, None, members, wait, idempotency_key)

    def explain_scenario(
        self,
        scenario_id: Id,
    ) -> m.ScenarioExplanation:
        """Explain the requirements of a scenario.

        Returns for each sentence of the scenario and its rules the requirements that it gave, how
        they were matched with definitions, and the phrases that were passed over, with the reasons.
        """
        members: dict[str, Any] = {"scenario_id": scenario_id}
        return self._call(_explain_scenario, None, members, None, None)

    def export_customer(
        self,
        customer_id: Id,
        *,
        wait: float | None = None,
        idempotency_key: str | None = None,
    ) -> Operation[m.ExportCustomerResult]:
        """Export everything that the vault holds of a customer.

        For requests of access and portability. Records that the export was asked for; GET
        …/exports/{export_id} then returns it, as long as expires_at of the result says. The id of
        the operation is the id of the export. Needs a key that sees PII.
        """
        members: dict[str, Any] = {"customer_id": customer_id}
        return self._call(_export_customer, None, members, wait, idempotency_key)

    def extract_schema(
        self,
        body: m.ExtractSchema | None = None,
        /,
        *,
        scenario_id: Id | None = None,
        agent_id: Id | None = None,
        content_hash: str | None = None,
        rule_id: Id | None = None,
        wait: float | None = None,
        idempotency_key: str | None = None,
    ) -> Operation[m.ExtractResult]:
        """Extract the requirements of a scenario or rule now.

        Each save starts an extraction by itself. Unchanged content needs no model call.
        """
        members: dict[str, Any] = {"scenario_id": scenario_id, "agent_id": agent_id, "content_hash": content_hash,
            "rule_id": rule_id}
        return self._call(_extract_schema, body, members, wait, idempotency_key)

    def fill_gaps(
        self,
        body: m.FillGaps | None = None,
        /,
        *,
        customer_id: Id | None = None,
        deadline_seconds: int | None = None,
        level: m.RequiredLevel | None = None,
        max_attempts: int | None = None,
        scenario_id: Id | None = None,
        session_id: Id | None = None,
        step_id: str | None = None,
        wait: float | None = None,
        idempotency_key: str | None = None,
    ) -> Operation[m.FillResult]:
        """Fill the missing fields of a customer for a scenario.

        From the profile, the session and the conversation. For the remaining fields, the operation
        opens questions (GET /v1/questions), and succeeds once all of them are closed.
        """
        members: dict[str, Any] = {"customer_id": customer_id, "deadline_seconds": deadline_seconds, "level": level,
            "max_attempts": max_attempts, "scenario_id": scenario_id, "session_id": session_id,
            "step_id": step_id}
        return self._call(_fill_gaps, body, members, wait, idempotency_key)

    def find_customer(
        self,
        channel: str,
        external_id: str,
    ) -> m.Customer:
        """Find the customer of a channel identity.

        It changes nothing: open-customer creates a customer for an unknown identity, this route
        answers 404.
        """
        members: dict[str, Any] = {"channel": channel, "external_id": external_id}
        return self._call(_find_customer, None, members, None, None)

    def get_chain(
        self,
        item_id: Id,
        *,
        as_of: str | None = None,
        known_at: str | None = None,
        depth: int | None = None,
    ) -> m.Chain:
        """Get the sources of an item.

        From the origin to the item. With as_of and known_at: as they were then.
        """
        members: dict[str, Any] = {"item_id": item_id, "as_of": as_of, "known_at": known_at, "depth": depth}
        return self._call(_get_chain, None, members, None, None)

    def get_configuration(
        self,
        agent_id: Id,
    ) -> m.AgentConfiguration:
        """Get the configuration of an agent.

        Returns the definitions, scenarios, rules and requirements that persons saved or approved.
        """
        members: dict[str, Any] = {"agent_id": agent_id}
        return self._call(_get_configuration, None, members, None, None)

    def get_context(
        self,
        customer_id: Id,
        *,
        scenario: Id | None = None,
        session_id: Id | None = None,
        max_tokens: int | None = None,
        format: m.ContextFormat | None = None,
    ) -> m.ContextBlock | str:
        """Get the context block of a customer.

        What an agent needs to know, for the prompt of its language model: what the scenario misses,
        with the question that asks for it; what it needs and is known; what is uncertain or waits
        for a decision; what is withheld; what else is known; documents. Each value has its
        certainty, source, age and item id. The most useful comes first, and as much as fits in
        max_tokens: a larger number adds entries at the end. Values are in double quotes, and
        nothing in them can end the quotes, begin a line or open markup. The header
        Vault-Context-Tokens has the size. The age is in days, so an answer and its ETag can change
        at most once a day by themselves.
        """
        members: dict[str, Any] = {"customer_id": customer_id, "scenario": scenario, "session_id": session_id,
            "max_tokens": max_tokens, "format": format}
        return self._call(_get_context, None, members, None, None)

    def get_customer(
        self,
        customer_id: Id,
        *,
        as_of: str | None = None,
        known_at: str | None = None,
        history: bool | None = None,
    ) -> m.CustomerProfile:
        """Get the profile of a customer.

        Active values and assets, channels, and valid consents. The profile of a customer who has a
        session or a gap fill, and no value yet, is empty. The profile of a merged customer is that
        of the customer it was merged into; requested_customer_id then says that it was merged. A
        profile with more than 16 MiB of values is refused with 413: read its values one by one, or
        in the pages of its history. The header ETag identifies the answer. With as_of and known_at
        the profile is the one of then, without pending values; that cannot be combined with
        history.
        """
        members: dict[str, Any] = {"customer_id": customer_id, "as_of": as_of, "known_at": known_at, "history": history}
        return self._call(_get_customer, None, members, None, None)

    def get_customer_export(
        self,
        customer_id: Id,
        export_id: Id,
        *,
        format: Literal["json", "html"] | None = None,
    ) -> dict[str, Any] | str:
        """Get an export of a customer.

        Everything that an erasure would remove, read in one snapshot, encrypted values included.
        The vault stores no copy of it. The last member of the JSON is complete: without it, the
        response was cut off.
        """
        members: dict[str, Any] = {"customer_id": customer_id, "export_id": export_id, "format": format}
        return self._call(_get_customer_export, None, members, None, None)

    def get_definition(
        self,
        agent_id: Id,
        name: str,
    ) -> m.Definition:
        """Get a definition."""
        members: dict[str, Any] = {"agent_id": agent_id, "name": name}
        return self._call(_get_definition, None, members, None, None)

    def get_erasure(
        self,
        erasure_id: Id,
    ) -> m.Erasure:
        """Get an erasure with its receipt.

        The receipt is signed (Ed25519) and contains counts and no personal data. `vault erasure
        verify` checks it without the vault.
        """
        members: dict[str, Any] = {"erasure_id": erasure_id}
        return self._call(_get_erasure, None, members, None, None)

    def get_health(
        self,
    ) -> m.Alive:
        """Check that the process is running."""
        members: dict[str, Any] = {}
        return self._call(_get_health, None, members, None, None)

    def get_missing(
        self,
        customer_id: Id,
        scenario_id: Id,
        *,
        step_id: str | None = None,
        rule_id: Id | None = None,
        session_id: Id | None = None,
        level: m.RequiredLevel | None = None,
    ) -> m.MissingFields:
        """Get the missing fields of a customer for a scenario.

        Unmet requirements, in the order of collection. For a customer without values, all
        requirements are unmet.
        """
        members: dict[str, Any] = {"customer_id": customer_id, "scenario_id": scenario_id, "step_id": step_id, "rule_id":
            rule_id, "session_id": session_id, "level": level}
        return self._call(_get_missing, None, members, None, None)

    def get_operation(
        self,
        operation_id: Id,
        wait: float | None = None,
    ) -> Operation[Any]:
        """Get the status of an operation.

        The response for a failed operation is also 200. Its error is the reason of the failure.
        """
        members: dict[str, Any] = {"operation_id": operation_id}
        return self._call(_get_operation, None, members, wait, None)

    def get_question(
        self,
        question_id: Id,
    ) -> m.Question:
        """Get a question, open or closed."""
        members: dict[str, Any] = {"question_id": question_id}
        return self._call(_get_question, None, members, None, None)

    def get_readiness(
        self,
    ) -> m.Health:
        """Check that the server and its dependencies are ready.

        The response is 503 if a required dependency is unavailable or the server is stopping.
        """
        members: dict[str, Any] = {}
        return self._call(_get_readiness, None, members, None, None)

    def get_receipt_key(
        self,
    ) -> m.ReceiptKey:
        """Get the public key of receipts.

        Each tenant has its own key; its first erasure makes it.
        """
        members: dict[str, Any] = {}
        return self._call(_get_receipt_key, None, members, None, None)

    def get_rule(
        self,
        agent_id: Id,
        rule_id: Id,
    ) -> m.Rule:
        """Get a rule."""
        members: dict[str, Any] = {"agent_id": agent_id, "rule_id": rule_id}
        return self._call(_get_rule, None, members, None, None)

    def get_runs(
        self,
        operation_id: Id,
    ) -> m.OperationRuns:
        """Get the runs of an operation in the workflow engine.

        With their steps, the attempts of each, and the errors of those that failed (a key that is
        limited to agents gets no errors: the run can carry operations of others). The answer is 503
        if the engine does not answer within two seconds. Everything that decides about the
        operation is in get-operation.
        """
        members: dict[str, Any] = {"operation_id": operation_id}
        return self._call(_get_runs, None, members, None, None)

    def get_scenario(
        self,
        agent_id: Id,
        scenario_id: Id,
    ) -> m.Scenario:
        """Get a scenario."""
        members: dict[str, Any] = {"agent_id": agent_id, "scenario_id": scenario_id}
        return self._call(_get_scenario, None, members, None, None)

    def get_session(
        self,
        session_id: Id,
    ) -> m.Session:
        """Get a session."""
        members: dict[str, Any] = {"session_id": session_id}
        return self._call(_get_session, None, members, None, None)

    def get_value(
        self,
        customer_id: Id,
        name: str,
        *,
        as_of: str | None = None,
        known_at: str | None = None,
    ) -> m.Value:
        """Get the active value of a field.

        With as_of and known_at: the value that was active then.
        """
        members: dict[str, Any] = {"customer_id": customer_id, "name": name, "as_of": as_of, "known_at": known_at}
        return self._call(_get_value, None, members, None, None)

    def get_webhook(
        self,
        webhook_id: Id,
    ) -> m.Webhook:
        """Get a webhook.

        Without its secret.
        """
        members: dict[str, Any] = {"webhook_id": webhook_id}
        return self._call(_get_webhook, None, members, None, None)

    def import_customer_values(
        self,
        body: m.ImportValues | None = None,
        /,
        *,
        customer_id: Id | None = None,
        skip_invalid: bool | None = None,
        writes: list[m.WriteValue] | None = None,
        wait: float | None = None,
        idempotency_key: str | None = None,
    ) -> Operation[m.ImportResult]:
        """Write many values of a customer.

        In one transaction. One invalid write rejects all, unless skip_invalid is set.
        """
        members: dict[str, Any] = {"customer_id": customer_id, "skip_invalid": skip_invalid, "writes": writes}
        return self._call(_import_customer_values, body, members, wait, idempotency_key)

    def import_values(
        self,
        body: m.ImportValues | None = None,
        /,
        *,
        skip_invalid: bool | None = None,
        writes: list[m.WriteValue] | None = None,
        wait: float | None = None,
        idempotency_key: str | None = None,
    ) -> Operation[m.ImportResult]:
        """Write values of many customers.

        In one transaction, up to 1,000 values. One invalid write rejects all, unless skip_invalid
        is set.
        """
        members: dict[str, Any] = {"skip_invalid": skip_invalid, "writes": writes}
        return self._call(_import_values, body, members, wait, idempotency_key)

    def link_channel(
        self,
        body: m.LinkChannel | None = None,
        /,
        *,
        customer_id: Id | None = None,
        after_erasure: bool | None = None,
        channel: str | None = None,
        external_id: str | None = None,
        verified: bool | None = None,
        wait: float | None = None,
        idempotency_key: str | None = None,
    ) -> Operation[m.CustomerResult]:
        """Link a channel identity to a customer."""
        members: dict[str, Any] = {"customer_id": customer_id, "after_erasure": after_erasure, "channel": channel,
            "external_id": external_id, "verified": verified}
        return self._call(_link_channel, body, members, wait, idempotency_key)

    def list_agents(
        self,
        *,
        limit: int | None = None,
    ) -> Iterator[m.AgentSummary]:
        """List the agents.

        Sorted by id: every agent with a definition or a scenario.
        """
        members: dict[str, Any] = {"limit": limit}
        return self._list(_list_agents, members)

    def list_audit(
        self,
        *,
        subject: str | None = None,
        actor: str | None = None,
        action: m.AuditAction | None = None,
        operation: str | None = None,
        purpose: str | None = None,
        from_: datetime | str | None = None,
        to: datetime | str | None = None,
        limit: int | None = None,
    ) -> Iterator[m.AuditEntry]:
        """List the entries of the audit.

        Newest first: who did what to whom, without values. Entries outlive the customer.
        """
        members: dict[str, Any] = {"subject": subject, "actor": actor, "action": action, "operation": operation, "purpose":
            purpose, "from": from_, "to": to, "limit": limit}
        return self._list(_list_audit, members)

    def list_closed_questions(
        self,
        customer_id: Id,
        *,
        limit: int | None = None,
    ) -> Iterator[m.Question]:
        """List the closed questions to a customer.

        The newest first, with how they ended.
        """
        members: dict[str, Any] = {"customer_id": customer_id, "limit": limit}
        return self._list(_list_closed_questions, members)

    def list_customer_history(
        self,
        customer_id: Id,
        *,
        limit: int | None = None,
    ) -> Iterator[m.Value]:
        """List the versions of all fields of a customer.

        Newest first, by the order of acceptance.
        """
        members: dict[str, Any] = {"customer_id": customer_id, "limit": limit}
        return self._list(_list_customer_history, members)

    def list_customers(
        self,
        *,
        values: bool | None = None,
        where: list[str] | None = None,
        limit: int | None = None,
    ) -> Iterator[m.Customer]:
        """List the customers.

        Sorted by id; with conditions, in the order of the index that finds them: the customers with
        an old value begin with the oldest. Merged customers are not included. With conditions a
        page reads up to 5,000 candidates: it can have fewer entries than its limit, or none, and
        still have a next_cursor. A key can use only fields that it may see: a masked field is
        refused, a field with purposes needs one of them, and the customers who have not consented
        to it are left out.
        """
        members: dict[str, Any] = {"values": values, "where": where, "limit": limit}
        return self._list(_list_customers, members)

    def list_definitions(
        self,
        agent_id: Id,
        *,
        limit: int | None = None,
    ) -> Iterator[m.Definition]:
        """List the definitions of an agent.

        Sorted by name.
        """
        members: dict[str, Any] = {"agent_id": agent_id, "limit": limit}
        return self._list(_list_definitions, members)

    def list_deliveries(
        self,
        webhook_id: Id,
        *,
        status: m.DeliveryStatus | None = None,
        limit: int | None = None,
    ) -> Iterator[m.Delivery]:
        """List the deliveries of a webhook.

        Newest first. Finished ones are kept as long as events.
        """
        members: dict[str, Any] = {"webhook_id": webhook_id, "status": status, "limit": limit}
        return self._list(_list_deliveries, members)

    def list_derived(
        self,
        item_id: Id,
        *,
        limit: int | None = None,
    ) -> Iterator[m.ChainLink]:
        """List the items that were derived from an item.

        Up to 1,000 items, in the order of their creation.
        """
        members: dict[str, Any] = {"item_id": item_id, "limit": limit}
        return self._list(_list_derived, members)

    def list_erasures(
        self,
        *,
        limit: int | None = None,
    ) -> Iterator[m.Erasure]:
        """List the erasures.

        Newest first, without their receipts. They name no customer.
        """
        members: dict[str, Any] = {"limit": limit}
        return self._list(_list_erasures, members)

    def list_events(
        self,
        *,
        after: str | None = None,
        types: str | None = None,
        customer_id: Id | None = None,
        agent_id: Id | None = None,
        values: bool | None = None,
        limit: int | None = None,
    ) -> Iterator[m.FeedEvent]:
        """Read the feed of events.

        What happened, oldest first, in ids and names. Events about one customer are in the order in
        which they happened. With Accept: text/event-stream the response is a stream of server-sent
        events, which goes on with what happens next. Events are kept for some days
        (events.retention_days): after them, a cursor is expired. Of an erased customer only
        customer.erased is left.
        """
        members: dict[str, Any] = {"after": after, "types": types, "customer_id": customer_id, "agent_id": agent_id,
            "values": values, "limit": limit}
        return self._list(_list_events, members)

    def list_history(
        self,
        customer_id: Id,
        name: str,
        *,
        limit: int | None = None,
    ) -> Iterator[m.Value]:
        """List the versions of a field.

        Newest first, by the order of acceptance.
        """
        members: dict[str, Any] = {"customer_id": customer_id, "name": name, "limit": limit}
        return self._list(_list_history, members)

    def list_keys(
        self,
        *,
        limit: int | None = None,
    ) -> Iterator[m.KeySummary]:
        """List the API keys.

        Newest first, also those that were revoked. No answer holds a key or its hash.
        """
        members: dict[str, Any] = {"limit": limit}
        return self._list(_list_keys, members)

    def list_merge_proposals(
        self,
        *,
        status: m.MergeProposalStatus | None = None,
        customer_id: Id | None = None,
        limit: int | None = None,
    ) -> Iterator[m.MergeProposal]:
        """List the proposed merges.

        Oldest first. They hold ids and names, no values.
        """
        members: dict[str, Any] = {"status": status, "customer_id": customer_id, "limit": limit}
        return self._list(_list_merge_proposals, members)

    def list_merge_rules(
        self,
    ) -> Iterator[m.MergeRule]:
        """List the merge rules.

        Sorted by id.
        """
        members: dict[str, Any] = {}
        return self._list(_list_merge_rules, members)

    def list_merges(
        self,
        customer_id: Id,
        *,
        limit: int | None = None,
    ) -> Iterator[m.Merge]:
        """List the merges of a customer.

        Newest first: the merges into this customer, the merge of this customer into another one,
        and those of the customers who are merged into it. unmerge-customer undoes a merge with the
        state undoable.
        """
        members: dict[str, Any] = {"customer_id": customer_id, "limit": limit}
        return self._list(_list_merges, members)

    def list_operations(
        self,
        *,
        status: Literal["accepted", "applied", "succeeded", "failed", "unfinished"] | None = None,
        workflow: str | None = None,
        customer_id: Id | None = None,
        limit: int | None = None,
    ) -> Iterator[m.OperationSummary]:
        """List the operations.

        Newest first, without their results. Finished operations are deleted after some time (by
        default 30 days, failed ones 90 days).
        """
        members: dict[str, Any] = {"status": status, "workflow": workflow, "customer_id": customer_id, "limit": limit}
        return self._list(_list_operations, members)

    def list_questions(
        self,
        *,
        customer_id: Id | None = None,
        limit: int | None = None,
    ) -> Iterator[m.Question]:
        """List the open questions.

        Oldest first.
        """
        members: dict[str, Any] = {"customer_id": customer_id, "limit": limit}
        return self._list(_list_questions, members)

    def list_requirements(
        self,
        scenario_id: Id,
        *,
        limit: int | None = None,
    ) -> Iterator[m.Requirement]:
        """List the requirements of a scenario.

        Includes the requirements of its rules. Sorted by the order of collection.
        """
        members: dict[str, Any] = {"scenario_id": scenario_id, "limit": limit}
        return self._list(_list_requirements, members)

    def list_reviews(
        self,
        *,
        limit: int | None = None,
    ) -> Iterator[m.PendingReviews]:
        """List the pending reviews.

        Extracted definitions first, then requirements, then pending values, then proposed merges.
        Oldest first.
        """
        members: dict[str, Any] = {"limit": limit}
        return self._list(_list_reviews, members)

    def list_rules(
        self,
        agent_id: Id,
        *,
        scenario_id: Id | None = None,
        limit: int | None = None,
    ) -> Iterator[m.RuleSummary]:
        """List the rules of an agent.

        Sorted by id, without their texts.
        """
        members: dict[str, Any] = {"agent_id": agent_id, "scenario_id": scenario_id, "limit": limit}
        return self._list(_list_rules, members)

    def list_scenarios(
        self,
        agent_id: Id,
        *,
        limit: int | None = None,
    ) -> Iterator[m.ScenarioSummary]:
        """List the scenarios of an agent.

        Sorted by id, without their texts.
        """
        members: dict[str, Any] = {"agent_id": agent_id, "limit": limit}
        return self._list(_list_scenarios, members)

    def list_sessions(
        self,
        customer_id: Id,
        *,
        limit: int | None = None,
    ) -> Iterator[m.SessionSummary]:
        """List the sessions of a customer.

        Newest first, without variables and turns. Those of customers merged with this customer are
        included.
        """
        members: dict[str, Any] = {"customer_id": customer_id, "limit": limit}
        return self._list(_list_sessions, members)

    def list_usage(
        self,
        *,
        limit: int | None = None,
    ) -> Iterator[m.Usage]:
        """List what was used of the language model, by day.

        Newest day first. Days without a call are left out.
        """
        members: dict[str, Any] = {"limit": limit}
        return self._list(_list_usage, members)

    def list_webhooks(
        self,
    ) -> Iterator[m.Webhook]:
        """List the webhooks.

        Sorted by id, without their secrets.
        """
        members: dict[str, Any] = {}
        return self._list(_list_webhooks, members)

    def merge_customers(
        self,
        body: m.MergeCustomers | None = None,
        /,
        *,
        target_customer_id: Id | None = None,
        source_customer_id: Id | None = None,
        wait: float | None = None,
        idempotency_key: str | None = None,
    ) -> Operation[m.CustomerResult]:
        """Merge another customer into this customer.

        Afterwards the id of the other customer refers to this customer.
        """
        members: dict[str, Any] = {"target_customer_id": target_customer_id, "source_customer_id": source_customer_id}
        return self._call(_merge_customers, body, members, wait, idempotency_key)

    def open_customer(
        self,
        body: m.OpenCustomer | None = None,
        /,
        *,
        after_erasure: bool | None = None,
        channel: str | None = None,
        external_id: str | None = None,
        verified: bool | None = None,
        wait: float | None = None,
        idempotency_key: str | None = None,
    ) -> Operation[m.CustomerResult]:
        """Get the customer of a channel identity, or create one.

        The result contains the id of the customer.
        """
        members: dict[str, Any] = {"after_erasure": after_erasure, "channel": channel, "external_id": external_id,
            "verified": verified}
        return self._call(_open_customer, body, members, wait, idempotency_key)

    def open_customers(
        self,
        body: m.OpenCustomers | None = None,
        /,
        *,
        identities: list[m.OpenCustomer] | None = None,
        wait: float | None = None,
        idempotency_key: str | None = None,
    ) -> Operation[m.OpenCustomersResult]:
        """Get the customers of many channel identities, or create them.

        At most 1000. The result contains the ids of the customers, in the order of the identities.
        """
        members: dict[str, Any] = {"identities": identities}
        return self._call(_open_customers, body, members, wait, idempotency_key)

    def propose_deletion(
        self,
        body: m.ProposeDeletion | None = None,
        /,
        *,
        customer_id: Id | None = None,
        name: str | None = None,
        reason: m.DeletionReason | None = None,
        wait: float | None = None,
        idempotency_key: str | None = None,
    ) -> Operation[m.ItemResult]:
        """Propose to delete the active value of a field.

        It deletes nothing. The value appears in the reviews with deletion_proposed_at, and a person
        decides with decide-value.
        """
        members: dict[str, Any] = {"customer_id": customer_id, "name": name, "reason": reason}
        return self._call(_propose_deletion, body, members, wait, idempotency_key)

    def propose_merges(
        self,
        body: m.ProposeMerges | None = None,
        /,
        *,
        merge_rule_id: Id | None = None,
        wait: float | None = None,
        idempotency_key: str | None = None,
    ) -> Operation[m.ProposeMergesResult]:
        """Look for customers who may be the same person.

        By the merge rules of the tenant. Each pair becomes a proposal, which a person decides. A
        schedule does the same.
        """
        members: dict[str, Any] = {"merge_rule_id": merge_rule_id}
        return self._call(_propose_merges, body, members, wait, idempotency_key)

    def read_conversation(
        self,
        session_id: Id,
        *,
        wait: float | None = None,
        idempotency_key: str | None = None,
    ) -> Operation[m.ReadConversationResult]:
        """Read the facts of a session.

        Reads what the customer said since the last reading, for all definitions of the agent. Each
        fact that the customer's words prove is written, as an active or as a pending value. Without
        a request, sessions are read when they end or have been quiet for a while. While a gap fill
        of the session has not ended, nothing is read.
        """
        members: dict[str, Any] = {"session_id": session_id}
        return self._call(_read_conversation, None, members, wait, idempotency_key)

    def recall(
        self,
        body: m.Recall | None = None,
        /,
        *,
        customer_id: Id | None = None,
        limit: int | None = None,
        question: str | None = None,
    ) -> m.Recalled:
        """Find the facts and quotes of a customer that are closest to a question.

        It compares the question with the active values of the customer and with the newest 2,000
        turns (up to 4 MiB) of the conversations of the customer and of those merged with it: by
        their words, and by the meaning of the turns that have an embedding. Both ranks are fused.
        Turns that say a value which was deleted, is withheld or is masked for the key are left out.
        Nothing of other customers is read.
        """
        members: dict[str, Any] = {"customer_id": customer_id, "limit": limit, "question": question}
        return self._call(_recall, body, members, None, None)

    def record_consent(
        self,
        body: m.RecordConsent | None = None,
        /,
        *,
        customer_id: Id | None = None,
        expires_at: datetime | str | None = None,
        granted: bool | None = None,
        purpose: str | None = None,
        source: str | None = None,
        wait: float | None = None,
        idempotency_key: str | None = None,
    ) -> Operation[m.CustomerResult]:
        """Record that a customer grants or refuses a consent."""
        members: dict[str, Any] = {"customer_id": customer_id, "expires_at": expires_at, "granted": granted, "purpose":
            purpose, "source": source}
        return self._call(_record_consent, body, members, wait, idempotency_key)

    def remove_element(
        self,
        body: m.WriteValue | None = None,
        /,
        *,
        customer_id: Id | None = None,
        name: str | None = None,
        agent_id: Id | None = None,
        collected_at: datetime | str | None = None,
        confidence: float | None = None,
        expires_at: datetime | str | None = None,
        item_id: Id | None = None,
        requires_confirmation: bool | None = None,
        source: m.ValueSource | None = None,
        source_item_id: Id | None = None,
        source_item_type: m.SourceType | None = None,
        source_metadata: Any | None = None,
        source_scenario_id: Id | None = None,
        source_session_id: Id | None = None,
        source_step_id: str | None = None,
        value: Any | None = None,
        verification_method: str | None = None,
        verified: bool | None = None,
        verified_by: str | None = None,
        wait: float | None = None,
        idempotency_key: str | None = None,
    ) -> Operation[m.ItemResult]:
        """Remove an element from the list of a field.

        value is the element. The list without it is a new version. An element that the list does
        not have changes nothing.
        """
        members: dict[str, Any] = {"customer_id": customer_id, "name": name, "agent_id": agent_id, "collected_at":
            collected_at, "confidence": confidence, "expires_at": expires_at, "item_id": item_id,
            "requires_confirmation": requires_confirmation, "source": source, "source_item_id":
            source_item_id, "source_item_type": source_item_type, "source_metadata":
            source_metadata, "source_scenario_id": source_scenario_id, "source_session_id":
            source_session_id, "source_step_id": source_step_id, "value": value,
            "verification_method": verification_method, "verified": verified, "verified_by":
            verified_by}
        return self._call(_remove_element, body, members, wait, idempotency_key)

    def replay_deliveries(
        self,
        body: m.ReplayDeliveries | None = None,
        /,
        *,
        webhook_id: Id | None = None,
        delivery_id: Id | None = None,
        wait: float | None = None,
        idempotency_key: str | None = None,
    ) -> Operation[m.ReplayDeliveriesResult]:
        """Deliver dead deliveries of a webhook again."""
        members: dict[str, Any] = {"webhook_id": webhook_id, "delivery_id": delivery_id}
        return self._call(_replay_deliveries, body, members, wait, idempotency_key)

    def replay_operation(
        self,
        operation_id: Id,
        *,
        wait: float | None = None,
        idempotency_key: str | None = None,
    ) -> Operation[Any]:
        """Replay a failed or overdue operation.

        A failed operation runs again: use it once the cause is fixed. An operation that is
        unfinished after a minute is sent to the workflow engine again; the member replayed says
        which. The operation keeps its id and its position in the order of acceptance.
        """
        members: dict[str, Any] = {"operation_id": operation_id}
        return self._call(_replay_operation, None, members, wait, idempotency_key)

    def restore_item(
        self,
        item_id: Id,
        *,
        wait: float | None = None,
        idempotency_key: str | None = None,
    ) -> Operation[m.ItemResult]:
        """Restore an item.

        Restores a deleted item. An orphaned item becomes active if its source exists again.
        """
        members: dict[str, Any] = {"item_id": item_id}
        return self._call(_restore_item, None, members, wait, idempotency_key)

    def revoke_key(
        self,
        key_id: Id,
        *,
        wait: float | None = None,
        idempotency_key: str | None = None,
    ) -> Operation[m.KeyResult]:
        """Revoke an API key.

        It ends within seconds. To revoke it again changes nothing.
        """
        members: dict[str, Any] = {"key_id": key_id}
        return self._call(_revoke_key, None, members, wait, idempotency_key)

    def save_definition(
        self,
        body: m.Definition | None = None,
        /,
        *,
        agent_id: Id | None = None,
        name: str | None = None,
        about: str | None = None,
        allowed_values: list[Any] | None = None,
        ask_channels: list[str] | None = None,
        collection_prompt: str | None = None,
        default_region: str | None = None,
        description: str | None = None,
        display_name: str | None = None,
        enabled: bool | None = None,
        encryption_required: bool | None = None,
        erase_on_withdrawal: bool | None = None,
        extraction_examples: list[str] | None = None,
        extraction_prompt_hint: str | None = None,
        forbid_extraction: bool | None = None,
        freshness_seconds: int | None = None,
        if_version: Id | None = None,
        is_pii: bool | None = None,
        json_schema: Any | None = None,
        max_elements: int | None = None,
        maximum: Any | None = None,
        minimum: Any | None = None,
        multiple: bool | None = None,
        on_conflict: m.OnConflict | None = None,
        prefix_search: bool | None = None,
        purposes: list[str] | None = None,
        remove_after_days: int | None = None,
        required_verification: bool | None = None,
        retention_days: int | None = None,
        retry_prompt: str | None = None,
        searchable: bool | None = None,
        source_priority: list[m.ValueSource] | None = None,
        stale_action: m.StaleAction | None = None,
        time_zone: str | None = None,
        unit: str | None = None,
        validation_mode: m.ValidationMode | None = None,
        validation_regex: str | None = None,
        value_type: m.ValueType | None = None,
        verification_methods: list[str] | None = None,
        write_once: bool | None = None,
        wait: float | None = None,
        idempotency_key: str | None = None,
    ) -> Operation[m.SavedResult]:
        """Save a definition.

        A definition allows an agent to collect a field, and describes its values. One that loses
        is_pii, or gets other purposes, needs the scope admin.
        """
        members: dict[str, Any] = {"agent_id": agent_id, "name": name, "about": about, "allowed_values": allowed_values,
            "ask_channels": ask_channels, "collection_prompt": collection_prompt, "default_region":
            default_region, "description": description, "display_name": display_name, "enabled":
            enabled, "encryption_required": encryption_required, "erase_on_withdrawal":
            erase_on_withdrawal, "extraction_examples": extraction_examples,
            "extraction_prompt_hint": extraction_prompt_hint, "forbid_extraction":
            forbid_extraction, "freshness_seconds": freshness_seconds, "if_version": if_version,
            "is_pii": is_pii, "json_schema": json_schema, "max_elements": max_elements, "maximum":
            maximum, "minimum": minimum, "multiple": multiple, "on_conflict": on_conflict,
            "prefix_search": prefix_search, "purposes": purposes, "remove_after_days":
            remove_after_days, "required_verification": required_verification, "retention_days":
            retention_days, "retry_prompt": retry_prompt, "searchable": searchable,
            "source_priority": source_priority, "stale_action": stale_action, "time_zone":
            time_zone, "unit": unit, "validation_mode": validation_mode, "validation_regex":
            validation_regex, "value_type": value_type, "verification_methods":
            verification_methods, "write_once": write_once}
        return self._call(_save_definition, body, members, wait, idempotency_key)

    def save_merge_rule(
        self,
        body: m.SaveMergeRule | None = None,
        /,
        *,
        merge_rule_id: Id | None = None,
        enabled: bool | None = None,
        fields: list[str] | None = None,
        if_version: Id | None = None,
        max_group: int | None = None,
        name: str | None = None,
        unverified: bool | None = None,
        wait: float | None = None,
        idempotency_key: str | None = None,
    ) -> Operation[m.SavedResult]:
        """Save a merge rule.

        Two customers with equal values of all its fields may be the same person. Only verified
        values count, unless the rule says otherwise.
        """
        members: dict[str, Any] = {"merge_rule_id": merge_rule_id, "enabled": enabled, "fields": fields, "if_version":
            if_version, "max_group": max_group, "name": name, "unverified": unverified}
        return self._call(_save_merge_rule, body, members, wait, idempotency_key)

    def save_requirement(
        self,
        body: m.Requirement | None = None,
        /,
        *,
        scenario_id: Id | None = None,
        field_name: str | None = None,
        agent_id: Id | None = None,
        collection_order: int | None = None,
        depends_on_fields: list[str] | None = None,
        fallback_action: m.FallbackAction | None = None,
        if_version: Id | None = None,
        refuse_stale: bool | None = None,
        required_level: m.RequiredLevel | None = None,
        rule_id: Id | None = None,
        step_id: str | None = None,
        when_condition: str | None = None,
        wait: float | None = None,
        idempotency_key: str | None = None,
    ) -> Operation[m.SavedResult]:
        """Save a requirement.

        The agent is the agent of the scenario, unless the body names one. With step_id or rule_id,
        the requirement applies to a step or a rule.
        """
        members: dict[str, Any] = {"scenario_id": scenario_id, "field_name": field_name, "agent_id": agent_id,
            "collection_order": collection_order, "depends_on_fields": depends_on_fields,
            "fallback_action": fallback_action, "if_version": if_version, "refuse_stale":
            refuse_stale, "required_level": required_level, "rule_id": rule_id, "step_id": step_id,
            "when_condition": when_condition}
        return self._call(_save_requirement, body, members, wait, idempotency_key)

    def save_rule(
        self,
        body: m.Rule | None = None,
        /,
        *,
        agent_id: Id | None = None,
        id: Id | None = None,
        action: str | None = None,
        condition: str | None = None,
        if_version: Id | None = None,
        name: str | None = None,
        scenario_id: Id | None = None,
        wait: float | None = None,
        idempotency_key: str | None = None,
    ) -> Operation[m.SavedResult]:
        """Save a rule of a scenario.

        The vault then extracts the requirements from the text, in another operation. The result
        contains its id.
        """
        members: dict[str, Any] = {"agent_id": agent_id, "id": id, "action": action, "condition": condition, "if_version":
            if_version, "name": name, "scenario_id": scenario_id}
        return self._call(_save_rule, body, members, wait, idempotency_key)

    def save_scenario(
        self,
        body: m.Scenario | None = None,
        /,
        *,
        agent_id: Id | None = None,
        id: Id | None = None,
        description: str | None = None,
        if_version: Id | None = None,
        name: str | None = None,
        steps: list[m.ScenarioStep] | None = None,
        variables: dict[str, str] | None = None,
        wait: float | None = None,
        idempotency_key: str | None = None,
    ) -> Operation[m.SavedResult]:
        """Save a scenario.

        The vault then extracts the requirements from the text, in another operation. The result
        contains its id.
        """
        members: dict[str, Any] = {"agent_id": agent_id, "id": id, "description": description, "if_version": if_version,
            "name": name, "steps": steps, "variables": variables}
        return self._call(_save_scenario, body, members, wait, idempotency_key)

    def save_session(
        self,
        body: m.SaveSession | None = None,
        /,
        *,
        session_id: Id | None = None,
        agent_id: Id | None = None,
        customer_id: Id | None = None,
        ended: bool | None = None,
        turns: list[m.Turn] | None = None,
        variables: dict[str, Any] | None = None,
        wait: float | None = None,
        idempotency_key: str | None = None,
    ) -> Operation[m.SavedResult]:
        """Save a session.

        Merges variables by name, and appends turns.
        """
        members: dict[str, Any] = {"session_id": session_id, "agent_id": agent_id, "customer_id": customer_id, "ended":
            ended, "turns": turns, "variables": variables}
        return self._call(_save_session, body, members, wait, idempotency_key)

    def save_webhook(
        self,
        body: m.SaveWebhook | None = None,
        /,
        *,
        webhook_id: Id | None = None,
        agent_id: Id | None = None,
        enabled: bool | None = None,
        if_version: Id | None = None,
        secret: str | None = None,
        types: list[m.EventType] | None = None,
        url: str | None = None,
        values: bool | None = None,
        wait: float | None = None,
        idempotency_key: str | None = None,
    ) -> Operation[m.SavedResult]:
        """Save a webhook.

        A subscription to the feed, delivered to an address by the convention Standard Webhooks:
        signed, at least once, in order for each customer, with retries over about three days. It
        begins with what happens from then on. The caller makes the secret, and no read returns it.
        """
        members: dict[str, Any] = {"webhook_id": webhook_id, "agent_id": agent_id, "enabled": enabled, "if_version":
            if_version, "secret": secret, "types": types, "url": url, "values": values}
        return self._call(_save_webhook, body, members, wait, idempotency_key)

    def set_customer_label(
        self,
        body: m.SetCustomerLabel | None = None,
        /,
        *,
        customer_id: Id | None = None,
        label: str | None = None,
        wait: float | None = None,
        idempotency_key: str | None = None,
    ) -> Operation[m.CustomerResult]:
        """Set the label of a customer.

        A short text for the people who work with the customer. The profile contains it. An empty
        label removes it.
        """
        members: dict[str, Any] = {"customer_id": customer_id, "label": label}
        return self._call(_set_customer_label, body, members, wait, idempotency_key)

    def take_session_turn(
        self,
        body: m.TakeTurn | None = None,
        /,
        *,
        session_id: Id | None = None,
        agent_id: Id | None = None,
        at: datetime | str | None = None,
        channel: str | None = None,
        customer_id: Id | None = None,
        external_id: str | None = None,
        scenario_id: Id | None = None,
        session_key: str | None = None,
        speaker: m.Speaker | None = None,
        text: str | None = None,
        max_tokens: int | None = None,
        format: m.ContextFormat | None = None,
        wait: float | None = None,
        idempotency_key: str | None = None,
    ) -> Operation[m.TurnResult]:
        """Take a turn of a session.

        take-turn for callers who manage the ids of their sessions. add-turns only saves turns. One
        request for each message. It saves the turn, answers the open question of the customer with
        it if it does, stores the facts that it states and proves, starts or moves on the gap fill
        of the scenario, and asks the next question. With Prefer: wait, the response has what was
        learned, with quotes, what was refused and why, what is missing, the next question and the
        context block; a key without the scope read gets the stored result only. A repeat with the
        same Idempotency-Key takes no second turn. An unknown channel identity opens a customer. A
        session of another customer is refused with 409.
        """
        members: dict[str, Any] = {"session_id": session_id, "agent_id": agent_id, "at": at, "channel": channel,
            "customer_id": customer_id, "external_id": external_id, "scenario_id": scenario_id,
            "session_key": session_key, "speaker": speaker, "text": text, "max_tokens": max_tokens,
            "format": format}
        return self._call(_take_session_turn, body, members, wait, idempotency_key)

    def take_turn(
        self,
        body: m.TakeTurn | None = None,
        /,
        *,
        agent_id: Id | None = None,
        at: datetime | str | None = None,
        channel: str | None = None,
        customer_id: Id | None = None,
        external_id: str | None = None,
        scenario_id: Id | None = None,
        session_id: Id | None = None,
        session_key: str | None = None,
        speaker: m.Speaker | None = None,
        text: str | None = None,
        max_tokens: int | None = None,
        format: m.ContextFormat | None = None,
        wait: float | None = None,
        idempotency_key: str | None = None,
    ) -> Operation[m.TurnResult]:
        """Take a turn of a conversation.

        One request for each message. It saves the turn, answers the open question of the customer
        with it if it does, stores the facts that it states and proves, starts or moves on the gap
        fill of the scenario, and asks the next question. With Prefer: wait, the response has what
        was learned, with quotes, what was refused and why, what is missing, the next question and
        the context block; a key without the scope read gets the stored result only. A repeat with
        the same Idempotency-Key takes no second turn. An unknown channel identity opens a customer.
        A session of another customer is refused with 409.
        """
        members: dict[str, Any] = {"agent_id": agent_id, "at": at, "channel": channel, "customer_id": customer_id,
            "external_id": external_id, "scenario_id": scenario_id, "session_id": session_id,
            "session_key": session_key, "speaker": speaker, "text": text, "max_tokens": max_tokens,
            "format": format}
        return self._call(_take_turn, body, members, wait, idempotency_key)

    def test_webhook(
        self,
        webhook_id: Id,
        *,
        wait: float | None = None,
        idempotency_key: str | None = None,
    ) -> Operation[m.TestWebhookResult]:
        """Deliver a test to a webhook.

        A message of the type webhook.test without data. The list of deliveries shows its outcome.
        """
        members: dict[str, Any] = {"webhook_id": webhook_id}
        return self._call(_test_webhook, None, members, wait, idempotency_key)

    def unmerge_customer(
        self,
        customer_id: Id,
        *,
        wait: float | None = None,
        idempotency_key: str | None = None,
    ) -> Operation[m.CustomerResult]:
        """Undo the merge of this customer into another customer.

        Restores the exact state before the merge. Values that were written after the merge remain
        with the other customer. GET …/merges lists the merges that can be undone.
        """
        members: dict[str, Any] = {"customer_id": customer_id}
        return self._call(_unmerge_customer, None, members, wait, idempotency_key)

    def verify_audit(
        self,
        *,
        expect: str | None = None,
    ) -> m.AuditReport:
        """Compare the audit with its seals.

        It reads the whole audit of the tenant, and names each entry that was changed, removed or
        inserted, and each seal that was changed or removed.
        """
        members: dict[str, Any] = {"expect": expect}
        return self._call(_verify_audit, None, members, None, None)

    def verify_value(
        self,
        body: m.VerifyValue | None = None,
        /,
        *,
        customer_id: Id | None = None,
        name: str | None = None,
        agent_id: Id | None = None,
        item_id: Id | None = None,
        method: str | None = None,
        verified_by: str | None = None,
        wait: float | None = None,
        idempotency_key: str | None = None,
    ) -> Operation[m.ItemResult]:
        """Mark the active value of a field as verified."""
        members: dict[str, Any] = {"customer_id": customer_id, "name": name, "agent_id": agent_id, "item_id": item_id,
            "method": method, "verified_by": verified_by}
        return self._call(_verify_value, body, members, wait, idempotency_key)

    def write_value(
        self,
        body: m.WriteValue | None = None,
        /,
        *,
        customer_id: Id | None = None,
        name: str | None = None,
        agent_id: Id | None = None,
        collected_at: datetime | str | None = None,
        confidence: float | None = None,
        expires_at: datetime | str | None = None,
        item_id: Id | None = None,
        requires_confirmation: bool | None = None,
        source: m.ValueSource | None = None,
        source_item_id: Id | None = None,
        source_item_type: m.SourceType | None = None,
        source_metadata: Any | None = None,
        source_scenario_id: Id | None = None,
        source_session_id: Id | None = None,
        source_step_id: str | None = None,
        value: Any | None = None,
        verification_method: str | None = None,
        verified: bool | None = None,
        verified_by: str | None = None,
        wait: float | None = None,
        idempotency_key: str | None = None,
    ) -> Operation[m.ItemResult]:
        """Write a value.

        The first write creates the profile. The previous version becomes superseded and remains in
        the history. A value that differs from a stronger active one does not replace it: its status
        is pending, and a person or the customer decides. Strength is the verification first, then
        the source.
        """
        members: dict[str, Any] = {"customer_id": customer_id, "name": name, "agent_id": agent_id, "collected_at":
            collected_at, "confidence": confidence, "expires_at": expires_at, "item_id": item_id,
            "requires_confirmation": requires_confirmation, "source": source, "source_item_id":
            source_item_id, "source_item_type": source_item_type, "source_metadata":
            source_metadata, "source_scenario_id": source_scenario_id, "source_session_id":
            source_session_id, "source_step_id": source_step_id, "value": value,
            "verification_method": verification_method, "verified": verified, "verified_by":
            verified_by}
        return self._call(_write_value, body, members, wait, idempotency_key)


class AsyncMethods:
    """The methods of AsyncVault."""

    async def add_asset(
        self,
        body: m.AddAsset | None = None,
        /,
        *,
        customer_id: Id | None = None,
        asset_type: str | None = None,
        checksum: str | None = None,
        expires_at: datetime | str | None = None,
        mime_type: str | None = None,
        name: str | None = None,
        size_bytes: int | None = None,
        source_item_id: Id | None = None,
        source_item_type: m.SourceType | None = None,
        source_metadata: Any | None = None,
        storage_path: str | None = None,
        storage_provider: str | None = None,
        supersede_existing: bool | None = None,
        upload_scenario_id: Id | None = None,
        upload_session_id: Id | None = None,
        uploaded_at: datetime | str | None = None,
        wait: float | None = None,
        idempotency_key: str | None = None,
    ) -> Operation[m.ItemResult]:
        """Add a reference to a document.

        The document itself remains in its storage.
        """
        members: dict[str, Any] = {"customer_id": customer_id, "asset_type": asset_type, "checksum": checksum,
            "expires_at": expires_at, "mime_type": mime_type, "name": name, "size_bytes":
            size_bytes, "source_item_id": source_item_id, "source_item_type": source_item_type,
            "source_metadata": source_metadata, "storage_path": storage_path, "storage_provider":
            storage_provider, "supersede_existing": supersede_existing, "upload_scenario_id":
            upload_scenario_id, "upload_session_id": upload_session_id, "uploaded_at": uploaded_at}
        return await self._call(_add_asset, body, members, wait, idempotency_key)

    async def add_element(
        self,
        body: m.WriteValue | None = None,
        /,
        *,
        customer_id: Id | None = None,
        name: str | None = None,
        agent_id: Id | None = None,
        collected_at: datetime | str | None = None,
        confidence: float | None = None,
        expires_at: datetime | str | None = None,
        item_id: Id | None = None,
        requires_confirmation: bool | None = None,
        source: m.ValueSource | None = None,
        source_item_id: Id | None = None,
        source_item_type: m.SourceType | None = None,
        source_metadata: Any | None = None,
        source_scenario_id: Id | None = None,
        source_session_id: Id | None = None,
        source_step_id: str | None = None,
        value: Any | None = None,
        verification_method: str | None = None,
        verified: bool | None = None,
        verified_by: str | None = None,
        wait: float | None = None,
        idempotency_key: str | None = None,
    ) -> Operation[m.ItemResult]:
        """Add an element to the list of a field.

        value is the element. The definition has multiple. The list with the element is a new
        version. An element that the list has already changes nothing.
        """
        members: dict[str, Any] = {"customer_id": customer_id, "name": name, "agent_id": agent_id, "collected_at":
            collected_at, "confidence": confidence, "expires_at": expires_at, "item_id": item_id,
            "requires_confirmation": requires_confirmation, "source": source, "source_item_id":
            source_item_id, "source_item_type": source_item_type, "source_metadata":
            source_metadata, "source_scenario_id": source_scenario_id, "source_session_id":
            source_session_id, "source_step_id": source_step_id, "value": value,
            "verification_method": verification_method, "verified": verified, "verified_by":
            verified_by}
        return await self._call(_add_element, body, members, wait, idempotency_key)

    async def add_turns(
        self,
        body: m.AddTurns | None = None,
        /,
        *,
        session_id: Id | None = None,
        agent_id: Id | None = None,
        customer_id: Id | None = None,
        turns: list[m.Turn] | None = None,
        wait: float | None = None,
        idempotency_key: str | None = None,
    ) -> Operation[m.SavedResult]:
        """Add turns to a session.

        Agent and customer are those of the session, unless the body names both.
        """
        members: dict[str, Any] = {"session_id": session_id, "agent_id": agent_id, "customer_id": customer_id, "turns":
            turns}
        return await self._call(_add_turns, body, members, wait, idempotency_key)

    async def answer_question(
        self,
        body: m.AnswerQuestion | None = None,
        /,
        *,
        question_id: Id | None = None,
        channel: str | None = None,
        session_id: Id | None = None,
        value: Any | None = None,
        wait: float | None = None,
        idempotency_key: str | None = None,
    ) -> Operation[m.ItemResult]:
        """Answer a question.

        The answer is a value, or the words of the customer. A reply that does not answer, such as
        "just a moment", succeeds with interrupted, and the question stays open. A refusal succeeds
        with refused. After an unclear or invalid answer, the gap fill asks again in other words, up
        to its maximum number of attempts.
        """
        members: dict[str, Any] = {"question_id": question_id, "channel": channel, "session_id": session_id, "value": value}
        return await self._call(_answer_question, body, members, wait, idempotency_key)

    async def apply_configuration(
        self,
        body: m.ApplyConfiguration | None = None,
        /,
        *,
        agent_id: Id | None = None,
        definitions: list[m.Definition] | None = None,
        prune: bool | None = None,
        requirements: list[m.Requirement] | None = None,
        rules: list[m.Rule] | None = None,
        scenarios: list[m.Scenario] | None = None,
        wait: float | None = None,
        idempotency_key: str | None = None,
    ) -> Operation[m.ApplyConfigurationResult]:
        """Apply the configuration of an agent.

        Stores the changed definitions, scenarios, rules and requirements in one transaction, or
        nothing. Applying the same configuration again changes nothing. Each changed text starts an
        extraction. A definition that loses is_pii, or gets other purposes, needs the scope admin.
        """
        members: dict[str, Any] = {"agent_id": agent_id, "definitions": definitions, "prune": prune, "requirements":
            requirements, "rules": rules, "scenarios": scenarios}
        return await self._call(_apply_configuration, body, members, wait, idempotency_key)

    def await_questions(
        self,
        customer_id: Id,
        *,
        wait: int | None = None,
        channel: str | None = None,
    ) -> AsyncIterator[m.Question]:
        """List the open questions to a customer, or wait for one.

        Oldest first, up to 1,000, those that the channel may ask now. With wait, the response comes
        as soon as there is one, or empty after that time. A process has a limited number of waiting
        requests, and fewer of one key; one beyond it is answered at once.
        """
        members: dict[str, Any] = {"customer_id": customer_id, "wait": wait, "channel": channel}
        return self._list(_await_questions, members)

    async def cancel_fill(
        self,
        operation_id: Id,
        *,
        wait: float | None = None,
        idempotency_key: str | None = None,
    ) -> Operation[m.CancelResult]:
        """Cancel a gap fill.

        The gap fill opens no more questions and closes its open question. It ends at once with what
        it has, or when its current write has finished. Other operations cannot be cancelled.
        """
        members: dict[str, Any] = {"operation_id": operation_id}
        return await self._call(_cancel_fill, None, members, wait, idempotency_key)

    async def claim_question(
        self,
        body: m.ClaimQuestion | None = None,
        /,
        *,
        question_id: Id | None = None,
        channel: str | None = None,
        seconds: int | None = None,
        wait: float | None = None,
        idempotency_key: str | None = None,
    ) -> Operation[m.ClaimResult]:
        """Claim a question for a channel.

        For some seconds no other channel asks it: 409 while another channel has it. The same
        channel renews its claim. An answer is taken from every channel.
        """
        members: dict[str, Any] = {"question_id": question_id, "channel": channel, "seconds": seconds}
        return await self._call(_claim_question, body, members, wait, idempotency_key)

    async def correct_value(
        self,
        body: m.CorrectValue | None = None,
        /,
        *,
        customer_id: Id | None = None,
        name: str | None = None,
        agent_id: Id | None = None,
        corrected_by: str | None = None,
        item_id: Id | None = None,
        reason: str | None = None,
        replaces_item_id: Id | None = None,
        value: Any | None = None,
        verification_method: str | None = None,
        verified: bool | None = None,
        wait: float | None = None,
        idempotency_key: str | None = None,
    ) -> Operation[m.ItemResult]:
        """Replace a wrong value.

        Whatever its strength. Both versions remain in the history, the new one with the reason.
        """
        members: dict[str, Any] = {"customer_id": customer_id, "name": name, "agent_id": agent_id, "corrected_by":
            corrected_by, "item_id": item_id, "reason": reason, "replaces_item_id":
            replaces_item_id, "value": value, "verification_method": verification_method,
            "verified": verified}
        return await self._call(_correct_value, body, members, wait, idempotency_key)

    async def count_customers(
        self,
        *,
        where: list[str] | None = None,
    ) -> m.CustomerCount:
        """Count the customers who meet conditions.

        The conditions are those of list-customers. Merged customers are not counted. The count ends
        after 200,000 candidates.
        """
        members: dict[str, Any] = {"where": where}
        return await self._call(_count_customers, None, members, None, None)

    async def create_key(
        self,
        body: m.CreateKey | None = None,
        /,
        *,
        agents: list[UUID] | None = None,
        expires_at: datetime | str | None = None,
        key_hash: str | None = None,
        masked: bool | None = None,
        name: str | None = None,
        purpose: str | None = None,
        scopes: list[Literal["read", "write", "verify", "review", "erase", "admin"]] | None = None,
        sources: list[m.ValueSource] | None = None,
        wait: float | None = None,
        idempotency_key: str | None = None,
    ) -> Operation[m.KeyResult]:
        """Create an API key.

        You make the secret and send its hash, so that the secret is in no request and no answer
        before it is used. The id of the operation is the id of the key.
        """
        members: dict[str, Any] = {"agents": agents, "expires_at": expires_at, "key_hash": key_hash, "masked": masked,
            "name": name, "purpose": purpose, "scopes": scopes, "sources": sources}
        return await self._call(_create_key, body, members, wait, idempotency_key)

    async def decide_merge(
        self,
        body: m.DecideMerge | None = None,
        /,
        *,
        proposal_id: Id | None = None,
        decision: m.Decision | None = None,
        keep: m.MergeKeep | None = None,
        wait: float | None = None,
        idempotency_key: str | None = None,
    ) -> Operation[m.DecideMergeResult]:
        """Approve or reject a proposed merge.

        An approval merges the customers; unmerge-customer undoes it. A rejected pair is not
        proposed again for the same values. If the proposal is not pending any more, or the
        customers do not share the values any more, nothing is changed and the response is 409.
        """
        members: dict[str, Any] = {"proposal_id": proposal_id, "decision": decision, "keep": keep}
        return await self._call(_decide_merge, body, members, wait, idempotency_key)

    async def decide_review(
        self,
        body: m.DecideReview | None = None,
        /,
        *,
        id: Id | None = None,
        decision: m.Decision | None = None,
        edit: m.DefinitionEdit | None = None,
        kind: Literal["definition"] | None = None,
        only_pending: bool | None = None,
        wait: float | None = None,
        idempotency_key: str | None = None,
    ) -> Operation[m.SavedResult]:
        """Approve or reject an extracted definition or requirement.

        An approval of a requirement can include changes to it.
        """
        members: dict[str, Any] = {"id": id, "decision": decision, "edit": edit, "kind": kind, "only_pending": only_pending}
        return await self._call(_decide_review, body, members, wait, idempotency_key)

    async def decide_value(
        self,
        body: m.DecideValue | None = None,
        /,
        *,
        item_id: Id | None = None,
        decided_by: str | None = None,
        decision: m.Decision | None = None,
        note: str | None = None,
        wait: float | None = None,
        idempotency_key: str | None = None,
    ) -> Operation[m.ItemResult]:
        """Approve or reject a pending value or a proposed deletion.

        An approved value becomes active with its own lineage, and the version that it replaces
        superseded. A rejected one remains in the history. An approved deletion deletes the value, a
        rejected one keeps it.
        """
        members: dict[str, Any] = {"item_id": item_id, "decided_by": decided_by, "decision": decision, "note": note}
        return await self._call(_decide_value, body, members, wait, idempotency_key)

    async def delete_customer(
        self,
        customer_id: Id,
        *,
        purge_after: datetime | str | None = None,
        force: bool | None = None,
        wait: float | None = None,
        idempotency_key: str | None = None,
    ) -> Operation[m.CustomerResult]:
        """Delete a customer.

        Also deletes its values and assets. It is reversible by an operator: the rows remain in the
        database, but no read returns them, until purge_after, when the customer is erased for good.
        POST …/erasure erases at once. If items of other customers were derived from them, the
        response is 409 has_dependents with the ids of those items.
        """
        members: dict[str, Any] = {"customer_id": customer_id, "purge_after": purge_after, "force": force}
        return await self._call(_delete_customer, None, members, wait, idempotency_key)

    async def delete_definition(
        self,
        agent_id: Id,
        name: str,
        *,
        if_version: Id | None = None,
        wait: float | None = None,
        idempotency_key: str | None = None,
    ) -> Operation[m.SavedResult]:
        """Delete a definition.

        Collected values remain. A definition with requirements cannot be deleted: related contains
        the ids of the requirements. One with is_pii or purposes is deleted by a key with the scope
        admin.
        """
        members: dict[str, Any] = {"agent_id": agent_id, "name": name, "if_version": if_version}
        return await self._call(_delete_definition, None, members, wait, idempotency_key)

    async def delete_item(
        self,
        item_id: Id,
        *,
        force: bool | None = None,
        restore_previous: bool | None = None,
        wait: float | None = None,
        idempotency_key: str | None = None,
    ) -> Operation[m.DeleteResult]:
        """Delete a value or an asset.

        If other items were derived from it, the response is 409 has_dependents with their ids.
        """
        members: dict[str, Any] = {"item_id": item_id, "force": force, "restore_previous": restore_previous}
        return await self._call(_delete_item, None, members, wait, idempotency_key)

    async def delete_merge_rule(
        self,
        merge_rule_id: Id,
        *,
        if_version: Id | None = None,
        wait: float | None = None,
        idempotency_key: str | None = None,
    ) -> Operation[m.SavedResult]:
        """Delete a merge rule.

        Closes its pending proposals. Decisions stay.
        """
        members: dict[str, Any] = {"merge_rule_id": merge_rule_id, "if_version": if_version}
        return await self._call(_delete_merge_rule, None, members, wait, idempotency_key)

    async def delete_requirement(
        self,
        scenario_id: Id,
        field_name: str,
        *,
        step_id: str | None = None,
        rule_id: Id | None = None,
        if_version: Id | None = None,
        wait: float | None = None,
        idempotency_key: str | None = None,
    ) -> Operation[m.SavedResult]:
        """Delete a requirement.

        A later extraction does not add it again. Saving it adds it again.
        """
        members: dict[str, Any] = {"scenario_id": scenario_id, "field_name": field_name, "step_id": step_id, "rule_id":
            rule_id, "if_version": if_version}
        return await self._call(_delete_requirement, None, members, wait, idempotency_key)

    async def delete_webhook(
        self,
        webhook_id: Id,
        *,
        if_version: Id | None = None,
        wait: float | None = None,
        idempotency_key: str | None = None,
    ) -> Operation[m.SavedResult]:
        """Delete a webhook.

        Removes its deliveries too. Nothing is delivered afterwards.
        """
        members: dict[str, Any] = {"webhook_id": webhook_id, "if_version": if_version}
        return await self._call(_delete_webhook, None, members, wait, idempotency_key)

    async def detect_orphans(
        self,
        *,
        wait: float | None = None,
        idempotency_key: str | None = None,
    ) -> Operation[m.SweepResult]:
        """Mark items without their source now.

        In all tenants, so with ADMIN_TOKEN alone. A schedule does the same.
        """
        members: dict[str, Any] = {}
        return await self._call(_detect_orphans, None, members, wait, idempotency_key)

    async def detect_own_orphans(
        self,
        *,
        wait: float | None = None,
        idempotency_key: str | None = None,
    ) -> Operation[m.SweepResult]:
        """Mark items of the tenant without their source now.

        In the tenant of the key alone. A schedule does the same in all tenants.
        """
        members: dict[str, Any] = {}
        return await self._call(_detect_own_orphans, None, members, wait, idempotency_key)

    async def drop_cached_profile(
        self,
        customer_id: Id,
    ) -> None:
        """Remove the cache entry of a customer.

        The next read uses the database. With ADMIN_TOKEN, X-Tenant is the tenant of the customer.
        This is never necessary: the vault invalidates entries itself.
        """
        members: dict[str, Any] = {"customer_id": customer_id}
        return await self._call(_drop_cached_profile, None, members, None, None)

    async def dry_run_definition(
        self,
        body: m.Definition | None = None,
        /,
        *,
        agent_id: Id | None = None,
        name: str | None = None,
        about: str | None = None,
        allowed_values: list[Any] | None = None,
        ask_channels: list[str] | None = None,
        collection_prompt: str | None = None,
        default_region: str | None = None,
        description: str | None = None,
        display_name: str | None = None,
        enabled: bool | None = None,
        encryption_required: bool | None = None,
        erase_on_withdrawal: bool | None = None,
        extraction_examples: list[str] | None = None,
        extraction_prompt_hint: str | None = None,
        forbid_extraction: bool | None = None,
        freshness_seconds: int | None = None,
        if_version: Id | None = None,
        is_pii: bool | None = None,
        json_schema: Any | None = None,
        max_elements: int | None = None,
        maximum: Any | None = None,
        minimum: Any | None = None,
        multiple: bool | None = None,
        on_conflict: m.OnConflict | None = None,
        prefix_search: bool | None = None,
        purposes: list[str] | None = None,
        remove_after_days: int | None = None,
        required_verification: bool | None = None,
        retention_days: int | None = None,
        retry_prompt: str | None = None,
        searchable: bool | None = None,
        source_priority: list[m.ValueSource] | None = None,
        stale_action: m.StaleAction | None = None,
        time_zone: str | None = None,
        unit: str | None = None,
        validation_mode: m.ValidationMode | None = None,
        validation_regex: str | None = None,
        value_type: m.ValueType | None = None,
        verification_methods: list[str] | None = None,
        write_once: bool | None = None,
        after: Id | None = None,
        customers: int | None = None,
    ) -> m.DryRun:
        """Say what a changed definition would break.

        Changes nothing. It needs the scopes read and write, as it shows what a save would do, and a
        key that sees PII, as its numbers tell what values are. Returns the stored values that would
        be invalid, the scenarios that could no longer start for customers, and the requirements and
        conditions that name the field. The numbers are those of the customers that it looked at:
        complete says whether these are all, and next_after leads to the others. It looks at fewer
        than asked for if that takes long. A condition that reads the session counts as true.
        """
        members: dict[str, Any] = {"agent_id": agent_id, "name": name, "about": about, "allowed_values": allowed_values,
            "ask_channels": ask_channels, "collection_prompt": collection_prompt, "default_region":
            default_region, "description": description, "display_name": display_name, "enabled":
            enabled, "encryption_required": encryption_required, "erase_on_withdrawal":
            erase_on_withdrawal, "extraction_examples": extraction_examples,
            "extraction_prompt_hint": extraction_prompt_hint, "forbid_extraction":
            forbid_extraction, "freshness_seconds": freshness_seconds, "if_version": if_version,
            "is_pii": is_pii, "json_schema": json_schema, "max_elements": max_elements, "maximum":
            maximum, "minimum": minimum, "multiple": multiple, "on_conflict": on_conflict,
            "prefix_search": prefix_search, "purposes": purposes, "remove_after_days":
            remove_after_days, "required_verification": required_verification, "retention_days":
            retention_days, "retry_prompt": retry_prompt, "searchable": searchable,
            "source_priority": source_priority, "stale_action": stale_action, "time_zone":
            time_zone, "unit": unit, "validation_mode": validation_mode, "validation_regex":
            validation_regex, "value_type": value_type, "verification_methods":
            verification_methods, "write_once": write_once, "after": after, "customers": customers}
        return await self._call(_dry_run_definition, body, members, None, None)

    async def dry_run_delete_definition(
        self,
        agent_id: Id,
        name: str,
        *,
        after: Id | None = None,
        customers: int | None = None,
    ) -> m.DryRun:
        """Say what the deletion of a definition would break.

        Changes nothing. It needs the scopes read and write, as it shows what a save would do, and a
        key that sees PII, as its numbers tell what values are. Returns the stored values, which
        stay and would be those of an unknown field, the scenarios that could no longer start for
        customers, the requirements, conditions and rules that name the field, and the merge rules
        that compare by it. The numbers are those of the customers that it looked at: complete says
        whether these are all, and next_after leads to the others. It looks at fewer than asked for
        if that takes long. A condition that reads the session counts as true.
        """
        members: dict[str, Any] = {"agent_id": agent_id, "name": name, "after": after, "customers": customers}
        return await self._call(_dry_run_delete_definition, None, members, None, None)

    async def dry_run_delete_requirement(
        self,
        scenario_id: Id,
        field_name: str,
        *,
        step_id: str | None = None,
        rule_id: Id | None = None,
        after: Id | None = None,
        customers: int | None = None,
    ) -> m.DryRun:
        """Say what the deletion of a requirement would change.

        Changes nothing. It needs the scopes read and write, as it shows what a save would do, and a
        key that sees PII, as its numbers tell what values are. Returns for how many customers the
        scenario could then start, and the requirements that depend on the field or read it. The
        numbers are those of the customers that it looked at: complete says whether these are all,
        and next_after leads to the others. It looks at fewer than asked for if that takes long. A
        condition that reads the session counts as true.
        """
        members: dict[str, Any] = {"scenario_id": scenario_id, "field_name": field_name, "step_id": step_id, "rule_id":
            rule_id, "after": after, "customers": customers}
        return await self._call(_dry_run_delete_requirement, None, members, None, None)

    async def dry_run_requirement(
        self,
        body: m.Requirement | None = None,
        /,
        *,
        scenario_id: Id | None = None,
        field_name: str | None = None,
        agent_id: Id | None = None,
        collection_order: int | None = None,
        depends_on_fields: list[str] | None = None,
        fallback_action: m.FallbackAction | None = None,
        if_version: Id | None = None,
        refuse_stale: bool | None = None,
        required_level: m.RequiredLevel | None = None,
        rule_id: Id | None = None,
        step_id: str | None = None,
        when_condition: str | None = None,
        after: Id | None = None,
        customers: int | None = None,
    ) -> m.DryRun:
        """Say what a changed requirement would break.

        Changes nothing. It needs the scopes read and write, as it shows what a save would do, and a
        key that sees PII, as its numbers tell what values are. Returns for how many customers the
        scenario could no longer start, and who would be asked for more. The numbers are those of
        the customers that it looked at: complete says whether these are all, and next_after leads
        to the others. It looks at fewer than asked for if that takes long. A condition that reads
        the session counts as true.
        """
        members: dict[str, Any] = {"scenario_id": scenario_id, "field_name": field_name, "agent_id": agent_id,
            "collection_order": collection_order, "depends_on_fields": depends_on_fields,
            "fallback_action": fallback_action, "if_version": if_version, "refuse_stale":
            refuse_stale, "required_level": required_level, "rule_id": rule_id, "step_id": step_id,
            "when_condition": when_condition, "after": after, "customers": customers}
        return await self._call(_dry_run_requirement, body, members, None, None)

    async def dry_run_rule(
        self,
        body: m.Rule | None = None,
        /,
        *,
        agent_id: Id | None = None,
        id: Id | None = None,
        action: str | None = None,
        condition: str | None = None,
        if_version: Id | None = None,
        name: str | None = None,
        scenario_id: Id | None = None,
    ) -> m.DryRun:
        """Say what a changed rule would break.

        Changes nothing. It needs the scopes read and write, as it shows what a save would do, and a
        key that sees PII, as its numbers tell what values are. Returns the requirements of the rule
        whose evidence would be gone. What the extraction finds in the new text is not known before,
        so it looks at no customer.
        """
        members: dict[str, Any] = {"agent_id": agent_id, "id": id, "action": action, "condition": condition, "if_version":
            if_version, "name": name, "scenario_id": scenario_id}
        return await self._call(_dry_run_rule, body, members, None, None)

    async def dry_run_scenario(
        self,
        body: m.Scenario | None = None,
        /,
        *,
        agent_id: Id | None = None,
        id: Id | None = None,
        description: str | None = None,
        if_version: Id | None = None,
        name: str | None = None,
        steps: list[m.ScenarioStep] | None = None,
        variables: dict[str, str] | None = None,
        after: Id | None = None,
        customers: int | None = None,
    ) -> m.DryRun:
        """Say what a changed scenario would break.

        Changes nothing. It needs the scopes read and write, as it shows what a save would do, and a
        key that sees PII, as its numbers tell what values are. Returns the requirements whose step
        or evidence would be gone, and for how many customers its new variables change what the
        scenario asks. What the extraction finds in the new text is not known before. The numbers
        are those of the customers that it looked at: complete says whether these are all, and
        next_after leads to the others. It looks at fewer than asked for if that takes long. A
        condition that reads the session counts as true.
        """
        members: dict[str, Any] = {"agent_id": agent_id, "id": id, "description": description, "if_version": if_version,
            "name": name, "steps": steps, "variables": variables, "after": after, "customers":
            customers}
        return await self._call(_dry_run_scenario, body, members, None, None)

    async def erase_customer(
        self,
        body: m.EraseCustomer | None = None,
        /,
        *,
        customer_id: Id | None = None,
        derived: m.DerivedAction | None = None,
        wait: float | None = None,
        idempotency_key: str | None = None,
    ) -> Operation[m.EraseResult]:
        """Erase a customer for good.

        Removes everything that the vault holds of the customer and of the customers merged with it,
        in all tables and in the cache, and signs a receipt. It cannot be undone: DELETE
        /v1/customers/{customer_id} is the reversible deletion. From its start on nothing can be
        stored for the customer: later operations fail with erased. The id of the operation is the
        id of the erasure.
        """
        members: dict[str, Any] = {"customer_id": customer_id, "derived": derived}
        return await self._call(_erase_customer, body, members, wait, idempotency_key)

    async def expire_own_values(
        self,
        *,
        wait: float | None = None,
        idempotency_key: str | None = None,
    ) -> Operation[m.SweepResult]:
        """Mark the values and assets of the tenant whose expiry has passed as expired.

        In the tenant of the key alone. A schedule does the same in all tenants.
        """
        members: dict[str, Any] = {}
        return await self._call(_expire_own_values, None, members, wait, idempotency_key)

    async def expire_value(
        self,
        body: m.ExpireValue | None = None,
        /,
        *,
        customer_id: Id | None = None,
        name: str | None = None,
        item_id: Id | None = None,
        wait: float | None = None,
        idempotency_key: str | None = None,
    ) -> Operation[m.ItemResult]:
        """End the active value of a field now.

        As if its expires_at had passed: the value stays in the history as expired, the field is
        missing until the next write, and what was derived from the value becomes stale.
        """
        members: dict[str, Any] = {"customer_id": customer_id, "name": name, "item_id": item_id}
        return await self._call(_expire_value, body, members, wait, idempotency_key)

    async def expire_values(
        self,
        *,
        wait: float | None = None,
        idempotency_key: str | None = None,
    ) -> Operation[m.SweepResult]:
        """Mark the values and assets whose expiry has passed as expired.

        In all tenants, so with ADMIN_TOKEN alone. A schedule does the same.
        """
        members: dict[str, Any] = {}
        return await self._call(_expire_values, None, members, wait, idempotency_key)

    async def explain_scenario(
        self,
        scenario_id: Id,
    ) -> m.ScenarioExplanation:
        """Explain the requirements of a scenario.

        Returns for each sentence of the scenario and its rules the requirements that it gave, how
        they were matched with definitions, and the phrases that were passed over, with the reasons.
        """
        members: dict[str, Any] = {"scenario_id": scenario_id}
        return await self._call(_explain_scenario, None, members, None, None)

    async def export_customer(
        self,
        customer_id: Id,
        *,
        wait: float | None = None,
        idempotency_key: str | None = None,
    ) -> Operation[m.ExportCustomerResult]:
        """Export everything that the vault holds of a customer.

        For requests of access and portability. Records that the export was asked for; GET
        …/exports/{export_id} then returns it, as long as expires_at of the result says. The id of
        the operation is the id of the export. Needs a key that sees PII.
        """
        members: dict[str, Any] = {"customer_id": customer_id}
        return await self._call(_export_customer, None, members, wait, idempotency_key)

    async def extract_schema(
        self,
        body: m.ExtractSchema | None = None,
        /,
        *,
        scenario_id: Id | None = None,
        agent_id: Id | None = None,
        content_hash: str | None = None,
        rule_id: Id | None = None,
        wait: float | None = None,
        idempotency_key: str | None = None,
    ) -> Operation[m.ExtractResult]:
        """Extract the requirements of a scenario or rule now.

        Each save starts an extraction by itself. Unchanged content needs no model call.
        """
        members: dict[str, Any] = {"scenario_id": scenario_id, "agent_id": agent_id, "content_hash": content_hash,
            "rule_id": rule_id}
        return await self._call(_extract_schema, body, members, wait, idempotency_key)

    async def fill_gaps(
        self,
        body: m.FillGaps | None = None,
        /,
        *,
        customer_id: Id | None = None,
        deadline_seconds: int | None = None,
        level: m.RequiredLevel | None = None,
        max_attempts: int | None = None,
        scenario_id: Id | None = None,
        session_id: Id | None = None,
        step_id: str | None = None,
        wait: float | None = None,
        idempotency_key: str | None = None,
    ) -> Operation[m.FillResult]:
        """Fill the missing fields of a customer for a scenario.

        From the profile, the session and the conversation. For the remaining fields, the operation
        opens questions (GET /v1/questions), and succeeds once all of them are closed.
        """
        members: dict[str, Any] = {"customer_id": customer_id, "deadline_seconds": deadline_seconds, "level": level,
            "max_attempts": max_attempts, "scenario_id": scenario_id, "session_id": session_id,
            "step_id": step_id}
        return await self._call(_fill_gaps, body, members, wait, idempotency_key)

    async def find_customer(
        self,
        channel: str,
        external_id: str,
    ) -> m.Customer:
        """Find the customer of a channel identity.

        It changes nothing: open-customer creates a customer for an unknown identity, this route
        answers 404.
        """
        members: dict[str, Any] = {"channel": channel, "external_id": external_id}
        return await self._call(_find_customer, None, members, None, None)

    async def get_chain(
        self,
        item_id: Id,
        *,
        as_of: str | None = None,
        known_at: str | None = None,
        depth: int | None = None,
    ) -> m.Chain:
        """Get the sources of an item.

        From the origin to the item. With as_of and known_at: as they were then.
        """
        members: dict[str, Any] = {"item_id": item_id, "as_of": as_of, "known_at": known_at, "depth": depth}
        return await self._call(_get_chain, None, members, None, None)

    async def get_configuration(
        self,
        agent_id: Id,
    ) -> m.AgentConfiguration:
        """Get the configuration of an agent.

        Returns the definitions, scenarios, rules and requirements that persons saved or approved.
        """
        members: dict[str, Any] = {"agent_id": agent_id}
        return await self._call(_get_configuration, None, members, None, None)

    async def get_context(
        self,
        customer_id: Id,
        *,
        scenario: Id | None = None,
        session_id: Id | None = None,
        max_tokens: int | None = None,
        format: m.ContextFormat | None = None,
    ) -> m.ContextBlock | str:
        """Get the context block of a customer.

        What an agent needs to know, for the prompt of its language model: what the scenario misses,
        with the question that asks for it; what it needs and is known; what is uncertain or waits
        for a decision; what is withheld; what else is known; documents. Each value has its
        certainty, source, age and item id. The most useful comes first, and as much as fits in
        max_tokens: a larger number adds entries at the end. Values are in double quotes, and
        nothing in them can end the quotes, begin a line or open markup. The header
        Vault-Context-Tokens has the size. The age is in days, so an answer and its ETag can change
        at most once a day by themselves.
        """
        members: dict[str, Any] = {"customer_id": customer_id, "scenario": scenario, "session_id": session_id,
            "max_tokens": max_tokens, "format": format}
        return await self._call(_get_context, None, members, None, None)

    async def get_customer(
        self,
        customer_id: Id,
        *,
        as_of: str | None = None,
        known_at: str | None = None,
        history: bool | None = None,
    ) -> m.CustomerProfile:
        """Get the profile of a customer.

        Active values and assets, channels, and valid consents. The profile of a customer who has a
        session or a gap fill, and no value yet, is empty. The profile of a merged customer is that
        of the customer it was merged into; requested_customer_id then says that it was merged. A
        profile with more than 16 MiB of values is refused with 413: read its values one by one, or
        in the pages of its history. The header ETag identifies the answer. With as_of and known_at
        the profile is the one of then, without pending values; that cannot be combined with
        history.
        """
        members: dict[str, Any] = {"customer_id": customer_id, "as_of": as_of, "known_at": known_at, "history": history}
        return await self._call(_get_customer, None, members, None, None)

    async def get_customer_export(
        self,
        customer_id: Id,
        export_id: Id,
        *,
        format: Literal["json", "html"] | None = None,
    ) -> dict[str, Any] | str:
        """Get an export of a customer.

        Everything that an erasure would remove, read in one snapshot, encrypted values included.
        The vault stores no copy of it. The last member of the JSON is complete: without it, the
        response was cut off.
        """
        members: dict[str, Any] = {"customer_id": customer_id, "export_id": export_id, "format": format}
        return await self._call(_get_customer_export, None, members, None, None)

    async def get_definition(
        self,
        agent_id: Id,
        name: str,
    ) -> m.Definition:
        """Get a definition."""
        members: dict[str, Any] = {"agent_id": agent_id, "name": name}
        return await self._call(_get_definition, None, members, None, None)

    async def get_erasure(
        self,
        erasure_id: Id,
    ) -> m.Erasure:
        """Get an erasure with its receipt.

        The receipt is signed (Ed25519) and contains counts and no personal data. `vault erasure
        verify` checks it without the vault.
        """
        members: dict[str, Any] = {"erasure_id": erasure_id}
        return await self._call(_get_erasure, None, members, None, None)

    async def get_health(
        self,
    ) -> m.Alive:
        """Check that the process is running."""
        members: dict[str, Any] = {}
        return await self._call(_get_health, None, members, None, None)

    async def get_missing(
        self,
        customer_id: Id,
        scenario_id: Id,
        *,
        step_id: str | None = None,
        rule_id: Id | None = None,
        session_id: Id | None = None,
        level: m.RequiredLevel | None = None,
    ) -> m.MissingFields:
        """Get the missing fields of a customer for a scenario.

        Unmet requirements, in the order of collection. For a customer without values, all
        requirements are unmet.
        """
        members: dict[str, Any] = {"customer_id": customer_id, "scenario_id": scenario_id, "step_id": step_id, "rule_id":
            rule_id, "session_id": session_id, "level": level}
        return await self._call(_get_missing, None, members, None, None)

    async def get_operation(
        self,
        operation_id: Id,
        wait: float | None = None,
    ) -> Operation[Any]:
        """Get the status of an operation.

        The response for a failed operation is also 200. Its error is the reason of the failure.
        """
        members: dict[str, Any] = {"operation_id": operation_id}
        return await self._call(_get_operation, None, members, wait, None)

    async def get_question(
        self,
        question_id: Id,
    ) -> m.Question:
        """Get a question, open or closed."""
        members: dict[str, Any] = {"question_id": question_id}
        return await self._call(_get_question, None, members, None, None)

    async def get_readiness(
        self,
    ) -> m.Health:
        """Check that the server and its dependencies are ready.

        The response is 503 if a required dependency is unavailable or the server is stopping.
        """
        members: dict[str, Any] = {}
        return await self._call(_get_readiness, None, members, None, None)

    async def get_receipt_key(
        self,
    ) -> m.ReceiptKey:
        """Get the public key of receipts.

        Each tenant has its own key; its first erasure makes it.
        """
        members: dict[str, Any] = {}
        return await self._call(_get_receipt_key, None, members, None, None)

    async def get_rule(
        self,
        agent_id: Id,
        rule_id: Id,
    ) -> m.Rule:
        """Get a rule."""
        members: dict[str, Any] = {"agent_id": agent_id, "rule_id": rule_id}
        return await self._call(_get_rule, None, members, None, None)

    async def get_runs(
        self,
        operation_id: Id,
    ) -> m.OperationRuns:
        """Get the runs of an operation in the workflow engine.

        With their steps, the attempts of each, and the errors of those that failed (a key that is
        limited to agents gets no errors: the run can carry operations of others). The answer is 503
        if the engine does not answer within two seconds. Everything that decides about the
        operation is in get-operation.
        """
        members: dict[str, Any] = {"operation_id": operation_id}
        return await self._call(_get_runs, None, members, None, None)

    async def get_scenario(
        self,
        agent_id: Id,
        scenario_id: Id,
    ) -> m.Scenario:
        """Get a scenario."""
        members: dict[str, Any] = {"agent_id": agent_id, "scenario_id": scenario_id}
        return await self._call(_get_scenario, None, members, None, None)

    async def get_session(
        self,
        session_id: Id,
    ) -> m.Session:
        """Get a session."""
        members: dict[str, Any] = {"session_id": session_id}
        return await self._call(_get_session, None, members, None, None)

    async def get_value(
        self,
        customer_id: Id,
        name: str,
        *,
        as_of: str | None = None,
        known_at: str | None = None,
    ) -> m.Value:
        """Get the active value of a field.

        With as_of and known_at: the value that was active then.
        """
        members: dict[str, Any] = {"customer_id": customer_id, "name": name, "as_of": as_of, "known_at": known_at}
        return await self._call(_get_value, None, members, None, None)

    async def get_webhook(
        self,
        webhook_id: Id,
    ) -> m.Webhook:
        """Get a webhook.

        Without its secret.
        """
        members: dict[str, Any] = {"webhook_id": webhook_id}
        return await self._call(_get_webhook, None, members, None, None)

    async def import_customer_values(
        self,
        body: m.ImportValues | None = None,
        /,
        *,
        customer_id: Id | None = None,
        skip_invalid: bool | None = None,
        writes: list[m.WriteValue] | None = None,
        wait: float | None = None,
        idempotency_key: str | None = None,
    ) -> Operation[m.ImportResult]:
        """Write many values of a customer.

        In one transaction. One invalid write rejects all, unless skip_invalid is set.
        """
        members: dict[str, Any] = {"customer_id": customer_id, "skip_invalid": skip_invalid, "writes": writes}
        return await self._call(_import_customer_values, body, members, wait, idempotency_key)

    async def import_values(
        self,
        body: m.ImportValues | None = None,
        /,
        *,
        skip_invalid: bool | None = None,
        writes: list[m.WriteValue] | None = None,
        wait: float | None = None,
        idempotency_key: str | None = None,
    ) -> Operation[m.ImportResult]:
        """Write values of many customers.

        In one transaction, up to 1,000 values. One invalid write rejects all, unless skip_invalid
        is set.
        """
        members: dict[str, Any] = {"skip_invalid": skip_invalid, "writes": writes}
        return await self._call(_import_values, body, members, wait, idempotency_key)

    async def link_channel(
        self,
        body: m.LinkChannel | None = None,
        /,
        *,
        customer_id: Id | None = None,
        after_erasure: bool | None = None,
        channel: str | None = None,
        external_id: str | None = None,
        verified: bool | None = None,
        wait: float | None = None,
        idempotency_key: str | None = None,
    ) -> Operation[m.CustomerResult]:
        """Link a channel identity to a customer."""
        members: dict[str, Any] = {"customer_id": customer_id, "after_erasure": after_erasure, "channel": channel,
            "external_id": external_id, "verified": verified}
        return await self._call(_link_channel, body, members, wait, idempotency_key)

    def list_agents(
        self,
        *,
        limit: int | None = None,
    ) -> AsyncIterator[m.AgentSummary]:
        """List the agents.

        Sorted by id: every agent with a definition or a scenario.
        """
        members: dict[str, Any] = {"limit": limit}
        return self._list(_list_agents, members)

    def list_audit(
        self,
        *,
        subject: str | None = None,
        actor: str | None = None,
        action: m.AuditAction | None = None,
        operation: str | None = None,
        purpose: str | None = None,
        from_: datetime | str | None = None,
        to: datetime | str | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[m.AuditEntry]:
        """List the entries of the audit.

        Newest first: who did what to whom, without values. Entries outlive the customer.
        """
        members: dict[str, Any] = {"subject": subject, "actor": actor, "action": action, "operation": operation, "purpose":
            purpose, "from": from_, "to": to, "limit": limit}
        return self._list(_list_audit, members)

    def list_closed_questions(
        self,
        customer_id: Id,
        *,
        limit: int | None = None,
    ) -> AsyncIterator[m.Question]:
        """List the closed questions to a customer.

        The newest first, with how they ended.
        """
        members: dict[str, Any] = {"customer_id": customer_id, "limit": limit}
        return self._list(_list_closed_questions, members)

    def list_customer_history(
        self,
        customer_id: Id,
        *,
        limit: int | None = None,
    ) -> AsyncIterator[m.Value]:
        """List the versions of all fields of a customer.

        Newest first, by the order of acceptance.
        """
        members: dict[str, Any] = {"customer_id": customer_id, "limit": limit}
        return self._list(_list_customer_history, members)

    def list_customers(
        self,
        *,
        values: bool | None = None,
        where: list[str] | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[m.Customer]:
        """List the customers.

        Sorted by id; with conditions, in the order of the index that finds them: the customers with
        an old value begin with the oldest. Merged customers are not included. With conditions a
        page reads up to 5,000 candidates: it can have fewer entries than its limit, or none, and
        still have a next_cursor. A key can use only fields that it may see: a masked field is
        refused, a field with purposes needs one of them, and the customers who have not consented
        to it are left out.
        """
        members: dict[str, Any] = {"values": values, "where": where, "limit": limit}
        return self._list(_list_customers, members)

    def list_definitions(
        self,
        agent_id: Id,
        *,
        limit: int | None = None,
    ) -> AsyncIterator[m.Definition]:
        """List the definitions of an agent.

        Sorted by name.
        """
        members: dict[str, Any] = {"agent_id": agent_id, "limit": limit}
        return self._list(_list_definitions, members)

    def list_deliveries(
        self,
        webhook_id: Id,
        *,
        status: m.DeliveryStatus | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[m.Delivery]:
        """List the deliveries of a webhook.

        Newest first. Finished ones are kept as long as events.
        """
        members: dict[str, Any] = {"webhook_id": webhook_id, "status": status, "limit": limit}
        return self._list(_list_deliveries, members)

    def list_derived(
        self,
        item_id: Id,
        *,
        limit: int | None = None,
    ) -> AsyncIterator[m.ChainLink]:
        """List the items that were derived from an item.

        Up to 1,000 items, in the order of their creation.
        """
        members: dict[str, Any] = {"item_id": item_id, "limit": limit}
        return self._list(_list_derived, members)

    def list_erasures(
        self,
        *,
        limit: int | None = None,
    ) -> AsyncIterator[m.Erasure]:
        """List the erasures.

        Newest first, without their receipts. They name no customer.
        """
        members: dict[str, Any] = {"limit": limit}
        return self._list(_list_erasures, members)

    def list_events(
        self,
        *,
        after: str | None = None,
        types: str | None = None,
        customer_id: Id | None = None,
        agent_id: Id | None = None,
        values: bool | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[m.FeedEvent]:
        """Read the feed of events.

        What happened, oldest first, in ids and names. Events about one customer are in the order in
        which they happened. With Accept: text/event-stream the response is a stream of server-sent
        events, which goes on with what happens next. Events are kept for some days
        (events.retention_days): after them, a cursor is expired. Of an erased customer only
        customer.erased is left.
        """
        members: dict[str, Any] = {"after": after, "types": types, "customer_id": customer_id, "agent_id": agent_id,
            "values": values, "limit": limit}
        return self._list(_list_events, members)

    def list_history(
        self,
        customer_id: Id,
        name: str,
        *,
        limit: int | None = None,
    ) -> AsyncIterator[m.Value]:
        """List the versions of a field.

        Newest first, by the order of acceptance.
        """
        members: dict[str, Any] = {"customer_id": customer_id, "name": name, "limit": limit}
        return self._list(_list_history, members)

    def list_keys(
        self,
        *,
        limit: int | None = None,
    ) -> AsyncIterator[m.KeySummary]:
        """List the API keys.

        Newest first, also those that were revoked. No answer holds a key or its hash.
        """
        members: dict[str, Any] = {"limit": limit}
        return self._list(_list_keys, members)

    def list_merge_proposals(
        self,
        *,
        status: m.MergeProposalStatus | None = None,
        customer_id: Id | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[m.MergeProposal]:
        """List the proposed merges.

        Oldest first. They hold ids and names, no values.
        """
        members: dict[str, Any] = {"status": status, "customer_id": customer_id, "limit": limit}
        return self._list(_list_merge_proposals, members)

    def list_merge_rules(
        self,
    ) -> AsyncIterator[m.MergeRule]:
        """List the merge rules.

        Sorted by id.
        """
        members: dict[str, Any] = {}
        return self._list(_list_merge_rules, members)

    def list_merges(
        self,
        customer_id: Id,
        *,
        limit: int | None = None,
    ) -> AsyncIterator[m.Merge]:
        """List the merges of a customer.

        Newest first: the merges into this customer, the merge of this customer into another one,
        and those of the customers who are merged into it. unmerge-customer undoes a merge with the
        state undoable.
        """
        members: dict[str, Any] = {"customer_id": customer_id, "limit": limit}
        return self._list(_list_merges, members)

    def list_operations(
        self,
        *,
        status: Literal["accepted", "applied", "succeeded", "failed", "unfinished"] | None = None,
        workflow: str | None = None,
        customer_id: Id | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[m.OperationSummary]:
        """List the operations.

        Newest first, without their results. Finished operations are deleted after some time (by
        default 30 days, failed ones 90 days).
        """
        members: dict[str, Any] = {"status": status, "workflow": workflow, "customer_id": customer_id, "limit": limit}
        return self._list(_list_operations, members)

    def list_questions(
        self,
        *,
        customer_id: Id | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[m.Question]:
        """List the open questions.

        Oldest first.
        """
        members: dict[str, Any] = {"customer_id": customer_id, "limit": limit}
        return self._list(_list_questions, members)

    def list_requirements(
        self,
        scenario_id: Id,
        *,
        limit: int | None = None,
    ) -> AsyncIterator[m.Requirement]:
        """List the requirements of a scenario.

        Includes the requirements of its rules. Sorted by the order of collection.
        """
        members: dict[str, Any] = {"scenario_id": scenario_id, "limit": limit}
        return self._list(_list_requirements, members)

    def list_reviews(
        self,
        *,
        limit: int | None = None,
    ) -> AsyncIterator[m.PendingReviews]:
        """List the pending reviews.

        Extracted definitions first, then requirements, then pending values, then proposed merges.
        Oldest first.
        """
        members: dict[str, Any] = {"limit": limit}
        return self._list(_list_reviews, members)

    def list_rules(
        self,
        agent_id: Id,
        *,
        scenario_id: Id | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[m.RuleSummary]:
        """List the rules of an agent.

        Sorted by id, without their texts.
        """
        members: dict[str, Any] = {"agent_id": agent_id, "scenario_id": scenario_id, "limit": limit}
        return self._list(_list_rules, members)

    def list_scenarios(
        self,
        agent_id: Id,
        *,
        limit: int | None = None,
    ) -> AsyncIterator[m.ScenarioSummary]:
        """List the scenarios of an agent.

        Sorted by id, without their texts.
        """
        members: dict[str, Any] = {"agent_id": agent_id, "limit": limit}
        return self._list(_list_scenarios, members)

    def list_sessions(
        self,
        customer_id: Id,
        *,
        limit: int | None = None,
    ) -> AsyncIterator[m.SessionSummary]:
        """List the sessions of a customer.

        Newest first, without variables and turns. Those of customers merged with this customer are
        included.
        """
        members: dict[str, Any] = {"customer_id": customer_id, "limit": limit}
        return self._list(_list_sessions, members)

    def list_usage(
        self,
        *,
        limit: int | None = None,
    ) -> AsyncIterator[m.Usage]:
        """List what was used of the language model, by day.

        Newest day first. Days without a call are left out.
        """
        members: dict[str, Any] = {"limit": limit}
        return self._list(_list_usage, members)

    def list_webhooks(
        self,
    ) -> AsyncIterator[m.Webhook]:
        """List the webhooks.

        Sorted by id, without their secrets.
        """
        members: dict[str, Any] = {}
        return self._list(_list_webhooks, members)

    async def merge_customers(
        self,
        body: m.MergeCustomers | None = None,
        /,
        *,
        target_customer_id: Id | None = None,
        source_customer_id: Id | None = None,
        wait: float | None = None,
        idempotency_key: str | None = None,
    ) -> Operation[m.CustomerResult]:
        """Merge another customer into this customer.

        Afterwards the id of the other customer refers to this customer.
        """
        members: dict[str, Any] = {"target_customer_id": target_customer_id, "source_customer_id": source_customer_id}
        return await self._call(_merge_customers, body, members, wait, idempotency_key)

    async def open_customer(
        self,
        body: m.OpenCustomer | None = None,
        /,
        *,
        after_erasure: bool | None = None,
        channel: str | None = None,
        external_id: str | None = None,
        verified: bool | None = None,
        wait: float | None = None,
        idempotency_key: str | None = None,
    ) -> Operation[m.CustomerResult]:
        """Get the customer of a channel identity, or create one.

        The result contains the id of the customer.
        """
        members: dict[str, Any] = {"after_erasure": after_erasure, "channel": channel, "external_id": external_id,
            "verified": verified}
        return await self._call(_open_customer, body, members, wait, idempotency_key)

    async def open_customers(
        self,
        body: m.OpenCustomers | None = None,
        /,
        *,
        identities: list[m.OpenCustomer] | None = None,
        wait: float | None = None,
        idempotency_key: str | None = None,
    ) -> Operation[m.OpenCustomersResult]:
        """Get the customers of many channel identities, or create them.

        At most 1000. The result contains the ids of the customers, in the order of the identities.
        """
        members: dict[str, Any] = {"identities": identities}
        return await self._call(_open_customers, body, members, wait, idempotency_key)

    async def propose_deletion(
        self,
        body: m.ProposeDeletion | None = None,
        /,
        *,
        customer_id: Id | None = None,
        name: str | None = None,
        reason: m.DeletionReason | None = None,
        wait: float | None = None,
        idempotency_key: str | None = None,
    ) -> Operation[m.ItemResult]:
        """Propose to delete the active value of a field.

        It deletes nothing. The value appears in the reviews with deletion_proposed_at, and a person
        decides with decide-value.
        """
        members: dict[str, Any] = {"customer_id": customer_id, "name": name, "reason": reason}
        return await self._call(_propose_deletion, body, members, wait, idempotency_key)

    async def propose_merges(
        self,
        body: m.ProposeMerges | None = None,
        /,
        *,
        merge_rule_id: Id | None = None,
        wait: float | None = None,
        idempotency_key: str | None = None,
    ) -> Operation[m.ProposeMergesResult]:
        """Look for customers who may be the same person.

        By the merge rules of the tenant. Each pair becomes a proposal, which a person decides. A
        schedule does the same.
        """
        members: dict[str, Any] = {"merge_rule_id": merge_rule_id}
        return await self._call(_propose_merges, body, members, wait, idempotency_key)

    async def read_conversation(
        self,
        session_id: Id,
        *,
        wait: float | None = None,
        idempotency_key: str | None = None,
    ) -> Operation[m.ReadConversationResult]:
        """Read the facts of a session.

        Reads what the customer said since the last reading, for all definitions of the agent. Each
        fact that the customer's words prove is written, as an active or as a pending value. Without
        a request, sessions are read when they end or have been quiet for a while. While a gap fill
        of the session has not ended, nothing is read.
        """
        members: dict[str, Any] = {"session_id": session_id}
        return await self._call(_read_conversation, None, members, wait, idempotency_key)

    async def recall(
        self,
        body: m.Recall | None = None,
        /,
        *,
        customer_id: Id | None = None,
        limit: int | None = None,
        question: str | None = None,
    ) -> m.Recalled:
        """Find the facts and quotes of a customer that are closest to a question.

        It compares the question with the active values of the customer and with the newest 2,000
        turns (up to 4 MiB) of the conversations of the customer and of those merged with it: by
        their words, and by the meaning of the turns that have an embedding. Both ranks are fused.
        Turns that say a value which was deleted, is withheld or is masked for the key are left out.
        Nothing of other customers is read.
        """
        members: dict[str, Any] = {"customer_id": customer_id, "limit": limit, "question": question}
        return await self._call(_recall, body, members, None, None)

    async def record_consent(
        self,
        body: m.RecordConsent | None = None,
        /,
        *,
        customer_id: Id | None = None,
        expires_at: datetime | str | None = None,
        granted: bool | None = None,
        purpose: str | None = None,
        source: str | None = None,
        wait: float | None = None,
        idempotency_key: str | None = None,
    ) -> Operation[m.CustomerResult]:
        """Record that a customer grants or refuses a consent."""
        members: dict[str, Any] = {"customer_id": customer_id, "expires_at": expires_at, "granted": granted, "purpose":
            purpose, "source": source}
        return await self._call(_record_consent, body, members, wait, idempotency_key)

    async def remove_element(
        self,
        body: m.WriteValue | None = None,
        /,
        *,
        customer_id: Id | None = None,
        name: str | None = None,
        agent_id: Id | None = None,
        collected_at: datetime | str | None = None,
        confidence: float | None = None,
        expires_at: datetime | str | None = None,
        item_id: Id | None = None,
        requires_confirmation: bool | None = None,
        source: m.ValueSource | None = None,
        source_item_id: Id | None = None,
        source_item_type: m.SourceType | None = None,
        source_metadata: Any | None = None,
        source_scenario_id: Id | None = None,
        source_session_id: Id | None = None,
        source_step_id: str | None = None,
        value: Any | None = None,
        verification_method: str | None = None,
        verified: bool | None = None,
        verified_by: str | None = None,
        wait: float | None = None,
        idempotency_key: str | None = None,
    ) -> Operation[m.ItemResult]:
        """Remove an element from the list of a field.

        value is the element. The list without it is a new version. An element that the list does
        not have changes nothing.
        """
        members: dict[str, Any] = {"customer_id": customer_id, "name": name, "agent_id": agent_id, "collected_at":
            collected_at, "confidence": confidence, "expires_at": expires_at, "item_id": item_id,
            "requires_confirmation": requires_confirmation, "source": source, "source_item_id":
            source_item_id, "source_item_type": source_item_type, "source_metadata":
            source_metadata, "source_scenario_id": source_scenario_id, "source_session_id":
            source_session_id, "source_step_id": source_step_id, "value": value,
            "verification_method": verification_method, "verified": verified, "verified_by":
            verified_by}
        return await self._call(_remove_element, body, members, wait, idempotency_key)

    async def replay_deliveries(
        self,
        body: m.ReplayDeliveries | None = None,
        /,
        *,
        webhook_id: Id | None = None,
        delivery_id: Id | None = None,
        wait: float | None = None,
        idempotency_key: str | None = None,
    ) -> Operation[m.ReplayDeliveriesResult]:
        """Deliver dead deliveries of a webhook again."""
        members: dict[str, Any] = {"webhook_id": webhook_id, "delivery_id": delivery_id}
        return await self._call(_replay_deliveries, body, members, wait, idempotency_key)

    async def replay_operation(
        self,
        operation_id: Id,
        *,
        wait: float | None = None,
        idempotency_key: str | None = None,
    ) -> Operation[Any]:
        """Replay a failed or overdue operation.

        A failed operation runs again: use it once the cause is fixed. An operation that is
        unfinished after a minute is sent to the workflow engine again; the member replayed says
        which. The operation keeps its id and its position in the order of acceptance.
        """
        members: dict[str, Any] = {"operation_id": operation_id}
        return await self._call(_replay_operation, None, members, wait, idempotency_key)

    async def restore_item(
        self,
        item_id: Id,
        *,
        wait: float | None = None,
        idempotency_key: str | None = None,
    ) -> Operation[m.ItemResult]:
        """Restore an item.

        Restores a deleted item. An orphaned item becomes active if its source exists again.
        """
        members: dict[str, Any] = {"item_id": item_id}
        return await self._call(_restore_item, None, members, wait, idempotency_key)

    async def revoke_key(
        self,
        key_id: Id,
        *,
        wait: float | None = None,
        idempotency_key: str | None = None,
    ) -> Operation[m.KeyResult]:
        """Revoke an API key.

        It ends within seconds. To revoke it again changes nothing.
        """
        members: dict[str, Any] = {"key_id": key_id}
        return await self._call(_revoke_key, None, members, wait, idempotency_key)

    async def save_definition(
        self,
        body: m.Definition | None = None,
        /,
        *,
        agent_id: Id | None = None,
        name: str | None = None,
        about: str | None = None,
        allowed_values: list[Any] | None = None,
        ask_channels: list[str] | None = None,
        collection_prompt: str | None = None,
        default_region: str | None = None,
        description: str | None = None,
        display_name: str | None = None,
        enabled: bool | None = None,
        encryption_required: bool | None = None,
        erase_on_withdrawal: bool | None = None,
        extraction_examples: list[str] | None = None,
        extraction_prompt_hint: str | None = None,
        forbid_extraction: bool | None = None,
        freshness_seconds: int | None = None,
        if_version: Id | None = None,
        is_pii: bool | None = None,
        json_schema: Any | None = None,
        max_elements: int | None = None,
        maximum: Any | None = None,
        minimum: Any | None = None,
        multiple: bool | None = None,
        on_conflict: m.OnConflict | None = None,
        prefix_search: bool | None = None,
        purposes: list[str] | None = None,
        remove_after_days: int | None = None,
        required_verification: bool | None = None,
        retention_days: int | None = None,
        retry_prompt: str | None = None,
        searchable: bool | None = None,
        source_priority: list[m.ValueSource] | None = None,
        stale_action: m.StaleAction | None = None,
        time_zone: str | None = None,
        unit: str | None = None,
        validation_mode: m.ValidationMode | None = None,
        validation_regex: str | None = None,
        value_type: m.ValueType | None = None,
        verification_methods: list[str] | None = None,
        write_once: bool | None = None,
        wait: float | None = None,
        idempotency_key: str | None = None,
    ) -> Operation[m.SavedResult]:
        """Save a definition.

        A definition allows an agent to collect a field, and describes its values. One that loses
        is_pii, or gets other purposes, needs the scope admin.
        """
        members: dict[str, Any] = {"agent_id": agent_id, "name": name, "about": about, "allowed_values": allowed_values,
            "ask_channels": ask_channels, "collection_prompt": collection_prompt, "default_region":
            default_region, "description": description, "display_name": display_name, "enabled":
            enabled, "encryption_required": encryption_required, "erase_on_withdrawal":
            erase_on_withdrawal, "extraction_examples": extraction_examples,
            "extraction_prompt_hint": extraction_prompt_hint, "forbid_extraction":
            forbid_extraction, "freshness_seconds": freshness_seconds, "if_version": if_version,
            "is_pii": is_pii, "json_schema": json_schema, "max_elements": max_elements, "maximum":
            maximum, "minimum": minimum, "multiple": multiple, "on_conflict": on_conflict,
            "prefix_search": prefix_search, "purposes": purposes, "remove_after_days":
            remove_after_days, "required_verification": required_verification, "retention_days":
            retention_days, "retry_prompt": retry_prompt, "searchable": searchable,
            "source_priority": source_priority, "stale_action": stale_action, "time_zone":
            time_zone, "unit": unit, "validation_mode": validation_mode, "validation_regex":
            validation_regex, "value_type": value_type, "verification_methods":
            verification_methods, "write_once": write_once}
        return await self._call(_save_definition, body, members, wait, idempotency_key)

    async def save_merge_rule(
        self,
        body: m.SaveMergeRule | None = None,
        /,
        *,
        merge_rule_id: Id | None = None,
        enabled: bool | None = None,
        fields: list[str] | None = None,
        if_version: Id | None = None,
        max_group: int | None = None,
        name: str | None = None,
        unverified: bool | None = None,
        wait: float | None = None,
        idempotency_key: str | None = None,
    ) -> Operation[m.SavedResult]:
        """Save a merge rule.

        Two customers with equal values of all its fields may be the same person. Only verified
        values count, unless the rule says otherwise.
        """
        members: dict[str, Any] = {"merge_rule_id": merge_rule_id, "enabled": enabled, "fields": fields, "if_version":
            if_version, "max_group": max_group, "name": name, "unverified": unverified}
        return await self._call(_save_merge_rule, body, members, wait, idempotency_key)

    async def save_requirement(
        self,
        body: m.Requirement | None = None,
        /,
        *,
        scenario_id: Id | None = None,
        field_name: str | None = None,
        agent_id: Id | None = None,
        collection_order: int | None = None,
        depends_on_fields: list[str] | None = None,
        fallback_action: m.FallbackAction | None = None,
        if_version: Id | None = None,
        refuse_stale: bool | None = None,
        required_level: m.RequiredLevel | None = None,
        rule_id: Id | None = None,
        step_id: str | None = None,
        when_condition: str | None = None,
        wait: float | None = None,
        idempotency_key: str | None = None,
    ) -> Operation[m.SavedResult]:
        """Save a requirement.

        The agent is the agent of the scenario, unless the body names one. With step_id or rule_id,
        the requirement applies to a step or a rule.
        """
        members: dict[str, Any] = {"scenario_id": scenario_id, "field_name": field_name, "agent_id": agent_id,
            "collection_order": collection_order, "depends_on_fields": depends_on_fields,
            "fallback_action": fallback_action, "if_version": if_version, "refuse_stale":
            refuse_stale, "required_level": required_level, "rule_id": rule_id, "step_id": step_id,
            "when_condition": when_condition}
        return await self._call(_save_requirement, body, members, wait, idempotency_key)

    async def save_rule(
        self,
        body: m.Rule | None = None,
        /,
        *,
        agent_id: Id | None = None,
        id: Id | None = None,
        action: str | None = None,
        condition: str | None = None,
        if_version: Id | None = None,
        name: str | None = None,
        scenario_id: Id | None = None,
        wait: float | None = None,
        idempotency_key: str | None = None,
    ) -> Operation[m.SavedResult]:
        """Save a rule of a scenario.

        The vault then extracts the requirements from the text, in another operation. The result
        contains its id.
        """
        members: dict[str, Any] = {"agent_id": agent_id, "id": id, "action": action, "condition": condition, "if_version":
            if_version, "name": name, "scenario_id": scenario_id}
        return await self._call(_save_rule, body, members, wait, idempotency_key)

    async def save_scenario(
        self,
        body: m.Scenario | None = None,
        /,
        *,
        agent_id: Id | None = None,
        id: Id | None = None,
        description: str | None = None,
        if_version: Id | None = None,
        name: str | None = None,
        steps: list[m.ScenarioStep] | None = None,
        variables: dict[str, str] | None = None,
        wait: float | None = None,
        idempotency_key: str | None = None,
    ) -> Operation[m.SavedResult]:
        """Save a scenario.

        The vault then extracts the requirements from the text, in another operation. The result
        contains its id.
        """
        members: dict[str, Any] = {"agent_id": agent_id, "id": id, "description": description, "if_version": if_version,
            "name": name, "steps": steps, "variables": variables}
        return await self._call(_save_scenario, body, members, wait, idempotency_key)

    async def save_session(
        self,
        body: m.SaveSession | None = None,
        /,
        *,
        session_id: Id | None = None,
        agent_id: Id | None = None,
        customer_id: Id | None = None,
        ended: bool | None = None,
        turns: list[m.Turn] | None = None,
        variables: dict[str, Any] | None = None,
        wait: float | None = None,
        idempotency_key: str | None = None,
    ) -> Operation[m.SavedResult]:
        """Save a session.

        Merges variables by name, and appends turns.
        """
        members: dict[str, Any] = {"session_id": session_id, "agent_id": agent_id, "customer_id": customer_id, "ended":
            ended, "turns": turns, "variables": variables}
        return await self._call(_save_session, body, members, wait, idempotency_key)

    async def save_webhook(
        self,
        body: m.SaveWebhook | None = None,
        /,
        *,
        webhook_id: Id | None = None,
        agent_id: Id | None = None,
        enabled: bool | None = None,
        if_version: Id | None = None,
        secret: str | None = None,
        types: list[m.EventType] | None = None,
        url: str | None = None,
        values: bool | None = None,
        wait: float | None = None,
        idempotency_key: str | None = None,
    ) -> Operation[m.SavedResult]:
        """Save a webhook.

        A subscription to the feed, delivered to an address by the convention Standard Webhooks:
        signed, at least once, in order for each customer, with retries over about three days. It
        begins with what happens from then on. The caller makes the secret, and no read returns it.
        """
        members: dict[str, Any] = {"webhook_id": webhook_id, "agent_id": agent_id, "enabled": enabled, "if_version":
            if_version, "secret": secret, "types": types, "url": url, "values": values}
        return await self._call(_save_webhook, body, members, wait, idempotency_key)

    async def set_customer_label(
        self,
        body: m.SetCustomerLabel | None = None,
        /,
        *,
        customer_id: Id | None = None,
        label: str | None = None,
        wait: float | None = None,
        idempotency_key: str | None = None,
    ) -> Operation[m.CustomerResult]:
        """Set the label of a customer.

        A short text for the people who work with the customer. The profile contains it. An empty
        label removes it.
        """
        members: dict[str, Any] = {"customer_id": customer_id, "label": label}
        return await self._call(_set_customer_label, body, members, wait, idempotency_key)

    async def take_session_turn(
        self,
        body: m.TakeTurn | None = None,
        /,
        *,
        session_id: Id | None = None,
        agent_id: Id | None = None,
        at: datetime | str | None = None,
        channel: str | None = None,
        customer_id: Id | None = None,
        external_id: str | None = None,
        scenario_id: Id | None = None,
        session_key: str | None = None,
        speaker: m.Speaker | None = None,
        text: str | None = None,
        max_tokens: int | None = None,
        format: m.ContextFormat | None = None,
        wait: float | None = None,
        idempotency_key: str | None = None,
    ) -> Operation[m.TurnResult]:
        """Take a turn of a session.

        take-turn for callers who manage the ids of their sessions. add-turns only saves turns. One
        request for each message. It saves the turn, answers the open question of the customer with
        it if it does, stores the facts that it states and proves, starts or moves on the gap fill
        of the scenario, and asks the next question. With Prefer: wait, the response has what was
        learned, with quotes, what was refused and why, what is missing, the next question and the
        context block; a key without the scope read gets the stored result only. A repeat with the
        same Idempotency-Key takes no second turn. An unknown channel identity opens a customer. A
        session of another customer is refused with 409.
        """
        members: dict[str, Any] = {"session_id": session_id, "agent_id": agent_id, "at": at, "channel": channel,
            "customer_id": customer_id, "external_id": external_id, "scenario_id": scenario_id,
            "session_key": session_key, "speaker": speaker, "text": text, "max_tokens": max_tokens,
            "format": format}
        return await self._call(_take_session_turn, body, members, wait, idempotency_key)

    async def take_turn(
        self,
        body: m.TakeTurn | None = None,
        /,
        *,
        agent_id: Id | None = None,
        at: datetime | str | None = None,
        channel: str | None = None,
        customer_id: Id | None = None,
        external_id: str | None = None,
        scenario_id: Id | None = None,
        session_id: Id | None = None,
        session_key: str | None = None,
        speaker: m.Speaker | None = None,
        text: str | None = None,
        max_tokens: int | None = None,
        format: m.ContextFormat | None = None,
        wait: float | None = None,
        idempotency_key: str | None = None,
    ) -> Operation[m.TurnResult]:
        """Take a turn of a conversation.

        One request for each message. It saves the turn, answers the open question of the customer
        with it if it does, stores the facts that it states and proves, starts or moves on the gap
        fill of the scenario, and asks the next question. With Prefer: wait, the response has what
        was learned, with quotes, what was refused and why, what is missing, the next question and
        the context block; a key without the scope read gets the stored result only. A repeat with
        the same Idempotency-Key takes no second turn. An unknown channel identity opens a customer.
        A session of another customer is refused with 409.
        """
        members: dict[str, Any] = {"agent_id": agent_id, "at": at, "channel": channel, "customer_id": customer_id,
            "external_id": external_id, "scenario_id": scenario_id, "session_id": session_id,
            "session_key": session_key, "speaker": speaker, "text": text, "max_tokens": max_tokens,
            "format": format}
        return await self._call(_take_turn, body, members, wait, idempotency_key)

    async def test_webhook(
        self,
        webhook_id: Id,
        *,
        wait: float | None = None,
        idempotency_key: str | None = None,
    ) -> Operation[m.TestWebhookResult]:
        """Deliver a test to a webhook.

        A message of the type webhook.test without data. The list of deliveries shows its outcome.
        """
        members: dict[str, Any] = {"webhook_id": webhook_id}
        return await self._call(_test_webhook, None, members, wait, idempotency_key)

    async def unmerge_customer(
        self,
        customer_id: Id,
        *,
        wait: float | None = None,
        idempotency_key: str | None = None,
    ) -> Operation[m.CustomerResult]:
        """Undo the merge of this customer into another customer.

        Restores the exact state before the merge. Values that were written after the merge remain
        with the other customer. GET …/merges lists the merges that can be undone.
        """
        members: dict[str, Any] = {"customer_id": customer_id}
        return await self._call(_unmerge_customer, None, members, wait, idempotency_key)

    async def verify_audit(
        self,
        *,
        expect: str | None = None,
    ) -> m.AuditReport:
        """Compare the audit with its seals.

        It reads the whole audit of the tenant, and names each entry that was changed, removed or
        inserted, and each seal that was changed or removed.
        """
        members: dict[str, Any] = {"expect": expect}
        return await self._call(_verify_audit, None, members, None, None)

    async def verify_value(
        self,
        body: m.VerifyValue | None = None,
        /,
        *,
        customer_id: Id | None = None,
        name: str | None = None,
        agent_id: Id | None = None,
        item_id: Id | None = None,
        method: str | None = None,
        verified_by: str | None = None,
        wait: float | None = None,
        idempotency_key: str | None = None,
    ) -> Operation[m.ItemResult]:
        """Mark the active value of a field as verified."""
        members: dict[str, Any] = {"customer_id": customer_id, "name": name, "agent_id": agent_id, "item_id": item_id,
            "method": method, "verified_by": verified_by}
        return await self._call(_verify_value, body, members, wait, idempotency_key)

    async def write_value(
        self,
        body: m.WriteValue | None = None,
        /,
        *,
        customer_id: Id | None = None,
        name: str | None = None,
        agent_id: Id | None = None,
        collected_at: datetime | str | None = None,
        confidence: float | None = None,
        expires_at: datetime | str | None = None,
        item_id: Id | None = None,
        requires_confirmation: bool | None = None,
        source: m.ValueSource | None = None,
        source_item_id: Id | None = None,
        source_item_type: m.SourceType | None = None,
        source_metadata: Any | None = None,
        source_scenario_id: Id | None = None,
        source_session_id: Id | None = None,
        source_step_id: str | None = None,
        value: Any | None = None,
        verification_method: str | None = None,
        verified: bool | None = None,
        verified_by: str | None = None,
        wait: float | None = None,
        idempotency_key: str | None = None,
    ) -> Operation[m.ItemResult]:
        """Write a value.

        The first write creates the profile. The previous version becomes superseded and remains in
        the history. A value that differs from a stronger active one does not replace it: its status
        is pending, and a person or the customer decides. Strength is the verification first, then
        the source.
        """
        members: dict[str, Any] = {"customer_id": customer_id, "name": name, "agent_id": agent_id, "collected_at":
            collected_at, "confidence": confidence, "expires_at": expires_at, "item_id": item_id,
            "requires_confirmation": requires_confirmation, "source": source, "source_item_id":
            source_item_id, "source_item_type": source_item_type, "source_metadata":
            source_metadata, "source_scenario_id": source_scenario_id, "source_session_id":
            source_session_id, "source_step_id": source_step_id, "value": value,
            "verification_method": verification_method, "verified": verified, "verified_by":
            verified_by}
        return await self._call(_write_value, body, members, wait, idempotency_key)
