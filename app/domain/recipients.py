"""Whom the letter of a step goes to, and whether they take the signatures that we hold."""

from __future__ import annotations

from typing import Final

from app.domain.case import Claimant, Stage, WaitingOn
from app.domain.decision import TaskKind
from app.domain.playbook import Body
from app.domain.signatures import needed_level, too_weak
from app.domain.turn import Turn

STRONGER: Final = "stronger_signature"
STRONGER_RULE: Final = f"house.{STRONGER}"
STRONGER_DAYS: Final = 14


def current_body(t: Turn) -> Body | None:
    bodies = t.rules.playbook.bodies
    return bodies[t.case.body_index] if t.case.body_index < len(bodies) else None


def we_file(t: Turn, body: Body) -> bool:
    """The body takes it from an agent, and our licence there lets us be one."""
    return body.may_agency_file and t.rules.agency.may_file_in(t.case.jurisdiction)


def weak_signatures(t: Turn) -> tuple[str, tuple[Claimant, ...]]:
    """The level that whom the letter goes to takes, and whose signatures are below it. What the
    consumer sends themself needs no mandate."""
    body = current_body(t) if t.case.stage is Stage.COMPLAINT else None
    if body is not None and not we_file(t, body):
        return "typed", ()
    needed = needed_level(t.rules, body)
    return needed, too_weak(t.case, needed)


def ask_stronger(t: Turn) -> bool:
    """Nothing leaves under a signature that is too weak: the signers are told which is needed and
    how to give it. True: we wait for them."""
    needed, weak = weak_signatures(t)
    for one in weak:
        key = f"{needed}:{t.case.step}"
        t.notify("stronger_signature", key, to=one.id, given={"level": needed})
    if weak:
        t.wait_days(WaitingOn.CONSUMER, STRONGER_DAYS, STRONGER)
        reason = f"signature_too_weak:{needed}"
        t.task(TaskKind.CALL_CONSUMER, STRONGER, reason=reason, working_days=5)
        t.say("signature_too_weak", level=needed)
    return bool(weak)


def waits_for_stronger(t: Turn) -> bool:
    basis = t.case.paused_basis or t.case.due_basis
    return t.waits_on() is WaitingOn.CONSUMER and basis is not None and basis.rule == STRONGER_RULE
