"""What admins do with accounts. Nobody changes their own; the last admin stays.

Every change stands in the history of the account it changes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app import audit
from app.authorisation.principal import Principal
from app.clock import business_now, wall_now
from app.crypto import Keyring
from app.deps import HandOver
from app.domain.errors import Conflict, Forbidden, InvalidInput, NotFound
from app.domain.roles import role_conflict
from app.etag import check_version
from app.sessions import revoke_all
from app.staff.enrolment import new_invite
from app.tables.security import Staff


class OwnAccount(Forbidden):
    code = "own_account"


class LastAdmin(Conflict):
    code = "last_admin"


async def set_roles(
    session: AsyncSession, *, staff_id: UUID, roles: Iterable[str], expected: int, caller: Principal
) -> Staff:
    """Replaces the roles; they count from the person's next call on."""
    wanted = frozenset(roles)
    why = role_conflict(wanted)
    if why:
        raise InvalidInput(why, code="roles_invalid")
    staff = await _change(session, staff_id, caller, expected)
    if "admin" in staff.roles and "admin" not in wanted:
        await _keep_an_admin(session, staff_id)
    before = sorted(staff.roles)
    await _write(
        session,
        staff,
        caller,
        "staff_roles_set",
        {"before": before, "after": sorted(wanted)},
        roles=sorted(wanted),
    )
    return staff


async def reset(
    session: AsyncSession,
    *,
    staff_id: UUID,
    expected: int,
    caller: Principal,
    keyring: Keyring,
    link_key: bytes,
) -> Staff:
    """For a lost telephone or password: everything is void, a new invitation goes out."""
    staff = await _change(session, staff_id, caller, expected)
    if staff.status == "deactivated":
        raise Conflict("this account is deactivated", code="deactivated")
    if "admin" in staff.roles:
        await _keep_an_admin(session, staff_id)
    await revoke_all(session, staff_id, now=wall_now())
    await _write(
        session,
        staff,
        caller,
        "staff_reset",
        {},
        status="invited",
        password_hash=None,
        totp_secret=None,
    )
    await new_invite(
        session, keyring=keyring, link_key=link_key, staff_id=staff_id, actor=caller.actor
    )
    return staff


async def deactivate(
    session: AsyncSession,
    *,
    staff_id: UUID,
    hand_over_to: UUID | None,
    expected: int,
    caller: Principal,
    hooks: Sequence[HandOver],
) -> Staff:
    """Ends an account: sessions closed, open work handed to a colleague or back to the pool."""
    staff = await _change(session, staff_id, caller, expected)
    if staff.status == "deactivated":
        raise Conflict("this account is deactivated", code="deactivated")
    if "admin" in staff.roles:
        await _keep_an_admin(session, staff_id)
    if hand_over_to is not None:
        await _check_successor(session, staff_id, hand_over_to)
    moved = 0
    for hook in hooks:
        moved += await hook(session, staff_id, hand_over_to, caller.actor)
    now = wall_now()
    await revoke_all(session, staff_id, now=now)
    await _write(
        session,
        staff,
        caller,
        "staff_deactivated",
        {"handed_over_to": str(hand_over_to) if hand_over_to else None, "moved": moved},
        status="deactivated",
        deactivated_at=now,
        handed_over_to=hand_over_to,
        password_hash=None,
        totp_secret=None,
    )
    return staff


async def find(session: AsyncSession, staff_id: UUID) -> Staff:
    staff = await session.get(Staff, staff_id)
    if staff is None:
        raise NotFound("there is no such account")
    return staff


async def _change(session: AsyncSession, staff_id: UUID, caller: Principal, expected: int) -> Staff:
    """The account, locked, at the version the caller read. Raises OwnAccount for one's own.

    All admins are locked with it, in id order: two admins who remove each other at the same moment
    come one after the other, and the second finds that they are no admin any more.
    """
    if staff_id == caller.id:
        raise OwnAccount("nobody changes their own account; ask another admin")
    rows = (
        (
            await session.execute(
                select(Staff)
                .where(or_(Staff.id == staff_id, Staff.roles.contains(["admin"])))
                .order_by(Staff.id)
                .with_for_update()
            )
        )
        .scalars()
        .all()
    )
    by_id = {row.id: row for row in rows}
    acting = by_id.get(caller.id) if caller.id else None
    if acting is None or acting.status != "active":
        raise Forbidden("you are not an admin any more")
    staff = by_id.get(staff_id)
    if staff is None:
        raise NotFound("there is no such account")
    check_version(staff.version, expected)
    return staff


async def _write(
    session: AsyncSession,
    staff: Staff,
    caller: Principal,
    code: str,
    params: dict[str, Any],
    **values: Any,
) -> None:
    await session.execute(
        update(Staff).where(Staff.id == staff.id).values(version=Staff.version + 1, **values)
    )
    await audit.append(
        session,
        stream=f"staff:{staff.id}",
        code=code,
        params=params,
        actor=caller.actor,
        at=await business_now(session),
    )
    await session.refresh(staff)


async def _keep_an_admin(session: AsyncSession, leaving: UUID) -> None:
    """Refuses to lose the last active admin; `_change` holds the locks."""
    rows = await session.execute(
        select(Staff.id).where(Staff.roles.contains(["admin"]), Staff.status == "active")
    )
    if not set(rows.scalars()) - {leaving}:
        raise LastAdmin("this is the last admin; invite another one first")


async def _check_successor(session: AsyncSession, staff_id: UUID, successor: UUID) -> None:
    found = (
        await session.execute(
            select(Staff.roles).where(Staff.id == successor, Staff.status == "active")
        )
    ).one_or_none()
    if found is None or successor == staff_id:
        raise InvalidInput("the work can only go to an active colleague", code="successor_invalid")
