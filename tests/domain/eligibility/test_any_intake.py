"""Whatever is answered in the vocabulary, a finding comes out that keeps its promises."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from hypothesis import given, settings
from hypothesis import strategies as st

from app.law.answers import AnswersInvalid, vocabulary
from app.law.eligibility import Checker, FactsIn, as_json
from app.law.ics import calendar
from tests.domain.eligibility.intakes import TODAY

AIRPORTS = ["HEL", "AGP", "LHR", "JFK", "DEN", "NRT", "BKK", "ZRH", "RUN", "OSL", "ARN", "CDG"]
COUNTRIES = ["FI", "FR", "DE", "GB", "SE", "US", "NO", "CH", "JP", "ES"]
DAYS_AGO = [0, 1, 7, 14, 21, 30, 60, 90, 92, 120, 365, 400, 731, 1096, 1827, 2192, 3653]
MINUTES = [0, 14, 15, 59, 60, 119, 120, 179, 180, 239, 240, 299, 300, 360, 361, 400]
SIMPLE: Final[dict[str, st.SearchStrategy[Any]]] = {
    "bool": st.booleans(),
    "date": st.sampled_from([str(TODAY - timedelta(days=n)) for n in DAYS_AGO]),
    "datetime": st.builds(
        "2026-07-{:02}T{:02}:30 {}".format,
        st.integers(1, 28), st.integers(0, 23), st.sampled_from(["Asia/Tokyo", "Europe/London"]),
    ),
    "integer": st.sampled_from(MINUTES),
    "money": st.fixed_dictionaries({
        "amount": st.sampled_from(["0", "0.005", "10.00", "100.01", "480.00", "20000"]),
        "currency": st.sampled_from(["EUR", "GBP", "USD", "SEK", "JPY"]),
    }),
    "iata": st.sampled_from(AIRPORTS),
    "country": st.sampled_from(COUNTRIES),
    "region": st.sampled_from([*COUNTRIES, "US-CA", "US-NY", "GB-SCT"]),
    "text": st.sampled_from(["claimant", "a"]),
}  # fmt: skip
UNKNOWN = st.just("unknown")
PLAIN = {
    "guardian_consent": "not_needed", "acting_for": "self", "insolvency": "no", "offers": [],
}  # fmt: skip


def answer(fact: dict[str, Any]) -> st.SearchStrategy[Any]:
    ways = [known(fact), UNKNOWN]
    return st.one_of(*ways, *([st.just("none")] if fact.get("none_allowed") else []))


def known(fact: dict[str, Any]) -> st.SearchStrategy[Any]:
    if fact["type"] == "enum":
        return st.sampled_from([str(value) for value in fact["values"]])
    if fact["type"] != "list":
        return SIMPLE[fact["type"]]
    if "enum" in fact["of"]:
        return st.lists(st.sampled_from(fact["of"]["enum"]), max_size=3)
    fields = {
        name: st.sampled_from(kind["enum"]) if isinstance(kind, dict) else SIMPLE[kind] | UNKNOWN
        for name, kind in fact["of"].items()
    }
    optional = fact.get("optional_fields", ())
    entry = st.fixed_dictionaries(
        {name: way for name, way in fields.items() if name not in optional},
        optional={name: way for name, way in fields.items() if name in optional},
    )
    return st.lists(entry | UNKNOWN, max_size=3)


def intakes() -> st.SearchStrategy[dict[str, Any]]:
    every = [
        st.fixed_dictionaries(
            {"claim_kind": st.just(kind)},
            optional={key: answer(fact) for key, fact in facts.items() if key != "claim_kind"},
        )
        for kind, facts in vocabulary().items()
    ]
    return st.one_of(every)


@given(answers=intakes(), plain=st.booleans())
@settings(max_examples=250, deadline=None)
def test_a_finding_keeps_its_promises(answers: dict[str, Any], plain: bool) -> None:
    try:
        found = Checker(TODAY).check(FactsIn(answers=answers | (PLAIN if plain else {})))
    except AnswersInvalid:
        return
    assert found.amount_minor == sum(item.amount_minor for item in found.items)
    assert all(i.amount_minor > 0 and i.currency == found.currency for i in found.items)
    if found.eligible == "no":
        assert not found.items and found.body is None and found.demand_primary is None
    if found.eligible == "yes":
        assert found.items
    assert found.body is None or found.body_closes is None or found.body_closes >= TODAY
    assert all(act.last_day is None or act.last_day >= TODAY for act in found.acts)
    told = as_json(found, "fi")
    assert told["steps"]
    calendar(told, of="x", on=TODAY)
