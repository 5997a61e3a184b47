"""The history: chained, append-only, and every kind of tampering is found."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app import audit
from app.audit import Entry, Head, canonical, chain, genesis, rows_for
from app.audit_check import Report, anchor_heads, anchor_key, verify
from app.db import Database

AT = datetime(2026, 3, 1, 9, 30, 0, 123456, tzinfo=UTC)


class Folder:
    """An object store with create-only puts, in memory: refuses to write a key twice."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}

    async def put(self, key: str, data: bytes) -> None:
        assert key not in self.objects, "a create-only store refuses to overwrite"
        self.objects[key] = data

    async def get(self, key: str) -> bytes | None:
        return self.objects.get(key)


async def write(database: Database, count: int, stream: str = "system") -> None:
    async with database.transaction() as session:
        for number in range(count):
            await audit.append(
                session,
                stream=stream,
                code="thing_happened",
                actor="system",
                params={"number": number, "word": "ääkkönen"},
                at=AT,
            )


async def make_staff(database: Database) -> UUID:
    staff_id = uuid4()
    async with database.transaction() as session:
        await session.execute(
            text(
                "INSERT INTO staff (id, email, name, roles, status, created_at)"
                " VALUES (:id, :email, 'N', '{handler}', 'invited', :at)"
            ),
            {"id": staff_id, "email": f"{staff_id}@x.test", "at": AT},
        )
    return staff_id


async def tamper(database: Database, *statements: str, **values: Any) -> None:
    """What an owner of the tables could do: triggers off, change, triggers on."""
    async with database.transaction() as session:
        for table in ("audit_entries", "audit_anchors"):
            await session.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER USER"))
        for statement in statements:
            await session.execute(text(statement), values)
        for table in ("audit_entries", "audit_anchors"):
            await session.execute(text(f"ALTER TABLE {table} ENABLE TRIGGER USER"))


async def checked(database: Database, folder: Folder | None = None) -> Report:
    async with database.read() as session:
        return await verify(session, folder.get if folder else None)


def test_a_chain_is_what_the_document_says() -> None:
    entry = Entry("case_filed", {"b": 2, "a": "x"}, "system", AT)
    rows, head = rows_for("system", Head(0, b""), [entry])
    line = (
        b'{"actor":"system","at":"2026-03-01T09:30:00.123456+00:00","code":"case_filed",'
        b'"params":{"a":"x","b":2},"seq":1,"stream":"system"}'
    )
    first = sha256(b"recourse-audit-1:system").digest()
    assert canonical("system", 1, entry) == line
    assert head == Head(1, sha256(first + line).digest())
    assert rows[0]["hash"] == head.hash


def test_rows_made_in_one_go_or_one_by_one_are_the_same() -> None:
    entries = [Entry("e", {"n": n}, "system", AT) for n in range(3)]
    together, end = rows_for("case:1", Head(0, b""), entries)
    head, single = Head(0, b""), []
    for entry in entries:
        rows, head = rows_for("case:1", head, [entry])
        single += rows
    assert (together, end) == (single, head)


def test_chains_of_two_streams_differ_from_the_first_entry_on() -> None:
    assert genesis("case:1") != genesis("case:2")
    assert chain(genesis("case:1"), b"x") != chain(genesis("case:2"), b"x")


async def test_an_untouched_history_is_sound(database: Database) -> None:
    staff_id = await make_staff(database)
    await write(database, 3)
    await write(database, 2, f"staff:{staff_id}")
    folder = Folder()
    async with database.transaction() as session:
        assert await anchor_heads(session, folder.put, folder.get, at=AT) == 1
    await write(database, 1)
    report = await checked(database, folder)
    assert report.findings == []
    assert (report.entries, report.streams, report.anchors) == (6, 2, 1)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_entries SET code = 'x'",
        "DELETE FROM audit_entries",
        "TRUNCATE audit_entries",
        "UPDATE audit_anchors SET streams = 0",
        "DELETE FROM audit_anchors",
        "TRUNCATE audit_anchors",
    ],
)
async def test_the_database_refuses_to_change_history(database: Database, statement: str) -> None:
    await write(database, 1)
    with pytest.raises(DBAPIError, match="append-only"):
        async with database.transaction() as session:
            await session.execute(text(statement))


