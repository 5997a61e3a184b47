"""Signing and revoking a mandate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app import engine
from app.authorisation import Principal
from app.cases.access import check_sent, is_staff, own_case, own_claimant
from app.cases.queries import read_case_row
from app.crypto import Keyring
from app.domain.counting import Period, plus
from app.domain.errors import Conflict, NotFound, StartNeeded
from app.domain.events import MandateRevoked, MandateSigned, StartAsked
from app.domain.gates import LEVELS
from app.domain.periods import place
from app.domain.playbook import Playbook
from app.domain.signatures import rank
from app.fields import FieldError, FieldsRefused
from app.ids import new_id
from app.mandates.acting import check_paper, check_signer, keep_signer, signing_claimant
from app.mandates.schemas import Level, MandateIn, StartIn, SummaryOut
from app.mandates.summary import TEXT_VERSION, fee_rule, summary_of
from app.moment import Moment, read_moment
from app.playbooks import book
from app.tables.cases import ClaimantRow
from app.tables.work import MandateDocumentRow, MandateRow, MandateStartRow

WITHDRAWAL_DAYS = 14
SCOPE = ["claim", "complain", "receive_answers"]
RECEIVE_MONEY = "receive_money"
FILED_BY_STAFF = ("wet_ink", "qualified")


class TextChanged(Conflict):
    """The signer was shown another version of the text."""

    code = "mandate_text_changed"


class AlreadySigned(Conflict):
    code = "mandate_already_signed"


@dataclass(frozen=True, slots=True)
class Proof:
    """From where a signature came, for who doubts it later."""

    address: str | None
    user_agent: str

    def to_document(self, signer: Principal) -> dict[str, str | None]:
        """A consumer's session was opened by a link sent to the mail address on file."""
        session = str(signer.session_id) if signer.session_id else None
        return {"address": self.address, "user_agent": self.user_agent, "session": session}


@dataclass(frozen=True, slots=True)
class Signed:
    mandate_id: UUID
    signed_at: datetime


async def sign(
    session: AsyncSession,
    keyring: Keyring,
    principal: Principal,
    case_id: UUID,
    body: MandateIn,
    sent: int | None,
    proof: Proof,
) -> Signed:
    """Stores the signature with the summary exactly as it was shown.

    Who did not ask us to begin at once is not acted for until the time to withdraw is over.

    Raises TextChanged when the text moved on, AlreadySigned, FieldsRefused, TransitionRefused.
    """
    case = await own_case(session, principal, case_id, lock=True)
    check_sent(case, sent)
    claimant = await signing_claimant(session, principal, case_id, body)
    _check_level(principal, body)
    if claimant.mandate == "signed" and rank(body.level) <= rank(claimant.level):
        raise AlreadySigned("this claimant has signed already")
    moment = await read_moment(session)
    today = book.local_day(case.playbook, moment.now)
    await check_signer(session, keyring, principal, claimant, body, today)
    if body.evidence_id is not None:
        await check_paper(session, case.id, body.evidence_id, "/evidence_id")
    summary = await page_shown(session, principal, case_id, body)
    _check_strength(body, summary.mandate_level)
    mandate_id, until = new_id(), valid_until(moment.profile, body, today)
    await _end_weaker(session, claimant, moment.now)
    await session.execute(
        insert(MandateRow).values(
            id=mandate_id, case_id=case.id, claimant_id=claimant.id, filed_by=principal.actor,
            proof=proof.to_document(principal), signed_at=moment.now, revoked_at=None,
            start_asked_at=moment.now if body.start_now else None, valid_until=until,
            **_signed(body, summary),
        )
    )  # fmt: skip
    if body.acting is not None:
        await keep_signer(session, mandate_id, body.acting)
    if body.start_now:
        await keep_start(session, principal, mandate_id, summary, moment.now, proof)
        waits = None
    else:
        waits = withdrawal_ends(book.get(case.playbook), moment.now)
    if claimant.mandate == "signed":  # a stronger signature neither starts nor stops the wait
        waits = claimant.waits_until
    signed = MandateSigned(claimant.id, mandate_id, body.receives_money, waits, body.level, until)
    await _tell(session, case.id, signed, principal.actor, moment)
    return Signed(mandate_id, moment.now)


