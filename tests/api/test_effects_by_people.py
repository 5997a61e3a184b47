"""What cannot be known is settled by a person; operators hold everything back with one call."""

from __future__ import annotations

from uuid import UUID

import httpx
import pytest
from sqlalchemy import text

from app import engine, outbox
from app.clock import wall_now
from app.db import Database
from app.domain.case import Stage
from app.domain.effects import SubmitBankFile
from app.domain.events import EffectUnknown
from app.ids import new_id
from tests.support.api import People
from tests.support.cases import Made, make_case
from tests.support.staff_work import get, one, post, problem


async def unknown_letter(database: Database, case: Made) -> UUID:
    """The worker lost the line while it sent the letter: as the relay records it."""
    async with database.transaction() as session:
        effect_id: UUID = (
            await session.execute(
                text(
                    "UPDATE effects SET state = 'unknown', attempts = 1, dispatched_at = now(),"
                    " cause = 'the line broke after the last dot' WHERE case_id = :id"
                    " AND kind = 'SendLetter' RETURNING id"
                ),
                {"id": case.id},
            )
        ).scalar_one()
        await engine.advance(
            session, case.id, EffectUnknown(effect_id=effect_id, kind="SendLetter"), actor="system"
        )
    return effect_id


@pytest.fixture
async def released(database: Database) -> Made:
    return await make_case(database, stage=Stage.CONTACT, letter="released")


async def test_unknown_orders_are_listed_without_content(
    client: httpx.AsyncClient, people: People, database: Database, released: Made
) -> None:
    admin = await people.admin()
    effect_id = await unknown_letter(database, released)
    items = (await get(client, admin, "/v1/effects", state="unknown")).json()["items"]
    assert [(i["id"], i["kind"], i["reference"]) for i in items] == [
        (str(effect_id), "SendLetter", released.reference)
    ]
    assert "Virtanen" not in str(items)
    problem(await get(client, admin, "/v1/effects", state="done"), 422, "state_unknown")


@pytest.mark.parametrize(
    ("verdict", "state", "waiting_on"),
    [
        ("sent", "done", "delivery"),
        ("not_sent", "failed", "handler"),
        ("again", "superseded", "delivery"),
    ],
)
async def test_a_person_settles_a_letter_of_unknown_fate(
    client: httpx.AsyncClient,
    people: People,
    database: Database,
    released: Made,
    verdict: str,
    state: str,
    waiting_on: str,
) -> None:
    senior = await people.staff("senior")
    effect_id = await unknown_letter(database, released)
    path = f"/v1/effects/{effect_id}/settle"
    answer = await post(client, senior, path, {"verdict": verdict, "reason": "I called them."})
    assert answer.status_code == 200, answer.text
    assert answer.json()["state"] == state
    row = await one(database, "SELECT waiting_on, pauses FROM cases WHERE id = :id", id=released.id)
    assert (row.waiting_on, row.pauses) == (waiting_on, [])
    orders = await one(
        database,
        "SELECT count(*) AS n, count(DISTINCT business_key) AS keys"
        " FROM effects WHERE case_id = :id AND kind = 'SendLetter'",
        id=released.id,
    )
    assert orders.n == orders.keys == (2 if verdict == "again" else 1)
    assert (answer.json()["again_as"] is not None) == (verdict == "again")
    log = await one(
        database, "SELECT what, detail FROM effect_attempts WHERE effect_id = :id", id=effect_id
    )
    assert tuple(log) == (f"settled:{verdict}", "I called them.")
    again = await post(client, senior, path, {"verdict": "again", "reason": "once more"})
    problem(again, 409, "effect_settled")


async def test_a_notice_is_repeated_under_its_own_key(
    client: httpx.AsyncClient, people: People, database: Database
) -> None:
    senior = await people.staff("senior")
    case = await make_case(database)
    async with database.transaction() as session:
        effect_id = (
            await session.execute(
                text(
                    "UPDATE effects SET state = 'parked', cause = 'a template was broken'"
                    " WHERE case_id = :id AND kind = 'NotifyConsumer' RETURNING id"
                ),
                {"id": case.id},
            )
        ).scalar_one()
    answer = await post(
        client,
        senior,
        f"/v1/effects/{effect_id}/settle",
        {"verdict": "again", "reason": "The template is repaired."},
    )
    assert answer.status_code == 200, answer.text
    assert (answer.json()["state"], answer.json()["again_as"]) == ("planned", str(effect_id))
    row = await one(database, "SELECT lease_epoch FROM effects WHERE id = :id", id=effect_id)
    assert row.lease_epoch == 1, "whoever still works on it is stale now"


