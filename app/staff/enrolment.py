"""How a colleague comes in: invitation, password, one-time codes, recovery codes.

An invitation is an effect; its token is derived from the effect id by HMAC, so that neither the
journal nor the invitation row holds anything that opens an account.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, exists, insert, select, update
from sqlalchemy.dialects.postgresql import insert as pg_insert
from sqlalchemy.ext.asyncio import AsyncSession

from app import audit, outbox
from app.clock import business_now, wall_now
from app.crypto import Keyring, token_for, token_hash
from app.domain.effects import SendStaffInvite
from app.domain.errors import Conflict, InvalidInput, NotFound
from app.domain.roles import role_conflict
from app.ids import new_id
from app.passwords import (
    check_password,
    matching_step,
    new_recovery_codes,
    new_totp_secret,
    normal_code,
)
from app.sessions import revoke_all
from app.tables.security import RecoveryCode, Staff, StaffInvite
from app.vault import create_cipher, open_cipher

INVITE_HOURS = 72  # over a weekend


class InviteInvalid(NotFound):
    """Unknown, used or expired: the answer is the same."""

    code = "invite_invalid"


class CodeWrong(InvalidInput):
    code = "code_wrong"


@dataclass(frozen=True)
class Invited:
    staff_id: UUID
    invite_id: UUID


@dataclass(frozen=True)
class OpenInvite:
    """An invitation whose token was shown, with the row of its person. The secret is not shown."""

    invite: StaffInvite
    staff: Staff
    secret: str

    def __repr__(self) -> str:
        return f"OpenInvite(staff={self.staff.id})"


def invite_token(link_key: bytes, invite_id: UUID) -> str:
    """The token of an invitation, for the worker that mails it and the operator who prints it."""
    return token_for(link_key, f"invite:{invite_id}")


async def ensure_first_admin(
    session: AsyncSession,
    *,
    keyring: Keyring,
    link_key: bytes,
    email: str,
    name: str = "First admin",
) -> str | None:
    """While there is no account at all: makes the first admin and returns the invitation's token.

    The caller prints it once. Returns None when any account exists.
    """
    await session.execute(select(Staff.id).limit(0))  # fails early when not migrated
    await audit.lock_head(session, audit.SYSTEM)  # two processes starting at once make one admin
    if (await session.execute(select(exists().select_from(Staff)))).scalar():
        return None
    invited = await create_account(
        session,
        keyring=keyring,
        link_key=link_key,
        email=email,
        name=name,
        roles=("admin",),
        actor="system",
    )
    return invite_token(link_key, invited.invite_id)


async def create_account(
    session: AsyncSession,
    *,
    keyring: Keyring,
    link_key: bytes,
    email: str,
    name: str,
    roles: Iterable[str],
    actor: str,
) -> Invited:
    """A new account in state `invited` with its first invitation. Raises Conflict for a taken
    address and InvalidInput for roles that do not go together."""
    wanted = frozenset(roles)
    why = role_conflict(wanted)
    if why:
        raise InvalidInput(why, code="roles_invalid")
    staff_id, now = new_id(), wall_now()
    made = await session.execute(
        pg_insert(Staff)
        .values(
            id=staff_id,
            email=email,
            name=name,
            roles=sorted(wanted),
            status="invited",
            created_at=now,
        )
        .on_conflict_do_nothing(index_elements=["email"])
        .returning(Staff.id)
    )
    if made.first() is None:
        raise Conflict("somebody with this address is here already", code="email_taken")
    await create_cipher(session, keyring, staff_id, at=now)
    await audit.append(
        session,
        stream=f"staff:{staff_id}",
        code="staff_invited",
        actor=actor,
        params={"roles": sorted(wanted)},
        at=await business_now(session),
    )
    invite_id = await new_invite(
        session, keyring=keyring, link_key=link_key, staff_id=staff_id, actor=actor
    )
    return Invited(staff_id, invite_id)


async def new_invite(
    session: AsyncSession, *, keyring: Keyring, link_key: bytes, staff_id: UUID, actor: str
) -> UUID:
    """A fresh invitation; earlier ones are void. The effect that mails it is staged."""
    invite_id, now = new_id(), wall_now()
    await session.execute(
        update(StaffInvite)
        .where(StaffInvite.staff_id == staff_id, StaffInvite.used_at.is_(None))
        .values(used_at=now)
    )
    cipher = await open_cipher(session, keyring, staff_id)
    secret = cipher.encrypt(new_totp_secret(), column="staff_invites.totp_secret", row_id=invite_id)
    await session.execute(
        insert(StaffInvite).values(
            id=invite_id,
            staff_id=staff_id,
            totp_secret=secret,
            created_by=actor,
            created_at=now,
            token_hash=token_hash(invite_token(link_key, invite_id)),
            expires_at=now + timedelta(hours=INVITE_HOURS),
        )
    )
    await outbox.stage(
        session,
        [SendStaffInvite(invite_id, staff_id)],
        stream=f"staff:{staff_id}",
        now=await business_now(session),
    )
    return invite_id


async def open_invite(session: AsyncSession, *, keyring: Keyring, token: str) -> OpenInvite:
    """The invitation of a token, its row and the account's locked. Raises InviteInvalid."""
    row = (
        await session.execute(
            select(StaffInvite, Staff)
            .join(Staff, Staff.id == StaffInvite.staff_id)
            .where(
                StaffInvite.token_hash == token_hash(token),
                StaffInvite.used_at.is_(None),
                StaffInvite.expires_at > wall_now(),
                Staff.status == "invited",
            )
            .with_for_update()
        )
    ).one_or_none()
    if row is None:
        raise InviteInvalid("this invitation is not valid, was used or has expired")
    invite, staff = row
    cipher = await open_cipher(session, keyring, staff.id)
    secret = cipher.decrypt(
        invite.totp_secret, column="staff_invites.totp_secret", row_id=invite.id
    )
    return OpenInvite(invite, staff, secret)


