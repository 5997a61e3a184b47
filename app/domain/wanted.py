"""May this effect still go out? Asked by the relay under the case's lock, before the first byte."""

from __future__ import annotations

from typing import Final, assert_never

from app.domain import position
from app.domain.case import Case, LetterState, Stage
from app.domain.effects import (
    AcknowledgeMessage,
    Effect,
    MakePaper,
    NotifyConsumer,
    RecallLetter,
    RenderLetter,
    RenderMandate,
    SendCopy,
    SendLetter,
    StopNotice,
)
from app.domain.letters import BY_RULE
from app.domain.other_letters import wanted

# Reminders to do something lose their sense with the stage they press for.
NUDGE_STAGE: Final = {
    "nudge_draft": Stage.INTAKE,
    "nudge_agreement": Stage.AGREEMENT,
    "nudge_file_complaint": Stage.COMPLAINT,
    "please_sign": Stage.AGREEMENT,
}


def still_wanted(effect: Effect, case: Case) -> bool:
    """False: the relay marks the effect superseded and nothing leaves."""
    if isinstance(effect, RenderLetter | SendLetter):
        beside = wanted(case, effect)
        if beside is not None:
            return beside
    match effect:
        case RenderLetter():
            return _letter_wanted(effect, case, LetterState.RENDERING)
        case SendLetter():
            return _send_wanted(effect, case)
        case SendCopy():
            return case.is_open and position.mandate_stands(case)
        case NotifyConsumer():
            return _notice_wanted(effect, case)
        # Whoever signed gets what they signed, even after taking it back; the papers of a case are
        # made after its end too.
        case RenderMandate() | MakePaper() | AcknowledgeMessage() | StopNotice() | RecallLetter():
            return True
        case _:
            assert_never(effect)


def _letter_wanted(effect: RenderLetter | SendLetter, case: Case, state: LetterState) -> bool:
    letter = case.letter
    return (
        case.is_open
        and letter is not None
        and (letter.id, letter.n, letter.step) == (effect.letter_id, effect.n, effect.step)
        and letter.state is state
        and position.mandate_stands(case)
        and not position.stopping_pauses(case)
    )


def _send_wanted(effect: SendLetter, case: Case) -> bool:
    """Promise 2 and the list "before every automatic send", at the moment of sending."""
    if not _letter_wanted(effect, case, LetterState.RELEASED):
        return False
    letter = case.letter
    assert letter is not None, "checked above"
    by_rule = letter.approved_by in (None, BY_RULE)
    return (
        letter.sha256 == effect.sha256
        and not position.offer_open(case)
        and not (case.distress and by_rule)
    )


def _notice_wanted(effect: NotifyConsumer, case: Case) -> bool:
    stage = NUDGE_STAGE.get(effect.template)
    if stage is not None and case.stage is not stage:
        return False
    known = {c.id for c in case.claimants}
    return effect.claimant_id is None or effect.claimant_id in known
