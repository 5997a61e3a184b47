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
        return max(known) if known and len(known) == len(days) else None
    if key == "defect_seen_on":  # missing: the first written complaint
        return answers.day(key) or answers.told_on
    return answers.day(key)


def last_day(m: Matter) -> date | None:
    """The last day on which the claim is not time-barred; None where no period is given here."""
    event = event_on(m)
    kind, country = m.answers.kind, m.jurisdiction.partition("-")[0]
    if kind == "healthcare_billing" and country == "US":
        bill = m.answers.day("bill_date")
        return bill + timedelta(days=m.law["health"]["us_days"]) if bill else None
    if event is None or kind == "unauthorised_payment":
        return None
    table = m.law["limitation"]
    if kind == "air_baggage":
        return plus(event, Period(m.law["baggage"]["limitation_years"], "years"))
    years = table["years"].get(country)
    if kind == "air":
        years = table["years_air"].get(country, years)
    if years is None:
        return None
    end = plus(event, Period(years, "years"))
    if country in table["to_year_end"]:
        end = date(event.year + years, 12, 31)
    told = m.answers.told_on
    if country in table["interrupted_by_complaint"] and told is not None and event <= told <= end:
        end = plus(told, Period(years, "years"))
    return end


def barred(m: Matter) -> bool:
    """Too old on its face. Nobody told the bank in time: 13 months end the claim as well."""
    if m.answers.kind == "unauthorised_payment":
        first = m.answers.day("first_debit_on")
        if m.jurisdiction == "US" or first is None or not m.answers.never("told_bank_on"):
            return False
        return m.today > plus(first, Period(m.law["payments"]["told_months"], "months"))
    end = last_day(m)
    return end is not None and end < m.today


def kept_talking(m: Matter) -> bool:
    """The company negotiated before the end: that may have suspended the period."""
    if m.answers.text("company_answer") not in NEGOTIATING:
        return False
    when, end = m.answers.day("company_answer_on"), last_day(m)
    return when is None or end is None or when <= end
