"""Client of the Customer Context Vault.

Vault has blocking calls, AsyncVault the same for asyncio. Each operation of the API is a method. The dataclasses are in
contextvault.models, and the most used ones here as well; the errors are in contextvault.errors.
"""

from ._call import Operation
from ._problem import NotVaultError, UnreachableError, VaultError
from .client import AsyncVault, Vault
from .models import (
    AddAsset,
    Definition,
    FillGaps,
    Requirement,
    Rule,
    Scenario,
    ScenarioStep,
    TakeTurn,
    Turn,
    Withheld,
    WriteValue,
)
from .webhooks import SignatureError, WebhookMessage, verify_webhook

__all__ = [
    "AddAsset", "AsyncVault", "Definition", "FillGaps", "NotVaultError", "Operation", "Requirement", "Rule", "Scenario",
    "ScenarioStep", "SignatureError", "TakeTurn", "Turn", "UnreachableError", "Vault", "VaultError", "WebhookMessage",
    "Withheld", "WriteValue", "verify_webhook",
]
