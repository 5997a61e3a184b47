"""What the law's files say of a case: shown to who decides, kept as shown, its day taken over."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import orjson

from app.casework.finding import finding_of
from app.db import Database
from app.law.answers import vocabulary
from tests.api.test_assessing import ACCEPT
from tests.support.api import People
from tests.support.cases import Made, make_case
from tests.support.staff_work import one, post, problem, snapshot

CASE = orjson.loads(Path("ops/world/cases/case-01.json").read_bytes())
LAST_DAY = date(2032, 8, 1)  # six years from the flight


async def british_bags(database: Database, handler: Any, **answers: Any) -> Made:
    return await make_case(
        database, handler_id=handler.id, claim_kind="air_fees", jurisdiction="GB",
        currency="GBP", answers=CASE["answers"] | answers, amounts=(55_00, 55_00),
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
    seen = (await client.get(f"/v1/cases/{case.id}", headers=handler.auth)).json()["staff"]
    assert seen["limitation_on"] == LAST_DAY.isoformat()
    assert seen["limitation_rule"] == "lim.gb.ew@house.gb.air@1"
    assert seen["limitation_because"] == (
        "6 years, counted from flight date on 1 August 2026 (rule lim.gb.ew@house.gb.air@1;"
        " a date of the law); the last day is 1 August 2032"
    )
    told = (await client.get(f"/v1/cases/{case.id}/explain", headers=handler.auth)).json()["text"]
    assert "Last day of the claim: 2032-08-01.\n  why: 6 years from flight_date on 2026-08" in told


async def test_a_claim_too_old_by_the_law_is_refused_but_with_a_later_day_of_a_senior(
    client: httpx.AsyncClient, people: People, database: Database
) -> None:
    handler, senior = await people.staff("handler"), await people.staff("senior")
    case = await british_bags(database, handler, flight_date="2019-05-01")
    path = f"/v1/cases/{case.id}/assessment"
    before = await snapshot(database, case)
    later = ACCEPT | {
        "limitation_on": "2031-05-01", "limitation_reason": "they were negotiating until spring",
    }  # fmt: skip
    for who, body in ((handler, ACCEPT), (handler, later), (senior, ACCEPT)):
        answer = await post(client, who, path, body, case=case)
        why = problem(answer, 422, "limitation_passed")["params"]
        assert why["last_day"] == "2025-05-01" and why["rule"] == "lim.gb.ew@house.gb.air@1"
        assert why["would_change"] == "negotiation, claim_to_court, later_day_with_reason"
    assert await snapshot(database, case) == before
    taken = await post(client, senior, path, later, case=case)
    assert taken.status_code == 200, taken.text
    seen = (await client.get(f"/v1/cases/{case.id}", headers=senior.auth)).json()["staff"]
    assert seen["limitation_on"] == "2031-05-01"
    assert "day named by a person" in seen["limitation_because"]


async def test_the_day_of_a_finding_is_that_of_the_cases_place(
    people: People, database: Database
) -> None:
    """Half past ten in the evening in London is tomorrow in Helsinki: what was written this
    morning there lies in no future, and the last day of the claim is over there."""
    answers = CASE["answers"] | {
        "claim_kind": "online_not_delivered", "first_written_complaint": "2026-03-02",
    }  # fmt: skip
    known = vocabulary()["online_not_delivered"]
    case = await make_case(
        database, jurisdiction="FI", answers={k: v for k, v in answers.items() if k in known}
    )
    async with database.read() as session:
        evening = await finding_of(session, case.id, datetime(2026, 3, 1, 22, 30, tzinfo=UTC))
        day = await finding_of(session, case.id, datetime(2026, 3, 1, 21, 30, tzinfo=UTC))
    assert evening.refused == ()
    assert day.refused == (("first_written_complaint", "lies in the future"),)


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
    case = await british_bags(database, handler, from_airport="ZZZ", annas_phone="0401234567")
    shown = (await client.get(f"/v1/cases/{case.id}/finding", headers=handler.auth)).json()
    assert (shown["eligible"], shown["finding"]) == ("needs_info", None)
    assert {entry["answer"] for entry in shown["refused"]} == {"from_airport", "annas_phone"}
    answer = await post(client, handler, f"/v1/cases/{case.id}/assessment", ACCEPT, case=case)
    assert answer.status_code == 200, answer.text
    kept = await one(database, "SELECT body FROM findings WHERE case_id = :id", id=case.id)
    assert sorted(kept.body["refused"]) == ["?", "from_airport"], "keys of a filer may name people"


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
