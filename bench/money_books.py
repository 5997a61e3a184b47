"""The made-up year in the books, a month's proof, and a payout batch of ten thousand.

`python -m bench.money_books [--quick]`. The year's lines come as a statement a day through the
import; each receipt is then set against its cases by the ledger's own posting. A second, empty
database gets the same files shuffled within windows, so that many must wait, and the allocations
in another order: every balance must be the same. Payouts go from draft items to the bank's file as
the desk does it: made, approved by somebody else, exported with every account opened.
"""

from __future__ import annotations

import random
import sys
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from typing import Any, Final
from xml.sax.saxutils import escape

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app import ledger
from app.banking.importing import import_file, open_bank_account
from app.db import Database
from app.finance.day import close_list
from app.finance.paying import HOLDER_COLUMN, NUMBER_COLUMN
from app.ids import new_id
from app.ledger import Posting
from app.payouts import batches
from app.payouts.batch_parts import Payee
from app.tables.banking import Movement
from app.tables.bulk import BulkInsert
from app.tables.payouts import PayoutAccount, PayoutItem
from app.tables.security import DataKey
from app.vault import data_key_row, open_ciphers
from bench import here
from bench.bank import IBAN, KEYRING, processor
from bench.money import CASES, MOVEMENTS, SEED
from bench.money_year import Year, YearLine, make_year

NOW: Final = datetime(2027, 1, 2, 9, tzinfo=UTC)
WINDOW: Final = 15  # days whose files are shuffled
CHUNK: Final = 1_000
PAYOUTS: Final = 10_000
PAYOUT_SECONDS_MAX: Final = 10.0
CLOSE_SECONDS_MAX: Final = 10.0
Balances = dict[tuple[str, str], int]


def chunks(rows: Iterable[Any], size: int) -> Iterator[list[Any]]:
    left = iter(rows)
    while some := list(islice(left, size)):
        yield some


def day_files(year: Year) -> list[bytes]:
    """One camt.053 for each day that has lines; what is no receipt is a debit of one euro."""
    by_day: dict[date, list[tuple[int, YearLine]]] = defaultdict(list)
    for at, line in enumerate(year.lines):
        by_day[line.on].append((at, line))
    files, standing = [], 0
    for number, day in enumerate(sorted(by_day), start=1):
        closing = standing + sum(_minor(line, day) for _, line in by_day[day])
        entries = "".join(_entry(at, line) for at, line in by_day[day])
        files.append(_file(number, day, standing, closing, entries))
        standing = closing
    return files


def _minor(line: YearLine, day: date) -> int:
    # No debit before there is anything to pay it from.
    if line.receipt is not None:
        return line.receipt.amount_minor
    return -100 if day > date(2026, 1, 31) else 100


def _entry(at: int, line: YearLine) -> str:
    minor, receipt = _minor(line, line.on), line.receipt
    ref = f"<Strd><CdtrRefInf><Ref>{escape(receipt.creditor_ref)}</Ref></CdtrRefInf></Strd>" if (
        receipt is not None and receipt.creditor_ref) else ""  # fmt: skip
    words = escape(receipt.text) if receipt is not None else ""
    name = escape(receipt.payer_name or "") if receipt is not None else ""
    return (
        f"<Ntry>{_amount(minor)}<Sts>BOOK</Sts><BookgDt><Dt>{line.on}</Dt></BookgDt>"
        f"<AcctSvcrRef>Y{at:06}</AcctSvcrRef><NtryDtls><TxDtls>{_amount(minor)}<RltdPties><Dbtr>"
        f"<Nm>{name}</Nm></Dbtr></RltdPties><RmtInf><Ustrd>{words}</Ustrd>{ref}</RmtInf></TxDtls>"
        "</NtryDtls></Ntry>"
    )


def _amount(minor: int) -> str:
    side, size = ("CRDT", minor) if minor >= 0 else ("DBIT", -minor)
    return f'<Amt Ccy="EUR">{size // 100}.{size % 100:02}</Amt><CdtDbtInd>{side}</CdtDbtInd>'


def _file(number: int, day: date, opening: int, closing: int, entries: str) -> bytes:
    balances = "".join(
        f"<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp>{_amount(minor)}"
        f"<Dt><Dt>{day}</Dt></Dt></Bal>"
        for code, minor in (("OPBD", opening), ("CLBD", closing))
    )
    return (
        '<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.02"><BkToCstmrStmt><Stmt>'
        f"<Id>D{number}</Id><ElctrncSeqNb>{number}</ElctrncSeqNb><Acct><Id><IBAN>{IBAN}</IBAN></Id>"
        f"<Ccy>EUR</Ccy></Acct>{balances}{entries}</Stmt></BkToCstmrStmt></Document>"
    ).encode()


