"""A letter through a company's web form: prepared for a person to copy, never filled in by us.

What goes into which field stands with the company's channel; filing is proven by the portal's
ticket number or a screenshot.
"""

from __future__ import annotations

import uuid
from typing import Any, Final

from sqlalchemy import insert, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from app.authorisation import Principal, case_scope
from app.case_change import CaseChange
from app.casework.portal_schemas import FieldOut, FileOut, PortalFiledIn, PortalWorkOut
from app.domain.decision import TaskKind
from app.domain.errors import Conflict, InvalidInput, NotFound
from app.domain.events import LetterHandedOver
from app.ids import new_id
from app.reply_address import AddressBook
from app.tables.cases import CaseRow
from app.tables.correspondence import MessageRow
from app.tables.portal import PortalFilingRow
from app.tables.work import EvidenceRow
from app.texts import Words, words

PORTAL: Final = "portal"
GONE: Final = ("handed_over", "delivered", "bounced")
_CHANNEL = text("""
    SELECT h.id, h.address, h.form FROM channels h
     WHERE h.company_id = :company AND h.kind = 'portal' AND h.health IN ('alive', 'degraded')
     ORDER BY h.official DESC, h.health, h.created_at, h.id LIMIT 1
""")
_LETTER = text("""
    SELECT l.id, l.kind, l.n, l.state, l.channel, l.sha256, v.subject, v.language, v.deadline,
           c.reference, c.booking_ref, c.currency, c.claimed_minor, c.money, c.company_id,
           c.pauses <> '[]' AS paused
      FROM letters l JOIN cases c ON c.id = l.case_id
      LEFT JOIN letter_versions v ON v.letter_id = l.id AND v.n = l.n
     WHERE l.id = :letter AND l.case_id = :case AND l.recipient = 'company'
""")
_PEOPLE = text("""
    SELECT p.name, l.mandate FROM claimants l JOIN consumers p ON p.id = l.consumer_id
     WHERE l.case_id = :case ORDER BY l.position
""")
_TASKS = text("""
    SELECT key FROM tasks WHERE case_id = :case AND kind = 'file_at_portal' AND state = 'open'
""")


async def prepared(
    session: AsyncSession, caller: Principal, case_id: uuid.UUID, letter_id: uuid.UUID,
    addresses: AddressBook,
) -> PortalWorkOut:  # fmt: skip
    """What to copy where. Raises NotFound; Conflict when nobody may file it now."""
    seen = select(CaseRow.id).where(CaseRow.id == case_id, case_scope(caller))
    if await session.scalar(seen) is None:
        raise NotFound("there is no such case", code="case_not_found")
    letter = await _letter(session, case_id, letter_id)
    people = list(await session.execute(_PEOPLE, {"case": case_id}))
    await _open_task(session, case_id, letter)
    if letter.paused or any(p.mandate != "signed" for p in people):
        raise Conflict(
            "the case stands still or a mandate is missing: nothing may be filed now",
            code="not_to_be_filed",
        )
    channel = await _channel(session, letter.company_id)
    profile = await session.scalar(
        text("SELECT profile FROM agency_profiles ORDER BY version DESC LIMIT 1")
    )
    say = words(letter.language or "en")
    names = ", ".join(p.name for p in people)
    values = _values(letter, names, (profile or {}).get("name", ""), addresses, say)
    return PortalWorkOut(
        letter_id=letter.id, address=channel.address, language=say.language,
        message=values["message"],
        fields=[_field(line, values) for line in channel.form],
        letter_pdf=f"/v1/cases/{case_id}/letters/{letter_id}/pdf", letter_sha256=letter.sha256,
        files=[
            FileOut(id=row.id, what=row.what, file_name=row.file_name)
            for row in await session.execute(
                select(EvidenceRow.id, EvidenceRow.what, EvidenceRow.file_name)
                .where(EvidenceRow.case_id == case_id).order_by(EvidenceRow.id)
            )
        ],
    )  # fmt: skip


