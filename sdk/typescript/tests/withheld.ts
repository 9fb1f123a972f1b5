// Reads a list whose pages withhold values. The client says so to onWithheld and nowhere else.
import { strict as assert } from "node:assert";

import { Vault, type Withheld } from "../src/index.js";

const customer_id = process.env["CUSTOMER"]!;
const told: Withheld[] = [];
const vault = new Vault({ onWithheld: (withheld) => told.push(...withheld) });
const values: unknown[] = [];
for await (const version of vault.listHistory({ customer_id, name: "passport", limit: 1 })) values.push(version.value);
assert.deepEqual(values, [null, null]);
await vault.getCustomer({ customer_id });
for await (const version of vault.listHistory({ customer_id, name: "plan" })) assert.equal(version.value, "gold");
const one = { name: "passport", reason: "purpose_required" };
assert.deepEqual(told, [one, one, one]);

const page = await vault.http.GET("/v1/customers/{customer_id}/values/{name}/history", {
  params: { path: { customer_id, name: "passport" } },
});
assert.deepEqual(page.data?.withheld, [one]);
