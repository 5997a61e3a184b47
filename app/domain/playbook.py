"""The ladder as data. A playbook is one claim kind (family) in one jurisdiction, versioned.

Loaded from app/playbooks/*.yaml by app.playbooks.loader; the domain sees only these frozen values.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Protocol

from app.domain.case import LetterKind, Stage
from app.domain.counting import Calendar, Period, Regime


@dataclass(frozen=True, slots=True)
class LadderStep:
    """One stage of the ladder: its letter, wait, channels and who must approve."""

    stage: Stage
    wait: Period
    rule: str  # rule id of the wait, e.g. "house.contact_wait"
    whose: str  # law | ours
    letter: LetterKind
    channels: tuple[str, ...]  # in order of preference: email, post
    approval: str  # rule | handler | senior | senior_above_line
    clock_starts: str = "delivered"  # delivered | handed_over


@dataclass(frozen=True, slots=True)
class Body:
    id: str
    name: str
    wait: Period
    may_agency_file: bool
    address: tuple[str, ...] = ()
    email: str | None = None
    languages: tuple[str, ...] = ("en",)
    min_amount_minor: int = 0
    needs_complaint_days: int = 0  # days since the first written complaint before it opens


@dataclass(frozen=True, slots=True)
class Playbook:
    id: str
    version: int
    jurisdiction: str
    claim_kinds: tuple[str, ...]
    effective_from: date
    effective_to: date | None
    owner: str
    last_reviewed: date
    zone: str  # IANA name of the statute's zone
    regime: Regime
    languages: tuple[str, ...]
    ladder: tuple[LadderStep, ...]
    bodies: tuple[Body, ...]
    sources: tuple[tuple[str, str], ...] = ()
    draft: bool = False

    @property
    def key(self) -> str:
        return f"{self.id}@{self.version}"

    def step_for(self, stage: Stage) -> LadderStep:
        return next(s for s in self.ladder if s.stage is stage)


@dataclass(frozen=True, slots=True)
class AgencyProfile:
    """The agency as versioned data: amounts in minor units of the case's currency."""

    approval_line_minor: dict[str, int] = field(default_factory=dict)  # currency -> line (EUR 500)
    version: int = 1


class Ids(Protocol):
    """Hands out ids chosen by the caller; decide() itself knows no randomness."""

    def __call__(self) -> uuid.UUID: ...


@dataclass(frozen=True, slots=True)
class Rules:
    """Everything decide() may consult besides the case."""

    playbook: Playbook
    calendar: Calendar
    agency: AgencyProfile
    new_id: Ids
    mail_read_until: datetime | None = None  # blindness gate: company mail read up to here
    bank_read_until: datetime | None = None
