"""Closing: one way out, whatever the outcome."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import timedelta
from typing import Final

from app.domain import position
from app.domain.case import (
    BEFORE_MANDATE,
    Case,
    MandateState,
    OfferState,
    Outcome,
    Stage,
)
from app.domain.decision import TaskKind
from app.domain.effects import StopNotice
from app.domain.letters import cancel_letter
from app.domain.other_letters import cancel_others
from app.domain.turn import Turn

FEE_TAIL: Final = timedelta(days=365)  # design, "Fee": money received within 12 months

# These outlive a case: money goes home, effects are settled, people are cared for, and whoever
# wrote is read.
OUTLIVES: Final = frozenset(
    {
        TaskKind.READ_REPLY,
        TaskKind.PREPARE_PAYOUT,
        TaskKind.FIX_PAYOUT,
        TaskKind.RETURN_MONEY,
        TaskKind.SETTLE_EFFECT,
        TaskKind.INCIDENT,
        TaskKind.LEGAL,
        TaskKind.CARE,
        TaskKind.COMPLAINT_ABOUT_US,
    }
)
# Leaving us: whoever got a letter from us is told that we no longer act.
WE_STOP: Final = frozenset(
    {Outcome.WITHDRAWN, Outcome.AGENCY_LATE, Outcome.SELF_FILED, Outcome.CONSUMER_SILENT}
)


# Who leaves takes the mandate along: a reopened case is signed anew.
LEFT: Final = frozenset({Outcome.WITHDRAWN, Outcome.AGENCY_LATE, Outcome.SELF_FILED})


def close(t: Turn, outcome: Outcome, code: str, **params: object) -> None:
    """`code` names the notice and the history entry; every "no" offers a person in its text."""
    cancel_letter(t, code)
    cancel_others(t, code)
    had_left = t.case.first_contact_at is not None
    if position.offer_open(t.case) and t.case.offer is not None:
        t.change(offer=replace(t.case.offer, state=OfferState.WITHDRAWN))
    if t.case.money.unallocated_in_full > 0:
        return_money(t)
    left = t.case.stage
    t.change(
        stage=Stage.CLOSED,
        outcome=outcome,
        closed_at=t.now,
        stage_left=_reopens_at(t, left),
        waiting_on=None,
        due_at=None,
        due_basis=None,
        timers=(),
        pauses=(),
        remaining_seconds=None,
        paused_waiting_on=None,
        paused_basis=None,
        promise=None,
    )
    if outcome in LEFT:
        for one in t.case.signed:
            revoke(t, one.position)
    for kind in TaskKind:
        if kind not in OUTLIVES:
            t.done(kind, done=False)
    t.say(code, {"outcome": outcome, **params})
    if outcome in WE_STOP and had_left:
        stop_notice(t, "case")
    t.notify(code, given={"outcome": outcome, "offers": "person", **params})


def _reopens_at(t: Turn, left: Stage) -> Stage:
    """Where a reopened case goes: never into a settlement that no longer stands."""
    if left is Stage.SETTLEMENT and t.case.stage_left is not None:
        return t.case.stage_left
    return left


def ended_mandates(before: Case, after: Case) -> list[uuid.UUID]:
    """Mandates that stood before and do not stand now, by id."""
    stand = {c.id for c in after.signed}
    return [c.mandate_id for c in before.signed if c.mandate_id and c.id not in stand]


def stop_notice(t: Turn, who: str) -> None:
    day = t.now.date().isoformat()
    t.effects.append(StopNotice(t.rules.new_id(), t.case.id, f"{who}:{day}"))


def return_money(t: Turn) -> None:
    held = t.case.money.unallocated_in_full
    t.task(
        TaskKind.RETURN_MONEY,
        "held",
        reason="refused_in_full_settlement",
        role="finance",
        working_days=2,
        priority=20,
    )
    t.say("money_goes_back", amount=held)


def withdraw(t: Turn) -> None:
    """Free until the company offered or agreed in writing; then a fee on money of a year."""
    may_owe = t.before.agreed_at is not None and t.before.stage not in BEFORE_MANDATE
    fee = {"fee_may_be_due": "yes" if may_owe and not t.before.agency_late else "no"}
    if fee["fee_may_be_due"] == "yes":
        fee["until"] = (t.now + FEE_TAIL).date().isoformat()
    letter = t.before.letter
    gone = "yes" if letter is not None and letter.state in position.LEFT_US else "no"
    close(t, Outcome.WITHDRAWN, "withdrawn", had_gone=gone, **fee)


def revoke(t: Turn, claimant_position: int) -> None:
    """Mark one mandate revoked; what the rest want is the caller's question."""
    claimants = tuple(
        replace(c, mandate=MandateState.REVOKED, waits_until=None)
        if c.position == claimant_position
        else c
        for c in t.case.claimants
    )
    t.change(claimants=claimants)
