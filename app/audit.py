"""Append-only history, hash-chained per stream, with heads anchored outside the database.

A stream is `case:<id>`, `staff:<id>` or `system`. Entry n of a stream carries
h_n = SHA-256(h_{n-1} || canonical JSON of the entry); h_0 is made of the stream's name. The head
(sequence number and hash) stands on a row that the writer locks anyway: the case, the staff
account, or one row of `audit_heads` for `system`; so chains need no lock of their own.

An entry is a code with parameters, never personal text: erasing a person never breaks a chain, and
the words are made on reading, in the reader's language.

The check of the chains (`verify`) and the anchors live in app/audit_check.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, NamedTuple
from uuid import UUID

import orjson
from sqlalchemy import insert, text
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.errors import NotFound
from app.tables.security import AuditEntry

SYSTEM = "system"
CODE_LENGTH_MAX = 64
PARAMS_BYTES_MAX = 4_096  # a history line is a code with a few ids and sums, not a document

# Where the head of a kind of stream stands: table and key column.
HEAD_TABLES = {"case": "cases", "staff": "staff"}
_LOCK = {
    "cases": text("SELECT audit_seq, audit_head FROM cases WHERE id = :key FOR UPDATE"),
    "staff": text("SELECT audit_seq, audit_head FROM staff WHERE id = :key FOR UPDATE"),
    "audit_heads": text(
        "SELECT audit_seq, audit_head FROM audit_heads WHERE stream = :key FOR UPDATE"
    ),
}
_STORE = {
    "cases": text("UPDATE cases SET audit_seq = :seq, audit_head = :hash WHERE id = :key"),
    "staff": text("UPDATE staff SET audit_seq = :seq, audit_head = :hash WHERE id = :key"),
    "audit_heads": text(
        "UPDATE audit_heads SET audit_seq = :seq, audit_head = :hash WHERE stream = :key"
    ),
}


Param = str | int | bool | None | list[str] | list[int]


class Head(NamedTuple):
    """The end of a chain: number of entries and the hash of the last (empty: none yet)."""

    seq: int
    hash: bytes


@dataclass(frozen=True)
class Entry:
    """One thing that happened. `actor` is `staff:<id>`, `consumer:<id>`, `app:<id>` or `system`."""

    code: str
    params: Mapping[str, Any]
    actor: str
    at: datetime


def genesis(stream: str) -> bytes:
    """h_0: starts each chain with its own name, so that no chain can stand in for another."""
    return sha256(b"recourse-audit-1:" + stream.encode()).digest()


def canonical(stream: str, seq: int, entry: Entry) -> bytes:
    """The bytes a hash is made of: sorted keys, no spaces, UTC with microseconds."""
    return orjson.dumps(
        {
            "stream": stream,
            "seq": seq,
            "code": entry.code,
            "actor": entry.actor,
            "at": entry.at.astimezone(UTC).isoformat(timespec="microseconds"),
            "params": entry.params,
        },
        option=orjson.OPT_SORT_KEYS,
    )


def chain(previous: bytes, entry: bytes) -> bytes:
    """h_n from h_{n-1} and the canonical bytes of entry n."""
    return sha256(previous + entry).digest()


def rows_for(
    stream: str, head: Head, entries: Sequence[Entry]
) -> tuple[list[dict[str, Any]], Head]:
    """The rows of `audit_entries` for these entries and the head after them.

    Pure: the engine calls it for many cases and inserts all rows in one statement. The caller holds
    the lock of the row the head stands on, and stores the returned head there.
    """
    rows: list[dict[str, Any]] = []
    seq, last = head.seq, head.hash or genesis(stream)
    for entry in entries:
        seq += 1
        assert entry.at.tzinfo is not None, "history needs aware times"
        assert 0 < len(entry.code) <= CODE_LENGTH_MAX, "a history code is a short word"
        data = canonical(stream, seq, entry)
        assert len(data) <= PARAMS_BYTES_MAX, f"history entry {entry.code} is too long"
        last = chain(last, data)
        rows.append(
            {
                "stream": stream,
                "seq": seq,
                "at": entry.at,
                "actor": entry.actor,
                "code": entry.code,
                "params": dict(entry.params),
                "hash": last,
            }
        )
    return rows, Head(seq, last)


async def append(
    session: AsyncSession,
    *,
    stream: str,
    code: str,
    params: Mapping[str, Any],
    actor: str,
    at: datetime,
) -> None:
    """Adds one entry: locks the head, chains, writes. The engine uses `rows_for` instead."""
    await append_all(session, stream=stream, entries=[Entry(code, params, actor, at)])


async def append_all(session: AsyncSession, *, stream: str, entries: Sequence[Entry]) -> None:
    if not entries:
        return
    head = await lock_head(session, stream)
    rows, after = rows_for(stream, head, entries)
    await insert_rows(session, rows)
    await store_head(session, stream, after)


async def insert_rows(session: AsyncSession, rows: Iterable[dict[str, Any]]) -> None:
    """Writes rows of any number of streams with one statement."""
    values = list(rows)
    if values:
        await session.execute(insert(AuditEntry), values)


async def lock_head(session: AsyncSession, stream: str) -> Head:
    """The head of a stream, its row locked until the transaction ends."""
    table, key = head_place(stream)
    if table == "audit_heads":
        await session.execute(
            text(
                "INSERT INTO audit_heads (stream, audit_seq, audit_head) VALUES (:key, 0, '')"
                " ON CONFLICT DO NOTHING"
            ),
            {"key": key},
        )
    row = (await session.execute(_LOCK[table], {"key": key})).one_or_none()
    if row is None:
        raise NotFound("there is nothing to keep this history for", code="stream_not_found")
    return Head(row[0], bytes(row[1] or b""))


async def store_head(session: AsyncSession, stream: str, head: Head) -> None:
    table, key = head_place(stream)
    await session.execute(_STORE[table], {"seq": head.seq, "hash": head.hash, "key": key})


def head_place(stream: str) -> tuple[str, Any]:
    """Table and key of the row that carries the head of this stream."""
    kind, _, rest = stream.partition(":")
    table = HEAD_TABLES.get(kind)
    if table is None:
        assert stream == SYSTEM, f"unknown stream {kind}"
        return "audit_heads", stream
    return table, UUID(rest)
