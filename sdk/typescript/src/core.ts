import createClient, { type Client } from "openapi-fetch";

import { byCode } from "./codes.js";
import { watch, type FeedEvent, type Open, type WatchInput } from "./events.js";
import { NotVaultError, UnreachableError, VaultError } from "./problem.js";
import type { components, operations, paths } from "./schema.js";

export type Schemas = components["schemas"];
/** A field that an answer leaves out, and why. */
export type Withheld = Schemas["Withheld"];
/** The names of the operations, such as "write-value". */
export type Name = keyof operations;

type Path<K extends Name> = operations[K] extends { parameters: { path: infer P } } ? P : Record<never, never>;
type Query<K extends Name> = operations[K] extends { parameters: { query?: infer Q } }
  ? [NonNullable<Q>] extends [never]
    ? unknown
    : Omit<NonNullable<Q>, "cursor">
  : unknown;
type Body<K extends Name> = operations[K] extends { requestBody: { content: { "application/json": infer B } } }
  ? B
  : operations[K] extends { requestBody?: { content: { "application/json": infer B } } }
    ? Partial<B>
    : unknown;
type Renamed<P, R extends Record<string, string>> = Omit<P, keyof R> & { [K in keyof R as R[K]]: K extends keyof P ? P[K] : string };

/** The input of a method: the parameters of the path and the query, and the members of the body. */
export type Input<K extends Name, R extends Record<string, string> = Record<never, never>> = Renamed<Path<K>, R> &
  Query<K> &
  Body<K>;

type Ok<K extends Name> = operations[K] extends { responses: { 200: { content: infer C } } } ? C[keyof C] : void;
/** The answer of a method that reads. */
export type Read<K extends Name> = Ok<K>;
/** An entry of a list. A list of several kinds gives its pages. */
export type Entry<K extends Name> = Ok<K> extends { items: (infer T)[] } ? T : Ok<K>;
/** The status of a change, with the result of its operation once it has succeeded. */
export type Changed<K extends Name> = Schemas["AcceptedOperation"] & Partial<Omit<Ok<K>, keyof Schemas["AcceptedOperation"]>>;

/** The status of any operation. */
export type AnyOperation = Schemas["AcceptedOperation"] & {
  workflow?: string;
  result?: unknown;
  error?: Schemas["Rejection"];
  finished_at?: string;
  waiting_for?: Schemas["WaitingFor"];
};

export interface WaitOptions {
  /** The time in seconds to wait for the outcome. Default: that of the client. 0: return once it is accepted. */
  wait?: number;
}

export interface ChangeOptions extends WaitOptions {
  /** Makes it safe to repeat the call. Default: a key of the call, for its own retries. */
  idempotencyKey?: string;
}

export interface Options {
  /** The address of the vault. Default: VAULT_SERVER, or http://localhost:8000. */
  server?: string;
  /** An API key. Default: VAULT_API_KEY. */
  key?: string;
  /** The time in seconds that a change waits for its outcome. Default: 30. */
  wait?: number;
  /** The purpose of the reads. */
  purpose?: string;
  /** The tenant, for an operator. */
  tenant?: string;
  /** The time in seconds after which a request without an answer is repeated. Default: 90. */
  timeout?: number;
  /**
   * Is called after each answer that leaves out values, with their fields and the reasons. A method that lists returns the
   * entries alone, and says so nowhere else. What it throws reaches the caller of the method.
   */
  onWithheld?: (withheld: Withheld[]) => void;
  /** Replaces the global fetch. */
  fetch?: typeof fetch;
}

/** The request of a method. */
export interface Call {
  method: string;
  path: string;
  inPath: Record<string, string>;
  inQuery: string[];
  hasBody?: boolean;
  /** Statuses with the same body as 200. */
  also?: number[];
  /** It may wait for an answer of the customer. */
  asks?: boolean;
}

const maxWait = 60; // seconds that one request waits at the server
const pollSeconds = 1; // between requests for an outcome: a proxy can drop the header Prefer
const askFirst = 0.1; // seconds between requests for the question of a gap fill
const askLast = 1;
const retries = 4;
const firstRetry = 0.2; // seconds
const lastRetry = 5;
const pageSize = 500;

interface Answer {
  status: number;
  headers: Headers;
  text: string;
}

/** Sends requests, repeats and waits. */
export class Core {
  /** The typed client of openapi-fetch, for requests with their own parameters. It repeats lost requests. */
  readonly http: Client<paths>;
  private readonly wait: number;
  private readonly onWithheld: Options["onWithheld"];
  private readonly open: (path: string, signal: AbortSignal) => Promise<Response>;

