"""A letter's own life inside a step: made, made again, released, stopped, arrived.

Revisions keep the letter's id and raise `n`; a letter of a new step is a new id. The relay asks
`still_wanted` before the first byte leaves, so a letter is stopped by changing its state here.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from app.domain import position
from app.domain.case import (
    Case,
    Letter,
    LetterKind,
    LetterState,
    PauseKind,
    Stage,
    TimerKind,
    WaitingOn,
)
from app.domain.decision import TaskKind
from app.domain.effects import RecallLetter, RenderLetter, SendCopy, SendLetter
from app.domain.legal_clocks import letter_arrived, too_late_for_limitation
from app.domain.playbook import Body, LadderStep
from app.domain.recipients import ask_stronger, current_body, we_file, weak_signatures
from app.domain.signatures import SignatureTooWeak
from app.domain.turn import Turn
from app.domain.waits import company_wait

SECOND_THOUGHTS: Final = timedelta(seconds=30)
# Two automatic letters to one company never meet on one day (rules of the ladder, minimum gap).
GAP_MIN: Final = timedelta(days=1)
# No bounce within this many working days: presumed delivered.
PRESUMED_WORKING_DAYS: Final = {"email": 1, "post": 3, "portal": 1}
BY_RULE: Final = "rule"
PORTAL: Final = "portal"
# Where no other way is left these may go through the company's web form; a formal notice wants a
# proof of what it said, so it goes that way only where its playbook says so.
AT_LAST_BY_PORTAL: Final = (Stage.CONTACT, Stage.REMINDER)
COPIED_BY: Final = ("email", "post")
# They answer reasons, or send money back: somebody reads them first, whatever the stage says.
READ_BY_A_PERSON: Final = (LetterKind.DENIAL_ANSWER, LetterKind.FULL_SETTLEMENT_REFUSED)
FIX_CHANNEL: Final = "fix_channel"  # we wait for ourselves: no way to the company is left


def ladder_step(t: Turn) -> LadderStep:
    return t.rules.playbook.step_for(t.case.stage)


def start_letter(t: Turn, kind: LetterKind | None = None) -> None:
    """The letter of the step just entered: rendered first, approved next, sent last. `kind`: an
    answer to what the company said takes the place of the stage's own letter."""
    step = ladder_step(t)
    alive = channels_left(t)
    if t.case.stage is Stage.COMPLAINT:
        alive = list(step.channels)  # dead channels are the company's, not the body's
    if not alive:
        no_channel_left(t)
        return
    if ask_stronger(t):
        return
    recipient = "body" if t.case.stage is Stage.COMPLAINT else "company"
    letter = Letter(
        t.rules.new_id(),
        kind or step.letter,
        t.case.step,
        1,
        LetterState.RENDERING,
        alive[0],
        recipient,
    )
    t.change(letter=letter)
    _render(t, letter)


def channels_left(t: Turn) -> list[str]:
    """The step's channels to the company in the playbook's order, without those that refused this
    case or, by what other cases met, no longer work at all."""
    dead = {*t.case.dead_channels, *t.rules.reach.dead}
    if not t.rules.reach.portal:
        dead.add(PORTAL)
    return [c for c in ways(t) if c not in dead]


def ways(t: Turn) -> tuple[str, ...]:
    """The step's channels in the playbook's order, and at last the company's web form."""
    named = ladder_step(t).channels
    at_last = t.case.stage in AT_LAST_BY_PORTAL and PORTAL not in named
    return (*named, PORTAL) if at_last else named


def revise(t: Turn, why: str, channel: str | None = None) -> None:
    """The same letter made again: a new `n`, new bytes, a new approval."""
    old = t.case.letter
    assert old is not None, "only an existing letter is revised"
    t.done(TaskKind.APPROVE_LETTER, f"{old.id}:{old.n}", done=False)
    t.done(TaskKind.FILE_AT_PORTAL, f"{old.id}:{old.n}", done=False)
    letter = Letter(
        old.id,
        old.kind,
        old.step,
        old.n + 1,
        LetterState.RENDERING,
        channel or old.channel,
        old.recipient,
    )
    t.change(letter=letter)
    t.say("letter_revised", why=why, n=letter.n, channel=letter.channel)
    _render(t, letter)


def _render(t: Turn, letter: Letter) -> None:
    t.effects.append(RenderLetter(t.rules.new_id(), t.case.id, letter.id, letter.step, letter.n))
    t.wait_for_us("letter_made", waiting_on=WaitingOn.DELIVERY)


def approver_role(t: Turn) -> str | None:
    """Who must approve this letter; None = the rule releases it (promise 7)."""
    approval = ladder_step(t).approval
    if t.case.stage is Stage.COMPLAINT:
        return "senior"
    line = t.rules.agency.approval_line_minor.get(t.case.currency)
    above = line is None or position.claimed(t.case) > line
    if t.case.stage is Stage.FORMAL_NOTICE and above:
        return "senior"
    if approval in ("handler", "senior"):
        return approval
    letter = t.case.letter
    read = letter is not None and letter.kind in READ_BY_A_PERSON
    return "handler" if read or t.case.distress else None


