"""What the company or the body says: unread first, then as the handler read it."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Final

from app.domain import position
from app.domain.case import (
    LADDER,
    Basis,
    LetterKind,
    PauseKind,
    Promise,
    Stage,
    TimerKind,
    WaitingOn,
)
from app.domain.decision import TaskKind
from app.domain.effects import AcknowledgeMessage
from app.domain.events import (
    BodyAnswered,
    BodyAsked,
    BodyDecided,
    BodyDismissed,
    CompanyAsked,
    CompanyDenied,
    CompanyPromised,
    MailGuessed,
    MailPlaced,
    MailUnplaced,
    MessageArrived,
    MessageSetAside,
    WrongParty,
)
from app.domain.ladder import choose, enter_settlement, enter_stage
from app.domain.letters import cancel_letter, go_on, start_clock
from app.domain.letters_rules import bounced
from app.domain.other_letters import bounced as other_bounced
from app.domain.other_letters import cancel_others, draft, find
from app.domain.recipients import current_body
from app.domain.turn import Turn

READS_WITHIN_WORKING_DAYS: Final = 1
PROMISE_DAYS_MAX: Final = 366  # a "promise" further away is a refusal in other words


def message(t: Turn, event: MessageArrived) -> None:
    letter = t.case.letter
    if event.bounce_of is not None:
        t.say("bounce_filed", visible=False, message=event.message_id)
        if letter is not None and letter.id == event.bounce_of:
            bounced(t, event.bounce_of, event.hard_bounce, "bounce")
        elif (beside := find(t.case, event.bounce_of)) is not None:
            other_bounced(t, beside, "bounce", hard=event.hard_bounce)
        return
    if event.automatic:
        t.say("automatic_message_filed", sender=event.sender)
        return
    key = str(event.message_id)
    t.say("message_arrived", sender=event.sender, message=key)
    t.task(
        TaskKind.READ_REPLY,
        key,
        reason=f"from_{event.sender}",
        priority=10,
        working_days=READS_WITHIN_WORKING_DAYS,
        subject=event.message_id,
    )
    if event.sender == "consumer":
        day = t.place.local_day(t.now).isoformat()
        t.effects.append(
            AcknowledgeMessage(t.rules.new_id(), t.case.id, event.message_id, f"consumer:{day}")
        )
        return
    if t.case.stage in LADDER or t.case.stage is Stage.SETTLEMENT:
        until = t.working_days(READS_WITHIN_WORKING_DAYS)
        t.pause(PauseKind.UNREAD_REPLY, key, until, "unread_reply")
    if t.case.stage is not Stage.INTAKE:
        t.notify("answer_arrived", key, sender=event.sender)


def guessed(t: Turn, event: MailGuessed) -> None:
    """An unplaced human mail with a plausible guess blocks that case too (product.md)."""
    if t.case.stage in LADDER or t.case.stage is Stage.SETTLEMENT:
        until = t.working_days(READS_WITHIN_WORKING_DAYS)
        t.pause(PauseKind.UNPLACED_MAIL, str(event.message_id), until, "unplaced_mail")
        t.say("mail_guessed", visible=False, message=event.message_id)


def placed(t: Turn, event: MailPlaced) -> None:
    """The guess is settled; where the mail is this case's, it arrives as a message of its own."""
    key = str(event.message_id)
    t.done(TaskKind.PLACE_MAIL, key)
    if not t.drop_pause(PauseKind.UNPLACED_MAIL, key):
        return
    t.say("mail_placed", visible=False, message=event.message_id)
    go_on(t)


def unplaced(t: Turn, event: MailUnplaced) -> None:
    """Filed to the wrong case: what it held up here runs again."""
    key = str(event.message_id)
    t.drop_pause(PauseKind.UNREAD_REPLY, key)
    t.done(TaskKind.READ_REPLY, key, done=False)
    t.say("mail_unplaced", visible=False, message=event.message_id, by=event.decided_by)
    go_on(t)


def _read(t: Turn, message_id: uuid.UUID | None) -> None:
    """A person has read it: the block is off, the clock is the caller's to start."""
    if message_id is None:
        return
    t.drop_pause(PauseKind.UNREAD_REPLY, str(message_id))
    t.done(TaskKind.READ_REPLY, str(message_id))


def set_aside(t: Turn, event: MessageSetAside) -> None:
    _read(t, event.message_id)
    t.say("message_set_aside", message=event.message_id, by=event.decided_by)
    go_on(t)


