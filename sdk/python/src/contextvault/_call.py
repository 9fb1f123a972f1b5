"""Requests, their retries and the waiting, without I/O.

A flow is a generator. It yields a Request and gets the httpx.Response or the httpx.TransportError of it, or it yields
seconds to sleep. The clients run flows, one with blocking calls and one with asyncio.
"""

from __future__ import annotations

import dataclasses
import math
import random
import time
import uuid
from collections.abc import Generator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, TypeVar
from urllib.parse import quote
from uuid import UUID

import httpx

from . import _codec, errors, models
from ._problem import NotVaultError, UnreachableError, VaultError

MAX_WAIT = 60  # seconds that one request waits at the server
POLL_SECONDS = 1.0  # between requests for an outcome: a proxy can drop the header Prefer
ASK_FIRST, ASK_LAST = 0.1, 1.0  # seconds between requests for the question of a gap fill
RETRIES = 4
FIRST_RETRY, LAST_RETRY = 0.2, 5.0  # seconds
PAGE_SIZE = 500

R = TypeVar("R")


@dataclass(frozen=True, kw_only=True)
class Call:
    """An operation of the OpenAPI document."""

    name: str
    method: str
    path: str
    in_path: dict[str, str]  # parameter of the path: argument
    in_query: tuple[str, ...]
    has_body: bool = False
    reads: bool = False  # it changes nothing, although it is no GET
    result: Any = None
    also: tuple[int, ...] = ()  # statuses with the same body as 200
    asks: bool = False  # it may wait for an answer of the customer


@dataclass(kw_only=True)
class Operation(Generic[R]):
    """The status of a change. result is set once it has succeeded."""

    operation_id: UUID
    status: models.OperationStatus
    result: R | None = None
    workflow: str | None = None
    actor: str | None = None
    parent_id: UUID | None = None
    error: models.Rejection | None = None
    attempts: int | None = None
    batch_id: UUID | None = None
    accepted_at: datetime | None = None
    finished_at: datetime | None = None
    waiting_for: models.WaitingFor | None = None
    replayed: models.ReplayAction | None = None

    @property
    def finished(self) -> bool:
        """Whether the operation has succeeded or failed."""
        return self.status in ("succeeded", "failed")


@dataclass(kw_only=True)
class Request:
    """A request to send."""

    method: str
    path: str
    query: dict[str, str | list[str]] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    body: str | None = None
    also: tuple[int, ...] = ()


Flow = Generator[Any, Any, Any]


def send(request: Request) -> Flow:
    """Sends a request, again after 429, 503 and a lost connection. Every request is safe to repeat."""
    for attempt in range(RETRIES + 1):
        answer = yield request
        last = attempt == RETRIES
        if isinstance(answer, httpx.TransportError):
            if last:
                raise UnreachableError(request.headers.get("Idempotency-Key")) from None
            yield _backoff(attempt, None)
            continue
        if answer.status_code in request.also or answer.status_code not in (429, 503) or last:
            break
        yield _backoff(attempt, answer.headers.get("Retry-After"))
    if answer.status_code in request.also or 200 <= answer.status_code < 300:
        return answer
    raise _problem(answer)


def _backoff(attempt: int, retry_after: str | None) -> float:
    if retry_after is not None and retry_after.isdigit():
        return float(retry_after)
    return min(FIRST_RETRY * 2**attempt, LAST_RETRY) * random.uniform(0.5, 1.0)


def _problem(answer: httpx.Response) -> VaultError:
    data = _json(answer)
    if not isinstance(data, dict) or not isinstance(data.get("code"), str):
        return NotVaultError(answer.status_code)
    operation = data.get("operation_id")
    return errors.BY_CODE.get(data["code"], VaultError)(
        code=data["code"],
        status=answer.status_code,
        detail=data.get("detail", ""),
        field=data.get("field", ""),
        related=[UUID(item) for item in data.get("related", [])],
        errors=data.get("errors"),
        operation_id=UUID(operation) if operation else None,
        request_id=answer.headers.get("X-Request-Id", ""),
    )


def _json(answer: httpx.Response) -> Any:
    if "json" not in answer.headers.get("Content-Type", ""):
        return None
    try:
        return _codec.loads(answer.content)
    except ValueError:
        return None


def withheld(answer: httpx.Response) -> list[models.Withheld]:
    """The fields that an answer says it leaves out, with the reasons."""
    if not answer.is_success or b'"withheld"' not in answer.content:
        return []
    data = _json(answer)
    left_out = data.get("withheld") if isinstance(data, dict) else None
    if not isinstance(left_out, list):
        return []
    return _decoded_list(models.Withheld, left_out, answer.status_code)


def prepare(call: Call, body: Any, arguments: dict[str, Any]) -> Request:
    """Makes the request of a call. Arguments replace members of the body."""
    given = {name: value for name, value in arguments.items() if value is not None}
    content: dict[str, Any] = _codec.members(body) if dataclasses.is_dataclass(body) else dict(body or {})
    content.update({name: value for name, value in given.items() if name not in call.in_query})
    path = call.path
    for parameter, name in call.in_path.items():
        value = given.get(name, content.get(name))
        if value is None:
            raise TypeError(f"{call.name} needs {name}")
        path = path.replace("{" + parameter + "}", quote(str(value), safe=""))
        if name in given:
            content.pop(name, None)  # the path has it
    query = {name: _texts(given[name]) for name in call.in_query if name in given}
    request = Request(method=call.method, path=path, query=query, also=call.also)
    if call.has_body:
        request.body = _codec.dumps(content)
    return request


