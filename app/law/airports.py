"""Where airports lie: the table of the `airportsdata` package, distances on the mean sphere."""

from __future__ import annotations

from functools import cache
from math import asin, cos, radians, sin, sqrt
from sys import intern
from typing import NamedTuple
from zoneinfo import ZoneInfo

import airportsdata

from app.domain.errors import InvalidInput

EARTH_METRES = 6_371_008.8  # mean radius, WGS 84


class AirportUnknown(InvalidInput):
    code = "airport_unknown"


class Airport(NamedTuple):
    """`country` by ISO 3166 in two letters, `lat` and `lon` in degrees, `tz` a zone or ""."""

    country: str
    lat: float
    lon: float
    tz: str


@cache
def table() -> dict[str, Airport]:
    """Airports by IATA code; read once per process. Only what is asked of them: the package's own
    rows would hold 9 MB in every process."""
    return {
        code: Airport(intern(one["country"]), one["lat"], one["lon"], intern(one["tz"]))
        for code, one in airportsdata.load("IATA").items()
    }


class PackagedAirports:
    """The domain's view of the table."""

    def country(self, code: str) -> str | None:
        found = table().get(code)
        return found.country if found else None

    def metres(self, one: str, other: str) -> int:
        """Great circle (haversine), to the metre. Raises AirportUnknown."""
        (lat1, lon1), (lat2, lon2) = _at(one), _at(other)
        half = sin((lat2 - lat1) / 2) ** 2
        half += cos(lat1) * cos(lat2) * sin((lon2 - lon1) / 2) ** 2
        return round(2 * EARTH_METRES * asin(sqrt(half)))


@cache
def zone(code: str) -> ZoneInfo | None:
    """The zone an airport's clocks show; None for an airport nobody knows."""
    found = table().get(code)
    return ZoneInfo(found.tz) if found and found.tz else None


def _at(code: str) -> tuple[float, float]:
    found = table().get(code)
    if found is None:
        raise AirportUnknown(f"there is no airport {code}", code="airport_unknown")
    return radians(found.lat), radians(found.lon)
