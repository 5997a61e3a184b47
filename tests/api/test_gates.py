"""Gates through the door: shown before the decision, held at it, passed by words and reasons."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from sqlalchemy import text

from app import engine
from app.casework.gates import longer_wait
from app.db import Database
from tests.api.test_assessing import ACCEPT
from tests.support.agency import LICENCES
from tests.support.api import People
from tests.support.cases import ANSWERS, make_case
from tests.support.staff_work import get, one, post, problem, snapshot

HELD = ANSWERS | {"other_routes": [{"route": "other_agency", "state": "running"}]}


async def test_a_closed_gate_says_its_rule_and_what_opens_it_and_changes_nothing(
    client: httpx.AsyncClient, people: People, database: Database
) -> None:
    handler = await people.staff("handler")
    case = await make_case(database, handler_id=handler.id, jurisdiction="ES")
    path = f"/v1/cases/{case.id}"
    shown = (await get(client, handler, f"{path}/gates")).json()
    licence = next(gate for gate in shown["items"] if gate["gate"] == "licence")
    assert (shown["all_open"], licence["state"]) == (False, "closed")
    assert licence["rule"] == "house.gate.licence_unknown"
    assert "ES" in licence["opens_when"] and licence["lifted_by"] == ["legal"]
    before = await snapshot(database, case)
    refused = problem(
        await post(client, handler, f"{path}/assessment", ACCEPT, case=case), 409, "gate_closed"
    )
    assert refused["params"]["gates"] == "licence"
    lifted = ACCEPT | {"gates": [{"gate": "licence", "words": "it will do"}]}
    answer = await post(client, handler, f"{path}/assessment", lifted, case=case)
    problem(answer, 403, "gate_not_yours")
    unknown = ACCEPT | {"gates": [{"gate": "weather", "words": "fine today"}]}
    answer = await post(client, handler, f"{path}/assessment", unknown, case=case)
    problem(answer, 422, "gate_unknown")
    assert await snapshot(database, case) == before


async def test_legal_lifts_a_gate_with_a_reason_that_is_kept(
    client: httpx.AsyncClient, people: People, database: Database
) -> None:
    legal = await people.staff("senior", "legal")
    case = await make_case(database, jurisdiction="ES")
    body = ACCEPT | {"gates": [{"gate": "licence", "words": "Counsel Ruiz: none is needed."}]}
    answer = await post(client, legal, f"/v1/cases/{case.id}/assessment", body, case=case)
    assert answer.status_code == 200, answer.text
    row = await one(
        database, "SELECT gates, opponent_role FROM assessments WHERE case_id = :id", id=case.id
    )
    licence = next(gate for gate in row.gates if gate["gate"] == "licence")
    assert (licence["state"], licence["passed_by"]) == ("closed", "in_words")
    assert (row.opponent_role, "Ruiz" in str(row.gates)) == ("contract_party", False)
    entry = await one(
        database,
        "SELECT params FROM audit_entries WHERE stream = :s AND code = 'gate_lifted'",
        s=f"case:{case.id}",
    )
    assert (entry.params["gate"], entry.params["rule"]) == ("licence", "house.gate.licence_unknown")
    note = await one(
        database, "SELECT words, about FROM case_notes WHERE case_id = :id", id=case.id
    )
    assert (note.about, note.words) == ("gate.licence", "Counsel Ruiz: none is needed.")


async def test_a_claim_held_elsewhere_needs_its_release_among_the_papers(
    client: httpx.AsyncClient, people: People, database: Database
) -> None:
    handler = await people.staff("handler")
    case = await make_case(database, handler_id=handler.id, answers=HELD)
    path = f"/v1/cases/{case.id}"
    answer = await post(client, handler, f"{path}/assessment", ACCEPT, case=case)
    assert problem(answer, 409, "gate_closed")["params"]["gates"] == "elsewhere.other_agency"
    foreign = await make_case(database, handler_id=handler.id)
    paper = await _upload(client, handler, f"/v1/cases/{foreign.id}")
    release = {"route": "other_agency", "released_on": "2026-11-01", "evidence_id": paper}
    freed = ACCEPT | {"releases": [release]}
    answer = await post(client, handler, f"{path}/assessment", freed, case=case)
    problem(answer, 422, "evidence_not_found")
    freed["releases"] = [release | {"evidence_id": await _upload(client, handler, path)}]
    version = (await get(client, handler, path)).headers["etag"].strip('"')
    answer = await post(client, handler, f"{path}/assessment", freed, version=int(version))
    assert answer.status_code == 200, answer.text


async def test_where_the_company_hears_the_consumer_first_step_0_is_theirs(
    client: httpx.AsyncClient, people: People, database: Database
) -> None:
    handler = await people.staff("handler")
    case = await make_case(database, handler_id=handler.id)
    async with database.transaction() as session:
        await session.execute(
            text(
                "UPDATE companies SET direct_first_days = 28, direct_first_source = 'its terms',"
                " mandate_level = 'drawn' WHERE id = :id"
            ),
            {"id": case.company_id},
        )
    answer = await post(client, handler, f"/v1/cases/{case.id}/assessment", ACCEPT, case=case)
    assert answer.status_code == 200, answer.text
    async with database.read() as session:
        loaded = await engine.peek(session, case.id)
    assert loaded is not None and loaded.case.consumer_writes_first_days == 28


@pytest.mark.parametrize(
    ("company", "said", "days"),
    [(None, None, None), (28, None, 28), (None, 28, 28), (28, 42, 42), (28, 14, 28),
     (None, "unknown", None), (None, 4000, None), (None, -1, None)],
)  # fmt: skip
def test_the_longer_of_record_and_terms_counts(company: Any, said: Any, days: int | None) -> None:
    assert longer_wait(company, {"direct_first_days": said}) == days


async def test_licences_are_checked_when_the_profile_is_set(
    client: httpx.AsyncClient, people: People, database: Database
) -> None:
    from_the_tests = {**LICENCES[0], "valid_from": "2026-01-02", "valid_until": "2026-01-01"}
    admin = await people.admin()
    body = {
        "name": "Recourse Oy", "address_lines": ["Lake Road 2"], "country": "FI",
        "business_id": "1234567-8", "email": "office@agency.test",
        "approval_line_minor": {"EUR": 50_000}, "licences": [from_the_tests],
        "office_hours": {"opens": "09:00", "closes": "17:00", "days": ["mon"]},
    }  # fmt: skip
    answer = await client.put("/v1/agency", json=body, headers=admin.auth)
    problem(answer, 422, "validation_failed")
    body["licences"] = [{**LICENCES[0], "claim_kinds": ["gambling"]}]
    answer = await client.put("/v1/agency", json=body, headers=admin.auth)
    problem(answer, 422, "validation_failed")
    body["licences"] = LICENCES
    answer = await client.put("/v1/agency", json=body, headers=admin.auth)
    assert answer.status_code == 200, answer.text


async def _upload(client: httpx.AsyncClient, who: Any, case: str) -> str:
    answer = await client.post(
        f"{case}/evidence",
        params={"what": "release", "file_name": "release.txt"},
        content=b"We release the claim.",
        headers=who.auth | {"Content-Type": "text/plain"},
    )
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])