def _needs_open_claim(t: Turn) -> None:
    if t.case.stage not in LADDER and t.case.stage is not Stage.SETTLEMENT:
        t.refuse("there is no claim against the company under way")


def asked(t: Turn, event: CompanyAsked) -> None:
    """They want something first: nothing automatic happens until a person has answered."""
    _needs_open_claim(t)
    _read(t, event.message_id)
    key = str(event.message_id or t.now.isoformat())
    t.task(TaskKind.ANSWER_COMPANY, key, reason="company_asked", working_days=2, priority=20)
    t.say("company_asked", by=event.decided_by)
    if position.at_body(t.case) or t.waits_on() is WaitingOn.BANK:
        go_on(t)
    else:
        cancel_letter(t, "company_asked")
        t.wait_for_us("answer_company", 2)
    t.notify("company_asked", key)


def denied(t: Turn, event: CompanyDenied) -> None:
    """Any denial stops reminders; what follows is a person's choice."""
    _needs_open_claim(t)
    _read(t, event.message_id)
    t.change(refused_on=t.case.refused_on or t.place.local_day(t.now))
    t.say("company_denied", reason=event.reason or "none_given", by=event.decided_by)
    if position.at_body(t.case) or t.waits_on() is WaitingOn.BANK:
        go_on(t)
    else:
        choose(t, "denied")
    t.notify("company_denied", reason=event.reason or "none_given")


def promised(t: Turn, event: CompanyPromised) -> None:
    """The first promise is given its time; a second one suspends nothing."""
    _needs_open_claim(t)
    today = t.place.local_day(t.now)
    if not today <= event.promised_date <= today + timedelta(days=PROMISE_DAYS_MAX):
        t.refuse("a promise names a day from today on, within a year")
    if event.amount_minor <= 0:
        t.refuse("a promise names an amount above zero")
    _read(t, event.message_id)
    n = t.case.promises_made + 1
    t.change(promises_made=n, agreed_at=t.case.agreed_at or t.now)
    t.say(
        "company_promised",
        amount=event.amount_minor,
        on=event.promised_date,
        n=n,
        whole=event.whole,
        by=event.decided_by,
    )
    key = str(event.promise_id)
    t.notify("company_promised", key, amount=event.amount_minor, on=event.promised_date, n=n)
    if n > 1 or not _fits_limitation(t, event) or position.covered(t.case):
        t.say("promise_suspends_nothing", n=n)
        go_on(t)
        return
    promise = Promise(
        event.promise_id,
        event.amount_minor,
        event.promised_date,
        t.now,
        n,
        t.case.recovered_minor,
    )
    t.change(promise=promise)
    if event.whole:
        t.change(agreed_minor=event.amount_minor)
        enter_settlement(t, "promised")
        wait_for_payment(t, promise, "word", "company_promise")
        go_on(t)
        return
    due = t.place.acting_instant(event.promised_date)
    if position.at_body(t.case):
        # The body's clock is not ours to stop: the day is only watched.
        basis = _promise_basis(t, promise, "word", "company_promise")
        t.arm(TimerKind.PROMISE_DUE, due, basis, key)
        go_on(t)
        return
    cancel_letter(t, "promised")
    if t.case.stage in LADDER and t.waits_on() is not WaitingOn.COMPANY:
        t.wait(WaitingOn.COMPANY, due, _promise_basis(t, promise, "word", "company_promise"))
    t.pause(PauseKind.PROMISE, key, due, "promise")


def _fits_limitation(t: Turn, event: CompanyPromised) -> bool:
    day = t.case.limitation_on
    return day is None or event.promised_date < day


def _promise_basis(t: Turn, promise: Promise, whose: str, rule: str) -> Basis:
    return Basis(
        "promise",
        promise.made_at,
        f"house.{rule}",
        "until the day named",
        whose,
        (),
        promise.promised_date,
    )


def wait_for_payment(t: Turn, promise: Promise, whose: str, rule: str) -> None:
    due = t.place.acting_instant(promise.promised_date)
    t.wait(WaitingOn.COMPANY, due, _promise_basis(t, promise, whose, rule))


