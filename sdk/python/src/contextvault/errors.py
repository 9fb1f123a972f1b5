# Generated from the OpenAPI document by `make generate`. Do not edit.
"""The errors of the vault: one class for each code."""

from __future__ import annotations

from ._problem import VaultError


class InvalidInputError(VaultError):
    """The vault answered with the code invalid_input."""


class UnknownError(VaultError):
    """The vault answered with the code unknown."""


class ConflictError(VaultError):
    """The vault answered with the code conflict."""


class HasDependentsError(VaultError):
    """The vault answered with the code has_dependents."""


class NotAllowedError(VaultError):
    """The vault answered with the code not_allowed."""


class ConsentRequiredError(VaultError):
    """The vault answered with the code consent_required."""


class ErasedError(VaultError):
    """The vault answered with the code erased."""


class ExpiredError(VaultError):
    """The vault answered with the code expired."""


class OverBudgetError(VaultError):
    """The vault answered with the code over_budget."""


class UnavailableError(VaultError):
    """The vault answered with the code unavailable."""


class MalformedError(VaultError):
    """The vault answered with the code malformed."""


class UnauthenticatedError(VaultError):
    """The vault answered with the code unauthenticated."""


class NoSuchRouteError(VaultError):
    """The vault answered with the code no_such_route."""


class MethodNotHereError(VaultError):
    """The vault answered with the code method_not_here."""


class TooLargeError(VaultError):
    """The vault answered with the code too_large."""


class UnsupportedMediaError(VaultError):
    """The vault answered with the code unsupported_media."""


class RateLimitedError(VaultError):
    """The vault answered with the code rate_limited."""


class TimeoutError(VaultError):
    """The vault answered with the code timeout."""


class InternalError(VaultError):
    """The vault answered with the code internal."""


BY_CODE: dict[str, type[VaultError]] = {
    "invalid_input": InvalidInputError,
    "unknown": UnknownError,
    "conflict": ConflictError,
    "has_dependents": HasDependentsError,
    "not_allowed": NotAllowedError,
    "consent_required": ConsentRequiredError,
    "erased": ErasedError,
    "expired": ExpiredError,
    "over_budget": OverBudgetError,
    "unavailable": UnavailableError,
    "malformed": MalformedError,
    "unauthenticated": UnauthenticatedError,
    "no_such_route": NoSuchRouteError,
    "method_not_here": MethodNotHereError,
    "too_large": TooLargeError,
    "unsupported_media": UnsupportedMediaError,
    "rate_limited": RateLimitedError,
    "timeout": TimeoutError,
    "internal": InternalError,
}
