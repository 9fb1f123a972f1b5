"""The stream of the feed and the signatures of webhooks, without I/O."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import httpx

from . import _codec, models
from ._call import _problem, _text
from ._problem import NotVaultError, VaultError

FIRST_PAUSE, LAST_PAUSE = 0.5, 30.0  # seconds before a stream connects again
SILENCE = 45.0  # seconds without anything after which a connection is lost: an idle stream sends its position


class Watch:
    """Reads a stream of server-sent events, over several connections."""

    def __init__(self, after: str | int | None, selection: dict[str, Any]) -> None:
        self._query = {name: _text(value) for name, value in selection.items() if value is not None}
        if after is not None:
            self._query["after"] = str(after)
        self._pause = FIRST_PAUSE
        self._fields: dict[str, str] = {}
        self._rest = b""  # the beginning of a line

    def request(self, http: Any) -> httpx.Request:
        """The request of the next connection: it begins after the last event."""
        self._fields, self._rest = {}, b""
        timeout = http.timeout.as_dict() | {"read": SILENCE}
        return http.build_request(
            "GET", "/v1/events", params=self._query, headers={"Accept": "text/event-stream"}, timeout=httpx.Timeout(**timeout)
        )

    def events(self, chunk: bytes) -> Iterator[models.FeedEvent]:
        """The events that end in a chunk of the stream. The problem with which the vault ends a stream is an error."""
        # Not by splitlines(): it divides lines at characters that values can have.
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        for line in lines:
            if event := self._line(line.decode()):
                yield event

    def _line(self, line: str) -> models.FeedEvent | None:
        if line:
            name, _, text = line.partition(":")
            self._fields[name] = text.removeprefix(" ")
            return None
        fields, self._fields = self._fields, {}
        data = fields.get("data")
        if data is not None and fields.get("event") == "error":
            raise _problem(httpx.Response(_status(data), content=data.encode(), headers={"Content-Type": "application/json"}))
        event = _event(data) if data is not None else None
        if fields.get("id", "").isdigit():
            self._query["after"] = fields["id"]
        self._pause = FIRST_PAUSE
        return event

    def pause(self, error: Exception | None = None) -> float:
        """The seconds before the next connection. An error that another connection does not solve is raised."""
        if isinstance(error, VaultError) and error.status != 429 and error.status < 500:
            raise error
        pause, self._pause = self._pause, min(2 * self._pause, LAST_PAUSE)
        return pause * random.uniform(0.5, 1.0)


def _status(data: str) -> int:
    try:
        return int(_codec.loads(data.encode())["status"])
    except (ValueError, TypeError, KeyError):
        return 500


def _event(data: str) -> models.FeedEvent:
    try:
        event: models.FeedEvent = _codec.decode(models.FeedEvent, _codec.loads(data.encode()))
        return event
    except (ValueError, TypeError, AttributeError):
        raise NotVaultError(200) from None  # the cause may quote a value


def is_stream(answer: httpx.Response) -> bool:
    """Whether an answer is a stream of events."""
    return answer.status_code == 200 and answer.headers.get("Content-Type", "").startswith("text/event-stream")


def refused(answer: httpx.Response) -> VaultError:
    """The error of an answer that is no stream."""
    return _problem(answer)
