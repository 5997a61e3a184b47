"""Whose law applies and where a flight stands: jurisdiction, airports, the air passenger law."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal

from app.domain.eligibility.facts import Answers, FactUnknown
from app.domain.eligibility.lawbook import LawBook

AirLaw = Literal["eu", "gb", "us"]


def jurisdiction(answers: Answers, law: LawBook) -> tuple[str, str | None]:
    """Whose rules and bodies apply, and the unknown fact it hangs on (then the consumer's home
    stands in)."""
    home = answers.text("residence")
    how = law["place_of"].get(answers.kind, "home")
    if how == "route":
        return _of_route(answers, law, home)
    company, place = answers.text("company_country"), answers.text("place")
    if how == "company":
        return (company, None) if company else (home, "company_country")
    if how == "place":
        if not place:
            return home, "place"
        is_own_state = place in law["states"].get(answers.kind, ())
        return (place if is_own_state else place.partition("-")[0]), None
    if how == "stay":
        abroad = place.partition("-")[0] != home
        if not place and answers.text("sold_by") in ("company", ""):
            return home, "place"
        if place and abroad and not answers.text("sold_by"):
            return home, "sold_by"
        if abroad and answers.text("sold_by") == "company":
            return place.partition("-")[0], None
    return _of_sale(answers, home, company)


def _of_sale(answers: Answers, home: str, company: str) -> tuple[str, str | None]:
    """Rome I art. 6: home if the company sits or sells there; not known to sell counts as not."""
    if not home:
        return "", "residence"
    if answers.yes("sold_to_my_country"):
        return home, None
    if not company:
        return home, "company_country"
    return company, None


def _of_route(answers: Answers, law: LawBook, home: str) -> tuple[str, str | None]:
    """Court of departure or arrival: home if the trip touches it, else where we have a playbook."""
    start, end = country_at(answers, law, "from_airport"), country_at(answers, law, "to_airport")
    if home in (start, end):
        return home, None
    for country in (start, end):
        if country in law["playbook_countries"]:
            assert country is not None, "a playbook has a country"
            return country, None
    return (start or end or home), None


def country_at(answers: Answers, law: LawBook, key: str) -> str | None:
    """Whose law holds at the airport; None for an unknown one."""
    code = answers.text(key)
    country = law.airports.country(code) if code else None
    return str(law["territories"].get(country, country)) if country else None


def air_law(answers: Answers, law: LawBook) -> AirLaw | None:
    """Which passenger law covers the flight; both fit: the law of the departure (pay once).
    Raises FactUnknown where an unknown airport, carrier or day decides."""
    day, left = answers.day("flight_date"), law["gb_in_eu_until"]
    if day is not None:
        return _air_law(answers, law, gb_outside=day >= left)
    before, after = (_air_law(answers, law, gb_outside=outside) for outside in (False, True))
    if before != after:
        raise FactUnknown("flight_date")
    return after


def _air_law(answers: Answers, law: LawBook, *, gb_outside: bool) -> AirLaw | None:
    day = law["gb_in_eu_until"] - timedelta(days=0 if gb_outside else 1)
    start, end = country_at(answers, law, "from_airport"), country_at(answers, law, "to_airport")
    if start is None:
        raise FactUnknown("from_airport")
    if start == "GB" and gb_outside:
        return "gb"
    if law.in_air_area(start, day):
        return "eu"
    if end is None:
        raise FactUnknown("to_airport")
    into_area, into_gb = law.in_air_area(end, day), end == "GB" and gb_outside
    if into_area or into_gb:
        carrier = answers.need("company_country")
        of_area, of_gb = law.in_air_area(carrier, day), carrier == "GB" and gb_outside
        if into_area and of_area:
            return "eu"
        if of_gb or (into_gb and of_area):
            return "gb"
    return "us" if "US" in (start, end) else None
