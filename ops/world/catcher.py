"""The mail server of the simulated world: everything we send ends here, nothing leaves the machine.

A real SMTP server on the loopback. It keeps each mail as a file, refuses the addresses that are
dead in the stories (550), and puts the others into the letter boxes of the people they are for.
"""

from __future__ import annotations

import asyncio
import email
import re
from collections import deque
from collections.abc import Collection
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import default as policy
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session

HOST = "127.0.0.1"
_UNSAFE = re.compile(r"[^A-Za-z0-9@._-]+")


@dataclass(frozen=True)
class Mail:
    """One mail as it arrived. `file` is where it was kept."""

    number: int
    to: str
    message: EmailMessage
    file: Path

    @property
    def subject(self) -> str:
        return str(self.message["Subject"] or "")

    @property
    def message_id(self) -> str:
        return str(self.message["Message-ID"] or "").strip()

    @property
    def reply_to(self) -> str:
        """The bare address that answers go to."""
        header = self.message["Reply-To"]
        return str(header.addresses[0].addr_spec) if header is not None else ""

    @property
    def text(self) -> str:
        body = self.message.get_body(("plain",))
        return str(body.get_content()) if body is not None else ""

    @property
    def attachments(self) -> list[str]:
        return [str(part.get_filename()) for part in self.message.iter_attachments()]


class Catcher:
    """`dead` are addresses that answer 550. Mail waits in arrival order until it is taken."""

    def __init__(self, folder: Path, dead: Collection[str] = ()) -> None:
        self.folder = folder
        self.dead = {address.lower() for address in dead}
        self.arrived: deque[Mail] = deque()
        self.count = 0
        self.refused = 0
        self._server: asyncio.Server | None = None

    async def open(self, port: int = 0) -> int:
        """Listen on the loopback; returns the port."""
        self.folder.mkdir(parents=True, exist_ok=True)
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: SMTP(
                self, hostname="mail.world.test", ident="world", enable_SMTPUTF8=True, loop=loop
            ),
            HOST,
            port,
        )
        return int(self._server.sockets[0].getsockname()[1])

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    def take(self) -> list[Mail]:
        """The mails that arrived since the last time."""
        mails = list(self.arrived)
        self.arrived.clear()
        return mails

    async def handle_RCPT(
        self, server: Any, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address.lower() in self.dead:
            self.refused += 1
            return "550 5.1.1 there is no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 ok"

    async def handle_DATA(self, server: Any, session: Session, envelope: Envelope) -> str:
        raw = envelope.original_content or b""
        message = email.message_from_bytes(raw, policy=policy)
        assert isinstance(message, EmailMessage), "the default policy makes these"
        for to in envelope.rcpt_tos:
            self.count += 1
            file = self.folder / f"{self.count:04d}-{_UNSAFE.sub('_', to)}.eml"
            file.write_bytes(raw)
            self.arrived.append(Mail(self.count, to.lower(), message, file))
        return "250 2.0.0 kept"