@pytest.mark.parametrize(
    ("statement", "what", "seq"),
    [
        ("UPDATE audit_entries SET code = 'other' WHERE seq = 2", "changed", 2),
        ("UPDATE audit_entries SET actor = 'staff:x' WHERE seq = 2", "changed", 2),
        ("UPDATE audit_entries SET at = at + interval '1 microsecond' WHERE seq = 2", "changed", 2),
        (
            "UPDATE audit_entries SET params = params || '{\"number\": 9}' WHERE seq = 2",
            "changed",
            2,
        ),
        ("UPDATE audit_entries SET hash = sha256(hash) WHERE seq = 2", "changed", 2),
        ("DELETE FROM audit_entries WHERE seq = 1", "missing", 1),
        ("DELETE FROM audit_entries WHERE seq = 2", "missing", 2),
        ("DELETE FROM audit_entries WHERE seq = 4", "tail", 4),
        ("DELETE FROM audit_entries", "tail", 1),
        ("DELETE FROM audit_heads", "head", 4),
        ("UPDATE audit_heads SET audit_head = sha256(audit_head)", "head", 4),
        ("UPDATE audit_heads SET audit_seq = 3", "head", 4),
    ],
)
async def test_tampering_is_found_where_it_happened(
    database: Database, statement: str, what: str, seq: int
) -> None:
    await write(database, 4)
    await tamper(database, statement)
    findings = (await checked(database)).findings
    assert (findings[0].what, findings[0].stream, findings[0].seq) == (what, "system", seq)


async def test_two_entries_that_changed_places_are_found(database: Database) -> None:
    await write(database, 4)
    await tamper(
        database,
        "UPDATE audit_entries SET seq = 99 WHERE seq = 2",
        "UPDATE audit_entries SET seq = 2 WHERE seq = 3",
        "UPDATE audit_entries SET seq = 3 WHERE seq = 99",
    )
    assert {f.seq for f in (await checked(database)).findings} >= {2, 3}


async def test_an_inserted_entry_is_found(database: Database) -> None:
    await write(database, 2)
    await tamper(
        database,
        "INSERT INTO audit_entries (stream, seq, at, actor, code, params, hash)"
        " SELECT stream, 3, at, actor, code, params, hash FROM audit_entries"
        " WHERE seq = 2",
    )
    findings = (await checked(database)).findings
    assert [f.what for f in findings] == ["changed", "head"]


async def test_a_stream_of_an_account_without_the_account_is_found(database: Database) -> None:
    staff_id = await make_staff(database)
    await write(database, 2, f"staff:{staff_id}")
    await tamper(database, "DELETE FROM staff")
    assert [f.what for f in (await checked(database)).findings] == ["head"]


async def rewrite_whole_chain(database: Database) -> None:
    """The best an intruder with the database can do: a new, consistent history with its head."""
    rows, head = rows_for(
        "system",
        Head(0, b""),
        [Entry("nothing_happened", {"number": n}, "system", AT) for n in range(3)],
    )
    await tamper(database, "DELETE FROM audit_entries")
    async with database.transaction() as session:
        await audit.insert_rows(session, rows)
        await audit.store_head(session, "system", head)


async def test_a_rewritten_chain_with_its_head_disagrees_with_the_copy_outside(
    database: Database,
) -> None:
    folder = Folder()
    await write(database, 3)
    async with database.transaction() as session:
        await anchor_heads(session, folder.put, folder.get, at=AT)
    await rewrite_whole_chain(database)
    assert (await checked(database)).findings == []  # alone, the database looks sound
    findings = (await checked(database, folder)).findings
    assert [(f.what, f.stream, f.seq) for f in findings] == [("anchor", "system", 3)]


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ("DELETE FROM audit_anchors WHERE number = 2", "anchor_missing"),
        ("DELETE FROM audit_anchors WHERE number = 1", "anchor_missing"),
        ("UPDATE audit_anchors SET root = sha256(root) WHERE number = 1", "anchor"),
    ],
)
async def test_a_changed_list_of_anchors_is_found(
    database: Database, change: str, what: str
) -> None:
    folder = await with_two_anchors(database)
    await tamper(database, change)
    assert what in {f.what for f in (await checked(database, folder)).findings}


