"""Facts about letters and effects: rendered, approved, handed over, arrived, bounced, unknown."""

from __future__ import annotations

import uuid
from dataclasses import replace
from typing import Final

from app.domain import position
from app.domain.case import LADDER, Letter, LetterState, PauseKind, TimerKind, WaitingOn
from app.domain.closing import stop_notice
from app.domain.decision import TaskKind
from app.domain.errors import StaleEvent
from app.domain.events import (
    ChannelMended,
    EffectFailed,
    EffectSettled,
    EffectUnknown,
    LetterApproved,
    LetterBounced,
    LetterDelivered,
    LetterHandedOver,
    LetterRendered,
    LetterReturned,
)
from app.domain.ladder import choose
from app.domain.letters import (
    BY_RULE,
    FIX_CHANNEL,
    PORTAL,
    approver_role,
    ask_approval,
    cancel_letter,
    channels_left,
    delivered,
    go_on,
    handed_over,
    ladder_step,
    no_channel_left,
    presume_delivery,
    release,
    revise,
    send,
    start_clock,
    start_letter,
    ways,
)
from app.domain.turn import Turn

VERDICTS: Final = ("sent", "not_sent", "again")

# What people say they sent themselves; the rest is a fact of a machine that had it.
BY_PEOPLE: Final = ("consumer", "hand", PORTAL)


def _current(t: Turn, letter_id: uuid.UUID) -> Letter:
    letter = t.case.letter
    if letter is None or letter.id != letter_id:
        raise StaleEvent("the case has gone on to another letter")
    return letter


def rendered(t: Turn, event: LetterRendered) -> None:
    letter = _current(t, event.letter_id)
    if letter.state is not LetterState.RENDERING or event.n not in (0, letter.n):
        raise StaleEvent("this revision of the letter is no longer wanted")
    t.change(letter=replace(letter, sha256=event.sha256))
    t.say("letter_made", letter=letter.kind, n=letter.n, sha256=event.sha256)
    role = approver_role(t)
    if role is not None:
        ask_approval(t, role)
    elif position.stopping_pauses(t.case):
        # Made, but not released: after the pause it is made anew.
        t.change(letter=replace(letter, sha256=event.sha256, state=LetterState.AWAITING_APPROVAL))
    elif not position.mandate_stands(t.case):
        t.refuse("the mandate is not signed by every claimant")
    else:
        release(t, BY_RULE)


def approved(t: Turn, event: LetterApproved) -> None:
    letter = _current(t, event.letter_id)
    if letter.state is not LetterState.AWAITING_APPROVAL:
        raise StaleEvent("this letter no longer waits for approval")
    if letter.sha256 != event.sha256:
        t.refuse("the letter was made again; read the new one before approving")
    if event.approved_by == t.case.prepared_by and approver_role(t) == "senior":
        t.refuse("who prepared a letter does not approve it")
    pauses = position.stopping_pauses(t.case)
    if pauses:
        t.refuse(f"the case is paused: {pauses[0].kind}")
    if not position.mandate_stands(t.case):
        t.refuse("the mandate is not signed by every claimant")
    release(t, event.approved_by)


def returned(t: Turn, event: LetterReturned) -> None:
    letter = _current(t, event.letter_id)
    if letter.state is not LetterState.AWAITING_APPROVAL:
        raise StaleEvent("this letter no longer waits for approval")
    t.say("letter_returned", reason=event.reason, by=event.returned_by, n=letter.n)
    t.change(letter=replace(letter, state=LetterState.RETURNED))
    revise(t, "returned")


def was_handed_over(t: Turn, event: LetterHandedOver) -> None:
    letter = _current(t, event.letter_id)
    if letter.state in (*position.LEFT_US, LetterState.BOUNCED):
        raise StaleEvent("this letter has already been handed over")
    if letter.state is LetterState.CANCELLED:
        _went_although_cancelled(t, event)
        return
    if event.provider in BY_PEOPLE and letter.state is not LetterState.RELEASED:
        t.refuse("the letter has not been approved, so it cannot have been sent")
    if letter.n == 1 and letter.state is not LetterState.RELEASED:
        raise StaleEvent("this letter was never released")
    # Also for a letter stopped or made again meanwhile: it had been on its way, and one is enough.
    handed_over(t, event.at, event.provider)
    by_consumer = event.provider == "consumer"
    if by_consumer:
        t.done(TaskKind.FILE_COMPLAINT)
        t.disarm_prefix(TimerKind.NUDGE, "file_complaint:")
        delivered(t, event.at, "presumed", "word")
    elif event.recipient_server:
        delivered(t, event.at, "recipient_server")
    elif ladder_step(t).clock_starts == "handed_over":
        start_clock(t, event.at, "letter_handed_over")
        t.notify("letter_sent", f"{letter.id}:{letter.n}", letter=letter.kind)
    else:
        presume_delivery(t, event.at)
        t.notify("letter_sent", f"{letter.id}:{letter.n}", letter=letter.kind)


