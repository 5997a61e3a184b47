"""The data file of statutory interest: whole, checked, and true to the publishers' own rules."""

from __future__ import annotations

import re
from datetime import date
from fractions import Fraction
from pathlib import Path

import pytest
import yaml

from app.domain.interest.accrual import Part, Statement, accrue
from app.domain.interest.rates import Follows, Rate, Series, rounded_up
from app.domain.money import Money
from app.law.calendar import ANYWHERE, calendar_for
from app.law.interest import FILE, FormulaUnknown, interest_law, read_law
from app.law.records import LawDataInvalid

TEXT = FILE.read_text("utf-8")
SHARED = Path(__file__).parents[3] / "shared" / "law" / "interest.yaml"
NO_HOLIDAYS = calendar_for(ANYWHERE)
EVENTS = {
    "demand_sent": date(2026, 1, 30),
    "demand_received": date(2026, 2, 2),
    "demand_deadline": date(2026, 2, 13),
    "notice_received": date(2026, 3, 10),
    "due_date": date(2026, 1, 15),
    "money_due": date(2026, 1, 15),
}


@pytest.mark.parametrize(
    ("formula", "how", "first"),
    [
        ("fi.viivastyskorko", "demand", date(2026, 3, 2)),  # thirty days have passed on 1 March
        ("fi.viivastyskorko", "agreed_due_date", date(2026, 1, 16)),
        ("se.drojsmalsranta", "demand", date(2026, 3, 1)),  # thirty days are more than a month
        ("se.drojsmalsranta", "agreed_due_date", date(2026, 1, 15)),
        ("de.verzugszins", "demand", date(2026, 2, 14)),
        ("fr.taux_legal", "notice", date(2026, 3, 10)),
        ("gb.s69", "due", date(2026, 1, 15)),
    ],
)
def test_interest_begins_on_the_day_of_each_law(formula: str, how: str, first: date) -> None:
    assert interest_law().formula(formula).first_day(how, EVENTS, NO_HOLIDAYS) == first


def test_swedish_interest_never_begins_before_the_demand_was_received() -> None:
    late = EVENTS | {"demand_received": date(2026, 3, 20)}
    assert interest_law().formula("se.drojsmalsranta").first_day(
        "demand", late, NO_HOLIDAYS
    ) == date(2026, 3, 20)


def test_a_month_may_be_longer_than_thirty_days() -> None:
    july = EVENTS | {"demand_sent": date(2026, 7, 10), "demand_received": date(2026, 7, 10)}
    assert interest_law().formula("se.drojsmalsranta").first_day(
        "demand", july, NO_HOLIDAYS
    ) == date(2026, 8, 10)


def test_interest_does_not_begin_while_its_event_has_not_happened() -> None:
    assert interest_law().formula("fr.taux_legal").first_day("notice", {}, NO_HOLIDAYS) is None


@pytest.mark.parametrize(
    ("jurisdiction", "kind", "formulas"),
    [
        ("FI", "air", ["fi.viivastyskorko"]),
        ("FR", "air", ["fr.taux_legal"]),
        ("FR", "unauthorised_payment", ["fr.payment_penalty", "fr.taux_legal"]),
        ("US-NY", "air", ["us.ny.prejudgment"]),
        ("US", "air", []),
        ("US-TX", "air", []),
        ("JP", "air", []),
        ("DE-BY", "air", ["de.verzugszins"]),
    ],
)
def test_a_case_finds_the_formulas_of_its_place_and_kind(
    jurisdiction: str, kind: str, formulas: list[str]
) -> None:
    assert [f.id for f in interest_law().applying(jurisdiction, kind)] == formulas


def test_the_bank_has_one_working_day_to_refund() -> None:
    penalty = interest_law().formula("fr.payment_penalty")
    friday = {"told_bank_on": date(2026, 4, 3)}
    # Easter Monday is closed in France: the bank had until Tuesday.
    assert penalty.first_day("late_refund", friday, calendar_for("FR")) == date(2026, 4, 8)


def test_an_unknown_formula_names_the_known_ones() -> None:
    with pytest.raises(FormulaUnknown, match=r"known: de\.verzugszins, fi\.viivastyskorko"):
        interest_law().formula("moon")


@pytest.mark.parametrize(
    ("value", "up"),
    [("2.15", "2.5"), ("2.5", "2.5"), ("2.51", "3"), ("0", "0"), ("-0.5", "-0.5"), ("-0.4", "0")],
)
def test_a_rate_is_rounded_up_to_the_next_half_point(value: str, up: str) -> None:
    assert rounded_up(Fraction(value), Fraction(1, 2)) == Fraction(up)


def halves(*values: str) -> tuple[Rate, ...]:
    bounds = [(date(2025, 1, 1), date(2025, 6, 30)), (date(2025, 7, 1), date(2025, 12, 31))]
    return tuple(Rate(a, b, Fraction(v)) for (a, b), v in zip(bounds, values, strict=False))


