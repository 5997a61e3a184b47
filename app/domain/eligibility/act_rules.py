"""The shape of the rules in acts.yaml: which act or demand, when, and until which day."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from app.domain.counting import Period


@dataclass(frozen=True, slots=True)
class DayRule:
    """A day from the answers: the latest of `facts` (or a `clock`), and so long after. `cap`: never
    later than so long after the earliest of its facts."""

    facts: tuple[str, ...] = ()
    clock: str | None = None
    then: tuple[Period, ...] = ()
    cap: tuple[tuple[str, ...], Period] | None = None
    rule: str | None = None  # its record, where that is not the act's


@dataclass(frozen=True, slots=True)
class When:
    """Everything named must hold. `answers`: fact -> any of these; `given`: facts with a day;
    `said`: steps or warnings, any of them; `unsaid`: none of them; `no_route`: ways nobody took
    yet; `past` and `ahead`: a day that lies before today, or does not (an unknown day is neither).
    """

    kinds: tuple[str, ...] = ()
    places: tuple[str, ...] = ()
    answers: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    given: tuple[str, ...] = ()
    said: tuple[str, ...] = ()
    unsaid: tuple[str, ...] = ()
    no_route: tuple[str, ...] = ()
    past: DayRule | None = None
    ahead: DayRule | None = None


@dataclass(frozen=True, slots=True)
class ActRule:
    """`days`: the first whose condition holds gives the last day. `needs_day`: without one the act
    is not shown."""

    id: str
    rule: str
    when: When
    days: tuple[tuple[When, DayRule], ...]
    confirmed: bool
    needs_day: bool


@dataclass(frozen=True, slots=True)
class DemandRule:
    """What is asked for first, what comes behind it, and when."""

    when: When
    primary: str
    alternative: str | None
    only_after: str | None
