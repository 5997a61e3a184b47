"""Does the history still say what it said? Anchors, and the check that finds any change.

An anchor is taken on a schedule: one root hash over every head that moved since the anchor before
(and over that anchor's root), written to the table `audit_anchors` and, with the list of heads, to
the object store with a create-only put. Whoever rewrites a whole chain together with its head in
the database still disagrees with the copy outside.

`verify` reads everything in order and reports what does not fit; it changes nothing.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import insert, text
from sqlalchemy.ext.asyncio import AsyncSession

from app.audit import HEAD_TABLES, Entry, canonical, chain, genesis
from app.tables.security import AuditAnchor

PutObject = Callable[[str, bytes], Awaitable[None]]
GetObject = Callable[[str], Awaitable[bytes | None]]

BATCH_ROWS = 2_000
FINDINGS_MAX = 1_000  # enough to see the extent without filling the memory
ANCHOR_PREFIX = "audit/anchors/"
FIRST_ROOT = sha256(b"recourse-audit-anchors-1").digest()

NOTHING_SEEN = "1:1:"

# Entries that the snapshot of the last anchor did not see: also those of transactions that were
# open then and wrote their entry before it. The index on txid bounds the search from below.
_NEW_HEADS = text("""
    SELECT DISTINCT ON (stream) stream, seq, hash, pg_current_snapshot()::text AS snapshot
      FROM audit_entries
     WHERE txid >= :oldest
       AND NOT pg_visible_in_snapshot(CAST(CAST(txid AS text) AS xid8),
                                      CAST(CAST(:seen AS text) AS pg_snapshot))
     ORDER BY stream, seq DESC
""")

_HEADS = text("""
    SELECT 'case:' || id AS stream, audit_seq, audit_head FROM cases
     WHERE id = ANY(CAST(:case AS uuid[]))
    UNION ALL SELECT 'staff:' || id, audit_seq, audit_head FROM staff
     WHERE id = ANY(CAST(:staff AS uuid[]))
    UNION ALL SELECT stream, audit_seq, audit_head FROM audit_heads
     WHERE stream = ANY(CAST(:streams AS text[]))
""")
_HEADS_ALONE = text("""
    SELECT h.stream, h.audit_seq
      FROM (SELECT 'case:' || id AS stream, audit_seq FROM cases
            UNION ALL SELECT 'staff:' || id, audit_seq FROM staff
            UNION ALL SELECT stream, audit_seq FROM audit_heads) h
     WHERE h.audit_seq > 0
       AND NOT EXISTS (SELECT 1 FROM audit_entries e WHERE e.stream = h.stream)
     LIMIT :limit
""")


@dataclass(frozen=True)
class Finding:
    """`what` is one of changed, missing, tail, head, anchor, anchor_missing."""

    what: str
    stream: str
    seq: int
    detail: str


# What nothing outside the database vouches for yet: who owns the database could take it away.
_UNANCHORED = text("""
    SELECT count(*), min(e.at) FROM audit_entries e
      LEFT JOIN LATERAL (SELECT snapshot FROM audit_anchors ORDER BY number DESC LIMIT 1) a ON true
     WHERE a.snapshot IS NULL
        OR NOT pg_visible_in_snapshot(CAST(CAST(e.txid AS text) AS xid8),
                                      CAST(CAST(a.snapshot AS text) AS pg_snapshot))
