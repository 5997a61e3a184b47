"""What the consumer can do free of charge, each act with its last day; and what is asked first
where the seller may put it right himself. Which acts there are, and when, is data (acts.yaml)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from app.domain.counting import plus
from app.domain.eligibility.act_rules import DayRule, When
from app.domain.eligibility.facts import NONE
from app.domain.eligibility.finding import Act, Demand, Due
from app.domain.eligibility.items import CANCEL
from app.domain.eligibility.lawbook import Matter

LIMITATION: Final = "limitation"
BODY: Final = "body"


@dataclass(frozen=True, slots=True)
class Clocks:
    """What else the days of acts may run from, and the codes of its steps and warnings."""

    limitation: date | None
    body: str | None
    body_closes: date | None
    said: frozenset[str]


def acts_of(m: Matter, clocks: Clocks, approved: frozenset[str]) -> tuple[Act, ...]:
    """The acts that are still open, the nearest last day first, those without a day before them:
    they are for today."""
    found = []
    for rule in m.law.acts:
        if not holds(m, rule.when, clocks):
            continue
        days = [day for when, day in rule.days if holds(m, when, clocks)]
        last, record = next(
            ((last, day.rule or rule.rule) for day in days if (last := _day(m, day, clocks))),
            (None, rule.rule),
        )
        if (last is None and rule.needs_day) or (last is not None and last < m.today):
            continue
        confirmed = rule.confirmed or record in approved
        found.append(Act(rule.id, record, last, confirmed, {"body": clocks.body or ""}))
    return tuple(sorted(found, key=lambda act: act.last_day or m.today))


def holds(m: Matter, when: When, clocks: Clocks) -> bool:
    if when.kinds and m.answers.kind not in when.kinds:
        return False
    if when.places and (m.unsure or not _is_in(m, when.places)):
        return False
    if any(m.answers.get(key) not in wanted for key, wanted in when.answers.items()):
        return False
    if any(m.answers.day(key) is None for key in when.given):
        return False
    if clocks.said.intersection(when.unsaid):
        return False
    if when.said and not clocks.said.intersection(when.said):
        return False
    if any(
        r.get("route") in when.no_route and r.get("state") != "not_started"
        for r in m.answers.entries("other_routes")
    ):
        return False
    past = _day(m, when.past, clocks) if when.past else None
    if when.past and (past is None or past >= m.today):
        return False
    ahead = _day(m, when.ahead, clocks) if when.ahead else None
    return not when.ahead or (ahead is not None and ahead >= m.today)


def _is_in(m: Matter, places: Sequence[str]) -> bool:
    return bool(m.law.of_place({place: True for place in places}, m.jurisdiction))


def _day(m: Matter, rule: DayRule, clocks: Clocks) -> date | None:
    if rule.clock == LIMITATION:
        return clocks.limitation
    if rule.clock == BODY:
        return clocks.body_closes
    known = _known(m, rule.facts)
    if not known:
        return None
    day = max(known)
    for period in rule.then:
        day = plus(day, period)
    capped = _known(m, rule.cap[0]) if rule.cap else []
    return min(day, plus(min(capped), rule.cap[1])) if rule.cap and capped else day


def _known(m: Matter, facts: Sequence[str]) -> list[date]:
    """Days among the answers; of the legs of a trip, the first, because each runs for itself."""
    found = []
    for key in facts:
        if key == "legs":
            legs = (leg.get("date") for leg in m.answers.entries("legs"))
            days = [date.fromisoformat(str(d)) for d in legs if d not in (None, "unknown", NONE)]
            found += [min(days)] if days else []
        elif day := m.answers.day(key):
            found.append(day)
    return found


def demands_of(
    m: Matter, items: tuple[Due, ...], clocks: Clocks
) -> tuple[Demand | None, Demand | None]:
    """The first demand and the one behind it; nothing where nothing is asked."""
    rule = next((r for r in m.law.demands if holds(m, r.when, clocks)), None)
    if not items or rule is None:
        return None, None

    def demand(kind: str, only_after: str | None) -> Demand:
        if kind == "refund" and all(item.what.startswith(CANCEL) for item in items):
            kind = "cancellation_of_bill"
        if kind in m.law.cures:
            return Demand(kind, None, None, only_after)
        total = sum(item.amount_minor for item in items)
        return Demand(kind, total, items[0].currency, only_after)

    behind = demand(rule.alternative, rule.only_after) if rule.alternative else None
    return demand(rule.primary, None), behind
