"""Legal dates watched on every case: the last day of the claim itself and of each body that may
still be asked. Warnings come 90, 30 and 7 days before and on the day; on the last safe working day
a senior is called. Acts that the law lets stop or restart a limitation move it, with their rule.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Final

from app.domain import position
from app.domain.bodies import closes_on, closing_known, closing_start, facts_of
from app.domain.case import Basis, Case, LimitSource, Stage, TimerKind
from app.domain.counting import ONE_DAY, next_working_day, plus
from app.domain.decision import TaskKind
from app.domain.events import CaseAccepted, LimitationMoved
from app.domain.playbook import Body, Limitation
from app.domain.turn import Turn

BANDS: Final = ((90, "handler"), (30, "senior"), (7, "legal"), (0, "legal"))
STOP: Final = "stop"  # the last working day on which a rescue act is still safely in time
CORRECTION: Final = "correction"  # the day was wrong; no act of the law moved it
INTERRUPTS: Final = "interrupts"
AGENCY: Final = "agency"
# What a body's last day runs from, as its basis names the fact.
STARTS: Final = {
    "complaint": "first_written_complaint", "answer": "refusal", "opening": "body_opens",
    "bill": "bill_date",
}  # fmt: skip
PERSON: Final = "person.limitation"  # stands where a rule's id stands: no rule gave this day
BY_PERSON: Final = "day named by a person"


# --- limitation --------------------------------------------------------------------------------


def arm_limitation(t: Turn) -> None:
    """Warning bands and the stop before the claim is time-barred; one already passed acts now."""
    t.disarm(TimerKind.LIMITATION)
    day = t.case.limitation_on
    if day is None:
        return
    for days, role in BANDS:
        at = t.place.morning(day - timedelta(days=days))
        if at > t.now:
            t.arm(TimerKind.LIMITATION, at, _band_basis(t, f"{days} days before", day), str(days))
        else:
            _warn(t, days, role)
    safe = next_working_day(t.rules.calendar, day - ONE_DAY, -ONE_DAY)
    at = t.place.morning(safe)
    if at > t.now:
        t.arm(TimerKind.LIMITATION, at, _band_basis(t, "last safe working day", day), STOP)
    else:
        _stop(t)


def limitation_basis(t: Turn, event: CaseAccepted) -> Basis | None:
    """Why the last day is that day, as it was accepted; None: no day is known."""
    if event.limitation_on is None:
        return None
    source = event.limitation or LimitSource(
        "assessment", t.place.local_day(t.now), PERSON, BY_PERSON, "word"
    )
    return Basis(
        source.start_event,
        t.place.morning(source.start),
        f"{source.rule}@{event.playbook}",
        source.period,
        source.whose,
        (),
        event.limitation_on,
    )


def limitation_due(t: Turn, key: str) -> None:
    """One of the armed days has come."""
    t.disarm(TimerKind.LIMITATION, key)
    if key == STOP:
        _stop(t)
        return
    days = int(key)
    _warn(t, days, dict(BANDS)[days])


def _warn(t: Turn, days: int, role: str) -> None:
    assert t.case.limitation_on is not None, "only a dated claim is warned about"
    t.task(
        TaskKind.LIMITATION,
        str(days),
        reason=f"time_barred_in_{days}_days",
        role=role,
        priority=20 if days > 30 else 5 if days > 7 else 0,
    )
    t.say("limitation_near", days=days, on=t.case.limitation_on)


def _stop(t: Turn) -> None:
    """No more waiting: whoever may save the claim has to do it today."""
    assert t.case.limitation_on is not None, "only a dated claim has a last safe day"
    t.task(TaskKind.LIMITATION, STOP, reason="last_safe_day", role="senior", priority=0, due=t.now)
    t.say("limitation_stop", visible=False, on=t.case.limitation_on, acts=rescue_acts(t))


def too_late_for_limitation(t: Turn, act_at: datetime) -> None:
    """A wait has begun that ends when the claim may be too old: the rescue starts today."""
    limit = t.limitation_instant()
    if limit is None or act_at < limit:
        return
    t.task(TaskKind.LIMITATION, "rescue", reason="wait_ends_too_late", role="senior", priority=5)
    t.say("limitation_rescue", visible=False, on=t.case.limitation_on, acts=rescue_acts(t))


def rescue_acts(t: Turn) -> str:
    """What may save the claim and who may do it, as codes: `act (who, who); act (who)`."""
    limitation = _limitation(t)
    acts = limitation.acts if limitation else ()
    return "; ".join(f"{act.id} ({', '.join(act.by)})" for act in acts) or "none_known"


def limitation_unknown(t: Turn) -> None:
    """The law's files give no last day and nobody named one: never a guess, a person finds it."""
    t.task(TaskKind.LIMITATION, "unknown", reason="limitation_not_known", role="senior")
    t.say("limitation_unknown", visible=False)


