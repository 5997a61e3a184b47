"""`recourse explain CASE`: why a case stands where it does, in words an operator can act on.

A pure function of the case, its history and the rules: last events, each clock with its basis,
what comes next if nothing happens, and what would stop it. It shows codes, dates and amounts only,
never personal text, so its output may be pasted into a ticket.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from app.domain import position
from app.domain.case import (
    LADDER,
    Basis,
    Case,
    LetterState,
    PauseKind,
    Stage,
    Timer,
    TimerKind,
    WaitingOn,
)
from app.domain.money import Money
from app.domain.periods import Place, place
from app.domain.playbook import Rules

EVENTS_SHOWN: Final = 8

WHOSE: Final = {
    "law": "set by law",
    "ours": "our own choice",
    "word": "rests on someone's word",
    "theirs": "set by the body",
}
CLOCKS: Final = {
    TimerKind.DEADLINE: "deadline",
    TimerKind.NUDGE: "reminder to the consumer",
    TimerKind.HEARTBEAT: "next word to the consumer",
    TimerKind.QUESTION_DUE: "question falls to its default",
    TimerKind.OFFER_WARNING: "offer lapses in three days",
    TimerKind.OFFER_EXPIRY: "offer lapses",
    TimerKind.PROMISE_DUE: "promised day has passed",
    TimerKind.HOLD_END: "pause ends or is looked at",
    TimerKind.BODY_STATUS: "body is asked how it stands",
    TimerKind.AGENCY_LATE: "we are 30 days late (promise 9)",
    TimerKind.LIMITATION: "warning before the claim is time-barred",
    TimerKind.BODY_LIMIT: "warning before a body can no longer be asked",
    TimerKind.MANDATE_END: "a mandate ends soon, or ends",
    TimerKind.WITHDRAWAL_END: "a signer's time to withdraw is over and we act for them",
}
NEXT: Final = {
    "we_act": "one of us acts; overdue, the task is dated again and goes to a senior",
    "their_time_starts": "the letter counts as delivered and the recipient's time starts",
    "body_opens": "the body's day comes and the complaint is made",
    "we_ask_the_body": "the body is asked how the complaint stands",
    "paid_out": "the payout appears on a bank statement",
    "promise_broken": "the promise counts as broken; back to the stage left, with 7 days",
    "contact": "our own first demand is made",
    "reminder": "the reminder is made",
    "formal_notice": "the formal notice is made",
    "complaint": "the complaint is made",
}
CONSUMER_NEXT: Final = {
    Stage.INTAKE: "the draft lapses",
    Stage.AGREEMENT: "the case closes as not signed",
    Stage.CONTACT: "our own first demand is made",
    Stage.COMPLAINT: "a handler chooses what follows",
}
AFTER_PAUSE: Final = {
    PauseKind.HOLD: "the hold ends and the clock runs on",
    PauseKind.QUESTION: "the question's written default applies",
    PauseKind.OFFER: "the offer lapses (silence never accepts) and the ladder goes on",
    PauseKind.PROMISE: "if the money is not here, the promise counts as broken",
    PauseKind.UNREAD_REPLY: "a senior is asked to read the reply; nothing is sent before",
    PauseKind.UNPLACED_MAIL: "a senior is asked to place the mail; nothing is sent before",
    PauseKind.UNKNOWN_EFFECT: "a senior is asked to settle the effect; nothing is sent before",
    PauseKind.LEGAL: "legal is asked again; nothing is sent before",
    PauseKind.DUPLICATE: "a handler looks whether the link still holds",
    PauseKind.MANDATE: "the consumer is called about the signature",
    PauseKind.WITHDRAWAL: "the time to withdraw is over and we begin",
}
LIFTS: Final = {
    PauseKind.HOLD: "lifting the hold",
    PauseKind.QUESTION: "the consumer's answer",
    PauseKind.OFFER: "every claimant's yes, or one no or counter-offer",
    PauseKind.PROMISE: "the promised money",
    PauseKind.UNREAD_REPLY: "a handler reading the reply",
    PauseKind.UNPLACED_MAIL: "a person placing the mail, here or elsewhere",
    PauseKind.UNKNOWN_EFFECT: "a person settling the effect (sent, not sent, again)",
    PauseKind.DISTRESS: "a trained handler ending the care pause",
    PauseKind.LEGAL: "legal lifting the pause",
    PauseKind.DUPLICATE: "unlinking the duplicate",
    PauseKind.MANDATE: "the missing signature",
    PauseKind.WITHDRAWAL: "the signer asking us to begin; no handler lifts it",
}


@dataclass(frozen=True, slots=True)
class HistoryRow:
    """One line of the audit history, as stored: code and parameters, oldest first."""

    at: datetime
    code: str
    params: tuple[tuple[str, str], ...] = ()
    actor: str = ""


def explain(case: Case, history: Sequence[HistoryRow], rules: Rules, now: datetime) -> str:
    """Plain text, ready to print; dates in the zone of the case's statute."""
    there = place(rules.playbook.zone, rules.calendar, rules.playbook.regime)
    parts = [
        _position(case, there, now),
        _money(case),
        _events(history, there),
        _pauses(case, there),
        _clocks(case, there, now),
        _next(case, rules, there),
        _stops(case),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _position(case: Case, there: Place, now: datetime) -> str:
    lines = [
        f"{case.reference}  {case.claim_kind} in {case.jurisdiction}, playbook {case.playbook}"
    ]
    if not case.is_open:
        closed = _day(case.closed_at, there) if case.closed_at else "?"
        lines.append(f"Closed on {closed}: {case.outcome}.")
        return "\n".join(lines)
    lines.append(f"Stage {case.stage}, step {case.step}.")
    if case.entry_stage is not None:
        lines.append(f"Entered the ladder at {case.entry_stage}, because: {case.entry_reason}.")
    if case.waiting_on is not None and case.due_at is not None:
        late = "  OVERDUE" if case.due_at < now else ""
        lines.append(f"Waiting on {case.waiting_on} until {_moment(case.due_at, there)}.{late}")
    if case.due_basis is not None:
        lines.append(f"  why: {_basis(case.due_basis, there)}")
    if case.limitation_on is not None:
        lines.append(f"Last day of the claim: {case.limitation_on.isoformat()}.")
        if case.limitation_basis is not None:
            lines.append(f"  why: {_basis(case.limitation_basis, there)}")
    letter = case.letter
    if letter is not None:
        who = f", approved by {letter.approved_by}" if letter.approved_by else ""
        grade = f", proof: {letter.evidence_grade}" if letter.evidence_grade else ""
        lines.append(
            f"Letter {letter.kind} (revision {letter.n}) by {letter.channel} to the "
            f"{letter.recipient}: {letter.state}{who}{grade}."
        )
    if case.agency_late:
        lines.append("A step of ours was 30 days late: the consumer may leave and owes nothing.")
    return "\n".join(lines)


def _money(case: Case) -> str:
    claimed = Money(position.claimed(case), case.currency)
    money = case.money
    parts = [f"claimed {claimed}"]
    if case.agreed_minor is not None:
        parts.append(f"agreed {Money(case.agreed_minor, case.currency)}")
    amounts = (
        ("received", money.received),
        ("paid directly", money.direct),
        ("voucher", money.voucher),
        ("fee", money.fee),
        ("made good or lent by us", money.adjusted),
        ("on its way to the consumer", money.in_flight),
        ("paid out", money.paid_out),
        ("held, in full settlement", money.unallocated_in_full),
    )
    parts += [f"{name} {Money(minor, case.currency)}" for name, minor in amounts if minor]
    return "Money: " + ", ".join(parts) + "."


def _events(history: Sequence[HistoryRow], there: Place) -> str:
    if not history:
        return ""
    lines = ["Last events:"]
    for row in list(history)[-EVENTS_SHOWN:]:
        params = ", ".join(f"{name}={value}" for name, value in row.params)
        by = f" [{row.actor}]" if row.actor else ""
        lines.append(f"  {_moment(row.at, there)}  {row.code}{by}{': ' if params else ''}{params}")
    return "\n".join(lines)


def _pauses(case: Case, there: Place) -> str:
    if not case.pauses:
        return ""
    lines = ["Paused:"]
    for pause in case.pauses:
        stops = "" if pause.kind in position.CLOCK_STOPPING else " (letters only, the clock runs)"
        lines.append(
            f"  {pause.kind}{stops} since {_moment(pause.since, there)} until "
            f"{_moment(pause.until, there)}; ends by {LIFTS[pause.kind]}"
        )
    if case.remaining_seconds is not None and case.paused_waiting_on is not None:
        days, rest = divmod(case.remaining_seconds, 86_400)
        lines.append(
            f"  beneath: waiting on {case.paused_waiting_on}, {days} days {rest // 3_600} hours "
            "left (at least 2 working days after the pause)"
        )
    return "\n".join(lines)


def _clocks(case: Case, there: Place, now: datetime) -> str:
    if not case.timers:
        return ""
    lines = ["Clocks:"]
    for timer in sorted(case.timers, key=lambda t: t.due_at):
        lines.append(f"  {_moment(timer.due_at, there)}  {_clock(timer)}{_late(timer, now)}")
        lines.append(f"      {_basis(timer.basis, there)}")
    return "\n".join(lines)


def _clock(timer: Timer) -> str:
    return f"{CLOCKS[timer.kind]}{f' ({timer.key})' if timer.key else ''}"


def _late(timer: Timer, now: datetime) -> str:
    return "  DUE NOW" if timer.due_at <= now else ""


def _basis(basis: Basis, there: Place) -> str:
    text = (
        f"{basis.period} from {basis.start_event} on {_day(basis.start, there)}, "
        f"rule {basis.rule}, {WHOSE.get(basis.whose, basis.whose)}"
    )
    if basis.due is not None:
        text += f"; last day {basis.due.isoformat()}"
    if basis.skipped:
        days = ", ".join(f"{day.isoformat()} {why}" for day, why in basis.skipped)
        text += f"; passed over: {days}"
    return text


def _next(case: Case, rules: Rules, there: Place) -> str:
    if not case.is_open:
        return "Next: nothing; a person may reopen it within one year of closing."
    pauses = position.stopping_pauses(case)
    if pauses:
        first = min(pauses, key=lambda p: p.until)
        return f"Next, on {_moment(first.until, there)}: {AFTER_PAUSE[first.kind]}."
    if case.waiting_on is WaitingOn.CONSUMER:
        then = CONSUMER_NEXT.get(case.stage, "the consumer is called about the payout account")
    else:
        then = NEXT[position.what_next(case)]
    when = _moment(case.due_at, there) if case.due_at else "?"
    text = f"Next, if nothing happens until {when}: {then}."
    if case.waiting_on is WaitingOn.COMPANY:
        text += f"\n  Held until our own feeds are read past the last day: {_feeds(rules, there)}."
    return text


def _feeds(rules: Rules, there: Place) -> str:
    mail = _moment(rules.mail_read_until, there) if rules.mail_read_until else "never"
    bank = _moment(rules.bank_read_until, there) if rules.bank_read_until else "never"
    return f"mail read to {mail}, bank to {bank}"


def _stops(case: Case) -> str:
    """What would keep the next step from being taken."""
    if not case.is_open:
        return ""
    stops = ["withdrawal or a revoked mandate"]
    if case.stage in LADDER:
        stops += [
            "a human reply (until it is read)",
            "a denial (a handler chooses)",
            "an offer or a first promise",
            "the whole sum arriving",
            "a hold, a question, an unknown effect, a legal threat",
        ]
    if case.letter is not None and case.letter.state is LetterState.AWAITING_APPROVAL:
        stops.append("the approver returning the letter")
    if not position.mandate_stands(case) and case.stage in LADDER:
        stops.append("NOW: the mandate is not signed by every claimant")
    if case.distress:
        stops.append("NOW: a care pause; no letter goes without a person")
    return "What would stop it:\n" + "\n".join(f"  - {stop}" for stop in stops)


def _day(at: datetime, there: Place) -> str:
    return there.local_day(at).isoformat()


def _moment(at: datetime, there: Place) -> str:
    return at.astimezone(there.zone).strftime("%Y-%m-%d %H:%M %Z")
