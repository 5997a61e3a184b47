"""People steering the ladder: holds, dates, links, leaving, closing, reopening, care, law."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Final

from app.domain import position
from app.domain.case import LADDER, Basis, Outcome, PauseKind, Stage, WaitingOn
from app.domain.closing import close, withdraw
from app.domain.decision import TaskKind
from app.domain.errors import StaleEvent, WithdrawalWait
from app.domain.events import (
    AlertRaised,
    CaseClosed,
    CaseHeld,
    CaseReassigned,
    CaseReopened,
    ClockRestarted,
    DeadlineExtended,
    DuplicateLinked,
    DuplicateUnlinked,
    HoldLifted,
    IncidentRecorded,
    LegalThreatened,
)
from app.domain.intake_rules import begin_assessment, begin_draft
from app.domain.ladder import choose, enter_agreement
from app.domain.legal_clocks import arm_limitation
from app.domain.letters import go_on, recipient_waits, start_clock
from app.domain.mandates import keep_waits, sign_anew
from app.domain.turn import Turn

REOPEN_WITHIN: Final = timedelta(days=366)
HOLD_MAX: Final = timedelta(days=400)
DUPLICATE_REVIEW: Final = timedelta(days=365)
CARE_REVIEW_WORKING_DAYS: Final = 10
# Said by the machine or the consumer themselves, never chosen by a person.
NOT_BY_HAND: Final = frozenset({Outcome.LAPSED, Outcome.NOT_SIGNED, Outcome.AGENCY_LATE})
NEED_MONEY: Final = frozenset(
    {Outcome.REFUNDED_FULL, Outcome.REFUNDED_PART, Outcome.PAID_BY_THIRD_PARTY}
)


def held(t: Turn, event: CaseHeld) -> None:
    if t.case.stage in (Stage.INTAKE, Stage.CLOSED):
        t.refuse("there is nothing under way to hold")
    if event.until <= t.now:
        t.refuse("a hold ends on a later date")
    if event.until > t.now + HOLD_MAX:
        t.refuse("a hold ends within 400 days")
    limit = t.limitation_instant()
    if limit is not None and event.until > limit:
        t.refuse("a hold does not run past the day the claim is time-barred")
    t.pause(PauseKind.HOLD, event.key, event.until, event.reason)
    t.say("held", reason=event.reason, until=event.until, by=event.by)
    t.notify("held", reason=event.reason)


def hold_lifted(t: Turn, event: HoldLifted) -> None:
    """Also ends a care pause (key "distress") and a legal one (key "legal"): by a person."""
    if any(p.kind is PauseKind.WITHDRAWAL and p.key == event.key for p in t.case.pauses):
        raise WithdrawalWait(
            t.before.stage,
            t.event,
            "only time, the signer's own request to begin, or their leaving ends this wait",
        )
    found = [p for p in t.case.pauses if p.kind in LIFTED_BY_HAND and p.key == event.key]
    if not found:
        raise StaleEvent("no such hold stands")
    for pause in found:
        t.drop_pause(pause.kind, pause.key)
        if pause.kind is PauseKind.DISTRESS:
            t.change(distress=False)
            t.done(TaskKind.CARE)
    t.say("hold_lifted", key=event.key, by=event.by)
    go_on(t)
    t.notify("hold_lifted")


LIFTED_BY_HAND: Final = (PauseKind.HOLD, PauseKind.DISTRESS, PauseKind.LEGAL)


def hold_ended(t: Turn, kind: PauseKind, key: str) -> None:
    """A hold ends by itself. What only a person may end is dated again, and more loudly."""
    pause = next((p for p in t.case.pauses if (p.kind, p.key) == (kind, key)), None)
    if pause is None:
        raise StaleEvent("no such pause stands")
    t.say("pause_due", kind=kind, key=key)
    if kind is PauseKind.HOLD:
        t.drop_pause(kind, key)
        go_on(t)
        t.notify("hold_ended")
        return
    task, role, days = OVERDUE[kind]
    review = t.now + DUPLICATE_REVIEW if kind is PauseKind.DUPLICATE else t.working_days(days)
    t.task(task, key, reason=f"{kind}_overdue", priority=0, role=role)
    until = t.before_limitation(review)
    t.pause(kind, key, until if until > t.now else review, pause.reason)


OVERDUE: Final = {
    PauseKind.UNREAD_REPLY: (TaskKind.READ_REPLY, "senior", 1),
    PauseKind.UNPLACED_MAIL: (TaskKind.PLACE_MAIL, "senior", 1),
    PauseKind.UNKNOWN_EFFECT: (TaskKind.SETTLE_EFFECT, "senior", 1),
    PauseKind.LEGAL: (TaskKind.LEGAL, "legal", 1),
    PauseKind.DISTRESS: (TaskKind.CARE, "senior", CARE_REVIEW_WORKING_DAYS),
    PauseKind.DUPLICATE: (TaskKind.CHOOSE_NEXT_STEP, "handler", 1),
    PauseKind.MANDATE: (TaskKind.CALL_CONSUMER, "handler", 5),
}


def extended(t: Turn, event: DeadlineExtended) -> None:
    """From the base date to a new last day; the fact it started from stays."""
    case = t.case
    if case.stage not in LADDER and case.stage is not Stage.SETTLEMENT:
        t.refuse("no company's time is running")
    if position.stopping_pauses(case):
        t.refuse("the clock stands still: the pause has its own date")
    if case.waiting_on not in (WaitingOn.COMPANY, WaitingOn.BODY, WaitingOn.HANDLER):
        t.refuse("no company's time is running")
    if case.stage in LADDER and not recipient_waits(case):
        t.refuse("no letter has started a clock yet")
    limit = t.limitation_instant()
    if limit is not None and event.until >= limit:
        t.refuse("a deadline is not moved past the day the claim is time-barred")
    assert case.due_at is not None and case.due_basis is not None, "open cases have a date"
    last = t.place.local_day(event.until)
    due = t.place.acting_instant(last)
    at_body = position.at_body(case)
    if due <= t.now or (case.waiting_on is not WaitingOn.HANDLER and due <= case.due_at):
        t.refuse("an extension ends later than the date it extends")
    basis = Basis(
        case.due_basis.start_event,
        case.due_basis.start,
        "house.extension",
        event.reason,
        "word",
        (),
        last,
    )
    t.wait(WaitingOn.BODY if at_body else WaitingOn.COMPANY, due, basis)
    t.done(TaskKind.ANSWER_COMPANY)
    t.say("deadline_extended", until=last, reason=event.reason, by=event.by)
    t.notify("deadline_extended", until_day=last)


def restarted(t: Turn, event: ClockRestarted) -> None:
    """A new fact starts the whole period again; a resend because they lost it does not."""
    case = t.case
    if event.at > t.now:
        t.refuse("a fact lies in the past")
    if case.stage is Stage.CONTACT and case.step == 0:
        _consumer_wrote(t, event.at)
    elif case.stage in LADDER and recipient_waits(case):
        t.done(TaskKind.CHOOSE_NEXT_STEP, done=False)
        t.done(TaskKind.ANSWER_COMPANY)
        start_clock(t, event.at, event.fact)
    else:
        t.refuse("no letter has started a clock yet")
    t.say("clock_restarted", fact=event.fact, at=event.at, by=event.by)
    t.notify("clock_restarted", fact=event.fact)


def _consumer_wrote(t: Turn, at: datetime) -> None:
    """Step 0: the company's time runs from the day the consumer wrote."""
    days = max(t.case.consumer_writes_first_days, 1)
    last = t.place.local_day(at) + timedelta(days=days)
    first = t.case.first_written_complaint or t.place.local_day(at)
    t.change(first_written_complaint=first)
    basis = Basis(
        "consumer_wrote", at, "house.consumer_writes_first", f"{days} days", "word", (), last
    )
    t.wait(WaitingOn.COMPANY, max(t.place.acting_instant(last), t.now), basis)


