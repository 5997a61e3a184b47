"""What the law's files say of a case: shown to who decides, kept as shown, its day taken over."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import httpx
import orjson

from app.db import Database
from tests.api.test_assessing import ACCEPT
from tests.support.api import People
from tests.support.cases import Made, make_case
from tests.support.staff_work import one, post, problem

CASE = orjson.loads(Path("ops/world/cases/case-01.json").read_bytes())
LAST_DAY = date(2032, 8, 1)  # six years from the flight


async def british_bags(database: Database, handler: Any, **answers: Any) -> Made:
    return await make_case(
        database, handler_id=handler.id, claim_kind="air_fees", jurisdiction="GB",
        currency="GBP", answers=CASE["answers"] | answers,
    )  # fmt: skip


async def test_the_finding_is_read_before_and_kept_with_the_decision(
    client: httpx.AsyncClient, people: People, database: Database
) -> None:
    handler = await people.staff("handler")
    case = await british_bags(database, handler)
    shown = (await client.get(f"/v1/cases/{case.id}/finding", headers=handler.auth)).json()
    assert (shown["eligible"], shown["refused"]) == ("yes", [])
    assert shown["finding"]["legal_ground"] == ["air.double_charge"]
    assert shown["finding"]["amount_minor"] == 110_00
    answer = await post(client, handler, f"/v1/cases/{case.id}/assessment", ACCEPT, case=case)
    assert answer.status_code == 200, answer.text
    kept = await one(database, "SELECT * FROM findings WHERE case_id = :id", id=case.id)
    assert (kept.law, kept.playbook) == (shown["law"], shown["playbook"])
    assert (kept.eligible, kept.grounds) == ("yes", ["air.double_charge"])
    assert "hold bag" not in str(kept.body)
    row = await one(database, "SELECT limitation_on FROM cases WHERE id = :id", id=case.id)
    assert row.limitation_on == LAST_DAY


async def test_a_later_last_day_than_the_laws_needs_its_reason(
    client: httpx.AsyncClient, people: People, database: Database
) -> None:
    handler = await people.staff("handler")
    case = await british_bags(database, handler)
    later = ACCEPT | {"limitation_on": (LAST_DAY + timedelta(days=1)).isoformat()}
    refused = await post(client, handler, f"/v1/cases/{case.id}/assessment", later, case=case)
    problem(refused, 422, "limitation_reason_missing")
    given = later | {"limitation_reason": "the airline acknowledged the claim in writing"}
    taken = await post(client, handler, f"/v1/cases/{case.id}/assessment", given, case=case)
    assert taken.status_code == 200, taken.text


async def test_answers_the_questions_do_not_know_are_named_and_stop_nothing(
    client: httpx.AsyncClient, people: People, database: Database
) -> None:
    handler = await people.staff("handler")
    case = await british_bags(database, handler, from_airport="ZZZ")
    shown = (await client.get(f"/v1/cases/{case.id}/finding", headers=handler.auth)).json()
    assert (shown["eligible"], shown["finding"]) == ("needs_info", None)
    assert [entry["answer"] for entry in shown["refused"]] == ["from_airport"]
    answer = await post(client, handler, f"/v1/cases/{case.id}/assessment", ACCEPT, case=case)
    assert answer.status_code == 200, answer.text


async def test_an_act_that_moved_the_last_day_is_recorded_with_its_reason(
    client: httpx.AsyncClient, people: People, database: Database
) -> None:
    handler = await people.staff("handler")
    case = await british_bags(database, handler)
    taken = await post(client, handler, f"/v1/cases/{case.id}/assessment", ACCEPT, case=case)
    moved = {
        "act": "correction", "on": "2026-11-01", "new_day": "2031-08-01",
        "reason": "the flight was in Scotland: five years",
    }  # fmt: skip
    answer = await client.post(
        f"/v1/cases/{case.id}/limitation", json=moved,
        headers=handler.auth | {"If-Match": taken.headers["etag"]},
    )  # fmt: skip
    assert answer.status_code == 200, answer.text
    row = await one(database, "SELECT limitation_on FROM cases WHERE id = :id", id=case.id)
    assert row.limitation_on == date(2031, 8, 1)