async def with_two_anchors(database: Database) -> Folder:
    folder = Folder()
    for _ in range(2):
        await write(database, 2)
        async with database.transaction() as session:
            assert await anchor_heads(session, folder.put, folder.get, at=AT) is not None
    return folder


@pytest.mark.parametrize(
    "spoil",
    [
        lambda f: f.objects.pop(anchor_key(2)),
        lambda f: f.objects.update({anchor_key(1): f.objects[anchor_key(2)]}),
        lambda f: f.objects.update(
            {
                anchor_key(1): json.dumps(
                    json.loads(f.objects[anchor_key(1)]) | {"heads": []}
                ).encode()
            }
        ),
    ],
)
async def test_a_changed_copy_outside_is_found(
    database: Database, spoil: Callable[[Folder], Any]
) -> None:
    folder = await with_two_anchors(database)
    spoil(folder)
    assert not (await checked(database, folder)).sound


async def test_an_anchor_holds_only_streams_that_moved_and_none_is_taken_when_none_did(
    database: Database,
) -> None:
    folder = Folder()
    staff_id = await make_staff(database)
    await write(database, 1)
    await write(database, 1, f"staff:{staff_id}")
    async with database.transaction() as session:
        await anchor_heads(session, folder.put, folder.get, at=AT)
    await write(database, 1)
    for expected in (2, None):
        async with database.transaction() as session:
            assert await anchor_heads(session, folder.put, folder.get, at=AT) == expected
    streams = [[h[0] for h in json.loads(folder.objects[anchor_key(n)])["heads"]] for n in (1, 2)]
    assert streams == [[f"staff:{staff_id}", "system"], ["system"]]


async def test_an_anchor_whose_row_was_lost_in_a_crash_is_adopted(database: Database) -> None:
    folder = Folder()
    await write(database, 2)
    with pytest.raises(ZeroDivisionError):
        async with database.transaction() as session:
            await anchor_heads(session, folder.put, folder.get, at=AT)
            raise ZeroDivisionError  # the process dies after the put and before the commit
    await write(database, 1)
    assert [f.what for f in (await checked(database, folder)).findings] == ["anchor_missing"]
    for expected in (1, 2, None):
        async with database.transaction() as session:
            assert await anchor_heads(session, folder.put, folder.get, at=AT) == expected
    assert (await checked(database, folder)).sound


async def test_an_entry_of_a_transaction_still_open_is_anchored_the_next_time(
    database: Database,
) -> None:
    folder = Folder()
    staff_id = await make_staff(database)
    async with database.transaction() as late:
        await audit.append(
            late, stream=f"staff:{staff_id}", code="late", params={}, actor="system", at=AT
        )
        await write(database, 1)
        async with database.transaction() as session:
            await anchor_heads(session, folder.put, folder.get, at=AT)
    async with database.transaction() as session:
        assert await anchor_heads(session, folder.put, folder.get, at=AT) is not None
    named = {h[0] for data in folder.objects.values() for h in json.loads(data)["heads"]}
    assert named == {"system", f"staff:{staff_id}"}
    assert (await checked(database, folder)).sound


async def test_writers_of_one_stream_at_once_leave_one_chain(database: Database) -> None:
    await asyncio.gather(*(write(database, 3) for _ in range(6)))
    report = await checked(database)
    assert (report.entries, report.findings) == (18, [])


async def test_a_refused_transaction_leaves_no_gap(database: Database) -> None:
    await write(database, 1)
    with pytest.raises(ZeroDivisionError):
        async with database.transaction() as session:
            await audit.append(
                session, stream="system", code="lost", params={}, actor="system", at=AT
            )
            raise ZeroDivisionError
    await write(database, 1)
    assert (await checked(database)).findings == []


@pytest.mark.parametrize("at", [AT, AT.astimezone(), AT + timedelta(microseconds=1)])
async def test_times_survive_the_database_whatever_their_zone(
    database: Database, at: datetime
) -> None:
    async with database.transaction() as session:
        await audit.append(
            session,
            stream="system",
            code="x",
            actor="system",
            at=at,
            params={"big": 2**53 + 1, "list": ["a", "b"], "none": None, "yes": True},
        )
    assert (await checked(database)).sound
