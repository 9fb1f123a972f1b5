"""Calls every method of both clients against a running vault. The Go test that starts it counts the routes.

It reads VAULT_SERVER, VAULT_API_KEY and ADMIN_TOKEN. Each section checks what the answers have.
"""

import asyncio
import hashlib
import inspect
import os
import faulthandler
import secrets
import sys
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any
from uuid import uuid4

import contextvault as cv
from contextvault import errors
from contextvault._methods import AsyncMethods, Methods
from contextvault.models import DefinitionEdit  # noqa: F401  # a model that only a body uses

WAIT = 60


def check(condition: bool, text: str) -> None:
    if not condition:
        raise SystemExit(f"routes: {text}")


class Blocking:
    """Gives Vault the form of AsyncVault, so that one program checks both."""

    def __init__(self, vault: cv.Vault) -> None:
        self.vault = vault

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self.vault, name)

        async def call(*args: Any, **kwargs: Any) -> Any:
            return method(*args, **kwargs)

        async def entries(*args: Any, **kwargs: Any) -> Any:
            for entry in method(*args, **kwargs):
                yield entry

        return entries if name.startswith("list_") or name == "await_questions" else call


async def refused(kind: type[cv.VaultError], answer: Any) -> cv.VaultError:
    try:
        await answer
    except kind as error:
        return error
    raise SystemExit(f"routes: there is no {kind.__name__}")


async def everything(entries: Any) -> list[Any]:
    return [entry async for entry in entries]


async def configuration(v: Any, agent: Any, scenario: Any) -> None:
    email = cv.Definition(
        agent_id=agent, name="email", display_name="Email Address", value_type="email", is_pii=True,
        collection_prompt="What is your email address?",
    )
    saved = await v.save_definition(email)
    check(saved.status == "succeeded" and saved.result.id is not None, "a definition is not saved")
    for name, kind in (("plan", "string"), ("legal_name", "string"), ("score", "number")):
        await v.save_definition(agent_id=agent, name=name, value_type=kind)
    await v.save_definition(agent_id=agent, name="tags", value_type="string", multiple=True)
    stored = await v.get_definition(agent, "email")
    check(stored.collection_prompt == email.collection_prompt and isinstance(stored.updated_at, datetime), "it differs")
    stored.description = "Where letters go"
    await v.save_definition(stored)  # what was read can be put back
    check((await v.get_definition(agent, "email")).description == "Where letters go", "it was not put back")
    check(len(await everything(v.list_definitions(agent, limit=2))) == 5, "the pages of definitions are not all")
    await v.save_definition(agent_id=agent, name="gone", value_type="string")
    await v.delete_definition(agent, "gone")

    await v.save_scenario(cv.Scenario(id=scenario, agent_id=agent, name="Onboarding", description="Welcome the customer."))
    check((await v.get_scenario(agent, scenario)).name == "Onboarding", "the scenario differs")
    check(len(await everything(v.list_scenarios(agent))) == 1, "the scenarios are not one")
    rule = uuid4()
    await v.save_rule(cv.Rule(id=rule, agent_id=agent, scenario_id=scenario, name="Check", condition="Always."))
    check((await v.get_rule(agent, rule)).id == rule, "the rule differs")
    check(len(await everything(v.list_rules(agent))) == 1, "the rules are not one")
    requirement = cv.Requirement(scenario_id=scenario, field_name="email", required_level="hard", fallback_action="ask")
    await v.save_requirement(requirement, agent_id=agent)
    await v.save_requirement(
        agent_id=agent, scenario_id=scenario, field_name="plan", required_level="soft", fallback_action="skip"
    )
    await v.delete_requirement(scenario, "plan")
    check([r.field_name for r in await everything(v.list_requirements(scenario))] == ["email"], "the requirements differ")
    await v.extract_schema(scenario_id=scenario)
    await v.explain_scenario(scenario)
    foreseen = await v.dry_run_definition(stored)
    check(foreseen.action == "keep" and foreseen.complete, "a dry run of what is stored changes something")
    await v.dry_run_requirement(requirement)
    await v.dry_run_scenario(await v.get_scenario(agent, scenario))
    await v.dry_run_rule(await v.get_rule(agent, rule))
    deletion = await v.dry_run_delete_definition(agent, "email")
    check(deletion.action == "delete" and deletion.references, "a deletion breaks nothing")
    check((await v.dry_run_delete_requirement(scenario, "email")).action == "delete", "it is no deletion")
    whole = await v.get_configuration(agent)
    applied = await v.apply_configuration(
        agent_id=agent, definitions=whole.definitions, scenarios=whole.scenarios, rules=whole.rules,
        requirements=whole.requirements,
    )
    check(applied.result.changes == [], "a configuration that is put back changes something")
    check(any(a.agent_id == agent for a in await everything(v.list_agents())), "the agent is not listed")
    async for page in v.list_reviews():
        check(page.definitions is not None, "a page of reviews has no list")
    await refused(errors.UnknownError, v.decide_review(kind="requirement", id=uuid4(), decision="approve"))


