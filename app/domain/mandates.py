"""Mandates: signed, waiting for the time to withdraw to be over, asked to begin, taken back.

Who signs without asking us to begin at once is not acted for until their time to withdraw is over:
no letter lists them and none leaves for them alone. What runs for the others runs on. The wait ends
by time, by the signer's own request, or with the mandate; no handler lifts it (decision 0038).
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Final

from app.domain import position
from app.domain.case import (
    LADDER,
    Basis,
    Claimant,
    LetterState,
    MandateState,
    PauseKind,
    Stage,
    Timer,
    TimerKind,
)
from app.domain.closing import revoke, stop_notice, withdraw
from app.domain.decision import TaskKind
from app.domain.effects import DOCUMENT, RecallLetter, RenderMandate
from app.domain.errors import StaleEvent, StartNeeded
from app.domain.events import MandateRendered, MandateRevoked, MandateSigned, StartAsked
from app.domain.ladder import AGREEMENT, enter_agreement, enter_entry_stage
from app.domain.letters import (
    go_on,
    revise,
    start_letter,
)
from app.domain.money_rules import go_on_with_money
from app.domain.offers import all_accepted_now
from app.domain.other_letters import cancel_others
from app.domain.recipients import STRONGER, waits_for_stronger, weak_signatures
from app.domain.signatures import rank
from app.domain.turn import Turn

WAITS: Final = "withdrawal_period"  # why the case stands still


def _claimant(t: Turn, claimant_id: object) -> Claimant:
    found = next((c for c in t.case.claimants if c.id == claimant_id), None)
    return found if found is not None else t.refuse("this person is not a claimant here")


def _put(t: Turn, new: Claimant) -> None:
    t.change(claimants=tuple(new if c.id == new.id else c for c in t.case.claimants))


def sign_or_enter(t: Turn) -> None:
    """Accepted: up the ladder if everybody has signed; else the agreement waits for them."""
    if position.mandate_stands(t.case):
        enter_entry_stage(t)
        return
    enter_agreement(t, signed=position.all_have_signed(t.case))
    keep_waits(t)


def signed(t: Turn, event: MandateSigned) -> None:
    if not t.case.is_open:
        t.refuse("the case is closed")
    claimant = _claimant(t, event.claimant_id)
    if claimant.mandate is MandateState.SIGNED:
        if claimant.mandate_id == event.mandate_id:
            raise StaleEvent("this mandate has already been recorded")
        if rank(event.level) <= rank(claimant.level):
            t.refuse("this claimant has already signed")
    limit = t.limitation_instant()
    if event.waits_until is not None and limit is not None and event.waits_until > limit:
        why = "the claim is time-barred before the time to withdraw is over"
        raise StartNeeded(t.before.stage, t.event, why)
    new = replace(
        claimant,
        mandate=MandateState.SIGNED,
        mandate_id=event.mandate_id,
        signed_at=t.now,
        receives_money=event.receives_money,
        waits_until=event.waits_until,
        level=event.level,
        valid_until=event.valid_until,
    )
    _put(t, new)
    _watch_end(t, new)
    t.say("mandate_signed", claimant=claimant.position)
    if event.waits_until is not None:
        t.say("waits_to_begin", claimant=claimant.position, until=event.waits_until)
    if claimant.mandate is MandateState.SIGNED:
        _stronger(t)
    else:
        _go_on_with(t, "claimant_joined")
    t.effects.append(RenderMandate(t.rules.new_id(), t.case.id, claimant.id, event.mandate_id))


def _stronger(t: Turn) -> None:
    """The same person signed again, more firmly: what waited for it goes on."""
    if not waits_for_stronger(t) or weak_signatures(t)[1] or position.stopping_pauses(t.case):
        return
    t.done(TaskKind.CALL_CONSUMER, STRONGER)
    if position.letter_unsent(t.case):
        revise(t, STRONGER)
    else:
        start_letter(t)


def _watch_end(t: Turn, one: Claimant) -> None:
    """A mandate with a last day: a warning before it, and the end after it."""
    for when in (WARN, END):
        t.disarm(TimerKind.MANDATE_END, f"{when}:{one.id}")
    if one.valid_until is None:
        return
    basis = Basis("MandateSigned", t.now, "house.mandate_end", "until a date", due=one.valid_until)
    last = t.place.day_end(one.valid_until)
    t.arm(TimerKind.MANDATE_END, last, basis, f"{END}:{one.id}")
    warned = last - WARN_BEFORE
    if warned > t.now:
        t.arm(TimerKind.MANDATE_END, warned, basis, f"{WARN}:{one.id}")


def mandate_ends(t: Turn, timer: Timer) -> None:
    when, _, claimant_id = timer.key.partition(":")
    t.disarm(TimerKind.MANDATE_END, timer.key)
    one = next((c for c in t.case.claimants if str(c.id) == claimant_id), None)
    if one is None or one.mandate is not MandateState.SIGNED or one.valid_until is None:
        raise StaleEvent("this mandate is no longer the one that ends")
    if when == WARN:
        key = f"mandate:{one.position}"
        t.task(TaskKind.CALL_CONSUMER, key, reason="mandate_ends_soon", working_days=10)
        t.say("mandate_ends_soon", claimant=one.position, on=one.valid_until)
        t.notify("mandate_ends_soon", str(one.mandate_id), to=one.id, on=one.valid_until)
        return
    _expire(t, one)


def _expire(t: Turn, one: Claimant) -> None:
    """Like a mandate taken back: nothing more leaves for this claimant. They may sign anew, so the
    company is not told that we no longer act."""
    _put(t, replace(one, mandate=MandateState.EXPIRED, waits_until=None))
    t.say("mandate_expired", claimant=one.position)
    t.notify("mandate_expired", str(one.mandate_id), to=one.id)
    cancel_others(t, "mandate_expired")
    letter = t.case.letter
    if letter is not None and letter.state is LetterState.RELEASED and letter.channel == "post":
        t.effects.append(RecallLetter(t.rules.new_id(), t.case.id, letter.id))
    _go_on_with(t, "mandate_expired")
    if not position.all_have_signed(t.case) and t.case.stage in LADDER:
        t.pause(PauseKind.MANDATE, "mandate", t.now + SIGN_ANEW, "mandate")


WARN: Final = "warn"
END: Final = "end"
WARN_BEFORE: Final = timedelta(days=30)
SIGN_ANEW: Final = timedelta(days=14)


def document_made(t: Turn, event: MandateRendered) -> None:
    """The signed mandate goes to who signed, at once, on a durable medium (2011/83/EU, art. 8(7)),
    even if it was taken back meanwhile."""
    claimant = _claimant(t, event.claimant_id)
    params: dict[str, object] = {DOCUMENT: event.sha256}
    template = "mandate_signed"
    if claimant.mandate_id == event.mandate_id and claimant.waits_until is not None:
        template, params["begin"] = "signed_and_waits", claimant.waits_until
    t.say("mandate_document", visible=False, claimant=claimant.position, sha256=event.sha256)
    t.notify(template, str(event.mandate_id), to=claimant.id, given=params)


def start_asked(t: Turn, event: StartAsked) -> None:
    """The signer's own request; from now on their lines stand in the letters."""
    claimant = _claimant(t, event.claimant_id)
    if claimant.mandate is not MandateState.SIGNED:
        t.refuse("this claimant has no mandate that stands")
    if not t.case.is_open:
        t.refuse("the case is closed")
    if claimant.waits_until is None:
        raise StaleEvent("we act for this claimant already")
    t.say("start_asked", claimant=claimant.position)
    t.notify("start_asked", str(claimant.mandate_id), to=claimant.id)
    _wait_over(t, claimant)


