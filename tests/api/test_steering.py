"""People steer the ladder: next step, clocks, links, the end, care and law."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx
import pytest

from app.clock import wall_now
from app.db import Database
from app.domain.case import Stage
from tests.support.api import People
from tests.support.cases import Made, make_case
from tests.support.staff_work import get, one, post, problem, snapshot


def instant_in(days: float) -> str:
    return (wall_now() + timedelta(days=days)).isoformat()


async def test_a_hold_has_a_date_and_is_lifted_by_its_key(
    client: httpx.AsyncClient, people: People, database: Database
) -> None:
    handler = await people.staff("handler")
    case = await make_case(database, stage=Stage.CONTACT, letter="delivered", handler_id=handler.id)
    held = await post(
        client,
        handler,
        f"/v1/cases/{case.id}/holds",
        {"reason": "consumer is abroad", "until": instant_in(14)},
        case=case,
    )
    assert held.status_code == 201, held.text
    pauses = held.json()["pauses"]
    assert [p["kind"] for p in pauses] == ["hold"] and held.json()["waiting_on"] == "date"
    path = f"/v1/cases/{case.id}/holds/{pauses[0]['key']}"
    lifted = await client.delete(path, headers=handler.auth | {"If-Match": held.headers["etag"]})
    assert lifted.status_code == 200, lifted.text
    assert (lifted.json()["pauses"], lifted.json()["waiting_on"]) == ([], "company")
    gone = await client.delete(path, headers=handler.auth | {"If-Match": lifted.headers["etag"]})
    problem(gone, 409, "stale_event")


@pytest.mark.parametrize(
    ("until", "code"),
    [
        ("2020-01-01T00:00:00Z", "date_in_past"),
        ("2090-01-01T00:00:00Z", "date_too_far"),
        ("2026-13-01T00:00:00Z", "validation_failed"),
        ("0001-01-01T00:00:00+14:00", "validation_failed"),
        ("2027-01-01T00:00:00", "validation_failed"),
        ("tomorrow", "validation_failed"),
    ],
)
async def test_a_hold_until_an_impossible_time_is_refused(
    client: httpx.AsyncClient, people: People, database: Database, until: str, code: str
) -> None:
    handler = await people.staff("handler")
    case = await make_case(database, stage=Stage.CONTACT, letter="delivered", handler_id=handler.id)
    before = await snapshot(database, case)
    problem(
        await post(
            client,
            handler,
            f"/v1/cases/{case.id}/holds",
            {"reason": "x", "until": until},
            case=case,
        ),
        422,
        code,
    )
    assert await snapshot(database, case) == before


@pytest.mark.parametrize(
    ("path", "body", "check"),
    [
        (
            "next-step",
            {"stage": "reminder", "reason": "no hope here"},
            lambda s: (s["stage"], s["step"]) == ("reminder", 2),
        ),
        (
            "extend",
            {"until": "IN40", "reason": "they asked"},
            lambda s: s["waiting_on"] == "company",
        ),
        (
            "restart",
            {"fact": "new_invoice", "at": "IN-1"},
            lambda s: "new invoice" in s["due_because"],
        ),
        (
            "close",
            {"outcome": "uneconomic", "reason": "too small"},
            lambda s: s["outcome"] == "uneconomic",
        ),
        ("legal", {"deadline": "IN9"}, lambda s: s["pauses"][0]["kind"] == "legal"),
        (
            "incidents",
            {"what": "the notice period was missed"},
            lambda s: (
                {t["role"] for t in s["open_tasks"] if t["kind"] == "incident"}
                == {"legal", "senior"}
            ),
        ),
        ("distress", {"words": "I cannot go on"}, lambda s: s["open_tasks"][0]["kind"] == "care"),
    ],
)
async def test_a_person_steers_a_case(
    client: httpx.AsyncClient,
    people: People,
    database: Database,
    path: str,
    body: dict[str, Any],
    check: Any,
) -> None:
    handler = await people.staff("handler")
    case = await make_case(database, stage=Stage.CONTACT, letter="delivered", handler_id=handler.id)
    sent = {k: instant_in(float(v[2:])) if str(v).startswith("IN") else v for k, v in body.items()}
    answer = await post(client, handler, f"/v1/cases/{case.id}/{path}", sent, case=case)
    assert answer.status_code in (200, 201), answer.text
    assert check(answer.json()), answer.json()
    assert answer.json()["version"] > case.version


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("next-step", {"stage": "reminder", "reason": "x"}),
        ("extend", {"until": instant_in(40), "reason": "x"}),
        ("restart", {"fact": "new_invoice", "at": instant_in(-1)}),
        ("reopen", {"reason": "x"}),
        ("vouchers", {"value": {"amount": "10.00", "currency": "EUR"}}),
        ("close", {"outcome": "refunded_full", "reason": "x"}),
        ("close", {"outcome": "lapsed", "reason": "x"}),
    ],
)
async def test_what_the_ladder_refuses_says_why_and_changes_nothing(
    client: httpx.AsyncClient, people: People, database: Database, path: str, body: dict[str, Any]
) -> None:
    handler = await people.staff("handler")
    case = await make_case(database, stage=Stage.ASSESSMENT, handler_id=handler.id)
    before = await snapshot(database, case)
    document = problem(
        await post(client, handler, f"/v1/cases/{case.id}/{path}", body, case=case),
        409,
        "transition_refused",
    )
    assert document["detail"] and document["params"]["stage"] == "assessment"
    assert await snapshot(database, case) == before


async def test_only_legal_or_a_senior_ends_a_legal_pause(
    client: httpx.AsyncClient, people: People, database: Database
) -> None:
    handler, legal = await people.staff("handler"), await people.staff("legal")
    case = await make_case(database, stage=Stage.CONTACT, letter="delivered", handler_id=handler.id)
    noted = await post(
        client, handler, f"/v1/cases/{case.id}/legal", {"deadline": instant_in(9)}, case=case
    )
    headers = {"If-Match": noted.headers["etag"]}
    path = f"/v1/cases/{case.id}/holds/legal"
    problem(await client.delete(path, headers=handler.auth | headers), 403, "legal_needed")
    lifted = await client.delete(path, headers=legal.auth | headers)
    assert lifted.status_code == 200, lifted.text


async def test_a_duplicate_is_a_link_that_can_be_taken_away(
    client: httpx.AsyncClient, people: People, database: Database
) -> None:
    handler = await people.staff("handler")
    kept = await make_case(database, handler_id=handler.id)
    case = await make_case(database, handler_id=handler.id)
    path = f"/v1/cases/{case.id}/duplicate"
    linked = await post(client, handler, path, {"duplicate_of": str(kept.id)}, case=case)
    assert [p["kind"] for p in linked.json()["pauses"]] == ["duplicate"], linked.text
    problem(
        await post(
            client,
            handler,
            f"/v1/cases/{kept.id}/duplicate",
            {"duplicate_of": str(case.id)},
            case=kept,
        ),
        409,
        "duplicate_chain",
    )
    free = await client.delete(path, headers=handler.auth | {"If-Match": linked.headers["etag"]})
    assert free.json()["pauses"] == [], free.text


@pytest.mark.parametrize("of", ["itself", "foreign"])
async def test_a_case_is_not_linked_to_itself_or_to_what_one_may_not_see(
    client: httpx.AsyncClient, people: People, database: Database, of: str
) -> None:
    handler, other = await people.staff("handler"), await people.staff("handler")
    foreign = await make_case(database, handler_id=other.id)
    case = await make_case(database, handler_id=handler.id)
    body = {"duplicate_of": str(case.id if of == "itself" else foreign.id)}
    answer = await post(client, handler, f"/v1/cases/{case.id}/duplicate", body, case=case)
    if of == "itself":
        problem(answer, 409, "duplicate_chain")
    else:
        problem(answer, 404, "case_not_found")


async def test_a_closed_case_is_reopened_where_it_stood(
    client: httpx.AsyncClient, people: People, database: Database
) -> None:
    senior = await people.staff("senior")
    case = await make_case(database, stage=Stage.CLOSED)
    answer = await post(
        client, senior, f"/v1/cases/{case.id}/reopen", {"reason": "a new proof came"}, case=case
    )
    assert answer.status_code == 200, answer.text
    assert (answer.json()["stage"], answer.json()["outcome"]) == ("contact", None)


async def test_a_case_explains_itself(
    client: httpx.AsyncClient, people: People, database: Database
) -> None:
    handler, auditor = await people.staff("handler"), await people.staff("auditor")
    case = await make_case(database, stage=Stage.CONTACT, letter="delivered", handler_id=handler.id)
    for who in (handler, auditor):
        answer = await get(client, who, f"/v1/cases/{case.id}/explain")
        assert answer.status_code == 200, answer.text
        assert case.reference in answer.json()["text"]
        assert "Virtanen" not in answer.json()["text"]


async def _report(
    client: httpx.AsyncClient, people: People, database: Database, **wish: Any
) -> tuple[Made, str, int]:
    """A consumer says that the company paid them."""
    consumer = await people.consumer()
    case = await make_case(
        database, stage=Stage.CONTACT, letter="delivered", consumer_ids=[consumer.id], **wish
    )
    said = await client.post(
        f"/v1/cases/{case.id}/direct-payments",
        headers=consumer.auth,
        json={
            "amount": {"amount": "120.00", "currency": "EUR"},
            "paid_on": wall_now().date().isoformat(),
        },
    )
    assert said.status_code == 201, said.text
    row = await one(
        database,
        "SELECT d.id, c.version FROM direct_payments d JOIN cases c"
        " ON c.id = d.case_id WHERE c.id = :id",
        id=case.id,
    )
    return case, str(row.id), row.version


async def test_a_confirmed_direct_payment_is_posted_and_ends_the_case(
    client: httpx.AsyncClient, people: People, database: Database
) -> None:
    handler = await people.staff("handler")
    case, report, version = await _report(client, people, database, handler_id=handler.id)
    answer = await post(
        client,
        handler,
        f"/v1/cases/{case.id}/direct-payments/{report}/decide",
        {"confirmed": True, "whole": True},
        version=version,
    )
    assert answer.status_code == 200, answer.text
    assert answer.json()["outcome"] == "paid_direct"
    posted = await one(
        database, "SELECT amount_minor FROM direct_recoveries WHERE id = :id", id=report
    )
    assert posted.amount_minor == 120_00
    again = await post(
        client,
        handler,
        f"/v1/cases/{case.id}/direct-payments/{report}/decide",
        {"confirmed": True, "whole": True},
        version=answer.json()["version"],
    )
    problem(again, 409, "already_decided")


async def test_a_direct_payment_without_proof_ends_only_its_task(
    client: httpx.AsyncClient, people: People, database: Database
) -> None:
    handler = await people.staff("handler")
    case, report, version = await _report(client, people, database, handler_id=handler.id)
    answer = await post(
        client,
        handler,
        f"/v1/cases/{case.id}/direct-payments/{report}/decide",
        {"confirmed": False, "whole": False, "reason": "no proof was sent"},
        version=version,
    )
    assert answer.status_code == 200, answer.text
    assert answer.json()["stage"] == "contact"
    assert "check_direct_payment" not in [t["kind"] for t in answer.json()["open_tasks"]]
