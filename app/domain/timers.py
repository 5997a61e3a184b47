"""A dated thing came due. Only a timer that still stands, unchanged, does anything."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final, assert_never

from app.domain import position
from app.domain.case import (
    LetterKind,
    LetterState,
    Outcome,
    PauseKind,
    Stage,
    Timer,
    TimerKind,
    WaitingOn,
)
from app.domain.closing import close
from app.domain.decision import TaskKind
from app.domain.errors import StaleEvent
from app.domain.events import TimerFired
from app.domain.intake_rules import question_silent
from app.domain.ladder import choose, enter_stage, next_automatic, return_to_stage
from app.domain.legal_clocks import body_limit_due, limitation_due
from app.domain.letters import delivered, presumed_on, start_letter
from app.domain.mandates import mandate_ends, withdrawal_over
from app.domain.money_rules import ACCOUNT_DAYS, PAYOUT_WORKING_DAYS
from app.domain.offers import expire, warn
from app.domain.recipients import STRONGER_RULE
from app.domain.steering import hold_ended, record_incident
from app.domain.turn import AGENCY_LATE_AFTER, Turn

LOOK_AGAIN: Final = timedelta(hours=1)  # while our own mailbox or bank feed is silent
# Mail is read every few seconds: a date that falls between two readings is no silence of a feed.
MAIL_LAG: Final = timedelta(minutes=5)
LOOK_SOON: Final = timedelta(minutes=1)
BODY_STATUS_EVERY: Final = timedelta(days=90)


def fired(t: Turn, event: TimerFired) -> None:
    timer = t.case.timer(event.kind, event.key)
    if timer is None or timer.due_at != event.due_at or timer.step != event.step:
        raise StaleEvent("this timer no longer stands")
    if timer.due_at > t.now:
        raise StaleEvent("this timer is not due yet")
    kind = event.kind
    match kind:
        case TimerKind.DEADLINE:
            _deadline(t, timer)
        case TimerKind.NUDGE:
            _nudge(t, timer)
        case TimerKind.HEARTBEAT:
            _heartbeat(t, timer)
        case TimerKind.QUESTION_DUE:
            question_silent(t, timer.key)
        case TimerKind.OFFER_WARNING:
            t.disarm(kind, timer.key)
            warn(t, timer.key)
        case TimerKind.OFFER_EXPIRY:
            _offer_expiry(t, timer)
        case TimerKind.PROMISE_DUE:
            _promise_due(t, timer)
        case TimerKind.HOLD_END:
            pause_kind, _, key = timer.key.partition(":")
            hold_ended(t, PauseKind(pause_kind), key)
        case TimerKind.BODY_STATUS:
            _ask_body_status(t)
        case TimerKind.AGENCY_LATE:
            _agency_late(t, timer)
        case TimerKind.LIMITATION:
            limitation_due(t, timer.key)
        case TimerKind.BODY_LIMIT:
            body_limit_due(t, timer.key)
        case TimerKind.WITHDRAWAL_END:
            withdrawal_over(t, timer)
        case TimerKind.MANDATE_END:
            mandate_ends(t, timer)
        case _:
            assert_never(kind)


# --- blindness -------------------------------------------------------------------------------


HELD: Final = ", held"  # marks a date moved because our own feeds were unread


def _passed_at(t: Turn, timer: Timer) -> datetime:
    """The instant after which our feeds must have been read: the fact's, not the timer's.

    It must not move with the timer, or a feed read every few minutes would never catch up.
    """
    case = t.case
    if timer.kind is TimerKind.OFFER_EXPIRY and case.offer is not None:
        return case.offer.answer_by
    if timer.kind is TimerKind.PROMISE_DUE and case.promise is not None:
        return t.place.day_end(case.promise.promised_date)
    if case.waiting_on is WaitingOn.DELIVERY and case.letter is not None:
        assert case.letter.sent_at is not None, "only what left is presumed to arrive"
        return presumed_on(t, case.letter.sent_at)
    due = timer.basis.due
    assert due is not None, f"{timer.basis.rule} names its last day"
    if case.waiting_on is WaitingOn.DATE:
        return t.place.day_end(due - timedelta(days=1))  # the day itself is the first to act on
    return t.place.day_end(due)


def _blind(t: Turn, timer: Timer, *, bank: bool = True) -> bool:
    passed = _passed_at(t, timer)
    mail_read, bank_read = t.rules.mail_read_until, t.rules.bank_read_until
    no_mail = mail_read is None or mail_read < passed
    no_bank = bank and (bank_read is None or bank_read < passed)
    return no_mail or no_bank


def _between_readings(t: Turn, timer: Timer, *, bank: bool) -> bool:
    """Only the mail of the last moments is unread: the next reading will have it."""
    passed = _passed_at(t, timer)
    mail_read, bank_read = t.rules.mail_read_until, t.rules.bank_read_until
    if bank and (bank_read is None or bank_read < passed):
        return False
    return mail_read is not None and mail_read >= passed - MAIL_LAG


def _hold_blind_step(t: Turn, timer: Timer, *, bank: bool = True) -> None:
    """No step against anybody while their answer or money may lie unread with us."""
    basis = timer.basis
    if _between_readings(t, timer, bank=bank):
        t.arm(timer.kind, t.now + LOOK_SOON, basis, timer.key)
        return
    if not basis.period.endswith(HELD):
        _alarm(t)
        basis = replace(basis, period=basis.period + HELD)
    t.arm(timer.kind, t.now + LOOK_AGAIN, basis, timer.key)


def _hold_blind_pause(t: Turn, kind: PauseKind, key: str) -> None:
    pause = next(p for p in t.case.pauses if (p.kind, p.key) == (kind, key))
    if not pause.reason.endswith(HELD):
        _alarm(t)
    reason = pause.reason.removesuffix(HELD) + HELD
    t.pause(kind, key, t.now + LOOK_AGAIN, reason)


def _alarm(t: Turn) -> None:
    t.say("step_held_unread_feeds", visible=False)
    t.task(TaskKind.FEED_SILENT, "feeds", reason="feed_not_read", priority=5, role="senior")


# --- the ladder's own date -------------------------------------------------------------------


def _deadline(t: Turn, timer: Timer) -> None:
    waiting_on = t.case.waiting_on
    assert waiting_on is not None, "a deadline stands in open cases only"
    match waiting_on:
        case WaitingOn.COMPANY:
            _company_silent(t, timer)
        case WaitingOn.BODY:
            _ask_body_status(t)
        case WaitingOn.DELIVERY:
            _delivery_due(t, timer)
        case WaitingOn.CONSUMER:
            _consumer_silent(t, timer)
        case WaitingOn.DATE:
            _body_opens(t, timer)
        case WaitingOn.HANDLER:
            _we_are_overdue(t, timer)
        case WaitingOn.BANK:
            t.wait_again(timer, PAYOUT_WORKING_DAYS)
            t.task(
                TaskKind.PREPARE_PAYOUT,
                "overdue",
                reason="payout_overdue",
                role="finance",
                priority=5,
            )
            t.say("overdue", visible=False, what="payout")
        case _:
            assert_never(waiting_on)


def _company_silent(t: Turn, timer: Timer) -> None:
    if _blind(t, timer):
        _hold_blind_step(t, timer)
        return
    t.say("company_silent", due=timer.basis.due or timer.due_at.date())
    if t.case.stage is Stage.SETTLEMENT:
        broken(t)
    elif t.case.distress:
        choose(t, "distress", priority=0)
    elif not position.mandate_stands(t.case):
        t.pause(PauseKind.MANDATE, "mandate", t.now + timedelta(days=14), "mandate")
        t.notify("please_sign")
    elif t.case.stage is Stage.COMPLAINT:
        choose(t, "body_silent")
    else:
        next_automatic(t)


def broken(t: Turn) -> None:
    """The day named has passed without the money."""
    promise = t.case.promise
    key = str(promise.id) if promise else str(t.case.step)
    t.change(promise=None)
    t.task(TaskKind.PROMISE_BROKEN, key, reason="promise_broken", priority=20)
    t.say("promise_broken")
    t.disarm(TimerKind.PROMISE_DUE)
    return_to_stage(t, "promise_broken", LetterKind.PROMISE_BROKEN if promise else None)
    t.notify("promise_broken", key)


def _promise_due(t: Turn, timer: Timer) -> None:
    promise = t.case.promise
    if promise is None or str(promise.id) != timer.key:
        raise StaleEvent("this promise is over")
    if _blind(t, timer):
        if t.case.paused_for(PauseKind.PROMISE):
            _hold_blind_pause(t, PauseKind.PROMISE, timer.key)
        else:
            _hold_blind_step(t, timer)
        return
    t.drop_pause(PauseKind.PROMISE, timer.key)
    if position.at_body(t.case):
        t.disarm(TimerKind.PROMISE_DUE, timer.key)
        t.change(promise=None)
        t.task(TaskKind.PROMISE_BROKEN, timer.key, reason="promise_broken", priority=20)
        t.say("promise_broken")
        t.notify("promise_broken", timer.key)
        return
    broken(t)


def _offer_expiry(t: Turn, timer: Timer) -> None:
    """An acceptance may lie unread in the mailbox: the offer lapses only once it was read."""
    if _blind(t, timer, bank=False):
        _hold_blind_pause(t, PauseKind.OFFER, timer.key)
        return
    expire(t, timer.key)


def _ask_body_status(t: Turn) -> None:
    if t.case.waiting_on is not WaitingOn.BODY:
        t.disarm(TimerKind.BODY_STATUS)
        return
    at = t.now + BODY_STATUS_EVERY
    due = t.place.morning(t.place.next_working_day(t.place.local_day(at)))
    day = t.place.local_day(t.now).isoformat()
    t.task(TaskKind.ANSWER_BODY, f"status:{day}", reason="ask_body_status", working_days=2)
    basis = t.our_basis("body_status", "90 days")
    t.wait(WaitingOn.BODY, due, basis)
    t.arm(TimerKind.BODY_STATUS, due, basis)
    t.say("body_status_asked")
    t.notify("body_status_asked", day)


def _delivery_due(t: Turn, timer: Timer) -> None:
    letter = t.case.letter
    if letter is not None and letter.state is LetterState.HANDED_OVER:
        if _blind(t, timer, bank=False):
            _hold_blind_step(t, timer, bank=False)  # its bounce may lie unread
        else:
            delivered(t, _passed_at(t, timer), "presumed")
        return
    t.wait_again(timer, 1)
    key = f"letter:{letter.id}" if letter is not None else "letter"
    t.task(TaskKind.SETTLE_EFFECT, key, reason="letter_stuck", priority=5, role="senior")
    t.say("overdue", visible=False, what="letter")


def _consumer_silent(t: Turn, timer: Timer) -> None:
    stage = t.case.stage
    if timer.basis.rule == STRONGER_RULE:
        choose(t, "signature_too_weak")
    elif stage is Stage.INTAKE:
        close(t, Outcome.LAPSED, "draft_lapsed")
    elif stage is Stage.AGREEMENT:
        close(t, Outcome.NOT_SIGNED, "not_signed")
    elif stage is Stage.CONTACT and t.case.step == 0:
        t.say("consumer_wrote_unconfirmed")
        enter_stage(t, Stage.CONTACT)
    elif stage is Stage.COMPLAINT:
        choose(t, "complaint_not_filed")
    else:
        due = t.now + timedelta(days=ACCOUNT_DAYS)
        t.wait(WaitingOn.CONSUMER, due, timer.basis)
        t.task(TaskKind.CALL_CONSUMER, "account", reason="account_needed")
        t.notify("account_needed")


def _body_opens(t: Turn, timer: Timer) -> None:
    """The body's date has come; before we file, what the company may have sent is read."""
    if _blind(t, timer):
        _hold_blind_step(t, timer)
    elif t.case.distress:
        choose(t, "distress", priority=0)
    elif not position.mandate_stands(t.case):
        choose(t, "mandate_missing")
    else:
        t.say("body_opened" if t.case.stage is Stage.COMPLAINT else "step_opened")
        start_letter(t)


