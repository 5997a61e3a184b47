"""Files in quarantine are shown to the scanner; what it could not look at is tried again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import structlog
from sqlalchemy import text

from app.clock import wall_now
from app.crypto import DataErased, Keyring
from app.db import Database
from app.documents.keys import case_key, subject_key
from app.documents.store import DocumentCorrupt, DocumentMissing, ObjectStore
from workers.backoff import retry_in
from workers.providers.clamd import Scanner, ScannerAway

log = structlog.get_logger(__name__)
SCREEN_SECONDS: Final = 5.0  # between two looks for files
BATCH: Final = 4
# Table -> the column that leads to the key of its files.
TABLES: Final = {"evidence": "case_id", "attachments": "inbound_id"}
LEASE_SECONDS: Final = 300
# Whoever takes a file counts a try first; the moment of the next look is its lease.
_TAKE: Final = """
    UPDATE {table} SET scan_tries = scan_tries + 1,
           scan_at = CAST(:now AS timestamptz) + make_interval(secs => :lease)
     WHERE id IN (SELECT id FROM {table} WHERE state = 'quarantined'
                     AND (scan_at IS NULL OR scan_at <= :now)
                   ORDER BY scan_at NULLS FIRST, id LIMIT :batch FOR UPDATE SKIP LOCKED)
    RETURNING id, sha256, scan_tries, {of} AS of
"""
_SETTLE: Final = """
    UPDATE {table} SET state = :state, scan_at = :scan_at, finding = :finding
     WHERE id = :id AND state = 'quarantined'
"""


@dataclass
class Screener:
    database: Database
    store: ObjectStore
    keyring: Keyring
    scanner: Scanner
    screened: int = 0

    async def once(self) -> bool:
        """One batch of each table; True when there may be more."""
        more = False
        for table in TABLES:
            async with self.database.transaction() as session:
                rows = list(await session.execute(
                    text(_TAKE.format(table=table, of=TABLES[table])),
                    {"now": wall_now(), "lease": LEASE_SECONDS, "batch": BATCH},
                ))  # fmt: skip
            for row in rows:
                await self._screen(table, row)
            more |= len(rows) >= BATCH
        return more

    async def _screen(self, table: str, row: Any) -> None:
        state, scan_at, finding = await self._look(table, row)
        async with self.database.transaction() as session:
            await session.execute(
                text(_SETTLE.format(table=table)),
                {"id": row.id, "state": state, "scan_at": scan_at, "finding": finding},
            )
        self.screened += state != "quarantined"

    async def _look(self, table: str, row: Any) -> tuple[str, datetime | None, str | None]:
        """The state after this look, when to look again, and what was found."""
        try:
            found = await self.scanner.scan(await self._bytes(table, row))
        except (ScannerAway, DocumentMissing, DocumentCorrupt, DataErased, OSError) as trouble:
            log.warning("file_not_scanned", file=str(row.id), tries=row.scan_tries)
            why = str(trouble)[:200] or type(trouble).__name__
            return "quarantined", wall_now() + retry_in(row.scan_tries), why
        if found is None:
            return "clean", None, None
        log.warning("file_infected", file=str(row.id), name=found)
        return "rejected", None, found

    async def _bytes(self, table: str, row: Any) -> bytes:
        key_for = case_key if TABLES[table] == "case_id" else subject_key
        async with self.database.read() as session:
            key = await key_for(session, self.keyring, row.of)
        return await self.store.get(row.sha256, key)
