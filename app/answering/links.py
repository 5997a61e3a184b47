"""The link of a letter: 256 bits that belong to it and are derived from it, so a letter made twice
carries the same one; only its hash is kept, with the day on which it stops working."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.crypto import derive, token_for, token_hash
from app.settings import Settings
from app.tables.answering import AnswerLinkRow

PURPOSE: Final = "answer-link"


def answer_token(settings: Settings, letter_id: uuid.UUID) -> str:
    """43 characters of base64url: the token of this letter."""
    key = derive(settings.secret_key.get_secret_value(), PURPOSE)
    return token_for(key, f"answer:{letter_id}")


def answer_link(settings: Settings, letter_id: uuid.UUID) -> str:
    """The address that stands in the letter and in its QR code."""
    return f"{settings.public_url}/v1/answers/{answer_token(settings, letter_id)}"


@dataclass(frozen=True, slots=True)
class NewLink:
    """What is kept of a letter's link: the hash of its token and how many days it works."""

    hash: bytes
    days: int


def new_link(settings: Settings, letter_id: uuid.UUID) -> NewLink:
    """Of the link that `answer_link` names."""
    return NewLink(token_hash(answer_token(settings, letter_id)), settings.answer_link_days)


async def keep_link(
    session: AsyncSession, link: NewLink, *, letter_id: uuid.UUID, language: str, now: datetime
) -> None:
    """Written down when the letter is made; a letter made again keeps its link and its day."""
    await session.execute(
        insert(AnswerLinkRow)
        .values(
            token_hash=link.hash, letter_id=letter_id, language=language, made_at=now,
            answered=0, expires_at=now + timedelta(days=link.days),
        )
        .on_conflict_do_nothing()
    )  # fmt: skip
