"""The real render children print what the rows of a case say."""

from __future__ import annotations

import io
from dataclasses import replace

import pikepdf
import pytest
from sqlalchemy import text

from app.db import Database
from letters.pool import RenderPool
from tests.workers.conftest import relaying, until
from tests.workers.stage import effects_of, install, signed_case
from workers.effects.letter_seal import open_content
from workers.tools import Tools


@pytest.mark.slow
async def test_a_first_letter_becomes_a_pdf_of_its_stored_hash(
    database: Database, tools: Tools
) -> None:
    case = await signed_case(database, tools.settings, await install(database))
    async with RenderPool(1) as pool, relaying(replace(tools, renderer=pool)):
        await until(lambda: _rendered(database), seconds=40)
    async with database.read() as session:
        row = (await session.execute(text("SELECT * FROM letter_versions"))).one()
        content = await open_content(session, tools.keyring, row.letter_id, row.n)
    pdf = await tools.store.get(row.sha256)
    with pikepdf.open(io.BytesIO(pdf)) as opened:
        assert len(opened.pages) == row.pages
    assert row.subject.startswith(f"Claim {case.reference}")
    assert content["items"][0]["minor"] == 12_300
    assert content["claimants"][0]["address_lines"] == ["Koivukuja 4", "33100 Tampere"]
    assert content["payment"]["rf_reference"].startswith("RF")


async def _rendered(database: Database) -> bool:
    return any(e.kind == "RenderLetter" and e.state == "done" for e in await effects_of(database))
