"""SIE type 4: the Swedish interchange file of vouchers (format description 4B, sie.se).

Lines of ``#LABEL field field``; fields with a space are quoted; the character set is IBM PC 8 bit
(code page 437); a debit is plus. One file is one book in one currency and one year.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from app.domain.chart import Account
from app.finance.formats.rows import TxnRow, major

CODE_PAGE: Final = "cp437"
TYPES: Final = {"asset": "T", "liability": "S", "income": "I", "expense": "K"}  # #KTYP
SERIES: Final = {"own": "A", "client": "B"}


@dataclass(frozen=True, slots=True)
class SieHead:
    """What stands before the vouchers. ``opening`` and ``closing``: signed minor units by account,
    debit plus; accounts of results open at zero."""

    company: str
    org_number: str
    made_on: date
    first: date
    last: date
    currency: str
    accounts: Sequence[Account]
    numbers: Mapping[str, str]
    opening: Mapping[str, int]
    closing: Mapping[str, int]


def field(value: str) -> str:
    """A field as the format wants it: no control characters, quotes escaped, quoted."""
    plain = "".join(c for c in value if c >= " " and c != "\x7f").replace('"', '\\"')
    return f'"{plain}"'


def head(about: SieHead) -> bytes:
    """Identification, accounts, opening and closing balances, results."""
    year = about.first
    lines = [
        "#FLAGGA 0",
        '#PROGRAM "Recourse" 1',
        "#FORMAT PC8",
        f"#GEN {about.made_on:%Y%m%d}",
        "#SIETYP 4",
        f"#FNAMN {field(about.company)}",
        f"#ORGNR {field(about.org_number)}",
        f"#RAR 0 {year:%Y%m%d} {year.replace(month=12, day=31):%Y%m%d}",
        f"#OMFATTN {about.last:%Y%m%d}",
        f"#VALUTA {about.currency}",
    ]
    for account in about.accounts:
        number = about.numbers[account.name]
        lines += [
            f"#KONTO {number} {field(account.title)}",
            f"#KTYP {number} {TYPES[account.kind]}",
        ]
    for account in about.accounts:
        number = about.numbers[account.name]
        opening = major(about.opening.get(account.name, 0), about.currency)
        closing = major(about.closing.get(account.name, 0), about.currency)
        if account.kind in ("asset", "liability"):
            lines += [f"#IB 0 {number} {opening}", f"#UB 0 {number} {closing}"]
        else:
            lines.append(f"#RES 0 {number} {closing}")
    return _encoded(lines)


def vouchers(txns: Iterable[TxnRow], numbers: Mapping[str, str], first: int) -> Iterator[bytes]:
    """Each transaction as a voucher, numbered from ``first`` in the series of its book."""
    for at, txn in enumerate(txns, first):
        lines = [f"#VER {SERIES[txn.book]} {at} {txn.effective_on:%Y%m%d} {field(txn.kind)}", "{"]
        lines += [
            f"#TRANS {numbers[leg.account]} {{}} {major(leg.debit - leg.credit, txn.currency)}"
            for leg in txn.legs
        ]
        yield _encoded([*lines, "}"])


def _encoded(lines: Iterable[str]) -> bytes:
    return "".join(f"{line}\r\n" for line in lines).encode(CODE_PAGE, errors="replace")
