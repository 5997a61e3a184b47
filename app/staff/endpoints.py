"""Accounts of colleagues: invite, roles, reset, deactivate, history."""

from __future__ import annotations

from typing import Any

from fastapi import Response
from sqlalchemy import select

from app.deps import (
    Caller,
    Expected,
    Held,
    Pages,
    ReadSession,
    Router,
    Session,
    problems,
)
from app.etag import etag
from app.pagination import keyset
from app.schemas import Id
from app.staff import enrolment, service
from app.staff.schemas import (
    DeactivateIn,
    HistoryEntryOut,
    HistoryOut,
    InviteStaffIn,
    RolesIn,
    StaffListOut,
    StaffOut,
)
from app.tables.security import AuditEntry, Staff

router = Router(prefix="/v1/staff", tags=["staff"])


def _out(staff: Staff, response: Response) -> StaffOut:
    response.headers["ETag"] = etag(staff.version)
    return StaffOut.model_validate(staff)


@router.get("/accounts", operation_id="list_staff")
async def list_staff(session: ReadSession, pages: Pages) -> StaffListOut:
    query = keyset(select(Staff), [Staff.email, Staff.id], pages.after("staff"), pages.limit)
    rows = list((await session.execute(query)).scalars())
    more = rows[pages.limit - 1 : pages.limit] if len(rows) > pages.limit else []
    return StaffListOut(
        items=[StaffOut.model_validate(r) for r in rows[: pages.limit]],
        next_cursor=pages.next("staff", [more[0].email, more[0].id]) if more else None,
    )


@router.post(
    "/accounts", operation_id="invite_staff", status_code=201, responses=problems("conflict")
)
async def invite_staff(
    body: InviteStaffIn, session: Session, caller: Caller, held: Held, response: Response
) -> StaffOut:
    """A new account and the mail with its invitation (three days)."""
    invited = await enrolment.create_account(
        session,
        keyring=held.keyring,
        link_key=held.link_key,
        email=body.email,
        name=body.name,
        roles=body.roles,
        actor=caller.actor,
    )
    response.headers["Location"] = f"/v1/staff/accounts/{invited.staff_id}"
    return _out(await service.find(session, invited.staff_id), response)


@router.get("/accounts/{staff_id}", operation_id="read_staff")
async def read_staff(staff_id: Id, session: ReadSession, response: Response) -> StaffOut:
    return _out(await service.find(session, staff_id), response)


@router.put(
    "/accounts/{staff_id}/roles", operation_id="set_staff_roles", responses=problems("conflict")
)
async def set_staff_roles(
    staff_id: Id,
    body: RolesIn,
    session: Session,
    caller: Caller,
    expected: Expected,
    response: Response,
) -> StaffOut:
    """Replaces the roles. Not one's own; not the last admin's."""
    return _out(
        await service.set_roles(
            session, staff_id=staff_id, roles=body.roles, expected=expected, caller=caller
        ),
        response,
    )


@router.post(
    "/accounts/{staff_id}/reset", operation_id="reset_staff", responses=problems("conflict")
)
async def reset_staff(
    staff_id: Id,
    session: Session,
    caller: Caller,
    expected: Expected,
    held: Held,
    response: Response,
) -> StaffOut:
    """Lost password or telephone: sessions end, a new invitation goes out."""
    return _out(
        await service.reset(
            session,
            staff_id=staff_id,
            expected=expected,
            caller=caller,
            keyring=held.keyring,
            link_key=held.link_key,
        ),
        response,
    )


@router.post(
    "/accounts/{staff_id}/deactivate",
    operation_id="deactivate_staff",
    responses=problems("conflict"),
)
async def deactivate_staff(
    staff_id: Id,
    body: DeactivateIn,
    session: Session,
    caller: Caller,
    expected: Expected,
    held: Held,
    response: Response,
) -> StaffOut:
    """Ends the account and hands the open work over."""
    return _out(
        await service.deactivate(
            session,
            staff_id=staff_id,
            hand_over_to=body.hand_over_to,
            expected=expected,
            caller=caller,
            hooks=held.hand_over,
        ),
        response,
    )


@router.get("/accounts/{staff_id}/history", operation_id="read_staff_history")
async def read_staff_history(staff_id: Id, session: ReadSession, pages: Pages) -> HistoryOut:
    """What happened to an account, oldest first."""
    await service.find(session, staff_id)
    bound: dict[str, Any] = {"staff_id": str(staff_id)}
    query = keyset(
        select(AuditEntry).where(AuditEntry.stream == f"staff:{staff_id}"),
        [AuditEntry.seq],
        pages.after("staff_history", bound),
        pages.limit,
    )
    rows = list((await session.execute(query)).scalars())
    last = rows[pages.limit - 1] if len(rows) > pages.limit else None
    return HistoryOut(
        items=[
            HistoryEntryOut(number=r.seq, at=r.at, code=r.code, actor=r.actor, params=r.params)
            for r in rows[: pages.limit]
        ],
        next_cursor=pages.next("staff_history", [last.seq], bound) if last else None,
    )
