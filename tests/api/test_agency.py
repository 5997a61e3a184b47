"""The agency profile: a new version per change, by an admin who showed a code."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from app.db import Database
from app.domain.case import Stage
from tests.support.api import People
from tests.support.cases import make_case
from tests.support.staff_work import get, post, problem

AGENCY: dict[str, Any] = {
    "name": "Recourse Oy",
    "address_lines": ["Lake Road 2", "00200 Helsinki"],
    "country": "FI",
    "business_id": "1234567-8",
    "email": "office@agency.test",
    "approval_line_minor": {"EUR": 50_000},
    "office_hours": {"opens": "09:00", "closes": "17:00", "days": ["mon", "fri"]},
}


async def test_each_change_is_a_new_version(client: httpx.AsyncClient, people: People) -> None:
    admin = await people.admin()
    assert (await get(client, admin, "/v1/agency")).json()["version"] == 0
    first = await client.put("/v1/agency", json=AGENCY, headers=admin.auth)
    assert (first.status_code, first.json()["version"]) == (200, 1), first.text
    problem(
        await client.put("/v1/agency", json=AGENCY, headers=admin.auth), 428, "if_match_required"
    )
    sent = admin.auth | {"If-Match": first.headers["etag"]}
    second = await client.put("/v1/agency", json=AGENCY | {"name": "New Name Oy"}, headers=sent)
    assert second.json()["version"] == 2, second.text
    problem(await client.put("/v1/agency", json=AGENCY, headers=sent), 412, "stale_version")
    assert (await get(client, admin, "/v1/agency")).json()["profile"]["name"] == "New Name Oy"


@pytest.mark.parametrize(
    "change",
    [
        {"approval_line_minor": {"EUR": -1}},
        {"approval_line_minor": {}},
        {"approval_line_minor": {"eur": 1}},
        {"zone": "Mars/Olympus"},
        {"zone": "../../etc/passwd"},
        {"office_hours": {"opens": "25:00", "closes": "17:00", "days": ["mon"]}},
        {"name": "\u200b"},
        {"country": "Finland"},
        {"owner": "me"},
    ],
)
async def test_a_profile_that_cannot_be_used_is_refused(
    client: httpx.AsyncClient, people: People, change: dict[str, Any]
) -> None:
    admin = await people.admin()
    answer = await client.put("/v1/agency", json=AGENCY | change, headers=admin.auth)
    problem(answer, 422, "validation_failed")
    assert (await get(client, admin, "/v1/agency")).json()["version"] == 0


async def test_the_approval_line_decides_who_may_release(
    client: httpx.AsyncClient, people: People, database: Database
) -> None:
    """Below the line of the day a handler is enough, where the ladder asks for a person at all."""
    admin, handler = await people.admin(), await people.staff("handler")
    case = await make_case(
        database,
        stage=Stage.FORMAL_NOTICE,
        letter="to_approve",
        amounts=(600_00,),
        handler_id=handler.id,
    )
    path = f"/v1/cases/{case.id}/letters/{case.letter_id}/approve"
    problem(
        await post(client, handler, path, {"sha256": case.sha256}, case=case), 403, "senior_needed"
    )
    changed = await client.put(
        "/v1/agency",
        headers=admin.auth | {"If-Match": '"1"'},
        json=AGENCY | {"approval_line_minor": {"EUR": 100_000}},
    )
    assert changed.status_code == 200, changed.text
    # The task was opened for a senior, and stays one.
    problem(
        await post(client, handler, path, {"sha256": case.sha256}, case=case), 403, "senior_needed"
    )


async def test_only_an_admin_sets_the_agency(client: httpx.AsyncClient, people: People) -> None:
    senior = await people.staff("senior")
    problem(await client.put("/v1/agency", json=AGENCY, headers=senior.auth), 403, "forbidden")
    assert (await get(client, senior, "/v1/agency")).status_code == 200
