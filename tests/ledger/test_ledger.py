"""The ledger on a real PostgreSQL: what it posts, what it refuses, what it proves."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Mapping
from datetime import UTC, date, datetime

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from app import ledger
from app.db import Database
from app.domain.money import Money
from app.domain.posting_rules import PostingRefused
from app.ids import new_id
from app.ledger import Posting

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
DAY = date(2026, 11, 21)
CASE = uuid.UUID(int=7)


def posting(kind: str, key: str, amounts: Mapping[str, int], **subs: str) -> Posting:
    return Posting(
        kind=kind, key=key, currency="EUR", amounts=amounts, subs=subs, effective_on=DAY,
        at=NOW, actor="test", case_id=CASE,
    )  # fmt: skip


def receipt(amount: int = 24_990, movement: str = "m1") -> Posting:
    return posting(
        "bank_credit_imported", f"movement:{movement}", {"amount": amount},
        bank_account="bank", movement=movement,
    )  # fmt: skip


def allocated(amount: int = 24_990, movement: str = "m1") -> Posting:
    return posting(
        "money_allocated", f"allocated:{movement}", {"amount": amount},
        movement=movement, case=str(CASE), claimant="p",
    )  # fmt: skip


def commission(fee: int = 6_248, vat: int = 1_270) -> Posting:
    return posting(
        "commission_deducted", "fee:1", {"fee": fee, "vat": vat},
        case=str(CASE), claimant="p", vat_rate="2550",
    )  # fmt: skip


async def insert_txn(
    session: AsyncSession, legs: list[tuple[str, str, int, int]], *, total: int, count: int
) -> uuid.UUID:
    """Write past the program, as a script or a bug would."""
    txn_id = new_id()
    await session.execute(
        text(
            "INSERT INTO journal_txns (id, linked_group, book, currency, kind, event_key,"
            " content_hash, effective_on, posted_at, leg_count, total_minor, actor, rule_version)"
            " VALUES (:id, :id, 'client', 'EUR', 'x', :key, 'h', :day, :now, :count, :total,"
            " 'test', '1')"
        ),
        {"id": txn_id, "key": str(txn_id), "day": DAY, "now": NOW, "count": count, "total": total},
    )
    for line, (account, sub, debit, credit) in enumerate(legs, start=1):
        await insert_leg(session, txn_id, line, (account, sub, debit, credit))
    return txn_id


async def insert_leg(
    session: AsyncSession, txn_id: uuid.UUID, line: int, leg: tuple[str, str, int, int]
) -> None:
    await session.execute(
        text("INSERT INTO legs VALUES (:txn, :line, :account, :sub, :debit, :credit)"),
        {
            "txn": txn_id, "line": line, "account": leg[0], "sub": leg[1], "debit": leg[2],
            "credit": leg[3],
        },
    )  # fmt: skip


async def test_a_receipt_with_its_commission_leaves_both_books_in_balance(
    database: Database,
) -> None:
    async with database.transaction() as session:
        await ledger.post_many(session, [receipt(), allocated(), commission()])
    async with database.read() as session:
        (proof,) = await ledger.client_book(session)
        assert proof.in_balance
        assert proof.assets == Money(24_990, "EUR")
        assert proof.due_to_own == proof.due_from_client == Money(6_248, "EUR")
        owed = await ledger.balance_of(session, "C.CLIENT", f"{CASE}/p", "EUR")
        assert owed == Money(18_742, "EUR")
        lines = {line.account: line.balance.minor for line in await ledger.trial_balance(session)}
        assert (lines["O.COMM"], lines["O.VAT"]) == (4_978, 1_270)
        assert await ledger.balance_differences(session) == []
        txns = await ledger.postings_of_case(session, CASE)
        assert [(t.kind, t.book, len(t.legs)) for t in txns] == [
            ("bank_credit_imported", "client", 2),
            ("money_allocated", "client", 2),
            ("commission_deducted", "client", 2),
            ("commission_deducted", "own", 3),
        ]


async def test_the_same_event_posts_once_and_other_content_under_its_key_is_refused(
    database: Database,
) -> None:
    async with database.transaction() as session:
        first = await ledger.post(session, receipt())
    async with database.transaction() as session:
        again = await ledger.post(session, receipt())
        assert again.replayed and again.txn_ids == first.txn_ids
    with pytest.raises(ledger.EventKeyReused):
        async with database.transaction() as session:
            await ledger.post(session, receipt(amount=1))
    async with database.read() as session:
        assert (await session.execute(text("SELECT count(*) FROM journal_txns"))).scalar() == 1


async def test_one_event_posted_by_two_workers_at_once_stands_once(database: Database) -> None:
    async def work() -> str:
        try:
            async with database.transaction() as session:
                done = await ledger.post(session, receipt())
        except ledger.EventKeyReused:
            return "refused"
        return "replayed" if done.replayed else "posted"

    outcomes = await asyncio.gather(*(work() for _ in range(4)))
    assert outcomes.count("posted") == 1
    async with database.read() as session:
        assert await ledger.balance_of(session, "C.BANK", "bank", "EUR") == Money(24_990, "EUR")


async def test_client_money_cannot_go_below_zero(database: Database) -> None:
    async with database.transaction() as session:
        await ledger.post_many(session, [receipt(), allocated()])
    payout = posting(
        "payout_approved", "payout:1", {"amount": 24_991}, case=str(CASE), claimant="p", item="i"
    )
    with pytest.raises(ledger.FundsMissing):
        async with database.transaction() as session:
            await ledger.post(session, payout)


async def test_an_event_without_a_rule_or_an_input_posts_nothing(database: Database) -> None:
    async with database.transaction() as session:
        with pytest.raises(PostingRefused):
            await ledger.post(session, posting("no_such_event", "k", {"amount": 1}))
        with pytest.raises(PostingRefused):
            await ledger.post(session, posting("bank_credit_imported", "k", {"amount": 1}))
        with pytest.raises(PostingRefused):
            await ledger.post(session, receipt(amount=0))
        assert (await session.execute(text("SELECT count(*) FROM journal_txns"))).scalar() == 0


async def test_a_reversal_restores_every_balance_and_happens_once(database: Database) -> None:
    async with database.transaction() as session:
        await ledger.post_many(session, [receipt(), allocated(), commission()])
        before = await ledger.trial_balance(session)

    async def take_back(key: str, reversal_key: str) -> ledger.Posted:
        async with database.transaction() as session:
            return await ledger.reverse(
                session, key, reversal_key=reversal_key, effective_on=DAY, at=NOW, actor="test"
            )

    await take_back("fee:1", "undo-fee")
    assert (await take_back("fee:1", "undo-fee")).replayed
    with pytest.raises(ledger.AlreadyReversed):
        await take_back("fee:1", "undo-fee-again")
    async with database.read() as session:
        owed = await ledger.balance_of(session, "C.CLIENT", f"{CASE}/p", "EUR")
        assert owed == Money(24_990, "EUR")
        assert await ledger.client_book_in_balance(session)
    await take_back("undo-fee", "redo-fee")
    async with database.read() as session:
        after = await ledger.trial_balance(session)
        assert [(x.account, x.balance) for x in after] == [(x.account, x.balance) for x in before]


@pytest.mark.parametrize(
    ("legs", "total", "count"),
    [
        ([("C.BANK", "b", 5, 0), ("C.UNALLOC", "m", 0, 4)], 5, 2),
        ([("C.BANK", "b", 5, 0)], 5, 2),
        ([], 5, 2),
        ([("C.BANK", "b", 5, 0), ("C.UNALLOC", "m", 0, 5)], 6, 2),
        ([("C.BANK", "b", 5, 0), ("C.UNALLOC", "m", 0, 5)], 5, 3),
    ],
)
async def test_the_database_refuses_a_transaction_that_does_not_balance(
    database: Database, legs: list[tuple[str, str, int, int]], total: int, count: int
) -> None:
    with pytest.raises(IntegrityError, match="does not balance"):
        async with database.transaction() as session:
            await insert_txn(session, legs, total=total, count=count)


@pytest.mark.parametrize(
    ("legs", "why"),
    [
        ([("C.BANK", "b", 0, 0), ("C.UNALLOC", "m", 0, 5)], "one_side"),
        ([("C.BANK", "b", 5, 5), ("C.UNALLOC", "m", 0, 5)], "one_side"),
        ([("C.BANK", "b", -5, 0), ("C.UNALLOC", "m", 0, 5)], "not_negative"),
        ([("O.BANK", "b", 5, 0), ("C.UNALLOC", "m", 0, 5)], "other book"),
        ([("C.BANK", "b", 5, 0), ("C.NOSUCH", "m", 0, 5)], "fk_legs_account"),
    ],
)
async def test_the_database_refuses_an_impossible_leg(
    database: Database, legs: list[tuple[str, str, int, int]], why: str
) -> None:
    with pytest.raises(IntegrityError, match=why):
        async with database.transaction() as session:
            await insert_txn(session, legs, total=5, count=2)


async def test_legs_may_come_in_several_statements_but_none_after_the_last(
    database: Database,
) -> None:
    async with database.transaction() as session:
        txn_id = await insert_txn(
            session, [("C.BANK", "b", 5, 0), ("C.UNALLOC", "m", 0, 5)], total=5, count=2
        )
    with pytest.raises(DBAPIError, match="takes no further leg"):
        async with database.transaction() as session:
            await insert_leg(session, txn_id, 3, ("C.BANK", "b", 1, 0))


async def test_a_fee_in_one_book_only_is_refused(database: Database) -> None:
    async with database.transaction() as session:
        await insert_txn(
            session, [("C.BANK", "b", 5, 0), ("C.UNALLOC", "m", 0, 5)], total=5, count=2
        )
    with pytest.raises(IntegrityError, match="disagree"):
        async with database.transaction() as session:
            await insert_txn(
                session, [("C.UNALLOC", "m", 5, 0), ("C.TOOWN", "c", 0, 5)], total=5, count=2
            )


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE journal_txns SET actor = 'someone else'",
        "DELETE FROM journal_txns",
        "UPDATE legs SET debit = debit + 1 WHERE debit > 0",
        "DELETE FROM legs",
        "TRUNCATE legs CASCADE",
        "TRUNCATE journal_txns CASCADE",
        "UPDATE account_balances SET balance = balance + 1",
        "DELETE FROM account_balances",
        "INSERT INTO account_balances VALUES ('C.CLIENT', 'x', 'EUR', 5, true)",
        "UPDATE ledger_accounts SET never_negative = false",
    ],
)
async def test_posted_rows_and_balances_cannot_be_changed(
    database: Database, statement: str
) -> None:
    async with database.transaction() as session:
        await ledger.post(session, receipt())
    with pytest.raises(DBAPIError, match=r"append-only|never written directly"):
        async with database.transaction() as session:
            await session.execute(text(statement))


async def test_a_reversal_that_is_not_the_mirror_is_refused(database: Database) -> None:
    async with database.transaction() as session:
        done = await ledger.post(session, receipt())
    with pytest.raises(IntegrityError, match="not the mirror"):
        async with database.transaction() as session:
            txn_id = new_id()
            await session.execute(
                text(
                    "INSERT INTO journal_txns (id, linked_group, book, currency, kind, event_key,"
                    " content_hash, effective_on, posted_at, leg_count, total_minor, actor,"
                    " rule_version, reverses_id) VALUES (:id, :id, 'client', 'EUR', 'reversal',"
                    " 'r', 'h', :day, :now, 2, 5, 'test', '1', :reverses)"
                ),
                {"id": txn_id, "day": DAY, "now": NOW, "reverses": done.txn_ids[0]},
            )
            await insert_leg(session, txn_id, 1, ("C.UNALLOC", "m1", 5, 0))
            await insert_leg(session, txn_id, 2, ("C.BANK", "bank", 0, 5))