def _went_although_cancelled(t: Turn, event: LetterHandedOver) -> None:
    """It was on its way when it was stopped: the fact is recorded and, if we left, taken back."""
    assert t.case.letter is not None, "checked by the caller"
    t.change(letter=replace(t.case.letter, state=LetterState.HANDED_OVER, sent_at=event.at))
    t.say("letter_went_before_stop", provider=event.provider, at=event.at)
    t.notify("letter_went_before_stop")
    if t.case.first_contact_at is None:
        t.change(first_contact_at=event.at)
    t.change(last_sent_at=event.at)
    if not position.mandate_stands(t.case) or not t.case.is_open:
        stop_notice(t, "case")


def arrived(t: Turn, event: LetterDelivered) -> None:
    letter = _current(t, event.letter_id)
    if letter.state is LetterState.RELEASED:
        handed_over(t, event.at, "receipt")  # the receipt overtook the hand-over
    elif letter.state is not LetterState.HANDED_OVER:
        raise StaleEvent("this letter does not wait for a receipt")
    waits = t.waits_on() in (WaitingOn.DELIVERY, WaitingOn.CONSUMER)
    if t.case.is_open and letter.step == t.case.step and waits:
        delivered(t, event.at, event.grade)
    else:
        _note_arrival(t, event)


def _note_arrival(t: Turn, event: LetterDelivered) -> None:
    """Arrived when nothing waits for it any more: the proof is kept, nothing moves."""
    assert t.case.letter is not None, "checked by the caller"
    t.change(
        letter=replace(
            t.case.letter,
            state=LetterState.DELIVERED,
            delivered_at=event.at,
            evidence_grade=event.grade,
        )
    )
    t.say("letter_delivered", grade=event.grade, at=event.at)


def bounced(t: Turn, letter_id: uuid.UUID, hard: bool, reason: str) -> None:
    letter = _current(t, letter_id)
    if letter.state not in (LetterState.RELEASED, *position.LEFT_US):
        raise StaleEvent("this letter has not left, or has bounced before")
    if not hard:
        t.say("letter_bounced_softly", reason=reason)
        if letter.state is LetterState.RELEASED:
            return  # it is still with us and will be tried again
    channel_failed(t, reason, dead=hard)


def channel_failed(t: Turn, reason: str, *, dead: bool) -> None:
    """The letter did not arrive: the next channel, with a new revision, or a person finds one.
    `dead`: the channel refused for good. One that only gave up this time may carry later letters,
    but what it did not carry is never presumed to have arrived."""
    letter = t.case.letter
    assert letter is not None, "checked by the caller"
    t.change(letter=replace(letter, state=LetterState.BOUNCED))
    t.say("letter_bounced", channel=letter.channel, reason=reason)
    if t.case.last_sent_at == letter.sent_at:
        t.change(last_sent_at=None)  # it never arrived: no gap to keep
    t.done(TaskKind.FILE_AT_PORTAL, f"{letter.id}:{letter.n}", done=False)
    if letter.recipient == "company" and dead:
        t.change(dead_channels=tuple(sorted({*t.case.dead_channels, letter.channel})))
    waits = t.waits_on() in (WaitingOn.DELIVERY, WaitingOn.COMPANY, WaitingOn.BODY)
    waits = waits or (letter.channel == PORTAL and t.waits_on() is WaitingOn.HANDLER)
    if t.case.stage not in LADDER or letter.step != t.case.step or not waits:
        return  # nothing waits for this letter any more
    channels, open_ways = ladder_step(t).channels, ladder_step(t).channels
    if letter.recipient == "company":
        channels, open_ways = ways(t), tuple(channels_left(t))
    after = channels[channels.index(letter.channel) + 1 :] if letter.channel in channels else ()
    left = [c for c in after if c in open_ways and c != letter.channel]
    if not left:
        no_channel_left(t)
        return
    revise(t, "channel_dead", channel=left[0])


