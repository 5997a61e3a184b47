"""One company at a glance: what came of its channels, and a fix that reaches every case."""

from __future__ import annotations

import uuid

import httpx
from sqlalchemy import insert, text

from app.channel_health import note_arrivals
from app.clock import wall_now
from app.db import Database
from app.domain.case import Stage
from app.ids import new_id
from app.tables.correspondence import MessageRow
from tests.support.api import People
from tests.support.cases import Made, make_case
from tests.support.staff_work import get, one, post, problem


async def sent_to(database: Database, case: Made, address: str) -> None:
    """The file's own line of a letter that went out by mail."""
    async with database.transaction() as session:
        await session.execute(
            insert(MessageRow).values(
                id=new_id(), case_id=case.id, letter_id=case.letter_id, direction="out",
                channel="email", sender="us", from_address="", to_address=address, subject="",
                text="", automatic=False, state="sent", pen_reasons=[], received_at=wall_now(),
            )
        )  # fmt: skip


async def address_of(database: Database, company: uuid.UUID, kind: str = "email") -> str:
    row = await one(
        database, "SELECT address FROM channels WHERE company_id = :id AND kind = :kind",
        id=company, kind=kind,
    )  # fmt: skip
    return str(row.address)


async def test_one_hard_bounce_teaches_every_case_and_one_fix_reaches_them_all(
    client: httpx.AsyncClient, people: People, database: Database
) -> None:
    senior = await people.staff("senior")
    first = await make_case(database, stage=Stage.CONTACT, letter="delivered")
    company = first.company_id
    address = await address_of(database, company)
    await sent_to(database, first, address)
    path = f"/v1/cases/{first.id}/letters/{first.letter_id}/bounced"
    bounced = await post(client, senior, path, {"reason": "mailbox gone", "hard": True}, case=first)
    assert bounced.status_code == 200, bounced.text
    row = await one(
        database, "SELECT health, last_error FROM channels WHERE company_id = :id AND kind='email'",
        id=company,
    )  # fmt: skip
    assert (row.health, row.last_error) == ("dead", "came back, by a person's word")
    second = await make_case(database, stage=Stage.CONTACT, company_id=company)
    assert second.case.letter is not None and second.case.letter.channel == "post"
    async with database.transaction() as session:
        await session.execute(text("UPDATE channels SET health = 'dead'"))
    third = await make_case(database, stage=Stage.CONTACT, company_id=company, letter="rendering")
    assert third.case.letter is None, "nothing reaches the company"
    shown = (await get(client, senior, f"/v1/companies/{company}/overview")).json()
    assert (shown["open_cases"], shown["stuck_cases"]) == (3, 1)
    assert shown["cases"][0]["id"] == str(third.id) and shown["cases"][0]["stuck"] is True
    by_kind = {channel["kind"]: channel for channel in shown["channels"]}
    assert (by_kind["email"]["letters_sent"], by_kind["email"]["letters_bounced"]) == (1, 1)
    again = f"/v1/channels/{by_kind['email']['id']}/send-again"
    problem(await post(client, senior, again), 409, "channel_not_working")
    mended = await client.patch(
        f"/v1/channels/{by_kind['email']['id']}",
        json={
            "health": "alive",
            "confirmed": True,
            "for_whom": "its help desk",
            "outsourced": True,
        },
        headers=senior.auth | {"If-Match": f'"{by_kind["email"]["version"]}"'},
    )
    assert mended.json()["confirmed_by"] == f"staff:{senior.id}", mended.text
    done = await post(client, senior, again)
    assert (done.status_code, done.json()) == (200, {"cases": 2, "more": False}), done.text
    letter = await one(
        database, "SELECT l.channel, l.state FROM cases c JOIN letters l ON l.id = c.letter_id"
        " WHERE c.id = :id", id=third.id,
    )  # fmt: skip
    assert tuple(letter) == ("email", "rendering")


async def test_what_arrived_is_taken_over_and_wakes_a_degraded_channel(
    client: httpx.AsyncClient, people: People, database: Database
) -> None:
    case = await make_case(database, stage=Stage.CONTACT, letter="delivered")
    await sent_to(database, case, await address_of(database, case.company_id))
    async with database.transaction() as session:
        await session.execute(text("UPDATE channels SET health = 'degraded'"))
        await note_arrivals(session, wall_now())
    rows = await one(
        database, "SELECT array_agg(kind || ' ' || health || ' ' ||"
        " (last_success_at IS NOT NULL)::text ORDER BY kind) AS found FROM channels",
    )  # fmt: skip
    assert rows.found == ["email alive true", "post degraded false"]


async def test_a_retired_channel_names_its_successor(
    client: httpx.AsyncClient, people: People, database: Database
) -> None:
    senior = await people.staff("senior")
    case = await make_case(database)
    mail = {"kind": "email", "address": "new@slow.example", "source": "their own site"}
    added = (await post(client, senior, f"/v1/companies/{case.company_id}/channels", mail)).json()
    shown = (await get(client, senior, f"/v1/companies/{case.company_id}")).json()
    old = next(c for c in shown["channels"] if c["kind"] == "email" and c["id"] != added["id"])
    postal = next(c for c in shown["channels"] if c["kind"] == "post")
    path, sent = f"/v1/channels/{old['id']}", senior.auth | {"If-Match": f'"{old["version"]}"'}
    for wrong, code in (
        ({"successor_id": added["id"]}, "not_retired"),
        ({"health": "retired", "successor_id": postal["id"]}, "successor_invalid"),
        ({"health": "retired", "successor_id": old["id"]}, "successor_invalid"),
    ):
        problem(await client.patch(path, json=wrong, headers=sent), 422, code)
    done = await client.patch(
        path, json={"health": "retired", "successor_id": added["id"]}, headers=sent
    )
    assert done.json()["successor_id"] == added["id"], done.text
