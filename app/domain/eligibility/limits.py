"""When a claim is too old: the last day, and what moves it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from app.domain.counting import Period, plus
from app.domain.eligibility.facts import Answers
from app.domain.eligibility.finding import Limit
from app.domain.eligibility.kinds.contracts import event_day
from app.domain.eligibility.lawbook import Matter

NEGOTIATING = ("under_review", "offered", "promised")


def event_on(m: Matter) -> date | None:
    """The day a limitation runs from; None when it is unknown."""
    return event_of(m.answers, m.law["event_of"].get(m.answers.kind))


def event_of(answers: Answers, key: str | None) -> date | None:
    if key is None:
        return None
    if key == "legs":
        days = [event_day(leg.get("date")) for leg in answers.entries("legs")]
        known = [day for day in days if day is not None]
        return max(known) if known and len(known) == len(answers.listed("legs")) else None
    if key == "defect_seen_on":  # missing: the first written complaint
        return answers.day(key) or answers.told_on
    return answers.day(key)


def last_day(m: Matter) -> date | None:
    """The last day on which the claim is not time-barred; None where no period is given here."""
    found = limit(m)
    return found.last_day if found else None


def limit(m: Matter, approved: frozenset[str] = frozenset()) -> Limit | None:
    """The last day with its rule and the fact it runs from; `approved` as for a finding."""
    found = _limit(m)
    if found is None or found.rule not in m.law.unconfirmed - approved:
        return found
    return replace(found, confirmed=False)


def _limit(m: Matter) -> Limit | None:
    event, kind, rules = event_on(m), m.answers.kind, m.law["limitation"]["rules_kind"]
    fact = str(m.law["event_of"].get(kind))
    if fact == "defect_seen_on" and m.answers.day(fact) is None:
        fact = "first_written_complaint"
    if kind == "healthcare_billing" and m.country == "US":
        bill, days = m.answers.day("bill_date"), Period(m.law["health"]["us_days"], "days")
        return _after("bill_date", bill, days, rules[kind]) if bill else None
    if event is None:
        return None
    if kind == "unauthorised_payment":
        # Months to tell the bank: once it was told, its own test says whether that was in time.
        ruled = m.law.in_eu(m.jurisdiction) or m.jurisdiction == "GB"
        if m.unsure or not ruled or not m.answers.never("told_bank_on"):
            return None
        period = Period(m.law["payments"]["told_months"], "months")
        return _after(fact, event, period, m.law.of_place(rules[kind], m.jurisdiction))
    if kind == "air_baggage":
        period = Period(m.law["baggage"]["limitation_years"], "years")
        return _after(fact, event, period, rules[kind])
    return None if m.unsure else _general(m, fact, event)


def _after(fact: str, since: date, period: Period, rule: str) -> Limit:
    return Limit(plus(since, period), fact, since, period, rule)


def _general(m: Matter, fact: str, event: date) -> Limit | None:
    """Years by jurisdiction; in some, a complaint inside the period begins a new one."""
    table, country = m.law["limitation"], m.country
    years, rule = table["years"].get(country), table["rules"].get(country)
    if m.answers.kind == "air":
        years = table["years_air"].get(country, years)
        rule = table["rules_air"].get(country, rule)
    part = m.answers.text("place")
    years, rule = table["years_part"].get(part, years), table["rules_part"].get(part, rule)
    if years is None:
        return None
    found = _after(fact, event, Period(years, "years"), rule)
    if country in table["to_year_end"]:
        end = date(event.year + years, 12, 31)
        found = replace(found, last_day=end, to_year_end=True)
    told, interrupts = m.answers.told_on, country in table["interrupted_by_complaint"]
    if interrupts and told is not None and event <= told <= found.last_day:
        return _after("first_written_complaint", told, found.period, rule)
    return found


def shorter_in_part(m: Matter) -> tuple[str, date] | None:
    """A part of the country with a shorter period, and its last day: the answers do not say where
    in the country it was."""
    event = event_on(m)
    if event is None or m.unsure or m.answers.kind in ("unauthorised_payment", "air_baggage"):
        return None
    for part, years in m.law["limitation"]["years_part"].items():
        if part.partition("-")[0] == m.country and m.answers.text("place") != part:
            return str(part), plus(event, Period(years, "years"))
    return None


def barred(m: Matter) -> bool:
    """Too old on its face."""
    end = last_day(m)
    return end is not None and end < m.today


def kept_talking(m: Matter) -> bool:
    """The company negotiated before the end: that may have suspended the period."""
    if m.answers.text("company_answer") not in NEGOTIATING:
        return False
    when, end = m.answers.day("company_answer_on"), last_day(m)
    return when is None or end is None or when <= end
