"""Where a case stands: questions answered from the case alone, and what must always hold of it."""

from __future__ import annotations

from typing import Final

from app.domain.case import (
    LADDER,
    Case,
    Claimant,
    LetterState,
    MandateState,
    OfferState,
    Pause,
    PauseKind,
    Stage,
    TimerKind,
    WaitingOn,
)

# A care pause holds back letters and nudges, never a clock (design, "Care").
CLOCK_STOPPING: Final = frozenset(PauseKind) - {PauseKind.DISTRESS}

PAUSE_WAITS_ON: Final = {
    PauseKind.HOLD: WaitingOn.DATE,
    PauseKind.QUESTION: WaitingOn.CONSUMER,
    PauseKind.OFFER: WaitingOn.CONSUMER,
    PauseKind.PROMISE: WaitingOn.COMPANY,
    PauseKind.UNREAD_REPLY: WaitingOn.HANDLER,
    PauseKind.UNPLACED_MAIL: WaitingOn.HANDLER,
    PauseKind.UNKNOWN_EFFECT: WaitingOn.HANDLER,
    PauseKind.DISTRESS: WaitingOn.HANDLER,
    PauseKind.LEGAL: WaitingOn.HANDLER,
    PauseKind.DUPLICATE: WaitingOn.DATE,
    PauseKind.MANDATE: WaitingOn.CONSUMER,
    PauseKind.WITHDRAWAL: WaitingOn.DATE,
}

# Pauses that end in an event of their own; the others wake by a HOLD_END timer.
PAUSE_TIMER: Final = {
    PauseKind.QUESTION: TimerKind.QUESTION_DUE,
    PauseKind.OFFER: TimerKind.OFFER_EXPIRY,
    PauseKind.PROMISE: TimerKind.PROMISE_DUE,
    PauseKind.WITHDRAWAL: TimerKind.WITHDRAWAL_END,
}

UNSENT: Final = (
    LetterState.RENDERING,
    LetterState.AWAITING_APPROVAL,
    LetterState.RETURNED,
    LetterState.RELEASED,
)
LEFT_US: Final = (LetterState.HANDED_OVER, LetterState.DELIVERED)

# The agency's own dated steps: lateness of these is promise 9.
OUR_STEPS: Final = (WaitingOn.HANDLER, WaitingOn.DELIVERY, WaitingOn.BANK)


def standing(case: Case) -> tuple[Claimant, ...]:
    """The claimants who have not left: letters list them, offers ask them."""
    return tuple(c for c in case.claimants if c.mandate is not MandateState.REVOKED)


def all_have_signed(case: Case) -> bool:
    """Everybody who has not left has signed, and somebody has."""
    people = [c for c in standing(case) if c.mandate is not MandateState.EXPIRED]
    return bool(people) and all(c.mandate is MandateState.SIGNED for c in people)


def acted_for(case: Case) -> tuple[Claimant, ...]:
    """Who has signed and does not wait for the time to withdraw to be over: letters list them."""
    return tuple(
        c for c in case.claimants if c.mandate is MandateState.SIGNED and c.waits_until is None
    )


def mandate_stands(case: Case) -> bool:
    """Everybody has signed, and there is somebody whom we may act for today."""
    return all_have_signed(case) and bool(acted_for(case))


def claimed(case: Case) -> int:
    """What the standing claimants claim, in minor units."""
    gone = {c.id for c in case.claimants if c.mandate is MandateState.REVOKED}
    return sum(i.amount_minor for i in case.items if i.counted and i.creditor_id not in gone)


def covered(case: Case) -> bool:
    """What was recovered reaches the agreed sum, or the claim where nothing was agreed."""
    target = claimed(case) if case.agreed_minor is None else case.agreed_minor
    return 0 < target <= case.recovered_minor


def payable(case: Case) -> int:
    """Client money here that no payout carries yet, in minor units."""
    money = case.money
    return money.received + money.adjusted - money.fee - money.in_flight - money.paid_out


def accounts_known(case: Case) -> bool:
    creditors = {item.creditor_id for item in case.items if item.counted}
    owed = [c for c in case.claimants if c.id in creditors] or list(case.claimants)
    return bool(owed) and all(c.has_account for c in owed)