async def replay(url: str, year: Year, files: Sequence[bytes], seed: int) -> dict[str, Any]:
    """The year in the books of an empty database; ``seed`` 0 keeps every order as it is."""
    database, chance = Database(url, pool_size=1), random.Random(seed)
    order = list(files)
    if seed:
        windows = [list(w) for w in chunks(order, WINDOW)]
        for window in windows:
            chance.shuffle(window)
        order = [file for window in windows for file in window]
    began = time.perf_counter()
    try:
        async with database.transaction() as session:
            await open_bank_account(
                session, account_id=new_id(), book="client", holder="Bench", number=IBAN,
                currency="EUR", at=NOW,
            )  # fmt: skip
        waited = 0
        for raw in order:
            async with database.transaction() as session:
                done = await import_file(session, KEYRING, raw, actor="bench", at=NOW)
                waited += done.state == "waiting"
        imported = time.perf_counter()
        await _allocate(database, year, chance if seed else None)
        allocated = time.perf_counter()
        async with database.read() as session:
            balances = await _balances(session)
            shut = time.perf_counter()
            await close_list(session, date(2026, 12, 1), date(2027, 1, 2))
            clean = await ledger.client_book_in_balance(session)
            clean = clean and not await ledger.balance_differences(session)
            close = time.perf_counter() - shut
        return {
            "balances": balances, "waited": waited, "imported": imported - began,
            "allocated": allocated - imported, "close": close, "in_balance": clean,
        }  # fmt: skip
    finally:
        await database.close()


async def _allocate(database: Database, year: Year, chance: random.Random | None) -> None:
    async with database.read() as session:
        rows = await session.execute(text("SELECT entry_key, id FROM movements"))
        ids = {int(key.split(":")[1].removeprefix("Y")): one for key, one in rows}
    orders = []
    for at, line in enumerate(year.lines):
        left = line.receipt.amount_minor if line.receipt is not None else 0
        for case, minor in line.truth:
            part = min(minor, left)
            left -= part
            if part > 0:
                orders.append((at, case, part))
    if chance is not None:
        chance.shuffle(orders)
    for chunk in chunks(orders, CHUNK):
        postings = [
            Posting(
                kind="money_allocated", key=f"allocation:{at}:{case}", currency="EUR",
                amounts={"amount": minor}, subs={"movement": str(ids[at]), "case": case,
                "claimant": "one"}, effective_on=year.lines[at].on, at=NOW, actor="bench",
            )
            for at, case, minor in chunk
        ]  # fmt: skip
        async with database.transaction() as session:
            await ledger.post_many(session, postings)


async def _balances(session: AsyncSession) -> Balances:
    """Every balance by names that two databases share: the bank's reference, not our id."""
    rows = await session.execute(
        text(
            "SELECT b.account, coalesce(m.entry_key, CASE WHEN b.account LIKE '%.BANK' THEN ''"
            " ELSE b.sub END) AS sub, b.balance FROM account_balances b"
            " LEFT JOIN movements m ON m.id::text = b.sub"
        )
    )
    return {(account, sub): int(minor) for account, sub, minor in rows if minor}


async def payouts(url: str, many: int) -> dict[str, float]:
    """From draft items to the bank's file: made, approved, exported. Seconds, and those of the
    processors (this process and its server process)."""
    database, bank = Database(url, pool_size=1), new_id()
    try:
        async with database.transaction() as session:
            await open_bank_account(
                session, account_id=bank, book="client", holder="Bench Oy", number=IBAN,
                currency="EUR", at=NOW,
            )  # fmt: skip
        items = []
        for start in range(0, many, CHUNK):
            items += await _drafts(database, bank, min(CHUNK, many - start))
        async with database.transaction() as session:
            pid = int(await session.scalar(text("SELECT pg_backend_pid()")) or 0)
        began, used = time.perf_counter(), processor(pid)
        async with database.transaction() as session:
            made = await batches.make_batch(
                session, batch_id=new_id(), bank_account_id=bank, item_ids=items,
                execute_on=(NOW + timedelta(days=1)).date(), actor="staff:maker", at=NOW,
            )  # fmt: skip
        async with database.transaction() as session:
            await batches.approve(
                session, made.id, content_hash=made.content_hash, actor="staff:checker", at=NOW
            )
            await batches.export(
                session, made.id, actor="staff:checker", at=NOW,
                reveal=await _reveal(session), seal=str.encode,
            )  # fmt: skip
        return {"seconds": time.perf_counter() - began, "processor": processor(pid) - used}
    finally:
        await database.close()


