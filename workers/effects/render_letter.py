"""RenderLetter: make the bytes of a letter and store them once under their hash.

The bytes are a function of the content, and a name is given once: doing it twice does nothing,
so an interrupted render is simply repeated. The seal names the moment the order was staged, so a
repeated one is the same too (with an RSA key and no timestamp; else the first try leaves bytes that
no row names).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.answering.links import NewLink, answer_link, keep_link, new_link
from app.crypto import SubjectCipher
from app.documents.sealing import DocumentKey
from app.domain.case import LetterKind
from app.domain.effects import RenderLetter
from app.domain.events import Event, LetterRendered
from app.domain.interest.rates import Missing
from app.domain.other_letters import find
from app.tables.cases import LetterVersionRow
from letters.content import AnyLetter, DemandLetter, LetterError, RenderFailed, to_dict
from letters.sealing import SealDisturbed
from workers.effects.handler import Done, Order, Prepared
from workers.effects.letter_rows import read_letter_rows
from workers.effects.letter_seal import seal_content
from workers.letter_content import build_content
from workers.letter_interest import ask_for_rates
from workers.letter_words import subject_in_words
from workers.mail import address_book
from workers.providers import OWN_STORE
from workers.providers.delivery import Delivery, Guard
from workers.providers.errors import NoLongerWanted, ProviderError, Refused, Transient
from workers.tools import Tools

RENDER_SECONDS_MAX = 130.0  # a letter may take 40 s of a child that first takes 60 s to start

# We act no longer, or the words are not ours: the page is no place to answer them.
WITHOUT_ANSWER = (LetterKind.CLOSING_COMPANY, LetterKind.DECLARATION)


@dataclass(frozen=True, slots=True)
class Rendered:
    sealed: bytes
    sealed_for: list[UUID]
    deadline: date | None
    sha256: str  # of the stored bytes
    rendered_sha256: str  # of the bytes before the seal
    sealed_at: datetime | None
    pages: int
    size_bytes: int
    subject: str
    language: str
    missing: tuple[Missing, ...] = ()
    link: NewLink | None = None  # by which the company answers


@dataclass(frozen=True, slots=True)
class Draft:
    """What the letter says, the rates that its interest lacks, and the keys that seal it."""

    letter: AnyLetter
    missing: tuple[Missing, ...]
    ciphers: Sequence[SubjectCipher]


class RenderLetterHandler:
    effect = RenderLetter
    timeout_seconds = RENDER_SECONDS_MAX

    def provider(self, tools: Tools, prepared: Any) -> str:
        return OWN_STORE

    async def prepare(
        self, tools: Tools, session: AsyncSession, orders: Sequence[Order[RenderLetter]]
    ) -> Prepared:
        book = address_book(tools.settings)
        out: dict[UUID, Draft | ProviderError] = {}
        for order in orders:
            letter_id = order.effect.letter_id
            rows = await read_letter_rows(tools, session, order.effect.case_id, letter_id)
            step = rows.case.letter
            letter = step if step and step.id == letter_id else find(rows.case, letter_id)
            if letter is None:
                out[order.id] = NoLongerWanted("the case has moved on to another letter")
                continue
            try:
                content, missing = build_content(rows, letter, book)
                if letter.recipient == "company" and letter.kind not in WITHOUT_ANSWER:
                    link = answer_link(tools.settings, letter_id)
                    content = replace(content, answer_link=link)
                out[order.id] = Draft(content, missing, rows.ciphers)
            except LetterError as incomplete:
                out[order.id] = Refused(str(incomplete))
        return out

    async def act(
        self, tools: Tools, order: Order[RenderLetter], prepared: Any, guard: Guard
    ) -> Done:
        draft: Draft = prepared
        content = to_dict(draft.letter)
        try:
            made = await tools.renderer.render(content)
        except RenderFailed as failed:
            if "closed" in str(failed):
                raise Transient("the worker is stopping", retry_after=1) from None
            raise  # our trouble: three tries, then parked
        except LetterError as refused:
            raise Refused(str(refused)) from None
        sealed_at = order.claimed.staged_at if tools.sealer is not None else None
        pdf = await sealed(tools, made.pdf, order.claimed.staged_at)
        digest = await tools.store.put(pdf, DocumentKey(draft.ciphers))
        rendered = Rendered(
            seal_content(content, draft.ciphers, order.effect.letter_id),
            [cipher.subject_id for cipher in draft.ciphers],
            draft.letter.deadline if isinstance(draft.letter, DemandLetter) else None,
            digest, made.sha256, sealed_at, made.pages, len(pdf),
            subject_of(draft.letter), draft.letter.language, draft.missing,
            new_link(tools.settings, order.effect.letter_id) if draft.letter.answer_link else None,
        )  # fmt: skip
        return Done(Delivery(OWN_STORE, f"{order.id}", detail=digest), made=rendered)

    async def record(
        self,
        session: AsyncSession,
        done: Sequence[tuple[Order[RenderLetter], Any, Done]],
        now: datetime,
    ) -> None:
        lacking: dict[Missing, UUID] = {}
        for order, _, d in done:
            made: Rendered = d.made
            await session.execute(
                insert(LetterVersionRow)
                .values(
                    letter_id=order.effect.letter_id, n=order.effect.n, content_cipher=made.sealed,
                    sealed_for=made.sealed_for, deadline=made.deadline, sha256=made.sha256,
                    rendered_sha256=made.rendered_sha256, sealed_at=made.sealed_at,
                    pages=made.pages, size_bytes=made.size_bytes, subject=made.subject,
                    language=made.language, created_at=now,
                )
                .on_conflict_do_nothing()
            )  # fmt: skip
            if made.link is not None:
                letter_id = order.effect.letter_id
                await keep_link(
                    session, made.link, letter_id=letter_id, language=made.language, now=now
                )
            lacking |= dict.fromkeys(made.missing, order.effect.case_id)
        await ask_for_rates(session, lacking, now=now)

    def facts(self, order: Order[RenderLetter], done: Done, now: datetime) -> Sequence[Event]:
        effect, made = order.effect, done.made
        return (LetterRendered(letter_id=effect.letter_id, step=effect.step, sha256=made.sha256),)


async def sealed(tools: Tools, pdf: bytes, at: datetime) -> bytes:
    """With the agency's seal, where there is one. A seal that cannot be used is our trouble."""
    if tools.sealer is None:
        return pdf
    try:
        return await tools.sealer.seal(pdf, at)
    except SealDisturbed as away:
        raise Transient(str(away), retry_after=30) from None


def subject_of(letter: AnyLetter) -> str:
    """`Claim RC-..., flight NB 2204`: the mail's subject and the letter's name in lists."""
    return f"{subject_in_words(letter.kind, letter.language)} {letter.reference}, {letter.service}"