def stopping_pauses(case: Case) -> tuple[Pause, ...]:
    return tuple(p for p in case.pauses if p.kind in CLOCK_STOPPING)


def offer_open(case: Case) -> bool:
    return case.offer is not None and case.offer.state is OfferState.OPEN


def letter_unsent(case: Case) -> bool:
    return case.letter is not None and case.letter.state in UNSENT


def at_body(case: Case) -> bool:
    """The complaint has left for the body and the body has not said its last word."""
    letter = case.letter
    return case.stage is Stage.COMPLAINT and letter is not None and letter.state in LEFT_US


def what_next(case: Case) -> str:
    """A code for "and what then": what follows if nothing happens until `due_at`."""
    if not case.is_open:
        return "nothing"
    pauses = stopping_pauses(case)
    if pauses:
        return f"after_{min(pauses, key=lambda p: p.until).kind}"
    if case.waiting_on is WaitingOn.HANDLER:
        return "we_act"
    if case.waiting_on is WaitingOn.DELIVERY:
        return "their_time_starts"
    if case.waiting_on is WaitingOn.DATE:
        return "body_opens"
    if case.waiting_on is WaitingOn.BODY:
        return "we_ask_the_body"
    if case.waiting_on is WaitingOn.BANK:
        return "paid_out"
    if case.waiting_on is WaitingOn.CONSUMER:
        return "after_you"
    return _after_company(case)


def _after_company(case: Case) -> str:
    if case.stage is Stage.SETTLEMENT:
        return "promise_broken"
    if case.stage is Stage.CONTACT and case.step == 0:
        return Stage.CONTACT.value
    index = LADDER.index(case.stage) if case.stage in LADDER else 0
    return LADDER[min(index + 1, len(LADDER) - 1)].value


def check_invariants(case: Case) -> None:
    """Promise 1 and the shape of a position; an AssertionError is a bug in decide()."""
    closed = case.stage is Stage.CLOSED
    assert closed == (case.outcome is not None), "closed exactly when there is an outcome"
    assert closed == (case.waiting_on is None), "open exactly when we wait for somebody"
    assert closed == (case.due_at is None), "open exactly when there is a date"
    if closed:
        assert not case.timers and not case.pauses, "a closed case has no clocks"
        assert case.closed_at is not None, "a closed case knows when"
        assert not letter_unsent(case) and not offer_open(case), (
            "nothing stays open in a closed case"
        )
    else:
        _check_clocks(case)
    _check_money(case)
    keys = [(t.kind, t.key) for t in case.timers]
    assert len(keys) == len(set(keys)), "one timer per kind and key"


def _check_clocks(case: Case) -> None:
    deadline = case.timer(TimerKind.DEADLINE)
    pauses = stopping_pauses(case)
    if pauses:
        first = min(p.until for p in pauses)
        assert deadline is None, "the ladder's date stands still while paused"
        assert case.due_at == first, "the date is the earliest end of a pause"
        assert case.paused_waiting_on is not None, "a paused case knows what it returns to"
    else:
        assert deadline is not None, "a running case has a deadline"
        assert case.due_at == deadline.due_at, "the date people see is the deadline"
        assert case.paused_waiting_on is None, "nothing stands still in a running case"
        assert case.remaining_seconds is None, "nothing is left over in a running case"
    assert case.due_basis is not None, "every date explains itself"
    for pause in case.pauses:
        kind = PAUSE_TIMER.get(pause.kind, TimerKind.HOLD_END)
        key = pause.key if pause.kind in PAUSE_TIMER else hold_key(pause)
        timer = case.timer(kind, key)
        assert timer is not None and timer.due_at == pause.until, "every pause wakes at its end"
    assert case.waiting_on not in OUR_STEPS or any(
        t.kind is TimerKind.AGENCY_LATE for t in case.timers
    ), "our own steps are watched (promise 9)"


def _check_money(case: Case) -> None:
    money = case.money
    parts = (money.received, money.direct, money.voucher, money.fee, money.in_flight)
    assert min(*parts, money.paid_out, money.unallocated_in_full) >= 0, "no amount is negative"
    here = money.received + money.adjusted
    assert money.paid_out + money.in_flight + money.fee <= here, "more out than came in"


def hold_key(pause: Pause) -> str:
    return f"{pause.kind}:{pause.key}"
