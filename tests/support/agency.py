"""The agency of the tests: what it may do in which country."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.tables.people import AgencyProfileRow

COUNTRIES = ("FI", "FR", "DE", "GB", "SE", "US")


def licence(country: str = "FI", **changes: Any) -> dict[str, Any]:
    """A licence as the profile keeps it."""
    return {
        "name": f"Collection licence {country}",
        "authority": "The register",
        "number": f"{country}-1",
        "country": country,
        "basis": "registration",
        "may": ["advise", "demand", "file"],
        "claim_kinds": [],
        "insurer": {"name": "Cover Ltd", "policy_number": "P-1", "valid_until": "2099-12-31"},
        "valid_from": None,
        "valid_until": None,
    } | changes


LICENCES = [licence(country) for country in COUNTRIES]


async def licensed(session: AsyncSession, at: datetime) -> None:
    """The first profile, where the test has set none itself."""
    profile = {"approval_line_minor": {"EUR": 50_000}, "licences": LICENCES}
    await session.execute(
        insert(AgencyProfileRow)
        .values(version=1, profile=profile, effective_at=at, set_by="test")
        .on_conflict_do_nothing()
    )
