"""The agency's profile as letters and mails need it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

UNNAMED = "Recourse"  # a profile that nobody has filled in yet
_PROFILE = text("SELECT profile FROM agency_profiles ORDER BY version DESC LIMIT 1")


@dataclass(frozen=True, slots=True)
class AgencyWords:
    """Who signs. `profile` is the whole versioned profile."""

    name: str
    profile: dict[str, Any]


async def read_agency(session: AsyncSession) -> AgencyWords:
    profile = (await session.execute(_PROFILE)).scalar_one_or_none() or {}
    return AgencyWords(profile.get("name") or UNNAMED, profile)
