"""Paper that came in is scanned and filed like a mail."""

from __future__ import annotations

import httpx
from sqlalchemy import text

from app.db import Database
from app.domain.case import Stage
from tests.support.api import People
from tests.support.cases import make_case
from tests.support.staff_work import get, problem


async def test_a_scanned_letter_waits_to_be_read_on_its_case_or_in_the_pen(
    client: httpx.AsyncClient, people: People, database: Database
) -> None:
    handler = await people.staff("handler")
    case = await make_case(database, stage=Stage.CONTACT, letter="delivered", handler_id=handler.id)
    headers = handler.auth | {"content-type": "application/pdf"}

    async def file(scan: bytes, query: str) -> httpx.Response:
        return await client.post(f"/v1/post?{query}", content=scan, headers=headers)

    to_case = f"subject=Refusal&sender=company&case_id={case.id}"
    done = await file(b"%PDF-1.7 we refuse", to_case)
    assert (done.status_code, done.json()["state"]) == (201, "unread"), done.text
    problem(await file(b"%PDF-1.7 we refuse", to_case), 409, "post_filed")
    problem(await file(b"MZ a program", to_case), 415, "file_type_mismatch")
    (shown,) = (await get(client, handler, f"/v1/cases/{case.id}/messages")).json()["items"]
    assert (shown["sender"], shown["subject"], shown["trust"]) == ("company", "Refusal", None)
    (paper,) = shown["attachments"]
    assert (paper["name"], paper["state"]) == ("Refusal.pdf", "unscanned")
    got = await client.get(paper["download"], headers=handler.auth)
    assert got.content == b"%PDF-1.7 we refuse"
    async with database.read() as session:
        pauses = (await session.execute(text("SELECT pauses FROM cases"))).scalar_one()
    assert [p["kind"] for p in pauses] == ["unread_reply"]
    unknown = await file(b"%PDF-1.7 whose is this", f"subject=About {case.reference}")
    assert unknown.json()["state"] == "pen", unknown.text
    (waiting,) = (await get(client, handler, "/v1/messages/pen")).json()["items"]
    assert (waiting["channel"], waiting["why"]) == ("post", ["came_by_post"])
    assert [g["reference"] for g in waiting["guesses"]] == [case.reference]
