"""The holding pen: what could not be placed waits with its reasons until a person places it."""

from __future__ import annotations

from uuid import UUID

import httpx
from sqlalchemy import insert

from app.clock import wall_now
from app.db import Database
from app.domain.case import Stage
from app.ids import new_id
from app.tables.correspondence import MessageRow
from tests.support.api import People
from tests.support.cases import make_case
from tests.support.staff_work import get, one, post, problem


async def in_pen(database: Database, *, automatic: bool = False) -> UUID:
    message_id = new_id()
    async with database.transaction() as session:
        await session.execute(
            insert(MessageRow).values(
                id=message_id,
                case_id=None,
                direction="in",
                channel="email",
                sender="unknown",
                from_address="anna@people.test",
                to_address="info@agency.test",
                subject="My parcel",
                text="Where is it?",
                automatic=automatic,
                state="pen",
                pen_reasons=["no_case_address"],
                received_at=wall_now(),
            )
        )
    return message_id


async def test_a_message_is_filed_to_a_case_and_waits_to_be_read(
    client: httpx.AsyncClient, people: People, database: Database
) -> None:
    handler = await people.staff("handler")
    case = await make_case(database, stage=Stage.CONTACT, letter="delivered", handler_id=handler.id)
    message_id = await in_pen(database)
    shown = (await get(client, handler, "/v1/messages/pen")).json()["items"]
    assert [(m["id"], m["why"]) for m in shown] == [(str(message_id), ["no_case_address"])]
    path = f"/v1/messages/{message_id}/file"
    filed = await post(client, handler, path, {"case_id": str(case.id), "sender": "company"})
    assert filed.status_code == 200, filed.text
    assert filed.json()["pauses"][0]["kind"] == "unread_reply"
    assert "read_reply" in [t["kind"] for t in filed.json()["open_tasks"]]
    row = await one(
        database, "SELECT case_id, sender, state FROM messages WHERE id = :id", id=message_id
    )
    assert tuple(row) == (case.id, "company", "unread")
    assert (await get(client, handler, "/v1/messages/pen")).json()["items"] == []
    problem(
        await post(client, handler, path, {"case_id": str(case.id), "sender": "company"}),
        409,
        "message_filed",
    )


async def test_nothing_is_filed_to_a_foreign_case(
    client: httpx.AsyncClient, people: People, database: Database
) -> None:
    handler, other = await people.staff("handler"), await people.staff("handler")
    case = await make_case(database, handler_id=other.id)
    message_id = await in_pen(database)
    problem(
        await post(
            client,
            handler,
            f"/v1/messages/{message_id}/file",
            {"case_id": str(case.id), "sender": "company"},
        ),
        404,
        "case_not_found",
    )
    row = await one(database, "SELECT state FROM messages WHERE id = :id", id=message_id)
    assert row.state == "pen"


async def test_an_auditor_sees_that_something_waits_not_what_it_says(
    client: httpx.AsyncClient, people: People, database: Database
) -> None:
    auditor, finance = await people.staff("auditor"), await people.staff("finance")
    await in_pen(database)
    shown = (await get(client, auditor, "/v1/messages/pen")).json()["items"][0]
    assert (shown["from_address"], shown["subject"], shown["text"]) == ("***@people.test", "", "")
    problem(await get(client, finance, "/v1/messages/pen"), 403, "forbidden")
