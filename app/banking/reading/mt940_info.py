"""What :86: says, in the dialects known: German ?20..?63 with keywords, slash codes (Dutch, SWIFT
and others), :NS:, and plain text. Nothing here changes an amount."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from app.banking.reading.amounts import minor_units
from app.banking.reading.camt_entry import NOT_SAID
from app.banking.reading.model import ID_MAX, StatementInvalid

PURPOSE_WIDTH: Final = 27  # a purpose line of German banks; a shorter one ends with a word
LINE_WIDTH: Final = 60  # a full line of :86: (65, less what banks trim); words are cut at its end

_SUBFIELDS: Final = re.compile(r"\s*(\d{3})?([?<>~^@|])(?=\d\d)")
_KEYWORD: Final = re.compile(
    r"(?<![A-Z])"
    r"(EREF|KREF|MREF|CRED|DEBT|COAM|OAMT|SVWZ|ABWA|ABWE|IBAN|BIC|BREF|RREF|PURP|ANAM)\+ ?"
)
_CODES: Final = (
    "EREF|MARF|CSID|BENM|ORDP|REMI|ISDT|RTRN|TRTP|IBAN|BIC|NAME|TRCD|PREF|RTYP|CNTP|ULTC|ULTD|ULTB"
    "|PURP|ORDC|ID|SVCL|OCMT|CHGS|EXCH|PY|CBN|ACCW|TRN|KREF|MREF|ADDR|CREF|BKCD|IREF|OAMT|COAM"
    "|OPRP|RREF|EXTRA|SUB"
)
_SLASH: Final = re.compile(rf"/({_CODES})/")
_PLAIN_IBAN: Final = re.compile(r"\b(?:IBAN|REK)\s*[:=]?\s*([A-Z]{2}\d{2}(?: ?[A-Z0-9]){11,30})\b")
_PLAIN_NAME: Final = re.compile(
    r"\b(?:NAAM|NAME|NOM)\s*:\s*(.{2,70}?)(?=\s{2,}|\s+[A-Z]{3,}\s*:|$)"
)
_IBAN: Final = re.compile(r"[A-Z]{2}\d{2}[A-Z0-9]{11,30}")
_REASON: Final = re.compile(
    r"\b(AC0[1-6]|AC1[0-6]|AG0[1-9]|AM0[1-9]|AM10|BE0[1-9]|CNOR|DNOR|DT0[1-9]|ED05|FF0[1-9]|MD0[1-9]"
    r"|MS0[1-3]|RC0[1-9]|RF01|RR0[1-9]|SL0[1-9]|SL1[1-4]|TM01|FOCR|NOAS|NOOR|ARDT|CUST|DUPL|TECH"
    r"|FRAD|UPAY|CURR)\b"
)
_MONEY: Final = re.compile(
    r"([A-Z]{3})\s?([0-9]{1,15}[,.][0-9]{0,3})|([0-9]{1,15}[,.][0-9]{0,3})\s?([A-Z]{3})"
)


@dataclass(frozen=True, slots=True)
class Facts:
    """What an information field says, whatever its dialect."""

    gvc: str | None = None  # Geschaeftsvorfallcode: the German banks' code of the kind of business
    end_to_end_id: str | None = None
    payment_info_id: str | None = None
    customer_ref: str | None = None
    transaction_id: str | None = None
    mandate_id: str | None = None
    creditor_ref: str | None = None
    bank_ref: str | None = None
    documents: tuple[str, ...] = ()
    name: str | None = None
    account: str | None = None
    ultimate: str | None = None
    remittance: str = ""
    return_reason: str | None = None
    instructed: tuple[int, str] | None = None


def facts_of(values: Sequence[str]) -> Facts:
    """Read all :86: (or :NS:) of one line."""
    value = "\n".join(values).strip("\n")
    found = _SUBFIELDS.match(value)
    if found:
        return _german(found[1], found[2], value[found.start(2) :])
    if re.match(r"(0\d|1[0-9])[^\d\s]", value) and "\n" in value:
        return _swiss_ns(value)
    joined = _unwrapped(value)
    codes = list(_SLASH.finditer(joined))
    if codes and (joined.lstrip().startswith("/") or len(codes) >= 2):
        return _slashes(joined, codes)
    return _keywords(joined, Facts())


def _unwrapped(value: str) -> str:
    """One text of wrapped lines: a full line was cut anywhere, a short one ended there."""
    text, before = "", ""
    for line in value.split("\n"):
        joint = "" if not text or len(before) >= LINE_WIDTH else " "
        text, before = text + joint + line, line
    return text.strip()


def _german(gvc: str | None, mark: str, value: str) -> Facts:
    """Subfields: 00 posting text, 20-29, 60-63 purpose, 30 bank, 31 and 38 account, 32-33 name."""
    flat = value.replace("\n", "")
    parts: dict[str, str] = {}
    purpose: list[str] = []
    for piece in re.split(rf"{re.escape(mark)}(?=\d\d)", flat):
        code, text = piece[:2], piece[2:]
        if code.isdigit() and ("20" <= code <= "29" or "60" <= code <= "63"):
            purpose.append(text)
        elif code.isdigit():
            parts[code] = parts.get(code, "") + text
    words = ""
    for line in purpose:
        words += line if len(line) >= PURPOSE_WIDTH else f"{line} "
    name = (parts.get("32", "") + parts.get("33", "")).strip()
    number = parts.get("38") or parts.get("31") or ""
    bank = parts.get("30", "").strip()
    account = "".join(number.split()).upper()
    if account and not _IBAN.fullmatch(account) and bank.isdigit():
        account = f"{bank}/{account}"  # bank code and number, from before IBANs
    facts = _keywords(words.strip(), Facts(gvc=gvc))
    return replace(
        facts,
        name=_said(name) or facts.name,
        account=account[:34] or facts.account,
        remittance=facts.remittance or " ".join(parts.get("00", "").split()),
        return_reason=_reason(words) if gvc in ("108", "109", "159") else None,
    )


def _keywords(text: str, facts: Facts) -> Facts:
    """``EREF+...SVWZ+...`` wherever it stands; without any, all of it is the message."""
    marks = list(_KEYWORD.finditer(text))
    if not marks:
        return _plain(text, facts)
    said: dict[str, str] = {}
    for at, mark in enumerate(marks):
        end = marks[at + 1].start() if at + 1 < len(marks) else len(text)
        said.setdefault(mark[1], text[mark.end() : end].strip())
    words = [text[: marks[0].start()].strip(), said.get("SVWZ", "")]
    return replace(
        facts,
        end_to_end_id=_ident(said.get("EREF")), customer_ref=_ident(said.get("KREF")),
        mandate_id=_ident(said.get("MREF")), bank_ref=_ident(said.get("BREF")),
        ultimate=_said(said.get("ABWA") or said.get("ABWE")),
        name=_said(said.get("ANAM")), account=_account(said.get("IBAN")),
        remittance=" ".join(" ".join(words).split()), instructed=_money(said.get("OAMT")),
    )  # fmt: skip


def _plain(text: str, facts: Facts) -> Facts:
    number, name = _PLAIN_IBAN.search(text), _PLAIN_NAME.search(text)
    return replace(
        facts,
        account=_account(number[1]) if number else None,
        name=_said(name[1]) if name else None,
        remittance=" ".join(text.split()),
    )


def _slashes(text: str, codes: Sequence[re.Match[str]]) -> Facts:
    said: dict[str, str] = {}
    for code, value in _pairs(text, codes):
        said.setdefault(code, value)
    name, account = said.get("NAME"), said.get("IBAN") or said.get("ACCW")
    for party in ("BENM", "ORDP"):
        name = name or said.get(party)
    other = said.get("CNTP", "").split("/")
    if len(other) >= 3:  # account, bank, name, town
        account, name = account or other[0], name or other[2]
    remittance, creditor_ref = said.get("REMI", ""), None
    structured = re.match(r"STRD/(?:[A-Z]{3}/)?/?([^/]+)", remittance)
    if structured:
        creditor_ref = structured[1].strip()
    remittance = re.sub(r"^(?:USTD|STRD)/{0,2}", "", remittance).strip("/ ")
    head = text[: codes[0].start()].strip(" /")
    reason = said.get("RTRN") or ""
    return Facts(
        end_to_end_id=_ident(said.get("EREF")), payment_info_id=_ident(said.get("PREF")),
        customer_ref=_ident(said.get("KREF")), transaction_id=_ident(said.get("TRN")),
        mandate_id=_ident(said.get("MARF") or said.get("MREF")),
        creditor_ref=_ident(creditor_ref or said.get("CREF")), name=_said(name),
        account=_account(account.split("/")[0] if account else None),
        ultimate=_said(said.get("ULTD") or said.get("ULTC") or said.get("ULTB")),
        remittance=" ".join((f"{head} {remittance}" if head else remittance).split()),
        return_reason=(_reason(reason) or reason.strip("/ ")[:35] or None) if reason else None,
        instructed=_money(said.get("OCMT") or said.get("OAMT")),
    )  # fmt: skip


def _pairs(text: str, codes: Sequence[re.Match[str]]) -> Iterator[tuple[str, str]]:
    for at, code in enumerate(codes):
        end = codes[at + 1].start() if at + 1 < len(codes) else len(text)
        yield code[1], text[code.end() : end].strip("/ ")


def _swiss_ns(value: str) -> Facts:
    """:NS: of files before SEPA: 01-14 message, 15-16 name, 17 posting text."""
    words, name, kind = [], [], ""
    for line in value.split("\n"):
        code, text = line[:2], line[2:].strip()
        if not code.isdigit():
            continue
        if int(code) <= 14:
            words.append(text)
        elif code in ("15", "16"):
            name.append(text)
        elif code == "17":
            kind = text
    return Facts(name=_said(" ".join(name)), remittance=" ".join(words) or kind)


def _reason(text: str) -> str | None:
    found = _REASON.search(text)
    return found[1] if found else None


def _money(text: str | None) -> tuple[int, str] | None:
    found = _MONEY.search(text) if text else None
    if found is None:
        return None
    currency, amount = (found[1], found[2]) if found[1] else (found[4], found[3])
    try:
        return minor_units(amount, currency, point="," if "," in amount else "."), currency
    except StatementInvalid:
        return None  # only told for information


def _account(text: str | None) -> str | None:
    compact = "".join(text.split()).upper() if text else ""
    return compact[:34] or None


def _ident(text: str | None) -> str | None:
    text = text.strip() if text else ""
    return None if not text or text.upper() in NOT_SAID else text[:ID_MAX]


def _said(text: str | None) -> str | None:
    text = " ".join(text.split()) if text else ""
    return text[:ID_MAX] or None
