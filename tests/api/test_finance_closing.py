"""Months close by two people, for ever; any cent can be proved at any date."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app import ledger
from app.clock import wall_now
from app.db import Database
from app.ledger import Posting
from tests.api.finance_office import open_office, running_case
from tests.banking.statements import Line
from tests.support.http import staff
from tests.support.staff_work import problem


async def test_a_month_is_closed_by_two_people_and_its_books_never_change_again(
    client: httpx.AsyncClient, database: Database
) -> None:
    office = await open_office(client, database)
    case = await running_case(database, 100_00)
    today = office.day
    office.day = last = today.replace(day=1) - timedelta(days=1)
    month = {"month": f"{last:%Y-%m}"}
    movement = await office.received(80_00)
    await office.allocate(movement, case)  # today: on the last of the month it was nobody's yet
    problem(await office.post("/finance/close/hard", month, by=office.approver), 409, "close_order")
    await office.post("/finance/close/soft", month, expect=200)
    problem(await office.post("/finance/close/soft", month), 409, "close_order")
    reopened = {**month, "reason": "a late statement"}
    await office.post("/finance/close/reopen", reopened, by=office.approver, expect=200)
    await office.post("/finance/close/soft", month, expect=200)
    both = await staff(database, "finance_approver")
    closed = await office.post("/finance/close/hard", month, by=both, expect=200)
    assert closed.json()["unchanged"] is True and len(closed.json()["proof_sha256"]) == 64
    signed = await office.get("/ledger/certificate", on=str(last))
    assert signed["holds"] and signed["proofs"][0]["bank_says"]["minor"] == 80_00
    assert signed["currencies"][0]["liabilities"][0]["account"] == "C.UNALLOC"

    # What the bank booked in the closed month counts for the first open day.
    late = await office.received(20_00)
    office.day = today
    assert (await office.get("/finance/periods"))["items"][0]["unchanged"] is True
    async with database.read() as session:
        row = (
            await session.execute(
                text("SELECT effective_on, original_on FROM journal_txns WHERE event_key = :key"),
                {"key": f"movement:{late}"},
            )
        ).one()
    assert tuple(row) == (today.replace(day=1), last)
    then = await office.get("/ledger/balances", account="C.UNALLOC", on=str(last))
    assert [(i["sub_account"], i["balance"]["minor"]) for i in then["items"]] == [(movement, 80_00)]
    now = await office.get("/ledger/balances", account="C.UNALLOC")
    assert [i["sub_account"] for i in now["items"]] == [late]
    problem(
        await office.post("/finance/close/reopen", reopened, by=office.approver), 409, "close_order"
    )
    await office.bank(Line(-5_00, text="unexplained"))
    for path, begins in FILES.items():
        answer = await client.get(f"/v1/finance/{path}", headers=office.clerk.auth)
        assert answer.status_code == 200 and answer.content.startswith(begins), answer.text
    await closed_in_the_database(database, last)
    await office.check()


FILES = {
    "journal.csv": b"transaction,book,",
    "journal.jsonl": b'{"id":"',
    "journal.xlsx": b"PK",
    "journal.se?book=client": b"#FLAGGA 0\r\n",
    f"journal-datev.csv?consultant=1001&client=7&book=client&since={wall_now():%Y}-01-01": (
        b'"EXTF";700;21;"Buchungsstapel";13;'
    ),
}


async def closed_in_the_database(database: Database, last: date) -> None:
    """Nobody posts into a hard month, whoever writes; into a soft one finance alone does."""
    with pytest.raises(DBAPIError, match="is closed"):
        async with database.transaction() as session:
            await session.execute(
                text(
                    "INSERT INTO journal_txns (id, linked_group, book, currency, kind, event_key,"
                    " content_hash, effective_on, posted_at, leg_count, total_minor, actor,"
                    " rule_version) SELECT gen_random_uuid(), gen_random_uuid(), book, currency,"
                    " kind, 'another', 'h', :day, now(), 2, 5, 'staff:x', '1' FROM journal_txns"
                    " LIMIT 1"
                ),
                {"day": last},
            )
    for change in ("DELETE FROM ledger_periods", "UPDATE ledger_periods SET state = 'soft'"):
        with pytest.raises(DBAPIError, match="stays closed"):
            async with database.transaction() as session:
                await session.execute(text(change))
    day = last + timedelta(days=1)
    posting = Posting(
        kind="partner_share", key="k", currency="EUR", amounts={"amount": 5},
        subs={"partner": "x"}, effective_on=day, at=wall_now(), actor="system",
    )  # fmt: skip
    async with database.transaction() as session:
        await session.execute(
            text("INSERT INTO ledger_periods VALUES (:m, 'soft', 'staff:x', now())"), {"m": day}
        )
    with pytest.raises(ledger.PeriodClosed):
        async with database.transaction() as session:
            await ledger.post(session, posting)
    async with database.transaction() as session:
        await ledger.post(session, replace(posting, actor="staff:anna"))
