"""One visit to a mailbox over IMAP, read-only: nothing there is marked, moved or deleted.

Blocking calls of the standard library, made in a thread by workers.imap_mailbox.
"""

from __future__ import annotations

import imaplib
import re
import ssl
from typing import Final

from app.correspondence.raw import MAIL_BYTES_MAX

SECONDS_MAX: Final = 30.0  # of one read from the server
# One byte more than a mail may have, so that a larger one is cut and lands in the pen as too large.
FETCHED_BYTES_MAX: Final = MAIL_BYTES_MAX + 1
ANSWER_BYTES_MAX: Final = FETCHED_BYTES_MAX + 65_536
_UID = re.compile(rb"UID (\d+)")


class ImapTrouble(Exception):
    """The server is away, refuses us or does not keep the protocol; the next visit tries again."""


class _Limited:
    """A server may announce a literal of any size; ours is read up to a limit."""

    def read(self, size: int) -> bytes:
        if size > ANSWER_BYTES_MAX:
            raise imaplib.IMAP4.abort("an answer of impossible length")
        return super().read(size)  # type: ignore[misc,no-any-return]  # of the IMAP4 class beside it


class _Plain(_Limited, imaplib.IMAP4):
    pass


class _Tls(_Limited, imaplib.IMAP4_SSL):
    pass


class ImapSession:
    """Signed in, with the mailbox open. Every method raises ImapTrouble."""

    def __init__(
        self, host: str, port: int, user: str, password: str, mailbox: str, *, tls: bool
    ) -> None:
        try:
            if tls:
                context = ssl.create_default_context()
                self._server: imaplib.IMAP4 = _Tls(
                    host, port, ssl_context=context, timeout=SECONDS_MAX
                )
            else:
                self._server = _Plain(host, port, timeout=SECONDS_MAX)
            self._server.login(user, password)
            self.uid_validity = self._open(mailbox)
        except (imaplib.IMAP4.error, OSError, ValueError) as trouble:
            raise ImapTrouble(_why(trouble)) from None

    def uids_after(self, last: int) -> list[int]:
        """What lies behind the last one seen, oldest first."""
        found = self._ask("SEARCH", "UID", f"{last + 1}:*")
        numbers = [int(n) for part in found if isinstance(part, bytes) for n in part.split()]
        # `n:*` names the newest mail even where its number is smaller than n (RFC 3501 6.4.8).
        return sorted(n for n in numbers if n > last)

    def mail(self, uid: int) -> bytes | None:
        """Its bytes, at most FETCHED_BYTES_MAX; None: another client took it away."""
        found = self._ask("FETCH", str(uid), f"(UID BODY.PEEK[]<0.{FETCHED_BYTES_MAX}>)")
        for part in found:
            if isinstance(part, tuple) and (named := _UID.search(part[0])) and int(named[1]) == uid:
                return bytes(part[1])
        return None

    def holds(self, message_id: str) -> bool:
        """Whether a mail of this Message-ID lies there."""
        quoted = message_id.replace("\\", "").replace('"', "")
        found = self._ask("SEARCH", "HEADER", "Message-ID", f'"{quoted}"')
        return any(part for part in found if isinstance(part, bytes) and part.split())

    def close(self) -> None:
        try:
            self._server.logout()
        except (imaplib.IMAP4.error, OSError):
            self._server.shutdown()

    def _open(self, mailbox: str) -> int:
        name = '"' + mailbox.replace("\\", "\\\\").replace('"', '\\"') + '"'
        status, _ = self._server.select(name, readonly=True)
        _, validity = self._server.response("UIDVALIDITY")
        if status != "OK" or not validity or validity[0] is None:
            raise ImapTrouble("the mailbox cannot be opened")
        return int(validity[0])

    def _ask(self, command: str, *arguments: str) -> list[bytes | tuple[bytes, bytes] | None]:
        try:
            status, found = self._server.uid(command, *arguments)
        except (imaplib.IMAP4.error, OSError, ValueError) as trouble:
            raise ImapTrouble(_why(trouble)) from None
        if status != "OK":
            raise ImapTrouble(f"{command} was refused")
        return list(found)


def _why(trouble: Exception) -> str:
    """Without what the server said: it may repeat our own words, the password among them."""
    return f"IMAP: {type(trouble).__name__}"