async def test_what_is_on_its_way_is_not_settled(
    client: httpx.AsyncClient, people: People, database: Database, released: Made
) -> None:
    senior = await people.staff("senior")
    row = await one(
        database,
        "SELECT id FROM effects WHERE case_id = :id AND kind = 'SendLetter'",
        id=released.id,
    )
    problem(
        await post(
            client, senior, f"/v1/effects/{row.id}/settle", {"verdict": "sent", "reason": "x"}
        ),
        409,
        "effect_settled",
    )
    problem(
        await post(
            client, senior, f"/v1/effects/{new_id()}/settle", {"verdict": "sent", "reason": "x"}
        ),
        404,
        "effect_not_found",
    )


async def test_a_handler_settles_only_on_own_cases_and_the_pool(
    client: httpx.AsyncClient, people: People, database: Database
) -> None:
    handler, other = await people.staff("handler"), await people.staff("handler")
    case = await make_case(database, stage=Stage.CONTACT, letter="released", handler_id=other.id)
    effect_id = await unknown_letter(database, case)
    assert (await get(client, handler, "/v1/effects")).json()["items"] == []
    problem(
        await post(
            client, handler, f"/v1/effects/{effect_id}/settle", {"verdict": "sent", "reason": "x"}
        ),
        404,
        "effect_not_found",
    )
    assert len((await get(client, other, "/v1/effects")).json()["items"]) == 1


async def test_a_bank_file_is_settled_by_who_approves_payouts(
    client: httpx.AsyncClient, people: People, database: Database
) -> None:
    admin, approver = await people.admin(), await people.staff("finance_approver")
    batch_id, effect_id = new_id(), new_id()
    async with database.transaction() as session:
        await outbox.stage(
            session,
            [SubmitBankFile(id=effect_id, batch_id=batch_id, sha256="a" * 64)],
            stream=f"batch:{batch_id}",
            now=wall_now(),
        )
        await session.execute(
            text("UPDATE effects SET state = 'unknown' WHERE id = :id"), {"id": effect_id}
        )
    path, body = f"/v1/effects/{effect_id}/settle", {"verdict": "again", "reason": "not there"}
    problem(await post(client, admin, path, body), 403, "finance_approver_needed")
    settled = await post(client, approver, path, body)
    assert settled.json()["state"] == "planned", settled.text
    history = await one(
        database,
        "SELECT params FROM audit_entries WHERE stream = 'system' AND code = 'effect_settled'",
    )
    assert history.params["verdict"] == "again"


async def test_an_operator_pauses_everything_outgoing_with_one_call(
    client: httpx.AsyncClient, people: People, database: Database
) -> None:
    admin, handler = await people.admin(), await people.staff("handler")
    path = "/v1/operations/outgoing"
    problem(await post(client, handler, f"{path}/pause", {"reason": "x"}), 403, "forbidden")
    paused = await post(client, admin, f"{path}/pause", {"reason": "wrong template"})
    assert paused.json() == {
        "paused": True,
        "reason": "wrong template",
        "by": f"staff:{admin.id}",
    }, paused.text
    status = (await get(client, admin, "/v1/operations")).json()
    assert status["outgoing"]["paused"] is True
    assert status["effects_unknown"] == {"number": 0, "at_least": False}
    resumed = await post(client, admin, f"{path}/resume")
    assert resumed.json() == {"paused": False, "reason": None, "by": None}, resumed.text
    history = await one(
        database,
        "SELECT array_agg(code ORDER BY seq) AS codes FROM audit_entries"
        " WHERE stream = 'system' AND code LIKE 'outgoing%'",
    )
    assert history.codes == ["outgoing_paused", "outgoing_resumed"]


async def test_a_parked_case_runs_again_when_an_operator_says_so(
    client: httpx.AsyncClient, people: People, database: Database
) -> None:
    admin = await people.admin()
    case = await make_case(database)
    path = f"/v1/operations/cases/{case.id}/unpark"
    problem(await post(client, admin, path), 409, "case_not_parked")
    async with database.transaction() as session:
        await engine._park(session, case.id, "an unknown pause", wall_now())
    task = (await post(client, admin, "/v1/tasks/next", {})).json()["task"]
    assert task["kind"] == "poisoned_case" and task["case"]["consumer"] is None
    freed = await post(client, admin, path)
    assert freed.status_code == 200, freed.text
    row = await one(database, "SELECT parked_reason FROM cases WHERE id = :id", id=case.id)
    assert row.parked_reason is None
    assert (await post(client, admin, "/v1/tasks/next", {})).json()["task"] is None
