"""The holding pen: what could not be placed waits with its reasons until a person places it."""

from __future__ import annotations

from uuid import UUID

import httpx
from sqlalchemy import insert, text

from app.clock import wall_now
from app.correspondence.pen import into_pen, is_blocked
from app.db import Database
from app.domain.case import Stage
from app.ids import new_id
from app.tables.correspondence import MessageRow
from tests.support.api import People, Person
from tests.support.cases import Made, make_case
from tests.support.staff_work import get, one, post, problem


async def in_pen(
    database: Database, *, automatic: bool = False, words: str = "Where is it?"
) -> UUID:
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
                text=words,
                automatic=automatic,
                state="pen",
                pen_reasons=["no_case_address"],
                received_at=wall_now(),
            )
        )
        if not automatic:
            await into_pen(
                session, message_id, subject="My parcel", words=words, sender="anna@people.test"
            )
    return message_id


async def state_of(client: httpx.AsyncClient, who: Person, case: Made) -> list[str]:
    """The pauses of a case."""
    pauses = (await get(client, who, f"/v1/cases/{case.id}")).json()["staff"]["pauses"]
    return [pause["kind"] for pause in pauses]


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


async def test_a_case_that_the_mail_names_stands_still_until_the_mail_is_placed(
    client: httpx.AsyncClient, people: People, database: Database
) -> None:
    handler = await people.staff("handler")
    named, right = [
        await make_case(database, stage=Stage.CONTACT, letter="delivered", handler_id=handler.id)
        for _ in range(2)
    ]
    spoken = named.reference.lower().replace("rc-", "rc ")
    message_id = await in_pen(database, words=f"About {spoken}: we will pay.")
    (shown,) = (await get(client, handler, "/v1/messages/pen")).json()["items"]
    assert [(g["reference"], g["why"]) for g in shown["guesses"]] == [
        (named.reference, ["names_reference"])
    ]
    assert await state_of(client, handler, named) == ["unplaced_mail"]
    tasks = (await get(client, handler, "/v1/tasks", kind="place_mail")).json()["items"]
    assert [task["allowed"][1]["path"] for task in tasks] == [f"/v1/messages/{message_id}/file"]
    filed = await post(
        client, handler, f"/v1/messages/{message_id}/file",
        {"case_id": str(right.id), "sender": "company"},
    )  # fmt: skip
    assert filed.status_code == 200, filed.text
    assert await state_of(client, handler, named) == []
    assert await state_of(client, handler, right) == ["unread_reply"]
    assert (await get(client, handler, "/v1/tasks", kind="place_mail")).json()["items"] == []


async def test_a_filing_is_taken_back_until_somebody_has_read_it(
    client: httpx.AsyncClient, people: People, database: Database
) -> None:
    handler = await people.staff("handler")
    case = await make_case(database, stage=Stage.CONTACT, letter="delivered", handler_id=handler.id)
    message_id = await in_pen(database)
    path = f"/v1/messages/{message_id}"
    body = {"case_id": str(case.id), "sender": "company"}
    await post(client, handler, f"{path}/file", body)
    back = await post(client, handler, f"{path}/unfile", {"reason": "that is another Anna"})
    assert (back.status_code, back.json()["state"]) == (200, "pen"), back.text
    assert await state_of(client, handler, case) == []
    view = (await get(client, handler, f"/v1/cases/{case.id}")).json()
    assert "read_reply" not in [task["kind"] for task in view["staff"]["open_tasks"]]
    filed = await post(client, handler, f"{path}/file", body)
    read = {"kind": "set_aside", "message_id": str(message_id)}
    done = await post(
        client, handler, f"/v1/cases/{case.id}/answers", read, version=filed.json()["version"]
    )
    assert done.status_code == 201, done.text
    await _read(database, message_id)
    problem(await post(client, handler, f"{path}/unfile", {"reason": "x y"}), 409, "message_filed")


async def test_one_mail_about_two_cases_is_read_on_both(
    client: httpx.AsyncClient, people: People, database: Database
) -> None:
    handler = await people.staff("handler")
    cases = [
        await make_case(database, stage=Stage.CONTACT, letter="delivered", handler_id=handler.id)
        for _ in range(2)
    ]
    message_id = await in_pen(database)
    parts = [{"case_id": str(case.id), "sender": "company"} for case in cases]
    path = f"/v1/messages/{message_id}/split"
    twice = {"parts": [parts[0], parts[0]]}
    problem(await post(client, handler, path, twice), 422, "case_twice")
    done = await post(client, handler, path, {"parts": parts})
    assert done.status_code == 200, done.text
    for case in cases:
        assert await state_of(client, handler, case) == ["unread_reply"]
    rows = await one(database, "SELECT count(*) AS n FROM messages WHERE state = 'unread'")
    assert rows.n == 2


