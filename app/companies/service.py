"""The register of companies and their channels. Every change is one line of the system history."""

from __future__ import annotations

import uuid
from typing import Any

from sqlalchemy import Select, func, or_, select
from sqlalchemy.dialects.postgresql import insert as pg_insert
from sqlalchemy.ext.asyncio import AsyncSession

from app import audit
from app.authorisation.principal import Principal
from app.clock import business_now
from app.companies.schemas import ChannelChangeIn, ChannelIn, CompanyChangeIn, NewCompanyIn
from app.domain.errors import Conflict, InvalidInput, NotFound
from app.etag import check_version
from app.ids import new_id
from app.tables.people import ChannelRow, CompanyRow


class CompanyExists(Conflict):
    code = "company_exists"


async def create_company(
    session: AsyncSession, caller: Principal, body: NewCompanyIn
) -> CompanyRow:
    await _refuse_twin(session, body.country, body.register_number, None)
    _check_source(body.direct_first_days, body.direct_first_source)
    now = await business_now(session)
    row = CompanyRow(
        id=new_id(),
        legal_name=body.legal_name,
        brand=body.brand or body.legal_name,
        country=body.country,
        register_number=body.register_number,
        sector=body.sector,
        language=body.language,
        address_lines=list(body.address_lines),
        kind=body.kind,
        direct_first_days=body.direct_first_days,
        direct_first_source=body.direct_first_source,
        mandate_level=body.mandate_level,
        status="candidate",
        confirmed_by=None,
        confirmed_at=None,
        created_at=now,
        version=1,
    )
    session.add(row)
    await session.flush()
    await _log(session, caller, "company_added", company=str(row.id))
    return row


async def update_company(
    session: AsyncSession,
    caller: Principal,
    company_id: uuid.UUID,
    version: int,
    body: CompanyChangeIn,
) -> CompanyRow:
    """Changes what was sent. Confirming needs a register number and a kind, and is signed with the
    name."""
    row = await _locked_company(session, company_id, version)
    changes = body.model_dump(exclude_unset=True, exclude_none=True)
    if changes.get("direct_first_days") == 0:
        changes |= {"direct_first_days": None, "direct_first_source": None}
    if changes.pop("claims_list_stop", False):
        changes["claims_list_to"] = None
    for name, value in changes.items():
        setattr(row, name, value)
    if {"country", "register_number"} & set(changes):
        await _refuse_twin(session, row.country, row.register_number, row.id)
    _check_source(row.direct_first_days, row.direct_first_source)
    if row.status == "confirmed":
        _check_confirmed(row)
    if changes.get("status") == "confirmed":
        row.confirmed_by, row.confirmed_at = caller.id, await business_now(session)
    row.version += 1
    await session.flush()
    await _log(session, caller, "company_changed", company=str(row.id), fields=sorted(changes))
    return row


def _check_source(days: int | None, source: str | None) -> None:
    if (days is None) != (source is None):
        raise InvalidInput(
            "direct_first_days and direct_first_source go together: say where it stands",
            code="direct_first_incomplete",
            field="direct_first_source",
        )


def _check_confirmed(row: CompanyRow) -> None:
    """The register says that it exists, and that it is no private person: those we never claim
    from."""
    if not row.register_number:
        raise InvalidInput(
            "a company is confirmed with its register number", code="register_number_needed"
        )
    if row.kind is None:
        raise InvalidInput(
            "say what it is: business or public_body", code="company_kind_needed", field="kind"
        )
    if row.kind == "private_person":
        raise InvalidInput(
            "we claim from companies, never from a private person",
            code="private_person",
            field="kind",
        )


async def add_channel(
    session: AsyncSession, caller: Principal, company_id: uuid.UUID, body: ChannelIn
) -> ChannelRow:
    if await session.get(CompanyRow, company_id) is None:
        raise NotFound("there is no such company", code="company_not_found")
    values: dict[str, Any] = {
        "id": new_id(),
        "company_id": company_id,
        "kind": body.kind,
        "address": body.address,
        "health": "alive",
        "official": body.official,
        "language": body.language,
        "source": body.source,
        "for_whom": body.for_whom,
        "outsourced": body.outsourced,
        "form": [line.model_dump() for line in body.form],
        "confirmed_by": None,
        "successor_id": None,
        "last_success_at": None,
        "last_error": None,
        "last_error_at": None,
        "created_at": await business_now(session),
        "version": 1,
    }
    added = await session.scalar(
        pg_insert(ChannelRow)
        .values(**values)
        .on_conflict_do_nothing(index_elements=["company_id", "kind", "address"])
        .returning(ChannelRow.id)
    )
    if added is None:
        raise Conflict("this channel is on file already", code="channel_exists")
    await _log(session, caller, "channel_added", company=str(company_id), channel=str(added))
    return (await session.execute(select(ChannelRow).where(ChannelRow.id == added))).scalar_one()


