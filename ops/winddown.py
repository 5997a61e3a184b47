"""When the agency ends: every open case with its next legal date, every balance, and the packs.

The list is everything a successor, a supervisor or an administrator needs first; a pack is a folder
per case with its papers, letters, messages, history and balance. Nothing is changed. What cannot be
opened (a person's key was destroyed, a file is missing) is named in the pack and in the list, never
passed over in silence.
"""

from __future__ import annotations

import csv
import os
import re
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import orjson
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.crypto import CiphertextRefused, DataErased, Keyring
from app.db import Database
from app.documents.keys import case_key, letter_key
from app.documents.sealing import DocumentKey
from app.documents.store import DocumentCorrupt, DocumentMissing, ObjectStore
from app.domain.screening import SERVED

PAGE: Final = 200
COLUMNS: Final = (
    "reference", "case_id", "stage", "waiting_on", "next_legal_date", "why", "due_at",
    "limitation_on", "jurisdiction", "language", "currency", "claimed_minor", "owed_minor",
    "on_its_way_minor", "ours_minor", "not_in_the_pack",
)  # fmt: skip
_UNSAFE: Final = re.compile(r"[^A-Za-z0-9._-]+")

# Open cases, and closed ones that still hold somebody's money. The next legal date is the earlier
# of the last day of the law and the date that runs; `why` says which.
_CASES: Final = text("""
    WITH money AS (
        SELECT split_part(sub, '/', 1) AS case_id, sum(balance) AS owed FROM account_balances
         WHERE account IN ('C.CLIENT', 'C.UNCLAIMED') AND balance <> 0 GROUP BY 1),
    flying AS (
        SELECT i.case_id, sum(b.balance) AS minor FROM account_balances b
          JOIN payout_items i ON i.id::text = b.sub AND i.case_id IS NOT NULL
         WHERE b.account IN ('C.PAYOUT', 'C.RETURN') AND b.balance <> 0 GROUP BY 1),
    ours AS (
        SELECT sub, sum(balance) AS minor FROM account_balances
         WHERE account = 'C.TOOWN' AND balance <> 0 GROUP BY 1)
    SELECT c.id, c.reference, c.stage, c.waiting_on, c.due_at, c.limitation_on, c.jurisdiction,
           c.language, c.currency, c.claimed_minor, c.what_happened, c.booking_ref, c.outcome,
           coalesce(m.owed, 0)::bigint AS owed, coalesce(f.minor, 0)::bigint AS flying,
           coalesce(o.minor, 0)::bigint AS ours
      FROM cases c LEFT JOIN money m ON m.case_id = c.id::text
      LEFT JOIN flying f ON f.case_id = c.id LEFT JOIN ours o ON o.sub = c.id::text
     WHERE c.id > :after AND (c.stage <> 'closed' OR m.owed IS NOT NULL OR f.minor IS NOT NULL)
     ORDER BY c.id LIMIT :most
""")
_BALANCES: Final = text("""
    SELECT b.account, a.title, b.sub, b.currency, b.balance FROM account_balances b
      JOIN ledger_accounts a ON a.name = b.account WHERE b.balance <> 0
     ORDER BY a.book, a.number, b.sub, b.currency
""")
_MOVES: Final = text("""
    SELECT t.effective_on, t.posted_at, t.kind, l.account, l.sub, t.currency, l.debit, l.credit
      FROM journal_txns t JOIN legs l ON l.txn_id = t.id WHERE t.case_id = :id
     ORDER BY t.id, l.line
""")
_LETTERS: Final = text("""
    SELECT id, kind, step, state, channel, recipient, sha256, sent_at, delivered_at
      FROM letters WHERE case_id = :id ORDER BY id
""")
_PAPERS: Final = text("""
    SELECT id, file_name, what, sha256, state, uploaded_at FROM evidence
     WHERE case_id = :id AND state = ANY(CAST(:served AS text[])) ORDER BY id
""")
_MESSAGES: Final = text("""
    SELECT received_at, direction, channel, sender, subject, text FROM messages
     WHERE case_id = :id ORDER BY id
""")
_HISTORY: Final = text("""
    SELECT seq, at, actor, code, params FROM audit_entries WHERE stream = :stream ORDER BY seq
""")


@dataclass
class CaseLine:
    """One case of the list; ``missing`` names what could not be put into its pack."""

    row: Any
    missing: list[str] = field(default_factory=list)

    @property
    def next_date(self) -> tuple[str, str]:
        """The earlier of the last day of the law and the running date, and which of them it is."""
        due, last = self.row.due_at, self.row.limitation_on
        if last is not None and (due is None or last <= due.date()):
            return last.isoformat(), "last day of the law"
        if due is not None:
            return due.date().isoformat(), f"waiting on {self.row.waiting_on}"
        return "", "no date runs"

    def cells(self) -> tuple[Any, ...]:
        r = self.row
        day, why = self.next_date
        return (
            r.reference, r.id, r.stage, r.waiting_on or "", day, why,
            r.due_at.isoformat() if r.due_at else "", r.limitation_on or "", r.jurisdiction,
            r.language, r.currency, r.claimed_minor, r.owed, r.flying, r.ours,
            "; ".join(self.missing),
        )  # fmt: skip


