"""A calendar file (RFC 5545) of the days a consumer must not miss: one all-day event each, with a
reminder before it and one on the day.

Written here because three properties matter and are few lines: the same intake on the same day
gives the same bytes, an event keeps its UID when the file is made again, and lines are folded by
octets without cutting a character.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from hashlib import sha256
from typing import Any, Final

import orjson

LINE_OCTETS_MAX: Final = 75
PRODUCT: Final = "-//Recourse//Free acts//EN"
REMIND_DAYS_BEFORE: Final = 7
_UNSAFE: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


def calendar(found: Mapping[str, Any], *, of: str, on: date) -> str:
    """The acts of a finding (as JSON) as one VCALENDAR. `of` names the intake and keeps the UIDs
    apart; `on` is the day it was made. An act without a last day stands on that day."""
    lines = [
        "BEGIN:VCALENDAR", "VERSION:2.0", f"PRODID:{PRODUCT}", "CALSCALE:GREGORIAN",
        "METHOD:PUBLISH",
    ]  # fmt: skip
    for act in found["acts"]:
        lines += _event(act, of, on)
    lines.append("END:VCALENDAR")
    return "".join(f"{part}\r\n" for line in lines for part in _folded(line))


def name_of(answers: Mapping[str, Any]) -> str:
    """A name for an intake that has none: the same answers, the same name."""
    return sha256(orjson.dumps(answers, option=orjson.OPT_SORT_KEYS)).hexdigest()[:24]


def _event(act: Mapping[str, Any], of: str, on: date) -> Sequence[str]:
    day = date.fromisoformat(act["last_day"]) if act["last_day"] else on
    uid = sha256(f"{of}\x00{act['code']}".encode()).hexdigest()[:32]
    summary = _text(act["act"])
    lines = [
        "BEGIN:VEVENT", f"UID:{uid}@recourse", f"DTSTAMP:{on:%Y%m%d}T000000Z",
        f"DTSTART;VALUE=DATE:{day:%Y%m%d}", f"DTEND;VALUE=DATE:{day + timedelta(days=1):%Y%m%d}",
        f"SUMMARY:{summary}", f"DESCRIPTION:{_text(act['why'])}", "TRANSP:TRANSPARENT",
    ]  # fmt: skip
    before = [f"-P{REMIND_DAYS_BEFORE}D"] if day - on > timedelta(days=REMIND_DAYS_BEFORE) else []
    for trigger in [*before, "PT8H"]:
        lines += [
            "BEGIN:VALARM", "ACTION:DISPLAY", f"TRIGGER:{trigger}", f"DESCRIPTION:{summary}",
            "END:VALARM",
        ]  # fmt: skip
    return [*lines, "END:VEVENT"]


def _text(value: str) -> str:
    """A TEXT value: backslash, comma, semicolon and line ends escaped, control characters gone."""
    plain = _UNSAFE.sub("", value.replace("\r\n", "\n").replace("\r", "\n"))
    for one, other in (("\\", "\\\\"), (";", "\\;"), (",", "\\,"), ("\n", "\\n")):
        plain = plain.replace(one, other)
    return plain


def _folded(line: str) -> Sequence[str]:
    """At most 75 octets a line, continued after one blank; no character is cut in two."""
    parts, part, room = [], "", LINE_OCTETS_MAX
    for character in line:
        size = len(character.encode())
        if size > room:
            parts.append(part)
            part, room = " ", LINE_OCTETS_MAX - 1
        part += character
        room -= size
    return [*parts, part]
