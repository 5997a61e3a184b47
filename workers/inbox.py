"""Stored inbound facts become messages of cases: parse outside, file in one transaction each.

The raw bytes are safe before anything reads them, so whatever happens here only delays.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import text

from app.correspondence import filing
from app.correspondence.attachments import Attached
from app.correspondence.filing import InboundMail
from app.correspondence.sealed_raw import open_raws
from app.crypto import Keyring
from app.db import Database
from app.documents.keys import key_to_write
from app.documents.sealing import DocumentKey
from app.documents.store import ObjectStore
from app.domain.errors import RecourseError
from app.domain.screening import first_state
from app.evidence.kinds import EXTENSIONS, kind_of_whole
from app.moment import read_moment
from app.reply_address import AddressBook
from workers.mime import MailReader, Unreadable
from workers.trouble import passes

log = structlog.get_logger(__name__)
BATCH = 4  # mails taken at once: at 5 s each at worst they fit into a lease of 20 s
TRIES_MAX = 3
# Others may be at it too: whoever takes a row counts a try first, so that a mail that kills the
# worker is parked in the end.
_TAKE = text("""
    UPDATE inbound SET tries = tries + 1,
           lease_until = clock_timestamp() + make_interval(secs => :lease)
     WHERE id IN (SELECT id FROM inbound WHERE state = 'stored' AND tries < :maximum
                     AND (lease_until IS NULL OR lease_until < clock_timestamp())
                   ORDER BY stored_at, id LIMIT :batch FOR UPDATE SKIP LOCKED)
    RETURNING id, raw, raw_sealed, envelope_to, envelope_from, received_at, tries
""")
_WORN = text("""
    SELECT id, envelope_to, envelope_from, received_at, coalesce(cause, 'unreadable') AS cause
      FROM inbound WHERE state = 'stored' AND tries >= :maximum
       AND lease_until < clock_timestamp()
     ORDER BY stored_at, id LIMIT :batch
""")
_READ_UNTIL = text("""
    INSERT INTO installation (id, outgoing_paused, mail_read_until)
    SELECT 1, false, :now WHERE NOT EXISTS (SELECT 1 FROM inbound WHERE state = 'stored')
    ON CONFLICT (id) DO UPDATE
       SET mail_read_until = GREATEST(installation.mail_read_until, excluded.mail_read_until)
""")


@dataclass
class Inbox:
    """`listening`: mail could have come in; only then the mark of what was read moves, to now, or
    to `fetched_until` where a mailbox is polled: what lay in it then is here."""

    database: Database
    addresses: AddressBook
    reader: MailReader
    lease_seconds: float
    store: ObjectStore
    keyring: Keyring
    listening: bool = True
    authserv_id: str | None = None
    scans: bool = False  # a virus scanner looks at every file
    fetched_until: datetime | None = None
    filed: int = 0
    taken: int = 0  # mails looked at, whatever became of them

    async def once(self) -> bool:
        """One batch; True when there may be more."""
        async with self.database.transaction() as session:
            now = (await read_moment(session)).now
            taken = list(await session.execute(_TAKE, {
                "maximum": TRIES_MAX, "batch": BATCH, "lease": self.lease_seconds,
            }))  # fmt: skip
            raws = await open_raws(session, self.keyring, taken)
        rows = sorted(taken, key=lambda row: row.id)  # as they came: a statement returns any order
        self.taken += len(rows)
        for row in rows:
            await self._file(row, raws[row.id])
        if len(rows) >= BATCH:
            return True
        await self._park_worn()
        if self.listening:
            until = self.fetched_until or now
            async with self.database.transaction() as session:
                await session.execute(_READ_UNTIL, {"now": until})
        return False

    async def _file(self, row: Any, raw: bytes | RecourseError) -> None:
        mail = InboundMail(row.id, row.envelope_to, row.envelope_from, row.received_at)
        try:
            if isinstance(raw, RecourseError):
                raise Unreadable(raw.code)
            said = await self.reader.read(raw)
        except Unreadable as why:
            if why.cause.startswith("over") or row.tries >= TRIES_MAX:
                await self._to_pen(mail, why.cause)
            return
        try:
            attached = await self._keep_all(row.id, said.attachments)
            async with self.database.transaction() as session:
                if await filing.file_mail(
                    session, self.addresses, mail, said, attached, authserv_id=self.authserv_id
                ):
                    self.filed += 1
        # One mail that cannot be filed must not stop the others; it is tried again, then parked.
        except Exception as failure:
            if passes(failure):
                raise
            log.exception("filing_failed")
            if row.tries >= TRIES_MAX:
                await self._to_pen(mail, type(failure).__name__)

    async def _keep_all(self, inbound_id: UUID, files: Sequence[dict[str, Any]]) -> list[Attached]:
        """The key first, then the bytes: a row never names bytes that are not there."""
        if not files:
            return []
        async with self.database.transaction() as session:
            now = (await read_moment(session)).now
            key = await key_to_write(session, self.keyring, inbound_id, now)
        return [await self._keep(one, key) for one in files]

    async def _keep(self, one: dict[str, Any], key: DocumentKey) -> Attached:
        data: bytes = one["data"]
        kind = kind_of_whole(data)
        return Attached(
            shown_name(one["name"], kind),
            one["type"],
            kind,
            len(data),
            await self.store.put(data, key),
            first_state(kind, scanned=self.scans),
        )

    async def _to_pen(self, mail: InboundMail, cause: str) -> None:
        async with self.database.transaction() as session:
            await filing.park_mail(session, mail, cause)

    async def _park_worn(self) -> None:
        """Mails whose readers died thrice before they could say so."""
        async with self.database.transaction() as session:
            rows = list(await session.execute(_WORN, {"maximum": TRIES_MAX, "batch": BATCH}))
            for row in rows:
                mail = InboundMail(row.id, row.envelope_to, row.envelope_from, row.received_at)
                await filing.park_mail(session, mail, row.cause)


def shown_name(name: str, kind: str | None) -> str:
    """For showing only: no folders, nothing invisible, the ending of what it is where we know."""
    last = name.replace("\\", "/").rpartition("/")[2]
    plain = "".join(c for c in last if c.isprintable() and unicodedata.category(c) != "Cf")
    plain = plain.strip(". ") or "attachment"
    if kind is None:
        return plain
    stem = plain.rpartition(".")[0] or plain
    return f"{stem}.{EXTENSIONS[kind]}"


async def store_mail(
    database: Database,
    keyring: Keyring,
    *,
    provider: str,
    external_id: str,
    raw: bytes,
    digest: str,
    envelope_to: str | None,
    envelope_from: str | None,
    row_id: UUID,
) -> bool:
    """Keep the raw bytes; False when this very mail is here already."""
    async with database.transaction() as session:
        return await filing.store_raw(
            session, keyring, row_id=row_id, provider=provider, external_id=external_id, raw=raw,
            digest=digest, envelope_to=envelope_to, envelope_from=envelope_from,
        )  # fmt: skip