async def accept_invite(
    session: AsyncSession,
    found: OpenInvite,
    *,
    keyring: Keyring,
    password_hash: str,
    code: str,
    now: datetime,
) -> list[str]:
    """Activates the account; returns the recovery codes, to be shown once. Raises CodeWrong."""
    step = matching_step(found.secret, code, now=now, after=0)
    if step is None:
        raise CodeWrong("the code does not fit; check the clock of your telephone")
    staff = found.staff
    cipher = await open_cipher(session, keyring, staff.id)
    secret = cipher.encrypt(found.secret, column="staff.totp_secret", row_id=staff.id)
    await session.execute(
        update(StaffInvite).where(StaffInvite.id == found.invite.id).values(used_at=now)
    )
    await session.execute(
        update(Staff)
        .where(Staff.id == staff.id)
        .values(
            password_hash=password_hash,
            totp_secret=secret,
            totp_last_step=step,
            status="active",
            version=Staff.version + 1,
        )
    )
    codes = await replace_recovery_codes(session, staff.id)
    await revoke_all(session, staff.id, now=now)
    await audit.append(
        session,
        stream=f"staff:{staff.id}",
        code="staff_enrolled",
        params={},
        actor=f"staff:{staff.id}",
        at=await business_now(session),
    )
    return codes


def check_new_password(found: OpenInvite, password: str) -> None:
    check_password(password, email=found.staff.email)


async def replace_recovery_codes(session: AsyncSession, staff_id: UUID) -> list[str]:
    """Ten new codes; the old ones are void."""
    codes = new_recovery_codes()
    await session.execute(delete(RecoveryCode).where(RecoveryCode.staff_id == staff_id))
    await session.execute(
        insert(RecoveryCode),
        [
            {"id": new_id(), "staff_id": staff_id, "code_hash": recovery_hash(staff_id, code)}
            for code in codes
        ],
    )
    return codes


def recovery_hash(staff_id: UUID, code: str) -> bytes:
    return token_hash(f"{staff_id}:{normal_code(code)}")