async def open_cases(database: Database) -> AsyncIterator[CaseLine]:
    """Every case that is open or still holds money, a page at a time."""
    after = UUID(int=0)
    while True:
        async with database.read() as session:
            rows = (await session.execute(_CASES, {"after": after, "most": PAGE})).all()
        if not rows:
            return
        after = rows[-1].id
        for row in rows:
            yield CaseLine(row)


def new_folder(folder: Path) -> Path:
    """Make it, readable by its owner alone. FileExistsError when something lies in it."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise FileExistsError(f"{folder} is not empty")
    folder.chmod(0o700)
    return folder


async def hand_over(
    database: Database, store: ObjectStore, keyring: Keyring, folder: Path
) -> tuple[int, int]:
    """Make the list, the balances and a pack per case in a folder from ``new_folder``. Returns the
    cases, and those of which something is missing."""
    many = partial = 0
    with _writer(folder / "cases.csv") as out:
        lines = csv.writer(out)
        lines.writerow(COLUMNS)
        async for line in open_cases(database):
            async with database.read() as session:
                await Pack(session, store, keyring, folder / line.row.reference, line).make()
            lines.writerow(line.cells())
            many += 1
            partial += bool(line.missing)
    async with database.read() as session:
        rows = (await session.execute(_BALANCES)).all()
    _table(folder / "balances.csv", ("account", "title", "sub", "currency", "minor"), rows)
    return many, partial


@dataclass
class Pack:
    """The folder of one case."""

    session: AsyncSession
    store: ObjectStore
    keyring: Keyring
    folder: Path
    line: CaseLine

    async def make(self) -> None:
        case = self.line.row
        self.folder.mkdir(mode=0o700)
        day, why = self.line.next_date
        _json(self.folder / "case.json", [{**case._mapping, "next_legal_date": day, "why": why}])
        moves = (await self.session.execute(_MOVES, {"id": case.id})).all()
        _table(
            self.folder / "balance.csv",
            ("day", "posted", "kind", "account", "sub", "currency", "debit_minor", "credit_minor"),
            moves,
        )
        for name, query, given in (
            ("messages", _MESSAGES, {"id": case.id}),
            ("history", _HISTORY, {"stream": f"case:{case.id}"}),
        ):
            rows = (await self.session.execute(query, given)).all()
            _json(self.folder / f"{name}.jsonl", [row._mapping for row in rows])
        await self._letters(case.id)
        await self._papers(case.id)
        if self.line.missing:
            _plain(self.folder / "MISSING.txt", "\n".join(self.line.missing) + "\n")

    async def _letters(self, case_id: UUID) -> None:
        rows = (await self.session.execute(_LETTERS, {"id": case_id})).all()
        _json(self.folder / "letters.jsonl", [row._mapping for row in rows])
        for at, row in enumerate(rows, 1):
            if row.sha256 is not None:
                name = f"{at:02d}-{row.kind}.pdf"
                await self._file("letters", name, row.sha256, row.id)

    async def _papers(self, case_id: UUID) -> None:
        rows = (await self.session.execute(_PAPERS, {"id": case_id, "served": list(SERVED)})).all()
        _json(self.folder / "papers.jsonl", [row._mapping for row in rows])
        for at, row in enumerate(rows, 1):
            name = f"{at:02d}-{_UNSAFE.sub('_', row.file_name)[-80:]}"
            await self._file("papers", name, row.sha256, None)

    async def _file(self, kind: str, name: str, digest: str, letter: UUID | None) -> None:
        try:
            key: DocumentKey | None
            if letter is None:
                key = await case_key(self.session, self.keyring, self.line.row.id)
            else:
                key = await letter_key(self.session, self.keyring, letter, digest)
            data = await self.store.get(digest, key)
        except (DataErased, DocumentMissing, DocumentCorrupt, CiphertextRefused) as problem:
            self.line.missing.append(f"{kind}/{name}: {problem.code}")
            return
        target = self.folder / kind
        target.mkdir(mode=0o700, exist_ok=True)
        with _opened(target / name) as out:
            out.write(data)


def _opened(path: Path) -> Any:
    """A new file that its owner alone reads."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")


def _writer(path: Path) -> Any:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    return os.fdopen(handle, "w", encoding="utf-8", newline="")


def _table(path: Path, heads: Iterable[str], rows: Iterable[Any]) -> None:
    with _writer(path) as out:
        lines = csv.writer(out)
        lines.writerow(list(heads))
        lines.writerows(rows)


def _json(path: Path, rows: Iterable[Mapping[Any, Any]]) -> None:
    with _opened(path) as out:
        for row in rows:
            out.write(orjson.dumps(dict(row), default=str, option=orjson.OPT_APPEND_NEWLINE))


def _plain(path: Path, words: str) -> None:
    with _writer(path) as out:
        out.write(words)
