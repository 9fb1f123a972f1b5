"""The clients of the vault."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any, TypeVar
from uuid import UUID

import httpx

from . import models
from ._call import Call, Flow, Operation, Request, page, perform, until, withheld
from ._events import Watch, is_stream, refused
from ._methods import AsyncMethods, Methods
from ._problem import VaultError

R = TypeVar("R")


def _headers(key: str | None, tenant: UUID | str | None, purpose: str | None) -> dict[str, str]:
    headers = {"Accept": "application/json, text/plain;q=0.9, */*;q=0.8"}
    if key:
        headers["Authorization"] = f"Bearer {key}"
    if tenant:
        headers["X-Tenant"] = str(tenant)
    if purpose:
        headers["Vault-Purpose"] = purpose
    return headers


class _Settings:
    """What both clients have.

    server is the address of the vault, key an API key; without them, VAULT_SERVER and VAULT_API_KEY of the environment
    apply. wait is the time in seconds that a change waits for its outcome, 0 to return once it is accepted. purpose is
    the purpose of the reads, tenant that of an operator. transport replaces the one of httpx. on_withheld is called after
    each answer that leaves out values, with their fields and the reasons. A method that lists returns the entries alone,
    and says so nowhere else. Its exceptions reach the caller of the method. Both clients call it without await.
    """

    def __init__(
        self,
        server: str | None = None,
        key: str | None = None,
        *,
        wait: float = 30,
        purpose: str | None = None,
        tenant: UUID | str | None = None,
        timeout: float = 90,
        transport: Any = None,
        on_withheld: Callable[[list[models.Withheld]], object] | None = None,
    ) -> None:
        self._wait = wait
        self._on_withheld = on_withheld
        self._options: dict[str, Any] = {
            "base_url": server or os.environ.get("VAULT_SERVER", "http://localhost:8000"),
            "headers": _headers(key or os.environ.get("VAULT_API_KEY"), tenant, purpose),
            "timeout": timeout,
            "transport": transport,
            "follow_redirects": False,
        }

    @staticmethod
    def _build(http: Any, request: Request) -> httpx.Request:
        headers = dict(request.headers)
        if request.body is not None:
            headers["Content-Type"] = "application/json"
        return http.build_request(
            request.method, request.path, params=request.query or None, headers=headers,
            content=request.body.encode() if request.body is not None else None,
        )

    def _note(self, answer: httpx.Response) -> None:
        """Tells the caller what an answer says that it leaves out."""
        if self._on_withheld and (left_out := withheld(answer)):
            self._on_withheld(left_out)


class Vault(_Settings, Methods):
    """The vault, with blocking calls. It is safe for several threads. Use it in a with statement, or close it."""

    def __init__(self, server: str | None = None, key: str | None = None, **options: Any) -> None:
        super().__init__(server, key, **options)
        self._http = httpx.Client(**self._options)

    def __enter__(self) -> "Vault":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes the connections."""
        self._http.close()

    def wait(self, operation: Operation[R], timeout: float = 60, *, or_question: bool = False) -> Operation[R]:
        """Waits for the outcome of an operation, up to timeout seconds; with or_question, or for its question."""
        return self._run(until(operation, time.monotonic() + timeout, or_question))

    def watch_events(
        self,
        *,
        after: str | int | None = None,
        types: str | None = None,
        customer_id: UUID | str | None = None,
        agent_id: UUID | str | None = None,
        values: bool | None = None,
    ) -> Iterator[models.FeedEvent]:
        """Reads the feed of events, and goes on with what happens next, until the caller ends it.

        after is the id of the last event that was received, or "latest". When the connection is lost it connects again
        and continues after the last event. It ends with the error of a refused request.
        """
        watch = Watch(after, {"types": types, "customer_id": customer_id, "agent_id": agent_id, "values": values})
        while True:
            lost: Exception | None = None
            try:
                answer = self._http.send(watch.request(self._http), stream=True)
                try:
                    if not is_stream(answer):
                        answer.read()
                        raise refused(answer)
                    for chunk in answer.iter_bytes():
                        for event in watch.events(chunk):
                            yield event
                finally:
                    answer.close()
            except (httpx.TransportError, VaultError) as error:
                lost = error
            time.sleep(watch.pause(lost))

    def _run(self, flow: Flow) -> Any:
        answer: Any = None
        while True:
            try:
                step = flow.send(answer)
            except StopIteration as end:
                return end.value
            if isinstance(step, float):
                time.sleep(step)
                answer = None
                continue
            try:
                answer = self._http.send(self._build(self._http, step))
            except httpx.TransportError as error:
                answer = error
            else:
                self._note(answer)

    def _call(self, call: Call, body: Any, arguments: dict[str, Any], wait: float | None, key: str | None) -> Any:
        return self._run(perform(call, body, arguments, wait, key, self._wait))

    def _list(self, call: Call, arguments: dict[str, Any]) -> Iterator[Any]:
        cursor: str | None = None
        while True:
            entries, cursor = self._run(page(call, arguments, cursor))
            yield from entries
            if not cursor:
                return


