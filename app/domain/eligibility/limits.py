"""When a claim is too old: the last day, and what moves it."""

from __future__ import annotations

from datetime import date, timedelta

from app.domain.counting import Period, plus
from app.domain.eligibility.facts import Answers
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
    event, kind = event_on(m), m.answers.kind
    if kind == "healthcare_billing" and m.country == "US":
        bill = m.answers.day("bill_date")
        return bill + timedelta(days=m.law["health"]["us_days"]) if bill else None
    if event is None:
        return None
    if kind == "unauthorised_payment":
        # Months to tell the bank: once it was told, its own test says whether that was in time.
        ruled = m.law.in_eu(m.jurisdiction) or m.jurisdiction == "GB"
        if m.unsure or not ruled or not m.answers.never("told_bank_on"):
            return None
        return plus(event, Period(m.law["payments"]["told_months"], "months"))
    if kind == "air_baggage":
        return plus(event, Period(m.law["baggage"]["limitation_years"], "years"))
    return None if m.unsure else _general(m, event)


def _general(m: Matter, event: date) -> date | None:
    """Years by jurisdiction; in some, a complaint inside the period begins a new one."""
    table, country = m.law["limitation"], m.country
    years = table["years"].get(country)
    if m.answers.kind == "air":
        years = table["years_air"].get(country, years)
    years = table["years_part"].get(m.answers.text("place"), years)
    if years is None:
        return None
    end = plus(event, Period(years, "years"))
    if country in table["to_year_end"]:
        end = date(event.year + years, 12, 31)
    told = m.answers.told_on
    if country in table["interrupted_by_complaint"] and told is not None and event <= told <= end:
        end = plus(told, Period(years, "years"))
    return end


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
