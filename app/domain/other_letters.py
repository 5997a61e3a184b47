"""Letters beside the step's own: drafted at a fact or by a person's choice, read by a person, sent
once. They start no clock and move no stage; the ladder's one letter is app.domain.letters.

`topic` says what a letter is about (an offer, a debt, a closing): of one kind and topic there is
one letter for ever, unless it was cancelled before it left.
"""

from __future__ import annotations

import uuid
from dataclasses import replace
from typing import Final

from app.domain import position
from app.domain.case import (
    BEFORE_MANDATE,
    Case,
    Letter,
    LetterKind,
    LetterState,
    Offer,
    OfferKind,
    PauseKind,
)
from app.domain.decision import TaskKind
from app.domain.effects import RecallLetter, RenderLetter, SendLetter
from app.domain.errors import StaleEvent
from app.domain.events import (
    EffectFailed,
    EffectSettled,
    LetterApproved,
    LetterBounced,
    LetterDelivered,
    LetterHandedOver,
    LetterRendered,
    LetterRequested,
    LetterReturned,
)
from app.domain.letters import GAP_MIN, SECOND_THOUGHTS
from app.domain.signatures import needed_level, too_weak
from app.domain.turn import Turn

AT_CLOSING: Final = (LetterKind.CLOSING_COMPANY, LetterKind.CLOSING_CONSUMER)
# What a person may ask for; the others come with an event or are the letter of a step.
BY_CHOICE: Final = (
    LetterKind.MORE_TIME,
    LetterKind.MANDATE_NOTICE,
    LetterKind.DEBT_DISPUTE,
    LetterKind.DECLARATION,
    *AT_CLOSING,
)
# They bind the claimants, so above the approval line a senior reads them too.
BINDING: Final = (LetterKind.OFFER_ACCEPTED,)
OTHERS_MAX: Final = 100  # letters beside the steps that one case may have

Fact = (
    LetterRendered
    | LetterApproved
    | LetterReturned
    | LetterHandedOver
    | LetterDelivered
    | LetterBounced
    | EffectFailed
    | EffectSettled
)


def find(case: Case, letter_id: uuid.UUID | None) -> Letter | None:
    """The letter beside the steps with this id."""
    return next((one for one in case.others if one.id == letter_id), None)


def requested(t: Turn, event: LetterRequested) -> None:
    """A person asked for it. Refused with the reason where the case's state forbids it."""
    kind = event.kind
    if kind not in BY_CHOICE:
        t.refuse(f"{kind} comes with its event or as the letter of a step, not by choice")
    if (kind in AT_CLOSING) == t.case.is_open:
        t.refuse("a closing letter needs a closed case, every other letter an open one")
    why = forbidden(t, event.recipient)
    if why is not None:
        t.refuse(why)
    topic = event.topic
    if kind is LetterKind.MORE_TIME:
        if t.case.offer is None or not position.offer_open(t.case):
            t.refuse("no offer is open")
        topic = _of_offer(t.case.offer)
    _add(t, Letter(
        event.letter_id, kind, t.case.step, 1, LetterState.RENDERING, event.channel,
        event.recipient, topic=topic,
    ), event.by)  # fmt: skip


def forbidden(t: Turn, recipient: str) -> str | None:
    """Why no letter may be written now; None when one may."""
    case = t.case
    if case.stage in BEFORE_MANDATE:
        return "nobody has signed yet"
    if recipient != "consumer" and not position.mandate_stands(case):
        return "the mandate is not signed by every claimant"
    if recipient == "company" and too_weak(case, needed_level(t.rules, None)):
        return "the company takes no signature below the level: " + needed_level(t.rules, None)
    if recipient == "company" and not case.company_known:
        return "the company is not confirmed"
    if case.paused_for(PauseKind.LEGAL):
        return "legal matters are open: letters go through legal"
    if len(case.others) >= OTHERS_MAX:
        return f"there are {OTHERS_MAX} such letters on this case"
    return None


def draft(t: Turn, kind: LetterKind, topic: str) -> None:
    """A fact calls for this letter to the company: made now, sent once a person has read it. Left
    out where none may be written or the company is not reached; then a person sees the fact."""
    dead = {*t.case.dead_channels, *t.rules.reach.dead}
    channel = next((one for one in ("email", "post") if one not in dead), None)
    if channel is None or t.case.first_contact_at is None or forbidden(t, "company"):
        t.say("letter_not_drafted", visible=False, letter=kind)
        return
    if _same(t.case, kind, topic) is None:
        _add(t, Letter(
            t.rules.new_id(), kind, t.case.step, 1, LetterState.RENDERING, channel, "company",
            topic=topic,
        ), "rule")  # fmt: skip