def _we_are_overdue(t: Turn, timer: Timer) -> None:
    """Our own date passed: dated again, and louder. Promise 9 keeps the first date."""
    t.say("overdue", visible=False, what=timer.basis.rule)
    t.wait_again(timer, 1)
    if timer.basis.rule == "body.answer_by":
        record_incident(t, f"body:{timer.due_at.date().isoformat()}", "body_date_missed")
        t.task(TaskKind.ANSWER_BODY, "overdue", reason="overdue", priority=0, role="senior")
        return
    letter = t.case.letter
    if t.case.stage is Stage.ASSESSMENT:
        t.task(TaskKind.ASSESS, "assess", reason="overdue", priority=5)
    elif letter is not None and letter.state is LetterState.AWAITING_APPROVAL:
        t.task(
            TaskKind.APPROVE_LETTER,
            f"{letter.id}:{letter.n}",
            reason="overdue",
            priority=5,
            role="senior",
            subject=letter.id,
        )
    else:
        t.task(TaskKind.CHOOSE_NEXT_STEP, str(t.case.step), reason="overdue", priority=5)


# --- words to the consumer, and about us -----------------------------------------------------


def _nudge(t: Turn, timer: Timer) -> None:
    """Key: what, which, day. One that no longer fits its stage was disarmed with it."""
    t.disarm(TimerKind.NUDGE, timer.key)
    what, _, rest = timer.key.partition(":")
    t.notify(f"nudge_{what}", rest)
    t.say("nudged", what=what)


def _heartbeat(t: Turn, timer: Timer) -> None:
    """No step: word only. The next one is armed at the end of the turn."""
    t.disarm(TimerKind.HEARTBEAT)
    t.notify("heartbeat", timer.due_at.date().isoformat())
    t.say("heartbeat")


def _agency_late(t: Turn, timer: Timer) -> None:
    """Promise 9: the consumer is told that day; they may leave in one click and owe nothing."""
    t.change(agency_late=True)
    basis = replace(timer.basis, period="30 days more")
    t.arm(TimerKind.AGENCY_LATE, t.now + AGENCY_LATE_AFTER, basis, timer.key)
    t.task(TaskKind.AGENCY_LATE, timer.key, reason="promise_9_broken", priority=0, role="senior")
    t.say("agency_late", since=timer.basis.start)
    t.notify("agency_late", since=timer.basis.start, may_leave="yes")
