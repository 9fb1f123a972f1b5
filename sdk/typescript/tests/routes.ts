// Calls every method of the client against a running vault. The Go test that starts it counts the routes.
// It reads VAULT_SERVER, VAULT_API_KEY and ADMIN_TOKEN.
import { strict as assert } from "node:assert";
import { createHash, randomUUID } from "node:crypto";
import { inspect } from "node:util";

import { ErasedError, HasDependentsError, InvalidInputError, UnknownError, Vault, VaultError } from "../src/index.js";

const wait = 60;
const v = new Vault({ wait });

async function everything<T>(entries: AsyncIterable<T>): Promise<T[]> {
  const out: T[] = [];
  for await (const entry of entries) out.push(entry);
  return out;
}

async function refused(kind: typeof VaultError, answer: Promise<unknown>): Promise<VaultError> {
  const error = await answer.then(() => undefined, (e: unknown) => e);
  assert(error instanceof kind, `there is no ${kind.name}: ${String(error)}`);
  return error;
}

const agent_id = randomUUID();
const scenario_id = randomUUID();

async function configuration(): Promise<void> {
  const email = { agent_id, name: "email", value_type: "email", is_pii: true, collection_prompt: "What is your email address?" } as const;
  assert.equal((await v.saveDefinition(email)).status, "succeeded");
  for (const [name, value_type] of [["plan", "string"], ["legal_name", "string"], ["score", "number"]] as const) {
    await v.saveDefinition({ agent_id, name, value_type });
  }
  await v.saveDefinition({ agent_id, name: "tags", value_type: "string", multiple: true });
  const stored = await v.getDefinition({ agent_id, name: "email" });
  await v.saveDefinition({ ...stored, description: "Where letters go" }); // what was read can be put back
  assert.equal((await v.getDefinition({ agent_id, name: "email" })).description, "Where letters go");
  assert.equal((await everything(v.listDefinitions({ agent_id, limit: 2 }))).length, 5);
  await v.saveDefinition({ agent_id, name: "gone", value_type: "string" });
  await v.deleteDefinition({ agent_id, name: "gone" });
  await v.saveScenario({ id: scenario_id, agent_id, name: "Onboarding", description: "Welcome the customer." });
  await v.saveScenario(await v.getScenario({ agent_id, scenario_id }).then((s) => ({ ...s, name: "Welcome" })));
  assert.equal((await everything(v.listScenarios({ agent_id })))[0]?.name, "Welcome");
  const id = randomUUID();
  await v.saveRule({ id, agent_id, scenario_id, name: "Check", condition: "Always." });
  await v.saveRule(await v.getRule({ agent_id, rule_id: id }));
  assert.equal((await everything(v.listRules({ agent_id }))).length, 1);
  await v.saveRequirement({ agent_id, scenario_id, field_name: "email", required_level: "hard", fallback_action: "ask" });
  await v.saveRequirement({ agent_id, scenario_id, field_name: "plan", required_level: "soft", fallback_action: "skip" });
  await v.deleteRequirement({ scenario_id, field_name: "plan" });
  const requirements = await everything(v.listRequirements({ scenario_id }));
  assert.deepEqual(requirements.map((r) => r.field_name), ["email"]);
  await v.saveRequirement(requirements[0]!);
  await v.extractSchema({ scenario_id });
  await v.explainScenario({ scenario_id });
  const foreseen = await v.dryRunDefinition(await v.getDefinition({ agent_id, name: "email" }));
  assert.equal(foreseen.action, "keep");
  await v.dryRunRequirement(requirements[0]!);
  await v.dryRunScenario(await v.getScenario({ agent_id, scenario_id }));
  await v.dryRunRule(await v.getRule({ agent_id, rule_id: id }));
  assert.equal((await v.dryRunDeleteDefinition({ agent_id, name: "email" })).action, "delete");
  assert.equal((await v.dryRunDeleteRequirement({ scenario_id, field_name: "email" })).action, "delete");
  const applied = await v.applyConfiguration(await v.getConfiguration({ agent_id }));
  assert.deepEqual(applied.result?.changes, []);
  assert((await everything(v.listAgents())).some((a) => a.agent_id === agent_id));
  for await (const page of v.listReviews()) assert(Array.isArray(page.definitions));
  await refused(UnknownError, v.decideReview({ kind: "requirement", id: randomUUID(), decision: "approve" }));
}

