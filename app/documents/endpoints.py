"""POST /v1/letters/sent: did you send this? Anybody who holds a letter may ask."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from pydantic import Field
from sqlalchemy import select

from app.deps import Held, Router
from app.schemas import In, Out
from app.tables.cases import LetterRow

router = Router(prefix="/v1", tags=["check"])


class LetterAskedIn(In):
    sha256: Annotated[
        str,
        Field(
            pattern=r"^[0-9a-f]{64}$",
            description="SHA-256 of the file's bytes, as 64 lower-case hex digits.",
        ),
    ]


class LetterAskedOut(Out):
    """`kind` of the letter and the day (UTC) on which it left; both null where `sent` is false."""

    sent: bool
    kind: str | None
    sent_on: date | None


@router.post("/letters/sent", operation_id="public_letter_check")
async def public_letter_check(body: LetterAskedIn, held: Held) -> LetterAskedOut:
    """Whether this very file left us as a letter, what kind it was and on which day. Says nothing
    about people: whoever asks holds the letter already, and a hash cannot be guessed."""
    asked = (
        select(LetterRow.kind, LetterRow.sent_at)
        .where(LetterRow.sha256 == body.sha256, LetterRow.sent_at.is_not(None))
        .order_by(LetterRow.sent_at)
        .limit(1)
    )
    async with held.database.read() as session:
        found = (await session.execute(asked)).one_or_none()
    if found is None:
        return LetterAskedOut(sent=False, kind=None, sent_on=None)
    return LetterAskedOut(sent=True, kind=found.kind, sent_on=found.sent_at.date())