  constructor(options: Options = {}) {
    const key = options.key ?? process.env["VAULT_API_KEY"];
    const headers: Record<string, string> = {};
    if (key) headers["Authorization"] = `Bearer ${key}`;
    if (options.purpose) headers["Vault-Purpose"] = options.purpose;
    if (options.tenant) headers["X-Tenant"] = options.tenant;
    this.wait = options.wait ?? 30;
    this.onWithheld = options.onWithheld;
    const server = options.server ?? process.env["VAULT_SERVER"] ?? "http://localhost:8000";
    const send = options.fetch ?? fetch;
    this.open = (path, signal) =>
      send(server.replace(/\/$/, "") + path, { headers: { ...headers, Accept: "text/event-stream" }, signal, redirect: "manual" });
    this.http = createClient<paths>({ baseUrl: server, fetch: repeating(send, (options.timeout ?? 90) * 1000), headers });
  }

  /**
   * Reads the feed of events, and goes on with what happens next, until the caller leaves the loop or the signal comes.
   * When the connection is lost it connects again and continues after the last event. It ends with the error of a refused
   * request.
   */
  watchEvents(input: WatchInput = {}, options: { signal?: AbortSignal } = {}): AsyncGenerator<FeedEvent, void, void> {
    const open: Open = async (query, signal) => {
      const given = Object.entries(query).filter(([, value]) => value !== undefined);
      const search = new URLSearchParams(given.map(([name, value]) => [name, String(value)]));
      const answer = await this.open(`/v1/events?${search}`, signal);
      const streams = answer.headers.get("Content-Type")?.startsWith("text/event-stream");
      if (answer.status === 200 && streams && answer.body) return answer.body as unknown as AsyncIterable<Uint8Array>;
      throw problemOf({ status: answer.status, headers: answer.headers, text: await answer.text() });
    };
    return watch(open, problemInStream, input, options.signal);
  }

  protected async read<T>(call: Call, input: object, options?: WaitOptions): Promise<T> {
    const headers: Record<string, string> = options?.wait ? { Prefer: prefer(options.wait) } : {};
    const answer = await this.send(call, input, headers);
    if (answer.text === "") return undefined as T;
    if (!isJSON(answer)) return answer.text as T;
    return parsed(answer) as T;
  }

  protected async *list<T>(call: Call, input: object): AsyncIterableIterator<T> {
    let cursor: string | undefined;
    do {
      const answer = await this.send(call, { ...(call.inQuery.includes("limit") ? { limit: pageSize } : {}), ...input, ...(cursor ? { cursor } : {}) }, {}, ["cursor"]);
      const page = parsed(answer) as { items?: T[]; next_cursor?: string };
      if (page.items) yield* page.items;
      else yield page as T;
      cursor = page.next_cursor;
    } while (cursor);
  }

  protected async change<T extends AnyOperation>(call: Call, input: object, options: ChangeOptions): Promise<T> {
    const wait = options.wait ?? this.wait;
    const end = Date.now() + wait * 1000;
    const headers: Record<string, string> = { "Idempotency-Key": options.idempotencyKey ?? crypto.randomUUID() };
    if (wait && !call.asks) headers["Prefer"] = prefer(wait);
    let operation = parsed(await this.send(call, input, headers)) as T;
    if (isFinished(operation) && !operation.finished_at) operation = await this.status(operation, {}); // a repeat
    return wait ? this.until(operation, end, call.asks ?? false) : operation;
  }

  /** Waits for the outcome of an operation, 60 seconds by default; with orQuestion, or for its question. */
  waitFor<T extends AnyOperation>(operation: T, options: WaitOptions & { orQuestion?: boolean } = {}): Promise<T> {
    return this.until(operation, Date.now() + (options.wait ?? 60) * 1000, options.orQuestion ?? false);
  }

  private async until<T extends AnyOperation>(operation: T, end: number, orAsks: boolean): Promise<T> {
    for (let pause = askFirst; ; pause = Math.min(2 * pause, askLast)) {
      if (operation.error) throw failed(operation);
      const left = (end - Date.now()) / 1000;
      if (isFinished(operation) || left <= 0 || (orAsks && operation.waiting_for)) return operation;
      const asked = Date.now();
      operation = await this.status(operation, orAsks ? {} : { Prefer: prefer(left) });
      if (isFinished(operation) || (orAsks && operation.waiting_for)) continue;
      const rest = orAsks ? pause : pollSeconds - (Date.now() - asked) / 1000;
      await sleep(Math.min(rest, (end - Date.now()) / 1000));
    }
  }

  private async status<T extends AnyOperation>(operation: T, headers: Record<string, string>): Promise<T> {
    const call = { method: "GET", path: "/v1/operations/{operation_id}", inPath: { operation_id: "operation_id" }, inQuery: [] };
    return parsed(await this.send(call, { operation_id: operation.operation_id }, headers)) as T;
  }

