"""Letters in a person's hands: approve for one hash, return, record what became of paper."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from sqlalchemy import exists, select

from app.case_change import CaseChange
from app.casework.schemas import BouncedIn, DeliveredIn, SentIn
from app.channel_health import note_refusal
from app.domain.case import LetterKind
from app.domain.errors import Conflict, Forbidden, InvalidInput, NotFound
from app.domain.events import (
    LetterApproved,
    LetterBounced,
    LetterDelivered,
    LetterHandedOver,
    LetterReturned,
)
from app.exhibits.service import proof_of
from app.tables.cases import LetterRow
from app.tables.casework import AssessmentRow
from app.tables.work import TaskRow


class SeniorNeeded(Forbidden):
    code = "senior_needed"


class OwnWork(Forbidden):
    """Four eyes: who prepared or assessed does not release."""

    code = "own_work"


@dataclass(frozen=True, slots=True)
class LetterFacts:
    id: uuid.UUID
    kind: str
    state: str
    sha256: str | None
    prepared_by: str | None


class ProofGap(Conflict):
    """Something that must be proven has no exhibit, and nobody said why the complaint leaves."""

    code = "proof_gap"


async def approve(
    change: CaseChange, letter_id: uuid.UUID, sha256: str, gaps_reason: str | None = None
) -> None:
    """Raises SeniorNeeded, OwnWork, ProofGap, Conflict when the bytes are not those on file."""
    letter = await find_letter(change, letter_id)
    if await _needs_senior(change, letter):
        if not change.caller.has("senior"):
            raise SeniorNeeded(
                "a senior approves this letter: it is a complaint, or the claim"
                " lies above the approval line"
            )
        if await _own_work(change, letter):
            raise OwnWork("you prepared this; another senior approves it")
    if letter.sha256 != sha256:
        raise Conflict("the letter was made anew since you read it", code="letter_changed")
    if letter.kind == LetterKind.COMPLAINT:
        await _gaps_told(change, gaps_reason)
    await change.advance(
        LetterApproved(letter_id=letter.id, sha256=sha256, approved_by=change.actor)
    )


async def _gaps_told(change: CaseChange, reason: str | None) -> None:
    """Gaps never pass in silence: who approves says why, and it stays on the case."""
    open_ = (await proof_of(change.session, change.case.id, "en")).gaps
    if not open_:
        return
    if reason is None:
        raise ProofGap("no exhibit proves: " + ", ".join(open_), gaps=", ".join(open_))
    code = await change.note("proof_gap", reason)
    await change.amend("proof_gaps_accepted", gaps=", ".join(open_), reason=code)


async def _needs_senior(change: CaseChange, letter: LetterFacts) -> bool:
    """What the ladder asked for when it opened the task, and the rule itself, whichever is more.

    Above the agency profile's approval line a formal notice needs a senior; so does every
    complaint. A currency without a line has a line of nothing.
    """
    if letter.kind == LetterKind.COMPLAINT:
        return True
    line = change.moment.agency.approval_line_minor.get(change.case.currency)
    if letter.kind == LetterKind.FORMAL_NOTICE and (
        line is None or change.case.claimed_minor > line
    ):
        return True
    return bool(
        await change.session.scalar(
            select(
                exists().where(
                    TaskRow.case_id == change.case.id,
                    TaskRow.kind == "approve_letter",
                    TaskRow.state == "open",
                    TaskRow.subject_id == letter.id,
                    TaskRow.role == "senior",
                )
            )
        )
    )


async def _own_work(change: CaseChange, letter: LetterFacts) -> bool:
    if change.actor in (letter.prepared_by, change.case.prepared_by):
        return True
    return bool(
        await change.session.scalar(
            select(
                exists().where(
                    AssessmentRow.case_id == change.case.id,
                    AssessmentRow.decided_by == change.actor,
                )
            )
        )
    )


async def give_back(change: CaseChange, letter_id: uuid.UUID, reason: str) -> None:
    letter = await find_letter(change, letter_id)
    code = await change.note("letter_returned", reason)
    await change.advance(LetterReturned(letter_id=letter.id, reason=code, returned_by=change.actor))


async def sent(change: CaseChange, letter_id: uuid.UUID, body: SentIn) -> None:
    """What left without us: the consumer pressed send at the body, or a person posted it."""
    letter = await find_letter(change, letter_id)
    if body.at > change.now:
        raise InvalidInput("the sending lies in the future", code="date_in_future", field="at")
    await change.advance(LetterHandedOver(letter_id=letter.id, at=body.at, provider=body.by))


async def delivered(change: CaseChange, letter_id: uuid.UUID, body: DeliveredIn) -> None:
    """The postal receipt or the phone confirmation that starts the legal clock."""
    letter = await find_letter(change, letter_id)
    if body.at > change.now:
        raise InvalidInput("the delivery lies in the future", code="date_in_future", field="at")
    await change.advance(LetterDelivered(letter_id=letter.id, at=body.at, grade=body.grade))


async def bounced(change: CaseChange, letter_id: uuid.UUID, body: BouncedIn) -> None:
    letter = await find_letter(change, letter_id)
    code = await change.note("letter_bounced", body.reason)
    await note_refusal(
        change.session, letter.id, dead=body.hard, error="came back, by a person's word",
        at=body.at or change.now,
    )  # fmt: skip
    await change.advance(LetterBounced(letter_id=letter.id, hard=body.hard, reason=code))


async def find_letter(change: CaseChange, letter_id: uuid.UUID) -> LetterFacts:
    """A letter of this very case: an id of another case is as unknown as none."""
    row = (
        (
            await change.session.execute(
                select(
                    LetterRow.id,
                    LetterRow.kind,
                    LetterRow.state,
                    LetterRow.sha256,
                    LetterRow.prepared_by,
                ).where(LetterRow.id == letter_id, LetterRow.case_id == change.case.id)
            )
        )
        .mappings()
        .one_or_none()
    )
    if row is None:
        raise NotFound("there is no such letter on this case", code="letter_not_found")
    return LetterFacts(**row)
