"""Who decides when the company does not pay, and from when until when it may be asked."""

from __future__ import annotations

from datetime import date

from app.domain.counting import Period, plus
from app.domain.eligibility.facts import FactUnknown
from app.domain.eligibility.lawbook import Matter
from app.domain.eligibility.places import air_law, country_at

SEISED = ("court", "complaint_body")


def body_for(m: Matter, amount_minor: int, currency: str | None) -> str | None:
    """The deciding body, or None where none in our list fits or may be asked."""
    if m.answers.text("insolvency") in ("opened", "closed_down") or seised(m):
        return None
    name = _named(m)
    if name is None:
        return None
    floor = m.law["floors"].get(name)
    if floor and currency == floor["currency"] and amount_minor < floor["under_minor"]:
        return None
    ceiling = m.law["ceilings"].get(name)
    if ceiling and currency == ceiling["currency"] and amount_minor > ceiling["over_minor"]:
        return None
    closes = closes_on(m, name)
    return None if closes is not None and closes < m.today else name


def seised(m: Matter) -> bool:
    return any(
        r.get("route") in SEISED and r.get("state") not in ("not_started", "unknown", None)
        for r in m.answers.entries("other_routes")
    )


def _named(m: Matter) -> str | None:
    kind, bodies = m.answers.kind, m.law["bodies"]
    group = m.law["body_of_kind"].get(kind)
    country = m.jurisdiction.partition("-")[0]
    if group == "air":
        return _at_disruption(m)
    if group is not None:
        return _text(bodies[group].get(country))
    if kind == "telecom_energy_billing":
        utility = m.law["utilities"].get(m.answers.text("utility"))
        return _text(bodies[utility].get(country)) if utility else None
    return _by_home(m)


def _at_disruption(m: Matter) -> str | None:
    """The country where the flight went wrong; from a third country with a carrier of the area,
    where it arrived."""
    key = "from_airport" if m.answers.get("disrupted_at") is None else "disrupted_at"
    country = country_at(m.answers, m.law, key)
    if m.answers.kind == "air" and country and not m.law.in_air_area(country):
        try:
            covered = air_law(m.answers, m.law) == "eu"
        except FactUnknown:
            covered = False
        if covered:
            country = country_at(m.answers, m.law, "to_airport")
    bodies = m.law["bodies"]
    if m.answers.text("bought_as") == "business" and country in bodies["air_business"]:
        return _text(bodies["air_business"][country])
    return _text(bodies["air"].get(country))


def _by_home(m: Matter) -> str | None:
    """Across a border a centre hands it over; at home the body of the kind, else of the country."""
    home, company = m.answers.text("residence"), m.answers.text("company_country")
    bodies, law = m.law["bodies"], m.law
    near = {*law["eu"], *law["ecc_beside_eu"]}
    if company and home != company:
        if home in near and company in near:
            return _text(bodies["abroad_eu"])
        return _text(bodies["abroad_gb"]) if home == "GB" and company in near else None
    special = bodies.get(f"home_{m.answers.kind}", {})
    return _text(special[home]) if home in special else _text(bodies["home"].get(home))


def _text(name: object) -> str | None:
    return None if name is None else str(name)


def closes_on(m: Matter, body: str) -> date | None:
    """The last day of the body: so long after the first written complaint, where it says so."""
    told, span = m.answers.told_on, m.law.body_days.get(body)
    if body == "us.cms_no_surprises":
        told = m.answers.day("bill_date")
    return plus(told, Period(*span)) if told and span else None


def opens_on(m: Matter, body: str) -> date | None:
    """The first day of the body: its wait after the first written complaint, or a refusal."""
    told = m.answers.told_on
    refused = m.answers.day("company_answer_on")
    if m.answers.text("company_answer") != "refused":
        refused = None
    span = m.law.body_waits.get(body)
    if told is None:
        return None
    if span is None:
        return refused
    return plus(told, Period(*span)) if span[1] != "working_days" else None