def offer_accepted(t: Turn) -> None:
    """The claimants said yes to the company. A body's recommendation is answered to the body, and
    of money that is here already the company need not be told where to pay."""
    offer = t.case.offer
    if offer is None or offer.kind is OfferKind.RECOMMENDATION:
        return
    if t.case.money.unallocated_in_full == 0:
        draft(t, LetterKind.OFFER_ACCEPTED, str(offer.id))


def more_time(t: Turn) -> None:
    """Three days before an offer lapses the company is asked for more time."""
    offer = t.case.offer
    if offer is None or offer.kind is OfferKind.RECOMMENDATION:
        return
    if t.case.money.unallocated_in_full == 0:
        draft(t, LetterKind.MORE_TIME, _of_offer(offer))


def _of_offer(offer: Offer) -> str:
    """An offer that was extended may need more time once more."""
    return f"{offer.id}:{offer.answer_by.date().isoformat()}"


def cancel_others(t: Turn, why: str) -> None:
    """What has not left stays here; the printer is asked for what it may still hold."""
    for letter in t.case.others:
        if letter.state in position.UNSENT:
            _cancel(t, letter, why)


def handle(t: Turn, letter: Letter, event: Fact) -> None:
    """One fact about a letter beside the steps."""
    match event:
        case LetterRendered():
            _rendered(t, letter, event)
        case LetterApproved():
            _approved(t, letter, event)
        case LetterReturned():
            _waits(letter)
            t.say("letter_returned", reason=event.reason, by=event.returned_by, n=letter.n)
            _cancel(t, letter, "returned")
        case LetterHandedOver():
            _handed_over(t, letter, event)
        case LetterDelivered():
            _delivered(t, letter, event)
        case LetterBounced():
            bounced(t, letter, event.reason, hard=event.hard)
        case EffectFailed():
            _failed(t, letter, event.reason)
        case EffectSettled():
            _settled(t, letter, event)


def wanted(case: Case, effect: RenderLetter | SendLetter) -> bool | None:
    """May it be made, or go out? None: it is no letter beside the steps."""
    letter = find(case, effect.letter_id)
    if letter is None:
        return None
    making = isinstance(effect, RenderLetter)
    state = LetterState.RENDERING if making else LetterState.RELEASED
    stands = letter.recipient == "consumer" or position.mandate_stands(case)
    return (
        letter.state is state
        and letter.n == effect.n
        and (making or letter.sha256 == getattr(effect, "sha256", None))
        and stands
        and case.is_open != (letter.kind in AT_CLOSING)
        and not case.paused_for(PauseKind.LEGAL)
        and _still_true(case, letter)
    )


def _still_true(case: Case, letter: Letter) -> bool:
    """What the letter says has not been overtaken: more time is asked for an open offer only."""
    return letter.kind is not LetterKind.MORE_TIME or position.offer_open(case)


def approver(t: Turn, letter: Letter) -> str:
    """A person reads every letter beside the steps; what binds above the line, a senior."""
    line = t.rules.agency.approval_line_minor.get(t.case.currency)
    above = line is None or position.claimed(t.case) > line
    return "senior" if letter.kind in BINDING and above else "handler"


def _same(case: Case, kind: LetterKind, topic: str) -> Letter | None:
    return next(
        (
            one for one in case.others
            if (one.kind, one.topic) == (kind, topic) and one.state is not LetterState.CANCELLED
        ),
        None,
    )  # fmt: skip


def _add(t: Turn, letter: Letter, by: str) -> None:
    if _same(t.case, letter.kind, letter.topic) is not None:
        t.refuse("this letter has been made already")
    t.change(others=(*t.case.others, letter))
    t.say("letter_requested", visible=False, letter=letter.kind, by=by)
    t.effects.append(RenderLetter(t.rules.new_id(), t.case.id, letter.id, letter.step, letter.n))


def _put(t: Turn, letter: Letter) -> None:
    t.change(others=tuple(letter if one.id == letter.id else one for one in t.case.others))


def _waits(letter: Letter) -> None:
    if letter.state is not LetterState.AWAITING_APPROVAL:
        raise StaleEvent("this letter no longer waits for approval")


def _key(letter: Letter) -> str:
    return f"{letter.id}:{letter.n}"


def _rendered(t: Turn, letter: Letter, event: LetterRendered) -> None:
    if letter.state is not LetterState.RENDERING or event.n not in (0, letter.n):
        raise StaleEvent("this revision of the letter is no longer wanted")
    _put(t, replace(letter, sha256=event.sha256, state=LetterState.AWAITING_APPROVAL))
    t.say("letter_made", letter=letter.kind, n=letter.n, sha256=event.sha256)
    t.task(
        TaskKind.APPROVE_LETTER, _key(letter), reason=f"{letter.kind}_to_approve",
        role=approver(t, letter), subject=letter.id, priority=30,
    )  # fmt: skip