  private async send(call: Call, input: object, headers: Record<string, string>, more: string[] = []): Promise<Answer> {
    const rest: Record<string, unknown> = { ...input };
    const path: Record<string, unknown> = {};
    const query: Record<string, unknown> = {};
    for (const [parameter, name] of Object.entries(call.inPath)) {
      if (rest[name] === undefined) throw new TypeError(`${call.method} ${call.path} needs ${name}`);
      path[parameter] = rest[name];
    }
    for (const name of Object.values(call.inPath)) delete rest[name];
    for (const name of [...call.inQuery, ...more]) {
      if (rest[name] !== undefined) query[name] = rest[name];
      delete rest[name];
    }
    const request = this.http.request as (method: string, path: string, init: object) => Promise<{ response: Response; data?: unknown; error?: unknown }>;
    const { response, data, error } = await request(call.method.toLowerCase(), call.path, {
      params: { path, query },
      headers,
      parseAs: "text",
      ...(call.hasBody ? { body: rest } : {}),
    });
    // openapi-fetch reads an answer other than 2xx by itself, as JSON if it is.
    const text = typeof data === "string" ? data : error === undefined ? "" : typeof error === "string" ? error : JSON.stringify(error);
    const answer = { status: response.status, headers: response.headers, text };
    if (response.ok) this.note(answer);
    if (response.ok || call.also?.includes(response.status)) return answer;
    throw problemOf(answer);
  }

  /** Tells the caller what an answer says that it leaves out. */
  private note(answer: Answer): void {
    if (!this.onWithheld || !isJSON(answer) || !answer.text.includes('"withheld"')) return;
    const { withheld } = (parsed(answer) ?? {}) as { withheld?: unknown };
    if (Array.isArray(withheld) && withheld.length > 0) this.onWithheld(withheld as Withheld[]);
  }
}

/** Repeats requests after 429, 503 and a lost connection. Every request is safe to repeat. */
function repeating(send: typeof fetch, timeout: number): typeof fetch {
  return async (input, init) => {
    const request = new Request(input, init);
    for (let attempt = 0; ; attempt++) {
      let after: string | null = null;
      try {
        const answer = await send(request.clone(), { signal: AbortSignal.timeout(timeout), redirect: "manual" });
        const again = answer.status === 429 || (answer.status === 503 && isProblem(answer));
        if (!again || attempt === retries) return answer;
        after = answer.headers.get("Retry-After");
        await answer.body?.cancel();
      } catch {
        if (attempt === retries) throw new UnreachableError(request.headers.get("Idempotency-Key") ?? undefined);
      }
      await sleep(backoff(attempt, after));
    }
  };
}

/** The readiness of a server is 503 with its dependencies, which is an answer. */
function isProblem(answer: Response): boolean {
  const kind = answer.headers.get("Content-Type") ?? "";
  return !kind.startsWith("application/json");
}

function backoff(attempt: number, retryAfter: string | null): number {
  if (retryAfter !== null && /^\d+$/.test(retryAfter)) return Number(retryAfter);
  return Math.min(firstRetry * 2 ** attempt, lastRetry) * (0.5 + Math.random() / 2);
}

function sleep(seconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.max(0, seconds) * 1000));
}

function prefer(wait: number): string {
  return `wait=${Math.min(maxWait, Math.max(1, Math.ceil(wait)))}`;
}

function isFinished(operation: AnyOperation): boolean {
  return operation.status === "succeeded" || operation.status === "failed";
}

function isJSON(answer: Answer): boolean {
  return (answer.headers.get("Content-Type") ?? "").includes("json");
}

function parsed(answer: Answer): unknown {
  try {
    if (isJSON(answer)) return JSON.parse(answer.text);
  } catch {
    // the cause may quote a value
  }
  throw new NotVaultError(answer.status);
}

function problemOf(answer: Answer): VaultError {
  let data: Record<string, unknown>;
  try {
    data = parsed(answer) as Record<string, unknown>;
  } catch {
    return new NotVaultError(answer.status);
  }
  const code = data["code"];
  if (typeof code !== "string") return new NotVaultError(answer.status);
  return new (byCode[code] ?? VaultError)({
    code,
    status: answer.status,
    detail: data["detail"] as string,
    field: data["field"] as string | undefined,
    related: data["related"] as string[] | undefined,
    errors: data["errors"] as { field: string; detail: string }[] | undefined,
    operationId: data["operation_id"] as string | undefined,
    requestId: answer.headers.get("X-Request-Id") ?? undefined,
  } as ConstructorParameters<typeof VaultError>[0]);
}

/** The problem with which the vault ends a stream. */
function problemInStream(text: string): VaultError {
  const headers = new Headers({ "Content-Type": "application/json" });
  const status = /"status":(\d+)/.exec(text)?.[1];
  return problemOf({ status: Number(status ?? 500), headers, text });
}

/** The status of the answer to a request that waits for a failed operation. */
const statusOf: Record<string, number> = {
  unknown: 404, conflict: 409, has_dependents: 409, not_allowed: 403, consent_required: 403, erased: 410, expired: 410, over_budget: 429, unavailable: 503,
};

function failed(operation: AnyOperation): VaultError {
  const error = operation.error!;
  return new (byCode[error.code] ?? VaultError)({
    code: error.code,
    status: statusOf[error.code] ?? 422,
    detail: error.detail,
    field: error.field,
    related: error.related,
    operationId: operation.operation_id,
  } as ConstructorParameters<typeof VaultError>[0]);
}
