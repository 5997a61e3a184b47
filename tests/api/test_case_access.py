"""Every change of a case by staff: who, whose case, which version. Refusals change nothing."""

from __future__ import annotations

from typing import Any

import httpx

from app.db import Database
from app.domain.case import Stage
from app.ids import new_id
from tests.support.api import People, Person
from tests.support.cases import Made, make_case
from tests.support.staff_work import get, post, problem, snapshot

NONE = str(new_id())
EUR = {"amount": "10.00", "currency": "EUR"}
LATER = "2026-12-24T10:00:00Z"
CHANGES: list[tuple[str, str, Any]] = [
    (
        "POST",
        "assessment",
        {
            "decision": "reject",
            "outcome": "no_merit",
            "rule": "x",
            "would_change": "y",
            "conflict_of_interest": {"checked": True, "found": False},
        },
    ),
    ("POST", "questions", {"code": "q", "words": "Which?", "default": "go_on", "days": 5}),
    ("POST", "company", {"company_id": NONE}),
    ("POST", "next-step", {"stage": "reminder", "reason": "x"}),
    ("POST", "holds", {"reason": "x", "until": LATER}),
    ("DELETE", "holds/abc", None),
    ("POST", "extend", {"until": LATER, "reason": "x"}),
    ("POST", "restart", {"fact": "new_fact", "at": "2026-11-01T00:00:00Z"}),
    ("POST", "duplicate", {"duplicate_of": NONE}),
    ("DELETE", "duplicate", None),
    ("POST", "close", {"outcome": "uneconomic", "reason": "x"}),
    ("POST", "reopen", {"reason": "x"}),
    ("POST", "distress", {}),
    ("POST", "legal", {"deadline": LATER}),
    ("POST", "incidents", {"what": "x"}),
    ("POST", "reassign", {"handler_id": None}),
    ("POST", f"letters/{NONE}/approve", {"sha256": "a" * 64}),
    ("POST", f"letters/{NONE}/return", {"reason": "x"}),
    ("POST", f"letters/{NONE}/sent", {"at": "2026-11-01T00:00:00Z", "by": "consumer"}),
    ("POST", f"letters/{NONE}/delivered", {"at": "2026-11-01T00:00:00Z", "grade": "registered"}),
    ("POST", f"letters/{NONE}/bounced", {"reason": "x"}),
    ("POST", "answers", {"kind": "denied"}),
    ("POST", "calls", {"with_whom": "company", "notes": "x", "outcome": "y"}),
    ("POST", f"direct-payments/{NONE}/decide", {"confirmed": False, "whole": False}),
    ("POST", "vouchers", {"value": EUR}),
]


async def call(
    client: httpx.AsyncClient,
    who: Person,
    case: Made,
    method: str,
    path: str,
    body: Any,
    **headers: str,
) -> httpx.Response:
    return await client.request(
        method, f"/v1/cases/{case.id}/{path}", json=body, headers=who.auth | headers
    )


async def test_a_foreign_case_is_as_unknown_as_none(
    client: httpx.AsyncClient, people: People, database: Database
) -> None:
    handler, other = await people.staff("handler"), await people.staff("handler")
    case = await make_case(database, stage=Stage.CONTACT, handler_id=other.id)
    before = await snapshot(database, case)
    for method, path, body in CHANGES:
        answer = await call(client, handler, case, method, path, body, **case.etag)
        problem(answer, 404, "case_not_found")
    problem(await get(client, handler, f"/v1/cases/{case.id}/explain"), 404, "case_not_found")
    assert await snapshot(database, case) == before


async def test_other_roles_change_no_case(
    client: httpx.AsyncClient, people: People, database: Database
) -> None:
    case = await make_case(database, stage=Stage.CONTACT)
    before = await snapshot(database, case)
    for role in ("finance", "finance_approver", "auditor", "admin"):
        who = await people.staff(role)
        for method, path, body in CHANGES:
            answer = await call(client, who, case, method, path, body, **case.etag)
            problem(answer, 403, "forbidden")
    consumer = await people.consumer()
    for method, path, body in CHANGES:
        answer = await call(client, consumer, case, method, path, body, **case.etag)
        problem(answer, 403, "forbidden")
    assert await snapshot(database, case) == before


async def test_a_change_needs_the_version_that_was_read(
    client: httpx.AsyncClient, people: People, database: Database
) -> None:
    senior = await people.staff("senior")
    case = await make_case(database, stage=Stage.CONTACT)
    before = await snapshot(database, case)
    for method, path, body in CHANGES:
        problem(await call(client, senior, case, method, path, body), 428, "if_match_required")
        stale = {"If-Match": f'"{case.version + 1}"'}
        problem(await call(client, senior, case, method, path, body, **stale), 412, "stale_version")
        for wrong in ("*", '"1", "2"', 'W/"1"', "1"):
            problem(
                await call(client, senior, case, method, path, body, **{"If-Match": wrong}),
                422,
                "if_match_invalid",
            )
    assert await snapshot(database, case) == before


async def test_no_change_takes_a_field_it_does_not_know(
    client: httpx.AsyncClient, people: People, database: Database
) -> None:
    senior = await people.staff("senior")
    case = await make_case(database, stage=Stage.CONTACT)
    before = await snapshot(database, case)
    for method, path, body in CHANGES:
        if body is None:
            continue
        answer = await call(
            client, senior, case, method, path, body | {"stage_": "closed"}, **case.etag
        )
        problem(answer, 422, "validation_failed")
        huge = {k: "x" * 20_000 if isinstance(v, str) else v for k, v in body.items()}
        if huge != body:
            problem(
                await call(client, senior, case, method, path, huge, **case.etag),
                422,
                "validation_failed",
            )
    assert await snapshot(database, case) == before


async def test_who_also_does_finance_gains_no_foreign_cases_to_work_on(
    client: httpx.AsyncClient, people: People, database: Database
) -> None:
    both, other = await people.staff("handler", "finance"), await people.staff("handler")
    case = await make_case(database, stage=Stage.CONTACT, handler_id=other.id)
    problem(
        await post(
            client, both, f"/v1/cases/{case.id}/holds", {"reason": "x", "until": LATER}, case=case
        ),
        404,
        "case_not_found",
    )


async def test_the_same_call_twice_with_a_key_is_one_change(
    client: httpx.AsyncClient, people: People, database: Database
) -> None:
    senior = await people.staff("senior")
    case = await make_case(database, stage=Stage.CONTACT, letter="delivered")
    body = {"with_whom": "company", "notes": "They called.", "outcome": "nothing"}
    path = f"/v1/cases/{case.id}/calls"
    first = await post(client, senior, path, body, case=case, key="call-1")
    second = await post(client, senior, path, body, case=case, key="call-1")
    assert first.status_code == second.status_code == 201, second.text
    assert first.json() == second.json()
    assert second.headers["idempotency-replayed"] == "true"
