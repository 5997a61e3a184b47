"""Reads camt.053 bank statements (ISO 20022, versions 02 to 13) into exact values.

Elements are found by local name, so that one reader takes every version and every bank's prefix.
Nothing is posted from here and nothing is guessed: a file that does not say what it must is
refused with a reason. Rules measured on public samples: the sign is CdtDbtInd (RvslInd is only a
label), ``NOTPROVIDED`` is no id, a pending entry is never read, amounts may have surplus zeros.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Final

from app.domain.errors import InvalidInput, TooLarge
from app.domain.money import Money

if TYPE_CHECKING:
    from lxml.etree import _Element

STATEMENT_BYTES_MAX: Final = 20 * 1024 * 1024  # about 30,000 entries; a larger day comes in parts
ENTRIES_MAX: Final = 100_000
TEXT_MAX: Final = 1_000  # remittance text kept per movement, in characters
ID_MAX: Final = 140

_NAMESPACE: Final = re.compile(r"\{urn:[^}]*:camt\.053\.001\.(\d\d)\}Document")
_VERSIONS: Final = range(2, 14)
_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d")


class StatementInvalid(InvalidInput):
    """The file is not a bank statement that we can read, or contradicts itself."""

    code = "statement_invalid"


@dataclass(frozen=True, slots=True)
class EntryRead:
    """One line to post: an entry, or one detail of an entry that is itemised to the cent.

    ``key`` is unique within the account: the bank's own reference where it gives one, else a hash
    of the content with a counter, so that two genuine twins on one day stay two.
    """

    key: str
    credit: bool
    amount: Money
    booked_on: date
    bank_ref: str | None
    end_to_end_id: str | None
    payment_info_id: str | None
    creditor_ref: str | None
    remittance: str
    payer_name: str | None
    payer_account: str | None
    return_reason: str | None
    is_charge: bool


@dataclass(frozen=True, slots=True)
class StatementRead:
    """One statement: whose account, from which balance to which, and its booked entries."""

    ident: str
    account: str
    currency: str
    sequence: int | None
    closes_on: date | None
    opening: Money
    closing: Money
    entries: tuple[EntryRead, ...]

    @property
    def content_hash(self) -> str:
        """Equal for the same statement sent again in another file."""
        return hashlib.sha256(repr(self).encode()).hexdigest()


def read_statements(raw: bytes) -> tuple[StatementRead, ...]:
    """All statements of a camt.053 file. StatementInvalid or TooLarge; nothing is half read."""
    root = _parse(raw)
    match = _NAMESPACE.fullmatch(str(root.tag))
    if match is None or int(match.group(1)) not in _VERSIONS:
        raise StatementInvalid("This is not a camt.053 statement.")
    statements = tuple(_statement(node) for node in _all(root, "BkToCstmrStmt", "Stmt"))
    if not statements:
        raise StatementInvalid("The file holds no statement.")
    return statements


def _parse(raw: bytes) -> _Element:
    if len(raw) > STATEMENT_BYTES_MAX:
        raise TooLarge("The bank file is too large.", limit_bytes=STATEMENT_BYTES_MAX)
    # lxml costs 10 MB of memory: loaded when the first statement comes, not with the API.
    from lxml import etree

    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, dtd_validation=False,
        huge_tree=False, remove_comments=True, remove_pis=True,
    )  # fmt: skip
    try:
        root = etree.fromstring(raw, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise StatementInvalid("The file is not well-formed XML.") from error
    if root.getroottree().docinfo.internalDTD is not None:
        raise StatementInvalid("The file declares a document type; statements have none.")
    return root


def _statement(node: _Element) -> StatementRead:
    ident = _text(node, "Id")
    account = _text(node, "Acct", "Id", "IBAN") or _text(node, "Acct", "Id", "Othr", "Id")
    if not ident or not account or len(ident) > ID_MAX:
        raise StatementInvalid("A statement lacks its id or its account.")
    _one_page(node)
    opening, closing, closes_on = _balances(node)
    currency = _text(node, "Acct", "Ccy") or opening.currency
    entries = tuple(_entries(node, ident, currency))
    booked = sum(e.amount.minor if e.credit else -e.amount.minor for e in entries)
    if opening.currency != currency or closing.currency != currency:
        raise StatementInvalid("The balances are in another currency than the account.")
    if opening.minor + booked != closing.minor:
        raise StatementInvalid(
            "The statement does not add up: opening balance and entries do not give the closing.",
            opening=opening.format(), booked=Money(booked, currency).format(),
            closing=closing.format(),
        )  # fmt: skip
    number = _text(node, "ElctrncSeqNb") or _text(node, "LglSeqNb")
    sequence = int(number) if number and re.fullmatch(r"[0-9]{1,18}", number) else None
    compact = "".join(account.split()).upper()
    return StatementRead(ident, compact, currency, sequence, closes_on, opening, closing, entries)


def _one_page(node: _Element) -> None:
    page = next(iter(_all(node, "StmtPgntn")), None)
    if page is None:
        return
    if _text(page, "PgNb") not in ("1", "01", "001") or _text(page, "LastPgInd") != "true":
        raise StatementInvalid("The statement is one page of several; send the complete one.")


def _balances(node: _Element) -> tuple[Money, Money, date | None]:
    found: dict[str, Money] = {}
    closes_on = None
    for balance in _all(node, "Bal"):
        code = _text(balance, "Tp", "CdOrPrtry", "Cd")
        if code in ("OPBD", "PRCD", "CLBD") and code not in found:
            found[code] = _signed(balance)
            if code == "CLBD":
                closes_on = _day(balance, "Dt")
    opening, closing = found.get("OPBD") or found.get("PRCD"), found.get("CLBD")
    if opening is None or closing is None:
        raise StatementInvalid("The statement lacks its opening or closing balance.")
    return opening, closing, closes_on


def _entries(node: _Element, ident: str, currency: str) -> Iterator[EntryRead]:
    seen: Counter[str] = Counter()
    entries = _all(node, "Ntry")
    if len(entries) > ENTRIES_MAX:
        raise TooLarge("The statement has too many entries.", limit=ENTRIES_MAX)
    for entry in entries:
        # Version 02 writes <Sts>BOOK</Sts>, later ones <Sts><Cd>BOOK</Cd></Sts>.
        if (_text(entry, "Sts", "Cd") or _text(entry, "Sts")) != "BOOK":
            continue
        amount = _amount(entry)
        if amount.currency != currency:
            raise StatementInvalid("An entry is in another currency than the account.")
        if amount.is_zero:
            continue  # some banks list free services as entries of zero
        parts = _itemised(entry, amount)
        base = _entry_key(entry, ident, amount)
        seen[base] += 1
        if seen[base] > 1:
            base = f"{base}#{seen[base]}"
        for at, (detail, part) in enumerate(parts, start=1):
            key = f"{base}/{at}" if len(parts) > 1 else base
            yield _entry(entry, detail, part, key)


def _itemised(entry: _Element, amount: Money) -> list[tuple[_Element | None, Money]]:
    """The details when they sum exactly to the entry, else the entry as one: nothing is lost."""
    details = _all(entry, "NtryDtls", "TxDtls")
    if len(details) == 1:
        return [(details[0], amount)]
    parts: list[tuple[_Element | None, Money]] = []
    for detail in details:
        node = next(iter(_all(detail, "Amt")), None)
        if node is None:
            node = next(iter(_all(detail, "AmtDtls", "TxAmt", "Amt")), None)
        if node is None or node.get("Ccy") != amount.currency:
            return [(None, amount)]
        side = _text(detail, "CdtDbtInd")
        if side and side != _text(entry, "CdtDbtInd"):
            return [(None, amount)]
        part = Money.parse_bank((node.text or "").strip(), amount.currency)
        if part.is_zero:
            return [(None, amount)]
        parts.append((detail, part))
    if parts and sum(part.minor for _, part in parts) == amount.minor:
        return parts
    return [(None, amount)]


def _entry(entry: _Element, detail: _Element | None, amount: Money, key: str) -> EntryRead:
    credit = _side(entry)
    refs = detail if detail is not None else entry
    lines = [*_texts(refs, "RmtInf", "Ustrd"), *_texts(refs, "AddtlTxInf")]
    if not lines:
        lines = _texts(entry, "AddtlNtryInf")
    party = "Dbtr" if credit else "Cdtr"
    name = _text(refs, "RltdPties", party, "Nm") or _text(refs, "RltdPties", party, "Pty", "Nm")
    number = _text(refs, "RltdPties", f"{party}Acct", "Id", "IBAN") or _text(
        refs, "RltdPties", f"{party}Acct", "Id", "Othr", "Id"
    )
    reason = _text(refs, "RtrInf", "Rsn", "Cd") or _text(refs, "RtrInf", "Rsn", "Prtry")
    has_return = bool(_all(refs, "RtrInf"))
    return EntryRead(
        key=key,
        credit=credit,
        amount=amount,
        booked_on=_booked_on(entry),
        bank_ref=_text(entry, "AcctSvcrRef") or _text(entry, "NtryRef"),
        end_to_end_id=_provided(_text(refs, "Refs", "EndToEndId")),
        payment_info_id=_provided(
            _text(refs, "Refs", "PmtInfId") or _text(entry, "NtryDtls", "Btch", "PmtInfId")
        ),
        creditor_ref=_text(refs, "RmtInf", "Strd", "CdtrRefInf", "Ref")
        or _text(refs, "RmtInf", "Strd", "CdtrRefInf", "CdtrRef"),
        remittance=" ".join(lines)[:TEXT_MAX],
        # A debit's other side is a consumer: their name and account are not kept in the clear.
        payer_name=name[:ID_MAX] if credit and name else None,
        payer_account="".join(number.split()).upper()[:34] if credit and number else None,
        return_reason=(reason or "NARR") if has_return else None,
        is_charge=_is_charge(entry),
    )


def _is_charge(entry: _Element) -> bool:
    family = _text(entry, "BkTxCd", "Domn", "Fmly", "SubFmlyCd")
    return family in ("CHRG", "COMM", "COME", "FEES")


def _entry_key(entry: _Element, ident: str, amount: Money) -> str:
    bank_ref = _text(entry, "AcctSvcrRef")
    day = _booked_on(entry).isoformat()
    side = "C" if _side(entry) else "D"
    if bank_ref and bank_ref != "NOTPROVIDED":
        return f"ref:{bank_ref[:ID_MAX]}:{day}:{side}:{amount.minor}"
    words = " ".join(str(part) for part in entry.itertext())
    content = "|".join((ident, day, side, amount.format(), " ".join(words.split())))
    return f"sum:{hashlib.sha256(content.encode()).hexdigest()}"


def _booked_on(entry: _Element) -> date:
    day = _day(entry, "BookgDt") or _day(entry, "ValDt")
    if day is None:
        raise StatementInvalid("An entry has neither a booking date nor a value date.")
    return day


def _day(node: _Element, *path: str) -> date | None:
    text = _text(node, *path, "Dt") or _text(node, *path, "DtTm")
    if text is None or not _DAY.match(text):
        return None
    try:
        return date.fromisoformat(text[:10])
    except ValueError as error:
        raise StatementInvalid("The statement has an impossible date.") from error


def _side(node: _Element) -> bool:
    side = _text(node, "CdtDbtInd")
    if side not in ("CRDT", "DBIT"):
        raise StatementInvalid("An amount says neither credit nor debit.")
    return side == "CRDT"


def _amount(node: _Element) -> Money:
    amount = next(iter(_all(node, "Amt")), None)
    if amount is None:
        raise StatementInvalid("An entry or balance has no amount.")
    return Money.parse_bank((amount.text or "").strip(), amount.get("Ccy") or "")


def _signed(node: _Element) -> Money:
    amount = _amount(node)
    return amount if _side(node) else -amount


def _provided(text: str | None) -> str | None:
    if text is None or text.upper().replace(" ", "") in ("NOTPROVIDED", "NONREF"):
        return None
    return text[:ID_MAX]


def _all(node: _Element, *path: str) -> list[_Element]:
    level = [node]
    for name in path:
        level = [
            child for parent in level for child in parent
            if str(child.tag).rpartition("}")[2] == name
        ]  # fmt: skip
    return level


def _text(node: _Element, *path: str) -> str | None:
    found = next(iter(_all(node, *path)), None)
    if found is None or found.text is None:
        return None
    return found.text.strip() or None


def _texts(node: _Element, *path: str) -> list[str]:
    return [text for found in _all(node, *path) if (text := " ".join((found.text or "").split()))]
