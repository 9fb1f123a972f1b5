// Generated from the OpenAPI document by `make generate`. Do not edit.

import { VaultError } from "./problem.js";

/** The vault answered with the code invalid_input. */
export class InvalidInputError extends VaultError {}

/** The vault answered with the code unknown. */
export class UnknownError extends VaultError {}

/** The vault answered with the code conflict. */
export class ConflictError extends VaultError {}

/** The vault answered with the code has_dependents. */
export class HasDependentsError extends VaultError {}

/** The vault answered with the code not_allowed. */
export class NotAllowedError extends VaultError {}

/** The vault answered with the code consent_required. */
export class ConsentRequiredError extends VaultError {}

/** The vault answered with the code erased. */
export class ErasedError extends VaultError {}

/** The vault answered with the code expired. */
export class ExpiredError extends VaultError {}

/** The vault answered with the code over_budget. */
export class OverBudgetError extends VaultError {}

/** The vault answered with the code unavailable. */
export class UnavailableError extends VaultError {}

/** The vault answered with the code malformed. */
export class MalformedError extends VaultError {}

/** The vault answered with the code unauthenticated. */
export class UnauthenticatedError extends VaultError {}

/** The vault answered with the code no_such_route. */
export class NoSuchRouteError extends VaultError {}

/** The vault answered with the code method_not_here. */
export class MethodNotHereError extends VaultError {}

/** The vault answered with the code too_large. */
export class TooLargeError extends VaultError {}

/** The vault answered with the code unsupported_media. */
export class UnsupportedMediaError extends VaultError {}

/** The vault answered with the code rate_limited. */
export class RateLimitedError extends VaultError {}

/** The vault answered with the code timeout. */
export class TimeoutError extends VaultError {}

/** The vault answered with the code internal. */
export class InternalError extends VaultError {}

/** The classes of errors by their codes. */
export const byCode: Record<string, typeof VaultError> = {
  invalid_input: InvalidInputError,
  unknown: UnknownError,
  conflict: ConflictError,
  has_dependents: HasDependentsError,
  not_allowed: NotAllowedError,
  consent_required: ConsentRequiredError,
  erased: ErasedError,
  expired: ExpiredError,
  over_budget: OverBudgetError,
  unavailable: UnavailableError,
  malformed: MalformedError,
  unauthenticated: UnauthenticatedError,
  no_such_route: NoSuchRouteError,
  method_not_here: MethodNotHereError,
  too_large: TooLargeError,
  unsupported_media: UnsupportedMediaError,
  rate_limited: RateLimitedError,
  timeout: TimeoutError,
  internal: InternalError,
};