def channel_mended(t: Turn, event: ChannelMended) -> None:
    """A way to the company works again: whoever waited for one writes the letter on it."""
    if event.kind not in t.case.dead_channels and not _waits_for_channel(t):
        return
    left = tuple(c for c in t.case.dead_channels if c != event.kind)
    t.change(dead_channels=left)
    t.say("channel_mended", channel=event.kind, by=event.by)
    if not _waits_for_channel(t) or event.kind not in channels_left(t):
        return
    t.done(TaskKind.FIX_CHANNEL)
    letter = t.case.letter
    if letter is not None and letter.step == t.case.step and letter.recipient == "company":
        revise(t, "channel_mended", channel=event.kind)
    else:
        start_letter(t)


def _waits_for_channel(t: Turn) -> bool:
    basis = t.case.due_basis
    return (
        t.waits_on() is WaitingOn.HANDLER
        and basis is not None
        and basis.rule == f"house.{FIX_CHANNEL}"
    )


def letter_bounced(t: Turn, event: LetterBounced) -> None:
    bounced(t, event.letter_id, event.hard, event.reason)


# --- effects whose outcome is not known, or was refused --------------------------------------


def _is_letter(kind: str) -> bool:
    return kind.replace("_", "").lower() == "sendletter"


def effect_unknown(t: Turn, event: EffectUnknown) -> None:
    """What cannot be known blocks the next step; a person settles it within one working day."""
    key = str(event.effect_id)
    if t.case.is_open:
        t.pause(PauseKind.UNKNOWN_EFFECT, key, t.working_days(1), event.kind)
    t.task(
        TaskKind.SETTLE_EFFECT, key, reason="outcome_unknown", priority=5, subject=event.effect_id
    )
    t.say("effect_unknown", visible=False, effect=key, kind=event.kind)


def settle_pause(t: Turn, event: EffectSettled) -> None:
    """A person settled an order about a letter beside the steps: the case runs on."""
    _verdict(t, event)
    if t.case.is_open:
        go_on(t)


def _verdict(t: Turn, event: EffectSettled) -> bool:
    """The task is done, the block is off; True if there was one."""
    if event.verdict not in VERDICTS:
        t.refuse(f"a verdict is one of {', '.join(VERDICTS)}")
    key = str(event.effect_id)
    t.done(TaskKind.SETTLE_EFFECT, key)
    t.say("effect_settled", visible=False, effect=key, verdict=event.verdict, by=event.by)
    return t.drop_pause(PauseKind.UNKNOWN_EFFECT, key)


def effect_settled(t: Turn, event: EffectSettled) -> None:
    held = _verdict(t, event)
    letter = t.case.letter
    if not t.case.is_open:
        return
    if not _is_letter(event.kind) or letter is None or letter.state is not LetterState.RELEASED:
        if held:
            go_on(t)
        return
    if event.verdict == "sent":
        handed_over(t, t.now, event.by)
        presume_delivery(t, t.now)
    elif event.verdict == "not_sent":
        choose(t, "letter_not_sent")
    elif position.stopping_pauses(t.case):
        go_on(t)  # another pause still holds: after it the letter is made anew
    else:
        t.change(letter=replace(letter, n=letter.n + 1))
        t.say("letter_sent_again", n=letter.n + 1, by=event.by)
        send(t, by_person=True)


def effect_failed(t: Turn, event: EffectFailed) -> None:
    """The provider refused for good. For a letter that is a dead channel."""
    kind = event.kind.replace("_", "").lower()
    letter = t.case.letter
    if not t.case.is_open:
        t.say("effect_failed", visible=False, kind=event.kind, reason=event.reason)
    elif kind == "sendletter" and letter is not None and letter.state is LetterState.RELEASED:
        channel_failed(t, event.reason, dead=True)
    elif kind == "renderletter" and letter is not None and letter.state is LetterState.RENDERING:
        cancel_letter(t, "not_made")
        choose(t, "letter_not_made", priority=10)
    else:
        t.say("effect_failed", visible=False, kind=event.kind, reason=event.reason)
        if kind == "rendermandate":
            t.task(TaskKind.CALL_CONSUMER, str(event.effect_id), reason="mandate_not_made")
        if kind == "notifyconsumer":
            t.task(TaskKind.CALL_CONSUMER, str(event.effect_id), reason="consumer_unreachable")
