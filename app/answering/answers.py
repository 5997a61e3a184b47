"""What a company says by a link, and what becomes of it: a message on the case that a person reads.

Whoever holds the letter can write here, so it is believed little: it moves no case, promises no
money and changes no account; a handler reads it and records what it means, as with any mail of low
trust (reliability, 6.1).
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final, Literal, get_args
from urllib.parse import parse_qsl

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app import engine
from app.crypto import token_hash
from app.domain.errors import InvalidInput, NotFound
from app.domain.events import MessageArrived
from app.ids import new_id
from app.moment import read_moment
from app.tables.answering import AnswerLinkRow
from app.tables.cases import CaseRow, LetterRow
from app.tables.correspondence import MessageRow

AnswerKind = Literal["paid", "will_pay", "offer", "need_paper", "not_us", "refuse"]
KINDS: Final[tuple[AnswerKind, ...]] = get_args(AnswerKind)
WITH_DAY: Final = ("paid", "will_pay")
WITH_WORDS: Final = ("need_paper", "not_us", "refuse")
WORDS_MAX: Final = 4_000  # characters of an explanation
NAME_MAX: Final = 200
AMOUNT_MAX: Final = 40
FIELDS_MAX: Final = 12
ANSWERS_MAX: Final = 20  # answers by one link; a letter is answered once or twice
CHANNEL: Final = "answer_link"


@dataclass(frozen=True, slots=True)
class Answer:
    """As the form was filled in; nothing of it is believed."""

    kind: AnswerKind
    on: date | None
    amount: str
    words: str
    name: str


@dataclass(frozen=True, slots=True)
class Asked:
    """The letter a link belongs to."""

    letter_id: uuid.UUID
    case_id: uuid.UUID
    kind: str
    language: str
    reference: str
    sent_on: date


async def asked_by(session: AsyncSession, token: str) -> Asked:
    """Unknown, expired, not sent yet: all alike NotFound."""
    now = (await read_moment(session)).now
    row = (
        await session.execute(
            select(
                LetterRow.id, LetterRow.case_id, LetterRow.kind, LetterRow.sent_at,
                AnswerLinkRow.language, CaseRow.reference,
            )
            .join(LetterRow, LetterRow.id == AnswerLinkRow.letter_id)
            .join(CaseRow, CaseRow.id == LetterRow.case_id)
            .where(
                AnswerLinkRow.token_hash == token_hash(token), AnswerLinkRow.expires_at > now,
                LetterRow.sent_at.is_not(None),
            )
        )
    ).one_or_none()  # fmt: skip
    if row is None:
        raise NotFound("this link is not known, or no longer works", code="link_not_found")
    return Asked(row.id, row.case_id, row.kind, row.language, row.reference, row.sent_at.date())


def read_form(body: bytes) -> Answer:
    """The fields of the form. Raises InvalidInput naming the field (kind, on, amount, words)."""
    try:
        pairs = parse_qsl(
            body.decode("utf-8"), keep_blank_values=True, max_num_fields=FIELDS_MAX,
            strict_parsing=bool(body), errors="strict",
        )  # fmt: skip
    except ValueError:
        raise InvalidInput("the form cannot be read", field="kind") from None
    fields = dict(pairs)
    kind = fields.get("kind", "")
    if kind not in KINDS:
        raise InvalidInput("choose one answer", field="kind")
    answer = Answer(
        kind, _day(fields.get("on", "")), _text(fields, "amount", AMOUNT_MAX),
        _text(fields, "words", WORDS_MAX), _text(fields, "name", NAME_MAX),
    )  # fmt: skip
    if kind in WITH_DAY and answer.on is None:
        raise InvalidInput("this answer needs a day", field="on")
    if kind == "offer" and not answer.amount:
        raise InvalidInput("an offer names an amount", field="amount")
    if kind in WITH_WORDS and not answer.words:
        raise InvalidInput("this answer needs an explanation", field="words")
    return answer


def _day(text: str) -> date | None:
    if not text.strip():
        return None
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise InvalidInput("the day cannot be read", field="on") from None


def _text(fields: dict[str, str], name: str, longest: int) -> str:
    text = fields.get(name, "").replace("\r\n", "\n").strip()
    if len(text) > longest:
        raise InvalidInput(f"at most {longest} characters", field=name)
    if any((ord(c) < 32 and c not in "\n\t") or c == "\x7f" for c in text):
        raise InvalidInput("characters that cannot be printed", field=name)
    return text


async def keep_answer(session: AsyncSession, token: str, answer: Answer, wording: str) -> Asked:
    """Files it as a message of low trust and tells the case that somebody wrote. The same answer
    sent twice is one. Raises NotFound; InvalidInput when the link has been used too often."""
    asked = await asked_by(session, token)
    now = (await read_moment(session)).now
    before = await session.scalar(
        select(MessageRow.id).where(
            MessageRow.case_id == asked.case_id, MessageRow.letter_id == asked.letter_id,
            MessageRow.channel == CHANNEL, MessageRow.text == wording,
        )
    )  # fmt: skip
    if before is not None:
        return asked
    counted = await session.execute(
        update(AnswerLinkRow)
        .where(AnswerLinkRow.letter_id == asked.letter_id, AnswerLinkRow.answered < ANSWERS_MAX)
        .values(answered=AnswerLinkRow.answered + 1)
        .returning(AnswerLinkRow.letter_id)
    )
    if counted.first() is None:
        raise InvalidInput("too many answers came by this link; please write to us", field="kind")
    await _file(session, asked, answer, wording, now)
    return asked


async def _file(
    session: AsyncSession, asked: Asked, answer: Answer, wording: str, now: datetime
) -> None:
    message_id = new_id()
    await session.execute(
        insert(MessageRow).values(
            id=message_id, case_id=asked.case_id, inbound_id=None, effect_id=None,
            letter_id=asked.letter_id, direction="in", channel=CHANNEL, sender="company",
            from_address="", to_address="", subject=f"{answer.kind}: {asked.reference}",
            text=wording, automatic=False, state="unread", pen_reasons=[], received_at=now,
            message_id_header=None, trust="low", trust_reasons=[CHANNEL],
            reading={"kind": answer.kind, "source": CHANNEL},
        )
    )  # fmt: skip
    event = MessageArrived(message_id, "company", automatic=False)
    await engine.advance(session, asked.case_id, event, actor=CHANNEL)