def ask_approval(t: Turn, role: str) -> None:
    letter = _letter(t)
    t.change(letter=replace(letter, state=LetterState.AWAITING_APPROVAL))
    t.wait_for_us("letter_approved")
    t.task(
        TaskKind.APPROVE_LETTER,
        f"{letter.id}:{letter.n}",
        reason=f"{letter.kind}_to_approve",
        role=role,
        subject=letter.id,
        priority=30,
    )


def release(t: Turn, approved_by: str) -> None:
    """Approved for its hash. A complaint we may not file ourselves goes out by the consumer.

    Raises SignatureTooWeak to the person who approves; a letter of the rule's waits instead.
    """
    needed, weak = weak_signatures(t)
    if weak and approved_by != BY_RULE:
        who = ", ".join(str(c.position + 1) for c in weak)
        why = f"it needs a signature at the level {needed}, and claimant {who} signed below it"
        raise SignatureTooWeak(t.before.stage, t.event, f"{why}: ask them to sign again")
    if ask_stronger(t):
        return
    letter = replace(_letter(t), state=LetterState.RELEASED, approved_by=approved_by)
    t.change(letter=letter)
    t.done(TaskKind.APPROVE_LETTER, f"{letter.id}:{letter.n}")
    t.say("letter_released", letter=letter.kind, n=letter.n, by=approved_by)
    body = current_body(t)
    if letter.kind is LetterKind.COMPLAINT and body is not None and not we_file(t, body):
        _ask_consumer_to_file(t, letter, body)
        return
    send(t, by_person=approved_by != BY_RULE)


def send(t: Turn, *, by_person: bool) -> None:
    letter = _letter(t)
    assert letter.sha256 is not None, "a released letter has bytes"
    case = t.case
    if letter.channel == PORTAL:
        _ask_to_file_at_portal(t, letter)
        return
    not_before = t.now + SECOND_THOUGHTS if by_person else None
    if letter.recipient == "company" and case.last_sent_at is not None:
        opens = case.last_sent_at + GAP_MIN
        if opens > (not_before or t.now):
            not_before = opens
    key = f"letter:{case.id}:{case.stage}:{letter.step}:{letter.kind}:{letter.recipient}:{letter.n}"
    t.effects.append(
        SendLetter(
            t.rules.new_id(),
            case.id,
            letter.id,
            letter.step,
            letter.n,
            letter.channel,
            letter.sha256,
            key,
            not_before,
        )
    )
    due = t.working_days(1, not_before)
    t.wait(WaitingOn.DELIVERY, due, t.our_basis("letter_sent", "1 working_days", not_before))


def _ask_to_file_at_portal(t: Turn, letter: Letter) -> None:
    """Web forms are never filled in by a machine: a person copies the prepared text."""
    t.task(
        TaskKind.FILE_AT_PORTAL,
        f"{letter.id}:{letter.n}",
        reason="file_at_portal",
        priority=25,
        subject=letter.id,
    )
    t.wait_for_us("file_at_portal")


def _copy_to_official(t: Turn, letter: Letter) -> None:
    """The first written complaint goes to the official complaint address too."""
    addresses = t.rules.reach.official
    left = [c for c in addresses if c not in t.case.dead_channels]
    if letter.channel in addresses or not left:
        return
    official = left[0]
    t.say("copy_to_official", letter=letter.kind, channel=official)
    if official not in COPIED_BY:
        key = f"copy:{letter.id}"
        t.task(TaskKind.FILE_AT_PORTAL, key, reason="official_portal", subject=letter.id)
        return
    assert letter.sha256 is not None, "what left has bytes"
    t.effects.append(SendCopy(t.rules.new_id(), t.case.id, letter.id, official, letter.sha256))


def _ask_consumer_to_file(t: Turn, letter: Letter, body: Body) -> None:
    t.notify("file_complaint", f"{letter.id}:{letter.n}", body=body.id, letter=letter.id)
    t.task(
        TaskKind.FILE_COMPLAINT,
        str(letter.id),
        reason="consumer_presses_send",
        working_days=10,
        subject=letter.id,
    )
    t.wait_days(WaitingOn.CONSUMER, CONSUMER_FILES_DAYS, "consumer_files")
    nudge(t, "file_complaint", str(letter.step), CONSUMER_FILES_NUDGES)


CONSUMER_FILES_DAYS: Final = 14
CONSUMER_FILES_NUDGES: Final = (4, 9)


def nudge(t: Turn, what: str, key: str, days: tuple[int, ...]) -> None:
    """Reminders to the consumer after so many days; the timer key carries what and which."""
    for day in days:
        basis = t.our_basis(f"nudge.{what}", f"{day} days")
        t.arm(TimerKind.NUDGE, t.now + timedelta(days=day), basis, f"{what}:{key}:{day}")