def test_a_rate_by_difference_moves_as_far_as_the_other_one_did() -> None:
    quotes = {date(2024, 12, 18): Fraction("3.15"), date(2025, 6, 11): Fraction("2.15")}
    follows = Follows("by_difference", quotes)
    series = Series("base", halves("2.27"), ((1, 1), (7, 1)), follows)
    assert series.follows_to(date(2025, 7, 1)) == Fraction("1.27")


def test_the_rate_in_force_before_the_turn_counts_and_not_one_that_starts_after_it() -> None:
    quotes = {date(2025, 5, 14): Fraction("2.25"), date(2025, 7, 2): Fraction("2.00")}
    follows = Follows("up_to_step", quotes, Fraction(1, 2))
    series = Series("ref", halves("2.5"), ((1, 1), (7, 1)), follows)
    assert series.follows_to(date(2025, 7, 1)) == Fraction("2.5")
    assert series.follows_to(date(2026, 7, 1)) is None  # no quote of that half-year: no guess


def test_published_rates_agree_with_their_publishers_rule() -> None:
    checked = 0
    for series in interest_law().series.values():
        for rate in series.rates:
            follows = series.follows_to(rate.first) if series.turns else None
            if rate.value is not None and follows is not None:
                assert rate.value == follows, (series.id, rate.first)
                checked += 1
    assert checked >= 3


@pytest.mark.skipif(not SHARED.exists(), reason="the research file is not beside the project")
def test_every_rate_of_the_research_stands_in_the_data() -> None:
    found = interest_law().series
    for series in yaml.safe_load(SHARED.read_text("utf-8"))["series"]:
        if series["id"] not in found:
            continue
        for value in series["values"]:
            first, last = date.fromisoformat(value["from"]), date.fromisoformat(value["to"])
            ours = found[series["id"]].on(first)
            expected = None if value["value"] is None else Fraction(str(value["value"]))
            assert ours == Rate(first, last, expected, value["verified"]), (series["id"], first)
            if "other" in value:
                other = found["fr_taux_legal_autres"].on(first)
                expected = None if value["other"] is None else Fraction(str(value["other"]))
                assert other is not None and other.value == expected


def test_a_private_creditor_gets_the_higher_french_rate() -> None:
    part = [Part(Money(40_000, "EUR"), date(2026, 1, 1))]
    sums = []
    for name in ("fr.taux_legal", "fr.taux_legal_autres"):
        found = accrue(interest_law().formula(name), part, date(2026, 3, 31))
        assert isinstance(found, Statement)
        sums.append(found.total.minor)
    assert sums == [658, 258]


SPOILED = [
    ('value: "2.27"', "value: 2.27", "series.1.values.5.value: Input should be a valid string"),
    ('value: "0.5", verified: true', "value: null, verified: true", "nobody can have verified"),
    ("to: 2014-06-30", "to: 2013-06-30", "`to` lies before `from`"),
    ("to: 2014-06-30", "to: 2014-06-29", "2014-06-30 is no turn of this series"),
    ("to: 2014-06-30", "to: 2019-12-31", "stands in two values"),
    ("series: de_basiszins", "series: moon", "there is no series moon"),
    ("FI: [{formula: fi.viivastyskorko}]", "FI: [{formula: moon}]", "there is no formula moon"),
    ("quote: riksbank_policy_rate", "quote: moon", "there is no quote moon"),
    ("other_day_counts: [actual_actual]", "other_day_counts: [moon]", "there is no day count moon"),
    ("{from_day: 8, add:", "{from_day: 1, add:", "tiers begin with day 1 and rise"),
    ("in_letters: [notice]", "in_letters: [moon]", "in_letters names no start: moon"),
    ("unit: months, law: CMF", "law: CMF", "a period has a number and a unit"),
    ('turns: ["01-01", "07-01"]', 'turns: ["01-01", "02-30"]', "series.0.turns.1"),
    ("id: de.verzugszins", "id: fi.viivastyskorko", "a formula is named twice"),
    ("day_counts:", "day_countz:", "day_count"),
    ("formulas:", "formulas: [", "not YAML"),
]


@pytest.mark.parametrize(("old", "new", "why"), SPOILED)
def test_a_file_with_a_mistake_is_refused_whole_with_place_and_line(
    old: str, new: str, why: str
) -> None:
    assert old in TEXT
    with pytest.raises(LawDataInvalid, match=re.escape(why)) as refused:
        read_law(TEXT.replace(old, new, 1), "interest.yaml")
    assert str(refused.value).startswith("interest.yaml")


def test_a_reviewer_may_confirm_a_rate_that_was_not_read() -> None:
    unread = 'value: "2.5", verified: false, '
    assert unread in TEXT
    law = read_law(TEXT.replace(unread, f"{unread}reviewed_by: A. Lawyer, "), "interest.yaml")
    rate = law.series["fi_viitekorko"].on(date(2025, 7, 1))
    assert rate is not None and rate.confirmed
