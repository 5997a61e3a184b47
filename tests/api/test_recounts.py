"""After holidays or a rule changed: dates that would move are shown, and moved on approval only."""

from __future__ import annotations

import asyncio
from datetime import date, timedelta
from pathlib import Path

import httpx
import orjson
from sqlalchemy import text
from typer.testing import CliRunner

from app.db import Database
from app.domain.case import Stage
from app.settings import Settings
from ops.cli import app as command_line
from tests.api.test_assessing import ACCEPT
from tests.support.api import People
from tests.support.cases import Made, make_case
from tests.support.staff_work import get, one, post, problem

BAGS = orjson.loads(Path("ops/world/cases/case-01.json").read_bytes())
# The date as it was counted before the last day became a holiday.
COUNTED_EARLIER = (
    "UPDATE case_timers SET due_at = due_at - interval '1 day' WHERE case_id = :id"
    " AND kind = 'deadline'",
    "UPDATE cases SET due_at = due_at - interval '1 day' WHERE id = :id",
)


async def waiting(database: Database) -> tuple[Made, date]:
    """A case whose company has time until a day."""
    case = await make_case(database, stage=Stage.CONTACT, letter="delivered")
    row = await one(database, "SELECT due_basis FROM cases WHERE id = :id", id=case.id)
    return case, date.fromisoformat(row.due_basis["due"])


async def test_a_changed_calendar_moves_nothing_until_a_senior_approves_the_difference(
    client: httpx.AsyncClient, people: People, database: Database
) -> None:
    senior = await people.staff("senior")
    case, _ = await waiting(database)
    assert (await get(client, senior, "/v1/recounts")).json()["items"] == []
    async with database.transaction() as session:
        for statement in COUNTED_EARLIER:
            await session.execute(text(statement), {"id": case.id})
    (moving,) = (await get(client, senior, "/v1/recounts")).json()["items"]
    still = await one(database, "SELECT due_at FROM cases WHERE id = :id", id=case.id)
    named = {k: moving[k] for k in ("case_id", "was", "due")}
    asked = {"differences": [named], "reason": "The holiday act of this year"}
    answer = (await post(client, senior, "/v1/recounts", asked)).json()
    assert (answer["moved"], answer["left"]) == ([str(case.id)], [])
    moved = await one(database, "SELECT due_at FROM cases WHERE id = :id", id=case.id)
    assert moved.due_at == still.due_at + timedelta(days=1)
    again = (await post(client, senior, "/v1/recounts", asked)).json()
    assert (again["moved"], [x["case_id"] for x in again["left"]]) == ([], [str(case.id)])


async def test_a_handler_moves_no_dates_of_others(
    client: httpx.AsyncClient, people: People, database: Database
) -> None:
    handler = await people.staff("handler")
    problem(await get(client, handler, "/v1/recounts"), 403, "forbidden")


def command(settings: Settings, *words: str) -> str:
    """What `recourse playbook ...` prints about this installation's cases."""
    given = {
        "RECOURSE_DATABASE_URL": settings.database_url,
        "RECOURSE_REDIS_URL": settings.redis_url or "",
        "RECOURSE_ENVIRONMENT": "development",
    }
    ended = CliRunner().invoke(command_line, ["playbook", *words], env=given)
    assert ended.exit_code == 0, ended.output
    return ended.output


async def test_a_dry_run_lists_the_cases_that_would_get_another_date(
    database: Database, settings: Settings, tmp_path: Path
) -> None:
    case, _ = await waiting(database)
    pinned = await one(database, "SELECT playbook FROM cases WHERE id = :id", id=case.id)
    draft = _file_of(pinned.playbook).replace("version: 1\n", "version: 2\ndraft: true\n", 1)
    draft = draft.replace("effective_from: 2026-01-01", "effective_from: null")
    longer = draft.rstrip() + "\nladder:\n  - {stage: contact, wait: {value: 30, unit: days}}\n"
    path = tmp_path / "retail.yaml"
    path.write_text(longer, "utf-8")
    key = pinned.playbook.replace("@1", "@2")
    said = await asyncio.to_thread(command, settings, "dry-run", key, "--file", str(path))
    assert case.reference in said
    assert f"house.contact_wait@{key}" in said
    assert "1 would get another date or step; nothing was changed" in said


def _file_of(key: str) -> str:
    name = f"\nid: {key.removesuffix('@1')}\n"
    folder = Path("app/playbooks/data")
    return next(t for p in folder.rglob("*.yaml") if name in (t := p.read_text("utf-8")))


async def test_the_impact_of_a_rule_names_its_dates_letters_verdicts_and_fees(
    client: httpx.AsyncClient, people: People, database: Database, settings: Settings
) -> None:
    case, _ = await waiting(database)
    said = await asyncio.to_thread(command, settings, "impact", "house.contact_wait@1")
    assert f"date     {case.reference}" in said
    assert f"letter   {case.reference}" in said
    handler = await people.staff("handler")
    judged = await make_case(
        database, handler_id=handler.id, claim_kind="air_fees", jurisdiction="GB",
        currency="GBP", answers=BAGS["answers"],
    )  # fmt: skip
    await post(client, handler, f"/v1/cases/{judged.id}/assessment", ACCEPT, case=judged)
    said = await asyncio.to_thread(command, settings, "impact", "air.double_charge@1", "--json")
    (use,) = [orjson.loads(line) for line in said.splitlines() if line.startswith("{")]
    assert (use["what"], use["reference"]) == ("verdict", judged.reference)
