// Follows the feed through a server that cuts its streams, and checks the signature of a webhook. It prints the id of each
// event. DELIVERY is a delivery of the vault as JSON: its headers, body and secret.
import { strict as assert } from "node:assert";

import { InvalidInputError, SignatureError, UnauthenticatedError, Vault, verifyWebhook, type FeedEvent } from "../src/index.js";

const vault = new Vault();
const count = Number(process.env["COUNT"]);
const seen: FeedEvent[] = [];
for await (const event of vault.watchEvents({ types: "value.changed,consent.changed", values: true })) {
  seen.push(event);
  if (seen.length === count) break;
}
await assert.rejects(vault.watchEvents({ after: 999999 }).next(), InvalidInputError);
await assert.rejects(new Vault({ key: "cv_wrong" }).watchEvents().next(), UnauthenticatedError);
const stop = new AbortController();
const idle = vault.watchEvents({ after: "latest" }, { signal: stop.signal }).next();
stop.abort();
await assert.rejects(idle, { name: "AbortError" });
for (const event of seen) console.log(`${event.id} ${event.value}`);

const { body, headers, secret } = JSON.parse(process.env["DELIVERY"]!) as { body: string; headers: Record<string, string>; secret: string };
const message = verifyWebhook(body, headers, secret);
assert.equal(message.type, "value.changed");
assert.equal(message.id, headers["Webhook-Id"]);
assert.deepEqual(message.data, seen[0]);
assert.deepEqual(verifyWebhook(new TextEncoder().encode(body), new Headers(headers), ["whsec_AAAA", secret]), message);
for (const [content, sent, key] of [
  [body + " ", headers, secret], [body, headers, "whsec_AAAA"], [body, headers, []], [body, headers, "whsec_%"],
  [body, { ...headers, "Webhook-Timestamp": "1" }, secret], [body, {}, secret],
] as [string, Record<string, string>, string | string[]][]) {
  assert.throws(() => verifyWebhook(content, sent, key), SignatureError);
}