def _values(
    letter: Any, names: str, agency: str, addresses: AddressBook, say: Words
) -> dict[str, str]:
    came = sum(int(letter.money.get(part, 0)) for part in ("received", "direct", "voucher"))
    reply = addresses.case_address(letter.reference)
    minor = max(0, letter.claimed_minor - came)
    params = {
        "claimants": names, "sum": minor, "reference": letter.reference, "agency": agency,
        "booking": letter.booking_ref, "reply": reply, "day": letter.deadline,
    }  # fmt: skip
    lines = ["who", "sum", "booking", "ask" if letter.deadline else "ask_undated"]
    left_out = {"sum": minor == 0, "booking": not letter.booking_ref}
    return {
        "message": "\n".join(
            say.say("portal", line, params, currency=letter.currency)
            for line in lines
            if not left_out.get(line)
        ),
        "subject": letter.subject or letter.reference, "reference": letter.reference,
        "booking": letter.booking_ref or "", "claimants": names, "reply_address": reply,
        "amount": say.money(minor, letter.currency), "currency": letter.currency, "agency": agency,
        "letter": f"{letter.reference}-{letter.kind}.pdf",
    }  # fmt: skip


def _field(line: dict[str, Any], values: dict[str, str]) -> FieldOut:
    takes = line["takes"]
    copied = values[takes] if takes is not None else line["text"]
    return FieldOut(field=line["field"], takes=takes, text=copied)


async def filed(change: CaseChange, letter_id: uuid.UUID, body: PortalFiledIn) -> None:
    """A person filed it: as good as sent, with its proof. The ladder starts the clock by its rule;
    of a copy for the official form it hears nothing. Raises NotFound, Conflict, InvalidInput."""
    letter = await _letter(change.session, change.case.id, letter_id)
    if body.at > change.now:
        raise InvalidInput("the filing lies in the future", code="date_in_future", field="at")
    await _check_screenshot(change, body.screenshot_id)
    task = await _open_task(change.session, change.case.id, letter)
    channel = await _channel(change.session, letter.company_id)
    await change.session.execute(insert(PortalFilingRow).values(
        id=new_id(), case_id=change.case.id, letter_id=letter_id, channel_id=channel.id,
        ticket_number=body.ticket_number, screenshot_id=body.screenshot_id,
        filed_by=change.actor, filed_at=body.at,
    ))  # fmt: skip
    copy = task.startswith("copy:")
    await change.session.execute(insert(MessageRow).values(
        id=new_id(), case_id=change.case.id, direction="out", channel=PORTAL, sender="us",
        letter_id=None if copy else letter_id, from_address="", to_address=channel.address,
        subject=letter.subject or "", text=body.ticket_number or "", automatic=False,
        state="sent", pen_reasons=[], received_at=body.at,
    ))  # fmt: skip
    if copy:
        await change.finish_task(TaskKind.FILE_AT_PORTAL, task)
        await change.amend("filed_at_official_portal", letter=letter.kind)
        return
    # The portal's own number says that the recipient's system has it; a picture of ours does not.
    await change.advance(LetterHandedOver(
        letter_id=letter_id, at=body.at, provider=PORTAL,
        recipient_server=body.ticket_number is not None,
    ))  # fmt: skip


async def _letter(session: AsyncSession, case_id: uuid.UUID, letter_id: uuid.UUID) -> Any:
    row = (await session.execute(_LETTER, {"letter": letter_id, "case": case_id})).one_or_none()
    if row is None:
        raise NotFound("there is no such letter on this case", code="letter_not_found")
    return row


async def _open_task(session: AsyncSession, case_id: uuid.UUID, letter: Any) -> str:
    """The key of the task that asks for this filing; without one nobody is to file anything."""
    keys = set((await session.execute(_TASKS, {"case": case_id})).scalars())
    for key in (f"{letter.id}:{letter.n}", f"copy:{letter.id}"):
        if key in keys:
            return key
    raise Conflict("this letter does not wait for a web form", code="not_to_be_filed")


async def _channel(session: AsyncSession, company_id: uuid.UUID) -> Any:
    row = (await session.execute(_CHANNEL, {"company": company_id})).one_or_none()
    if row is None:
        raise Conflict("this company has no web form that works", code="channel_not_working")
    return row


async def _check_screenshot(change: CaseChange, evidence_id: uuid.UUID | None) -> None:
    if evidence_id is None:
        return
    found = await change.session.scalar(
        select(EvidenceRow.id).where(
            EvidenceRow.id == evidence_id, EvidenceRow.case_id == change.case.id
        )
    )
    if found is None:
        raise InvalidInput(
            "there is no such file on this case: add the screenshot to it first",
            code="evidence_not_found",
            field="screenshot_id",
        )
