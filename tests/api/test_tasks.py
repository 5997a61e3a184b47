"""Queues: everybody gets their own next piece of work, and nobody gets somebody else's."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import httpx
import pytest
from fastapi import FastAPI

from app.clock import wall_now
from app.db import Database
from app.domain.case import Stage
from app.domain.decision import TaskKind
from app.openapi import operations
from app.tasks.forms import forms
from app.tasks.help_lines import help_lines
from tests.support.api import People, Person
from tests.support.cases import Made, make_case
from tests.support.staff_work import get, one, post, problem


async def take(client: httpx.AsyncClient, who: Person, **body: object) -> dict[str, object] | None:
    answer = await post(client, who, "/v1/tasks/next", body)
    assert answer.status_code == 200, answer.text
    task: dict[str, object] | None = answer.json()["task"]
    return task


async def test_the_next_task_says_everything_a_person_needs(
    client: httpx.AsyncClient, people: People, database: Database
) -> None:
    handler = await people.staff("handler")
    case = await make_case(database)
    task = await take(client, handler)
    assert task is not None
    assert (task["kind"], task["title"]) == ("assess", "Assess the case")
    shown = task["case"]
    assert isinstance(shown, dict)
    assert shown["reference"] == case.reference
    assert shown["consumer"] == "Anna Virtanen"
    assert shown["claimed"]["text"] == "120.00 EUR"
    assert task["priority_because"] == "a new case"
    assert "1 working day," in str(task["due_because"])
    allowed = {o["operation"]: o["path"] for o in task["allowed"]}  # type: ignore[attr-defined]  # JSON
    assert allowed["assess_case"] == f"/v1/cases/{case.id}/assessment"


async def test_taking_a_task_of_the_pool_takes_its_case(
    client: httpx.AsyncClient, people: People, database: Database
) -> None:
    handler, other = await people.staff("handler"), await people.staff("handler")
    case = await make_case(database)
    task = await take(client, handler)
    assert task is not None and task["assignee_id"] == str(handler.id)
    row = await one(database, "SELECT handler_id FROM cases WHERE id = :id", id=case.id)
    assert row.handler_id == handler.id
    assert await take(client, other) is None
    problem(await get(client, other, f"/v1/tasks/{task['id']}"), 404, "task_not_found")
    again = await take(client, handler)
    assert again is not None and again["id"] == task["id"], "unfinished work comes first"


async def test_own_tasks_come_before_the_pool_and_the_urgent_before_the_rest(
    client: httpx.AsyncClient, people: People, database: Database
) -> None:
    handler = await people.staff("handler")
    await make_case(database)
    mine = await make_case(database, handler_id=handler.id)
    urgent = await make_case(database, handler_id=handler.id)
    told = await post(client, handler, f"/v1/cases/{urgent.id}/distress", {}, case=urgent)
    assert told.status_code == 200, told.text
    first = await take(client, handler)
    assert first is not None and first["kind"] == "care" and first["priority"] == 0
    named = [(line["name"], line["to_be_confirmed"]) for line in first["help_lines"]]  # type: ignore[attr-defined]  # JSON
    assert named[:2] == [("MIELI Crisis Helpline", False), ("Emergency", True)]
    second = await take(client, handler, kinds=["assess"])
    assert second is not None and second["help_lines"] == []
    assert second["case"]["id"] in (str(mine.id), str(urgent.id))  # type: ignore[index]  # JSON
    skipped = await take(client, handler, skip=[first["id"]])
    assert skipped is not None and skipped["id"] != first["id"]


async def test_people_who_ask_at_once_never_get_the_same_task(
    client: httpx.AsyncClient, people: People, database: Database
) -> None:
    handlers = [await people.staff("handler") for _ in range(4)]
    for _ in range(3):
        await make_case(database)
    tasks = await asyncio.gather(*[take(client, h) for h in handlers])
    got = [str(t["id"]) for t in tasks if t is not None]
    assert len(got) == len(set(got)) == 3
    assert sum(t is None for t in tasks) == 1


async def test_a_senior_is_not_given_their_own_work_to_approve(
    client: httpx.AsyncClient, people: People, database: Database
) -> None:
    author, other = await people.staff("senior"), await people.staff("senior")
    await make_case(
        database,
        stage=Stage.FORMAL_NOTICE,
        letter="to_approve",
        entry_stage=Stage.FORMAL_NOTICE,
        amounts=(600_00,),
        decided_by=f"staff:{author.id}",
    )
    assert await take(client, author, kinds=["approve_letter"]) is None
    task = await take(client, other, kinds=["approve_letter"])
    assert task is not None and task["role"] == "senior"


async def test_finance_sees_amounts_and_no_names(
    client: httpx.AsyncClient, people: People, database: Database
) -> None:
    finance, handler = await people.staff("finance"), await people.staff("handler")
    await make_case(database)
    assert await take(client, finance) is None
    assert (await get(client, finance, "/v1/tasks")).json()["items"] == []
    assert len((await get(client, handler, "/v1/tasks")).json()["items"]) == 1
    auditor = await people.staff("auditor")
    seen = (await get(client, auditor, "/v1/tasks")).json()["items"]
    assert [t["case"]["consumer"] for t in seen] == [None]
    problem(await post(client, auditor, "/v1/tasks/next", {}), 403, "forbidden")


async def test_a_queue_is_read_in_pages_in_its_order(
    client: httpx.AsyncClient, people: People, database: Database
) -> None:
    handler = await people.staff("handler")
    made = [await make_case(database) for _ in range(5)]
    seen: list[str] = []
    cursor = None
    while True:
        params = {"queue": "pool", "limit": 2} | ({"cursor": cursor} if cursor else {})
        page = (await get(client, handler, "/v1/tasks", **params)).json()
        seen += [t["case"]["id"] for t in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert sorted(seen) == sorted(str(c.id) for c in made)
    problem(await get(client, handler, "/v1/tasks", cursor=str("x" * 40)), 422, "cursor_invalid")


async def _first_task(database: Database, case: Made) -> str:
    row = await one(
        database, "SELECT id FROM tasks WHERE case_id = :id AND state = 'open'", id=case.id
    )
    return str(row.id)


async def test_a_senior_gives_a_task_and_its_case_to_a_handler(
    client: httpx.AsyncClient, people: People, database: Database
) -> None:
    senior, handler = await people.staff("senior"), await people.staff("handler")
    other = await people.staff("handler")
    case = await make_case(database)
    path = f"/v1/tasks/{await _first_task(database, case)}/assign"
    problem(await post(client, other, path, {"assignee_id": str(handler.id)}), 403, "senior_needed")
    given = await post(client, senior, path, {"assignee_id": str(handler.id)})
    assert given.status_code == 200, given.text
    row = await one(database, "SELECT handler_id FROM cases WHERE id = :id", id=case.id)
    assert row.handler_id == handler.id
    problem(await post(client, other, path, {"assignee_id": str(other.id)}), 404, "task_not_found")
    back = await post(client, handler, path, {"assignee_id": None})
    assert back.status_code == 200, back.text
    row = await one(database, "SELECT handler_id FROM cases WHERE id = :id", id=case.id)
    assert row.handler_id is None


async def test_a_task_is_not_given_to_somebody_of_another_trade(
    client: httpx.AsyncClient, people: People, database: Database
) -> None:
    senior, finance = await people.staff("senior"), await people.staff("finance")
    case = await make_case(database)
    path = f"/v1/tasks/{await _first_task(database, case)}/assign"
    problem(
        await post(client, senior, path, {"assignee_id": str(finance.id)}), 409, "not_their_work"
    )


async def test_work_that_no_event_ends_is_ended_with_words(
    client: httpx.AsyncClient, people: People, database: Database
) -> None:
    legal = await people.staff("legal")
    case = await make_case(database)
    noted = await post(
        client,
        legal,
        f"/v1/cases/{case.id}/legal",
        {"deadline": (wall_now() + timedelta(days=9)).isoformat(), "words": "They will sue."},
        case=case,
    )
    assert noted.status_code == 200, noted.text
    task = await take(client, legal)
    assert task is not None and task["kind"] == "legal"
    path = f"/v1/tasks/{task['id']}/done"
    done = await post(client, legal, path, {"words": "Answered by our lawyer."})
    assert done.json()["state"] == "done", done.text
    problem(await post(client, legal, path, {"words": "Again."}), 409, "task_closed")
    history = await one(
        database,
        "SELECT params FROM audit_entries WHERE stream = :s AND code = 'task_done'",
        s=f"case:{case.id}",
    )
    assert history.params["kind"] == "legal"


async def test_a_task_with_a_form_of_its_own_is_not_ticked_off(
    client: httpx.AsyncClient, people: People, database: Database
) -> None:
    handler = await people.staff("handler")
    case = await make_case(database, handler_id=handler.id)
    path = f"/v1/tasks/{await _first_task(database, case)}/done"
    problem(await post(client, handler, path, {"words": "Done."}), 409, "task_not_by_hand")


@pytest.mark.parametrize("kind", list(TaskKind))
def test_every_kind_of_task_has_a_form(kind: TaskKind) -> None:
    form = forms().kinds[kind.value]
    assert form.title and form.happened and form.operations


def test_every_operation_a_task_offers_exists_under_that_path(app: FastAPI) -> None:
    routes = {
        c.operation_id: (next(iter(c.methods or ())), str(c.path_format)) for c in operations(app)
    }
    for operation in forms().operations.values():
        method, path = routes[operation.id]
        pattern = _shape(path)
        assert (operation.method, _shape(operation.path)) == (method, pattern), operation.id


def _shape(path: str) -> list[str]:
    return ["{}" if part.startswith("{") else part for part in path.split("/")]


@pytest.mark.parametrize(
    ("country", "numbers"),
    [
        ("SE", ["90101", "112", "116 123"]),
        ("AT", ["112", "116 123"]),
        ("gb", ["116 123", "999 or 112"]),
        ("US-CA", ["988 (call or text)", "911"]),
        ("BR", []),
        ("", []),
    ],
)
def test_help_lines_are_those_of_the_country(country: str, numbers: list[str]) -> None:
    assert [line.number for line in help_lines(country)] == numbers


def test_a_help_line_that_counts_as_read_names_the_page() -> None:
    countries = ("FI", "SE", "FR", "DE", "GB", "US")
    lines = [line for country in countries for line in help_lines(country)]
    assert {line.verified for line in lines} == {True, False}
    assert all(line.source.startswith("https://") for line in lines if line.verified)
