"""Who decides when the company does not pay, and from when until when it may be asked."""

from __future__ import annotations

from datetime import date

from app.domain import bodies
from app.domain.counting import Calendar
from app.domain.eligibility.facts import Answers, FactUnknown
from app.domain.eligibility.finding import Due, Note
from app.domain.eligibility.lawbook import Matter
from app.domain.eligibility.places import air_law, country_at

SEISED = ("court", "complaint_body")


def body_for(m: Matter, items: tuple[Due, ...]) -> tuple[str | None, tuple[Note, ...]]:
    """The deciding body, or None where none in our list fits or may be asked; and why not."""
    if m.answers.text("insolvency") in ("opened", "closed_down"):
        return None, ()
    if seised(m):
        return None, (Note("already_before_a_body"),)
    name = _named(m)
    if name is None:
        return None, ()
    if items and (why := _out_of_range(m, name, items)):
        return None, (why,)
    closes = closes_on(m, name)
    if closes is not None and closes < m.today:
        return None, (Note("body_closed", {"body": name, "on": str(closes)}),)
    return name, ()


def seised(m: Matter) -> bool:
    """A court or a body is on it already, whatever became of it."""
    return any(
        r.get("route") in SEISED and r.get("state") != "not_started"
        for r in m.answers.entries("other_routes")
    )


def _out_of_range(m: Matter, name: str, items: tuple[Due, ...]) -> Note | None:
    """Under the floor or over the ceiling of the body, where it has one in this currency."""
    total, currency = sum(item.amount_minor for item in items), items[0].currency
    floor = m.law["floors"].get(name)
    if floor and currency == floor["currency"] and total < floor["under_minor"]:
        return Note("body_floor", {"body": name})
    ceiling = m.law["ceilings"].get(name)
    if ceiling and currency == ceiling["currency"] and total > ceiling["over_minor"]:
        return Note("body_ceiling", {"body": name})
    return None


def group_of(m: Matter) -> str:
    """The table of bodies for this claim: `air`, `bank`, `energy`...; "" where none decides."""
    kind = m.answers.kind
    if kind == "telecom_energy_billing":
        return str(m.law["utilities"].get(m.answers.text("utility")) or "")
    return str(m.law["body_of_kind"].get(kind) or "home")


def _named(m: Matter) -> str | None:
    group = group_of(m)
    if group == "air":
        return _at_disruption(m)
    if group == "home":
        return _by_home(m)
    return _text(m.law["bodies"][group].get(m.country)) if group and not m.unsure else None


def _at_disruption(m: Matter) -> str | None:
    """The country where the flight went wrong; from a third country with a carrier of the area,
    where it arrived."""
    key = "from_airport" if m.answers.get("disrupted_at") is None else "disrupted_at"
    country, day = country_at(m.answers, m.law, key), m.answers.day("flight_date")
    if country and not m.law.in_air_area(country, day) and _carrier_of_area(m, country):
        country = country_at(m.answers, m.law, "to_airport")
    named = m.law["bodies"]
    if m.answers.text("bought_as") == "business" and country in named["air_business"]:
        return _text(named["air_business"][country])
    return _text(named["air"].get(country))


def _carrier_of_area(m: Matter, country: str) -> bool:
    """An EU, EEA or Swiss carrier on a flight that no law of the departure covers."""
    day = m.answers.day("flight_date")
    if not m.law.in_air_area(m.answers.text("company_country"), day):
        return False
    try:
        return country != "GB" or air_law(m.answers, m.law) != "gb"
    except FactUnknown:
        return False


def _by_home(m: Matter) -> str | None:
    """Across a border a centre hands it over; at home the body of the kind, else of the country."""
    home, company = m.answers.text("residence"), m.answers.text("company_country")
    named, law = m.law["bodies"], m.law
    near = {*law["eu"], *law["ecc_beside_eu"]}
    if not company:
        return None
    if home != company:
        if home in near and company in near:
            return _text(named["abroad_eu"])
        return _text(named["abroad_gb"]) if home == "GB" and company in near else None
    special = named.get(f"home_{m.answers.kind}", {})
    return _text(special[home]) if home in special else _text(named["home"].get(home))


def _text(name: object) -> str | None:
    return None if name is None else str(name)


def closes_on(m: Matter, body: str) -> date | None:
    """The last day of the body, where its record gives one and its start is known."""
    terms = m.law.body_terms[body]
    return bodies.closes_on(terms, facts_of(m.answers), _calendar(m, body))


def opens_on(m: Matter, body: str) -> date | None:
    """The first day of the body. None: not open, or not known yet."""
    terms = m.law.body_terms[body]
    return bodies.opens_on(terms, facts_of(m.answers), _calendar(m, body))


def facts_of(answers: Answers) -> bodies.Facts:
    """What the answers say of the days that bodies count from."""
    refused = answers.text("company_answer") == "refused"
    return bodies.Facts(
        answers.told_on,
        answers.day("company_answer_on") if refused else None,
        answers.day("bill_date"),
    )


def _calendar(m: Matter, body: str) -> Calendar:
    return m.law.calendar_of(m.law.body_countries[body])
