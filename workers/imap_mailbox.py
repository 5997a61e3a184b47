"""Polls a mailbox: every mail behind the last one seen is stored byte for byte, then counted.

The mailbox is somebody else's: other clients mark, move and delete there, and the server may number
all mails anew (UIDVALIDITY). So the place we reached is ours alone, moves in the transaction that
stores a mail, and a mail fetched again is known by its content.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any, Final

import structlog
from sqlalchemy import text

from app.correspondence.filing import store_raw
from app.correspondence.raw import external_id
from app.crypto import Keyring
from app.db import Database
from app.ids import new_id
from app.moment import read_moment
from app.settings import Settings
from workers.imap_session import ImapSession, ImapTrouble

log = structlog.get_logger(__name__)
VISIT_MAILS_MAX: Final = 50  # then the place is kept and the next visit goes on
LEASE_SECONDS: Final = 300.0  # one worker visits at a time
VISIT_SECONDS_MAX: Final = 240.0
_TAKE = text("""
    INSERT INTO mailboxes (name, uid_validity, last_uid, lease_until)
    VALUES (:name, 0, 0, clock_timestamp() + make_interval(secs => :lease))
    ON CONFLICT (name) DO UPDATE SET lease_until = excluded.lease_until
     WHERE mailboxes.lease_until IS NULL OR mailboxes.lease_until < clock_timestamp()
    RETURNING uid_validity, last_uid
""")
_SEEN = text("UPDATE mailboxes SET uid_validity = :validity, last_uid = :uid WHERE name = :name")
_LEAVE = text("UPDATE mailboxes SET lease_until = NULL WHERE name = :name")


@dataclass(frozen=True, slots=True)
class Visit:
    """`began`: business time before the server was asked; None: somebody else is there."""

    began: datetime | None = None
    stored: int = 0
    more: bool = False


class ImapMailbox:
    """One mailbox of the settings."""

    def __init__(self, database: Database, settings: Settings, keyring: Keyring) -> None:
        assert settings.imap_host and settings.imap_user, "a mailbox is configured"
        self._database, self._keyring = database, keyring
        self._settings = settings
        self.name = f"{settings.imap_user}@{settings.imap_host}/{settings.imap_mailbox}"

    async def visit(self) -> Visit:
        """Store what is new. Raises ImapTrouble; what was stored until then stays stored."""
        async with self._database.transaction() as session:
            began = (await read_moment(session)).now
            values = {"name": self.name, "lease": LEASE_SECONDS}
            place = (await session.execute(_TAKE, values)).one_or_none()
        if place is None:
            return Visit()
        try:
            async with asyncio.timeout(VISIT_SECONDS_MAX):
                return await self._fetch(place, began)
        except TimeoutError:
            raise ImapTrouble("IMAP: the visit took too long") from None
        finally:
            async with self._database.transaction() as session:
                await session.execute(_LEAVE, {"name": self.name})

    async def _fetch(self, place: Any, began: datetime) -> Visit:
        imap = await asyncio.to_thread(self._session)
        try:
            # Numbered anew: everything is looked at again, and known by its content.
            last = place.last_uid if imap.uid_validity == place.uid_validity else 0
            uids = await asyncio.to_thread(imap.uids_after, last)
            stored = 0
            for uid in uids[:VISIT_MAILS_MAX]:
                raw = await asyncio.to_thread(imap.mail, uid)
                stored += await self._store(imap.uid_validity, uid, raw)
            return Visit(began, stored, more=len(uids) > VISIT_MAILS_MAX)
        finally:
            await asyncio.to_thread(imap.close)

    def _session(self) -> ImapSession:
        s = self._settings
        assert s.imap_host and s.imap_user and s.imap_password, "checked by the settings"
        return ImapSession(
            s.imap_host, s.imap_port, s.imap_user, s.imap_password.get_secret_value(),
            s.imap_mailbox, tls=s.imap_tls,
        )  # fmt: skip

    async def _store(self, validity: int, uid: int, raw: bytes | None) -> bool:
        """The mail and the place in one transaction. A mail that is gone is only counted."""
        async with self._database.transaction() as session:
            new = raw is not None and await store_raw(
                session, self._keyring, row_id=new_id(), provider="imap",
                external_id=external_id(raw, self.name), raw=raw,
                digest=sha256(raw).hexdigest(), envelope_to=None, envelope_from=None,
            )  # fmt: skip
            values = {"name": self.name, "validity": validity, "uid": uid}
            await session.execute(_SEEN, values)
        if raw is None:
            log.warning("mail_gone_before_it_was_read", uid=uid)
        return new