async def values(v: Any, agent: Any, scenario: Any) -> Any:
    opened = await v.open_customer(channel="whatsapp", external_id=f"+49{uuid4().int % 10**10}", verified=True)
    customer = opened.result.customer_id
    many = await v.open_customers(identities=[{"channel": "web", "external_id": str(uuid4())}])
    other = many.result.customer_ids[0]
    address = f"{uuid4()}@example.com"
    await v.link_channel(customer_id=customer, channel="email", external_id=address)
    check((await v.find_customer("email", address)).customer_id == customer, "another customer is found")
    await refused(errors.UnknownError, v.find_customer("email", "nobody@example.com"))
    await v.record_consent(customer_id=customer, purpose="support", granted=True, source="web form")
    await v.set_customer_label(customer_id=customer, label="VIP")
    card = await v.add_asset(
        customer_id=customer, name="id_card", asset_type="image", storage_provider="s3", storage_path="s3://bucket/id_card",
        checksum="0f" * 32,
    )
    written = await v.write_value(
        cv.WriteValue(
            agent_id=agent, customer_id=customer, name="legal_name", value="John Smith", source="tool_result",
            source_item_id=card.result.item_id, source_item_type="profile_asset",
            source_metadata={"tool": "ocr_extractor", "confidence": 0.95},
        )
    )
    chain = await v.get_chain(written.result.item_id)
    check([link.name for link in chain.links] == ["id_card", "legal_name"], "the chain differs")
    check(len(await everything(v.list_derived(card.result.item_id))) == 1, "the derived items differ")
    await refused(errors.HasDependentsError, v.delete_item(card.result.item_id))
    common = {"agent_id": agent, "customer_id": customer, "source": "user_provided"}
    await v.write_value(**common, name="score", value=12345678901234567890123, idempotency_key="score-" + str(customer))
    again = await v.write_value(**common, name="score", value=12345678901234567890123, idempotency_key="score-" + str(customer))
    check(again.status == "succeeded" and again.finished_at is not None, "a repeat has no outcome")
    check((await v.get_value(customer, "score")).value == 12345678901234567890123, "a number was rounded")
    await v.verify_value(agent_id=agent, customer_id=customer, name="score", method="document", verified_by="office")
    weak = await v.write_value(**common, name="score", value=7)
    check(weak.result.status == "pending", "a weaker claim is not pending")
    await v.decide_value(item_id=weak.result.item_id, decision="reject", decided_by="office")
    await v.correct_value(
        agent_id=agent, customer_id=customer, name="legal_name", value="Jon Smith", reason="A letter.", corrected_by="office"
    )
    for tag in ("blue", "green"):
        await v.add_element(**common, name="tags", value=tag)
    await v.remove_element(**common, name="tags", value="blue")
    check((await v.get_value(customer, "tags")).value == ["green"], "the elements differ")
    item = {"agent_id": agent, "name": "plan", "value": "gold", "source": "user_provided"}
    await v.import_customer_values(customer_id=customer, writes=[item])
    imported = await v.import_values(writes=[{**item, "customer_id": other}], skip_invalid=True)
    check(imported.result.written == 1, "the import wrote nothing")
    check(len(await everything(v.list_history(customer, "legal_name"))) == 2, "the history differs")
    check(len(await everything(v.list_customer_history(customer, limit=2))) > 4, "the pages of the history are not all")
    await v.write_value(**common, name="score", value=8, verified=True, verification_method="document")
    expired = await v.expire_value(customer_id=customer, name="score")
    check(expired.result.status == "expired", "the value did not expire")
    plan = (await v.get_value(customer, "plan")).id
    await v.propose_deletion(customer_id=customer, name="plan", reason="wrong")
    check((await v.get_value(customer, "plan")).deletion_reason == "wrong", "the proposed deletion is not shown")
    await v.decide_value(item_id=plan, decision="reject", decided_by="office")
    check((await v.delete_item(plan)).result.item_id == plan, "the item differs")
    check((await v.restore_item(plan)).result.item_id == plan, "the item is not restored")
    error = await refused(errors.InvalidInputError, v.write_value(**common, name="email", value="hunter2"))
    check(error.field == "email" and error.operation_id is not None, "the error has no field")
    check("hunter2" not in str(error) and "hunter2" not in repr(error), "the error has the value")
    failed = await v.get_operation(error.operation_id, wait=1)
    check(failed.status == "failed" and failed.error.field == "email", "the failed operation differs")
    check(isinstance((await v.get_runs(error.operation_id)).runs, list), "the operation has no runs")
    await refused(errors.InvalidInputError, v.replay_operation(error.operation_id))
    check(len(await everything(v.list_operations(status="failed"))) >= 1, "no failed operation is listed")
    check(any(c.customer_id == other for c in await everything(v.list_customers(limit=1))), "the customer is not listed")
    recalled = await v.recall(customer_id=customer, question="What is the email?", limit=5)
    check(isinstance(recalled.results, list), "the recall has no results")
    named = await everything(v.list_customers(where=["email:missing", "legal_name:present"], limit=1))
    check([str(c.customer_id) for c in named] == [str(customer)], "the search for customers differs")
    check((await v.count_customers(where=["email:missing", "legal_name:present"])).count == 1, "the count differs")
    await v.merge_customers(target_customer_id=customer, source_customer_id=other)
    check(len(await everything(v.list_merges(customer))) == 1, "the merge is not listed")
    await v.unmerge_customer(other)
    await v.delete_customer(other)
    await refused(errors.UnknownError, v.get_customer(other))
    profile = await v.get_customer(customer, history=True)
    check(profile.label == "VIP" and profile.fields["legal_name"].value == "Jon Smith", "the profile differs")
    check((await v.get_customer(customer, as_of=datetime.now(timezone.utc) - timedelta(days=1))).fields == {}, "the past differs")
    return customer


