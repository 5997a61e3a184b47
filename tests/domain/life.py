"""A case under test: facts go in through decide(), time passes, what came out is kept."""

from __future__ import annotations

import itertools
import uuid
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta

from app.domain import events as e
from app.domain.case import (
    Case,
    Claimant,
    ClaimItem,
    Letter,
    LetterState,
    OfferKind,
    Outcome,
    PauseKind,
    Stage,
    TimerKind,
    WaitingOn,
)
from app.domain.counting import Calendar, Period
from app.domain.decision import Decision, OpenTask, TaskKind
from app.domain.effects import Effect, NotifyConsumer, SendLetter, StopNotice
from app.domain.escalation import decide
from app.domain.other_letters import AT_CLOSING
from app.domain.playbook import AgencyProfile, Body, Playbook, Reach, Rules
from app.domain.position import check_invariants
from app.playbooks import book

START = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)  # a Monday
PLAYBOOK = replace(
    book.get("house.fi@1"),
    id="test.fi",
    bodies=(
        Body("fi.first", "First Board", Period(90, "days"), may_agency_file=True, email="a@b.test"),
        Body("fi.second", "Second Board", Period(90, "days"), may_agency_file=False),
    ),
)


class Weekdays:
    """A calendar with weekends only, so that dates in tests can be counted on fingers."""

    def closed_because(self, day: date) -> str:
        return ("Saturday", "Sunday")[day.weekday() - 5] if day.weekday() >= 5 else ""


def ids() -> itertools.count[int]:
    return itertools.count(1)