_ACCOUNTS = BulkInsert(PayoutAccount, (
    "id", "consumer_id", "version", "rail", "country", "currency", "iban_cipher", "iban_index",
    "iban_last4", "holder_cipher", "added_by", "added_at", "usable_from",
))  # fmt: skip
_ITEMS = BulkInsert(PayoutItem, (
    "id", "kind", "state", "case_id", "claimant_id", "account_id", "amount_minor", "currency",
    "end_to_end_id", "remittance", "created_by", "created_at",
))  # fmt: skip
_KEYS = BulkInsert(DataKey, ("subject_id", "key_id", "wrapped", "created_at"))


async def _drafts(database: Database, bank: Any, many: int) -> list[Any]:
    """Consumers with money, an account that is sealed under their own key, and a draft payout."""
    keys, accounts, items, postings = [], [], [], []
    for _ in range(many):
        consumer, account, item, case, movement = (new_id() for _ in range(5))
        cipher, key = data_key_row(KEYRING, consumer, NOW)
        keys.append(tuple(key[name] for name in ("subject_id", "key_id", "wrapped", "created_at")))
        number, holder = (
            cipher.encrypt(plain, column=column, row_id=account)
            for plain, column in (
                ("FI1410093000123458", NUMBER_COLUMN),
                ("Aino Esimerkki", HOLDER_COLUMN),
            )
        )
        accounts.append((account, consumer, 1, "sepa", "FI", "EUR", number, b"i" * 16, "3458",
                         holder, "consumer:1", NOW, NOW))  # fmt: skip
        items.append((item, "consumer", "draft", case, consumer, account, 5_000, "EUR",
                      f"P{item.hex}", "RC-BENCH", "staff:maker", NOW))  # fmt: skip
        subs = {"bank_account": str(bank), "movement": str(movement), "case": str(case),
                "claimant": str(consumer)}  # fmt: skip
        for kind in ("bank_credit_imported", "money_allocated"):
            postings.append(
                Posting(kind=kind, key=f"{kind}:{movement}", currency="EUR",
                        amounts={"amount": 5_000}, subs=subs, effective_on=NOW.date(), at=NOW,
                        actor="bench")
            )  # fmt: skip
    async with database.transaction() as session:
        await _KEYS(session, keys)
        await _ACCOUNTS(session, accounts)
        await _ITEMS(session, items)
        await ledger.post_many(session, postings)
    return [row[0] for row in items]


async def _reveal(session: AsyncSession) -> Any:
    people = await session.scalars(text("SELECT consumer_id FROM payout_accounts"))
    ciphers = await open_ciphers(session, KEYRING, people)

    async def reveal(account: PayoutAccount | Movement) -> Payee:
        assert isinstance(account, PayoutAccount), "consumers only"
        cipher = ciphers[account.consumer_id]
        assert cipher is not None, "nobody was erased"
        holder = cipher.decrypt(account.holder_cipher, column=HOLDER_COLUMN, row_id=account.id)
        return Payee(
            holder, cipher.decrypt(account.iban_cipher, column=NUMBER_COLUMN, row_id=account.id)
        )

    return reveal


def main(quick: bool = False) -> dict[str, Any]:
    scale = 0.05 if quick else 1.0
    year = make_year(int(CASES * scale), int(MOVEMENTS * scale), SEED)
    files = day_files(year)
    with (
        here.place("money_books", providers="fake") as where,
        here.copies(where, ["money_one", "money_two", "money_pay"]) as (one, two, three),
    ):
        paid = here.run(payouts(three, int(PAYOUTS * scale)))
        first = here.run(replay(one, year, files, 0))
        second = here.run(replay(two, year, files, SEED))
    return {
        "payouts": paid, "first": first, "second": second, "lines": len(year.lines),
        "same": first["balances"] == second["balances"],
    }  # fmt: skip


def show(found: dict[str, Any]) -> None:
    pay = found["payouts"]
    print(
        f"payout batch: made, approved, exported in {pay['seconds']:.2f} s,"
        f" {pay['processor']:.2f} s of processors"
    )
    for name in ("first", "second"):
        run = found[name]
        print(
            f"{name} database: {found['lines']:,} lines imported in {run['imported']:.1f} s"
            f" ({run['waited']} files waited), allocated in {run['allocated']:.1f} s, month-close"
            f" proof {run['close']:.2f} s, in balance {run['in_balance']},"
            f" {len(run['balances']):,} balances"
        )
    print(f"balances the same: {found['same']}")


if __name__ == "__main__":
    show(main(quick="--quick" in sys.argv))
