"""Asking for a letter beside the steps, and the reasons an answer to a denial can meet."""

from __future__ import annotations

from fastapi import Response

from app.case_state import CaseStateOut
from app.casework.base_endpoints import Changing, answer
from app.casework.other_letters import LetterIn, write_letter
from app.deps import Held, ReadSession, Router, Staff, problems
from app.law.denials import denials
from app.schemas import LanguageCode, Out

router = Router(prefix="/v1", tags=["casework"])


class DenialOut(Out):
    """A coded reason of a refusal; `kinds` are the claims it belongs to, none: all. `law` names
    the rule that meets it by legal system; empty where facts alone answer it."""

    id: str
    kinds: list[str]
    said: str
    answer: str
    law: dict[str, str]


class DenialsOut(Out):
    items: list[DenialOut]


@router.post(
    "/cases/{case_id}/letters",
    operation_id="write_letter",
    status_code=201,
    responses=problems("conflict"),
)
async def write(body: LetterIn, change: Changing, held: Held, response: Response) -> CaseStateOut:
    """Have a letter beside the steps written: it is made, then waits for approval."""
    letter_id = await write_letter(change, held.keyring, body)
    response.headers["Location"] = f"/v1/cases/{change.case.id}/letters/{letter_id}/pdf"
    return await answer(change, response)


@router.get("/denial-reasons", operation_id="list_denial_reasons")
async def list_denial_reasons(
    session: ReadSession, caller: Staff, language: LanguageCode = "en"
) -> DenialsOut:
    """What companies refuse claims for, and the answer that meets each."""
    items = [
        DenialOut(
            id=one.id, kinds=list(one.kinds), said=one.said.get(language, one.said["en"]),
            answer=one.answer.get(language, one.answer["en"]),
            law={system: rule.get(language, rule["en"]) for system, rule in one.law.items()},
        )
        for one in denials().values()
    ]  # fmt: skip
    return DenialsOut(items=items)
