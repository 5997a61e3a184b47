"""Finding a case by what a person has in hand."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from app.case_state import AmountOut
from app.schemas import NAME_MAX, Out, clean_text

Matched = Literal["reference", "name", "company", "iban_tail", "booking"]


def _line(value: str) -> str:
    return clean_text(value, lines=False)


Query = Annotated[str, Field(min_length=2, max_length=NAME_MAX), AfterValidator(_line)]


class FoundOut(Out):
    """`matched` says by what. `consumer` is null for those who see amounts only, or masked."""

    case_id: uuid.UUID
    reference: str
    matched: list[Matched]
    consumer: str | None
    company: str
    stage: str
    waiting_on: str | None
    due_at: datetime | None
    claimed: AmountOut
    handler_id: uuid.UUID | None


class SearchOut(Out):
    """`narrow_down`: more people, companies or accounts fit than were looked at; write more."""

    items: list[FoundOut]
    next_cursor: str | None
    narrow_down: bool