async def _end_weaker(session: AsyncSession, claimant: Any, at: datetime) -> None:
    """A stronger signature takes the place of the one before; its links and letters stand."""
    await session.execute(
        update(MandateRow)
        .where(MandateRow.claimant_id == claimant.id, MandateRow.revoked_at.is_(None))
        .values(revoked_at=at)
    )


def valid_until(profile: Mapping[str, Any], body: MandateIn, today: date) -> date | None:
    """The last day of a mandate: the agency's, or the authority's of who signs for another."""
    months = profile.get("mandate_months")
    ends = [plus(today, Period(int(months), "months"))] if months else []
    if body.acting is not None and body.acting.valid_until is not None:
        ends.append(body.acting.valid_until)
    return min(ends, default=None)


def _signed(body: MandateIn, summary: SummaryOut) -> dict[str, Any]:
    """What was signed: the text, the scope and the whole page as it was shown."""
    rule = fee_rule()
    return {
        "level": body.level,
        "drawing": body.drawing,
        "evidence_id": body.evidence_id,
        "signed_name": body.signed_name,
        "text_version": body.text_version,
        "text_sha256": summary.text_sha256,
        "fee_rule": f"{rule.id}@{rule.version}",
        "scope": [*SCOPE, *([RECEIVE_MONEY] if body.receives_money else [])],
        "receives_money": body.receives_money,
        "shown": summary.model_dump(mode="json") | {"fee_rule_document": rule.to_document()},
    }


async def page_shown(
    session: AsyncSession, principal: Principal, case_id: UUID, body: MandateIn
) -> SummaryOut:
    """The page the signer read, if it still reads so. Raises TextChanged."""
    row = await read_case_row(session, principal, case_id)
    page = summary_of(row, body.summary_language)
    if (body.text_version, body.summary_sha256) != (TEXT_VERSION, page.page_sha256):
        raise TextChanged(
            "the page has changed since it was shown; read the summary again", current=TEXT_VERSION
        )
    return page


async def keep_start(
    session: AsyncSession, principal: Principal, mandate_id: UUID, page: SummaryOut, at: datetime,
    proof: Proof,
) -> None:  # fmt: skip
    """The request to begin at once, apart from the mandate, as it was shown."""
    await session.execute(
        insert(MandateStartRow).values(
            id=new_id(), mandate_id=mandate_id, asked_at=at, asked_by=principal.actor,
            language=page.language, text=page.start_now_text,
            text_sha256=page.start_now_sha256, proof=proof.to_document(principal),
        )
    )  # fmt: skip


async def _tell(
    session: AsyncSession, case_id: UUID, signed: MandateSigned, actor: str, moment: Moment
) -> None:
    try:
        await engine.advance(session, case_id, signed, actor=actor, moment=moment)
    except StartNeeded as refused:
        raise FieldsRefused(
            FieldError(
                "/start_now",
                refused.message,
                StartNeeded.code,
            )
        ) from refused


def withdrawal_ends(playbook: Playbook, signed_at: datetime) -> datetime:
    """The first instant after the period in which a consumer may withdraw: whole days after the
    day of signing, to the end of the last; one that is no working day moves on (Directive
    2011/83/EU, article 9; Regulation 1182/71)."""
    zone = ZoneInfo(playbook.zone)
    counted = place(playbook.zone, book.calendar(playbook), playbook.regime)
    last = signed_at.astimezone(zone).date() + timedelta(days=WITHDRAWAL_DAYS)
    last = counted.next_working_day(last)
    return datetime.combine(last + timedelta(days=1), time(), tzinfo=zone)