@dataclass
class Life:
    """One case with its rules and clock; `tell` decides one fact and keeps what it caused."""

    claims: tuple[int, ...] = (10_000,)  # minor units, one claimant each
    now: datetime = START
    blind: bool = False  # True: our mailbox and bank feed are not read
    dead_kinds: frozenset[str] = frozenset()  # channels of the company, by what other cases met
    portal: bool = False  # the company has a web form
    official: tuple[str, ...] = ()
    insists: str | None = None  # the weakest signature the company takes
    playbook: Playbook = PLAYBOOK
    calendar: Calendar = field(default_factory=Weekdays)
    case: Case = field(init=False)
    effects: list[Effect] = field(default_factory=list)
    tasks: dict[tuple[TaskKind, str], OpenTask] = field(default_factory=dict)
    said: list[str] = field(default_factory=list)
    last: Decision = field(init=False)

    def __post_init__(self) -> None:
        self._ids = ids()
        people = tuple(
            Claimant(self.id(), self.id(), position) for position in range(len(self.claims))
        )
        items = tuple(
            ClaimItem(self.id(), amount, True, who.id)
            for amount, who in zip(self.claims, people, strict=True)
        )
        self.case = Case(
            id=self.id(),
            reference="RC-00000000",
            claim_kind="online_purchase",
            jurisdiction="FI",
            currency="EUR",
            stage=Stage.INTAKE,
            step=0,
            opened_at=self.now,
            playbook=self.playbook.key,
            company_known=True,
            claimants=people,
            items=items,
        )

    def id(self) -> uuid.UUID:
        return uuid.UUID(int=next(self._ids))

    @property
    def rules(self) -> Rules:
        read = None if self.blind else self.now
        return Rules(
            self.playbook, self.calendar, AgencyProfile({"EUR": 50_000}), self.id, read, read,
            Reach(self.dead_kinds, self.portal, self.official, self.insists),
        )  # fmt: skip

    # --- facts -------------------------------------------------------------------------------

    def tell(self, event: e.Event) -> Decision:
        before = self.case
        decision = decide(self.case, event, self.rules, self.now)
        check_invariants(decision.case)
        assert decision.case.step >= before.step
        if before.stage is Stage.CLOSED:
            closing = {one.id for one in before.others if one.kind in AT_CLOSING}
            sent = [x for x in decision.effects if isinstance(x, SendLetter)]
            assert {x.letter_id for x in sent} <= closing
        self.case, self.last = decision.case, decision
        self.effects += decision.effects
        self.said += [h.code for h in decision.history]
        for close in decision.close_tasks:
            for key in [k for k in self.tasks if k[0] is close.kind]:
                if close.key in (None, key[1]):
                    del self.tasks[key]
        for task in decision.open_tasks:
            self.tasks[task.kind, task.key] = task
        return decision

    def submit(self) -> Life:
        self.tell(e.CaseSubmitted("consumer"))
        return self

    def accept(self, stage: Stage = Stage.CONTACT, **more: object) -> Life:
        event = e.CaseAccepted(stage, "never_written_to", self.playbook.key, "anna")
        self.tell(replace(event, **more))  # type: ignore[arg-type]  # field names as in the event
        return self

    def sign(self) -> Life:
        for claimant in self.case.claimants:
            self.tell(e.MandateSigned(claimant.id, self.id()))
        return self

    def on_ladder(self, stage: Stage = Stage.CONTACT, **more: object) -> Life:
        return self.submit().accept(stage, **more).sign()

    def render(self, sha256: str = "aa") -> Life:
        letter = self.letter()
        self.tell(e.LetterRendered(letter.id, letter.step, sha256, letter.n))
        return self

    def approve(self, by: str = "senior") -> Life:
        letter = self.letter()
        assert letter.sha256 is not None
        self.tell(e.LetterApproved(letter.id, letter.sha256, by))
        return self

    def hand_over(self, *, recipient_server: bool = True, provider: str = "smtp") -> Life:
        self.tell(e.LetterHandedOver(self.letter().id, self.now, provider, recipient_server))
        return self

    def letter_arrives(self) -> Life:
        """Made, approved where it must be, taken by the recipient's own server."""
        self.render()
        if self.letter().state is LetterState.AWAITING_APPROVAL:
            self.approve()
        return self.hand_over()

    def contacted(self) -> Life:
        """The first demand has arrived; the company's time runs."""
        return self.on_ladder().letter_arrives()

    def offer(self, amount: int = 6_000, days: int = 10, **more: object) -> uuid.UUID:
        offer_id = self.id()
        event = e.CompanyOffered(
            offer_id, OfferKind.PART, amount, self.now + timedelta(days=days), "anna"
        )
        self.tell(replace(event, **more))  # type: ignore[arg-type]  # field names as in the event
        return offer_id

    def reply(self, sender: str = "company") -> uuid.UUID:
        message_id = self.id()
        self.tell(e.MessageArrived(message_id, sender, automatic=False))
        return message_id

    def paid(self, amount: int, fee: int = 0) -> Life:
        self.tell(e.MoneyAllocated(self.id(), amount, fee))
        return self

    # --- time --------------------------------------------------------------------------------

    def fire(self, kind: TimerKind, key: str | None = None) -> Decision:
        """Jump to the timer of this kind and let it fire, leaving others for later."""
        timer = next(t for t in self.case.timers if t.kind is kind and key in (None, t.key))
        self.now = max(self.now, timer.due_at)
        return self.tell(e.TimerFired(timer.kind, timer.key, timer.step, timer.due_at))

    def wait_until(self, instant: datetime) -> Life:
        """Let everything due up to then fire, in order, as the sweep does."""
        while due := [t for t in self.case.timers if t.due_at <= instant]:
            first = min(due, key=lambda t: (t.due_at, t.kind, t.key))
            self.now = max(self.now, first.due_at)
            self.tell(e.TimerFired(first.kind, first.key, first.step, first.due_at))
        self.now = max(self.now, instant)
        return self

    def silence(self) -> Decision:
        """The date people see passes with nothing heard."""
        return self.fire(TimerKind.DEADLINE)

    def silence_of_hold(self, key: str) -> Decision:
        return self.fire(TimerKind.HOLD_END, f"hold:{key}")

    # --- where it stands (methods, so that a type checker does not remember the last answer) ----

    def stage(self) -> Stage:
        return self.case.stage

    def waits(self) -> WaitingOn | None:
        return self.case.waiting_on

    def outcome(self) -> Outcome | None:
        return self.case.outcome

    # --- what came out -----------------------------------------------------------------------

    def letter(self) -> Letter:
        assert self.case.letter is not None, "the case has no letter"
        return self.case.letter

    def sends(self) -> list[SendLetter]:
        return [x for x in self.effects if isinstance(x, SendLetter)]

    def notices(self, template: str | None = None) -> list[NotifyConsumer]:
        every = [x for x in self.effects if isinstance(x, NotifyConsumer)]
        return [n for n in every if template in (None, n.template)]

    def stops(self) -> list[StopNotice]:
        return [x for x in self.effects if isinstance(x, StopNotice)]

    def has_task(self, kind: TaskKind) -> bool:
        return any(k is kind for k, _ in self.tasks)

    def paused(self, kind: PauseKind) -> bool:
        return self.case.paused_for(kind)