async def conversation(v: Any, agent: Any, scenario: Any, customer: Any) -> None:
    missing = await v.get_missing(customer, scenario)
    check([m.requirement.field_name for m in missing.missing] == ["email"], "what is missing differs")
    session = uuid4()
    await v.save_session(session_id=session, agent_id=agent, customer_id=customer, variables={"channel": "web"})
    await v.add_turns(session_id=session, turns=[cv.Turn(speaker="agent", text="Hello.")])
    check((await v.get_session(session)).turns[0].text == "Hello.", "the turns differ")
    check(len(await everything(v.list_sessions(customer))) == 1, "the sessions are not one")
    await v.read_conversation(session)
    fill = await v.fill_gaps(customer_id=customer, scenario_id=scenario, session_id=session)
    check(fill.waiting_for is not None and not fill.finished, "the fill asks nothing")
    questions = await everything(v.list_questions(customer_id=customer))
    check([q.id for q in questions] == [fill.waiting_for.question_id], "the questions differ")
    check((await v.get_question(questions[0].id)).prompt == "What is your email address?", "the question differs")
    claim = await v.claim_question(question_id=questions[0].id, channel="web", seconds=30)
    check(claim.result.channel == "web", "the claim differs")
    check(len(await everything(v.await_questions(customer, wait=1, channel="web"))) == 1, "the question is not open")
    await v.cancel_fill(fill.operation_id)
    check((await v.wait(fill, 60)).result.cancelled, "the fill is not cancelled")
    ended = await everything(v.list_closed_questions(customer))
    check([q.status for q in ended] == ["cancelled"], "the closed questions differ")
    again = await v.fill_gaps(customer_id=customer, scenario_id=scenario)
    await v.answer_question(question_id=again.waiting_for.question_id, value="ada@example.com")
    check((await v.wait(again)).result.fields[0].filled, "the gap is not filled")
    turn = await v.take_turn(
        channel="web", external_id=str(uuid4()), session_key="chat-1", scenario_id=scenario, text="My email is bob@example.com"
    )
    check(turn.result.learned[0].value == "bob@example.com", "the turn taught nothing")
    await v.take_session_turn(session_id=session, agent_id=agent, customer_id=customer, text="Thank you.")
    check("ada@example.com" in await v.get_context(customer), "the context differs")
    check((await v.get_context(customer, format="json")).customer_id == customer, "the context differs in JSON")


async def erasures(v: Any) -> None:
    opened = await v.open_customer(channel="web", external_id=str(uuid4()))
    customer = opened.result.customer_id
    exported = (await v.export_customer(customer)).result
    check(exported.expires_at > datetime.now(timezone.utc), "the export has expired")
    check((await v.get_customer_export(customer, exported.export_id))["complete"] is True, "the export is cut off")
    check("</html>" in await v.get_customer_export(customer, exported.export_id, format="html"), "the page is cut off")
    erased = await v.erase_customer(customer_id=customer, derived="erase")
    erasure = await v.get_erasure(erased.result.erasure_id)
    check(erasure.state == "finished" and "signature" in erasure.receipt, "there is no receipt")
    check(any(e.erasure_id == erasure.erasure_id for e in await everything(v.list_erasures())), "it is not listed")
    check("primaryKeyId" in (await v.get_receipt_key()).public_key, "there is no key")
    gone = await refused(errors.ErasedError, v.set_customer_label(customer_id=customer, label="VIP"))
    check(gone.status == 410, "the status differs")