def _check_level(principal: Principal, body: MandateIn) -> None:
    """What has to be looked at (paper, a signed file, an authority) is filed by who looked at it;
    everything else is done by the signer. A drawn signature has its strokes, a qualified one its
    file."""
    authority = body.acting is not None and body.acting.evidence_id is not None
    if is_staff(principal) != (body.level in FILED_BY_STAFF or authority):
        raise FieldsRefused(
            FieldError(
                "/level",
                "staff file paper originals (wet_ink), qualified signatures and those of proxies,"
                " signers the others",
                "level_not_yours",
            )
        )
    if (body.level == "drawn") != (body.drawing is not None):
        raise FieldsRefused(
            FieldError("/drawing", "a drawn signature, and only one, has strokes", "drawing_needed")
        )
    if body.level == "qualified" and body.evidence_id is None:
        raise FieldsRefused(
            FieldError("/evidence_id", "name the signed file of the case", "signed_file_needed")
        )


def _check_strength(body: MandateIn, needed: Level) -> None:
    """A weaker signature than the other side takes would be sent back with our first letter."""
    if LEVELS.index(body.level) < LEVELS.index(needed):
        raise FieldsRefused(
            FieldError(
                "/level",
                f"the company or the body of this case takes no signature below: {needed}",
                "level_too_weak",
            )
        )


async def ask_to_begin(
    session: AsyncSession, principal: Principal, case_id: UUID, mandate_id: UUID, body: StartIn,
    proof: Proof,
) -> tuple[datetime, str]:  # fmt: skip
    """The signer's later request not to wait. Returns its time and its words.

    Raises NotFound, TextChanged, Conflict when nobody waits.
    """
    case = await own_case(session, principal, case_id, lock=True)
    mandate = await session.get(MandateRow, mandate_id)
    if mandate is None or mandate.case_id != case.id:
        raise NotFound("there is no such mandate", code="mandate_not_found")
    claimant = await own_claimant(session, principal, case_id, mandate.claimant_id)
    if mandate.revoked_at is not None:
        raise Conflict("this mandate was revoked already", code="mandate_revoked")
    if claimant.waits_until is None:
        raise Conflict("we act under this mandate already", code="already_begun")
    page = summary_of(await read_case_row(session, principal, case_id), body.language)
    if body.start_now_sha256 != page.start_now_sha256:
        raise TextChanged("the text has changed since it was shown; read it again")
    moment = await read_moment(session)
    await keep_start(session, principal, mandate_id, page, moment.now, proof)
    await engine.advance(
        session, case.id, StartAsked(claimant.id), actor=principal.actor, moment=moment
    )
    return moment.now, page.start_now_text


async def revoke(
    session: AsyncSession, principal: Principal, case_id: UUID, mandate_id: UUID, sent: int | None
) -> None:
    """Takes a mandate back: what has not left stops. Raises NotFound, Conflict."""
    case = await own_case(session, principal, case_id, lock=True)
    check_sent(case, sent)
    query = select(MandateRow).where(MandateRow.id == mandate_id, MandateRow.case_id == case_id)
    if principal.kind == "consumer":
        query = query.join(ClaimantRow, ClaimantRow.id == MandateRow.claimant_id).where(
            ClaimantRow.consumer_id == principal.id
        )
    mandate = (await session.execute(query)).scalar_one_or_none()
    if mandate is None:
        raise NotFound("there is no such mandate", code="mandate_not_found")
    if mandate.revoked_at is not None:
        raise Conflict("this mandate was revoked already", code="mandate_revoked")
    await engine.advance(
        session, case.id, MandateRevoked(mandate.claimant_id), actor=principal.actor,
        moment=await read_moment(session),
    )  # fmt: skip


async def document_of(
    session: AsyncSession, principal: Principal, case_id: UUID, mandate_id: UUID
) -> MandateDocumentRow:
    """The stored document of a mandate: a consumer's own only. Raises NotFound."""
    await own_case(session, principal, case_id)
    query = (
        select(MandateDocumentRow)
        .join(MandateRow, MandateRow.id == MandateDocumentRow.mandate_id)
        .where(MandateRow.id == mandate_id, MandateRow.case_id == case_id)
    )
    if principal.kind == "consumer":
        query = query.join(ClaimantRow, ClaimantRow.id == MandateRow.claimant_id).where(
            ClaimantRow.consumer_id == principal.id
        )
    row = (await session.execute(query)).scalar_one_or_none()
    if row is None:
        raise NotFound(
            "there is no such document; right after signing it takes some moments",
            code="mandate_document_not_found",
        )
    return row
