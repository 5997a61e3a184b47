"""Periods by the laws' own examples; each expected day was computed by an independent script
with statutory holiday sets (tests/data/law/period_cases.yaml, our own collection with sources)."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.counting import Calendar, Period, count, next_working_day
from app.domain.errors import InvalidInput
from app.domain.periods import place
from app.law.calendar import NoHolidayList, calendar_for
from app.law.periods import Question, answer
from app.law.regimes import regimes

EXAMPLES = yaml.safe_load(
    (Path(__file__).parents[1] / "data" / "law" / "period_cases.yaml").read_text("utf-8")
)["cases"]


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda e: e["id"])
def test_the_last_day_is_the_laws(example: dict[str, Any]) -> None:
    found = answer(Question.model_validate(example)).as_json()
    expected = (example["expected"], example["expected_weekday"])
    assert (found["due"], found["weekday"]) == expected
    if "policy_safe_action_date" in example:
        assert found["safe"] == example["policy_safe_action_date"]


# What the examples above leave open, by the laws' own words.
MORE = """
EU_1182_71 FI 2026-06-05 14 days forward - 2026-06-22
EU_1182_71 FI 2026-12-10 14 days forward - 2026-12-24
EU_1182_71 FI 2026-12-18 1 days forward - 2026-12-21
EU_1182_71 DE 2026-12-27 7 days backward - 2026-12-20
FI_150_1930 FI 2027-01-07 7 days backward - 2026-12-31
FR_CPC_640_642 FR-67 2027-03-18 8 days forward - 2027-03-30
DE_BGB_187_193 DE-NW 2026-05-21 14 days forward - 2026-06-05
DE_BGB_187_193 DE-BE 2026-05-21 14 days forward - 2026-06-04
DE_BGB_187_193 DE 2025-12-31 3 years forward - 2029-01-02
SE_1930_173 SE 2026-12-10 14 days forward - 2026-12-28
GB_EW GB 2026-10-16 14 days forward private_demand 2026-10-30
GB_EW GB 2026-12-11 14 days forward private_demand 2026-12-25
GB_EW GB 2026-12-11 14 days forward court_act 2026-12-29
GB_EW GB 2026-12-24 3 days forward court_act 2026-12-31
GB_EW GB 2026-12-24 3 days forward private_demand 2026-12-27
GB_EW GB-SCT 2026-12-30 2 business_days forward - 2027-01-05
GB_EW GB 2026-09-28 8 weeks earliest_day_after ombudsman 2026-11-24
US US 2026-07-20 14 days backward court_act 2026-07-06
US US 2026-07-18 14 days backward court_act 2026-07-02
US US 2026-06-20 14 days forward private_demand 2026-07-04
"""


@pytest.mark.parametrize("line", MORE.strip().splitlines())
def test_a_period_is_counted_by_its_regime(line: str) -> None:
    regime, place, start, value, unit, direction, purpose, due = line.split()
    country, _, region = place.partition("-")
    asked = Question.model_validate(
        {
            "regime": regime, "country": country, "subdivision": region or None, "start": start,
            "period": int(value), "unit": unit, "direction": direction,
            "purpose": None if purpose == "-" else purpose,
        }
    )  # fmt: skip
    assert answer(asked).counted.due == date.fromisoformat(due)


WRONG = [
    ({"regime": "EU_1182"}, "regime_unknown"),
    ({"country": "XX"}, "country_unknown"),
    ({"subdivision": "NW"}, "country_unknown"),
    ({"unit": "fortnights"}, "period_invalid"),
    ({"period": 0}, "period_invalid"),
    ({"period": -3}, "period_invalid"),
    ({"period": 4_000_000}, "period_invalid"),
    ({"period": "some", "unit": "days"}, "period_invalid"),
    ({"period": "1 month, 10 days", "unit": "mixed"}, "period_invalid"),
    ({"start": "1989-12-31"}, "period_invalid"),
    ({"start": "2040-12-30"}, "no_holiday_list"),
]


@pytest.mark.parametrize(("change", "code"), WRONG, ids=lambda w: str(w))
def test_what_cannot_be_counted_is_refused(change: dict[str, Any], code: str) -> None:
    asked = {
        "regime": "EU_1182_71", "country": "FI", "start": "2026-12-18", "period": 7, "unit": "days"
    }  # fmt: skip
    with pytest.raises(InvalidInput) as refused:
        answer(Question.model_validate(asked | change))
    assert refused.value.code == code


def test_the_year_whose_holidays_are_unknown_is_named() -> None:
    with pytest.raises(NoHolidayList, match="2041"):
        calendar_for("FI").closed_because(date(2041, 1, 2))


PLACES = [(name, r.id) for name, r in zip(
    ["FI", "FI", "FR", "DE-BY", "SE", "GB", "US"], regimes().values(), strict=True
)]  # fmt: skip
DAYS = st.dates(date(1995, 1, 1), date(2030, 12, 31))


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(PLACES), DAYS, st.integers(1, 400), st.sampled_from(["days", "weeks"]))
def test_more_days_never_end_earlier_and_no_end_rests_on_a_closed_day(
    place: tuple[str, str], start: date, value: int, unit: str
) -> None:
    calendar, law = calendar_for(*place), regimes()[place[1]]
    purpose = "court_act" if place[1] in ("GB_EW", "US") else None
    one = count(start, (Period(value, unit),), law, calendar, purpose=purpose)
    two = count(start, (Period(value + 1, unit),), law, calendar, purpose=purpose)
    # CPR 2.8(4): five days leave weekends out and six do not, so six may end before five.
    if (place[1], value, unit) != ("GB_EW", 5, "days"):
        assert one.due <= two.due
    assert calendar.closed_because(one.due) == ""
    assert start < one.due and one.nominal <= one.due
    assert start < one.safe <= one.due
    for day, why in one.skipped:
        assert calendar.closed_because(day) == why


@settings(max_examples=80, deadline=None)
@given(DAYS, st.integers(1, 120))
def test_working_days_counted_back_from_where_they_end_lead_home(start: date, value: int) -> None:
    calendar, law = calendar_for("US", "US"), regimes()["US"]
    period = (Period(value, "working_days"),)
    start = next_working_day(calendar, start)
    end = count(start, period, law, calendar).due
    assert count(end, period, law, calendar, direction="backward").due == start


def test_the_day_of_the_event_is_the_local_one() -> None:
    late_evening = datetime(2026, 3, 2, 22, 30, tzinfo=UTC)  # already 3 March in Helsinki
    here = place("Europe/Helsinki", calendar_for("FI"), regimes()["EU_1182_71"])
    deadline = here.deadline(
        late_evening, Period(14, "days"), start_event="letter_delivered", rule="r", whose="ours"
    )
    assert deadline.due == date(2026, 3, 17)


def test_we_act_at_nine_local_time_on_the_next_working_day_across_summer_time() -> None:
    here = place("Europe/Helsinki", calendar_for("FI"), regimes()["EU_1182_71"])
    winter = here.acting_instant(date(2026, 3, 26))
    summer = here.acting_instant(date(2026, 3, 27))  # Friday; Sunday 29 March the clocks change
    assert winter == datetime(2026, 3, 27, 7, 0, tzinfo=UTC)
    assert summer == datetime(2026, 3, 30, 6, 0, tzinfo=UTC)


def test_the_days_passed_over_are_named_with_their_reasons() -> None:
    here = place("Europe/Helsinki", calendar_for("FI"), regimes()["EU_1182_71"])
    _, skipped = here.last_day(date(2026, 12, 18), Period(7, "days"))
    assert [day.isoformat() for day, _ in skipped] == ["2026-12-25", "2026-12-26", "2026-12-27"]
    assert all(reason for _, reason in skipped)


def test_a_broken_calendar_is_found_out_instead_of_looping() -> None:
    class Shut:
        def closed_because(self, day: date) -> str:
            return "always"

    shut: Calendar = Shut()
    with pytest.raises(AssertionError):
        place("UTC", shut, regimes()["US"]).next_working_day(date(2026, 1, 1))
