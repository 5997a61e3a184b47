"""One turn of the state machine: the case as it changes, and everything the change causes.

The rules (intake, letters, replies, offers, money, steering, timers) write to a `Turn`; only
`finish` makes the Decision, adds the clocks every open case has (promise 9, heartbeat) and checks
promise 1. Nothing here knows a stage's rules.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Final, NoReturn

from app.domain import position
from app.domain.case import (
    Basis,
    Case,
    Pause,
    PauseKind,
    Stage,
    Timer,
    TimerKind,
    WaitingOn,
)
from app.domain.decision import CloseTask, Decision, HistoryEntry, OpenTask, TaskKind
from app.domain.effects import Effect, NotifyConsumer
from app.domain.errors import TransitionRefused
from app.domain.periods import Place, place
from app.domain.playbook import Rules

# After a standstill nobody can act on what was due the same hour (architecture, "timers").
RESUME_WORKING_DAYS_MIN: Final = 2

HEARTBEAT_DAYS: Final = {WaitingOn.COMPANY: 14, WaitingOn.BODY: 60, WaitingOn.DATE: 60}
AGENCY_LATE_AFTER: Final = timedelta(days=30)
ONE_SECOND: Final = timedelta(seconds=1)

# Held back while a care pause stands: they press, and say nothing that must be known now.
PRESSING: Final = ("nudge_", "heartbeat")


@dataclass(frozen=True, slots=True)
class Notice:
    template: str
    key: str
    params: tuple[tuple[str, str], ...]
    claimant_id: uuid.UUID | None


class Turn:
    """Mutable, lives for one call of decide()."""

    def __init__(self, case: Case, event: str, rules: Rules, now: datetime) -> None:
        self.case = case
        self.before = case
        self.event = event
        self.rules = rules
        self.now = now
        self.place: Place = place(rules.playbook.zone, rules.calendar, rules.playbook.regime)
        self.effects: list[Effect] = []
        self.notices: list[Notice] = []
        self.open_tasks: list[OpenTask] = []
        self.close_tasks: list[CloseTask] = []
        self.history: list[HistoryEntry] = []

    # --- words --------------------------------------------------------------------------------

    def refuse(self, why: str) -> NoReturn:
        raise TransitionRefused(self.before.stage, self.event, why)

    def change(self, **changes: object) -> None:
        self.case = self.case.with_(**changes)

    def say(
        self,
        code: str,
        given: Mapping[str, object] | None = None,
        *,
        visible: bool = True,
        **params: object,
    ) -> None:
        texts = _texts({**(given or {}), **params})
        self.history.append(HistoryEntry(code, texts, visible))

    def notify(
        self,
        template: str,
        key: str = "",
        *,
        to: uuid.UUID | None = None,
        given: Mapping[str, object] | None = None,
        **params: object,
    ) -> None:
        """Word to the consumer; what we wait for, until when and what then is added at the end."""
        if self.case.distress and template.startswith(PRESSING):
            return
        texts = _texts({**(given or {}), **params})
        self.notices.append(Notice(template, key or self.now.isoformat(), texts, to))

    def task(
        self,
        kind: TaskKind,
        key: str,
        *,
        reason: str,
        due: datetime | None = None,
        working_days: int = 1,
        priority: int = 50,
        role: str = "handler",
        subject: uuid.UUID | None = None,
    ) -> None:
        due_at = due or self.working_days(working_days)
        self.open_tasks.append(OpenTask(kind, key, due_at, priority, reason, role, subject))

    def done(self, kind: TaskKind, key: str | None = None, *, done: bool = True) -> None:
        self.close_tasks.append(CloseTask(kind, key, done))

    # --- dates --------------------------------------------------------------------------------

    def working_days(self, days: int, start: datetime | None = None) -> datetime:
        return self.place.working_days_later(start or self.now, days)

    def our_basis(self, rule: str, period: str, start: datetime | None = None) -> Basis:
        return Basis(self.event, start or self.now, f"house.{rule}", period)

    def limitation_instant(self) -> datetime | None:
        """From here the claim may be time-barred: its last day itself is never used."""
        day = self.case.limitation_on
        return None if day is None else self.place.morning(day)

    def before_limitation(self, until: datetime) -> datetime:
        """No pause runs past a legal date."""
        limit = self.limitation_instant()
        return until if limit is None or limit <= self.now else min(until, limit)

    def arm(self, kind: TimerKind, due_at: datetime, basis: Basis, key: str = "") -> None:
        self.disarm(kind, key)
        timer = Timer(kind, key, due_at, self.case.step, basis)
        timers = sorted((*self.case.timers, timer), key=lambda t: (t.due_at, t.kind, t.key))
        self.change(timers=tuple(timers))

    def disarm(self, kind: TimerKind, key: str | None = None) -> None:
        """Take away timers of this kind (with `key`, only that one)."""
        kept = (t for t in self.case.timers if t.kind is not kind or key not in (None, t.key))
        self.change(timers=tuple(kept))

    def disarm_prefix(self, kind: TimerKind, prefix: str) -> None:
        kept = (t for t in self.case.timers if t.kind is not kind or not t.key.startswith(prefix))
        self.change(timers=tuple(kept))

    # --- what the ladder waits for ------------------------------------------------------------

    def wait(self, waiting_on: WaitingOn, due_at: datetime, basis: Basis) -> None:
        """The ladder now waits for this until then; beneath a pause it stands still at once."""
        if position.stopping_pauses(self.case):
            left = max(timedelta(0), due_at - self.now) // ONE_SECOND
            self.disarm(TimerKind.DEADLINE)
            self.change(paused_waiting_on=waiting_on, paused_basis=basis, remaining_seconds=left)
            return
        self.change(
            waiting_on=waiting_on, paused_waiting_on=None, paused_basis=None, remaining_seconds=None
        )
        self.arm(TimerKind.DEADLINE, due_at, basis)

    def wait_for_us(
        self, rule: str, working_days: int = 1, waiting_on: WaitingOn = WaitingOn.HANDLER
    ) -> None:
        """A dated step of ours: by default a handler's, within one working day."""
        period = f"{working_days} working_days"
        self.wait(waiting_on, self.working_days(working_days), self.our_basis(rule, period))

    def wait_again(self, timer: Timer, working_days: int) -> None:
        """A date of ours passed: a new one, the reason and its first day kept."""
        assert self.case.waiting_on is not None, "a timer stands in open cases only"
        self.wait(self.case.waiting_on, self.working_days(working_days), timer.basis)

    def wait_days(self, waiting_on: WaitingOn, days: int, rule: str) -> None:
        """A span of calendar days of ours (drafts, signatures), to the hour."""
        due = self.now + timedelta(days=days)
        self.wait(waiting_on, due, self.our_basis(rule, f"{days} days"))

    def waits_on(self) -> WaitingOn | None:
        """Whom the ladder waits for, beneath the pauses too."""
        return self.case.paused_waiting_on or self.case.waiting_on

    # --- pauses -------------------------------------------------------------------------------

    def pause(self, kind: PauseKind, key: str, until: datetime, reason: str = "") -> None:
        """Stop the clock (a care pause stops letters only); what was left is kept once."""
        until = self.before_limitation(until)
        earlier = next((p for p in self.case.pauses if (p.kind, p.key) == (kind, key)), None)
        since = earlier.since if earlier else self.now
        self._take_pause(kind, key)
        pause = Pause(kind, key, since, until, reason)
        if kind in position.CLOCK_STOPPING:
            self._freeze()
        pauses = sorted((*self.case.pauses, pause), key=lambda p: (p.until, p.kind, p.key))
        self.change(pauses=tuple(pauses))
        basis = Basis(f"pause.{kind}", since, f"house.pause.{kind}", reason or "until a date")
        own = position.PAUSE_TIMER.get(kind)
        if own is None:
            self.arm(TimerKind.HOLD_END, until, basis, position.hold_key(pause))
        else:
            self.arm(own, until, basis, key)

    def drop_pause(self, kind: PauseKind, key: str | None = None) -> bool:
        """Take pauses away without starting the clock; True if there was one."""
        gone = [p for p in self.case.pauses if p.kind is kind and key in (None, p.key)]
        for pause in gone:
            self._take_pause(pause.kind, pause.key)
        return bool(gone)

    def resume(self) -> bool:
        """Start the clock again if nothing holds it; True when it did start."""
        case = self.case
        if case.paused_waiting_on is None or position.stopping_pauses(case):
            return False
        left = timedelta(seconds=case.remaining_seconds or 0)
        due = max(self.now + left, self.working_days(RESUME_WORKING_DAYS_MIN))
        waiting_on, basis = case.paused_waiting_on, case.paused_basis
        assert basis is not None, "what stands still has a basis"
        if waiting_on in (WaitingOn.COMPANY, WaitingOn.BODY):
            # We act in office hours only: the first 09:00 of a working day at or after it.
            last = self.place.local_day(due)
            opens = self.place.morning(self.place.next_working_day(last))
            due = opens if opens >= due else self.place.acting_instant(last)
            basis = replace(basis, due=self.place.local_day(due) - timedelta(days=1))
        self.wait(waiting_on, due, replace(basis, period=f"{basis.period}, resumed"))
        return True

    def _take_pause(self, kind: PauseKind, key: str) -> None:
        kept = tuple(p for p in self.case.pauses if (p.kind, p.key) != (kind, key))
        self.change(pauses=kept)
        own = position.PAUSE_TIMER.get(kind)
        if own is None:
            self.disarm(TimerKind.HOLD_END, f"{kind}:{key}")
        else:
            self.disarm(own, key)

    def _freeze(self) -> None:
        deadline = self.case.timer(TimerKind.DEADLINE)
        if deadline is None:
            return
        left = max(timedelta(0), deadline.due_at - self.now) // ONE_SECOND
        self.change(
            paused_waiting_on=self.case.waiting_on,
            paused_basis=deadline.basis,
            remaining_seconds=left,
        )
        self.disarm(TimerKind.DEADLINE)

    # --- the end of the turn ------------------------------------------------------------------

    def finish(self) -> Decision:
        if self.case.is_open:
            self._show_date()
            self._watch_ourselves()
            self._keep_heartbeat()
        position.check_invariants(self.case)
        assert self.case.step >= self.before.step, "steps only rise"
        return Decision(
            case=self.case,
            effects=(*self.effects, *(self._effect(n) for n in self.notices)),
            open_tasks=tuple(self.open_tasks),
            close_tasks=tuple(self.close_tasks),
            history=tuple(self.history),
        )

    def _show_date(self) -> None:
        """`waiting_on` and `due_at`: the earliest dated thing the one waited for must meet."""
        pauses = position.stopping_pauses(self.case)
        if pauses:
            first = min(pauses, key=lambda p: (p.until, p.kind, p.key))
            rule = f"house.pause.{first.kind}"
            basis = Basis(f"pause.{first.kind}", first.since, rule, first.reason or "until a date")
            who = position.PAUSE_WAITS_ON[first.kind]
            self.change(waiting_on=who, due_at=first.until, due_basis=basis)
            return
        deadline = self.case.timer(TimerKind.DEADLINE)
        assert deadline is not None, f"{self.event} left a running case without a deadline"
        self.change(due_at=deadline.due_at, due_basis=deadline.basis)

    def _watch_ourselves(self) -> None:
        """Promise 9: 30 days after the first date of one step of ours, however often re-dated."""
        case = self.case
        if case.waiting_on not in position.OUR_STEPS:
            self.disarm(TimerKind.AGENCY_LATE)
            return
        assert case.due_at is not None and case.due_basis is not None, "_show_date ran"
        key = f"{case.stage}:{case.step}:{case.due_basis.rule}"
        if case.timer(TimerKind.AGENCY_LATE, key) is None:
            self.disarm(TimerKind.AGENCY_LATE)
            basis = Basis("our_date", case.due_at, "promise.9", "30 days")
            self.arm(TimerKind.AGENCY_LATE, case.due_at + AGENCY_LATE_AFTER, basis, key)

    def _keep_heartbeat(self) -> None:
        """Promise 1: word every 14 days while a company is due, every 60 at a body."""
        case = self.case
        days = HEARTBEAT_DAYS.get(case.waiting_on) if case.waiting_on else None
        if days is None or case.heartbeat_days == 0:
            self.disarm(TimerKind.HEARTBEAT)
            return
        days = max(days, case.heartbeat_days or 0)
        armed = case.timer(TimerKind.HEARTBEAT)
        heard = any(n.claimant_id is None for n in self.notices)
        if armed is not None and armed.basis.period == f"{days} days" and not heard:
            return
        basis = Basis("last_word", self.now, "promise.1", f"{days} days")
        self.arm(TimerKind.HEARTBEAT, self.now + timedelta(days=days), basis)

    def _effect(self, notice: Notice) -> NotifyConsumer:
        """What we did, what we wait for, until when, and what then."""
        case = self.case
        given = dict(notice.params)
        standard = {"did": self.event, "stage": case.stage.value, "then": position.what_next(case)}
        if case.stage is not Stage.CLOSED and case.waiting_on and case.due_at:
            standard |= {"waiting_on": case.waiting_on.value, "until": case.due_at.isoformat()}
        return NotifyConsumer(
            id=self.rules.new_id(),
            case_id=case.id,
            template=notice.template,
            key=notice.key,
            params=tuple((standard | given).items()),
            claimant_id=notice.claimant_id,
        )


def _texts(params: Mapping[str, object]) -> tuple[tuple[str, str], ...]:
    """History and notices carry codes, dates (ISO 8601) and minor units, all as text."""
    return tuple((name, _text(value)) for name, value in params.items())


def _text(value: object) -> str:
    return value.isoformat() if isinstance(value, date) else str(value)