async def test_what_is_not_ours_is_kept_and_its_sender_remembered(
    client: httpx.AsyncClient, people: People, database: Database
) -> None:
    handler = await people.staff("handler")
    message_id = await in_pen(database)
    path = f"/v1/messages/{message_id}"
    done = await post(
        client, handler, f"{path}/not-ours", {"reason": "advertising", "block_sender": True}
    )
    assert (done.status_code, done.json()["state"]) == (200, "not_ours"), done.text
    assert (await get(client, handler, "/v1/messages/pen")).json()["items"] == []
    async with database.read() as session:
        assert await is_blocked(session, "Anna@people.test")
    back = await post(client, handler, f"{path}/unfile", {"reason": "it was theirs after all"})
    assert back.json()["state"] == "pen"


async def test_nobody_we_know_is_blocked(
    client: httpx.AsyncClient, people: People, database: Database
) -> None:
    handler = await people.staff("handler")
    case = await make_case(database, handler_id=handler.id)
    async with database.transaction() as session:
        await session.execute(
            text("UPDATE consumers SET email = 'anna@people.test' WHERE id = :id"),
            {"id": case.consumer_ids[0]},
        )
    message_id = await in_pen(database)
    path = f"/v1/messages/{message_id}/not-ours"
    block = {"reason": "advertising", "block_sender": True}
    problem(await post(client, handler, path, block), 409, "sender_known")
    row = await one(database, "SELECT state FROM messages WHERE id = :id", id=message_id)
    assert row.state == "pen"


async def test_a_learned_address_is_taken_for_its_company(
    client: httpx.AsyncClient, people: People, database: Database
) -> None:
    handler = await people.staff("handler")
    case = await make_case(database, stage=Stage.CONTACT, letter="delivered", handler_id=handler.id)
    first = await in_pen(database)
    learn = {"case_id": str(case.id), "sender": "consumer", "learn_sender": True}
    problem(
        await post(client, handler, f"/v1/messages/{first}/file", learn), 422, "nothing_to_learn"
    )
    filed = await post(client, handler, f"/v1/messages/{first}/file", learn | {"sender": "company"})
    assert filed.status_code == 200, filed.text
    await in_pen(database)
    (shown,) = (await get(client, handler, "/v1/messages/pen")).json()["items"]
    assert [g["why"] for g in shown["guesses"]] == [["from_company"]]


async def _read(database: Database, message_id: UUID) -> None:
    row = await one(database, "SELECT state FROM messages WHERE id = :id", id=message_id)
    assert row.state == "set_aside"


async def test_only_a_senior_lets_a_mail_out_of_quarantine(
    client: httpx.AsyncClient, people: People, database: Database
) -> None:
    handler, senior = await people.staff("handler"), await people.staff("senior")
    case = await make_case(database, handler_id=handler.id)
    message_id = await in_pen(database)
    async with database.transaction() as session:
        await session.execute(
            text("UPDATE messages SET state = 'quarantine', trust = 'quarantine',"
                 " trust_reasons = '{several_from}' WHERE id = :id"), {"id": message_id},
        )  # fmt: skip
    path = f"/v1/messages/{message_id}"
    (shown,) = (await get(client, handler, "/v1/messages/pen")).json()["items"]
    assert (shown["state"], shown["trust_reasons"]) == ("quarantine", ["several_from"])
    body = {"case_id": str(case.id), "sender": "company"}
    problem(await post(client, handler, f"{path}/file", body), 409, "message_in_quarantine")
    reason = {"reason": "their program writes two From lines"}
    problem(await post(client, handler, f"{path}/release", reason), 403, "forbidden")
    freed = await post(client, senior, f"{path}/release", reason)
    assert (freed.status_code, freed.json()["state"]) == (200, "pen"), freed.text
    assert (await post(client, handler, f"{path}/file", body)).status_code == 200
    problem(await post(client, senior, f"{path}/release", reason), 409, "message_filed")
    (filed,) = (await get(client, handler, f"/v1/cases/{case.id}/messages")).json()["items"]
    assert filed["trust"] == "quarantine"