def _approved(t: Turn, letter: Letter, event: LetterApproved) -> None:
    _waits(letter)
    if letter.sha256 != event.sha256:
        t.refuse("the letter was made again; read the new one before approving")
    why = forbidden(t, letter.recipient)
    if why is not None:
        t.refuse(why)
    if not _still_true(t.case, letter):
        t.refuse("no offer is open")
    released = replace(letter, state=LetterState.RELEASED, approved_by=event.approved_by)
    _put(t, released)
    t.done(TaskKind.APPROVE_LETTER, _key(letter))
    t.say("letter_released", letter=letter.kind, n=letter.n, by=event.approved_by)
    _send(t, released)


def _send(t: Turn, letter: Letter) -> None:
    assert letter.sha256 is not None, "a released letter has bytes"
    not_before = t.now + SECOND_THOUGHTS
    if letter.recipient == "company" and t.case.last_sent_at is not None:
        not_before = max(not_before, t.case.last_sent_at + GAP_MIN)
    key = f"letter:{t.case.id}:{letter.kind}:{letter.topic}:{letter.recipient}:{_key(letter)}"
    t.effects.append(SendLetter(
        t.rules.new_id(), t.case.id, letter.id, letter.step, letter.n, letter.channel,
        letter.sha256, key, not_before,
    ))  # fmt: skip


def _handed_over(t: Turn, letter: Letter, event: LetterHandedOver) -> None:
    if letter.state not in (LetterState.RELEASED, LetterState.CANCELLED):
        raise StaleEvent("this letter was not on its way")
    if letter.state is LetterState.CANCELLED:
        t.say("letter_went_before_stop", provider=event.provider, at=event.at)
        t.notify("letter_went_before_stop")
    server = event.recipient_server
    _put(t, replace(
        letter, state=LetterState.DELIVERED if server else LetterState.HANDED_OVER,
        sent_at=event.at, delivered_at=event.at if server else None,
        evidence_grade="recipient_server" if server else None,
    ))  # fmt: skip
    if letter.recipient == "company":
        t.change(first_contact_at=t.case.first_contact_at or event.at, last_sent_at=event.at)
    said = {"letter": letter.kind, "channel": letter.channel, "at": event.at}
    if letter.recipient == "company":
        t.say("letter_sent", said, provider=event.provider)
    else:
        t.say("other_letter_sent", said, provider=event.provider)


def _delivered(t: Turn, letter: Letter, event: LetterDelivered) -> None:
    if letter.state is not LetterState.HANDED_OVER:
        raise StaleEvent("this letter does not wait for a receipt")
    _put(t, replace(
        letter, state=LetterState.DELIVERED, delivered_at=event.at, evidence_grade=event.grade
    ))  # fmt: skip
    t.say("letter_delivered", letter=letter.kind, grade=event.grade, at=event.at)


def bounced(t: Turn, letter: Letter, reason: str, *, hard: bool) -> None:
    """It came back; for good, a person finds another way."""
    if letter.state not in (LetterState.RELEASED, *position.LEFT_US):
        raise StaleEvent("this letter has not left, or has bounced before")
    if not hard:
        t.say("letter_bounced_softly", reason=reason)
        return
    _put(t, replace(letter, state=LetterState.BOUNCED))
    t.say("letter_bounced", channel=letter.channel, reason=reason)
    t.task(
        TaskKind.FIX_CHANNEL, str(letter.id), reason="other_letter_bounced", priority=20,
        subject=letter.id,
    )  # fmt: skip


def _failed(t: Turn, letter: Letter, reason: str) -> None:
    """Refused for good: a person sees why and asks for it anew once that is mended."""
    if letter.state is LetterState.RENDERING:
        _cancel(t, letter, "not_made")
        t.task(
            TaskKind.FIX_CHANNEL, str(letter.id), reason="other_letter_not_made", priority=20,
            subject=letter.id,
        )  # fmt: skip
    elif letter.state is LetterState.RELEASED:
        bounced(t, letter, reason, hard=True)


def _settled(t: Turn, letter: Letter, event: EffectSettled) -> None:
    if letter.state is not LetterState.RELEASED:
        return
    if event.verdict == "sent":
        _put(t, replace(letter, state=LetterState.HANDED_OVER, sent_at=t.now))
    elif event.verdict == "not_sent":
        _cancel(t, letter, "not_sent")
    else:
        again = replace(letter, n=letter.n + 1)
        _put(t, again)
        t.say("letter_sent_again", n=again.n, by=event.by)
        _send(t, again)


def _cancel(t: Turn, letter: Letter, why: str) -> None:
    if letter.state is LetterState.RELEASED and letter.channel == "post":
        t.effects.append(RecallLetter(t.rules.new_id(), t.case.id, letter.id))
    _put(t, replace(letter, state=LetterState.CANCELLED))
    t.done(TaskKind.APPROVE_LETTER, _key(letter), done=False)
    t.say("letter_cancelled", why=why, letter=letter.kind)
