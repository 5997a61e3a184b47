"""Whose law applies and where a flight stands: jurisdiction, airports, the air passenger law."""

from __future__ import annotations

from typing import Literal

from app.domain.eligibility.facts import Answers, FactUnknown
from app.domain.eligibility.lawbook import LawBook

AirLaw = Literal["eu", "gb", "us"]


def jurisdiction(answers: Answers, law: LawBook) -> str:
    """Whose rules and bodies apply; an unknown place falls back to the consumer's home."""
    home = answers.text("residence")
    how = law["place_of"].get(answers.kind, "home")
    if how == "route":
        return _of_route(answers, law, home)
    if how == "company":
        return answers.text("company_country") or home
    place = answers.text("place")
    country = place.partition("-")[0]
    if how == "place" and place:
        return place if place in law["states"].get(answers.kind, ()) else country
    if how == "stay" and country not in ("", home) and answers.text("sold_by") == "company":
        return country
    company = answers.text("company_country")
    if company in ("", home) or answers.yes("sold_to_my_country"):
        return home
    return company


def _of_route(answers: Answers, law: LawBook, home: str) -> str:
    """Court of departure or arrival: home if the trip touches it, else where we have a playbook."""
    start, end = country_at(answers, law, "from_airport"), country_at(answers, law, "to_airport")
    if home in (start, end):
        return home
    for country in (start, end):
        if country in law["playbook_countries"]:
            assert country is not None, "a playbook has a country"
            return country
    return start or end or home


def country_at(answers: Answers, law: LawBook, key: str) -> str | None:
    code = answers.text(key)
    return law.airports.country(code) if code else None


def air_law(answers: Answers, law: LawBook) -> AirLaw | None:
    """Which passenger law covers the flight; both fit: the law of the departure (pay once).
    Raises FactUnknown where the unknown airport decides."""
    day = answers.day("flight_date")
    start, end = country_at(answers, law, "from_airport"), country_at(answers, law, "to_airport")
    carrier = answers.text("company_country")
    after_exit = day is None or day >= law["gb_in_eu_until"]
    if start is None:
        raise FactUnknown("from_airport")
    if start == "GB" and after_exit:
        return "gb"
    if law.in_air_area(start, day):
        return "eu"
    if end is None:
        raise FactUnknown("to_airport")
    of_area = law.in_air_area(carrier, day)
    if law.in_air_area(end, day) and of_area:
        return "eu"
    from_gb = carrier == "GB" and after_exit
    if (end == "GB" and after_exit and (from_gb or of_area)) or (
        law.in_air_area(end, day) and from_gb
    ):
        return "gb"
    return "us" if "US" in (start, end) else None
