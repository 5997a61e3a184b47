"""A statement and a bundle are made by the real children from the rows of a case."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from types import SimpleNamespace
from typing import Any

import pikepdf
import pytest
from sqlalchemy import insert, select, text

from app.db import Database
from app.documents.keys import key_to_write, paper_key
from app.documents.papers import Wanted, order_papers
from app.ids import new_id
from app.moment import read_moment
from app.tables.papers import CasePaperRow, PaperFileRow
from app.tables.work import EvidenceRow
from letters.plain import plain_pdf
from letters.pool import RenderPool
from tests.workers.conftest import relaying, until
from tests.workers.stage import Staged, effects_of, install, signed_case
from workers.effects.enclosed import with_exhibits
from workers.mail import Draft
from workers.tools import Tools

AT = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.mark.slow
async def test_a_statement_and_a_bundle_are_made_of_what_may_leave(
    database: Database, tools: Tools
) -> None:
    case = await signed_case(database, tools.settings, await install(database))
    files = {"the contract": plain_pdf(["We sell you a kettle."]), "a note": plain_pdf(["Mine."])}
    async with database.transaction() as session:
        now = (await read_moment(session)).now
        mine = await key_to_write(session, tools.keyring, case.consumer_id, now)
        for what, pdf in files.items():
            await tools.store.put(pdf, mine)
            await session.execute(
                insert(EvidenceRow).values(
                    id=new_id(), case_id=case.case_id, uploaded_by="staff:a", file_name="x.pdf",
                    media_type="application/pdf", size_bytes=len(pdf), what=what,
                    sha256=sha256(pdf).hexdigest(), storage_key="k", uploaded_at=now,
                    state="clean" if what == "the contract" else "rejected",
                )
            )  # fmt: skip
        wanted = [
            Wanted(new_id(), case.case_id, "statement", case.claimant_id),
            Wanted(new_id(), case.case_id, "bundle", language="fi"),
        ]
        await order_papers(session, wanted, actor="staff:a", now=now)

    async def made() -> bool:
        orders = [e for e in await effects_of(database) if e.kind == "MakePaper"]
        return len(orders) == 2 and all(e.state not in ("planned", "sending") for e in orders)

    async with RenderPool(1) as pool, relaying(replace(tools, renderer=pool)):
        await until(made, seconds=60)
    for one in wanted:
        async with database.read() as session:
            row = await session.get(CasePaperRow, one.id)
            file = (
                await session.scalars(select(PaperFileRow).where(PaperFileRow.paper_id == one.id))
            ).one()
            key = await paper_key(session, tools.keyring, case.case_id, one.claimant_id)
        assert row is not None and row.made_at is not None
        stored = await tools.store.get(file.sha256, key)
        with pikepdf.open(io.BytesIO(stored)) as document:
            assert len(document.pages) == file.pages
            if one.kind == "bundle":
                assert str(document.Root.Lang) == "fi"
                with document.open_outline() as outline:
                    titles = [entry.title for entry in outline.root]
                assert titles[:2] == ["Todisteluettelo", "1. the contract"]
                assert all("note" not in title for title in titles), "what was rejected stays out"
    await _goes_with_a_complaint(database, tools, case)


async def _goes_with_a_complaint(database: Database, tools: Tools, case: Staged) -> None:
    """Attached where it fits, behind a link where it does not; with no other letter at all."""
    async with database.transaction() as session:
        letter_id = await session.scalar(
            text("SELECT id FROM letters WHERE case_id = :id"), {"id": case.case_id}
        )
    effect = SimpleNamespace(letter_id=letter_id, case_id=case.case_id)
    order: Any = SimpleNamespace(id=new_id(), effect=effect)
    mail = Draft(order.id, "Board", "board@body.test", "Complaint", "Dear", AT, "We", language="fi")
    assert await with_exhibits(tools, order, mail) == mail
    async with database.transaction() as session:
        await session.execute(text("UPDATE letters SET kind = 'complaint', recipient = 'body'"))
    [(name, data)] = (await with_exhibits(tools, order, mail)).attachments
    assert name.endswith("-exhibits.pdf") and data.startswith(b"%PDF")
    narrow = tools.settings.model_copy(update={"mail_attachment_bytes_max": 1_000})
    linked = await with_exhibits(replace(tools, settings=narrow), order, mail)
    assert not linked.attachments and "/v1/documents/" in linked.text