async function values(): Promise<string> {
  const opened = await v.openCustomer({ channel: "whatsapp", external_id: randomUUID(), verified: true });
  const customer_id = opened.result!.customer_id;
  const many = await v.openCustomers({ identities: [{ channel: "web", external_id: randomUUID() }] });
  const other = many.result!.customer_ids[0]!;
  const address = `${randomUUID()}@example.com`;
  await v.linkChannel({ customer_id, channel: "email", external_id: address });
  assert.equal((await v.findCustomer({ channel: "email", external_id: address })).customer_id, customer_id);
  await refused(UnknownError, v.findCustomer({ channel: "email", external_id: "nobody@example.com" }));
  await v.recordConsent({ customer_id, purpose: "support", granted: true, source: "web form" });
  await v.setCustomerLabel({ customer_id, label: "VIP" });
  const card = await v.addAsset({
    customer_id, name: "id_card", asset_type: "image", storage_provider: "s3", storage_path: "s3://bucket/id_card", checksum: "0f".repeat(32),
  });
  const asset = card.result!.item_id;
  const written = await v.writeValue({
    agent_id, customer_id, name: "legal_name", value: "John Smith", source: "tool_result", source_item_id: asset,
    source_item_type: "profile_asset", source_metadata: { tool: "ocr_extractor", confidence: 0.95 },
  });
  const chain = await v.getChain({ item_id: written.result!.item_id });
  assert.deepEqual(chain.links.map((link) => link.name), ["id_card", "legal_name"]);
  assert.equal((await everything(v.listDerived({ item_id: asset }))).length, 1);
  await refused(HasDependentsError, v.deleteItem({ item_id: asset }));
  const common = { agent_id, customer_id, source: "user_provided" } as const;
  const idempotencyKey = randomUUID();
  await v.writeValue({ ...common, name: "score", value: 12.5 }, { idempotencyKey });
  const again = await v.writeValue({ ...common, name: "score", value: 12.5 }, { idempotencyKey });
  assert(again.status === "succeeded" && again.finished_at, "a repeat has no outcome");
  assert.equal((await v.getValue({ customer_id, name: "score" })).value, 12.5);
  await v.verifyValue({ agent_id, customer_id, name: "score", method: "document", verified_by: "office" });
  const weak = await v.writeValue({ ...common, name: "score", value: 7 });
  assert.equal(weak.result?.status, "pending");
  await v.decideValue({ item_id: weak.result.item_id, decision: "reject", decided_by: "office" });
  await v.correctValue({ agent_id, customer_id, name: "legal_name", value: "Jon Smith", reason: "A letter.", corrected_by: "office" });
  for (const value of ["blue", "green"]) await v.addElement({ ...common, name: "tags", value });
  await v.removeElement({ ...common, name: "tags", value: "blue" });
  assert.deepEqual((await v.getValue({ customer_id, name: "tags" })).value, ["green"]);
  const { result: expired } = await v.expireValue({ customer_id, name: "tags" });
  assert.equal(expired?.status, "expired");
  const item = { agent_id, name: "plan", value: "gold", source: "user_provided" } as const;
  await v.importCustomerValues({ customer_id, writes: [{ ...item, customer_id }] });
  assert.equal((await v.importValues({ writes: [{ ...item, customer_id: other }], skip_invalid: true })).result?.written, 1);
  assert.equal((await everything(v.listHistory({ customer_id, name: "legal_name" }))).length, 2);
  assert((await everything(v.listCustomerHistory({ customer_id, limit: 2 }))).length > 4);
  const plan = (await v.getValue({ customer_id, name: "plan" })).id;
  await v.proposeDeletion({ customer_id, name: "plan", reason: "wrong" });
  assert.equal((await v.getValue({ customer_id, name: "plan" })).deletion_reason, "wrong");
  await v.decideValue({ item_id: plan, decision: "reject", decided_by: "office" });
  await v.deleteItem({ item_id: plan });
  assert.equal((await v.restoreItem({ item_id: plan })).result?.item_id, plan);
  const error = await refused(InvalidInputError, v.writeValue({ ...common, name: "email", value: "hunter2" }));
  assert.equal(error.field, "email");
  assert(!inspect(error).includes("hunter2") && !JSON.stringify(error).includes("hunter2"), "the error has the value");
  const operation_id = error.operationId!;
  const failed = await v.getOperation({ operation_id }, { wait: 1 });
  assert(failed.status === "failed" && failed.error?.field === "email");
  if (failed.workflow === "write-value") assert.equal(failed.result?.item_id, undefined); // the workflow decides the type
  await refused(InvalidInputError, v.replayOperation({ operation_id }));
  assert(Array.isArray((await v.getRuns({ operation_id })).runs));
  assert((await everything(v.listOperations({ status: "failed" }))).length >= 1);
  assert((await everything(v.listCustomers({ limit: 1 }))).some((c) => c.customer_id === other));
  assert(Array.isArray((await v.recall({ customer_id, question: "What is the email?", limit: 5 })).results));
  const where = ["email:missing", "legal_name:present"];
  assert.deepEqual((await everything(v.listCustomers({ where, limit: 1 }))).map((c) => c.customer_id), [customer_id]);
  assert.equal((await v.countCustomers({ where })).count, 1);
  await v.mergeCustomers({ target_customer_id: customer_id, source_customer_id: other });
  assert.equal((await everything(v.listMerges({ customer_id }))).length, 1);
  await v.unmergeCustomer({ customer_id: other });
  await v.deleteCustomer({ customer_id: other });
  await refused(UnknownError, v.getCustomer({ customer_id: other }));
  const profile = await v.getCustomer({ customer_id, history: true });
  assert(profile.label === "VIP" && profile.fields["legal_name"]?.value === "Jon Smith");
  return customer_id;
}

