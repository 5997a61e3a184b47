"""How long a voucher is kept: from the end of the right year, leap years and odd years included."""

from __future__ import annotations

from datetime import date

import pytest

from app.law.records import LawDataInvalid, parse
from app.law.retention import Term, _File, terms


def _term(counted_from: str, years: int = 6) -> Term:
    return Term.model_validate({
        "country": "FI", "years": years, "counted_from": counted_from, "law": "a law",
        "source": None, "verified": False, "reviewed_by": None,
    })  # fmt: skip


@pytest.mark.parametrize(("counted_from", "year_ends", "on", "last_day"), [
    ("calendar_year", "12-31", date(2020, 1, 1), date(2026, 12, 31)),
    ("calendar_year", "12-31", date(2020, 12, 31), date(2026, 12, 31)),
    # Received on the first day of the next financial year: its end decides, a year later.
    ("calendar_year", "06-30", date(2020, 6, 30), date(2026, 12, 31)),
    ("calendar_year", "06-30", date(2020, 7, 1), date(2027, 12, 31)),
    ("financial_year", "06-30", date(2020, 7, 1), date(2027, 6, 30)),
    # The end of February, whichever way it is written and whatever the year.
    ("financial_year", "02-29", date(2021, 2, 28), date(2027, 2, 28)),
    ("financial_year", "02-28", date(2021, 3, 1), date(2028, 2, 29)),
])  # fmt: skip
def test_the_last_day(counted_from: str, year_ends: str, on: date, last_day: date) -> None:
    assert _term(counted_from).last_day(on, year_ends) == last_day


def test_only_a_term_somebody_answers_for_may_forget() -> None:
    assert [one.country for one in terms().values() if one.may_forget] == ["FI"]
    assert _term("calendar_year").model_copy(update={"reviewed_by": "A. Lawyer"}).may_forget


def test_two_terms_of_a_country_are_refused() -> None:
    one = ("- {country: FI, years: 6, counted_from: calendar_year, law: x, source: null,"
           " verified: true, reviewed_by: null}\n")  # fmt: skip
    with pytest.raises(LawDataInvalid, match="a country has one term"):
        parse(_File, f"schema_version: 1\nrecords:\n{one}{one}", "retention.yaml")
