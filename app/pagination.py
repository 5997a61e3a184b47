"""Lists in pages: a signed, opaque cursor over a keyset. No totals, no offsets.

A cursor carries the sort values of the last row, is bound to the list, its filters and the caller,
and is signed: one that was changed, or came from another list or person, is refused.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

from sqlalchemy import Select, SQLColumnExpression, literal, tuple_

from app.domain.errors import InvalidInput

LIMIT_DEFAULT = 25
LIMIT_MAX = 100
CURSOR_LENGTH_MAX = 1_024
_MAC_BYTES = 16


class CursorInvalid(InvalidInput):
    code = "cursor_invalid"


@dataclass(frozen=True, slots=True)
class Paging:
    """What the caller asked for. `key` signs cursors; `bound` names list, caller and filters."""

    limit: int
    cursor: str | None
    key: bytes
    caller: str

    def after(self, name: str, filters: Mapping[str, Any] | None = None) -> list[Any] | None:
        """The sort values of the last row of the page before, or None on the first page."""
        if self.cursor is None:
            return None
        return open_cursor(self.cursor, key=self.key, bound=self._bound(name, filters))

    def next(
        self, name: str, values: Sequence[Any], filters: Mapping[str, Any] | None = None
    ) -> str:
        return make_cursor(values, key=self.key, bound=self._bound(name, filters))

    def _bound(self, name: str, filters: Mapping[str, Any] | None) -> str:
        return json.dumps([name, self.caller, dict(filters or {})], sort_keys=True, default=str)


def make_cursor(values: Sequence[Any], *, key: bytes, bound: str) -> str:
    data = json.dumps([_packed(v) for v in values], separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(_mac(key, bound, data) + data).rstrip(b"=").decode()


def open_cursor(cursor: str, *, key: bytes, bound: str) -> list[Any]:
    """The values back. Raises CursorInvalid."""
    refused = CursorInvalid("this cursor does not belong to this list; start again without one")
    if len(cursor) > CURSOR_LENGTH_MAX or not cursor.isascii():
        raise refused
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise refused from None
    mac, data = raw[:_MAC_BYTES], raw[_MAC_BYTES:]
    if not hmac.compare_digest(mac, _mac(key, bound, data)):
        raise refused
    return [_unpacked(v) for v in json.loads(data)]


def keyset(
    query: Select[Any],
    columns: Sequence[SQLColumnExpression[Any]],
    after: list[Any] | None,
    limit: int,
    *,
    descending: bool = False,
) -> Select[Any]:
    """Orders by `columns` (the last one unique), starts after `after`, takes one row more.

    The extra row tells whether there is a next page. Columns must not be null.
    """
    order = [c.desc() for c in columns] if descending else [c.asc() for c in columns]
    if after is not None:
        values = tuple_(
            *[literal(v, getattr(c, "type", None)) for v, c in zip(after, columns, strict=True)]
        )
        row = tuple_(*columns)
        query = query.where(row < values if descending else row > values)
    return query.order_by(*order).limit(limit + 1)


def _mac(key: bytes, bound: str, data: bytes) -> bytes:
    return hmac.digest(key, sha256(bound.encode()).digest() + data, "sha256")[:_MAC_BYTES]


def _packed(value: Any) -> Any:
    if isinstance(value, datetime):
        return {"t": value.isoformat()}
    if isinstance(value, UUID):
        return {"u": str(value)}
    assert value is None or isinstance(value, str | int), f"cannot sort by {type(value)}"
    return value


def _unpacked(value: Any) -> Any:
    if isinstance(value, dict):
        return datetime.fromisoformat(value["t"]) if "t" in value else UUID(value["u"])
    return value
