"""DATEV: a batch of bookings as CSV with the EXTF header (Buchungsstapel, format version 13).

Thirty-one fields of header, a line of column names, then one line a booking: amount, S or H,
account and counter account. A transaction of several legs becomes several bookings that pair its
debits with its credits; their sums are the same. The character set is Windows-1252. Source:
developer.datev.de, "DATEV-Format", header and Buchungsstapel.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Final

from app.finance.formats.rows import TxnRow, major

CODE_PAGE: Final = "cp1252"
COLUMNS: Final = tuple(
    Path(__file__).with_name("datev_columns.txt").read_text("utf-8").splitlines()
)
BOOKINGS_MAX: Final = 99_999  # of one batch
TEXT_MAX: Final = 60
_AT: Final = {name: at for at, name in enumerate(COLUMNS)}


@dataclass(frozen=True, slots=True)
class DatevHead:
    """What stands in the first line. ``consultant`` and ``client`` are the accountant's numbers;
    ``locked``: the months are closed, so the bookings may not be changed."""

    made_at: datetime
    consultant: int
    client: int
    year_first: date
    first: date
    last: date
    title: str
    currency: str
    locked: bool
    account_digits: int = 4


def head(about: DatevHead) -> bytes:
    """The header line and the line of column names."""
    stamp = f"{about.made_at:%Y%m%d%H%M%S}{about.made_at.microsecond // 1000:03d}"
    fields = [
        _text("EXTF"), "700", "21", _text("Buchungsstapel"), "13", stamp, "", _text("RE"),
        _text("Recourse"), _text(""), str(about.consultant), str(about.client),
        f"{about.year_first:%Y%m%d}", str(about.account_digits), f"{about.first:%Y%m%d}",
        f"{about.last:%Y%m%d}", _text(about.title[:30]), _text(""), "1", "0",
        "1" if about.locked else "0", _text(about.currency), "", _text(""), "", "", _text("03"),
        "", "", _text(""), _text(""),
    ]  # fmt: skip
    return _encoded([";".join(fields), ";".join(COLUMNS)])


def bookings(txns: Iterable[TxnRow], numbers: Mapping[str, str]) -> Iterator[bytes]:
    """Every transaction as bookings of two accounts each."""
    for txn in txns:
        for minor, debit, credit in pairs(txn):
            line = [""] * len(COLUMNS)
            line[_AT["Umsatz (ohne Soll/Haben-Kz)"]] = str(major(minor, txn.currency)).replace(
                ".", ","
            )
            line[_AT["Soll/Haben-Kennzeichen"]] = _text("S")
            line[_AT["WKZ Umsatz"]] = _text(txn.currency)
            line[_AT["Konto"]] = numbers[debit]
            line[_AT["Gegenkonto (ohne BU-Schlüssel)"]] = numbers[credit]
            line[_AT["Belegdatum"]] = f"{txn.effective_on:%d%m}"
            line[_AT["Belegfeld 1"]] = _text(txn.id.hex)
            line[_AT["Buchungstext"]] = _text(txn.kind[:TEXT_MAX])
            yield _encoded([";".join(line)])


def pairs(txn: TxnRow) -> Iterator[tuple[int, str, str]]:
    """Amount, account debited, account credited: the legs paired in their order, nothing left."""
    credits = [leg for leg in txn.legs if leg.credit]
    at, left = 0, credits[0].credit if credits else 0
    for leg in txn.legs:
        there = leg.debit
        while there:
            minor = min(there, left)
            yield minor, leg.account, credits[at].account
            there, left = there - minor, left - minor
            if not left and at + 1 < len(credits):
                at, left = at + 1, credits[at + 1].credit


def _text(value: str) -> str:
    return '"' + value.replace('"', '""') + '"'


def _encoded(lines: Iterable[str]) -> bytes:
    return "".join(f"{line}\r\n" for line in lines).encode(CODE_PAGE, errors="replace")
