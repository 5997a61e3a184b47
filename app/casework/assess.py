"""Before the ladder: who the opponent is, what we ask, whether the case has merit."""

from __future__ import annotations

import uuid
from datetime import date

from sqlalchemy import insert, select

from app.case_change import CaseChange
from app.casework import gates
from app.casework.finding import CaseFinding, finding_of, keep
from app.casework.limitation import NO_LIMIT, TakenOver, taken_over
from app.casework.schemas import AssessmentIn, QuestionIn
from app.domain.case import BEFORE_MANDATE, Outcome, Stage
from app.domain.decision import TaskKind
from app.domain.errors import Conflict, InvalidInput, NotFound
from app.domain.events import CaseAccepted, CaseRejected, QuestionAsked
from app.domain.gates import GateState
from app.gates.rules import gate_rules
from app.ids import new_id
from app.playbooks import book
from app.tables.casework import AssessmentRow
from app.tables.people import CompanyRow
from app.tables.work import QuestionRow


class CompanyNotConfirmed(Conflict):
    """Nobody is written to before register number and status were looked up."""

    code = "company_not_confirmed"


class ConflictOfInterest(Conflict):
    code = "conflict_of_interest"


async def assess(change: CaseChange, body: AssessmentIn) -> None:
    """Accept or reject. Raises CompanyNotConfirmed, ConflictOfInterest, TransitionRefused."""
    mode, mode_reason = mode_for(change.case.currency, body.mode)
    today = book.local_day(change.case.playbook, change.now)
    found = await finding_of(
        change.session, change.case.id, change.now, body.first_written_complaint
    )
    held, limit = None, NO_LIMIT
    if body.decision == "accept":
        await _check_acceptance(change, body, today)
        limit = taken_over(body, found, book.get(found.playbook), change.caller, today)
        held = await gates.hold(change, body, found)
    else:
        _need(body, "outcome", "rule", "would_change")
    await change.session.execute(
        insert(AssessmentRow).values(
            id=new_id(),
            case_id=change.case.id,
            decision=body.decision,
            merit=body.merit,
            entry_stage=body.entry_stage,
            entry_reason=body.entry_reason,
            outcome=body.outcome,
            rule=body.rule,
            would_change=body.would_change,
            mode=mode,
            mode_reason=mode_reason,
            conflict_found=body.conflict_of_interest.found,
            conflict_words=body.conflict_of_interest.with_whom,
            opponent_role=body.opponent_role,
            gates=held.document(await _keep_words(change, held)) if held else [],
            decided_by=change.actor,
            decided_at=change.now,
        )
    )
    await keep(change, found)
    if body.limitation_reason is not None:
        await change.note("limitation", body.limitation_reason)
    if held is not None:
        await change.advance(await _accepted(change, body, mode, found, held, limit))
    else:
        await change.advance(await _rejected(change, body))
    await change.amend(
        "conflict_of_interest_checked",
        internal="1",
        found="yes" if body.conflict_of_interest.found else "no",
    )


def mode_for(currency: str, wanted: str | None) -> tuple[str, str]:
    """(mode, reason code). Mode A needs a tested payout rail, whatever the person wished."""
    if currency not in gate_rules().rails:
        return "B", "no_tested_payout_rail"
    return (wanted, "chosen") if wanted else ("A", "payout_rail_tested")


async def _check_acceptance(change: CaseChange, body: AssessmentIn, today: date) -> None:
    _need(body, "entry_stage", "entry_reason")
    if body.conflict_of_interest.found:
        raise ConflictOfInterest(
            "you have an interest of your own here: hand the case to a colleague, or decline it"
        )
    _not_later(body.first_written_complaint, today, "first_written_complaint")
    _not_later(body.refused_on, today, "refused_on")
    status = await change.session.scalar(
        select(CompanyRow.status).where(CompanyRow.id == change.case.company_id)
    )
    if status != "confirmed":
        raise CompanyNotConfirmed(
            "confirm the company with its register number and status before accepting the case"
        )


