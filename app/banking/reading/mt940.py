"""MT940 statements and MT942 reports, in the dialects that banks write (SWIFT, German, Dutch...).

Strict about money, mild about form: a line that would change a sum or a date and is not understood
refuses the file; wrappers, blanks, wrapped lines and unknown fields are let through.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from app.banking.reading.amounts import DECIMALS, day_of, minor_units
from app.banking.reading.model import ID_MAX, Entry, FileRead, Statement, StatementInvalid
from app.banking.reading.mt940_line import Info, Line, entry_of, read_line

FILE_BYTES_MAX: Final = 40 * 1024 * 1024
ENTRIES_MAX: Final = 250_000
FIELD_MAX: Final = 20_000  # characters of one field
PREAMBLE_LINES_MAX: Final = 30

# Only these begin a field: a wrapped text may begin with ":26:37" too.
_TAG: Final = re.compile(
    r"^\s?:(13D?|20|21|23|25P?|28C?|34F|60[FM]?|61|62[FM]?|64|65|86|90[CD]?|NS|940|942) ?:(.*)$",
    re.DOTALL,
)
_ENVELOPE: Final = re.compile(r"\{[123]:[^{}]*(?:\{[^{}]*\}[^{}]*)*\}|\{4:|-\}(?:\{5:[^\n]*)?")
_BALANCE: Final = re.compile(r"([CD])\s*(\d{6})\s*([A-Z]{3})\s*([0-9]*[,.]?[0-9]*)")
_NUMBER: Final = re.compile(r"\s*(\d{1,10})(?:\s*/\s*(\d{1,10}))?")
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_MARKS: Final = re.compile(r"^\s?:(?:60[FM]|61|62[FM]|34F|28C?):", re.MULTILINE)


def looks_like(raw: bytes) -> bool:
    """Whether these bytes can be MT940: they have its fields."""
    return _MARKS.search(decoded(raw[: 64 * 1024])) is not None


def decoded(raw: bytes) -> str:
    """The text: UTF-16 or UTF-8 by mark or by form, else Latin-1 as Windows writes it."""
    if raw[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return raw.decode("utf-16", "replace")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("cp1252", "replace")


@dataclass(slots=True)
class _Open:
    """A statement while its fields go by."""

    reference: str
    account: str = ""
    number: int = 0
    page: int = 0
    opening: tuple[int, str, date] | None = None
    closing: tuple[int, str, date] | None = None
    interim: bool = False  # opens with :60M:
    continues: bool = False  # closes with :62M:
    report: bool = False  # MT942: no balances, a floor limit
    currency: str = ""
    lines: list[tuple[Line, list[str]]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def read_mt940(raw: bytes) -> FileRead:
    """Every statement of a file. StatementInvalid; nothing is half read."""
    if len(raw) > FILE_BYTES_MAX:
        raise StatementInvalid("The MT940 file is too large.", limit_bytes=FILE_BYTES_MAX)
    text = decoded(raw).replace("\r\n", "\n").replace("\r", "\n")
    text = _CONTROL.sub(" ", _ENVELOPE.sub("", text))
    found: list[Statement] = []
    now: _Open | None = None
    for tag, value in _fields(text):
        if tag == "20" or (tag in ("60F", "60M") and now is not None and now.closing):
            if now is not None:
                found.append(_closed(now))
            before, now = now, _Open(value.strip()[:35])
            if tag != "20" and before is not None:
                now = _following(before)
        elif now is None:
            # Some exports leave out :20:, others begin with what belongs to the file.
            if tag not in ("21", "25", "28", "28C", "60F", "60M"):
                continue
            now = _Open("")
        _take(now, tag, value)
    if now is not None:
        found.append(_closed(now))
    if not found:
        raise StatementInvalid("The file holds no MT940 statement.")
    return FileRead(found[0].kind, tuple(found))


def _fields(text: str) -> Iterator[tuple[str, str]]:
    """Tag and value; a value's lines are kept. A line of a dash alone ends nothing of itself:
    banks put it after pages too."""
    tag, parts, loose = "", [""], 0
    for line in text.split("\n"):
        found = _TAG.match(line)
        if found:
            if tag:
                yield tag, "\n".join(parts)
            tag, parts = found[1].strip(), [found[2]]
        elif line.strip() in ("", "-", "--"):
            continue
        elif tag:
            parts.append(line)
            if sum(map(len, parts[-2:])) > FIELD_MAX or len(parts) > FIELD_MAX // 20:
                raise StatementInvalid("A field of the file is too long.", field=tag)
        else:
            loose += 1
            if loose > PREAMBLE_LINES_MAX:
                raise StatementInvalid("The file is not MT940.")
    if tag:
        yield tag, "\n".join(parts)


def _following(before: _Open) -> _Open:
    """The next page of a file that gives reference and account once."""
    return _Open(before.reference, before.account, before.number, before.page + 1)


def _take(now: _Open, tag: str, value: str) -> None:
    if tag in ("25", "25P"):
        now.account = _account(value)
    elif tag in ("28", "28C"):
        number = _NUMBER.match(value)
        now.number, now.page = (int(number[1]), int(number[2] or 0)) if number else (0, 0)
    elif tag in ("60F", "60M", "60"):
        now.opening = _balance(value)
        now.interim, now.currency = tag == "60M", now.opening[1]
    elif tag in ("62F", "62M", "62"):
        now.closing = _balance(value, now.currency)
        now.continues = tag == "62M"
    elif tag == "34F":
        now.report = now.opening is None
        now.currency = now.currency or value.strip()[:3]
    elif tag == "61":
        if now.closing is not None:
            raise StatementInvalid("An entry stands after the closing balance.")
        if len(now.lines) >= ENTRIES_MAX:
            raise StatementInvalid("The statement has too many entries.", limit=ENTRIES_MAX)
        now.lines.append((read_line(value), []))
    elif tag in ("86", "NS") and now.lines and now.closing is None:
        now.lines[-1][1].append(value)


def _account(value: str) -> str:
    """The number: an IBAN wherever it stands, else all of it (``37040044/0532013000``). Some banks
    add the currency, some their BIC in front."""
    text = "".join(value.split()).upper()
    iban = re.search(r"[A-Z]{2}\d{2}[A-Z0-9]{11,30}", text)
    if iban:
        number = iban[0]
        # A currency stuck to it: IBANs of most countries end in a digit.
        return number[:-3] if number[-3:] in DECIMALS and number[-4].isdigit() else number
    bare = (
        text[:-3].rstrip("/")
        if text[-3:] in DECIMALS and text[:-3].rstrip("/")[-1:].isdigit()
        else text
    )
    return bare.lstrip("/")[:ID_MAX]


def _balance(value: str, currency: str = "") -> tuple[int, str, date]:
    text = value.strip().split("\n")[0].strip()
    found = _BALANCE.fullmatch(text.rstrip())
    if found is None and currency:
        found = _BALANCE.fullmatch(re.sub(r"^([CD]\d{6})", rf"\g<1>{currency}", text))
    if found is None:
        raise StatementInvalid("A balance cannot be read.", balance=text[:40])
    minor = minor_units(found[4], found[3], point="," if "," in found[4] else ".")
    return (minor if found[1] == "C" else -minor), found[3], _short_day(found[2])


def _short_day(text: str) -> date:
    year = int(text[:2])
    return day_of(1900 + year if year >= 80 else 2000 + year, int(text[2:4]), int(text[4:]))


def _closed(now: _Open) -> Statement:
    if not now.account:
        raise StatementInvalid("A statement lacks its account.")
    if not now.currency:
        raise StatementInvalid("A statement has neither balance nor currency.")
    kind = "MT942" if now.opening is None and now.report else "MT940"
    closes_on = now.closing[2] if now.closing else None
    seen: Counter[str] = Counter()
    ident = _ident(now, closes_on)
    entries: list[Entry] = []
    for line, infos in now.lines:
        entry, twin_key = entry_of(line, Info.read(infos), now.currency, ident, kind, now.account)
        seen[twin_key] += 1
        key = twin_key if seen[twin_key] == 1 else f"{twin_key}#{seen[twin_key]}"
        object.__setattr__(entry, "key", key)  # frozen; not shown to anybody yet
        entries.append(entry)
        if line.odd_day:
            now.warnings.append(f"the bank wrote {line.odd_day}, which no calendar has")
    if now.closing and now.closing[1] != now.currency:
        raise StatementInvalid("The balances are in two currencies.")
    return Statement(
        kind=kind, ident=ident, account=now.account, currency=now.currency,
        sequence=now.number or None, page=max(now.page, 1) if not now.interim else max(now.page, 2),
        last_page=not now.continues,
        opening=now.opening[0] if now.opening else None,
        closing=now.closing[0] if now.closing else None,
        opens_on=now.opening[2] if now.opening else None, closes_on=closes_on,
        entries=tuple(entries), warnings=tuple(now.warnings),
    )  # fmt: skip


def _ident(now: _Open, closes_on: date | None) -> str:
    """A statement's name. Banks repeat :20: and may not number: the balances tell it apart too.
    Pages share theirs, and get such a name when they are put together."""
    if now.interim or now.continues or now.page > 1:
        return f"{now.reference}:{now.number}"
    balances = f"{now.opening[0] if now.opening else ''}>{now.closing[0] if now.closing else ''}"
    day = closes_on.isoformat() if closes_on else ""
    return f"{now.reference}:{now.number}/{now.page}:{day}:{balances}"[:ID_MAX]
