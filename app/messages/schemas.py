"""The holding pen: what came in and could not be placed, with the reasons."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Literal

from app.schemas import Id, In, Out


class PenMessageOut(Out):
    """`why` says in codes what spoke against placing it."""

    id: uuid.UUID
    received_at: datetime
    channel: str
    from_address: str
    to_address: str
    subject: str
    text: str
    automatic: bool
    why: list[str]


class PenOut(Out):
    items: list[PenMessageOut]
    next_cursor: str | None


class FileMessageIn(In):
    """Which case it belongs to, and who wrote it as a person reads it."""

    case_id: Id
    sender: Literal["company", "body", "consumer", "unknown"]