def _need(body: AssessmentIn, *fields: str) -> None:
    missing = [f for f in fields if getattr(body, f) is None]
    if missing:
        raise InvalidInput(
            f"to {body.decision} a case, give {', '.join(missing)}", code="assessment_incomplete"
        )


def _not_later(day: date | None, today: date, field: str) -> None:
    if day is not None and day > today:
        raise InvalidInput(f"{field} lies in the future", code="date_in_future", field=field)


async def _keep_words(change: CaseChange, held: gates.Held) -> dict[str, str]:
    """The words by which gates were passed, kept; a lifted gate is an entry of the history."""
    codes = {}
    for gate in held.gates:
        if gate.name not in held.words:
            continue
        codes[gate.name] = await change.note(f"gate.{gate.name}", held.words[gate.name])
        if gate.state is GateState.CLOSED:
            await change.amend("gate_lifted", internal="1", gate=gate.name, rule=gate.rule)
    return codes


async def _accepted(
    change: CaseChange,
    body: AssessmentIn,
    mode: str,
    found: CaseFinding,
    held: gates.Held,
    limit: TakenOver,
) -> CaseAccepted:
    assert body.entry_stage is not None and body.entry_reason is not None, "checked before"
    playbook = book.get(found.playbook)
    bodies = gates.chain_of(body.bodies, found, playbook)
    gates.with_bodies(playbook, bodies)
    return CaseAccepted(
        entry_stage=Stage(body.entry_stage),
        entry_reason=await change.note("entry", body.entry_reason),
        playbook=playbook.key,
        decided_by=change.actor,
        mode=mode,
        limitation_on=limit.last_day,
        limitation=limit.why,
        first_written_complaint=body.first_written_complaint or found.facts.first_complaint,
        refused_on=body.refused_on or found.facts.refused_on,
        bill_on=found.facts.bill_on,
        bodies=bodies,
        consumer_writes_first_days=max(body.consumer_writes_first_days, held.direct_first_days),
    )


async def _rejected(change: CaseChange, body: AssessmentIn) -> CaseRejected:
    assert body.outcome and body.rule and body.would_change, "checked before"
    return CaseRejected(
        outcome=Outcome(body.outcome),
        rule=await change.note("rule", body.rule),
        would_change=await change.note("would_change", body.would_change),
        decided_by=change.actor,
    )


async def confirm_company(change: CaseChange, company_id: uuid.UUID) -> None:
    """The opponent is this legal entity. It must be confirmed itself before it is claimed from."""
    found = (
        await change.session.execute(select(CompanyRow.status).where(CompanyRow.id == company_id))
    ).one_or_none()
    if found is None:
        raise NotFound("there is no such company", code="company_not_found")
    if found.status != "confirmed":
        raise CompanyNotConfirmed(
            "give the company its register number and confirm its status first"
        )
    if change.case.stage == Stage.CLOSED:
        raise Conflict("the case is closed", code="case_closed")
    if change.case.stage in BEFORE_MANDATE:
        # On the ladder ("not us") the task lives on until the first demand to the right party.
        await change.finish_task(TaskKind.CONFIRM_COMPANY)
    await change.amend(
        "company_confirmed",
        {"company_id": company_id, "company_known": True},
        company=str(company_id),
    )


async def ask_question(change: CaseChange, body: QuestionIn) -> uuid.UUID:
    question_id = new_id()
    await change.session.execute(
        insert(QuestionRow).values(
            id=question_id,
            case_id=change.case.id,
            code=body.code,
            words=body.words,
            default_action=body.default,
            asked_at=change.now,
            asked_by=change.actor,
        )
    )
    await change.advance(
        QuestionAsked(
            question_id=question_id,
            code=body.code,
            default=body.default,
            days=body.days,
            blocks_ladder=body.blocks_ladder,
        )
    )
    return question_id
