// Writes a value through a server that loses the first answers. The Go test counts the versions.
import { strict as assert } from "node:assert";

import { vaultTools as aiTools } from "../src/ai.js";
import { UnreachableError, Vault } from "../src/index.js";
import { vaultTools as agentTools } from "../src/openai-agents.js";

const vault = new Vault({ wait: 60 });
const agent_id = process.env["AGENT"]!;
const customer_id = process.env["CUSTOMER"]!;
const written = await vault.writeValue({ agent_id, customer_id, name: "plan", value: "gold", source: "user_provided" });
assert.equal(written.status, "succeeded");
await assert.rejects(new Vault({ server: "http://127.0.0.1:1" }).getHealth(), UnreachableError);

// The tools of both packages act for the customer of the conversation, and a refusal is an answer.
const tools = await aiTools(vault, { customer_id, agent_id });
assert.deepEqual(Object.keys(tools).sort(), ["explain_value", "get_context", "remember"]);
const call = { toolCallId: "1", messages: [], context: {} } as never;
assert(String(await tools["get_context"]!.execute!({}, call)).includes("gold"));
const invented = { field: "plan", value: "platinum", quote: "I have the platinum plan" };
assert.equal((await tools["remember"]!.execute!(invented, call) as { refused?: string }).refused, "invalid_input");
const own = await agentTools(vault, { customer_id, agent_id });
const context = own.find((tool) => tool.name === "get_context");
assert(context?.type === "function");
assert(String(await context.invoke({} as never, "{}")).includes("gold"));
