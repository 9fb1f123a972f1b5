/** The client of the Customer Context Vault. */
import type { Schemas } from "./core.js";
import { Methods } from "./methods.js";

export * from "./codes.js";
export type { AnyOperation, ChangeOptions, Changed, Entry, Input, Options, Read, Schemas, WaitOptions, Withheld } from "./core.js";
export type { FeedEvent, WatchInput } from "./events.js";
export { NotVaultError, UnreachableError, VaultError } from "./problem.js";
export type { components, operations, paths } from "./schema.js";
export { maxWebhookAge, SignatureError, verifyWebhook, type WebhookMessage } from "./webhooks.js";

export type Definition = Schemas["Definition"];
export type Requirement = Schemas["Requirement"];
export type Scenario = Schemas["Scenario"];
export type Value = Schemas["Value"];
export type CustomerProfile = Schemas["CustomerProfile"];

/** The vault. Each operation of the API is a method. */
export class Vault extends Methods {}
