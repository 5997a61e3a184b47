"""Periods by the laws' own examples; each expected day was computed by an independent script
with statutory holiday sets and is quoted here with its number in that collection."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from app.domain.periods import REGIMES, place
from app.domain.playbook import Calendar, Period
from app.playbooks.calendar import calendar_for

ZONES = {
    "FI": "Europe/Helsinki",
    "FR": "Europe/Paris",
    "DE": "Europe/Berlin",
    "GB": "Europe/London",
    "SE": "Europe/Stockholm",
    "US": "America/New_York",
    "ANY": "UTC",
}

CASES = """
EU-01 EU_1182_71 FI 2026-12-18 7 days 2026-12-28
EU-03 EU_1182_71 DE 2026-06-05 14 days 2026-06-19
EU-05 EU_1182_71 SE 2027-01-31 1 months 2027-03-01
EU-07 EU_1182_71 FR 2026-11-20 2 days 2026-11-24
EU-09 EU_1182_71 SE 2027-03-19 7 days 2027-03-30
FI-01 FI_150_1930 FI 2026-06-05 14 days 2026-06-22
FI-03 FI_150_1930 FI 2026-12-10 14 days 2026-12-28
FI-05 FI_150_1930 FI 2026-04-24 7 days 2026-05-04
FI-07 FI_150_1930 FI 2026-12-07 30 days 2027-01-07
FI-09 FI_150_1930 FI 2026-12-17 14 days 2026-12-31
FI-11 FI_150_1930 FI 2027-03-15 10 days 2027-03-25
FR-01 FR_CPC_640_642 FR 2026-05-06 8 days 2026-05-15
FR-03 FR_CPC_640_642 FR 2027-01-31 1 months 2027-03-01
FR-05 FR_CPC_640_642 FR 2026-08-15 12 months 2027-08-16
FR-07 FR_CPC_640_642 FR 2026-04-23 15 days 2026-05-11
FR-09 FR_CPC_640_642 FR 2027-03-18 8 days 2027-03-26
DE-01 DE_BGB_187_193 DE 2026-04-17 14 days 2026-05-04
DE-03 DE_BGB_187_193 DE 2027-01-31 1 months 2027-03-01
DE-05 DE_BGB_187_193 DE-NW 2026-05-21 14 days 2026-06-05
DE-07 DE_BGB_187_193 DE 2026-12-10 14 days 2026-12-24
DE-09 DE_BGB_187_193 DE 2023-12-31 36 months 2026-12-31
DE-11 DE_BGB_187_193 DE 2027-03-18 8 days 2027-03-30
SE-01 SE_1930_173 SE 2026-06-05 14 days 2026-06-22
SE-03 SE_1930_173 SE 2026-12-17 14 days 2027-01-04
SE-05 SE_1930_173 SE 2027-01-31 1 months 2027-03-01
SE-07 SE_1930_173 SE 2026-12-07 29 days 2027-01-05
SE-09 SE_1930_173 SE 2025-11-01 12 months 2026-11-02
GB-01 GB_EW GB 2026-10-02 14 days 2026-10-16
GB-05 GB_EW GB-ENG 2026-12-24 3 working_days 2026-12-31
GB-07 GB_EW GB 2026-09-28 8 weeks 2026-11-23
US-01 US US 2026-11-24 30 days 2026-12-24
US-03 US US 2026-06-20 14 days 2026-07-06
US-05 US US 2026-12-21 7 working_days 2026-12-31
US-09 US US 2027-01-04 14 days 2027-01-19
"""


@pytest.mark.parametrize("line", CASES.strip().splitlines(), ids=lambda line: line.split()[0])
def test_the_last_day_is_the_laws(line: str) -> None:
    _, regime, country, start, value, unit, expected = line.split()
    here = place(ZONES[country.partition("-")[0]], calendar_for(country), regime)
    last, _ = here.last_day(date.fromisoformat(start), Period(int(value), unit))
    assert last == date.fromisoformat(expected)


def test_the_day_of_the_event_is_the_local_one() -> None:
    late_evening = datetime(2026, 3, 2, 22, 30, tzinfo=UTC)  # already 3 March in Helsinki
    here = place("Europe/Helsinki", calendar_for("FI"), "EU_1182_71")
    deadline = here.deadline(
        late_evening, Period(14, "days"), start_event="letter_delivered", rule="r", whose="ours"
    )
    assert deadline.due == date(2026, 3, 17)


def test_we_act_at_nine_local_time_on_the_next_working_day_across_summer_time() -> None:
    here = place("Europe/Helsinki", calendar_for("FI"), "EU_1182_71")
    winter = here.acting_instant(date(2026, 3, 26))
    summer = here.acting_instant(date(2026, 3, 27))  # Friday; Sunday 29 March the clocks change
    assert winter == datetime(2026, 3, 27, 7, 0, tzinfo=UTC)
    assert summer == datetime(2026, 3, 30, 6, 0, tzinfo=UTC)


def test_the_days_passed_over_are_named_with_their_reasons() -> None:
    here = place("Europe/Helsinki", calendar_for("FI"), "EU_1182_71")
    _, skipped = here.last_day(date(2026, 12, 18), Period(7, "days"))
    assert [day.isoformat() for day, _ in skipped] == ["2026-12-25", "2026-12-26", "2026-12-27"]
    assert all(reason for _, reason in skipped)


def test_a_broken_calendar_is_found_out_instead_of_looping() -> None:
    class Shut:
        def closed_because(self, day: date) -> str:
            return "always"

    shut: Calendar = Shut()
    with pytest.raises(AssertionError):
        place("UTC", shut, "US").next_working_day(date(2026, 1, 1))


def test_every_regime_has_its_own_name() -> None:
    assert all(name == regime.id for name, regime in REGIMES.items())
