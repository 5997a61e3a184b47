"""Anybody may ask whether they have a claim; nothing of it is kept."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from sqlalchemy import text

from app.check.today import day_in
from app.db import Database
from app.law.eligibility import Checker, FactsIn, as_json
from tests.support.estate import samples


def asked(**change: Any) -> dict[str, Any]:
    body = samples()["public_check"]["body"]
    return {**body, "answers": body["answers"] | change}


async def test_a_stranger_learns_what_is_owed_and_who_decides(client: httpx.AsyncClient) -> None:
    answer = await client.post("/v1/check", json=asked())
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert (found["eligible"], found["amount_minor"], found["currency"]) == ("yes", 40_000, "EUR")
    assert found["body"] == "fi.kril" and found["steps"]
    assert "no_written_complaint" in found["codes"]["warnings"]


async def test_nothing_of_a_check_is_stored(client: httpx.AsyncClient, database: Database) -> None:
    before = await rows_of_all_tables(database)
    await client.post("/v1/check", json=asked())
    assert await rows_of_all_tables(database) == before


async def rows_of_all_tables(database: Database) -> dict[str, int]:
    async with database.read() as session:
        names = await session.execute(
            text("SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace ="
                 " 'public'::regnamespace")
        )  # fmt: skip
        return {
            name: (await session.execute(text(f'SELECT count(*) FROM "{name}"'))).scalar_one()
            for name in list(names.scalars())
        }


FILE = orjson.loads(Path("ops/world/cases/case-03.json").read_bytes())


async def test_an_intake_file_is_taken_as_it_is(client: httpx.AsyncClient) -> None:
    found = (await client.post("/v1/check", json=FILE)).json()
    told = as_json(Checker(date(2026, 11, 21)).check(FactsIn.model_validate(FILE)))
    for name in ("eligible", "items", "legal_ground", "body", "jurisdiction"):
        assert found[name] == told[name]


async def test_the_free_acts_come_as_a_calendar_file(client: httpx.AsyncClient) -> None:
    answer = await client.post("/v1/check/calendar", json=asked())
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/calendar; charset=utf-8"
    assert answer.content.startswith(b"BEGIN:VCALENDAR\r\n")
    refused = await client.post("/v1/check/calendar", json=asked(from_airport="XQX"))
    assert refused.status_code == 422


async def test_an_impossible_answer_is_pointed_at(client: httpx.AsyncClient) -> None:
    answer = await client.post("/v1/check", json=asked(from_airport="XQX", arrival_delay_min=-5))
    assert answer.status_code == 422
    problem = answer.json()
    assert problem["code"] == "answers_invalid"
    pointers = {e["pointer"] for e in problem["errors"]}
    assert pointers == {"/answers/from_airport", "/answers/arrival_delay_min"}


async def test_what_is_not_known_is_asked_for(client: httpx.AsyncClient) -> None:
    answer = await client.post("/v1/check", json=asked(arrival_delay_min="unknown"))
    found = answer.json()
    assert (found["eligible"], found["open_facts"]) == ("needs_info", ["arrival_delay_min"])


async def test_the_intake_asks_what_is_not_known_and_nothing_twice(
    client: httpx.AsyncClient,
) -> None:
    async def ask(answers: dict[str, Any]) -> dict[str, Any]:
        answer = await client.post("/v1/check/questions", json={"answers": answers})
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    first = await ask({})
    assert first["next"]["key"] == "claim_kind" and len(first["next"]["picks"]) == 20
    second = await ask({"claim_kind": "air"})
    assert second["next"]["key"] == "residence"
    whole = asked()["answers"]
    assert await ask(whole) == {"next": None, "open": []}
    del whole["arrival_delay_min"]
    assert (await ask(whole))["open"] == ["arrival_delay_min"]
    assert (await ask(whole | {"incident": "denied_boarding"}))["open"] == [
        "arrival_delay_min",  # taken along after all: late by how much
        "boarding",
    ]
    abroad = {k: v for k, v in whole.items() if k != "sold_to_my_country"}
    assert "sold_to_my_country" in (await ask(abroad))["open"]


@pytest.mark.parametrize(("country", "day"), [("FI", 29), ("GB", 28), ("US", 28), (None, 28)])
def test_today_is_the_day_where_the_consumer_is(country: str | None, day: int) -> None:
    late = datetime(2026, 11, 28, 22, 30, tzinfo=UTC)
    assert day_in(country, late) == date(2026, 11, day)