async function conversation(customer_id: string): Promise<void> {
  const missing = await v.getMissing({ customer_id, scenario_id });
  assert.deepEqual(missing.missing.map((m) => m.requirement.field_name), ["email"]);
  const session_id = randomUUID();
  await v.saveSession({ session_id, agent_id, customer_id, variables: { channel: "web" } });
  await v.addTurns({ session_id, turns: [{ speaker: "agent", text: "Hello." }] });
  assert.equal((await v.getSession({ session_id })).turns?.[0]?.text, "Hello.");
  assert.equal((await everything(v.listSessions({ customer_id }))).length, 1);
  await v.readConversation({ session_id });
  const fill = await v.fillGaps({ customer_id, scenario_id, session_id });
  assert(fill.waiting_for, "the fill asks nothing");
  const questions = await everything(v.listQuestions({ customer_id }));
  assert.deepEqual(questions.map((q) => q.id), [fill.waiting_for.question_id]);
  assert.equal((await v.getQuestion({ question_id: fill.waiting_for.question_id })).kind, "value");
  const claim = await v.claimQuestion({ question_id: fill.waiting_for.question_id, channel: "web", seconds: 30 });
  assert.equal(claim.result?.channel, "web");
  assert.equal((await everything(v.awaitQuestions({ customer_id, wait: 1, channel: "web" }))).length, 1);
  await v.cancelFill({ operation_id: fill.operation_id });
  assert((await v.waitFor(fill)).result?.cancelled);
  const ended = await everything(v.listClosedQuestions({ customer_id }));
  assert.deepEqual(ended.map((q) => q.status), ["cancelled"]);
  const next = await v.fillGaps({ customer_id, scenario_id });
  await v.answerQuestion({ question_id: next.waiting_for!.question_id, value: "ada@example.com" });
  assert((await v.waitFor(next)).result?.fields[0]?.filled);
  const turn = await v.takeTurn({ channel: "web", external_id: randomUUID(), session_key: "chat-1", scenario_id, text: "My email is bob@example.com" });
  assert.equal(turn.result?.learned[0]?.value, "bob@example.com");
  await v.takeSessionTurn({ session_id, agent_id, customer_id, text: "Thank you." });
  assert(String(await v.getContext({ customer_id })).includes("ada@example.com"));
  const block = await v.getContext({ customer_id, format: "json" });
  assert(typeof block === "object" && block.customer_id === customer_id);
  assert((await everything(v.listAudit({ subject: customer_id, from: new Date(Date.now() - 3600_000).toISOString() }))).length > 0);
  const told = await everything(v.listEvents({ customer_id, types: "value.changed", values: true }));
  assert(told.length > 0 && told[0]?.customer_id === customer_id);
  const merge_rule_id = randomUUID();
  await v.saveMergeRule({ merge_rule_id, fields: ["plan"] });
  assert.deepEqual((await everything(v.listMergeRules()))[0]?.fields, ["plan"]);
  for (const customer_id of [randomUUID(), randomUUID()]) {
    await v.writeValue({ agent_id, customer_id, name: "plan", value: merge_rule_id, source: "user_provided", verified: true, verification_method: "document" });
  }
  assert.equal((await v.proposeMerges()).result?.proposed, 1);
  const proposal_id = (await everything(v.listMergeProposals({ status: "pending" })))[0]!.proposal_id;
  assert.equal((await v.decideMerge({ proposal_id, decision: "reject" })).result?.status, "rejected");
  await v.deleteMergeRule({ merge_rule_id });
  const webhook_id = randomUUID();
  await v.saveWebhook({ webhook_id, url: "https://example.com/x", types: ["fill.done"], secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo=" });
  assert((await v.getWebhook({ webhook_id })).enabled);
  assert((await everything(v.listWebhooks())).length > 0);
  assert((await v.testWebhook({ webhook_id })).result?.delivery_id);
  assert.equal((await everything(v.listDeliveries({ webhook_id })))[0]?.type, "webhook.test");
  assert.equal((await v.replayDeliveries({ webhook_id })).result?.replayed, 0);
  await v.deleteWebhook({ webhook_id });
  assert.deepEqual((await v.verifyAudit()).findings, []);
  const key_hash = createHash("sha256").update(randomUUID()).digest("hex");
  const { key_id } = (await v.createKey({ name: "sdk", scopes: ["read"], key_hash })).result!;
  assert((await everything(v.listKeys())).some((k) => k.id === key_id && !k.revoked_at));
  assert.equal((await v.revokeKey({ key_id })).result!.key_id, key_id);
  await everything(v.listUsage());
  await v.dropCachedProfile({ customer_id });
}

async function erasures(): Promise<void> {
  const customer_id = (await v.openCustomer({ channel: "web", external_id: randomUUID() })).result!.customer_id;
  const exported = (await v.exportCustomer({ customer_id })).result!;
  const { export_id } = exported;
  assert(new Date(exported.expires_at) > new Date());
  const whole = await v.getCustomerExport({ customer_id, export_id });
  assert(typeof whole === "object" && whole["complete"] === true);
  assert(String(await v.getCustomerExport({ customer_id, export_id, format: "html" })).includes("</html>"));
  const { erasure_id } = (await v.eraseCustomer({ customer_id, derived: "erase" })).result!;
  const erasure = await v.getErasure({ erasure_id });
  assert(erasure.state === "finished" && erasure.receipt?.includes("signature"));
  assert((await everything(v.listErasures())).some((e) => e.erasure_id === erasure_id));
  assert((await v.getReceiptKey()).public_key.includes("primaryKeyId"));
  assert.equal((await refused(ErasedError, v.setCustomerLabel({ customer_id, label: "VIP" }))).status, 410);
}

assert.equal((await v.getHealth()).status, "ok");
assert.ok((await v.getReadiness()).status);
await configuration();
await conversation(await values());
await erasures();
assert((await v.expireOwnValues()).result!.customers >= 0);
assert((await v.detectOwnOrphans()).result!.customers >= 0);
const admin = new Vault({ key: process.env["ADMIN_TOKEN"]!, wait });
assert((await admin.expireValues()).result!.customers >= 0);
await admin.detectOrphans();
console.log("routes: ok");
