"""What the players know while they play: a tale per story, the calendar of what will happen."""

from __future__ import annotations

import heapq
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from app.settings import Settings
from ops.world.bank import Bank
from ops.world.catcher import Catcher
from ops.world.door import Door, Person
from ops.world.stories import BodyReaction, Book, Reaction, Story, load_case
from workers.worker import Worker

OFFICE_OPENS = time(8, 30)  # UTC: when the people of the simulated world do things
OFFICE_CLOSES = time(15, 0)
Action = Callable[[], Awaitable[None]]


@dataclass
class Tale:
    """One story under way. `path` is every stage its case was seen in, in order."""

    story: Story
    random: random.Random
    case_id: str = ""
    reference: str = ""
    path: list[str] = field(default_factory=list)
    stage: str = ""
    outcome: str | None = None
    waiting_on: str | None = None
    consumers: list[Person] = field(default_factory=list)
    letters_seen: dict[str, int] = field(default_factory=dict)
    tickets: dict[str, Reaction | BodyReaction] = field(default_factory=dict)
    look: bool = False  # the consumer got mail and will open the case
    done: set[str] = field(default_factory=set)  # what happens once
    offers_met: list[str] = field(default_factory=list)
    reply_to: str = ""
    last_message_id: str = ""
    payment_reference: str = ""
    improvised: list[str] = field(default_factory=list)  # work no story covers

    @property
    def case(self) -> dict[str, Any]:
        return load_case(self.story.id)

    @property
    def closed(self) -> bool:
        return self.stage == "closed"

    @property
    def company_name(self) -> str:
        return str(self.case["company"]["legal_name"])

    def first(self, what: str) -> bool:
        """True the first time it is asked."""
        if what in self.done:
            return False
        self.done.add(what)
        return True

    def saw(self, stage: str) -> bool:
        """Note where the case stands; True when that is new."""
        self.stage = stage
        if self.path and self.path[-1] == stage:
            return False
        self.path.append(stage)
        return True


@dataclass(order=True)
class Planned:
    at: datetime
    number: int
    what: str = field(compare=False)
    act: Action = field(compare=False)


class Calendar:
    """What people, companies, bodies and the bank will do, by business time."""

    def __init__(self) -> None:
        self._heap: list[Planned] = []
        self._number = 0

    def add(self, at: datetime, what: str, act: Action) -> None:
        self._number += 1
        heapq.heappush(self._heap, Planned(at, self._number, what, act))

    def next_at(self) -> datetime | None:
        return self._heap[0].at if self._heap else None

    def take(self, now: datetime) -> list[Planned]:
        """Everything that is due, in order."""
        due = []
        while self._heap and self._heap[0].at <= now:
            due.append(heapq.heappop(self._heap))
        return due


@dataclass
class World:
    """Everything the players share. `now` is the business time that was last set or read."""

    book: Book
    settings: Settings
    folder: Path
    door: Door
    worker: Worker
    catcher: Catcher
    mail_port: int
    bank: Bank
    seed: int
    now: datetime
    began: datetime
    tales: list[Tale] = field(default_factory=list)
    calendar: Calendar = field(default_factory=Calendar)
    staff: dict[str, Person] = field(default_factory=dict)
    site: Person = field(default_factory=lambda: Person("our own site", 1))
    partner: Person = field(default_factory=lambda: Person("a partner's app", 2))
    company_ids: dict[str, str] = field(default_factory=dict)
    trouble: list[str] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    people_number: int = 10
    flags: set[str] = field(default_factory=set)

    @property
    def begins_on(self) -> date:
        """The first day of the play."""
        return self.began.date()

    def count(self, what: str, more: int = 1) -> None:
        self.counts[what] = self.counts.get(what, 0) + more

    def person(self, name: str, email: str = "") -> Person:
        self.people_number += 1
        return Person(name, self.people_number, email=email)

    def after(self, days: int, what: str, act: Action, *, since: datetime | None = None) -> None:
        """In so many days, in office hours of a working day; 0 = within the hour."""
        since = since or self.now
        at = since + timedelta(days=days)
        if days == 0:
            at = since + timedelta(minutes=20)
        self.calendar.add(office_time(at), what, act)

    def of_case(self, case_id: str) -> Tale | None:
        return next((t for t in self.tales if t.case_id == case_id), None)

    def of_reference(self, reference: str) -> Tale | None:
        return next((t for t in self.tales if t.reference == reference), None)

    def of_consumer(self, email: str) -> Sequence[Tale]:
        return [t for t in self.tales if any(p.email == email for p in t.consumers)]

    def saw(self, view: dict[str, Any]) -> None:
        """An answer of the API said where a case stands."""
        tale = self.of_case(str(view.get("case_id") or view.get("id")))
        if tale is not None:
            tale.outcome, tale.waiting_on = view.get("outcome"), view.get("waiting_on")
            tale.saw(view["stage"])


def office_time(at: datetime) -> datetime:
    """The first moment from then on at which an office is open."""
    if at.time() < OFFICE_OPENS:
        at = datetime.combine(at.date(), OFFICE_OPENS, at.tzinfo)
    elif at.time() > OFFICE_CLOSES:
        at = datetime.combine(at.date() + timedelta(days=1), OFFICE_OPENS, at.tzinfo)
    while at.weekday() >= 5:
        at = datetime.combine(at.date() + timedelta(days=1), OFFICE_OPENS, at.tzinfo)
    return at