def withdrawal_over(t: Turn, timer: Timer) -> None:
    """The time to withdraw ended unused."""
    claimant = next((c for c in t.case.claimants if str(c.id) == timer.key), None)
    if claimant is None or claimant.waits_until is None:
        raise StaleEvent("this claimant waits no longer")
    if claimant.waits_until > t.now:
        # The last day of the claim came first. We may not begin; only the signer can say so.
        t.task(TaskKind.CALL_CONSUMER, "start", reason="start_needed", priority=0)
        keep_waits(t)
        return
    t.say("withdrawal_over", claimant=claimant.position)
    t.notify("withdrawal_over", str(claimant.mandate_id), to=claimant.id)
    _wait_over(t, claimant)


def _wait_over(t: Turn, claimant: Claimant) -> None:
    _put(t, replace(claimant, waits_until=None))
    if not t.case.is_open:
        return
    _go_on_with(t, "claimant_joined")


def keep_waits(t: Turn) -> bool:
    """A timer for each who waits; the case stands still only while there is nobody else. True:
    it stood still, and goes on."""
    stood = t.drop_pause(PauseKind.WITHDRAWAL)
    if position.all_have_signed(t.case):
        stood = t.drop_pause(PauseKind.MANDATE) or stood
    t.disarm(TimerKind.WITHDRAWAL_END)
    waiting = [c for c in position.standing(t.case) if c.waits_until is not None]
    for one in waiting:
        assert one.waits_until is not None and one.signed_at is not None, "who waits has signed"
        basis = Basis("MandateSigned", one.signed_at, "house.withdrawal", "until a date")
        t.arm(TimerKind.WITHDRAWAL_END, one.waits_until, basis, str(one.id))
    still = t.case.stage in (Stage.AGREEMENT, *LADDER)
    if still and position.all_have_signed(t.case) and not position.acted_for(t.case):
        first = min(waiting, key=lambda c: (c.waits_until, c.position))
        assert first.waits_until is not None, "only who waits is in the list"
        t.disarm_prefix(TimerKind.NUDGE, AGREEMENT)
        t.pause(PauseKind.WITHDRAWAL, str(first.id), first.waits_until, WAITS)
    elif stood and t.case.stage is not Stage.AGREEMENT:
        go_on(t)
        return True
    return False