async def update_channel(
    session: AsyncSession,
    caller: Principal,
    channel_id: uuid.UUID,
    version: int,
    body: ChannelChangeIn,
) -> ChannelRow:
    """Health is what happened to letters, or what a person found out."""
    row = (
        await session.execute(
            select(ChannelRow).where(ChannelRow.id == channel_id).with_for_update()
        )
    ).scalar_one_or_none()
    if row is None:
        raise NotFound("there is no such channel", code="channel_not_found")
    check_version(row.version, version)
    changes = body.model_dump(exclude_unset=True, exclude_none=True)
    if changes.get("form") and row.kind != "portal":
        raise InvalidInput("only a portal has a form", code="not_a_portal", field="form")
    if (confirmed := changes.pop("confirmed", None)) is not None:
        changes["confirmed_by"] = caller.actor if confirmed else None
    if "successor_id" in changes:
        await _check_successor(session, row, changes)
    elif changes.get("health", row.health) != "retired":
        row.successor_id = None  # it is in use again
    for name, value in changes.items():
        setattr(row, name, value)
    row.version += 1
    await session.flush()
    await _log(session, caller, "channel_changed", channel=str(row.id), fields=sorted(changes))
    return row


async def _check_successor(session: AsyncSession, row: ChannelRow, changes: dict[str, Any]) -> None:
    """What took its place belongs to the same company and is reached in the same way."""
    if changes.get("health", row.health) != "retired":
        raise InvalidInput(
            "only a retired channel has a successor", code="not_retired", field="successor_id"
        )
    other = await session.get(ChannelRow, changes["successor_id"])
    same = other is not None and other.company_id == row.company_id and other.kind == row.kind
    if not same or changes["successor_id"] == row.id:
        raise InvalidInput(
            "the successor is another channel of this company and kind",
            code="successor_invalid",
            field="successor_id",
        )


async def get_company(session: AsyncSession, company_id: uuid.UUID) -> CompanyRow:
    row = await session.get(CompanyRow, company_id)
    if row is None:
        raise NotFound("there is no such company", code="company_not_found")
    return row


async def channels_of(session: AsyncSession, company_id: uuid.UUID) -> list[ChannelRow]:
    """Official ones first, the working ones before the dead."""
    rows = await session.scalars(
        select(ChannelRow)
        .where(ChannelRow.company_id == company_id)
        .order_by(ChannelRow.official.desc(), ChannelRow.health, ChannelRow.id)
        .limit(100)
    )
    return list(rows)


def company_query(q: str | None, status: str | None) -> Select[CompanyRow]:
    query = select(CompanyRow)
    if q:
        start = prefix(q)
        query = query.where(
            or_(
                func.lower(CompanyRow.legal_name).like(start),
                func.lower(CompanyRow.brand).like(start),
            )
        )
    return query.where(CompanyRow.status == status) if status else query


def prefix(q: str) -> str:
    """A LIKE pattern for "begins with", whatever signs the person typed."""
    plain = q.lower().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"{plain}%"


async def _locked_company(session: AsyncSession, company_id: uuid.UUID, version: int) -> CompanyRow:
    row = (
        await session.execute(
            select(CompanyRow).where(CompanyRow.id == company_id).with_for_update()
        )
    ).scalar_one_or_none()
    if row is None:
        raise NotFound("there is no such company", code="company_not_found")
    check_version(row.version, version)
    return row


async def _refuse_twin(
    session: AsyncSession, country: str, number: str | None, own_id: uuid.UUID | None
) -> None:
    """One legal entity, one row: the register number says which."""
    if number is None:
        return
    query = select(CompanyRow.id).where(
        CompanyRow.country == country, CompanyRow.register_number == number
    )
    if own_id is not None:
        query = query.where(CompanyRow.id != own_id)
    twin = await session.scalar(query.limit(1))
    if twin is not None:
        raise CompanyExists("this register number is on file already", company=str(twin))


async def _log(session: AsyncSession, caller: Principal, code: str, **params: audit.Param) -> None:
    await audit.append(
        session,
        stream=audit.SYSTEM,
        code=code,
        params=params,
        actor=caller.actor,
        at=await business_now(session),
    )
