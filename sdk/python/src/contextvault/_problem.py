"""The base of all errors of the client."""

from __future__ import annotations

from typing import Any
from uuid import UUID


class VaultError(Exception):
    """A refusal of the vault, or a request without an answer. Decide by code, or by the class.

    str() has no value of a customer, so that it can be logged. detail says what was wrong and what would be right; it
    can quote a value that is not personal data.
    """

    def __init__(
        self,
        *,
        code: str,
        status: int = 0,
        detail: str = "",
        field: str = "",
        related: list[UUID] | None = None,
        errors: list[dict[str, Any]] | None = None,
        operation_id: UUID | None = None,
        request_id: str = "",
    ) -> None:
        self.code = code
        self.status = status  # of HTTP; 0: there was no answer
        self.detail = detail
        self.field = field  # the invalid field, parameter or header
        self.related = related or []  # items that prevent the operation, such as dependents
        self.errors = errors or []  # all invalid parameters, if there are several
        self.operation_id = operation_id  # the failed operation; None: none was accepted
        self.request_id = request_id  # in the log of the vault
        super().__init__(str(self))

    def __str__(self) -> str:
        text = f"the vault responded with {self.status} {self.code}"
        if self.field:
            text += f" for {self.field}"
        if self.operation_id:
            text += f", operation {self.operation_id}"
        if self.request_id:
            text += f", request {self.request_id}"
        return text


class UnreachableError(VaultError):
    """No vault answered, also after retries. A change may have been accepted: repeat it with its idempotency key."""

    def __init__(self, idempotency_key: str | None = None) -> None:
        self.idempotency_key = idempotency_key
        super().__init__(code="unreachable")

    def __str__(self) -> str:
        return "no vault answers" + (f", idempotency key {self.idempotency_key}" if self.idempotency_key else "")


class NotVaultError(VaultError):
    """The answer does not come from a vault: the address is wrong, or a proxy answered."""

    def __init__(self, status: int) -> None:
        super().__init__(code="not_vault", status=status)

    def __str__(self) -> str:
        return f"this is not a vault: the response with status {self.status} is not the expected JSON"