def reassigned(t: Turn, event: CaseReassigned) -> None:
    t.change(handler_id=event.handler_id)
    t.say("reassigned", visible=False, to=event.handler_id or "pool", by=event.by)


# --- duplicates ------------------------------------------------------------------------------


def linked(t: Turn, event: DuplicateLinked) -> None:
    """A link, never a merge: this case stands still while the other one runs."""
    if t.case.stage in (Stage.INTAKE, Stage.CLOSED):
        t.refuse("only a case under way is linked")
    if event.duplicate_of == t.case.id:
        t.refuse("a case is not its own duplicate")
    if t.case.duplicate_of is not None:
        t.refuse("this case is already linked to another")
    t.change(duplicate_of=event.duplicate_of)
    t.pause(PauseKind.DUPLICATE, str(event.duplicate_of), t.now + DUPLICATE_REVIEW, "duplicate")
    t.say("duplicate_linked", of=event.duplicate_of, by=event.by)
    t.notify("duplicate_linked")


def unlinked(t: Turn, event: DuplicateUnlinked) -> None:
    if t.case.duplicate_of is None:
        raise StaleEvent("this case is not linked to another")
    t.change(duplicate_of=None)
    t.say("duplicate_unlinked", by=event.by)
    if t.case.is_open:
        t.drop_pause(PauseKind.DUPLICATE)
        go_on(t)
        t.notify("duplicate_unlinked")


# --- leaving, closing, reopening -------------------------------------------------------------


def withdrawn(t: Turn) -> None:
    if not t.case.is_open:
        t.refuse("the case is closed")
    withdraw(t)


def agency_left(t: Turn) -> None:
    if not t.case.is_open:
        t.refuse("the case is closed")
    if not t.case.agency_late:
        t.refuse("no dated step of the agency is 30 days late")
    close(t, Outcome.AGENCY_LATE, "agency_left", fee_may_be_due="no")


