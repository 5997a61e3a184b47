"""Anybody who holds a letter may ask whether we sent it."""

from __future__ import annotations

import httpx
from sqlalchemy import text

from app.db import Database
from app.domain.case import Stage
from tests.support.cases import make_case


async def test_a_stranger_learns_the_day_and_the_kind_and_nothing_about_people(
    client: httpx.AsyncClient, database: Database
) -> None:
    sent = await make_case(database, stage=Stage.REMINDER, letter="sent")
    waits = await make_case(database, stage=Stage.FORMAL_NOTICE, letter="to_approve")
    answers = []
    async with database.read() as session:
        day = await session.scalar(
            text("SELECT sent_at FROM letters WHERE id = :id"), {"id": sent.letter_id}
        )
    for digest in (sent.sha256, waits.sha256, "0" * 64):
        answer = await client.post("/v1/letters/sent", json={"sha256": digest})
        answers.append(answer.json())
    nothing = {"sent": False, "kind": None, "sent_on": None}
    assert answers == [
        {"sent": True, "kind": "reminder", "sent_on": day.date().isoformat()}, nothing, nothing,
    ]  # fmt: skip
    refused = await client.post("/v1/letters/sent", json={"sha256": "A" * 64})
    assert refused.status_code == 422
