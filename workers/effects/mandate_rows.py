"""What a claimant signed, from the rows that keep it, as the document says it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.clock import business_now
from app.playbooks import book
from app.reply_address import AddressBook
from letters import content as words
from letters.content import LetterError, NetShown, PagePart, SignedMandate
from workers.effects.agency import read_agency
from workers.effects.people import Person, with_addresses
from workers.letter_content import agency_words
from workers.letter_words import country_in_words
from workers.mail import address_book
from workers.providers.errors import NoLongerWanted, ProviderError, Refused
from workers.tools import Tools

Row = Mapping[str, Any]
_MANDATES: Final = text("""
    SELECT m.*, s.text AS start_text, g.role AS acting_as, g.name AS acting, g.relation,
           p.case_id, p.id AS claimant_id, p.waits_until, p.mandate_id,
           u.id AS consumer_id, u.name, u.email, u.by_post, u.language, u.country,
           u.address_cipher, c.reference, c.playbook, c.jurisdiction, c.booking_ref
      FROM mandates m
      JOIN claimants p ON p.id = m.claimant_id
      JOIN consumers u ON u.id = p.consumer_id
      JOIN cases c ON c.id = m.case_id
      LEFT JOIN mandate_starts s ON s.mandate_id = m.id AND s.asked_at = m.signed_at
      LEFT JOIN mandate_signers g ON g.mandate_id = m.id
     WHERE m.id = ANY(:ids)
""")
# The parts of the page in the order they are shown, and where their sentences stand in it.
PARTS: Final[tuple[tuple[Any, tuple[str, ...]], ...]] = (
    ("service", ("service",)),
    ("steps", ("steps",)),
    ("alone", ("without_us",)),
    ("fee", ("fee", "no_fee_on", "nothing_due_if", "who_pays_whom")),
    ("withdrawal", ("withdrawal_right",)),
    ("leaving", ("leaving",)),
    ("late", ("if_we_are_late",)),
    ("start_now", ("start_now_text",)),
    ("complaint", ("complaint_about_us",)),
    ("data", ("data_use",)),
    ("public", ("public_at_body",)),
)


async def mandates_signed(
    tools: Tools, session: AsyncSession, ids: Sequence[UUID]
) -> dict[UUID, SignedMandate | ProviderError]:
    """By id of the mandate; a ProviderError where no document can be made."""
    rows = [dict(r) for r in (await session.execute(_MANDATES, {"ids": list(ids)})).mappings()]
    people = await with_addresses(session, tools.keyring, rows)
    profile, now = (await read_agency(session)).profile, await business_now(session)
    addresses = address_book(tools.settings)
    found: dict[UUID, SignedMandate | ProviderError] = {}
    for row, person in zip(rows, people, strict=True):
        if not row["shown"].get("page_sha256"):
            # Signed before the page was kept with its hash: nothing could be proved by it.
            found[row["id"]] = NoLongerWanted("the page of this mandate was not kept")
            continue
        try:
            found[row["id"]] = signed_content(row, person, profile, addresses, now)
        except LetterError as incomplete:
            found[row["id"]] = Refused(str(incomplete))
    return found


def signed_content(
    row: Row, person: Person, profile: Mapping[str, Any], addresses: AddressBook, now: datetime
) -> SignedMandate:
    """Pure: the document's content. Raises the refusals of letters.errors."""
    shown, zone = row["shown"], ZoneInfo(book.get(row["playbook"]).zone)
    there = row["signed_at"].astimezone(zone)
    today, proof = now.astimezone(zone).date(), row["proof"] or {}
    lines = person.address_lines or (country_in_words(person.country, shown["language"]),)
    texts = [shown["mandate_text"]]
    if row["receives_money"]:
        texts.append(shown["mandate_money_text"])
    return SignedMandate(
        language=shown["language"], dated=today, reference=row["reference"],
        booking_reference=row["booking_ref"],
        agency=agency_words(profile, row["jurisdiction"], today),
        reply_email=addresses.case_address(row["reference"]),
        recipient=words.Party(name=person.name, address_lines=lines[:7], email=person.email),
        claimants=(
            words.Claimant(
                name=person.name, address_lines=lines[:7],
                mandate_reference=f"M-{row['id'].hex[-10:].upper()}",
                mandate_signed_on=there.date(),
            ),
        ),
        service=row["reference"], chronology=(),
        delivery="post" if person.by_post else "email",
        mandate_texts=tuple(texts), signed_name=row["signed_name"], level=row["level"],
        signed_on=there.date(), signed_time=_time(row["signed_at"], zone),
        network_address=proof.get("address"), device=proof.get("user_agent"),
        text_version=row["text_version"], text_sha256=row["text_sha256"],
        page_sha256=shown["page_sha256"], fee_rule=row["fee_rule"],
        acting=row["acting"], acting_as=row["acting_as"], relation=row["relation"],
        drawing=row["drawing"], valid_until=row["valid_until"],
        start_text=row["start_text"], waits_until=_waits(row, zone),
        page=tuple(
            PagePart(heading=heading, lines=tuple(_lines(shown, names)))
            for heading, names in PARTS
        ),
        nets=tuple(
            NetShown(
                outcome=net["text"],
                recovered_minor=net["recovered"]["minor"] or None,
                fee_minor=net["our_fee"]["minor"] or None,
                vat_minor=net["vat_inside_fee"]["minor"] or None,
                yours_minor=net["you_get"]["minor"] or None,
            )
            for net in shown["net_amounts"]
        ),
        nets_currency=shown["claimed"]["currency"],
    )  # fmt: skip


def _time(at: datetime, zone: ZoneInfo) -> str:
    return f"{at.astimezone(zone):%H:%M:%S} {zone.key} ({at.astimezone(UTC):%H:%M:%S} UTC)"


def _waits(row: Row, zone: ZoneInfo) -> date | None:
    """The day on which we begin, for who did not ask us to begin at once."""
    if row["mandate_id"] != row["id"] or row["waits_until"] is None:
        return None
    return row["waits_until"].astimezone(zone).date()  # type: ignore[no-any-return]  # a row


def _lines(shown: Mapping[str, Any], names: Sequence[str]) -> list[str]:
    """The sentences of a part: a text, a list of texts, steps, or the fee with its explanation."""
    found: list[str] = []
    for name in names:
        value = shown[name]
        if isinstance(value, str):
            found.append(value)
        elif isinstance(value, Mapping):
            found.append(value["explanation"])
        else:
            found += [one if isinstance(one, str) else one["text"] for one in value]
    return found
