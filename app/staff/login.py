"""Staff sign in: password, then a one-time code or a recovery code.

Every refusal is the same sentence after the same work, whichever part was wrong.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app import audit
from app.clock import business_now, wall_now
from app.crypto import Keyring
from app.db import Database
from app.domain.errors import NotAuthenticated
from app.metrics import LOGINS
from app.passwords import Passwords, matching_step
from app.sessions import NewSession, open_session, rotate_session
from app.staff.enrolment import recovery_hash
from app.tables.security import RecoveryCode, Staff
from app.vault import open_cipher


class LoginRefused(NotAuthenticated):
    code = "login_refused"


def _refused() -> LoginRefused:
    LOGINS.labels("staff", "refused").inc()
    return LoginRefused("address, password or code are not right")


async def login(
    database: Database,
    *,
    keyring: Keyring,
    passwords: Passwords,
    email: str,
    password: str,
    code: str | None,
    recovery_code: str | None,
    hours: int,
) -> NewSession:
    """A new session. No connection is held while the password is hashed.

    Raises LoginRefused, the same for every cause.
    """
    async with database.read() as session:
        staff = (
            await session.execute(
                select(Staff.id, Staff.password_hash).where(
                    Staff.email == email, Staff.status == "active"
                )
            )
        ).one_or_none()
    right = await passwords.verify(password, staff.password_hash if staff else None)
    if staff is None or not right:
        raise _refused()
    async with database.transaction() as session:
        now = wall_now()
        row = (
            await session.execute(
                select(Staff)
                .where(
                    Staff.id == staff.id,
                    Staff.status == "active",
                    Staff.password_hash == staff.password_hash,
                )
                .with_for_update()
            )
        ).scalar_one_or_none()
        if row is None:
            raise _refused()  # changed while the password was hashed
        if recovery_code is not None:
            await _use_recovery_code(session, row.id, recovery_code, now=now)
        elif not await use_code(session, row, code or "", keyring=keyring, now=now):
            raise _refused()
        opened = await open_session(session, kind="staff", subject_id=row.id, hours=hours, now=now)
        await audit.append(
            session,
            stream=f"staff:{row.id}",
            code="staff_signed_in",
            actor=f"staff:{row.id}",
            params={"by": "recovery_code" if recovery_code else "code"},
            at=await business_now(session),
        )
    LOGINS.labels("staff", "done").inc()
    return opened


async def step_up(
    session: AsyncSession, *, keyring: Keyring, staff_id: UUID, session_id: UUID, code: str
) -> NewSession:
    """Shows the second factor again: the session gets a new token. Raises LoginRefused."""
    now = wall_now()
    row = (
        await session.execute(select(Staff).where(Staff.id == staff_id).with_for_update())
    ).scalar_one()
    if not await use_code(session, row, code, keyring=keyring, now=now):
        raise _refused()
    await audit.append(
        session,
        stream=f"staff:{staff_id}",
        code="staff_stepped_up",
        params={},
        actor=f"staff:{staff_id}",
        at=await business_now(session),
    )
    return await rotate_session(session, session_id, now=now)


async def use_code(
    session: AsyncSession, staff: Staff, code: str, *, keyring: Keyring, now: datetime
) -> bool:
    """Whether the code is current and unused; uses it up. The account's row is locked."""
    assert staff.totp_secret is not None, "an active account has a secret"
    cipher = await open_cipher(session, keyring, staff.id)
    secret = cipher.decrypt(staff.totp_secret, column="staff.totp_secret", row_id=staff.id)
    step = matching_step(secret, code, now=now, after=staff.totp_last_step)
    if step is None:
        return False
    await session.execute(update(Staff).where(Staff.id == staff.id).values(totp_last_step=step))
    return True


async def _use_recovery_code(
    session: AsyncSession, staff_id: UUID, code: str, *, now: datetime
) -> None:
    used = await session.execute(
        update(RecoveryCode)
        .where(
            RecoveryCode.staff_id == staff_id,
            RecoveryCode.code_hash == recovery_hash(staff_id, code),
            RecoveryCode.used_at.is_(None),
        )
        .values(used_at=now)
        .returning(RecoveryCode.id)
    )
    if used.first() is None:
        raise _refused()
