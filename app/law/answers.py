"""Are these answers in the vocabulary of data/facts.yaml? Every one that is not is named."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import yaml
from babel import Locale

from app.domain.errors import InvalidInput
from app.law.airports import table as airports
from app.law.records import DATA
from app.law.times import impossible

UNKNOWN: Final = "unknown"
NONE: Final = "none"
FIRST_DAY: Final = date(1990, 1, 1)
FUTURE_DAYS_MAX: Final = 3_660  # a cruise booked for years ahead, not a typing mistake
TEXT_MAX: Final = 2_000
ENTRIES_MAX: Final = 200
NUMBER_MAX: Final = 10_000_000
MONEY_MAX: Final = Decimal(10) ** 13
# Codes of the locale data (CLDR) that are no country and no money: unions, tests, "unknown".
NO_COUNTRIES: Final = frozenset({"EU", "EZ", "UN", "QO", "XA", "XB", "ZZ"})
NO_CURRENCIES: Final = frozenset({"XXX", "XTS"})
PAST_ONLY: Final = frozenset({
    "first_written_complaint", "company_answer_on", "ordered_on", "received_on", "defect_seen_on",
    "withdrew_on", "cancelled_on", "sent_back_on", "told_bank_on", "first_debit_on",
    "last_debit_on", "bag_back_on", "bag_written_report_on", "seller_got_it_on", "order_date",
    "statement_sent_on", "written_notice_on", "transaction_on", "contract_on", "end_asked_on",
    "legs.date",
})  # fmt: skip


_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_CLOCK: Final = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}", re.ASCII)
_AMOUNT: Final = re.compile(r"\d{1,15}(\.\d{1,6})?", re.ASCII)


class AnswersInvalid(InvalidInput):
    """`wrong` names each answer and what is the matter with it."""

    code = "answers_invalid"

    def __init__(self, wrong: list[tuple[str, str]]) -> None:
        super().__init__("; ".join(f"{where}: {what}" for where, what in wrong))
        self.wrong = wrong


@cache
def vocabulary() -> dict[str, dict[str, Any]]:
    """Facts by kind: the common ones and those of the kind, by key."""
    file = yaml.load((DATA / "facts.yaml").read_text("utf-8"), Loader=yaml.CSafeLoader)
    common = {fact["key"]: fact for fact in file["common"]}
    return {
        kind: common | {fact["key"]: fact for fact in found["facts"]}
        for kind, found in file["kinds"].items()
    }


@cache
def _common() -> dict[str, dict[str, Any]]:
    """What is asked whatever the kind is."""
    every = list(vocabulary().values())
    return {key: fact for key, fact in every[0].items() if all(key in facts for facts in every)}


def checked(answers: Mapping[str, Any], today: date) -> dict[str, Any]:
    """The answers as they are, once each is known to be possible. Raises AnswersInvalid."""
    kind = answers.get("claim_kind")
    facts = _common() if kind == UNKNOWN else vocabulary().get(str(kind))
    if facts is None:
        raise AnswersInvalid([("claim_kind", f"is not one of {', '.join(vocabulary())}")])
    wrong = [(key, "is not asked for this kind") for key in answers if key not in facts]
    for key, value in answers.items():
        if key in facts:
            wrong += _wrong(key, facts[key], value, today)
    wrong += [*impossible(answers, today), *_goes_somewhere(answers)]
    if wrong:
        raise AnswersInvalid(wrong[:50])
    return dict(answers)


def _wrong(key: str, fact: Mapping[str, Any], value: Any, today: date) -> Iterator[tuple[str, str]]:
    if value == UNKNOWN or (value == NONE and fact.get("none_allowed")):
        return
    try:
        _TYPES[fact["type"]](value, fact, key, today)
    except ValueError as matter:
        yield key, str(matter)
    except _Inside as inside:
        yield f"{key}.{inside.where}", inside.matter


class _Inside(Exception):
    """Something is wrong with a part of a value."""

    def __init__(self, where: str, matter: str) -> None:
        super().__init__(matter)
        self.where, self.matter = where, matter


def _bool(value: Any, *_given: Any) -> None:
    if not isinstance(value, bool):
        raise ValueError("is true, false or unknown")


def _day(value: Any, fact: Any, key: str, today: date) -> None:
    try:
        day = date.fromisoformat(value if _DAY.fullmatch(value) else "")
    except (TypeError, ValueError):
        raise ValueError("is not a day like 2026-11-21") from None
    if day < FIRST_DAY:
        raise ValueError(f"lies before {FIRST_DAY.isoformat()}")
    if key in PAST_ONLY and day > today:
        raise ValueError("lies in the future")
    if day > today + timedelta(days=FUTURE_DAYS_MAX):
        raise ValueError("lies more than ten years ahead")


def _instant(value: Any, fact: Any, key: str, today: date) -> None:
    clock, _, zone = str(value).partition(" ")
    try:
        local = datetime.fromisoformat(clock if _CLOCK.fullmatch(clock) else "")
        place = ZoneInfo(zone)
    except (ValueError, ZoneInfoNotFoundError, OSError):
        raise ValueError(
            "is not like 2026-07-05T08:50 Europe/Madrid: the local clock and its zone, no offset"
        ) from None
    _day(clock[:10], fact, key, today)
    there = local.replace(tzinfo=place)
    if there.astimezone(ZoneInfo("UTC")).astimezone(place).replace(tzinfo=None) != local:
        raise ValueError("is an hour that the clocks of that place skipped")


def _integer(value: Any, *_: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= NUMBER_MAX:
        raise ValueError(f"is not a whole number from 0 to {NUMBER_MAX}")


def _money(value: Any, *_: Any) -> None:
    if not isinstance(value, Mapping) or set(value) != {"amount", "currency"}:
        raise ValueError("is {amount, currency}")
    given = value["amount"]
    if not isinstance(given, str) or not _AMOUNT.fullmatch(given) or Decimal(given) >= MONEY_MAX:
        raise ValueError("the amount is not a sum written like 12.50")
    if value["currency"] not in _currencies():
        raise ValueError("the currency is none of ISO 4217")


@cache
def _currencies() -> frozenset[str]:
    return frozenset(str(name) for name in Locale("en").currencies) - NO_CURRENCIES


@cache
def _countries() -> frozenset[str]:
    names = (str(name) for name in Locale("en").territories)
    found = frozenset(name for name in names if len(name) == 2 and name.isalpha())
    return found - NO_COUNTRIES


def _enum(value: Any, fact: Mapping[str, Any], *_: Any) -> None:
    values = fact.get("values") or fact.get("enum")
    if not isinstance(value, str) or value not in map(str, values or ()):
        raise ValueError(f"is not one of {', '.join(map(str, values or ()))}")


def _iata(value: Any, *_: Any) -> None:
    if not isinstance(value, str) or value not in airports():
        raise ValueError("is no airport we know; give its three letters, like HEL")


def _country(value: Any, *_: Any) -> None:
    if not isinstance(value, str) or value not in _countries():
        raise ValueError("is no country; give its two letters, like FI")


def _region(value: Any, *_given: Any) -> None:
    country, _, part = str(value).partition("-")
    if country not in _countries() or (part and not (part.isalnum() and len(part) <= 3)):
        raise ValueError("is no country or state, like FI or US-CA")


def _text(value: Any, *_: Any) -> None:
    if not isinstance(value, str) or not 0 < len(value) <= TEXT_MAX:
        raise ValueError(f"is not a text of 1 to {TEXT_MAX} characters")


def _list(value: Any, fact: Mapping[str, Any], key: str, today: date) -> None:
    if not isinstance(value, list) or len(value) > ENTRIES_MAX:
        raise ValueError(f"is not a list of up to {ENTRIES_MAX} entries")
    of = fact["of"]
    for at, entry in enumerate(value):
        if entry == UNKNOWN:
            continue
        try:
            if "enum" in of:
                _enum(entry, of)
            else:
                _entry(entry, of, key, frozenset(fact.get("optional_fields", ())), today)
        except ValueError as matter:
            raise _Inside(str(at), str(matter)) from None
        except _Inside as inside:
            raise _Inside(f"{at}.{inside.where}", inside.matter) from None


def _entry(
    entry: Any, of: Mapping[str, Any], key: str, optional: frozenset[str], today: date
) -> None:
    if not isinstance(entry, Mapping):
        raise ValueError("is not a map of fields")
    if unknown := sorted(set(entry) - set(of)):
        raise _Inside(str(unknown[0]), "is not asked here")
    for name, kind in of.items():
        if name not in entry:
            if name in optional:
                continue
            raise _Inside(str(name), "is missing")
        if entry[name] == UNKNOWN:
            continue
        fact = {"type": "enum", "values": kind["enum"]} if isinstance(kind, Mapping) else {}
        try:
            _TYPES["enum" if fact else str(kind)](entry[name], fact, f"{key}.{name}", today)
        except ValueError as matter:
            raise _Inside(str(name), str(matter)) from None


_TYPES: Final[Mapping[str, Callable[..., None]]] = {
    "bool": _bool, "date": _day, "datetime": _instant, "integer": _integer, "money": _money,
    "enum": _enum, "iata": _iata, "country": _country, "region": _region, "text": _text,
    "list": _list,
}  # fmt: skip


def _goes_somewhere(answers: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """A flight of one way; there and back are two."""
    start, end = answers.get("from_airport"), answers.get("to_airport")
    if answers.get("claim_kind") == "air" and start == end and start not in (None, UNKNOWN):
        yield "to_airport", "is where the trip began; each way is a trip of its own"
