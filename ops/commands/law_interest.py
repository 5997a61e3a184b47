"""recourse law interest and rates: statutory interest counted, and the rates that are missing."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from fractions import Fraction
from typing import Annotated, Any

import orjson
import typer

from app.clock import wall_now
from app.domain.errors import RecourseError
from app.domain.interest.accrual import (
    Against,
    InterestInvalid,
    InWords,
    Part,
    Payment,
    Statement,
    accrue,
    written,
)
from app.domain.interest.formula import Formula
from app.domain.interest.rates import Missing, Series, percent
from app.domain.money import Money
from app.law.calendar import calendar_for
from app.law.interest import interest_law

FINE = 4  # decimals beyond the currency's, where people compare with their own sums


@dataclass(frozen=True, slots=True)
class Asked:
    formula: Formula
    parts: tuple[Part, ...]
    until: date
    payments: tuple[Payment, ...]
    events: dict[str, date]


def interest(
    formula: Annotated[str, typer.Option(help="by which law, e.g. fi.viivastyskorko")],
    principal: Annotated[list[str], typer.Option(help="600.00, or 200.00@2026-03-01 per part")],
    currency: Annotated[str, typer.Option(help="ISO 4217 (EUR)")],
    to: Annotated[str, typer.Option(help="last day, counted")],
    from_: Annotated[str | None, typer.Option("--from", help="first day, counted")] = None,
    paid: Annotated[list[str] | None, typer.Option(help="2026-03-01:200.00, repeatable")] = None,
    against: Annotated[Against, typer.Option(help="what payments go to")] = Against.PRINCIPAL,
    event: Annotated[list[str] | None, typer.Option(help="demand_sent:2026-01-02")] = None,
    start: Annotated[str | None, typer.Option(help="first day by this rule of the law")] = None,
    day_count: Annotated[str | None, typer.Option(help="another one that courts use")] = None,
    json: Annotated[bool, typer.Option("--json", help="one JSON line")] = False,
) -> None:
    """Interest on what is unpaid, row by row; in words where a rate is missing."""
    try:
        rule = _with_day_count(interest_law().formula(formula), day_count)
        events = dict(_event(text) for text in event or ())
        first = _first_day(rule, from_, start, events)
        asked = Asked(
            rule, tuple(_part(text, currency, first) for text in principal), _day(to, "to"),
            tuple(_payment(text, currency, against) for text in paid or ()), events,
        )  # fmt: skip
        _judge(asked)
        found = accrue(
            asked.formula, asked.parts, asked.until, payments=asked.payments, events=events
        )
    except RecourseError as refused:
        if json:
            _line({"error": refused.message, "code": refused.code})
        else:
            typer.echo(refused.message, err=True)
        raise typer.Exit(1) from None
    if json:
        _line(_as_json(asked, found))
    elif isinstance(found, InWords):
        _tell_words(asked, found)
    else:
        _tell(asked, found)


def rates(
    to: Annotated[str | None, typer.Option(help="gaps up to this day (today)")] = None,
    json: Annotated[bool, typer.Option("--json", help="one JSON line per series")] = False,
) -> None:
    """The rate series, how far they reach and what is missing in them."""
    try:
        until = _day(to, "to") if to else wall_now().date()
    except RecourseError as refused:
        typer.echo(refused.message, err=True)
        raise typer.Exit(1) from None
    law = interest_law()
    for series in law.series.values():
        told = _series_told(series, until)
        if json:
            _line(told)
            continue
        typer.echo(f"{series.id}: {told['from'] or 'no value'} to {told['to'] or '-'}")
        for gap in told["missing"]:
            hint = f" (its rule gives {gap['follows']}; publish it with its source)"
            typer.echo(f"  missing {gap['from']} to {gap['to']}{hint if gap['follows'] else ''}")
        for other in told["to_be_confirmed"]:
            typer.echo(f"  to be confirmed {other['from']} to {other['to']}: {other['value']} %")
        for odd in told["contradictions"]:
            typer.echo(f"  {odd['from']}: {odd['value']} %, but its rule gives {odd['follows']} %")
    if not json:
        typer.echo(f"rates of version {law.version}; a new one is a new version of interest.yaml")


def _series_told(series: Series, until: date) -> dict[str, Any]:
    known = [rate for rate in series.rates if rate.value is not None]
    first = known[0].first if known else until
    told: dict[str, Any] = {
        "series": series.id,
        "from": known[0].first.isoformat() if known else None,
        "to": known[-1].last.isoformat() if known else None,
        "missing": [_gap(series, gap) for gap in series.gaps(first, until)],
        "to_be_confirmed": [],
        "contradictions": [],
    }
    for rate in known:
        assert rate.value is not None, "known rates have values"
        row = {
            "from": rate.first.isoformat(), "to": rate.last.isoformat(),
            "value": percent(rate.value),
        }  # fmt: skip
        if not rate.confirmed:
            told["to_be_confirmed"].append(row)
        follows = series.follows_to(rate.first) if series.turns else None
        if follows is not None and follows != rate.value:
            told["contradictions"].append(row | {"follows": percent(follows)})
    return told


def _gap(series: Series, gap: Missing) -> dict[str, Any]:
    follows = series.follows_to(gap.first) if series.turns else None
    return {
        "from": gap.first.isoformat(), "to": gap.last.isoformat(),
        "follows": None if follows is None else percent(follows),
    }  # fmt: skip


def _with_day_count(rule: Formula, name: str | None) -> Formula:
    if name is None or name == rule.day_count.id:
        return rule
    for other in rule.other_day_counts:
        if other.id == name:
            return replace(rule, day_count=other)
    known = ", ".join(c.id for c in (rule.day_count, *rule.other_day_counts))
    raise InterestInvalid(f"{rule.id} counts days by {known}, not by {name!r}")


def _first_day(
    rule: Formula, given: str | None, start: str | None, events: dict[str, date]
) -> date | None:
    """The day that was given, or the one that start rule makes of the events."""
    if start is None:
        return _day(given, "from") if given else None
    if given is not None:
        raise InterestInvalid("give the first day or the rule of its start, not both")
    if start not in rule.starts:
        known = ", ".join(sorted(rule.starts)) or "none: give the first day"
        raise InterestInvalid(f"{rule.id} knows no start {start!r}; known: {known}")
    found = rule.first_day(start, events, calendar_for(rule.jurisdiction))
    if found is None:
        needed = ", ".join(dict.fromkeys(line.event for line in rule.starts[start]))
        raise InterestInvalid(f"the start {start!r} needs the days of: {needed}")
    return found


def _judge(asked: Asked) -> None:
    """What the engine leaves out is refused here: whoever types it means something."""
    for part in asked.parts:
        if part.first > asked.until:
            raise InterestInvalid(
                f"the first day {part.first.isoformat()} lies after the last, "
                f"{asked.until.isoformat()}"
            )
    for payment in asked.payments:
        if payment.on > asked.until:
            raise InterestInvalid(
                f"the payment of {payment.on.isoformat()} lies after the last day"
            )


def _day(text: str, what: str) -> date:
    try:
        if len(text) == len("2026-01-31"):
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise InterestInvalid(f"{what}: {text[:40]!r} is not a day like 2026-01-31")


def _part(text: str, currency: str, first: date | None) -> Part:
    amount, at, day = text.partition("@")
    begins = _day(day, "principal") if at else first
    if begins is None:
        raise InterestInvalid("say from which day: --from, --start with --event, or 200.00@DAY")
    return Part(Money.parse(amount, currency), begins)


def _payment(text: str, currency: str, against: Against) -> Payment:
    day, colon, amount = text.partition(":")
    if not colon:
        raise InterestInvalid(f"paid: {text[:60]!r} is not like 2026-03-01:200.00")
    return Payment(_day(day, "paid"), Money.parse(amount, currency), against)


def _event(text: str) -> tuple[str, date]:
    name, colon, day = text.partition(":")
    if not colon:
        raise InterestInvalid(f"event: {text[:60]!r} is not like demand_sent:2026-01-02")
    return name, _day(day, "event")


def _as_json(asked: Asked, found: Statement | InWords) -> dict[str, Any]:
    """Sums as text in the currency; `exact` in its minor units as a fraction."""
    rule, currency = asked.formula, asked.parts[0].principal.currency
    told: dict[str, Any] = {
        "formula": rule.id, "version": rule.version, "law": rule.law, "source": rule.source,
        "claim": rule.claim, "day_count": rule.day_count.id, "currency": currency,
        "from": min(part.first for part in asked.parts).isoformat(),
        "to": asked.until.isoformat(), "in_words": isinstance(found, InWords),
        "missing": [], "to_be_confirmed": list(rule.unverified),
    }  # fmt: skip
    if isinstance(found, InWords):
        missing = [
            {"series": m.series, "from": m.first.isoformat(), "to": m.last.isoformat()}
            for m in found.missing
        ]
        return told | {"missing": missing, "total": None, "rows": []}
    told["rows"] = [
        {
            "part": row.part + 1, "from": row.first.isoformat(), "to": row.last.isoformat(),
            "days": row.days, "rate": percent(row.rate), "confirmed": row.confirmed,
            "principal": written(row.principal, currency),
            "amount": written(row.amount, currency, FINE), "exact": str(row.amount),
        }
        for row in found.rows
    ]  # fmt: skip
    return told | {
        "accrued": written(found.accrued, currency, FINE),
        "exact": str(found.accrued),
        "paid_interest": written(found.paid, currency, FINE),
        "principal_left": written(sum(found.left, Fraction(0)), currency),
        "surplus": written(found.surplus, currency),
        "per_day": None if found.per_day is None else written(found.per_day, currency, FINE),
        "total": written(found.open, currency),
        "confirmed": found.confirmed,
    }


def _tell(asked: Asked, found: Statement) -> None:
    currency = asked.parts[0].principal.currency
    typer.echo(f"{'from':10}  {'to':10}  {'days':>5}  {'rate %':>7}  {'on':>14}  {'interest':>14}")
    for row in found.rows:
        mark = "" if row.confirmed else "  rate to be confirmed"
        typer.echo(
            f"{row.first}  {row.last}  {row.days:>5}  {percent(row.rate):>7}  "
            f"{written(row.principal, currency):>14}  "
            f"{written(row.amount, currency, FINE):>14}{mark}"
        )
    if found.paid:
        typer.echo(f"paid of it: {written(found.paid, currency, FINE)} {currency}")
    typer.echo(f"interest: {found.total}")
    left = written(sum(found.left, Fraction(0)), currency)
    typer.echo(f"principal unpaid: {left} {currency}")
    if found.per_day is not None:
        daily = written(found.per_day, currency, FINE)
        typer.echo(f"each further day at this rate: {daily} {currency}")
    if found.surplus:
        typer.echo(f"paid more than owed: {written(found.surplus, currency)} {currency}")
    _tell_law(asked.formula)


def _tell_words(asked: Asked, found: InWords) -> None:
    typer.echo("no sum: a rate is missing, and none is guessed")
    for gap in found.missing:
        typer.echo(f"  {gap}")
    typer.echo(f"claimed in words: interest by {asked.formula.law} from {found.starts_on}")
    _tell_law(asked.formula)


def _tell_law(rule: Formula) -> None:
    typer.echo(f"rule {rule.id}@{rule.version}: {rule.law}, {rule.day_count.id}")
    if rule.claim == "will_be_claimed":
        typer.echo("  only a court or body grants it: letters say that it will be claimed")
    if rule.unverified:
        typer.echo(f"  to be confirmed: {', '.join(rule.unverified)}")
    typer.echo(f"  {rule.source}")


def _line(value: dict[str, Any]) -> None:
    typer.echo(orjson.dumps(value).decode())