def cancel_letter(t: Turn, why: str) -> None:
    """Stop what has not left; ask the printer for what it may still hold."""
    letter = t.case.letter
    if letter is None or letter.state not in position.UNSENT:
        return
    if letter.state is LetterState.RELEASED and letter.channel == "post":
        t.effects.append(RecallLetter(t.rules.new_id(), t.case.id, letter.id))
    t.change(letter=replace(letter, state=LetterState.CANCELLED))
    t.done(TaskKind.APPROVE_LETTER, done=False)
    t.done(TaskKind.FILE_COMPLAINT, done=False)
    t.done(TaskKind.FILE_AT_PORTAL, done=False)
    t.disarm_prefix(TimerKind.NUDGE, "file_complaint:")
    t.say("letter_cancelled", why=why, letter=letter.kind)


def go_on(t: Turn) -> None:
    """Resume if nothing holds the case. An unsent letter is made anew: its dates are old."""
    if not t.resume() or not position.letter_unsent(t.case):
        return
    letter = _letter(t)
    if letter.state is LetterState.RELEASED and t.case.waiting_on is WaitingOn.CONSUMER:
        return  # the complaint lies with the consumer; nothing of ours was stopped
    revise(t, "after_pause")


def lift(t: Turn, kind: PauseKind, key: str | None = None) -> None:
    t.drop_pause(kind, key)
    go_on(t)


def no_channel_left(t: Turn) -> None:
    t.wait_for_us(FIX_CHANNEL)
    t.task(TaskKind.FIX_CHANNEL, str(t.case.step), reason="no_channel_left", priority=20)
    t.say("no_channel_left")
    t.notify("no_channel_left")


def handed_over(t: Turn, at: datetime, provider: str) -> None:
    """It left us. The first one to the company is the agency's first contact."""
    letter = replace(_letter(t), state=LetterState.HANDED_OVER, sent_at=at)
    t.change(letter=letter)
    t.done(TaskKind.APPROVE_LETTER, done=False)
    t.done(TaskKind.FILE_AT_PORTAL, f"{letter.id}:{letter.n}")
    if letter.recipient == "company":
        if t.case.first_contact_at is None and letter.sha256 is not None:
            _copy_to_official(t, letter)
        day = t.case.first_written_complaint or t.place.local_day(at)
        first = t.case.first_contact_at or at
        t.change(first_contact_at=first, first_written_complaint=day, last_sent_at=at)
    t.say("letter_sent", letter=letter.kind, channel=letter.channel, provider=provider, at=at)


def presume_delivery(t: Turn, at: datetime) -> None:
    """No receipt yet: presumed after a span without a bounce, as a dated step of delivery."""
    days = PRESUMED_WORKING_DAYS[_letter(t).channel]
    basis = t.our_basis("presumed_delivery", f"{days} working_days", at)
    t.wait(WaitingOn.DELIVERY, presumed_on(t, at), basis)


def presumed_on(t: Turn, sent_at: datetime) -> datetime:
    """When a letter that left at `sent_at` counts as arrived, if nothing came back."""
    return t.working_days(PRESUMED_WORKING_DAYS[_letter(t).channel], sent_at)


def delivered(t: Turn, at: datetime, grade: str, whose: str = "") -> None:
    letter = replace(_letter(t), state=LetterState.DELIVERED, delivered_at=at, evidence_grade=grade)
    t.change(letter=letter)
    t.say("letter_delivered", letter=letter.kind, grade=grade, at=at)
    if letter.recipient == "company":
        letter_arrived(t, at)
    start_clock(t, at, "letter_delivered", whose)
    t.notify("letter_delivered", f"{letter.id}:{letter.n}", letter=letter.kind, grade=grade)


def start_clock(t: Turn, at: datetime, fact: str, whose: str = "") -> None:
    """The recipient's time starts at the fact its rule names."""
    body = current_body(t) if t.case.stage is Stage.COMPLAINT else None
    if body is not None:
        waiting_on, period, rule = WaitingOn.BODY, body.wait, f"body.{body.id}"
        whose = whose or "theirs"
    else:
        given = company_wait(t.case, t.rules.playbook)
        waiting_on, period, rule = WaitingOn.COMPANY, given.period, given.rule
        whose = whose or given.whose
    name = f"{rule}@{t.rules.playbook.key}"
    deadline = t.place.deadline(at, period, start_event=fact, rule=name, whose=whose)
    # A fact told late must not make its deadline pass before anybody could act on it.
    act_at = max(deadline.act_at, t.now)
    t.wait(waiting_on, act_at, deadline.basis)
    letter = t.case.letter
    t.say(
        "clock_started",
        visible=False,
        rule=name,
        due=deadline.due,
        letter_id=letter.id if letter else "none",
    )
    too_late_for_limitation(t, act_at)


def _letter(t: Turn) -> Letter:
    assert t.case.letter is not None, f"{t.event} needs a letter"
    return t.case.letter


def recipient_waits(case: Case) -> bool:
    """The current letter has arrived or is on its way: the clock belongs to the recipient."""
    return case.letter is not None and case.letter.state in position.LEFT_US
