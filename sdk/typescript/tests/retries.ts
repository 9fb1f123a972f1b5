// Writes a value through a server that loses the first answers. The Go test counts the versions.
import { strict as assert } from "node:assert";

import { UnreachableError, Vault } from "../src/index.js";

const vault = new Vault({ wait: 60 });
const agent_id = process.env["AGENT"]!;
const customer_id = process.env["CUSTOMER"]!;
const written = await vault.writeValue({ agent_id, customer_id, name: "plan", value: "gold", source: "user_provided" });
assert.equal(written.status, "succeeded");
await assert.rejects(new Vault({ server: "http://127.0.0.1:1" }).getHealth(), UnreachableError);
