"""Makes the bytes of outgoing mail: deterministic for an effect, safe in every header."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from typing import Final
from uuid import UUID

from app.crypto import SubjectCipher
from app.documents.sealing import DocumentKey
from app.reply_address import AddressBook
from app.settings import Settings
from workers.mail_html import html_of
from workers.mail_policy import SEVEN_BIT
from workers.providers.errors import Refused
from workers.providers.smtp import OutgoingMail

SUBJECT_LENGTH_MAX = 200  # characters
_LINE_BREAKS = re.compile(r"[\r\n\t\x00-\x1f]+")

ATTACHED_AS: Final = {"pdf": "application/pdf", "csv": "text/csv"}  # by the ending of our names


@dataclass(frozen=True, slots=True)
class Draft:
    """A mail to one person. `automatic` is auto-generated, auto-replied or "" (a person's or a
    letter's, RFC 3834)."""

    effect_id: UUID
    to_name: str
    to_address: str
    subject: str
    text: str
    at: datetime
    from_name: str
    reply_to: str | None = None
    automatic: str = "auto-generated"
    in_reply_to: str | None = None
    attachments: Sequence[tuple[str, bytes]] = ()  # (file name, bytes)
    headers: dict[str, str] = field(default_factory=dict)
    language: str = "en"
    secret: bool = False  # carries a key to an account: no copy goes to the archive
    person: SubjectCipher | None = None  # of the consumer it goes to: seals the address on file
    document_key: DocumentKey | None = None  # of the stored document it carries


def address_book(settings: Settings) -> AddressBook:
    return AddressBook(settings.secret_key.get_secret_value(), settings.mail_domain)


def compose(draft: Draft, settings: Settings) -> OutgoingMail:
    """The mail, ready to hand over. Raises Refused for an address that cannot be written to."""
    book = address_book(settings)
    to = wire_address(draft.to_address)
    sender = draft.reply_to or settings.mail_from or f"notifications@{settings.mail_domain}"
    message = EmailMessage(policy=SEVEN_BIT)
    message["From"] = Address(one_line(draft.from_name), addr_spec=sender)
    message["To"] = Address(one_line(draft.to_name), addr_spec=to)
    message["Subject"] = one_line(draft.subject)[:SUBJECT_LENGTH_MAX]
    message["Date"] = draft.at
    message_id = book.message_id(draft.effect_id)
    message["Message-ID"] = message_id
    if draft.reply_to:
        message["Reply-To"] = draft.reply_to
    if draft.automatic:
        message["Auto-Submitted"] = draft.automatic
        message["X-Auto-Response-Suppress"] = "All"
    if draft.in_reply_to:
        message["In-Reply-To"] = one_line(draft.in_reply_to)
        message["References"] = one_line(draft.in_reply_to)
    for name, value in draft.headers.items():
        message[name] = one_line(value)
    message.set_content(draft.text)
    # Boundaries are given, not drawn by lot: the same bytes for the same effect.
    boundary = f"=_{draft.effect_id.hex}"
    message.make_alternative(boundary=f"{boundary}.{1 if draft.attachments else 0}")
    page = html_of(draft.text, language=draft.language, our_url=settings.public_url)
    message.add_alternative(page, subtype="html")
    if draft.attachments:
        message.make_mixed(boundary=f"{boundary}.0")
    for name, content in draft.attachments:
        kind, _, subkind = ATTACHED_AS[name.rpartition(".")[2]].partition("/")
        message.add_attachment(content, maintype=kind, subtype=subkind, filename=name)
    return OutgoingMail(
        message_id=message_id, envelope_from=book.bounce_address(draft.effect_id), to=to,
        data=message.as_bytes(), key=draft.effect_id.hex,
        copy_to=None if draft.secret else settings.archive_address,
    )  # fmt: skip


def one_line(text: str) -> str:
    """No header can be smuggled in by a name or a subject."""
    return _LINE_BREAKS.sub(" ", text).strip()


def wire_address(address: str) -> str:
    """The address in plain ASCII: an international domain becomes its IDNA form; a local part
    beyond ASCII would need an extension that many servers lack."""
    local, at, domain = address.strip().rpartition("@")
    try:
        plain = f"{local.encode('ascii').decode()}@{domain.encode('idna').decode()}"
    except UnicodeError:
        raise Refused("the address needs SMTPUTF8") from None
    if not at or not local or not domain or re.search(r"[\s<>\",;\\\x00-\x1f]", plain):
        raise Refused("the address is not one")
    return plain
