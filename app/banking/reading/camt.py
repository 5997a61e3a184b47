"""camt.053, .052 and .054 (ISO 20022), every version and prefix, a piece at a time.

Elements are found by local name. Nothing is guessed that the balance does not prove: a statement
that lacks an amount, a side or an account is refused with a reason.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from datetime import date
from io import BytesIO
from typing import TYPE_CHECKING, BinaryIO, Final

from app.banking.reading import xml
from app.banking.reading.amounts import iso_day, minor_units, written
from app.banking.reading.balances import Balance, closing_of, opening_of
from app.banking.reading.camt_entry import payment, read_entry
from app.banking.reading.model import ID_MAX, Detail, Entry, FileRead, Statement, StatementInvalid
from app.banking.reading.xml import Values, local, space, values

if TYPE_CHECKING:
    from lxml.etree import _Element

ENTRIES_MAX: Final = 250_000
VERSIONS: Final = range(1, 15)
FAMILIES: Final = {
    "BkToCstmrStmt": "camt.053", "BkToCstmrAcctRpt": "camt.052",
    "BkToCstmrDbtCdtNtfctn": "camt.054",
}  # fmt: skip
_FORM: Final = re.compile(r"(camt\.05[234])\.(\d{3})\.(\d\d)(?!\d)")


@dataclass(slots=True)
class _Open:
    """A statement while its entries go by."""

    node: _Element
    kind: str
    form: str
    entries: list[Entry] = field(default_factory=list)
    payments: list[tuple[Detail, Values]] = field(default_factory=list)
    seen: Counter[str] = field(default_factory=Counter)
    head: Values | None = None
    balances: list[Balance] = field(default_factory=list)
    account: str = ""


def read_camt(source: bytes | BinaryIO) -> FileRead:
    """Every statement of a file. StatementInvalid; nothing is half read."""
    stream = BytesIO(source) if isinstance(source, bytes) else source
    start = stream.tell()
    try:
        return _read(stream, None)
    except xml.NotUtf8:
        # Some banks write Latin-1 under a UTF-8 declaration: names change by it, no amount does.
        stream.seek(start)
        read = _read(stream, "windows-1252")
        said = "the file says UTF-8 and is not; it was read as Latin-1"
        return FileRead(read.form, read.statements, (said, *read.warnings))


def _read(stream: BinaryIO, encoding: str | None) -> FileRead:
    done: list[Statement] = []
    form = ""
    now: _Open | None = None
    for event, node in xml.pieces(stream, encoding=encoding):
        name = local(node.tag)
        if event == "root":
            raise _another(node)
        if name in xml.STATEMENTS:
            if local(getattr(node.getparent(), "tag", "")) not in FAMILIES:
                continue  # another element of that name, inside a statement
            if event == "start":
                now = _opened(node)
                form = now.form
            elif now is not None:
                done.extend(_closed(now))
                now = None
                _forget(node)
        elif now is not None and event == "end":
            if name == "TxDtls":
                now.payments.append(payment(node))
                _forget(node)
            elif node.getparent() is now.node:
                _entry(now, node)
                _forget(node)
    if not done:
        raise StatementInvalid("The file holds no statement.")
    return FileRead(form, tuple(done))


def _another(root: _Element) -> StatementInvalid:
    """The words for a file that is XML and no account statement."""
    words = "The file holds no camt.053, camt.052 or camt.054 statement."
    return StatementInvalid(
        words, holds=(space(root.tag).rpartition(":")[2] or local(root.tag))[:60]
    )


def _forget(node: _Element) -> None:
    parent = node.getparent()
    if parent is not None:
        parent.remove(node)


def _opened(node: _Element) -> _Open:
    parent = node.getparent()
    assert parent is not None, "asked before"
    kind = FAMILIES[local(parent.tag)]
    found = _FORM.search(space(node.tag)) or _FORM.search(space(parent.tag))
    if found is None:
        return _Open(node, kind, kind)
    if found[1] != kind:
        raise StatementInvalid(f"The file says {found[1]} and holds a {kind}.")
    if int(found[3]) not in VERSIONS:
        raise StatementInvalid("This version is not known.", version=found[0])
    return _Open(node, kind, found[0])


def _head(now: _Open) -> Values:
    """What stands before the entries; read again at the end, should a bank put some of it after."""
    head = values(now.node)
    account = _first(head, "Acct/Id/IBAN", "Acct/Id/Othr/Id", "Acct/Id/PrtryAcct/Id",
                     "Acct/Id/BBAN", "Acct/Id/UPIC", "Acct/Prxy/Id")  # fmt: skip
    if not account or len(account) > ID_MAX:
        raise StatementInvalid("A statement lacks its account.")
    now.account = "".join(account.split()).upper()
    now.head = head
    return head


def _entry(now: _Open, node: _Element) -> None:
    head = now.head or _head(now)
    if len(now.entries) >= ENTRIES_MAX:
        raise StatementInvalid("The statement has too many entries.", limit=ENTRIES_MAX)
    entry = read_entry(
        node, now.payments, kind=now.kind, account=now.account, ident=_first(head, "Id") or "",
        fallback_day=_fallback_day(head),
    )  # fmt: skip
    now.payments = []
    now.seen[entry.key] += 1
    if (times := now.seen[entry.key]) > 1:
        # A copy with another key: slots and frozen leave no other way.
        entry = _renamed(entry, f"{entry.key}#{times}")
    now.entries.append(entry)


def _renamed(entry: Entry, key: str) -> Entry:
    object.__setattr__(entry, "key", key)
    return entry


def _fallback_day(head: Values) -> date | None:
    said = _first(head, "FrToDt/ToDtTm", "FrToDt/ToDt", "CreDtTm")
    return iso_day(said)


def _closed(now: _Open) -> list[Statement]:
    """The statement; one for each currency where an account holds several."""
    head = _head(now)
    ident = _first(head, "Id")
    if not ident or len(ident) > ID_MAX:
        raise StatementInvalid("A statement lacks its id.")
    for node in now.node:
        if local(node.tag) == "Bal":
            now.balances.append(_balance(values(node)))
    warnings = tuple(_totals(head, now.entries))
    currencies = _currencies(_first(head, "Acct/Ccy"), now)
    return [_one(now, head, ident, currency, warnings) for currency in currencies]


def _currencies(said: str | None, now: _Open) -> list[str]:
    """The account's own, and every other one in which something was booked: an account of several
    currencies has balances in each."""
    used = list(dict.fromkeys(entry.currency for entry in now.entries))
    if said and (said in used or not used):
        return [said, *(c for c in used if c != said)]
    balances = list(dict.fromkeys(b.currency for b in now.balances))
    if not (found := used or balances):
        raise StatementInvalid("A statement lacks its currency.")
    return found


def _one(
    now: _Open, head: Values, ident: str, currency: str, warnings: tuple[str, ...]
) -> Statement:
    balances = [b for b in now.balances if b.currency == currency]
    entries = tuple(e for e in now.entries if e.currency == currency)
    opening, closing = opening_of(balances), closing_of(balances)
    number = _first(head, "ElctrncSeqNb") or _first(head, "LglSeqNb")
    sequence = int(number) if number and re.fullmatch(r"[0-9]{1,18}", number) else None
    page = _first(head, "StmtPgntn/PgNb", "RptPgntn/PgNb", "NtfctnPgntn/PgNb") or "1"
    last = _first(head, "StmtPgntn/LastPgInd", "RptPgntn/LastPgInd", "NtfctnPgntn/LastPgInd")
    # Nothing happened: then either balance is the other.
    if not any(e.booked for e in entries):
        opening, closing = opening or closing, closing or opening
    return Statement(
        kind=now.kind, ident=ident, account=now.account, currency=currency,
        sequence=sequence or None,
        page=int(page) if re.fullmatch(r"[0-9]{1,5}", page) else 1,
        last_page=(last or "true").lower() in ("true", "1"),
        opening=opening.minor if opening else None, closing=closing.minor if closing else None,
        opens_on=opening.on if opening else None, closes_on=closing.on if closing else None,
        entries=entries, warnings=warnings,
    )  # fmt: skip


def _balance(found: Values) -> Balance:
    amount, currency = _first(found, "Amt"), _first(found, "Amt@Ccy")
    side = _first(found, "CdtDbtInd")
    if not amount or not currency:
        raise StatementInvalid("A balance has no amount.")
    minor = minor_units(amount, currency)
    if side not in ("CRDT", "DBIT"):
        raise StatementInvalid("A balance says neither credit nor debit.")
    code = _first(found, "Tp/CdOrPrtry/Cd", "Tp/CdOrPrtry/Prtry", "Tp/Cd", "Tp/Prtry") or ""
    on = iso_day(_first(found, "Dt/Dt", "Dt/DtTm"))
    interim = _first(found, "Tp/SubTp/Cd") == "INTM"
    return Balance(code.upper(), minor if side == "CRDT" else -minor, currency, on, interim)


def _totals(head: Values, entries: list[Entry]) -> list[str]:
    """What the bank's own totals say otherwise. Only a warning: samples show them wrong where the
    balances are right."""
    warnings = []
    count = _first(head, "TxsSummry/TtlNtries/NbOfNtries")
    if count and count.isdigit() and int(count[:9]) != len(entries):
        warnings.append(f"the bank counts {count[:9]} entries, the file holds {len(entries)}")
    for name, credit in (("TtlCdtNtries", True), ("TtlDbtNtries", False)):
        said = _first(head, f"TxsSummry/{name}/Sum")
        one = {e.currency for e in entries}
        if not said or len(one) != 1:
            continue
        currency = one.pop()
        total = sum(e.minor for e in entries if e.credit is credit)
        try:
            if minor_units(said, currency) != total:
                raise StatementInvalid("differs")
        except StatementInvalid:
            side = "credits" if credit else "debits"
            warnings.append(
                f"the bank adds {side} up to {said[:24]}, they are {written(total, currency)}"
            )
    return warnings


def _first(found: Values, *paths: str) -> str | None:
    for path in paths:
        if path in found:
            return found[path][0]
    return None
