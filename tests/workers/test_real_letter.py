"""The real render children print what the rows of a case say."""

from __future__ import annotations

import asyncio
import io
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pikepdf
import pytest
from sqlalchemy import text

from app.clock import wall_now
from app.db import Database
from app.documents.keys import letter_key
from letters.pool import RenderPool
from letters.sealing import KeyFile, Seal, development_seal, verify
from tests.workers.conftest import relaying, until
from tests.workers.stage import effects_of, install, signed_case
from workers.effects.letter_seal import open_content
from workers.sealer import ThreadSealer
from workers.tools import Tools


@pytest.mark.slow
async def test_a_first_letter_becomes_a_pdf_of_its_stored_hash(
    database: Database, tools: Tools, tmp_path: Path
) -> None:
    case = await signed_case(database, tools.settings, await install(database))
    made = development_seal(tmp_path, wall_now())
    sealer = ThreadSealer(Seal(made, KeyFile(made)))
    async with RenderPool(1) as pool, relaying(replace(tools, renderer=pool, sealer=sealer)):
        await until(lambda: _rendered(database), seconds=40)
    async with database.read() as session:
        row = (await session.execute(text("SELECT * FROM letter_versions"))).one()
        content = await open_content(session, tools.keyring, row.letter_id, row.n)
        key = await letter_key(session, tools.keyring, row.letter_id, row.sha256)
    pdf = await tools.store.get(row.sha256, key)
    with pikepdf.open(io.BytesIO(pdf)) as opened:
        assert len(opened.pages) == row.pages
    (seal,) = await asyncio.to_thread(verify, pdf, made)
    assert seal.good and seal.ours and seal.at is not None
    # The seal's time is the order's, to the second that a PDF writes; and the rest of the file is
    # what was rendered, byte by byte.
    (order,) = [e for e in await effects_of(database) if e.kind == "RenderLetter"]
    assert seal.at == row.sealed_at.replace(microsecond=0)
    assert row.sealed_at == order.staged_at
    end = pdf.index(b"%%EOF") + len(b"%%EOF\n")
    assert sha256(pdf[:end]).hexdigest() == row.rendered_sha256
    assert row.subject.startswith(f"Claim {case.reference}")
    assert content["items"][0]["minor"] == 12_300
    assert content["claimants"][0]["address_lines"] == ["Koivukuja 4", "33100 Tampere"]
    assert content["payment"]["rf_reference"].startswith("RF")


async def _rendered(database: Database) -> bool:
    return any(e.kind == "RenderLetter" and e.state == "done" for e in await effects_of(database))
