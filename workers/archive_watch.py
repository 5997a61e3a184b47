"""Mails whose end nobody saw: a copy in the archive mailbox proves that the mail was taken.

SMTP has no keys; the line may break between the final dot and the answer (RFC 1047). The archive is
a second recipient of the same mail, so what lies there was taken for both. That nothing lies there
proves nothing (the archive may be slow, full or refuse), so a person is told that, and decides.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

import structlog
from sqlalchemy import text

from app import outbox
from app.clock import monotonic
from app.outbox import Attempt
from app.settings import Settings
from workers.found import settle_found, tell_sent
from workers.imap_session import ImapSession, ImapTrouble
from workers.mail import address_book
from workers.tools import Tools

log = structlog.get_logger(__name__)
BATCH: Final = 20
LOOK_EVERY_SECONDS: Final = 60.0
PROOF_SECONDS: Final = 1_800.0  # a copy that has not come by then is a fact for a person
LATER_EVERY_SECONDS: Final = 3_600.0  # it may still come: the mailbox was away, or slow
LOOK_SECONDS_MAX: Final = 60.0
FOUND: Final = "found in the archive mailbox"
ABSENT: Final = "no copy in the archive mailbox after 30 minutes, which proves nothing"
_UNSEEN: Final = text("""
    SELECT id, case_id, lease_epoch,
           extract(epoch FROM clock_timestamp() - dispatched_at)::float8 AS age,
           coalesce(position(:absent IN cause) > 0, false) AS told
      FROM effects
     WHERE state = 'unknown' AND provider = :provider AND case_id IS NOT NULL
       AND dispatched_at IS NOT NULL
     ORDER BY id LIMIT :batch
""")
_ABSENT: Final = text("""
    UPDATE effects SET cause = left(coalesce(cause || '; ', '') || :absent, 300)
     WHERE id = :id AND state = 'unknown' RETURNING id
""")


@dataclass
class ArchiveWatch:
    tools: Tools
    looked: dict[UUID, float] = field(default_factory=dict)  # when, on the monotonic clock

    async def once(self) -> None:
        """One bounded portion; nothing where no archive is configured."""
        if self.tools.settings.archive_imap_host is None:
            return
        async with self.tools.database.read() as session:
            found = await session.execute(_UNSEEN, {
                "provider": self.tools.providers.mail.name, "batch": BATCH, "absent": ABSENT,
            })  # fmt: skip
            rows = list(found)
        self.looked = {r.id: self.looked[r.id] for r in rows if r.id in self.looked}
        due = [row for row in rows if self._is_due(row)]
        if not due:
            return
        try:
            async with asyncio.timeout(LOOK_SECONDS_MAX):
                there = await asyncio.to_thread(self._look, due)
        except (ImapTrouble, TimeoutError) as trouble:
            # An archive nobody could look into proves nothing at all, not even that it is empty.
            log.warning("archive_away", error=type(trouble).__name__)
            return
        for row in due:
            self.looked[row.id] = monotonic()
            await self._take_in(row, there[row.id])

    def _is_due(self, row: Any) -> bool:
        last = self.looked.get(row.id)
        every = LOOK_EVERY_SECONDS if row.age < PROOF_SECONDS else LATER_EVERY_SECONDS
        return last is None or monotonic() - last >= every or (
            row.age >= PROOF_SECONDS and not row.told
        )  # fmt: skip

    def _look(self, rows: Sequence[Any]) -> Mapping[UUID, bool]:
        book = address_book(self.tools.settings)
        imap = open_archive(self.tools.settings)
        try:
            return {row.id: imap.holds(book.message_id(row.id)) for row in rows}
        finally:
            imap.close()

    async def _take_in(self, row: Any, there: bool) -> None:
        worker = self.tools.worker
        if not there and (row.told or row.age < PROOF_SECONDS):
            return
        async with self.tools.database.transaction() as session:
            if there:
                ref = address_book(self.tools.settings).message_id(row.id)
                found = await settle_found(
                    session, row.id, row.case_id, ref=ref, where=FOUND, worker=worker
                )
                if found is not None:
                    await tell_sent(session, row.id, row.case_id, found)
                return
            told = await session.execute(_ABSENT, {"id": row.id, "absent": ABSENT})
            if told.first() is not None:
                await outbox.log_attempts(
                    session, [Attempt(row.id, row.lease_epoch, worker, "not_in_archive", ABSENT)]
                )


def open_archive(settings: Settings) -> ImapSession:
    """Signed in to the archive mailbox. Raises ImapTrouble."""
    s = settings
    assert s.archive_imap_host and s.archive_imap_user and s.archive_imap_password, "checked"
    return ImapSession(
        s.archive_imap_host, s.archive_imap_port, s.archive_imap_user,
        s.archive_imap_password.get_secret_value(), s.archive_imap_mailbox,
        tls=s.archive_imap_tls,
    )  # fmt: skip
