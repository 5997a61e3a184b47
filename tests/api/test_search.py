"""Search finds by what one has in hand, only what one may see, never by reading it all."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from sqlalchemy import event, insert, text

from app.authorisation.principal import Principal
from app.clock import wall_now
from app.db import Database
from app.ids import new_id
from app.search import queries
from app.tables.payouts import PayoutAccount
from tests.support.api import People, Person
from tests.support.cases import Made, make_case
from tests.support.staff_work import get, problem


async def found(client: httpx.AsyncClient, who: Person, q: str, **more: Any) -> list[str]:
    answer = await get(client, who, "/v1/search", q=q, **more)
    assert answer.status_code == 200, answer.text
    return [hit["reference"] for hit in answer.json()["items"]]


def variants(reference: str) -> list[str]:
    plain = reference.removeprefix("RC-")
    return [
        reference,
        reference.lower(),
        plain,
        f"rc {plain[:4]} {plain[4:]}",
        reference.replace("0", "O").replace("1", "l"),
    ]


async def test_a_reference_is_read_as_people_say_it(
    client: httpx.AsyncClient, people: People, database: Database
) -> None:
    handler = await people.staff("handler")
    case = await make_case(database)
    await make_case(database)
    for q in variants(case.reference):
        assert await found(client, handler, q) == [case.reference], q


async def test_names_companies_and_accounts_are_found_by_their_part(
    client: httpx.AsyncClient, people: People, database: Database
) -> None:
    handler = await people.staff("handler")
    case = await make_case(database, names=["Öystein Åberg"], company_name="Zebra Travel Ltd")
    await make_case(database, names=["Anna Virtanen"], company_name="Slow Parcels Ltd")
    await give_account(database, case, "FI2112345600000785")
    for q, matched in (
        ("öyst", "name"),
        ("ÖYSTEIN Å", "name"),
        ("åberg", "name"),
        ("ÅBE", "name"),
        ("Åberg Öystein", "name"),
        ("zebra", "company"),
        ("0785", "iban_tail"),
    ):
        answer = (await get(client, handler, "/v1/search", q=q)).json()
        assert [(h["reference"], h["matched"]) for h in answer["items"]] == [
            (case.reference, [matched])
        ], q
    assert await found(client, handler, "nobody") == []
    assert await found(client, handler, "%%") == []


async def give_account(database: Database, case: Made, iban: str) -> None:
    async with database.transaction() as session:
        await session.execute(
            insert(PayoutAccount).values(
                id=new_id(),
                consumer_id=case.consumer_ids[0],
                version=1,
                rail="sepa",
                country="FI",
                currency="EUR",
                iban_cipher=b"x",
                iban_index=b"y",
                iban_last4=iban[-4:],
                holder_cipher=b"z",
                added_by="test",
                added_at=wall_now(),
                usable_from=wall_now(),
            )
        )


async def test_a_handler_finds_own_cases_and_the_pool_and_an_auditor_no_names(
    client: httpx.AsyncClient, people: People, database: Database
) -> None:
    handler, other = await people.staff("handler"), await people.staff("handler")
    auditor, admin = await people.staff("auditor"), await people.admin()
    mine = await make_case(database, handler_id=handler.id)
    pool = await make_case(database)
    foreign = await make_case(database, handler_id=other.id)
    assert set(await found(client, handler, "anna")) == {mine.reference, pool.reference}
    assert await found(client, handler, foreign.reference) == []
    seen = (await get(client, auditor, "/v1/search", q=foreign.reference)).json()["items"]
    assert [hit["consumer"] for hit in seen] == [None]
    problem(await get(client, admin, "/v1/search", q="anna"), 403, "forbidden")


async def test_results_come_in_pages_newest_first(
    client: httpx.AsyncClient, people: People, database: Database
) -> None:
    senior = await people.staff("senior")
    made = [await make_case(database) for _ in range(5)]
    seen: list[str] = []
    cursor = None
    while True:
        params = {"q": "anna", "limit": 2} | ({"cursor": cursor} if cursor else {})
        page = (await get(client, senior, "/v1/search", **params)).json()
        seen += [hit["reference"] for hit in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == [c.reference for c in reversed(made)]


@pytest.mark.parametrize("q", ["", "x", "a" * 200, "\u202eanna", "a\u0000b", "\u200b\u200b"])
async def test_a_query_that_cannot_be_searched_is_refused(
    client: httpx.AsyncClient, people: People, q: str
) -> None:
    handler = await people.staff("handler")
    answer = await get(client, handler, "/v1/search", q=q)
    problem(answer, 422, "text_not_allowed" if "\x00" in q else "validation_failed")


@pytest.mark.parametrize("q", ["RC-0000000", "anna", "slow", "0785", "%_%_%_%_%", "a" * 120])
async def test_no_search_reads_a_whole_table(database: Database, q: str) -> None:
    """Every statement of a search is planned without a sequential scan of a table that grows."""
    await make_case(database)
    statements: list[tuple[str, Any]] = []
    caller = Principal("staff", new_id(), frozenset({"handler"}))
    sync = database.reading_engine.sync_engine

    def remember(_c: Any, _cur: Any, statement: str, parameters: Any, *_: Any) -> None:
        statements.append((statement, parameters))

    event.listen(sync, "before_cursor_execute", remember)
    async with database.read() as session:
        await queries.find(session, caller, q, before=None, limit=25)
    event.remove(sync, "before_cursor_execute", remember)
    looked_at = [s for s in statements if s[0].lstrip().startswith("SELECT")]
    assert looked_at, "the search asked nothing"
    async with database.engine.connect() as connection:
        await connection.execute(text("SET enable_seqscan = off"))
        for statement, parameters in looked_at:
            plan = await connection.exec_driver_sql(f"EXPLAIN {statement}", parameters)
            lines = "\n".join(row[0] for row in plan)
            assert "Seq Scan" not in lines, f"{statement}\n{lines}"
