"""Answers that cannot all be true: a day before the day it follows, a landing before the take-off.

Days are compared as days. Clock times are compared as instants, each in the zone it names; a
departure, of which only the day is asked, in the zone of its airport.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from app.law.airports import PackagedAirports, zone

HAPPENED: Final = ("delay", "denied_boarding")  # on a day that is over, or on this one
ARRIVALS: Final = ("scheduled_arrival", "actual_arrival")
FASTEST_KMH: Final = 1_300  # over ground, with the strongest wind; no airliner has flown faster

# (earlier, later, what is the matter): answers that cannot both be true.
_ORDER: Final = (
    ("flight_date", "scheduled_arrival", "lies before the flight by over a day"),
    ("flight_date", "actual_arrival", "lies before the flight by over a day"),
    ("flight_date", "bag_back_on", "lies before the flight by over a day"),
    ("ordered_on", "sent_back_on", "lies before the order"),
    ("ordered_on", "defect_seen_on", "lies before the order"),
    ("sent_back_on", "seller_got_it_on", "lies before the posting"),
    ("stay_start", "stay_end", "lies before the first night"),
    ("trip_start", "trip_end", "lies before the first day"),
    ("ordered_on", "received_on", "lies before the order"),
    ("first_debit_on", "last_debit_on", "lies before the first payment"),
)

# A cancellation may be complained of before the day of the flight, a delay may not.
_COMPLAINED: Final = (
    "flight_date", "first_written_complaint", "lies before the flight by over a day",
)  # fmt: skip


def impossible(answers: Mapping[str, Any], today: date) -> Iterator[tuple[str, str]]:
    """(answer, what is the matter) of each that another answer rules out."""
    late_days = dict(_days_in_order(answers))
    yield from late_days.items()
    yield from _happened(answers, today)
    yield from ((k, v) for k, v in _clocks_in_order(answers) if k not in late_days)


def _days_in_order(answers: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    late = answers.get("incident") in HAPPENED
    for first, then, matter in (*_ORDER, *([_COMPLAINED] if late else [])):
        before, after = (_day(answers.get(key)) for key in (first, then))
        # Local days: a flight over the date line arrives the day before it left.
        slack = timedelta(days=1 if first == "flight_date" else 0)
        if before and after and after < before - slack:
            yield then, matter


def _happened(answers: Mapping[str, Any], today: date) -> Iterator[tuple[str, str]]:
    """A flight that was late, or that refused somebody, has left."""
    day = _day(answers.get("flight_date"))
    if answers.get("incident") in HAPPENED and day and day > today:
        yield "flight_date", "lies in the future"


def _clocks_in_order(answers: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    planned, landed = (_instants(answers.get(key)) for key in ARRIVALS)
    late = answers.get("arrival_delay_min")
    if planned and landed:
        if landed[1] < planned[0] - timedelta(days=1):
            yield "actual_arrival", "lies before the planned arrival by over a day"
        elif landed[1] < planned[0] and isinstance(late, int) and late > 0:
            yield "actual_arrival", f"lies before the planned arrival, yet {late} minutes late"
    earliest = _earliest_landing(answers)
    for key, at in zip(ARRIVALS, (planned, landed), strict=True):
        if earliest and at and at[1] < earliest:
            yield key, f"lies before any flight of that day could land, {_told(earliest)}"


def _earliest_landing(answers: Mapping[str, Any]) -> datetime | None:
    """In UTC: the first minute of the day of departure where it left, and the way at top speed."""
    day, start, end = _day(answers.get("flight_date")), *_route(answers)
    left = [z for z in (zone(start), zone(str(answers.get("disrupted_at")))) if z]
    if day is None or zone(start) is None:
        return None
    midnight = min(datetime(day.year, day.month, day.day, tzinfo=z).astimezone(UTC) for z in left)
    if zone(end) is None or len(left) > 1:
        return midnight
    return midnight + timedelta(hours=PackagedAirports().metres(start, end) / 1_000 / FASTEST_KMH)


def _route(answers: Mapping[str, Any]) -> tuple[str, str]:
    return str(answers.get("from_airport")), str(answers.get("to_airport"))


def _told(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"


def _day(value: Any) -> date | None:
    """The day of an answer, or of its clock; None where it is unknown or no day at all."""
    try:
        return date.fromisoformat(value[:10])
    except (TypeError, ValueError):
        return None


def _instants(value: Any) -> tuple[datetime, datetime] | None:
    """First and last instant in UTC that a clock time can mean: an hour may come twice."""
    clock, _, name = str(value).partition(" ")
    try:
        local, place = datetime.fromisoformat(clock), ZoneInfo(name)
    except (ValueError, KeyError, OSError):
        return None
    both = [local.replace(tzinfo=place, fold=fold).astimezone(UTC) for fold in (0, 1)]
    return min(both), max(both)
