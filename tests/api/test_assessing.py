"""Assessment: who the opponent is, the merit decision, questions to the consumer."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from app.db import Database
from app.domain.case import Stage
from app.ids import new_id
from tests.support.api import People
from tests.support.cases import make_case
from tests.support.staff_work import one, post, problem, snapshot

ACCEPT: dict[str, Any] = {
    "decision": "accept",
    "entry_stage": "contact",
    "entry_reason": "never put in writing",
    "opponent_role": "contract_party",
    "conflict_of_interest": {"checked": True, "found": False},
}
REJECT: dict[str, Any] = {
    "decision": "reject",
    "outcome": "no_merit",
    "rule": "the contract excludes it",
    "would_change": "a written promise of the shop",
    "conflict_of_interest": {"checked": True, "found": False},
}


async def test_an_accepted_case_goes_to_the_agreement(
    client: httpx.AsyncClient, people: People, database: Database
) -> None:
    handler = await people.staff("handler")
    case = await make_case(database, handler_id=handler.id)
    answer = await post(client, handler, f"/v1/cases/{case.id}/assessment", ACCEPT, case=case)
    assert answer.status_code == 200, answer.text
    state = answer.json()
    assert (state["stage"], state["waiting_on"], state["mode"]) == ("agreement", "consumer", "A")
    assert "14 days" in state["due_because"]
    assert answer.headers["etag"] == f'"{state["version"]}"'
    row = await one(database, "SELECT * FROM assessments WHERE case_id = :id", id=case.id)
    assert (row.decided_by, row.conflict_found) == (f"staff:{handler.id}", False)
    checked = await one(
        database,
        "SELECT params FROM audit_entries WHERE stream = :s"
        " AND code = 'conflict_of_interest_checked'",
        s=f"case:{case.id}",
    )
    assert checked.params["found"] == "no"


async def test_words_of_a_person_stay_out_of_the_history(
    client: httpx.AsyncClient, people: People, database: Database
) -> None:
    handler = await people.staff("handler")
    case = await make_case(database, handler_id=handler.id)
    words = "Mrs Virtanen told me that she never complained"
    await post(
        client,
        handler,
        f"/v1/cases/{case.id}/assessment",
        ACCEPT | {"entry_reason": words},
        case=case,
    )
    found = await one(
        database,
        "SELECT count(*) AS n FROM audit_entries WHERE stream = :s"
        " AND params::text LIKE '%Virtanen%'",
        s=f"case:{case.id}",
    )
    note = await one(database, "SELECT words FROM case_notes WHERE case_id = :id", id=case.id)
    assert (found.n, note.words) == (0, words)


async def test_a_currency_without_a_payout_rail_runs_in_mode_b(
    client: httpx.AsyncClient, people: People, database: Database
) -> None:
    handler = await people.staff("handler")
    case = await make_case(database, handler_id=handler.id, currency="GBP", jurisdiction="GB")
    answer = await post(
        client, handler, f"/v1/cases/{case.id}/assessment", ACCEPT | {"mode": "A"}, case=case
    )
    assert answer.json()["mode"] == "B"
    row = await one(database, "SELECT mode_reason FROM assessments WHERE case_id = :id", id=case.id)
    assert row.mode_reason == "no_tested_payout_rail"


async def test_a_rejected_case_is_closed_with_its_outcome(
    client: httpx.AsyncClient, people: People, database: Database
) -> None:
    handler = await people.staff("handler")
    case = await make_case(database, handler_id=handler.id)
    answer = await post(client, handler, f"/v1/cases/{case.id}/assessment", REJECT, case=case)
    assert (answer.json()["stage"], answer.json()["outcome"]) == ("closed", "no_merit")
    assert answer.json()["open_tasks"] == []


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"entry_reason": None}, 422, "assessment_incomplete"),
        ({"conflict_of_interest": {"checked": True, "found": True}}, 409, "conflict_of_interest"),
        ({"conflict_of_interest": {"checked": False, "found": False}}, 422, "validation_failed"),
        ({"limitation_on": "2020-01-01"}, 422, "limitation_passed"),
        ({"first_written_complaint": "2090-01-01"}, 422, "date_in_future"),
        ({"first_written_complaint": "2026-02-30"}, 422, "validation_failed"),
        ({"entry_stage": "settlement"}, 422, "validation_failed"),
        ({"status": "paid"}, 422, "validation_failed"),
    ],
)
async def test_an_acceptance_that_lacks_something_changes_nothing(
    client: httpx.AsyncClient,
    people: People,
    database: Database,
    change: dict[str, Any],
    status: int,
    code: str,
) -> None:
    handler = await people.staff("handler")
    case = await make_case(database, handler_id=handler.id)
    before = await snapshot(database, case)
    answer = await post(
        client, handler, f"/v1/cases/{case.id}/assessment", ACCEPT | change, case=case
    )
    problem(answer, status, code)
    assert await snapshot(database, case) == before


async def test_no_case_is_accepted_before_the_company_is_confirmed(
    client: httpx.AsyncClient, people: People, database: Database
) -> None:
    handler = await people.staff("handler")
    case = await make_case(database, handler_id=handler.id, company_known=False)
    path = f"/v1/cases/{case.id}"
    problem(
        await post(client, handler, f"{path}/assessment", ACCEPT, case=case),
        409,
        "company_not_confirmed",
    )
    problem(
        await post(
            client, handler, f"{path}/company", {"company_id": str(case.company_id)}, case=case
        ),
        409,
        "company_not_confirmed",
    )
    company = await client.get(f"/v1/companies/{case.company_id}", headers=handler.auth)
    confirmed = await client.patch(
        f"/v1/companies/{case.company_id}",
        json={"status": "confirmed", "kind": "business"},
        headers=handler.auth | {"If-Match": company.headers["etag"]},
    )
    assert confirmed.status_code == 200, confirmed.text
    named = await post(
        client, handler, f"{path}/company", {"company_id": str(case.company_id)}, case=case
    )
    assert named.status_code == 200, named.text
    assert "confirm_company" not in [t["kind"] for t in named.json()["open_tasks"]]
    accepted = await post(
        client, handler, f"{path}/assessment", ACCEPT, version=named.json()["version"]
    )
    assert accepted.json()["stage"] == "agreement"


async def test_an_unknown_company_is_refused(
    client: httpx.AsyncClient, people: People, database: Database
) -> None:
    handler = await people.staff("handler")
    case = await make_case(database, handler_id=handler.id)
    problem(
        await post(
            client,
            handler,
            f"/v1/cases/{case.id}/company",
            {"company_id": str(new_id())},
            case=case,
        ),
        404,
        "company_not_found",
    )


async def test_a_question_pauses_the_case_until_its_date(
    client: httpx.AsyncClient, people: People, database: Database
) -> None:
    handler = await people.staff("handler")
    case = await make_case(database, handler_id=handler.id, stage=Stage.CONTACT)
    answer = await post(
        client,
        handler,
        f"/v1/cases/{case.id}/questions",
        {
            "code": "which_parcel",
            "words": "Which parcel do you mean?",
            "default": "go_on",
            "days": 10,
        },
        case=case,
    )
    assert answer.status_code == 201, answer.text
    assert answer.json()["waiting_on"] == "consumer"
    row = await one(
        database, "SELECT words, asked_by FROM questions WHERE case_id = :id", id=case.id
    )
    assert (row.words, row.asked_by) == ("Which parcel do you mean?", f"staff:{handler.id}")


async def test_bodies_named_at_acceptance_are_pinned_and_an_unknown_one_is_refused(
    client: httpx.AsyncClient, people: People, database: Database
) -> None:
    handler = await people.staff("handler")
    case = await make_case(database, handler_id=handler.id)
    path = f"/v1/cases/{case.id}/assessment"
    for bodies in (["xx.nobody"], ["eu.odr"], ["fi.kril"] * 7):
        answer = await post(client, handler, path, ACCEPT | {"bodies": bodies}, case=case)
        assert answer.status_code == 422, bodies
    taken = await post(client, handler, path, ACCEPT | {"bodies": ["fr.mtv"]}, case=case)
    assert taken.status_code == 200, taken.text
    row = await one(database, "SELECT bodies FROM cases WHERE id = :id", id=case.id)
    assert row.bodies == ["fr.mtv"]