def sign_anew(t: Turn) -> None:
    """A reopened case: whoever left together is asked together; waits that ended meanwhile are
    over."""
    everybody_left = not position.standing(t.case)
    for one in t.case.claimants:
        if everybody_left:
            _put(t, replace(one, mandate=MandateState.NONE))
        elif one.waits_until is not None and one.waits_until <= t.now:
            _put(t, replace(one, waits_until=None))


def _go_on_with(t: Turn, why: str) -> None:
    """Somebody came or left: the ladder starts when all have signed; later, a letter that has not
    left is made again, for it lists only those whom we act for."""
    resumed = keep_waits(t)
    if t.case.paused_for(PauseKind.WITHDRAWAL) or not position.mandate_stands(t.case):
        return
    if t.case.stage is Stage.AGREEMENT:
        enter_entry_stage(t)
    elif not resumed and position.letter_unsent(t.case):
        revise(t, why)


def revoked(t: Turn, event: MandateRevoked) -> None:
    """Stops what has not left for this claimant; the others go on, or nobody is left."""
    claimant = _claimant(t, event.claimant_id)
    if claimant.mandate is MandateState.REVOKED:
        raise StaleEvent("this mandate has already been revoked")
    if claimant.mandate in (MandateState.NONE, MandateState.EXPIRED):
        t.refuse("this claimant has not signed; the case can be withdrawn")
    revoke(t, claimant.position)
    t.say("mandate_revoked", claimant=claimant.position)
    letter = t.before.letter
    gone = letter is not None and letter.state in position.LEFT_US
    t.notify("mandate_revoked", to=claimant.id, had_gone="yes" if gone else "no")
    cancel_others(t, "mandate_revoked")
    if not t.case.is_open:
        return
    if not position.standing(t.case):
        withdraw(t)
        return
    if t.case.first_contact_at is not None and claimant.waits_until is None:
        stop_notice(t, str(claimant.id))
    if all_accepted_now(t):
        keep_waits(t)
        return  # the one who left was the only one who had not accepted the offer
    if t.case.recovered_minor > 0 and position.covered(t.case):
        keep_waits(t)
        go_on_with_money(t, f"left:{claimant.position}")
    else:
        _go_on_with(t, "claimant_left")
