"""The agency profile: every change is a new version, the old ones stay."""

from __future__ import annotations

from sqlalchemy import insert, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from app import audit
from app.agency.schemas import AgencyIn, AgencyOut
from app.authorisation.principal import Principal
from app.clock import business_now
from app.etag import check_version
from app.tables.people import AgencyProfileRow

# One writer at a time: the next version number is made of the last one.
_LOCK = text("SELECT pg_advisory_xact_lock(hashtext('agency_profiles'))")


async def read_agency(session: AsyncSession) -> AgencyOut:
    row = await session.scalar(
        select(AgencyProfileRow).order_by(AgencyProfileRow.version.desc()).limit(1)
    )
    if row is None:
        return AgencyOut(version=0, effective_at=None, set_by=None, profile={})
    return AgencyOut(
        version=row.version, effective_at=row.effective_at, set_by=row.set_by, profile=row.profile
    )


async def set_agency(
    session: AsyncSession, caller: Principal, body: AgencyIn, expected: int | None
) -> AgencyOut:
    """The next version, in force from now on. `expected` may be left out only for the first."""
    await session.execute(_LOCK)
    before = await read_agency(session)
    if before.version:
        check_version(before.version, expected or 0)
    now = await business_now(session)
    await session.execute(
        insert(AgencyProfileRow).values(
            version=before.version + 1,
            profile=body.model_dump(mode="json"),
            effective_at=now,
            set_by=caller.actor,
        )
    )
    await audit.append(
        session,
        stream=audit.SYSTEM,
        code="agency_changed",
        params={"version": before.version + 1},
        actor=caller.actor,
        at=now,
    )
    return await read_agency(session)
