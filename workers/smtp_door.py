"""The door for incoming mail: a small SMTP server behind a real one, on the loopback or on a
private network whose servers are named.

It stores the raw bytes first and answers 250 then; while the database is away it answers 451 and
the server in front keeps the mail. It looks at nothing but the envelope.
"""

from __future__ import annotations

import asyncio
from hashlib import sha256
from ipaddress import ip_address, ip_network
from typing import Any

import structlog
from aiosmtpd.smtp import SMTP, Envelope, Session

from app.correspondence.raw import MAIL_BYTES_MAX, external_id
from app.crypto import Keyring
from app.db import Database
from app.ids import new_id
from app.settings import Settings
from app.settings_checks import THIS_MACHINE
from workers.inbox import store_mail
from workers.loops import Loop
from workers.trouble import DATABASE_TROUBLE

log = structlog.get_logger(__name__)
RECIPIENTS_MAX = 50
COMMAND_SECONDS_MAX = 300.0  # RFC 5321 4.5.3.2.7


class Door:
    """Handler of aiosmtpd; one row for each recipient of ours."""

    def __init__(
        self, database: Database, settings: Settings, keyring: Keyring, inbox: Loop
    ) -> None:
        self._database, self._keyring = database, keyring
        self._domain = settings.mail_domain.lower()
        self._inbox = inbox
        self._hostname = settings.mail_domain
        self._peers = [ip_network(one) for one in settings.inbound_smtp_peers]
        self._server: asyncio.Server | None = None

    async def open(self, host: str, port: int) -> int:
        """Listen; returns the port. Beyond the loopback only for the servers named as peers."""
        assert host in THIS_MACHINE or self._peers, "checked by the settings"
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._protocol, host, port)
        return int(self._server.sockets[0].getsockname()[1])

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    @property
    def port(self) -> int:
        """Where it listens; only while it is open."""
        assert self._server is not None, "the door is open"
        return int(self._server.sockets[0].getsockname()[1])

    @property
    def listening(self) -> bool:
        return self._server is not None and self._server.is_serving()

    def _protocol(self) -> SMTP:
        return SMTP(
            self, hostname=self._hostname, ident="recourse", enable_SMTPUTF8=True,
            data_size_limit=MAIL_BYTES_MAX, timeout=COMMAND_SECONDS_MAX,
            loop=asyncio.get_running_loop(),
        )  # fmt: skip

    async def handle_MAIL(
        self, server: Any, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if not self._is_known(session.peer):
            return "550 5.7.1 this door is for our own mail server"
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 2.1.0 ok"

    def _is_known(self, peer: Any) -> bool:
        address = ip_address(peer[0].partition("%")[0])
        return address.is_loopback or any(address in network for network in self._peers)

    async def handle_RCPT(
        self, server: Any, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if len(envelope.rcpt_tos) >= RECIPIENTS_MAX:
            return "452 4.5.3 too many recipients"
        if address.rpartition("@")[2].lower() != self._domain:
            return "550 5.7.1 we relay for nobody"
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 2.1.5 ok"

    async def handle_DATA(self, server: Any, session: Session, envelope: Envelope) -> str:
        raw = envelope.original_content or b""
        try:
            for recipient in envelope.rcpt_tos:
                await store_mail(
                    self._database, self._keyring, provider="smtp",
                    external_id=external_id(raw, recipient), raw=raw,
                    digest=sha256(raw).hexdigest(), envelope_to=recipient,
                    envelope_from=envelope.mail_from or "", row_id=new_id(),
                )  # fmt: skip
        except DATABASE_TROUBLE as trouble:
            log.warning("mail_not_stored", error=type(trouble).__name__)
            return "451 4.3.0 try again later"
        self._inbox.nudge()
        return "250 2.0.0 stored"
