"""The journal as plain lines: CSV with one leg a line, JSON with one transaction a line."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from typing import Any, Final

import orjson

from app.finance.formats.rows import LegRow, TxnRow

COLUMNS: Final = (
    "transaction", "book", "effective_on", "posted_at", "kind", "currency", "case", "reverses",
    "actor", "rules", "original_on", "line", "account", "sub_account", "debit_minor",
    "credit_minor",
)  # fmt: skip


def cells(txn: TxnRow, leg: LegRow) -> tuple[Any, ...]:
    """One leg with its transaction, in the order of COLUMNS."""
    return (
        txn.id, txn.book, txn.effective_on, txn.posted_at, txn.kind, txn.currency, txn.case_id,
        txn.reverses_id, txn.actor, txn.rules, txn.original_on, leg.line, leg.account, leg.sub,
        leg.debit, leg.credit,
    )  # fmt: skip


def csv_lines(rows: Iterable[Iterable[object]]) -> bytes:
    """Rows as RFC 4180 lines in UTF-8; what is not there is an empty cell."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerows(["" if cell is None else cell for cell in row] for row in rows)
    return out.getvalue().encode()


def csv_page(txns: Iterable[TxnRow]) -> bytes:
    return csv_lines(cells(txn, leg) for txn in txns for leg in txn.legs)


def json_lines(txns: Iterable[TxnRow]) -> Iterator[bytes]:
    """Each transaction with its legs as one line of JSON; amounts are minor units."""
    for txn in txns:
        # The driver has a UUID of its own.
        yield orjson.dumps(txn, default=str, option=orjson.OPT_APPEND_NEWLINE)
