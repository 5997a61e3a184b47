"""Whose case it is: own, the pool's, and everything of a colleague who is away."""

from __future__ import annotations

import httpx

from app.casework import assignment
from app.clock import wall_now
from app.db import Database
from app.domain.case import Stage
from app.ids import new_id
from tests.support.api import People
from tests.support.cases import Wish, build_case, make_case, make_company
from tests.support.staff_work import one, post, problem


async def test_a_handler_takes_and_gives_back_but_does_not_pass_on(
    client: httpx.AsyncClient, people: People, database: Database
) -> None:
    handler, other = await people.staff("handler"), await people.staff("handler")
    case = await make_case(database)
    path = f"/v1/cases/{case.id}/reassign"
    problem(
        await post(client, handler, path, {"handler_id": str(other.id)}, case=case),
        403,
        "senior_needed",
    )
    taken = await post(client, handler, path, {"handler_id": str(handler.id)}, case=case)
    assert taken.json()["handler_id"] == str(handler.id), taken.text
    assert {t["assignee_id"] for t in taken.json()["open_tasks"]} == {str(handler.id)}
    given = await post(client, handler, path, {"handler_id": None}, version=taken.json()["version"])
    assert given.json()["handler_id"] is None
    assert {t["assignee_id"] for t in given.json()["open_tasks"]} == {None}


async def test_cases_go_only_to_people_who_work_on_them(
    client: httpx.AsyncClient, people: People, database: Database
) -> None:
    senior, finance = await people.staff("senior"), await people.staff("finance")
    case = await make_case(database)
    path = f"/v1/cases/{case.id}/reassign"
    problem(
        await post(client, senior, path, {"handler_id": str(finance.id)}, case=case),
        409,
        "not_a_handler",
    )
    problem(
        await post(client, senior, path, {"handler_id": str(new_id())}, case=case),
        404,
        "staff_not_found",
    )


async def test_all_work_of_an_absent_colleague_goes_to_another(
    client: httpx.AsyncClient, people: People, database: Database
) -> None:
    senior = await people.staff("senior")
    away, here = await people.staff("handler"), await people.staff("handler")
    mine = [await make_case(database, handler_id=away.id) for _ in range(3)]
    closed = await make_case(database, handler_id=away.id, stage=Stage.CLOSED)
    others = await make_case(database, handler_id=here.id)
    answer = await post(client, senior, f"/v1/staff/{away.id}/hand-over", {"to": str(here.id)})
    assert answer.status_code == 200, answer.text
    assert (answer.json()["cases_moved"], answer.json()["refused"]) == (3, [])
    assert answer.json()["more"] is False
    left = await one(
        database,
        "SELECT count(*) AS n FROM tasks WHERE assignee_id = :id AND state = 'open'",
        id=away.id,
    )
    assert left.n == 0
    for case in mine:
        row = await one(
            database, "SELECT handler_id, version FROM cases WHERE id = :id", id=case.id
        )
        assert (row.handler_id, row.version) == (here.id, case.version + 1)
    for case, handler_id in ((closed, away.id), (others, here.id)):
        row = await one(database, "SELECT handler_id FROM cases WHERE id = :id", id=case.id)
        assert row.handler_id == handler_id
    again = await post(client, senior, f"/v1/staff/{away.id}/hand-over", {"to": str(here.id)})
    assert (again.json()["cases_moved"], again.json()["tasks_moved"]) == (0, 0)


async def test_work_goes_to_the_pool_when_nobody_is_named(
    client: httpx.AsyncClient, people: People, database: Database
) -> None:
    admin = await people.admin()
    away, here = await people.staff("handler"), await people.staff("handler")
    case = await make_case(database, handler_id=away.id)
    answer = await post(client, admin, f"/v1/staff/{away.id}/hand-over", {})
    assert answer.json()["cases_moved"] == 1, answer.text
    task = await post(client, here, "/v1/tasks/next", {})
    assert task.json()["task"]["case"]["id"] == str(case.id)


async def test_a_handler_does_not_hand_over_for_others(
    client: httpx.AsyncClient, people: People
) -> None:
    handler, other = await people.staff("handler"), await people.staff("handler")
    problem(await post(client, handler, f"/v1/staff/{other.id}/hand-over", {}), 403, "forbidden")


async def test_more_cases_than_one_batch_are_moved_batch_by_batch(
    people: People, database: Database
) -> None:
    away, here = await people.staff("handler"), await people.staff("handler")
    cases = assignment.HAND_OVER_BATCH + 3
    async with database.transaction() as session:
        company_id = await make_company(session)
        for _ in range(cases):
            await build_case(session, Wish(handler_id=away.id, company_id=company_id))
    done = await assignment.hand_over(
        database, away.id, here.id, actor="staff:test", now=wall_now()
    )
    assert (done.cases, done.refused, done.more) == (cases, [], False)


async def test_an_account_that_ends_gives_its_work_back_in_the_same_transaction(
    people: People, database: Database
) -> None:
    away = await people.staff("handler")
    case = await make_case(database, handler_id=away.id)
    async with database.transaction() as session:
        moved = await assignment.give_open_work(session, away.id, None, "staff:test")
    assert moved == 1
    row = await one(database, "SELECT handler_id FROM cases WHERE id = :id", id=case.id)
    assert row.handler_id is None
