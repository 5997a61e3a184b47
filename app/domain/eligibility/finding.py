"""What comes out: a verdict with its sums, grounds and reasons."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

from app.domain.counting import Period

Verdict = Literal["yes", "no", "unclear", "needs_info"]


@dataclass(frozen=True, slots=True)
class Note:
    """A reason, warning or missing paper: a code and what fills it; the words are data."""

    code: str
    params: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Due:
    """One line of the claim."""

    what: str
    amount_minor: int
    currency: str


@dataclass(frozen=True, slots=True)
class Test:
    """What the test of a kind found. `computed`: sums the law fixes; `counts`: the item types that
    count here, of which `paid_only` count once they were paid; `open_sum`: a figure that is not
    known yet could still add a line; `unruled`: its yes needs no rule in our files."""

    __test__ = False  # not one of pytest's

    verdict: Verdict
    grounds: tuple[str, ...]
    computed: tuple[Due, ...] = ()
    counts: tuple[str, ...] | None = None  # None: the usual ones
    currency: str | None = None  # of the rule's own sums
    reasons: tuple[Note, ...] = ()
    warnings: tuple[Note, ...] = ()
    missing: tuple[Note, ...] = ()
    open_facts: tuple[str, ...] = ()  # what the consumer is asked before anything is said
    paid_only: tuple[str, ...] = ()
    open_sum: bool = False
    unruled: bool = False


@dataclass(frozen=True, slots=True)
class Act:
    """Something free that the consumer can do; no `last_day` means today. `confirmed`: its numbers
    were read in a source."""

    code: str
    rule: str
    last_day: date | None
    confirmed: bool
    params: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Demand:
    """What is asked of the company; without a sum where it is to put the thing itself right."""

    kind: str
    amount_minor: int | None
    currency: str | None
    only_after: str | None


@dataclass(frozen=True, slots=True)
class Limit:
    """The last day of a claim and why it is that day: `period` by the record `rule`, counted from
    `fact` (the name of an answer) on `since`; `to_year_end`: until the end of that year.
    `confirmed`: the record was read in a source, or a reviewer approved it."""

    last_day: date
    fact: str
    since: date
    period: Period
    rule: str
    to_year_end: bool = False
    confirmed: bool = True


@dataclass(frozen=True, slots=True)
class Finding:
    """`items` sum to `amount_minor`; a no has neither items nor body. `body_opens`, `body_closes`:
    first and last day of the body, where the records give them."""

    claim_kind: str
    jurisdiction: str
    eligible: Verdict
    legal_ground: tuple[str, ...]
    items: tuple[Due, ...]
    amount_minor: int
    currency: str | None
    body: str | None
    body_opens: date | None
    body_closes: date | None
    limitation: Limit | None
    reasons: tuple[Note, ...]
    warnings: tuple[Note, ...]
    missing: tuple[Note, ...]
    open_facts: tuple[str, ...]
    acts: tuple[Act, ...]
    demand_primary: Demand | None
    demand_alternative: Demand | None

    @property
    def limitation_on(self) -> date | None:
        return self.limitation.last_day if self.limitation else None