async def sweeps(v: Any) -> None:
    check((await v.expire_own_values()).result.customers >= 0, "the sweep has no result")
    check((await v.detect_own_orphans()).result.customers >= 0, "the sweep has no result")


async def operators() -> None:
    options: dict[str, Any] = {"key": os.environ["ADMIN_TOKEN"], "wait": WAIT}
    async with cv.AsyncVault(**options) as admin:
        check((await admin.expire_values()).result.customers >= 0, "the sweep has no result")
        await admin.detect_orphans()
    with cv.Vault(**options) as admin_blocking:
        admin_blocking.expire_values()
        admin_blocking.detect_orphans()


async def all_of(v: Any) -> None:
    agent, scenario = uuid4(), uuid4()
    check((await v.get_health()).status == "ok", "it is not healthy")
    check((await v.get_readiness()).status != "", "it says nothing of its dependencies")
    await configuration(v, agent, scenario)
    customer = await values(v, agent, scenario)
    await conversation(v, agent, scenario, customer)
    await erasures(v)
    await sweeps(v)
    since = datetime.now(timezone.utc) - timedelta(hours=1)
    check(len(await everything(v.list_audit(subject=str(customer), from_=since))) > 0, "the audit has nothing")
    told = await everything(v.list_events(customer_id=customer, types="value.changed", values=True))
    check(len(told) > 0 and told[0].customer_id == customer, "the feed has nothing")
    merge_rule = uuid4()
    await v.save_merge_rule(merge_rule_id=merge_rule, fields=["plan"])
    check([r.fields for r in await everything(v.list_merge_rules())] == [["plan"]], "the merge rule is not listed")
    for _ in range(2):
        await v.write_value(agent_id=agent, customer_id=uuid4(), name="plan", value=str(merge_rule),
            source="user_provided", verified=True, verification_method="document")
    check((await v.propose_merges()).result.proposed == 1, "no merge is proposed")
    proposal = (await everything(v.list_merge_proposals(status="pending")))[0]
    decided = await v.decide_merge(proposal_id=proposal.proposal_id, decision="reject")
    check(decided.result.status == "rejected", "it is not rejected")
    await v.delete_merge_rule(merge_rule)
    hook = uuid4()
    await v.save_webhook(webhook_id=hook, url="https://example.com/x", types=["fill.done"],
        secret="whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo=")
    check((await v.get_webhook(hook)).enabled, "the webhook is not enabled")
    check(len(await everything(v.list_webhooks())) > 0, "there is no webhook")
    check((await v.test_webhook(hook)).result.delivery_id is not None, "the test has no delivery")
    check((await everything(v.list_deliveries(hook)))[0].type == "webhook.test", "the test is not listed")
    check((await v.replay_deliveries(webhook_id=hook)).result.replayed == 0, "something was replayed")
    await v.delete_webhook(hook)
    check((await v.verify_audit()).findings == [], "the audit is not whole")
    digest = hashlib.sha256(secrets.token_bytes(32)).hexdigest()
    key = (await v.create_key(name="sdk", scopes=["read"], key_hash=digest)).result.key_id
    check(key in [k.id for k in await everything(v.list_keys())], "the key is not listed")
    check((await v.revoke_key(key)).result.key_id == key, "another key was revoked")
    await everything(v.list_usage())
    check(await v.drop_cached_profile(customer) is None, "dropping answers something")


def same_methods() -> None:
    """Both clients have the same methods with the same arguments."""
    for name, method in inspect.getmembers(Methods, inspect.isfunction):
        other = inspect.signature(getattr(AsyncMethods, name))
        check(list(inspect.signature(method).parameters) == list(other.parameters), f"{name} differs between the clients")


async def main() -> None:
    same_methods()
    async with cv.AsyncVault(wait=WAIT) as vault:
        await all_of(vault)
    with cv.Vault(wait=WAIT) as vault_blocking:
        await all_of(Blocking(vault_blocking))
    await operators()
    print("routes: ok")


if __name__ == "__main__":
    faulthandler.dump_traceback_later(600, exit=True)  # says where it hangs
    asyncio.run(main())
    sys.exit(0)