def wrong_party(t: Turn, event: WrongParty) -> None:
    """ "Not us": the new respondent is confirmed by a person and gets a new first demand."""
    _needs_open_claim(t)
    if position.covered(t.case):
        t.refuse("the whole has been paid")
    _read(t, event.message_id)
    cancel_letter(t, "wrong_party")
    cancel_others(t, "wrong_party")
    draft(t, LetterKind.WRONG_PARTY, str(event.message_id or t.place.local_day(t.now)))
    t.change(
        stage=Stage.CONTACT,
        step=t.case.step + 1,
        letter=None,
        company_known=False,
        dead_channels=(),
        last_sent_at=None,
        agreed_minor=None,
        stage_left=None,
        promise=None,
    )
    t.drop_pause(PauseKind.PROMISE)
    t.disarm(TimerKind.BODY_STATUS)
    t.disarm(TimerKind.PROMISE_DUE)
    t.wait_for_us("confirm_company")
    t.task(TaskKind.CONFIRM_COMPANY, "company", reason="wrong_party", priority=20)
    t.say("wrong_party", by=event.decided_by)
    t.notify("wrong_party")


# --- bodies ----------------------------------------------------------------------------------


def _at_complaint(t: Turn) -> None:
    if not position.at_body(t.case):
        t.refuse("no complaint lies with a body")


def body_asked(t: Turn, event: BodyAsked) -> None:
    """Its date is our clock; the task comes a working day earlier, never on the last day."""
    _at_complaint(t)
    if event.answer_by <= t.now:
        t.refuse("the body's date has passed: record an incident")
    _read(t, event.message_id)
    basis = Basis(
        "body_asked",
        t.now,
        "body.answer_by",
        "until its date",
        "theirs",
        (),
        t.place.local_day(event.answer_by),
    )
    t.wait(WaitingOn.HANDLER, event.answer_by, basis)
    safe = max(t.now + timedelta(hours=1), _working_day_before(t, event.answer_by))
    key = event.answer_by.date().isoformat()
    t.task(TaskKind.ANSWER_BODY, key, reason="body_asked", due=safe, priority=10)
    t.say("body_asked", answer_by=event.answer_by, by=event.decided_by)
    t.notify("body_asked", key)


def _working_day_before(t: Turn, at: datetime) -> datetime:
    day = t.place.local_day(at) - timedelta(days=1)
    while t.rules.calendar.closed_because(day):
        day -= timedelta(days=1)
    return t.place.morning(day)


def body_answered(t: Turn, event: BodyAnswered) -> None:
    _at_complaint(t)
    if t.waits_on() is not WaitingOn.HANDLER:
        t.refuse("the body has asked nothing")
    _read(t, event.message_id)
    t.done(TaskKind.ANSWER_BODY)
    t.say("body_answered", by=event.decided_by)
    start_clock(t, t.now, "body_answered")
    t.notify("body_answered")


def body_dismissed(t: Turn, event: BodyDismissed) -> None:
    """The next body, or a person says what is left."""
    _at_complaint(t)
    _read(t, event.message_id)
    t.say("body_dismissed", reason=event.reason, by=event.decided_by)
    t.notify("body_dismissed", reason=event.reason)
    body_is_done(t, "body_dismissed")


def body_is_done(t: Turn, why: str) -> None:
    cancel_letter(t, why)
    t.change(body_index=t.case.body_index + 1, letter=None)
    t.disarm(TimerKind.BODY_STATUS)
    if current_body(t) is None or t.case.pauses or not position.mandate_stands(t.case):
        choose(t, why if current_body(t) is not None else "no_body_left")
        return
    t.change(prepared_by=None)
    enter_stage(t, Stage.COMPLAINT)


def body_decided(t: Turn, event: BodyDecided) -> None:
    """The company's time to obey is watched like a promise."""
    _at_complaint(t)
    if event.amount_minor <= 0:
        t.refuse("a decision for the consumer names an amount above zero")
    _read(t, event.message_id)
    promise = Promise(
        event.promise_id,
        event.amount_minor,
        event.obey_by,
        t.now,
        t.case.promises_made,
        t.case.recovered_minor,
    )
    t.say("body_decided", amount=event.amount_minor, obey_by=event.obey_by, by=event.decided_by)
    t.change(promise=promise, agreed_minor=event.amount_minor, agreed_at=t.case.agreed_at or t.now)
    enter_settlement(t, "body_decided")
    wait_for_payment(t, promise, "theirs", "body_decision")
    t.notify("body_decided", str(event.promise_id), amount=event.amount_minor)
