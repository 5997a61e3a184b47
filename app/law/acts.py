"""data/acts.yaml: the free acts and the demands, checked whole and handed to the domain."""

from __future__ import annotations

from functools import cache
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from app.domain.counting import PERIOD_MAX, Period
from app.domain.eligibility.act_rules import ActRule, DayRule, DemandRule, When
from app.law.answers import vocabulary
from app.law.records import DATA, Record, read

Word = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,60}$")]


class SpanIn(Record):
    value: Annotated[int, Field(gt=0)]
    unit: Literal["days", "weeks", "months", "years"]

    @model_validator(mode="after")
    def _bounded(self) -> SpanIn:
        if self.value > PERIOD_MAX[self.unit]:
            raise ValueError(f"at most {PERIOD_MAX[self.unit]} {self.unit}")
        return self

    def made(self) -> Period:
        return Period(self.value, self.unit)


class CapIn(Record):
    facts: Annotated[list[Word], Field(min_length=1)]
    then: SpanIn


class DayIn(Record):
    facts: tuple[Word, ...] = ()
    clock: Literal["limitation", "body"] | None = None
    then: tuple[SpanIn, ...] = ()
    cap: CapIn | None = None
    rule: str | None = None

    @model_validator(mode="after")
    def _one_way(self) -> DayIn:
        if bool(self.facts) == (self.clock is not None):
            raise ValueError("either `facts` or a `clock`")
        if unknown := set(self.facts) - _days_of_intakes():
            raise ValueError(f"no fact with a day: {', '.join(sorted(unknown))}")
        return self

    def made(self) -> DayRule:
        cap = (tuple(self.cap.facts), self.cap.then.made()) if self.cap else None
        then = tuple(span.made() for span in self.then)
        return DayRule(self.facts, self.clock, then, cap, self.rule)


class WhenIn(Record):
    kinds: tuple[Word, ...] = ()
    places: tuple[str, ...] = ()
    answers: dict[Word, list[Any]] = Field(default_factory=dict)
    given: tuple[Word, ...] = ()
    said: tuple[Word, ...] = ()
    unsaid: tuple[Word, ...] = ()
    no_route: tuple[Word, ...] = ()
    past: DayIn | None = None
    ahead: DayIn | None = None

    @model_validator(mode="after")
    def _in_the_vocabulary(self) -> WhenIn:
        kinds = vocabulary()
        if unknown := set(self.kinds) - set(kinds):
            raise ValueError(f"no claim kind: {', '.join(sorted(unknown))}")
        facts = {key for found in kinds.values() for key in found}
        if unknown := ({*self.answers, *self.given} - facts):
            raise ValueError(f"no fact: {', '.join(sorted(unknown))}")
        return self

    def made(self) -> When:
        return When(
            self.kinds, self.places,
            {key: tuple(wanted) for key, wanted in self.answers.items()}, self.given,
            self.said, self.unsaid, self.no_route, self.past.made() if self.past else None,
            self.ahead.made() if self.ahead else None,
        )  # fmt: skip


class LastDayIn(DayIn):
    when: WhenIn = WhenIn()


class ActIn(Record):
    id: Word
    when: WhenIn
    days: tuple[LastDayIn, ...] = ()
    needs_day: bool = False
    rule: str
    source: str
    verified: bool


class DemandIn(Record):
    when: WhenIn
    primary: Word
    alternative: Word | None
    only_after: Word | None


class ActsFile(Record):
    schema_version: Literal[1]
    acts: list[ActIn]
    cures: list[Word]
    demands: list[DemandIn]

    def made_acts(self) -> tuple[ActRule, ...]:
        return tuple(
            ActRule(
                act.id, act.rule, act.when.made(),
                tuple((day.when.made(), day.made()) for day in act.days),
                act.verified, act.needs_day,
            )
            for act in self.acts
        )  # fmt: skip

    def made_demands(self) -> tuple[DemandRule, ...]:
        return tuple(
            DemandRule(d.when.made(), d.primary, d.alternative, d.only_after) for d in self.demands
        )

    def records(self) -> set[str]:
        """Every record that an act names, but the house's own rules."""
        named = {a.rule for a in self.acts} | {d.rule for a in self.acts for d in a.days if d.rule}
        return {rule for rule in named if not rule.startswith("house.")}


@cache
def acts_file() -> ActsFile:
    """Read and checked once per process. Raises LawDataInvalid."""
    return read(ActsFile, DATA / "acts.yaml")


@cache
def _days_of_intakes() -> frozenset[str]:
    return frozenset(
        key
        for found in vocabulary().values()
        for key, fact in found.items()
        if fact["type"] == "date" or key == "legs"
    )
