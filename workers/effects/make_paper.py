"""MakePaper: the files of a paper of the case, stored once under their hash."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.documents.sealing import DocumentKey
from app.domain.effects import MakePaper
from app.domain.errors import RecourseError
from app.domain.events import Event
from app.tables.papers import CasePaperRow, PaperFileRow
from letters.errors import LetterError, RenderFailed
from letters.papers import AnyPaper, paper_dict
from workers.bundles import Plan, make_bundle, plan_of
from workers.effects.handler import Done, Order, Prepared
from workers.papers import asked_of, content_of, file_name, key_to_keep
from workers.providers import OWN_STORE
from workers.providers.delivery import Delivery, Guard
from workers.providers.errors import NoLongerWanted, ProviderError, Refused, Transient
from workers.tools import Tools

RENDER_SECONDS_MAX = 600.0  # a bundle is counted and bound (240 s each), its index printed


@dataclass(frozen=True, slots=True)
class MadeFile:
    """A stored file of a paper."""

    sha256: str
    pages: int
    size_bytes: int
    file_name: str


class MakePaperHandler:
    effect = MakePaper
    timeout_seconds = RENDER_SECONDS_MAX

    def provider(self, tools: Tools, prepared: Any) -> str:
        return OWN_STORE

    async def prepare(
        self, tools: Tools, session: AsyncSession, orders: Sequence[Order[MakePaper]]
    ) -> Prepared:
        wanted = [order.effect.paper_id for order in orders]
        found = await session.execute(
            select(CasePaperRow.__table__).where(CasePaperRow.id.in_(wanted))
        )
        rows = {row["id"]: row for row in found.mappings()}
        out: dict[UUID, tuple[AnyPaper, DocumentKey] | Plan | ProviderError] = {}
        for order in orders:
            row = rows.get(order.effect.paper_id)
            if row is None or row["made_at"] is not None:
                out[order.id] = NoLongerWanted("this paper is made, or not wanted")
                continue
            try:
                if row["kind"] == "bundle":
                    out[order.id] = await plan_of(
                        session, tools.keyring, row["case_id"], row["language"]
                    )
                else:
                    asked = asked_of(dict(row))
                    out[order.id] = (
                        await content_of(session, tools.keyring, asked),
                        await key_to_keep(session, tools.keyring, asked),
                    )
            except (LetterError, RecourseError) as lacking:
                out[order.id] = Refused(str(lacking))
            except NoLongerWanted as gone:
                out[order.id] = gone
        return out

    async def act(self, tools: Tools, order: Order[MakePaper], prepared: Any, guard: Guard) -> Done:
        if isinstance(prepared, Plan):
            made = await bound_files(tools, prepared)
            language: str = prepared.index.language
        else:
            paper, key = prepared
            one, _ = await make_paper(tools, paper, key)
            made, language = [one], paper.language
        delivery = Delivery(OWN_STORE, f"{order.id}", detail=made[0].sha256)
        return Done(delivery, made=(language, made))

    async def record(
        self,
        session: AsyncSession,
        done: Sequence[tuple[Order[MakePaper], Any, Done]],
        now: datetime,
    ) -> None:
        for order, _, d in done:
            language, made = d.made
            await keep_made(session, order.effect.paper_id, language, made, now)

    def facts(self, order: Order[MakePaper], done: Done, now: datetime) -> Sequence[Event]:
        return ()


async def bound_files(tools: Tools, plan: Plan) -> list[MadeFile]:
    """The parts of a bundle, stored. Raises Refused, Transient, RenderFailed."""
    try:
        parts = await make_bundle(tools, plan)
    except RenderFailed as failed:
        if failed.kind == "closed":
            raise Transient("the worker is stopping", retry_after=1) from None
        raise  # three tries, then parked
    except LetterError as refused:
        raise Refused(str(refused)) from None
    made = []
    for number, (pdf, pages) in enumerate(parts, start=1):
        digest = await tools.store.put(pdf, plan.key)
        part = f"-{number}" if len(parts) > 1 else ""
        name = f"{plan.index.reference}-exhibits{part}.pdf"
        made.append(MadeFile(digest, pages, len(pdf), name))
    return made


async def make_paper(tools: Tools, paper: AnyPaper, key: DocumentKey) -> tuple[MadeFile, bytes]:
    """Rendered and stored. Raises Refused, Transient, or RenderFailed for our own trouble."""
    try:
        made = await tools.renderer.render(paper_dict(paper))
    except RenderFailed as failed:
        if failed.kind == "closed":
            raise Transient("the worker is stopping", retry_after=1) from None
        raise  # three tries, then parked
    except LetterError as refused:
        raise Refused(str(refused)) from None
    digest = await tools.store.put(made.pdf, key)
    return MadeFile(digest, made.pages, len(made.pdf), file_name(paper)), made.pdf


async def keep_made(
    session: AsyncSession,
    paper_id: UUID,
    language: str,
    files: Sequence[MadeFile],
    now: datetime,
) -> None:
    """The paper is made, by whoever comes first."""
    mine = await session.scalar(
        update(CasePaperRow)
        .where(CasePaperRow.id == paper_id, CasePaperRow.made_at.is_(None))
        .values(made_at=now, language=language)
        .returning(CasePaperRow.id)
    )
    if mine is None:
        return
    await session.execute(
        insert(PaperFileRow),
        [
            {
                "paper_id": paper_id, "part": part, "sha256": made.sha256, "pages": made.pages,
                "size_bytes": made.size_bytes, "file_name": made.file_name,
            }
            for part, made in enumerate(files, start=1)
        ],
    )  # fmt: skip