class AsyncVault(_Settings, AsyncMethods):
    """The vault, for asyncio. Use it in an async with statement, or close it with aclose."""

    def __init__(self, server: str | None = None, key: str | None = None, **options: Any) -> None:
        super().__init__(server, key, **options)
        self._http = httpx.AsyncClient(**self._options)

    async def __aenter__(self) -> "AsyncVault":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Closes the connections."""
        await self._http.aclose()

    async def wait(self, operation: Operation[R], timeout: float = 60, *, or_question: bool = False) -> Operation[R]:
        """Waits for the outcome of an operation, up to timeout seconds; with or_question, or for its question."""
        return await self._run(until(operation, time.monotonic() + timeout, or_question))

    async def watch_events(
        self,
        *,
        after: str | int | None = None,
        types: str | None = None,
        customer_id: UUID | str | None = None,
        agent_id: UUID | str | None = None,
        values: bool | None = None,
    ) -> AsyncIterator[models.FeedEvent]:
        """Reads the feed of events, and goes on with what happens next, until the caller ends it.

        after is the id of the last event that was received, or "latest". When the connection is lost it connects again
        and continues after the last event. It ends with the error of a refused request.
        """
        watch = Watch(after, {"types": types, "customer_id": customer_id, "agent_id": agent_id, "values": values})
        while True:
            lost: Exception | None = None
            try:
                answer = await self._http.send(watch.request(self._http), stream=True)
                try:
                    if not is_stream(answer):
                        await answer.aread()
                        raise refused(answer)
                    async for chunk in answer.aiter_bytes():
                        for event in watch.events(chunk):
                            yield event
                finally:
                    await answer.aclose()
            except (httpx.TransportError, VaultError) as error:
                lost = error
            await asyncio.sleep(watch.pause(lost))

    async def _run(self, flow: Flow) -> Any:
        answer: Any = None
        while True:
            try:
                step = flow.send(answer)
            except StopIteration as end:
                return end.value
            if isinstance(step, float):
                await asyncio.sleep(step)
                answer = None
                continue
            try:
                answer = await self._http.send(self._build(self._http, step))
            except httpx.TransportError as error:
                answer = error
            else:
                self._note(answer)

    async def _call(self, call: Call, body: Any, arguments: dict[str, Any], wait: float | None, key: str | None) -> Any:
        return await self._run(perform(call, body, arguments, wait, key, self._wait))

    async def _list(self, call: Call, arguments: dict[str, Any]) -> AsyncIterator[Any]:
        cursor: str | None = None
        while True:
            entries, cursor = await self._run(page(call, arguments, cursor))
            for entry in entries:
                yield entry
            if not cursor:
                return