def closed_by_person(t: Turn, event: CaseClosed) -> None:
    if not t.case.is_open:
        t.refuse("the case is closed")
    if event.outcome in NOT_BY_HAND:
        t.refuse(f"{event.outcome} is not a person's decision")
    if event.outcome in NEED_MONEY and t.case.recovered_minor == 0:
        t.refuse("nothing was recovered")
    if t.case.money.in_flight > 0:
        t.refuse("a payout is on its way")
    close(t, event.outcome, "closed", reason=event.reason, by=event.decided_by)
    if position.payable(t.case) > 0:
        t.task(
            TaskKind.PREPARE_PAYOUT,
            "closing",
            reason="money_to_pay_out",
            role="finance",
            working_days=2,
            priority=20,
        )


def reopened(t: Turn, event: CaseReopened) -> None:
    """Within a year, at the stage it left; where it goes from there a person decides."""
    if t.case.is_open or t.case.closed_at is None:
        t.refuse("the case is open")
    if t.now > t.case.closed_at + REOPEN_WITHIN:
        t.refuse("a case is reopened within one year")
    stage = t.case.stage_left or Stage.ASSESSMENT
    sign_anew(t)
    t.change(
        outcome=None,
        closed_at=None,
        letter=None,
        offer=None,
        duplicate_of=None,
        agreed_minor=None,
    )
    t.say("reopened", reason=event.reason, by=event.by)
    if stage is Stage.INTAKE:
        t.change(stage=stage, stage_left=None)
        begin_draft(t)
    elif stage in LADDER and position.mandate_stands(t.case):
        t.change(stage=stage, step=t.case.step + 1, stage_left=None)
        arm_limitation(t)
        choose(t, "reopened")
    elif t.case.entry_stage is not None and position.standing(t.case):
        t.change(step=t.case.step + (stage in LADDER), stage_left=None)
        arm_limitation(t)
        enter_agreement(t)
    else:
        t.change(stage=Stage.ASSESSMENT, stage_left=None)
        begin_assessment(t)
    keep_waits(t)
    t.notify("reopened")


# --- care, law, incidents --------------------------------------------------------------------


def distressed(t: Turn) -> None:
    """Letters and nudges stop, clocks run on; a trained person looks the same day."""
    t.task(TaskKind.CARE, "distress", reason="distress", due=_today_ends(t), priority=0)
    t.say("distress_noticed", visible=False)
    if not t.case.is_open:
        return
    t.change(distress=True)
    t.pause(PauseKind.DISTRESS, "distress", t.working_days(CARE_REVIEW_WORKING_DAYS), "distress")
    if t.case.stage in LADDER and position.letter_unsent(t.case):
        choose(t, "distress", priority=0)


def _today_ends(t: Turn) -> datetime:
    local = t.now.astimezone(t.place.zone)
    close_of_day = datetime.combine(local.date(), time(18, 0), t.place.zone)
    return max(t.now + timedelta(hours=1), close_of_day.astimezone(t.now.tzinfo))


def legal_threat(t: Turn, event: LegalThreatened) -> None:
    due = max(event.deadline, t.now + timedelta(hours=1))
    t.task(TaskKind.LEGAL, "legal", reason="deadline_set_on_us", due=due, priority=0, role="legal")
    t.say("legal_threat", visible=False, deadline=event.deadline, by=event.by)
    if t.case.is_open and t.case.stage is not Stage.INTAKE:
        t.pause(PauseKind.LEGAL, "legal", max(due, t.working_days(1)), "legal")


# What a message calls for: the task, who does it, within how many working days, how urgent.
ALERTED: Final = {
    "complaint_about_us": (TaskKind.COMPLAINT_ABOUT_US, "senior", 1, 5),
    "insolvency": (TaskKind.INSOLVENCY_NOTICE, "legal", 1, 5),
    "direct_first": (TaskKind.DIRECT_FIRST, "handler", 2, 20),
}


def alerted(t: Turn, event: AlertRaised) -> None:
    """Work for a person; nothing of the claim moves."""
    kind, role, days, priority = ALERTED[event.what]
    t.task(
        kind, str(event.message_id), reason=event.what,
        working_days=days, priority=priority, role=role,
        subject=event.message_id,
    )  # fmt: skip
    t.say("alert_raised", visible=False, what=event.what, message=event.message_id)


def incident(t: Turn, event: IncidentRecorded) -> None:
    """A legal date we missed: senior and legal today, the consumer told what happened."""
    record_incident(t, str(event.incident_id), event.what)
    t.say("incident", what=event.what, by=event.by)


def record_incident(t: Turn, key: str, what: str) -> None:
    due = _today_ends(t)
    for role in ("senior", "legal"):
        t.task(TaskKind.INCIDENT, f"{key}:{role}", reason=what, due=due, priority=0, role=role)
    t.notify("incident", key, what=what, advice="independent")
