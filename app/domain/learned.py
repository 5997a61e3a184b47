"""Facts of the claim learnt while the case runs: what a person took over from a finding made anew.

Only what the event names changes; the dates that hang on it follow in the same turn (bodies' last
days at its end, `legal_clocks.keep_body_limits`). Answers themselves stand with the case, not here.
"""

from __future__ import annotations

from dataclasses import replace

from app.domain import position
from app.domain.admissible import not_open_yet
from app.domain.bodies import facts_of, opens_on
from app.domain.case import Stage, TimerKind, WaitingOn
from app.domain.decision import TaskKind
from app.domain.events import FactsLearned
from app.domain.legal_clocks import move_day
from app.domain.letters import revise
from app.domain.money_rules import go_on_with_money
from app.domain.recipients import current_body
from app.domain.turn import Turn


def learned(t: Turn, event: FactsLearned) -> None:
    if not t.case.is_open:
        t.refuse("the case is closed")
    if t.case.entry_stage is None:
        t.refuse("what a case not yet accepted rests on is taken over when it is accepted")
    if event.bodies is not None:
        if position.at_body(t.case) or t.case.body_index:
            t.refuse("a body has been asked already: the next one is chosen as the next step")
        t.change(bodies=event.bodies)
    days = {
        "first_written_complaint": event.first_written_complaint,
        "refused_on": event.refused_on,
        "bill_on": event.bill_on,
    }
    t.change(**{name: day for name, day in days.items() if day is not None})
    if event.limitation_on is not None:
        if event.limitation_on <= t.place.local_day(t.now):
            t.refuse("the claim is too old by that day: a senior decides what follows")
        assert event.limitation is not None, "a day taken over from the law names its fact"
        move_day(t, event.limitation, event.limitation_on, event.by)
    t.say("facts_learned", what=event.what, by=event.by)
    _first_day_again(t)
    if event.claimed_was is not None:
        _claim_changed(t, event.claimed_was)


def _claim_changed(t: Turn, was: int) -> None:
    """The claim is another sum by now: what has not left is made again, what has left stands, and
    the company hears of it from a person. The consumer hears of it in any case."""
    if t.case.agreed_minor is not None or t.case.stage is Stage.SETTLEMENT:
        t.refuse("the sum is agreed: what is claimed decides nothing any more")
    now = position.claimed(t.case)
    if now == 0:
        t.refuse("nothing would be left to claim: the case is closed instead")
    t.say("claim_changed", sum=was, amount=now)
    t.notify("claim_changed", sum=was, amount=now)
    letter = t.case.letter
    if position.letter_unsent(t.case):
        revise(t, "claim_changed")
    elif letter is not None and letter.state in position.LEFT_US:
        t.task(TaskKind.ANSWER_COMPANY, "claim_changed", reason="claim_changed")
    if t.case.recovered_minor > 0 and position.covered(t.case):
        go_on_with_money(t, "claim_changed")


def _first_day_again(t: Turn) -> None:
    """A complaint that waits for its body's first day waits for the day it is by now."""
    timer = t.case.timer(TimerKind.DEADLINE)
    body = current_body(t)
    if timer is None or body is None or t.case.waiting_on is not WaitingOn.DATE:
        return
    if t.case.stage is not Stage.COMPLAINT or not_open_yet(t, body):
        return
    opens = opens_on(body, facts_of(t.case), t.rules.calendar)
    t.wait(WaitingOn.DATE, t.now, replace(timer.basis, due=opens or timer.basis.due))
