"""Climbing: entering stages, returning to the one left, and what follows a deadline."""

from __future__ import annotations

from typing import Final

from app.domain import position
from app.domain.admissible import next_admissible, not_open_yet, person_decides, window_holds
from app.domain.case import LADDER, LetterKind, PauseKind, Stage, TimerKind, WaitingOn
from app.domain.decision import TaskKind
from app.domain.events import NextStepChosen
from app.domain.letters import (
    cancel_letter,
    nudge,
    start_letter,
)
from app.domain.recipients import current_body
from app.domain.turn import Turn

SHORT_WAIT_DAYS: Final = 7  # design: after a broken promise or a refused offer
SETTLEMENT_DAYS: Final = 21  # design, "The ladder": promised date, else 21 days
AGREEMENT_DAYS: Final = 14
AGREEMENT_NUDGES: Final = (3, 7, 12)
AGREEMENT: Final = "agreement:"  # keys of the reminders to sign


def enter_agreement(t: Turn, *, signed: bool = False) -> None:
    """`signed`: nobody needs to be asked; only their time to withdraw is not over."""
    t.change(stage=Stage.AGREEMENT)
    t.wait_days(WaitingOn.CONSUMER, AGREEMENT_DAYS, "agreement")
    if not signed:
        nudge(t, "agreement", str(t.case.step), AGREEMENT_NUDGES)
        t.notify("please_sign")


def enter_entry_stage(t: Turn) -> None:
    """All needed signatures are there: the ladder starts where the handler's reason says."""
    case = t.case
    assert case.entry_stage is not None, "an accepted case has an entry stage"
    t.disarm_prefix(TimerKind.NUDGE, AGREEMENT)
    if case.consumer_writes_first_days and case.entry_stage is Stage.CONTACT and case.step == 0:
        t.change(stage=Stage.CONTACT)
        days = case.consumer_writes_first_days
        t.wait_days(WaitingOn.CONSUMER, days, "consumer_writes_first")
        t.say("consumer_writes_first", days=days)
        t.notify("write_first", days=days)
        return
    t.say("entered", stage=case.entry_stage, reason=case.entry_reason)
    enter_stage(t, case.entry_stage)


def enter_stage(
    t: Turn, stage: Stage, *, short_wait_days: int | None = None, letter: LetterKind | None = None
) -> None:
    """One more numbered attempt: step + 1 and the letter of the stage, or the one that answers."""
    if not position.mandate_stands(t.case):
        t.refuse("the mandate is not signed by every claimant")
    cancel_letter(t, "next_step")
    t.change(
        stage=stage,
        step=t.case.step + 1,
        letter=None,
        short_wait_days=short_wait_days,
        agreed_minor=None,
        stage_left=None,
    )
    t.disarm(TimerKind.BODY_STATUS)
    t.done(TaskKind.CHOOSE_NEXT_STEP)
    t.done(TaskKind.FIX_CHANNEL)
    t.say("step_started", stage=stage, step=t.case.step)
    if stage is Stage.COMPLAINT:
        enter_complaint(t)
    elif why := window_holds(t):
        if why != "wait":
            choose(t, why)
    else:
        start_letter(t, letter)
    if t.before.stage is not stage:  # once more at the same stage: the letter's own word tells it
        t.notify("step_started", str(t.case.step))


def enter_complaint(t: Turn) -> None:
    """The first admissible body from `body_index` on; before it opens we wait for its date. What
    costs, is not sure or does not pay is a person's choice, and one who chose is not asked again.
    """
    by_person = t.case.prepared_by is not None
    body = next_admissible(t)
    if body is None:
        choose(t, "no_body_left")
    elif not by_person and (why := person_decides(t, body)):
        choose(t, why)
    elif not not_open_yet(t, body):
        start_letter(t)


def choose(t: Turn, why: str, *, priority: int = 30) -> None:
    """A person decides what follows; the ladder waits for them, with a date."""
    cancel_letter(t, why)
    t.wait_for_us("choose_next_step")
    t.task(TaskKind.CHOOSE_NEXT_STEP, str(t.case.step), reason=why, priority=priority)
    t.say("person_chooses", why=why)


def next_automatic(t: Turn) -> None:
    """The recipient's time has run out in silence: one stage up, no skipping."""
    case = t.case
    if case.stage is Stage.CONTACT and case.step == 0:
        enter_stage(t, Stage.CONTACT)
        return
    t.change(prepared_by=None)
    enter_stage(t, LADDER[LADDER.index(case.stage) + 1])


