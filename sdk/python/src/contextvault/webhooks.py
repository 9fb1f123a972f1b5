"""Receiving webhooks, which are signed by the convention Standard Webhooks."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from . import _codec, models

MAX_AGE = 300  # seconds between the time of a delivery and the clock of the receiver


class SignatureError(Exception):
    """A request is no delivery of the webhook: it has another secret or content, or is too old."""


@dataclass(kw_only=True)
class WebhookMessage:
    """The body of a delivery."""

    id: str  # the header webhook-id: the same for each attempt, so a receiver recognises a repeat by it
    type: str  # an EventType, or webhook.test
    timestamp: datetime
    data: models.FeedEvent | None = None  # None: the delivery is a test


def verify_webhook(body: bytes, headers: Mapping[str, str], secret: str | Sequence[str]) -> WebhookMessage:
    """Checks the signature of a delivery and returns its message.

    body is the body of the request as it arrived. While a secret is replaced, a receiver can pass both. A request that
    is no delivery of the webhook is a SignatureError.
    """
    lower = {name.lower(): value for name, value in headers.items()}
    delivery, sent = lower.get("webhook-id", ""), lower.get("webhook-timestamp", "")
    # Only ASCII digits: other digits would pass isdigit() and not int().
    if not delivery or not sent.isascii() or not sent.isdigit() or abs(time.time() - int(sent)) > MAX_AGE:
        raise SignatureError("the signature of the webhook is not valid")
    signed = False
    for one in [secret] if isinstance(secret, str) else secret:
        content = f"{delivery}.{sent}.".encode() + body
        want = b"v1," + base64.b64encode(hmac.new(_key(one), content, hashlib.sha256).digest())
        for got in lower.get("webhook-signature", "").split():
            signed |= hmac.compare_digest(got.encode(), want)
    if not signed:
        raise SignatureError("the signature of the webhook is not valid")
    message = _codec.loads(body)
    return _codec.decode(WebhookMessage, {**message, "id": delivery})  # type: ignore[no-any-return]


def _key(secret: str) -> bytes:
    try:
        key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except binascii.Error:
        key = b""
    if not key:
        raise SignatureError("the secret of the webhook is not whsec_ and bytes in base64")
    return key
