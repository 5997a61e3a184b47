"""Who works with money, when, and the small steps every finance service shares."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app import audit, engine
from app.authorisation.principal import Principal
from app.banking.case_money import agency_zone
from app.domain.errors import Conflict, NotFound
from app.moment import Moment, read_moment
from app.tables.cases import CaseRow


@dataclass(frozen=True, slots=True)
class Desk:
    """One person at one moment. ``at`` is business time in the agency's zone: its date is the day
    of postings, invoices and batches."""

    session: AsyncSession
    caller: Principal
    moment: Moment
    zone: ZoneInfo

    @property
    def actor(self) -> str:
        return self.caller.actor

    @property
    def at(self) -> datetime:
        return self.moment.now.astimezone(self.zone)

    @property
    def today(self) -> date:
        return self.at.date()

    async def lock(self, case_ids: Iterable[UUID]) -> None:
        """Locks cases before their money, in one order: everybody else does the same."""
        await self.session.execute(
            select(CaseRow.id)
            .where(CaseRow.id.in_(set(case_ids)))
            .order_by(CaseRow.id)
            .with_for_update()
        )

    async def lock_case(self, case_id: UUID) -> None:
        """Locks one case. Raises NotFound."""
        found = await self.session.scalar(
            select(CaseRow.id).where(CaseRow.id == case_id).with_for_update()
        )
        if found is None:
            raise NotFound("there is no such case", code="case_not_found")

    async def tell(self, facts: Sequence[engine.Fact]) -> list[engine.Result]:
        """Facts about many cases at once; what was not taken comes back with its reason."""
        if not facts:
            return []
        told = await engine.advance_many(self.session, facts, moment=self.moment)
        return [result for result in told if result.why is not None]

    async def tell_all(self, facts: Sequence[engine.Fact]) -> None:
        """The same where a refusal must undo everything. Raises TransitionRefused, Conflict."""
        for result in await self.tell(facts):
            raise result.refused or Conflict(
                "a case does not take this",
                code="case_refuses",
                case=str(result.case_id),
                why=str(result.why),
            )

    async def log(self, code: str, **params: Any) -> None:
        """History of the installation; ids, codes and sums only. Last in a transaction: the chain
        of the system is one row that all wait for."""
        await audit.append(
            self.session,
            stream=audit.SYSTEM,
            code=code,
            params=params,
            actor=self.actor,
            at=self.moment.now,
        )


async def open_desk(session: AsyncSession, caller: Principal) -> Desk:
    moment = await read_moment(session)
    return Desk(session, caller, moment, agency_zone(moment.profile))
