"""Staff: accept an invitation, sign in, show the second factor again, sign out."""

from __future__ import annotations

from fastapi import Response

from app.clock import wall_now
from app.deps import (
    COOKIE,
    NOT_REPLAYED,
    Caller,
    Held,
    ReadSession,
    Router,
    Session,
    clear_cookie,
    problems,
    set_cookie,
)
from app.passwords import totp_address
from app.sessions import NewSession, revoke_session
from app.staff import enrolment, service
from app.staff import login as sign_in
from app.staff.schemas import (
    AcceptInviteIn,
    InviteOut,
    InviteTokenIn,
    RecoveryCodesOut,
    SessionOut,
    StaffLoginIn,
    StaffOut,
    StepUpIn,
)

router = Router(prefix="/v1/staff", tags=["staff sign in"])

AGENCY = "Recourse"
assert COOKIE.startswith("__Host-"), "bound to this host, path / and https by the browser"


@router.post(
    "/invite/show",
    operation_id="show_invite",
    openapi_extra=NOT_REPLAYED,
    responses=problems("not_found"),
)
async def show_invite(body: InviteTokenIn, session: Session, held: Held) -> InviteOut:
    """What an invitation holds. A POST, so that the token stands in no address and no log."""
    found = await enrolment.open_invite(
        session, keyring=held.keyring, token=body.token.get_secret_value()
    )
    return InviteOut(
        email=found.staff.email,
        name=found.staff.name,
        roles=found.staff.roles,
        totp_secret=found.secret,
        expires_at=found.invite.expires_at,
        totp_address=totp_address(found.secret, email=found.staff.email, agency=AGENCY),
    )


@router.post(
    "/invite/accept",
    operation_id="accept_invite",
    openapi_extra=NOT_REPLAYED,
    responses=problems("not_found"),
)
async def accept_invite(body: AcceptInviteIn, held: Held) -> RecoveryCodesOut:
    """Sets the password and switches the account on. The password is hashed between the two
    transactions, so that no lock is held meanwhile."""
    token, password = body.token.get_secret_value(), body.password.get_secret_value()
    async with held.database.transaction() as session:
        found = await enrolment.open_invite(session, keyring=held.keyring, token=token)
        enrolment.check_new_password(found, password)
    hashed = await held.passwords.hash(password)
    async with held.database.transaction() as session:
        found = await enrolment.open_invite(session, keyring=held.keyring, token=token)
        codes = await enrolment.accept_invite(
            session,
            found,
            keyring=held.keyring,
            password_hash=hashed,
            code=body.code,
            now=wall_now(),
        )
    return RecoveryCodesOut(recovery_codes=codes)


@router.post(
    "/session",
    operation_id="staff_login",
    status_code=201,
    openapi_extra=NOT_REPLAYED,
    responses=problems("unauthenticated"),
)
async def staff_login(body: StaffLoginIn, held: Held, response: Response) -> SessionOut:
    """A new session. Every refusal reads the same."""
    await held.limiter.hit("login", principal=f"staff:{body.email}")
    opened = await sign_in.login(
        held.database,
        keyring=held.keyring,
        passwords=held.passwords,
        email=body.email,
        password=body.password.get_secret_value(),
        code=body.code,
        recovery_code=body.recovery_code,
        hours=held.settings.staff_session_hours,
    )
    return _session_out(opened, body.keep, response)


@router.post("/session/step-up", operation_id="staff_step_up", openapi_extra=NOT_REPLAYED)
async def staff_step_up(
    body: StepUpIn, session: Session, caller: Caller, held: Held, response: Response
) -> SessionOut:
    """Shows the second factor again, for acts that ask for it; the session's token changes."""
    assert caller.id and caller.session_id, "only staff with a session reach this"
    opened = await sign_in.step_up(
        session,
        keyring=held.keyring,
        staff_id=caller.id,
        session_id=caller.session_id,
        code=body.code,
    )
    return _session_out(opened, body.keep, response)


@router.delete("/session", operation_id="staff_logout", status_code=204)
async def staff_logout(session: Session, caller: Caller, response: Response) -> None:
    """Ends this session at once."""
    assert caller.session_id, "only staff with a session reach this"
    await revoke_session(session, caller.session_id, now=wall_now())
    clear_cookie(response)


@router.get("/me", operation_id="read_own_account")
async def read_own_account(session: ReadSession, caller: Caller) -> StaffOut:
    assert caller.id, "only staff reach this"
    return StaffOut.model_validate(await service.find(session, caller.id))


@router.post(
    "/recovery-codes",
    operation_id="new_recovery_codes",
    status_code=201,
    openapi_extra=NOT_REPLAYED,
)
async def new_recovery_codes(session: Session, caller: Caller) -> RecoveryCodesOut:
    """Ten new recovery codes; the old ones are void."""
    assert caller.id, "only staff reach this"
    return RecoveryCodesOut(
        recovery_codes=await enrolment.replace_recovery_codes(session, caller.id)
    )


def _session_out(opened: NewSession, keep: str, response: Response) -> SessionOut:
    if keep == "cookie":
        set_cookie(response, opened)
    return SessionOut(token=opened.token if keep == "token" else None, expires_at=opened.expires_at)
