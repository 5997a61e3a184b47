"""Payout accounts over HTTP."""

from __future__ import annotations

from typing import Annotated

from fastapi import Body, Header, Response

from app.cases.access import own_case, version_sent
from app.consumers.account_schemas import AccountIn, AccountOut
from app.consumers.accounts import give_account
from app.deps import Caller, Held, Router, Session, problems
from app.etag import etag
from app.schemas import Id
from app.texts import words

router = Router(prefix="/v1/cases/{case_id}/claimants/{claimant_id}", tags=["accounts"])
IfMatch = Annotated[str | None, Header(description="The ETag you read; staff must send it.")]


@router.put(
    "/payout-account", operation_id="set_payout_account", responses=problems("conflict", "stale")
)
async def set_payout_account(
    case_id: Id,
    claimant_id: Id,
    body: Annotated[AccountIn, Body()],
    session: Session,
    caller: Caller,
    held: Held,
    response: Response,
    if_match: IfMatch = None,
) -> AccountOut:
    """Where this claimant's money goes. Masked in every answer; the owner is told of a change."""
    given = await give_account(
        session, caller, held.keyring, case_id, claimant_id, body, version_sent(caller, if_match)
    )
    case = await own_case(session, caller, case_id)
    say = words(case.language)
    text = (
        say.say("account", "usable_from", {"from": given.usable_from.isoformat()})
        if given.waits
        else say.term("account", "usable_now")
    )
    response.headers["etag"] = etag(case.version)
    return AccountOut(
        id=given.id,
        claimant_id=claimant_id,
        rail=given.rail,
        country=given.country,
        currency=given.currency,
        holder=given.holder,
        number=given.number,
        usable_from=given.usable_from,
        text=text,
        changed=given.changed,
        case_version=case.version,
    )