def return_to_stage(t: Turn, why: str, fitting: LetterKind | None = None) -> None:
    """After a refused offer or a broken promise: the stage left, step + 1, 7 days, then on, with
    the `fitting` letter where the stage's own has gone out before."""
    case = t.case
    if case.letter is None or case.letter.state not in position.LEFT_US:
        fitting = None
    stage = case.stage_left if case.stage is Stage.SETTLEMENT else case.stage
    t.say("returned", why=why, stage=stage or Stage.CONTACT)
    t.change(agreed_minor=None)
    if stage not in LADDER or not position.mandate_stands(case):
        _back_before_ladder(t, stage)
    elif stage is Stage.COMPLAINT:
        # One complaint per body: what follows there is a person's choice.
        cancel_letter(t, why)
        t.change(stage=stage, step=case.step + (case.stage is Stage.SETTLEMENT), letter=None)
        choose(t, why)
    elif position.stopping_pauses(case):
        t.change(stage=stage, step=case.step + (case.stage is Stage.SETTLEMENT))
        choose(t, why)
    else:
        t.change(prepared_by=None)
        first = case.first_contact_at is None
        enter_stage(t, stage, short_wait_days=None if first else SHORT_WAIT_DAYS, letter=fitting)


def _back_before_ladder(t: Turn, stage: Stage | None) -> None:
    """The case left for a settlement before anybody signed: it goes back to where it was."""
    step = t.case.step + (t.case.stage is Stage.SETTLEMENT)
    t.change(step=step, stage_left=None)
    if stage is Stage.AGREEMENT or (stage in LADDER and t.case.entry_stage is not None):
        enter_agreement(t)
        return
    t.change(stage=Stage.ASSESSMENT)
    t.wait_for_us("assess")
    t.task(TaskKind.ASSESS, "assess", reason="offer_or_promise_over")


def enter_settlement(t: Turn, why: str) -> None:
    """The whole is agreed, accepted, ordered or here. What it waits for is set by the caller."""
    if t.case.stage is not Stage.SETTLEMENT:
        cancel_letter(t, why)
        t.change(stage_left=t.case.stage, stage=Stage.SETTLEMENT, step=t.case.step + 1)
        t.disarm(TimerKind.NUDGE)
        t.disarm(TimerKind.BODY_STATUS)
        t.done(TaskKind.CHOOSE_NEXT_STEP, done=False)
        t.done(TaskKind.ASSESS, done=False)
        t.say("settlement", why=why)
    t.drop_pause(PauseKind.PROMISE)
    t.drop_pause(PauseKind.QUESTION)


def chosen(t: Turn, event: NextStepChosen) -> None:
    """A person's choice: up, or again at the same stage; never backwards."""
    case = t.case
    if case.stage not in LADDER and case.stage is not Stage.SETTLEMENT:
        t.refuse("there is no ladder to choose on")
    if position.covered(case):
        t.refuse("the whole has been paid")
    if event.stage not in LADDER:
        t.refuse(f"{event.stage} is not a stage of the ladder")
    here = case.stage if case.stage in LADDER else (case.stage_left or Stage.CONTACT)
    if here in LADDER and LADDER.index(event.stage) < LADDER.index(here):
        t.refuse("the ladder never goes backwards")
    pauses = position.stopping_pauses(case)
    if pauses:
        t.refuse(f"the case is paused: {pauses[0].kind}")
    if event.stage is Stage.COMPLAINT and current_body(t) is None:
        t.refuse("there is no further body")
    if event.stage is Stage.COMPLAINT and position.at_body(case):
        t.refuse("the complaint lies with the body: record what it said first")
    _judge_letter(t, event, here)
    t.change(prepared_by=event.decided_by, company_known=True)
    t.done(TaskKind.CONFIRM_COMPANY)
    t.done(TaskKind.ANSWER_COMPANY)
    t.done(TaskKind.PROMISE_BROKEN)
    t.say("next_step_chosen", stage=event.stage, reason=event.reason, by=event.decided_by)
    letter = event.letter if event.letter is LetterKind.DENIAL_ANSWER else None
    enter_stage(t, event.stage, letter=letter)


def _judge_letter(t: Turn, event: NextStepChosen, here: Stage) -> None:
    """The one letter a person may choose for a step is the answer to a denial."""
    if event.letter is None or event.letter.value == event.stage.value:
        return
    if event.letter is not LetterKind.DENIAL_ANSWER:
        t.refuse(f"{event.letter} is not a letter of this step")
    if event.stage is not here or event.stage is Stage.COMPLAINT:
        t.refuse("a denial is answered at the stage where it came")
    if t.case.refused_on is None:
        t.refuse("the company has refused nothing")