""")


@dataclass
class Report:
    """`unanchored` entries came after the last anchor, the oldest of them at `unanchored_since`."""

    entries: int = 0
    streams: int = 0
    anchors: int = 0
    unanchored: int = 0
    unanchored_since: datetime | None = None
    findings: list[Finding] = field(default_factory=list)

    @property
    def sound(self) -> bool:
        return not self.findings

    def add(self, what: str, stream: str, seq: int, detail: str) -> None:
        if len(self.findings) < FINDINGS_MAX:
            self.findings.append(Finding(what, stream, seq, detail))


def anchor_key(number: int) -> str:
    return f"{ANCHOR_PREFIX}{number:012d}.json"


def anchor_document(
    number: int, previous: bytes, at: datetime, snapshot: str, heads: list[tuple[str, int, bytes]]
) -> bytes:
    """The bytes stored outside; their SHA-256 is the root, and they name the root before."""
    return json.dumps(
        {
            "number": number,
            "previous": previous.hex(),
            "at": at.isoformat(),
            "snapshot": snapshot,
            "heads": [[stream, seq, head.hex()] for stream, seq, head in heads],
        },
        separators=(",", ":"),
    ).encode()


async def anchor_heads(
    session: AsyncSession, put: PutObject, get: GetObject, *, at: datetime
) -> int | None:
    """Takes the next anchor; returns its number, or None when nothing was added since the last.

    The object is put before the row is committed. A crash between leaves an object without a row:
    the next run finds it and adopts it as it stands (`verify` compares it with the entries).
    """
    await session.execute(text("SELECT pg_advisory_xact_lock(hashtext('audit_anchors'))"))
    last = (
        await session.execute(
            text("SELECT number, root, snapshot FROM audit_anchors ORDER BY number DESC LIMIT 1")
        )
    ).one_or_none()
    number, previous = (last.number + 1, bytes(last.root)) if last else (1, FIRST_ROOT)
    document = await get(anchor_key(number))
    if document is None:
        document = await _new_document(
            session, number, previous, last.snapshot if last else NOTHING_SEEN, at
        )
        if document is None:
            return None
        await put(anchor_key(number), document)
    content = json.loads(document)
    await session.execute(
        insert(AuditAnchor).values(
            number=number,
            at=datetime.fromisoformat(content["at"]),
            snapshot=content["snapshot"],
            streams=len(content["heads"]),
            root=sha256(document).digest(),
            object_key=anchor_key(number),
        )
    )
    return number


async def _new_document(
    session: AsyncSession, number: int, previous: bytes, snapshot: str, at: datetime
) -> bytes | None:
    seen = await _seen(session, snapshot)
    rows = (
        await session.execute(_NEW_HEADS, {"seen": seen, "oldest": int(seen.partition(":")[0])})
    ).all()
    if not rows:
        return None
    heads = [(row.stream, row.seq, bytes(row.hash)) for row in rows]
    return anchor_document(number, previous, at, rows[0].snapshot, heads)


async def _seen(session: AsyncSession, snapshot: str) -> str:
    """The snapshot of the last anchor, or none at all when this cluster counts from the beginning
    again (restored from a dump): then everything is anchored anew."""
    newest = (
        await session.execute(text("SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint"))
    ).scalar_one()
    return snapshot if int(snapshot.split(":")[1]) <= newest else NOTHING_SEEN


async def verify(session: AsyncSession, get: GetObject | None = None) -> Report:
    """Checks every chain, every head and every anchor. `get` reads the copies outside."""
    report = Report()
    group: list[Any] = []
    ends: list[tuple[str, int, bytes]] = []
    async for row in _entries(session):
        if group and group[-1].stream != row.stream:
            ends.append(_check_stream(group, report))
            group = []
        group.append(row)
        if len(ends) >= BATCH_ROWS:
            await _check_heads(session, ends, report)
            ends = []
    if group:
        ends.append(_check_stream(group, report))
    await _check_heads(session, ends, report)
    await _check_heads_without_entries(session, report)
    await _check_anchors(session, get, report)
    found = (await session.execute(_UNANCHORED)).one()
    report.unanchored, report.unanchored_since = found
    return report


async def _entries(session: AsyncSession) -> AsyncIterator[Any]:
    """All entries by stream and number, in keyset pages, so that memory stays flat."""
    stream, seq = "", 0
    while True:
        rows = (
            await session.execute(
                text(
                    "SELECT stream, seq, at, actor, code, params, hash FROM audit_entries"
                    " WHERE (stream, seq) > (:stream, :seq) ORDER BY stream, seq LIMIT :limit"
                ),
                {"stream": stream, "seq": seq, "limit": BATCH_ROWS},
            )
        ).all()
        for row in rows:
            yield row
        if len(rows) < BATCH_ROWS:
            return
        stream, seq = rows[-1].stream, rows[-1].seq


def _check_stream(rows: list[Any], report: Report) -> tuple[str, int, bytes]:
    """Recomputes one chain. After a bad entry it goes on from the stored hash, to find the next."""
    stream = rows[0].stream
    expected, last = 1, genesis(stream)
    report.streams += 1
    for row in rows:
        report.entries += 1
        if row.seq != expected:
            report.add("missing", stream, expected, f"entries {expected} to {row.seq - 1} are gone")
        else:
            entry = Entry(row.code, row.params, row.actor, row.at)
            if chain(last, canonical(stream, row.seq, entry)) != bytes(row.hash):
                report.add("changed", stream, row.seq, "the entry does not fit its hash")
        expected, last = row.seq + 1, bytes(row.hash)
    return stream, rows[-1].seq, last


async def _check_heads(
    session: AsyncSession, ends: list[tuple[str, int, bytes]], report: Report
) -> None:
    """Each chain must end where its head says."""
    heads = await _heads_of(session, [stream for stream, _, _ in ends])
    for stream, seq, last in ends:
        head = heads.get(stream)
        if head is None:
            report.add("head", stream, seq, "the row that carries the head is gone")
        elif head[0] > seq:
            report.add("tail", stream, seq + 1, f"entries {seq + 1} to {head[0]} are gone")
        elif head != (seq, last):
            report.add("head", stream, seq, "the chain does not end at its head")


async def _heads_of(session: AsyncSession, streams: list[str]) -> dict[str, tuple[int, bytes]]:
    rows = await session.execute(
        _HEADS,
        {
            "streams": [s for s in streams if ":" not in s],
            **{
                kind: [s.partition(":")[2] for s in streams if s.startswith(f"{kind}:")]
                for kind in HEAD_TABLES
            },
        },
    )
    return {row.stream: (row.audit_seq, bytes(row.audit_head or b"")) for row in rows}


async def _check_heads_without_entries(session: AsyncSession, report: Report) -> None:
    """A head that counts entries whose whole stream was deleted."""
    for stream, seq in await session.execute(_HEADS_ALONE, {"limit": FINDINGS_MAX}):
        report.add("tail", stream, 1, f"all entries up to {seq} are gone")


async def _check_anchors(session: AsyncSession, get: GetObject | None, report: Report) -> None:
    """The anchors form a chain of their own, and what they name must still be in the streams."""
    rows = (
        await session.execute(
            text("SELECT number, root, object_key FROM audit_anchors ORDER BY number")
        )
    ).all()
    previous, number = FIRST_ROOT, 0
    for row in rows:
        number += 1
        if row.number != number:
            report.add("anchor_missing", "anchors", number, "an anchor is gone from the table")
            number, previous = row.number, bytes(row.root)
            continue
        report.anchors += 1
        if get is not None:
            document = await get(row.object_key)
            if document is None:
                report.add("anchor_missing", "anchors", number, "the copy outside is gone")
            else:
                await _check_document(session, number, previous, bytes(row.root), document, report)
        previous = bytes(row.root)
    if get is not None and await get(anchor_key(number + 1)) is not None:
        report.add("anchor_missing", "anchors", number + 1, "outside there is an anchor more")


async def _check_document(
    session: AsyncSession,
    number: int,
    previous: bytes,
    root: bytes,
    document: bytes,
    report: Report,
) -> None:
    if sha256(document).digest() != root:
        report.add("anchor", "anchors", number, "table and copy outside do not agree")
    content = json.loads(document)
    if content["previous"] != previous.hex() or content["number"] != number:
        report.add("anchor", "anchors", number, "the anchor does not follow the one before")
    heads = content["heads"]
    for start in range(0, len(heads), BATCH_ROWS):
        part = heads[start : start + BATCH_ROWS]
        rows = await session.execute(
            text(
                "SELECT n.stream, n.seq"
                " FROM unnest(CAST(:streams AS text[]), CAST(:seqs AS bigint[]),"
                " CAST(:hashes AS text[])) AS n(stream, seq, hash) LEFT JOIN audit_entries e"
                " ON e.stream = n.stream AND e.seq = n.seq"
                " WHERE e.hash IS NULL OR encode(e.hash, 'hex') <> n.hash"
            ),
            {
                "streams": [h[0] for h in part],
                "seqs": [h[1] for h in part],
                "hashes": [h[2] for h in part],
            },
        )
        for stream, seq in rows:
            report.add("anchor", stream, seq, f"anchor {number} knows another history")
