"""Answers nobody can have meant, as the public might send them: each refused with its name."""

from __future__ import annotations

from typing import Any

import pytest

from app.law.answers import AnswersInvalid, checked
from tests.domain.eligibility.test_more_cases import CASES, TODAY

AIR = next(c["answers"] for c in CASES if c["answers"]["claim_kind"] == "air")
LHR_JFK = {"flight_date": "2026-06-01", "from_airport": "LHR", "to_airport": "JFK"}
ITEM = {"what": "x", "type": "price", "amount": {"amount": "5", "currency": "ABC"}, "paid": True}


@pytest.mark.parametrize(
    ("change", "where", "why"),
    [
        ({"from_airport": "QQQ"}, "from_airport", "no airport we know"),
        ({"company_country": "XX"}, "company_country", "is no country"),
        ({"items": [ITEM]}, "items.0.amount", "none of ISO 4217"),
        ({"flight_date": "1989-12-31"}, "flight_date", "lies before 1990-01-01"),
        ({"first_written_complaint": "2026-11-22"}, "first_written_complaint", "in the future"),
        ({"flight_date": "2026-02-30"}, "flight_date", "is not a day"),
        ({"actual_arrival": "2026-03-29T02:30 Europe/Paris"}, "actual_arrival", "clocks"),
        (
            LHR_JFK | {"scheduled_arrival": "2026-06-01T04:10 Europe/London"},
            "scheduled_arrival",
            "before any flight of that day could land, 2026-06-01 03:15 UTC",
        ),
        (
            LHR_JFK
            | {
                "scheduled_arrival": "2026-06-01T12:00 America/New_York",
                "actual_arrival": "2026-06-01T16:59 Europe/London",
                "arrival_delay_min": 59,
            },
            "actual_arrival",
            "before the planned arrival",
        ),
        ({"claim_kind": "boat"}, "claim_kind", "is not one of"),
        ({"song": "x"}, "song", "is not asked for this kind"),
    ],
)
def test_an_impossible_answer_is_refused_by_name(
    change: dict[str, Any], where: str, why: str
) -> None:
    with pytest.raises(AnswersInvalid) as refused:
        checked(AIR | change, TODAY)
    assert any(w.startswith(where) and why in m for w, m in refused.value.wrong), refused.value
