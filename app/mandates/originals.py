"""The register of paper originals: received, where kept, to whom sent, returned. Only added to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.authorisation import Principal
from app.cases.access import own_case
from app.domain.errors import Conflict, InvalidInput, NotFound
from app.ids import new_id
from app.mandates.schemas import OriginalIn
from app.moment import read_moment
from app.tables.work import MandateOriginalRow, MandateRow

# What may follow what: a paper is somewhere, and only where it is can it leave.
FOLLOWS: Final[dict[str | None, tuple[str, ...]]] = {
    None: ("received",),
    "received": ("kept", "sent"),
    "kept": ("kept", "sent"),
    "sent": ("returned",),
    "returned": ("kept", "sent"),
}


class OriginalElsewhere(Conflict):
    """The paper is not where this entry says it was."""

    code = "original_elsewhere"


async def entries_of(
    session: AsyncSession, principal: Principal, case_id: UUID, mandate_id: UUID
) -> Sequence[MandateOriginalRow]:
    """In the order of what happened. Raises NotFound."""
    await own_case(session, principal, case_id)
    await _paper_mandate(session, case_id, mandate_id)
    query = select(MandateOriginalRow).where(MandateOriginalRow.mandate_id == mandate_id)
    return (await session.scalars(query.order_by(MandateOriginalRow.id))).all()


async def record(
    session: AsyncSession, principal: Principal, case_id: UUID, mandate_id: UUID, body: OriginalIn
) -> Sequence[MandateOriginalRow]:
    """One more entry. Raises NotFound, OriginalElsewhere, InvalidInput for a day ahead."""
    await own_case(session, principal, case_id, lock=True)
    entries = await entries_of(session, principal, case_id, mandate_id)
    last = entries[-1] if entries else None
    if body.what not in FOLLOWS[last.what if last else None]:
        where = f"{last.what}: {last.place}" if last else "not received yet"
        raise OriginalElsewhere(f"the register says of this original: {where}")
    moment = await read_moment(session)
    if body.happened_on > moment.now.date() or (last and body.happened_on < last.happened_on):
        raise InvalidInput(
            "an entry follows the one before it and lies behind us",
            code="date_out_of_order", field="happened_on",
        )  # fmt: skip
    await session.execute(
        insert(MandateOriginalRow).values(
            id=new_id(), mandate_id=mandate_id, what=body.what, happened_on=body.happened_on,
            place=body.place, recorded_by=principal.actor, recorded_at=moment.now,
        )
    )  # fmt: skip
    return await entries_of(session, principal, case_id, mandate_id)


async def _paper_mandate(session: AsyncSession, case_id: UUID, mandate_id: UUID) -> None:
    row = await session.get(MandateRow, mandate_id)
    if row is None or row.case_id != case_id:
        raise NotFound("there is no such mandate", code="mandate_not_found")
    if row.level != "wet_ink":
        raise Conflict("this mandate was not signed on paper", code="no_paper_original")