def moved(t: Turn, event: LimitationMoved) -> None:
    """An act of the law, or a correction, moved the last day; the bands start anew."""
    if not t.case.is_open:
        t.refuse("the case is closed")
    if t.case.entry_stage is None:
        t.refuse("the last day is set when the case is accepted")
    limitation = _limitation(t)
    acts = {act.id for act in limitation.acts} if limitation else set()
    if event.act not in acts and event.act != CORRECTION:
        known = ", ".join(sorted(acts | {CORRECTION}))
        t.refuse(f"{event.act} moves no limitation here; known: {known}")
    if event.new_day <= t.place.local_day(t.now):
        t.refuse("the new last day lies ahead")
    by_law = limitation is not None and event.act != CORRECTION
    rule = limitation.rule if limitation and by_law else PERSON
    why = LimitSource(event.act, event.on, rule, BY_PERSON, "law" if by_law else "word")
    move_day(t, why, event.new_day, event.by)


def letter_arrived(t: Turn, at: datetime) -> None:
    """Our demand has arrived. Where the agency's own act interrupts, a new equal period begins."""
    limitation, ends = _limitation(t), t.case.limitation_on
    if limitation is None or ends is None or not _usable(t, limitation):
        return
    act = next((a for a in limitation.acts if a.effect == INTERRUPTS and AGENCY in a.by), None)
    arrived = t.place.local_day(at)
    if act is None or arrived > ends:
        return
    new = last_day(limitation, arrived)
    if new > ends:
        span = said_period(str(limitation.period), to_year_end=limitation.to_year_end)
        move_day(t, LimitSource(act.id, arrived, limitation.rule, span), new, "rule")


def last_day(limitation: Limitation, start: date) -> date:
    """The day on which the whole period has run, from the day of its fact."""
    assert limitation.period is not None, "a period that is not known is not counted"
    day = plus(start, limitation.period)
    return date(day.year, 12, 31) if limitation.to_year_end else day


def said_period(period: str, *, to_year_end: bool) -> str:
    return f"{period} to the end of the year" if to_year_end else period


def move_day(t: Turn, why: LimitSource, new: date, by: str) -> None:
    name = f"{why.rule}@{t.rules.playbook.key}"
    start = t.place.morning(why.start)
    basis = Basis(why.start_event, start, name, why.period, why.whose, (), new)
    t.change(limitation_on=new, limitation_basis=basis)
    t.done(TaskKind.LIMITATION, done=False)
    act, since = why.start_event, why.start
    t.say("limitation_moved", visible=False, act=act, since=since, on=new, rule=name, by=by)
    arm_limitation(t)


def _limitation(t: Turn) -> Limitation | None:
    return t.rules.playbook.limitation(t.case.claim_kind)


def _usable(t: Turn, limitation: Limitation) -> bool:
    playbook = t.rules.playbook
    confirmed = playbook.confirmed(limitation.rule not in playbook.unverified, limitation.rule)
    return limitation.period is not None and confirmed


def _band_basis(t: Turn, period: str, day: date) -> Basis:
    return replace(t.our_basis("limitation_band", period), due=day)


# --- bodies ------------------------------------------------------------------------------------


def keep_body_limits(t: Turn) -> None:
    """Called at the end of every turn: the bodies still to be asked, by the dates known now."""
    if t.case.entry_stage is None or not t.case.is_open:
        return
    today = t.place.local_day(t.now)
    closing = _closing(t, t.case)
    _say_closed(t, closing, today)
    if t.before.entry_stage is None:
        _say_unknown(t)
    limits = {body.id: closes for body, closes in closing if closes > today}
    for timer in t.case.timers:
        if timer.kind is TimerKind.BODY_LIMIT and limits.get(_body(timer.key)) != timer.basis.due:
            t.disarm(TimerKind.BODY_LIMIT, timer.key)
    watched = {_body(x.key) for x in t.case.timers if x.kind is TimerKind.BODY_LIMIT}
    # The current body of a case that has got as far was watched before: it may have been asked.
    known = _current(t) if t.case.stage in (Stage.COMPLAINT, Stage.SETTLEMENT) else None
    for body, closes in closing:
        if body.id in limits and body.id not in watched and body.id != known:
            _watch(t, body, closes)


