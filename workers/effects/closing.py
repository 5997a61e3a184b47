"""The statement of account that goes with the notice that a case has ended.

It is kept as a paper of the case under the id of the notice's order, before anything leaves: a
repetition sends the same bytes.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.documents.papers import Wanted, keep_paper, order_papers
from app.documents.sealing import DocumentKey
from app.domain.effects import NotifyConsumer
from app.domain.errors import RecourseError
from app.moment import read_moment
from app.tables.papers import PaperFileRow
from letters.errors import LetterError
from letters.papers import Statement
from workers.effects.handler import Order
from workers.effects.make_paper import MadeFile, keep_made, make_paper
from workers.effects.paper import Sheet
from workers.effects.people import Person
from workers.mail import Draft
from workers.papers import Asked, content_of, key_to_keep
from workers.providers.errors import Refused, Transient
from workers.tools import Tools
from workers.trouble import DATABASE_TROUBLE

OURS: Final = "system"


@dataclass(frozen=True, slots=True)
class Closing:
    """The word, and the statement to go with it; `made` is the stored one of an earlier try.

    Neither: it lacks something. The word goes alone, and the statement is ordered by itself, so
    that a person is told what it lacks.
    """

    word: Draft | Sheet
    claimant_id: UUID
    statement: Statement | None = None
    made: Mapping[str, Any] | None = None
    key: DocumentKey | None = None


async def with_statement(
    tools: Tools,
    session: AsyncSession,
    order: Order[NotifyConsumer],
    who: Person,
    word: Draft | Sheet,
) -> Closing:
    """What the statement says now."""
    made = (
        (
            await session.execute(
                select(PaperFileRow.sha256, PaperFileRow.file_name).where(
                    PaperFileRow.paper_id == order.id
                )
            )
        )
        .mappings()
        .one_or_none()
    )
    asked = Asked(
        order.id, order.effect.case_id, "statement", who.claimant_id, who.language, closing=True
    )
    try:
        key = await key_to_keep(session, tools.keyring, asked)
        if made is not None:
            return Closing(word, who.claimant_id, made=dict(made), key=key)
        content = await content_of(session, tools.keyring, asked)
    except (LetterError, RecourseError):
        return Closing(word, who.claimant_id)
    assert isinstance(content, Statement)
    return Closing(word, who.claimant_id, statement=content, key=key)


async def enclosing(tools: Tools, order: Order[NotifyConsumer], closing: Closing) -> Draft | Sheet:
    """The word with its statement, stored and written down. Raises Transient."""
    if closing.made is not None:
        pdf = await tools.store.get(closing.made["sha256"], closing.key)
        return _with(closing.word, closing.made["file_name"], pdf)
    made: MadeFile | None = None
    pdf = b""
    if closing.statement is not None and closing.key is not None:
        with suppress(Refused):  # a name no font of ours can print
            made, pdf = await make_paper(tools, closing.statement, closing.key)
    try:
        async with tools.database.transaction() as session:
            now = (await read_moment(session)).now
            wanted = Wanted(order.id, order.effect.case_id, "statement", closing.claimant_id)
            if made is None:
                await order_papers(session, [wanted], actor=OURS, now=now)
            else:
                await keep_paper(session, wanted, actor=OURS, now=now)
                language = closing.statement.language if closing.statement else "en"
                await keep_made(session, order.id, language, [made], now)
    except DATABASE_TROUBLE as trouble:
        raise Transient(f"no statement: {type(trouble).__name__}") from None
    if made is None:
        return closing.word
    return _with(closing.word, made.file_name, pdf)


def _with(word: Draft | Sheet, name: str, pdf: bytes) -> Draft | Sheet:
    if isinstance(word, Sheet):
        return replace(word, enclosed=pdf)
    return replace(word, attachments=(*word.attachments, (name, pdf)))
