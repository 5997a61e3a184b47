"""What every endpoint that changes a case shares: the locked case, and the answer with its ETag."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Response

from app.case_change import CaseChange, change_case
from app.case_state import CaseStateOut, read_state
from app.deps import Expected, Session, Staff
from app.etag import etag
from app.schemas import Id

__all__ = ["Changing", "answer"]


async def _changing(case_id: Id, session: Session, caller: Staff, expected: Expected) -> CaseChange:
    return await change_case(session, caller, case_id, expected)


# The case of the path, in the caller's scope, locked, at the version of If-Match.
Changing = Annotated[CaseChange, Depends(_changing)]


async def answer(change: CaseChange, response: Response) -> CaseStateOut:
    state = await read_state(change.session, change.case.id)
    response.headers["ETag"] = etag(state.version)
    return state
