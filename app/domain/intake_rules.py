"""Intake and assessment: from a draft to a decision; and the questions asked."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Final

from app.domain.case import (
    LADDER,
    Outcome,
    PauseKind,
    Question,
    Stage,
    TimerKind,
    WaitingOn,
)
from app.domain.closing import close
from app.domain.decision import TaskKind
from app.domain.errors import StaleEvent
from app.domain.events import (
    CaseAccepted,
    CaseRejected,
    CaseSubmitted,
    QuestionAnswered,
    QuestionAsked,
)
from app.domain.legal_clocks import arm_limitation, limitation_basis, limitation_unknown
from app.domain.letters import lift, nudge
from app.domain.mandates import sign_or_enter
from app.domain.turn import Turn

DRAFT_DAYS: Final = 30
DRAFT_NUDGES: Final = (1, 5, 20)
QUESTION_DAYS_MAX: Final = 60
REJECTIONS: Final = frozenset(
    {
        Outcome.NO_MERIT,
        Outcome.DECLINED_BY_US,
        Outcome.UNECONOMIC,
        Outcome.TIME_BARRED,
        Outcome.INSOLVENT,
    }
)


def drafted(t: Turn) -> None:
    if t.case.stage is not Stage.INTAKE:
        t.refuse("the case was filed before")
    if t.case.waiting_on is not None:
        raise StaleEvent("this draft has already begun")
    begin_draft(t)


def begin_draft(t: Turn) -> None:
    t.wait_days(WaitingOn.CONSUMER, DRAFT_DAYS, "draft")
    nudge(t, "draft", str(t.case.step), DRAFT_NUDGES)
    t.say("drafted")


def submitted(t: Turn, event: CaseSubmitted) -> None:
    if t.case.stage is not Stage.INTAKE:
        t.refuse("the case was submitted before")
    t.disarm(TimerKind.NUDGE)
    t.change(stage=Stage.ASSESSMENT)
    t.say("submitted", by=event.filed_by)
    begin_assessment(t)
    if not t.case.company_known:
        t.task(TaskKind.CONFIRM_COMPANY, "company", reason="company_not_confirmed")
    t.notify("received")


def begin_assessment(t: Turn) -> None:
    t.wait_for_us("assess")
    t.task(TaskKind.ASSESS, "assess", reason="new_case")


def accepted(t: Turn, event: CaseAccepted) -> None:
    if t.case.stage is not Stage.ASSESSMENT:
        t.refuse("only a case in assessment is accepted")
    if event.entry_stage not in LADDER:
        t.refuse(f"{event.entry_stage} is not a stage of the ladder")
    if not event.entry_reason:
        t.refuse("the entry stage needs its reason")
    if event.playbook != t.rules.playbook.key:
        # The first letter and its wait would follow another law than the one pinned.
        t.refuse(f"decide with the rules of the playbook to pin, {event.playbook}")
    if t.rules.playbook.draft:
        t.refuse("a draft of a playbook cannot be pinned")
    if not t.case.company_known:
        t.refuse("the company is not confirmed yet")
    today = t.place.local_day(t.now)
    if event.limitation_on is not None and event.limitation_on <= today:
        t.refuse("the claim is time-barred")
    t.change(
        playbook=event.playbook,
        entry_stage=event.entry_stage,
        entry_reason=event.entry_reason,
        mode=event.mode,
        limitation_on=event.limitation_on,
        limitation_basis=limitation_basis(t, event),
        prepared_by=event.decided_by,
        first_written_complaint=event.first_written_complaint or t.case.first_written_complaint,
        refused_on=event.refused_on or t.case.refused_on,
        bill_on=event.bill_on,
        bodies=event.bodies,
        consumer_writes_first_days=event.consumer_writes_first_days,
    )
    arm_limitation(t)
    if event.limitation_on is None:
        limitation_unknown(t)
    t.done(TaskKind.ASSESS)
    t.drop_pause(PauseKind.QUESTION)
    t.disarm_prefix(TimerKind.NUDGE, "question:")
    t.say("accepted", entry=event.entry_stage, reason=event.entry_reason, by=event.decided_by)
    t.notify("accepted", entry=event.entry_stage)
    sign_or_enter(t)


def rejected(t: Turn, event: CaseRejected) -> None:
    if t.case.stage is not Stage.ASSESSMENT:
        t.refuse("only a case in assessment is rejected")
    if event.outcome not in REJECTIONS:
        t.refuse(f"{event.outcome} is not a reason to reject")
    if not event.rule or not event.would_change:
        t.refuse("a rejection names its rule and what would change it")
    close(
        t,
        event.outcome,
        "rejected",
        rule=event.rule,
        would_change=event.would_change,
        by=event.decided_by,
        pack="self_filing",
    )


# --- questions -------------------------------------------------------------------------------


def asked(t: Turn, event: QuestionAsked) -> None:
    if t.case.stage in (Stage.INTAKE, Stage.CLOSED):
        t.refuse("questions are asked while we work on the case")
    if not 1 <= event.days <= QUESTION_DAYS_MAX:
        t.refuse(f"a question waits 1 to {QUESTION_DAYS_MAX} days")
    if any(q.id == event.question_id for q in t.case.questions):
        raise StaleEvent("this question has already been asked")
    due = t.before_limitation(t.now + timedelta(days=event.days))
    question = Question(
        event.question_id, event.code, t.now, due, event.default, event.blocks_ladder
    )
    t.change(questions=(*t.case.questions, question))
    key = str(event.question_id)
    if event.blocks_ladder:
        t.pause(PauseKind.QUESTION, key, due, event.code)
    else:
        basis = t.our_basis("question", f"{event.days} days")
        t.arm(TimerKind.QUESTION_DUE, due, basis, key)
    nudges = sorted({max(1, event.days // 3), max(1, event.days * 2 // 3)})
    nudge(t, "question", key, tuple(d for d in nudges if t.now + timedelta(days=d) < due))
    t.say("question_asked", question=event.code, due=due, default=event.default)
    t.notify("question", key, question=event.code, answer_by=due, default=event.default)


def answered(t: Turn, event: QuestionAnswered) -> None:
    question = next((q for q in t.case.questions if q.id == event.question_id), None)
    if question is None:
        t.refuse("this question was not asked")
    if question.answered:
        raise StaleEvent("this question has already been answered")
    if not t.case.is_open:
        t.refuse("the case is closed")
    _settle_question(t, question)
    t.say("question_answered", question=question.code, by=event.by)
    lift(t, PauseKind.QUESTION, str(question.id))
    if t.case.stage is Stage.ASSESSMENT:
        t.task(TaskKind.ASSESS, "assess", reason="question_answered")
    elif t.case.stage is not Stage.AGREEMENT:
        t.task(TaskKind.ANSWER_COMPANY, str(question.id), reason="consumer_answered")


def question_silent(t: Turn, key: str) -> None:
    """The written default that silence brings, as the question announced it."""
    question = next((q for q in t.case.questions if str(q.id) == key), None)
    if question is None or question.answered:
        raise StaleEvent("this question is no longer open")
    _settle_question(t, question)
    t.say("question_unanswered", question=question.code, default=question.default)
    if question.default in ("close", "reject"):
        close(t, Outcome.CONSUMER_SILENT, "closed_on_silence", question=question.code)
        return
    lift(t, PauseKind.QUESTION, key)
    if t.case.stage is Stage.ASSESSMENT:
        t.task(TaskKind.ASSESS, "assess", reason="question_unanswered")
    t.notify("default_applied", key, question=question.code, default=question.default)


def _settle_question(t: Turn, question: Question) -> None:
    new = replace(question, answered=True)
    t.change(questions=tuple(new if q.id == new.id else q for q in t.case.questions))
    t.disarm(TimerKind.QUESTION_DUE, str(question.id))
    t.disarm_prefix(TimerKind.NUDGE, f"question:{question.id}:")
