"""A letter through a company's web form: prepared by us, copied by a person, proven."""

from __future__ import annotations

from datetime import timedelta

import httpx
from sqlalchemy import text

from app import engine
from app.clock import wall_now
from app.db import Database
from app.domain import events as e
from app.domain.case import Stage
from tests.support.api import People
from tests.support.cases import Made, make_case
from tests.support.staff_work import get, one, post, problem

FORM = [
    {"field": "Booking code", "takes": "booking"},
    {"field": "What is it about?", "text": "Refund"},
    {"field": "Describe your matter", "takes": "message"},
    {"field": "E-mail for the answer", "takes": "reply_address"},
]


async def only_a_portal(database: Database, case: Made) -> None:
    async with database.transaction() as session:
        await session.execute(
            text("UPDATE channels SET health = 'dead' WHERE company_id = :id AND kind <> 'portal'"),
            {"id": case.company_id},
        )


async def version_of(database: Database, case: Made) -> int:
    return int((await one(database, "SELECT version FROM cases WHERE id = :id", id=case.id))[0])


async def test_a_letter_is_filed_by_hand_with_its_ticket_and_the_clock_runs(
    client: httpx.AsyncClient, people: People, database: Database
) -> None:
    handler = await people.staff("handler")
    case = await make_case(database, stage=Stage.CONTACT, letter="delivered", handler_id=handler.id)
    channels = f"/v1/companies/{case.company_id}/channels"
    portal = {"kind": "portal", "address": "https://slow.example/claims", "source": "their site"}
    phone = portal | {"kind": "phone", "address": "+358 1", "form": FORM}
    refused = await post(client, handler, channels, phone)
    assert refused.status_code == 422
    both = [{"field": "x", "takes": "booking", "text": "y"}]
    assert (await post(client, handler, channels, portal | {"form": both})).status_code == 422
    made = await post(client, handler, channels, portal | {"form": FORM, "language": "en"})
    assert made.status_code == 201, made.text
    assert [line["field"] for line in made.json()["form"]] == [line["field"] for line in FORM]

    place = f"/v1/cases/{case.id}/letters/{case.letter_id}/portal"
    problem(await get(client, handler, place), 409, "not_to_be_filed")
    await only_a_portal(database, case)
    async with database.transaction() as session:
        bounced = e.LetterBounced(case.letter_id, hard=True, reason="550")
        await engine.advance(session, case.id, bounced, actor="system")
    async with database.transaction() as session:
        rendered = e.LetterRendered(case.letter_id, 1, "cd" * 32, 2)
        await engine.advance(session, case.id, rendered, actor="system")

    work = (await get(client, handler, place)).json()
    assert work["address"] == "https://slow.example/claims"
    told = {line["field"]: line["text"] for line in work["fields"]}
    assert told["What is it about?"] == "Refund"
    assert told["E-mail for the answer"].startswith("case+")
    message = told["Describe your matter"]
    assert case.reference in message and "€120.00" in message and "Anna Virtanen" in message
    assert "{" not in message and "None" not in message

    at = (wall_now() + timedelta(days=1)).isoformat()
    now = await version_of(database, case)
    nothing = await post(client, handler, place, {"at": at}, version=now)
    assert nothing.status_code == 422, "no proof, no filing"
    late = await post(client, handler, place, {"at": at, "ticket_number": "T-1"}, version=now)
    problem(late, 422, "date_in_future")
    body = {"at": wall_now().isoformat(), "ticket_number": "SLOW-88172"}
    done = await post(client, handler, place, body, version=now)
    assert done.status_code == 200, done.text
    assert done.json()["waiting_on"] == "company"
    row = await one(
        database,
        "SELECT l.state, l.evidence_grade, f.ticket_number, m.channel, m.to_address,"
        " (SELECT state FROM tasks WHERE kind = 'file_at_portal') AS task"
        " FROM letters l JOIN portal_filings f ON f.letter_id = l.id"
        " JOIN messages m ON m.letter_id = l.id AND m.channel = 'portal' WHERE l.id = :id",
        id=case.letter_id,
    )
    assert tuple(row) == (
        "delivered", "recipient_server", "SLOW-88172", "portal", "https://slow.example/claims",
        "done",
    )  # fmt: skip
    again = await post(client, handler, place, body, version=await version_of(database, case))
    problem(again, 409, "not_to_be_filed")