def _texts(value: Any) -> str | list[str]:
    return [_text(item) for item in value] if isinstance(value, (list, tuple)) else _text(value)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return _codec.time_text(value) if isinstance(value, datetime) else str(value)


def perform(call: Call, body: Any, arguments: dict[str, Any], wait: float | None, key: str | None, default: float) -> Flow:
    """Carries out a call and returns its result."""
    request = prepare(call, body, arguments)
    if call.name == "get_operation":
        if wait:
            request.headers["Prefer"] = _prefer(wait)
        return operation_of((yield from _body(request)))
    if call.method == "GET" or call.reads or call.result is None and call.name == "drop_cached_profile":
        answer = yield from send(request)
        if call.result is None or not answer.content:
            return None
        if "json" not in answer.headers.get("Content-Type", ""):
            return answer.text
        return _decoded(call.result, answer)
    wait = default if wait is None else wait
    request.headers["Idempotency-Key"] = key or str(uuid.uuid4())
    end = time.monotonic() + wait
    if wait and not call.asks:
        request.headers["Prefer"] = _prefer(wait)
    operation = operation_of((yield from _body(request)), call.result)
    if operation.finished and operation.finished_at is None:  # a repeat: the answer has only the status
        operation = operation_of((yield from _body(_status(operation))), call.result)
    if not wait:
        return operation
    return (yield from until(operation, end, call.asks, call.result))


def until(operation: Operation[Any], end: float, or_asks: bool, result: Any = None) -> Flow:
    """Waits for an outcome, or for the question of a gap fill, until a time. A failed operation is an error."""
    pause = ASK_FIRST
    while True:
        if operation.error is not None:
            raise _failed(operation)
        left = end - time.monotonic()
        if operation.finished or left <= 0 or or_asks and operation.waiting_for is not None:
            return operation
        request, asked = _status(operation), time.monotonic()
        if not or_asks:
            request.headers["Prefer"] = _prefer(left)
        operation = operation_of((yield from _body(request)), result)
        if operation.finished or or_asks and operation.waiting_for is not None:
            continue
        if or_asks:
            yield min(pause, max(0.0, end - time.monotonic()))
            pause = min(2 * pause, ASK_LAST)
        else:
            yield max(0.0, min(POLL_SECONDS - (time.monotonic() - asked), end - time.monotonic()))


def _status(operation: Operation[Any]) -> Request:
    return Request(method="GET", path=f"/v1/operations/{operation.operation_id}")


def _prefer(wait: float) -> str:
    return f"wait={min(MAX_WAIT, max(1, math.ceil(wait)))}"


def _body(request: Request) -> Flow:
    answer = yield from send(request)
    data = _json(answer)
    if not isinstance(data, dict):
        raise NotVaultError(answer.status_code)
    return data


def _decoded(kind: Any, answer: httpx.Response) -> Any:
    data = _json(answer)
    if data is None:
        raise NotVaultError(answer.status_code)
    try:
        return _codec.decode(kind, data)
    except (TypeError, ValueError, AttributeError):
        raise NotVaultError(answer.status_code) from None  # the cause may quote a value


def operation_of(data: dict[str, Any], result: Any = None) -> Operation[Any]:
    """Reads the status of an operation. The type of its result follows from its workflow."""
    try:
        rest = {name: value for name, value in data.items() if name != "result"}
        operation: Operation[Any] = _codec.decode(Operation, rest)
        operation.result = _codec.decode(models.RESULTS.get(operation.workflow or "", result or Any), data.get("result"))
        return operation
    except (TypeError, ValueError, AttributeError):
        raise NotVaultError(200) from None


# The status of the answer to a request that waits for a failed operation.
_STATUS = {
    "unknown": 404, "conflict": 409, "has_dependents": 409, "not_allowed": 403, "consent_required": 403,
    "erased": 410, "over_budget": 429, "unavailable": 503,
}


def _failed(operation: Operation[Any]) -> VaultError:
    error = operation.error
    assert error is not None
    return errors.BY_CODE.get(error.code, VaultError)(
        code=error.code,
        status=_STATUS.get(error.code, 422),
        detail=error.detail,
        field=error.field or "",
        related=error.related,
        operation_id=operation.operation_id,
    )


def page(call: Call, arguments: dict[str, Any], cursor: str | None) -> Flow:
    """Reads one page of a list: its entries and the next cursor."""
    request = prepare(call, None, arguments)
    if "limit" in call.in_query:
        request.query.setdefault("limit", str(PAGE_SIZE))
    if cursor:
        request.query["cursor"] = cursor
    answer = yield from send(request)
    data = _json(answer)
    if not isinstance(data, dict):
        raise NotVaultError(answer.status_code)
    if "items" in data:
        return _decoded_list(call.result, data["items"], answer.status_code), data.get("next_cursor")
    return [_decoded(call.result, answer)], data.get("next_cursor")


def _decoded_list(kind: Any, items: Any, status: int) -> list[Any]:
    try:
        return [_codec.decode(kind, item) for item in items]
    except (TypeError, ValueError, AttributeError):
        raise NotVaultError(status) from None
