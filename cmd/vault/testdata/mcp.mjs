// Calls the vault by MCP with the client of another make, @modelcontextprotocol/sdk, over stdio and over HTTP.
// The environment names the vault: VAULT_SERVER, VAULT_API_KEY, AGENT, SCENARIO, and VAULT, the command.
import assert from "node:assert/strict";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { ToolListChangedNotificationSchema } from "@modelcontextprotocol/sdk/types.js";

const { VAULT, VAULT_SERVER, VAULT_API_KEY, AGENT, SCENARIO } = process.env;

const transports = {
  stdio: () => new StdioClientTransport({
    command: VAULT, args: ["mcp", "--agent", AGENT, "--scenario", SCENARIO], stderr: "ignore",
    env: { ...process.env, VAULT_SERVER, VAULT_API_KEY },
  }),
  http: () => new StreamableHTTPClientTransport(
    new URL(`${VAULT_SERVER}/mcp?agent=${AGENT}&scenario=${SCENARIO}`),
    { requestInit: { headers: { Authorization: `Bearer ${VAULT_API_KEY}` } } },
  ),
};

for (const [kind, transport] of Object.entries(transports)) {
  const client = new Client({ name: "walk-through", version: "1.0.0" });
  let announced;
  const changed = new Promise((resolve) => { announced = resolve; });
  client.setNotificationHandler(ToolListChangedNotificationSchema, () => announced());
  await client.connect(transport());
  const call = async (name, args) => {
    const { content, isError } = await client.callTool({ name, arguments: args });
    const texts = content.map((c) => c.text);
    const json = texts.find((text) => text.startsWith("{"));
    return { texts, isError: Boolean(isError), json: json && JSON.parse(json) };
  };

  const { tools } = await client.listTools();
  assert.deepEqual(tools.map((t) => t.name).sort(), [
    "answer_question", "confirm", "explain_value", "find_customer", "forget", "get_context", "get_missing", "next_question", "recall",
    "remember", "take_turn",
  ]);
  const facts = tools.find((t) => t.name === "remember").inputSchema.properties.facts.properties;
  assert.equal(facts.email.properties.value.format, "email");

  const who = { channel: "chat", external_id: `ada-${kind}`, session_key: `chat-${kind}` };
  const first = await call("take_turn", { ...who, text: "Hello, I am Ada" });
  assert.equal(first.json.question.field_name, "email");
  assert.match(first.texts.at(-1), /^CUSTOMER CONTEXT\./);
  const second = await call("take_turn", { ...who, text: "It is ada@example.com, and I have the gold plan" });
  const { customer_id, session_id, turn_index } = second.json;
  assert.equal(second.json.learned[0].value, "ada@example.com");

  const remembered = await call("remember", {
    customer_id, session_id, facts: { plan: { value: "gold", quote: "gold plan", turn: turn_index } },
  });
  assert.deepEqual([remembered.isError, remembered.json.refused], [false, []]);
  const invented = await call("remember", {
    customer_id, session_id, facts: { plan: { value: "platinum", quote: "platinum plan", turn: turn_index } },
  });
  assert.equal(invented.isError, true);
  assert.equal(invented.json.refused[0].error.argument, "facts.plan.quote");

  const why = await call("explain_value", { customer_id, field: "plan" });
  assert.deepEqual([why.json.value, why.json.quote], ["gold", "gold plan"]);
  const block = await call("get_context", { customer_id });
  assert.match(block.texts[0], /- email: "ada@example.com" \| stated/);
  const found = await call("find_customer", { channel: "chat", external_id: `ada-${kind}` });
  assert.equal(found.json.customer_id, customer_id);
  const profile = await client.readResource({ uri: `vault://customers/${customer_id}/profile` });
  assert.equal(JSON.parse(profile.contents[0].text).fields.email.value, "ada@example.com");
  await assert.rejects(client.callTool({ name: "drop_tables", arguments: {} }).then((r) => { if (r.isError) throw r; }));

  // Another definition, by the HTTP API: the server announces it.
  const field = `colour_${kind}`;
  const saved = await fetch(`${VAULT_SERVER}/v1/agents/${AGENT}/definitions/${field}`, {
    method: "PUT", body: JSON.stringify({ value_type: "string" }),
    headers: { Authorization: `Bearer ${VAULT_API_KEY}`, "Content-Type": "application/json", Prefer: "wait=60" },
  });
  assert.equal(saved.status, 200);
  await changed;
  const again = await client.listTools();
  assert.ok(field in again.tools.find((t) => t.name === "remember").inputSchema.properties.facts.properties);
  await client.close();
  console.log(`${kind}: ok`);
}
