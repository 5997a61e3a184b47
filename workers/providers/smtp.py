"""Outgoing mail over SMTP. The protocol has no keys, so where a line breaks decides everything:

before the final dot was written nothing was sent and the mail may be tried again; after it, the
outcome is unknown (RFC 1047) and nothing is repeated by itself.
"""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass

import aiosmtplib
import structlog
from aiosmtplib.errors import SMTPException, SMTPResponseException
from aiosmtplib.protocol import SMTPProtocol

from app.settings import Settings
from workers.providers.delivery import Delivery, Guard
from workers.providers.errors import OutcomeUnknown, Refused, Transient

log = structlog.get_logger(__name__)
CONNECT_SECONDS_MAX = 30.0
COMMAND_SECONDS_MAX = 300.0  # RFC 5321 4.5.3.2: five minutes for MAIL and RCPT
BUFFER_LOOK_SECONDS = 0.005
# aiosmtplib raises SMTPTimeoutError and SMTPServerDisconnected as SMTPException too.
BROKEN = (SMTPException, OSError, asyncio.TimeoutError, EOFError)
_BARE_LINE_END = re.compile(rb"\r\n|\r|\n")
_LEADING_DOT = re.compile(rb"(?m)^\.")


@dataclass(frozen=True, slots=True)
class OutgoingMail:
    """One mail to one person: per-recipient answers need a mail each. `copy_to` is our archive,
    `key` what reports name the mail by (ENVID)."""

    message_id: str
    envelope_from: str
    to: str
    data: bytes
    key: str = ""
    copy_to: str | None = None


class SmtpMail:
    """The mail server named in the settings; one connection per mail."""

    name = "smtp"
    key_window_seconds: float | None = None

    def __init__(self, settings: Settings, *, connect_seconds: float = CONNECT_SECONDS_MAX) -> None:
        self._settings = settings
        self._connect_seconds = connect_seconds

    async def send(self, mail: OutgoingMail, *, guard: Guard) -> Delivery:
        """Raises Refused (5xx), Transient (4xx, no connection), OutcomeUnknown (lost after the
        final dot), LeaseLost."""
        s = self._settings
        smtp = aiosmtplib.SMTP(
            hostname=s.smtp_host, port=s.smtp_port, use_tls=s.smtp_tls,
            local_hostname=s.mail_domain,
            start_tls=True if s.smtp_starttls else None if s.is_production else False,
            timeout=self._connect_seconds, username=s.smtp_user,
            password=s.smtp_password.get_secret_value() if s.smtp_password else None,
        )  # fmt: skip
        try:
            await self._envelope(smtp, mail)
            return await self._body(smtp, mail, guard)
        finally:
            smtp.close()

    async def _envelope(self, smtp: aiosmtplib.SMTP, mail: OutgoingMail) -> None:
        try:
            await self._greet(smtp, mail)
            await smtp.rcpt(mail.to, options=_receipt_options(smtp, mail))
            await self._copy(smtp, mail)
            start = await smtp.execute_command(b"DATA")
        except SMTPResponseException as answer:
            raise _refusal(answer.code, answer.message) from None
        except BROKEN as broken:
            raise Transient(f"no connection: {type(broken).__name__}") from None
        if start.code != 354:
            raise _refusal(start.code, start.message)

    async def _greet(self, smtp: aiosmtplib.SMTP, mail: OutgoingMail) -> None:
        """A refusal here is about us (our password, our sender), never about the recipient."""
        try:
            await smtp.connect()
            smtp.timeout = COMMAND_SECONDS_MAX
            if smtp.is_ehlo_or_helo_needed:
                await smtp.ehlo()  # what it offers decides what we ask for
            await smtp.mail(mail.envelope_from, options=_report_options(smtp, mail))
        except SMTPResponseException as answer:
            words = f"our mail server refuses us: {answer.code} {answer.message}"
            raise Transient(_without_addresses(words)[:200]) from None

    async def _copy(self, smtp: aiosmtplib.SMTP, mail: OutgoingMail) -> None:
        """The archive hears of the mail in the same breath. That it refuses holds no letter up."""
        if mail.copy_to is None:
            return
        options = ["NOTIFY=NEVER"] if smtp.supports_extension("dsn") else []
        try:
            await smtp.rcpt(mail.copy_to, options=options)
        except aiosmtplib.SMTPRecipientRefused as refused:
            log.error("archive_refuses_copies", code=refused.code)

    async def _body(self, smtp: aiosmtplib.SMTP, mail: OutgoingMail, guard: Guard) -> Delivery:
        protocol = smtp.protocol
        try:
            assert protocol is not None, "DATA was answered"
            protocol.write(on_the_wire(mail.data))
            # The dot follows only when the system has taken the body, so that a break before it is
            # known to be one.
            while _unsent(protocol):  # noqa: ASYNC110  # a transport has no event for "all taken"
                await asyncio.sleep(BUFFER_LOOK_SECONDS)
        except BROKEN as broken:
            raise Transient(f"broken in the body: {type(broken).__name__}") from None
        if not protocol.is_connected:
            raise Transient("broken in the body")
        guard()
        try:
            protocol._response_pending = True  # as its own execute_data_command does
            protocol.write(b".\r\n")
            answer = await protocol.read_response(
                timeout=float(self._settings.smtp_timeout_seconds)
            )
        except BROKEN as broken:
            raise OutcomeUnknown(f"lost after the final dot: {type(broken).__name__}") from None
        if answer.code // 100 != 2:
            raise _refusal(answer.code, answer.message)
        return Delivery(self.name, mail.message_id, detail=f"{answer.code} {answer.message}"[:200])


def _report_options(smtp: aiosmtplib.SMTP, mail: OutgoingMail) -> list[str]:
    """Reports of what became of the mail, from servers that offer them (RFC 3461)."""
    if not smtp.supports_extension("dsn") or not mail.key:
        return []
    return ["RET=HDRS", f"ENVID={_xtext(mail.key)}"]


def _receipt_options(smtp: aiosmtplib.SMTP, mail: OutgoingMail) -> list[str]:
    if not smtp.supports_extension("dsn"):
        return []
    return ["NOTIFY=SUCCESS,FAILURE,DELAY", f"ORCPT=rfc822;{_xtext(mail.to)}"]


def _xtext(value: str) -> str:
    """RFC 3461 4: what is not a plain character, `+` and `=` as hexadecimal."""
    return "".join(c if "!" <= c <= "~" and c not in "+=" else f"+{ord(c):02X}" for c in value)


def _unsent(protocol: SMTPProtocol) -> int:
    """Bytes the system has not taken yet; none when the line is gone."""
    transport = protocol.transport
    return transport.get_write_buffer_size() if isinstance(transport, asyncio.WriteTransport) else 0


def on_the_wire(data: bytes) -> bytes:
    """CRLF line ends, a last one, and dots at the start of lines doubled (RFC 5321 4.5.2)."""
    lines = _BARE_LINE_END.sub(b"\r\n", data)
    if not lines.endswith(b"\r\n"):
        lines += b"\r\n"
    return _LEADING_DOT.sub(b"..", lines)


def _refusal(code: int, message: str) -> Refused | Transient:
    """4xx may pass; everything else in answer to our mail is for good."""
    words = f"{code} {_without_addresses(message)}"[:200]
    return Transient(words) if 400 <= code < 500 else Refused(words)


def _without_addresses(text: str) -> str:
    """Servers quote the address; the journal keeps none."""
    return re.sub(r"\S+@\S+", "<address>", text)
