import { createHmac, timingSafeEqual } from "node:crypto";

import type { FeedEvent } from "./events.js";

/** The largest difference in seconds between the time of a delivery and the clock of the receiver. */
export const maxWebhookAge = 300;

/** A request is no delivery of the webhook: it has another secret or content, or is too old. */
export class SignatureError extends Error {
  constructor(text = "the signature of the webhook is not valid") {
    super(text);
    this.name = "SignatureError";
  }
}

/** The body of a delivery. */
export interface WebhookMessage {
  /** The header webhook-id. It is the same for each attempt: a receiver recognises a repeat by it. */
  id: string;
  /** The type of the event, or webhook.test. */
  type: FeedEvent["type"] | "webhook.test";
  timestamp: string;
  /** The event. null: the delivery is a test. */
  data: FeedEvent | null;
}

/**
 * Checks the signature of a delivery by the convention Standard Webhooks, and returns its message. body is the body of
 * the request as it arrived; headers are those of fetch or of node:http. While a secret is replaced, a receiver can pass
 * both. A request that is no delivery of the webhook is a SignatureError.
 */
export function verifyWebhook(
  body: string | Uint8Array, headers: Headers | Record<string, string | string[] | undefined>, secret: string | string[],
): WebhookMessage {
  const header = (name: string): string => {
    if (headers instanceof Headers) return headers.get(name) ?? "";
    const found = Object.entries(headers).find(([key]) => key.toLowerCase() === name)?.[1];
    return (Array.isArray(found) ? found[0] : found) ?? "";
  };
  const id = header("webhook-id");
  const sent = header("webhook-timestamp");
  if (!id || !/^\d+$/.test(sent) || Math.abs(Date.now() / 1000 - Number(sent)) > maxWebhookAge) throw new SignatureError();
  const signatures = header("webhook-signature").split(" ").map((text) => Buffer.from(text));
  let signed = false;
  for (const one of Array.isArray(secret) ? secret : [secret]) {
    const mac = createHmac("sha256", keyOf(one)).update(`${id}.${sent}.`).update(body).digest("base64");
    const want = Buffer.from(`v1,${mac}`);
    for (const got of signatures) if (got.length === want.length && timingSafeEqual(got, want)) signed = true;
  }
  if (!signed) throw new SignatureError();
  const message = JSON.parse(typeof body === "string" ? body : new TextDecoder().decode(body)) as Omit<WebhookMessage, "id">;
  return { ...message, data: message.data ?? null, id };
}

function keyOf(secret: string): Buffer {
  const text = secret.replace(/^whsec_/, "");
  const key = Buffer.from(text, "base64");
  if (key.length === 0 || key.toString("base64") !== text) {
    throw new SignatureError("the secret of the webhook is not whsec_ and bytes in base64");
  }
  return key;
}
