"""JSON and the dataclasses of the models."""

from __future__ import annotations

import dataclasses
import functools
import json
import types
import typing
from datetime import datetime
from decimal import Decimal
from typing import Any, Union
from uuid import UUID


def loads(text: bytes) -> Any:
    """Reads JSON. A number with a fraction is a Decimal, so that no value is rounded."""
    return json.loads(text, parse_float=Decimal)


def dumps(value: Any) -> str:
    """Writes JSON. A Decimal is written as it is. Members of a dataclass that are None are left out."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dumps(members(value))
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(str(k))}:{dumps(v)}" for k, v in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ",".join(dumps(v) for v in value) + "]"
    if isinstance(value, Decimal):
        if not value.is_finite():
            raise ValueError("a number is not finite")
        return str(value)
    if isinstance(value, UUID):
        return json.dumps(str(value))
    if isinstance(value, datetime):
        return json.dumps(time_text(value))
    return json.dumps(value, allow_nan=False)


def time_text(value: datetime) -> str:
    """Writes a time as RFC 3339. A time without a zone is refused."""
    if value.tzinfo is None:
        raise ValueError("a time has no zone: use datetime.now(timezone.utc)")
    return value.isoformat()


def members(value: Any) -> dict[str, Any]:
    """The members of a dataclass that are not None."""
    found = ((f.name, getattr(value, f.name)) for f in dataclasses.fields(value))
    return {name: member for name, member in found if member is not None}


def decode(kind: Any, data: Any) -> Any:
    """Converts JSON to a type. Members that a dataclass does not have are ignored: the server may be newer."""
    if data is None or kind is Any:
        return data
    origin = typing.get_origin(kind)
    if origin in (Union, types.UnionType):
        return decode(next(arg for arg in typing.get_args(kind) if arg is not type(None)), data)
    if origin is list:
        (item,) = typing.get_args(kind)
        return [decode(item, entry) for entry in data]
    if origin is dict:
        return {name: decode(typing.get_args(kind)[1], entry) for name, entry in data.items()}
    if dataclasses.is_dataclass(kind):
        known = _hints(kind)
        return kind(**{name: decode(known[name], entry) for name, entry in data.items() if name in known})
    if kind is UUID:
        return UUID(data)
    if kind is datetime:
        return datetime.fromisoformat(data)
    if kind is float:
        return float(data)
    return data


@functools.cache
def _hints(kind: type) -> dict[str, Any]:
    return typing.get_type_hints(kind)
