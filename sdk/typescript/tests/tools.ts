// Calls the tools of both packages as their runtimes do, without a model: the arguments are those of a model.
import { strict as assert } from "node:assert";
import { randomUUID } from "node:crypto";

import type { Tool as AgentTool } from "@openai/agents";
import type { ToolSet } from "ai";

import { vaultTools as aiTools } from "../src/ai.js";
import { Vault } from "../src/index.js";
import { vaultTools as agentTools } from "../src/openai-agents.js";

const vault = new Vault({ wait: 60 });
const agent_id = randomUUID();
const scenario_id = randomUUID();
await vault.saveDefinition({ agent_id, name: "plan", value_type: "string" });
await vault.saveDefinition({ agent_id, name: "visits", value_type: "number" });
await vault.saveScenario({ id: scenario_id, agent_id, name: "Onboarding", description: "Welcome the customer." });
await vault.saveRequirement({ agent_id, scenario_id, field_name: "visits", required_level: "hard", fallback_action: "ask" });

type Call = (name: string, args: object) => Promise<unknown>;

/** Everything that a conversation does with the tools. */
async function converse(names: string[], call: Call, customer_id: string): Promise<void> {
  assert.deepEqual(names.sort(), ["explain_value", "forget", "get_context", "list_missing", "remember"]);
  const stored = { field: "plan", value: "gold", quote: "I have the gold plan" };
  assert.deepEqual(await call("remember", stored), { status: "active", warnings: [] });
  const { id } = await vault.getValue({ customer_id, name: "plan" });
  const context = String(await call("get_context", {}));
  assert(context.includes(`- plan: "gold"`) && context.includes("- visits | blocking"), context);
  const chain = await call("explain_value", { item_id: id }) as { links: { name: string }[] };
  assert.deepEqual(chain.links.map((link) => link.name), ["plan"]);
  const missing = await call("list_missing", {}) as { missing: { requirement: { field_name: string } }[] };
  assert.deepEqual(missing.missing.map((m) => m.requirement.field_name), ["visits"]);
  await call("remember", { field: "visits", value: "3", quote: "I was there 3 times" });
  assert.equal((await vault.getValue({ customer_id, name: "visits" })).value, 3); // a number, and no text

  // What the customer did not say is refused, and the refusal is an answer.
  const invented = { field: "plan", value: "platinum", quote: "I have the platinum plan" };
  assert.deepEqual(await call("remember", invented), { refused: "invalid_input", field: "source_metadata" });
  const other = await call("explain_value", { item_id: randomUUID() }) as { refused?: string };
  assert.equal(other.refused, "unknown");
  assert.deepEqual(await call("forget", { field: "plan", reason: "customer_asked" }), { review: "open" });
  assert.equal((await vault.getValue({ customer_id, name: "plan" })).deletion_reason, "customer_asked");
}

/** A customer who has said something, with an agent that does not read it. */
async function conversation() {
  const customer_id = (await vault.openCustomer({ channel: "web", external_id: randomUUID() })).result!.customer_id;
  const session_id = randomUUID();
  await vault.saveSession({ session_id, agent_id, customer_id });
  await vault.addTurns({
    session_id,
    turns: [
      { speaker: "customer", text: "Hello. I have the gold plan, and I was there 3 times." },
      { speaker: "agent", text: "Do you have the platinum plan?" },
      { speaker: "customer", text: "No." },
    ],
  });
  return { customer_id, agent_id, scenario_id, session_id };
}

{
  const who = await conversation();
  const tools: ToolSet = await aiTools(vault, who);
  const call: Call = async (name, args) => tools[name]!.execute!(args, { toolCallId: "1", messages: [], context: {} } as never);
  await converse(Object.keys(tools), call, who.customer_id);
}
{
  const who = await conversation();
  const tools: AgentTool[] = await agentTools(vault, who);
  const call: Call = async (name, args) => {
    const found = tools.find((tool) => tool.name === name);
    assert(found?.type === "function");
    return found.invoke({} as never, JSON.stringify(args));
  };
  await converse(tools.map((tool) => tool.name), call, who.customer_id);
}

// Without a session there is nothing that the customer said, so nothing can be remembered.
const without = await aiTools(vault, { customer_id: randomUUID(), agent_id });
assert.deepEqual(Object.keys(without).sort(), ["explain_value", "forget", "get_context"]);
console.log("tools: ok");