def _current(t: Turn) -> str | None:
    at, bodies = t.case.body_index, t.rules.playbook.bodies
    return bodies[at].id if at < len(bodies) else None


def _closing(t: Turn, case: Case) -> list[tuple[Body, date]]:
    """(body, its last day) of those not yet asked whose last day is known."""
    asked = case.body_index + (1 if position.at_body(case) else 0)
    facts, calendar = facts_of(case), t.rules.calendar
    found = [(body, closes_on(body, facts, calendar)) for body in t.rules.playbook.bodies[asked:]]
    return [(body, closes) for body, closes in found if closes is not None]


def _say_closed(t: Turn, closing: list[tuple[Body, date]], today: date) -> None:
    """A last day that had come before anybody knew it (at acceptance, or when a fact was learned)
    was never warned about: a person decides at once whether another body, or none, is asked."""
    before = _closing(t, t.before) if t.before.entry_stage is not None else []
    known = {(body.id, closes) for body, closes in before}
    for body, closes in closing:
        if closes <= today and (body.id, closes) not in known:
            t.task(
                TaskKind.BODY_LIMIT,
                f"{body.id}:closed",
                reason="body_closed" if closes < today else "body_closes_in_0_days",
                role="senior",
                priority=5,
                due=t.now,
            )
            code = "body_closed" if closes < today else "body_limit_near"
            t.say(code, visible=False, body=body.id, days=0, on=closes, next=_next(t, body.id))


def _say_unknown(t: Turn) -> None:
    """A last day that runs from a bill nobody has dated cannot be watched: a person finds it."""
    for body in t.rules.playbook.bodies:
        if body.closes_from == "bill" and not closing_known(body, facts_of(t.case)):
            t.task(
                TaskKind.BODY_LIMIT, f"{body.id}:unknown", reason="body_term_unknown", role="senior"
            )
            t.say("body_term_unknown", visible=False, body=body.id)


def _watch(t: Turn, body: Body, closes: date) -> None:
    start = closing_start(body, facts_of(t.case), t.rules.calendar)
    assert start is not None, "a last day that is known runs from a day"
    passed: int | None = None
    for days, _ in BANDS:
        at = t.place.morning(closes - timedelta(days=days))
        if at > t.now:
            basis = Basis(
                STARTS[body.closes_from],
                t.place.morning(start),
                f"body.{body.id}.closes@{t.rules.playbook.key}",
                f"{days} days before",
                "theirs",
                (),
                closes,
            )
            t.arm(TimerKind.BODY_LIMIT, at, basis, f"{body.id}:{days}")
        else:
            passed = days
    if passed is not None:
        _body_near(t, body.id, passed, closes)


def body_limit_due(t: Turn, key: str) -> None:
    timer = t.case.timer(TimerKind.BODY_LIMIT, key)
    assert timer is not None and timer.basis.due is not None, "checked by who fired it"
    t.disarm(TimerKind.BODY_LIMIT, key)
    _body_near(t, _body(key), int(key.rpartition(":")[2]), timer.basis.due)


def _body_near(t: Turn, body: str, days: int, closes: date) -> None:
    t.task(
        TaskKind.BODY_LIMIT,
        f"{body}:{days}",
        reason=f"body_closes_in_{days}_days",
        role="senior" if days == 0 else dict(BANDS)[days],
        priority=20 if days > 30 else 5 if days > 7 else 0,
    )
    t.say("body_limit_near", visible=False, body=body, days=days, on=closes, next=_next(t, body))


def _next(t: Turn, body: str) -> str:
    """The body that comes after it, or `none`."""
    ids = [b.id for b in t.rules.playbook.bodies]
    return ids[ids.index(body) + 1] if body in ids[:-1] else "none"


def _body(key: str) -> str:
    return key.rpartition(":")[0]
