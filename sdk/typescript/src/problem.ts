/** What a problem has. */
export interface ProblemDetails {
  code: string;
  status: number;
  detail?: string;
  field?: string;
  related?: string[];
  errors?: { field: string; detail: string }[];
  operationId?: string;
  requestId?: string;
}

/**
 * A refusal of the vault, or a request without an answer. Decide by code, or by the class.
 *
 * message has no value of a customer, so that it can be logged. detail says what was wrong and what would be right; it
 * can quote a value that is not personal data, so it is not enumerable: a logger does not print it.
 */
export class VaultError extends Error {
  readonly code: string;
  /** The status of HTTP; 0: there was no answer. */
  readonly status: number;
  declare readonly detail: string;
  /** The invalid field, parameter or header. "": none. */
  readonly field: string;
  /** Items that prevent the operation, such as dependents. */
  readonly related: string[];
  declare readonly errors: { field: string; detail: string }[];
  /** The failed operation. undefined: none was accepted. */
  readonly operationId: string | undefined;
  /** The id of the request in the log of the vault. */
  readonly requestId: string | undefined;

  constructor(p: ProblemDetails) {
    super(textOf(p));
    this.name = new.target.name;
    this.code = p.code;
    this.status = p.status;
    this.field = p.field ?? "";
    this.related = p.related ?? [];
    this.operationId = p.operationId;
    this.requestId = p.requestId;
    Object.defineProperty(this, "detail", { value: p.detail ?? "" });
    Object.defineProperty(this, "errors", { value: p.errors ?? [] });
  }
}

function textOf(p: ProblemDetails): string {
  if (p.code === "unreachable") return "no vault answers";
  if (p.code === "not_vault") return `this is not a vault: the response with status ${p.status} is not the expected JSON`;
  let text = `the vault responded with ${p.status} ${p.code}`;
  if (p.field) text += ` for ${p.field}`;
  if (p.operationId) text += `, operation ${p.operationId}`;
  if (p.requestId) text += `, request ${p.requestId}`;
  return text;
}

/** No vault answered, also after retries. A change may have been accepted: repeat it with its idempotency key. */
export class UnreachableError extends VaultError {
  constructor(readonly idempotencyKey?: string) {
    super({ code: "unreachable", status: 0 });
  }
}

/** The answer does not come from a vault: the address is wrong, or a proxy answered. */
export class NotVaultError extends VaultError {
  constructor(status: number) {
    super({ code: "not_vault", status });
  }
}
