"""Ways to spoil a good request, by the catalogue of bad input (reliability, section 10).

`bodies` spoils the body as a whole, `fields` one field after the other by what stands there: a
text, an id, a date, an amount, a number, yes or no, a list, an object. Each comes with its name.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}T.*")
Place = tuple[str | int, ...]
Spoiled = tuple[str, Place, Any]  # the entry of the catalogue, the pointer, the body

# Words out of a closed list: not with a blank behind, not in capitals (B040).
CLOSED = {
    "kind", "decision", "entry_stage", "mode", "outcome", "grade", "by", "with_whom", "what",
    "verdict", "sender", "rail", "level", "source", "status", "book", "stage",
}  # fmt: skip
DEEP = 20_000  # far beyond any parser's stack
HUGE = 1_100_000  # a body may have 1,000,000 bytes


def bodies(good: Any) -> Iterator[tuple[str, bytes]]:
    """The whole body spoiled. All of these are 422."""
    text = json.dumps(good)
    yield "B002 null", b"null"
    yield "B003 array", b"[]"
    yield "B003 text", b'"x"'
    yield "B003 number", b"7"
    yield "B004 deep", b"[" * DEEP + b"]" * DEEP
    yield "B004 deep objects", b'{"a":' * DEEP + b"1" + b"}" * DEEP
    yield "B004 not closed", b'{"a":' * DEEP
    if isinstance(good, dict) and good:
        name = json.dumps(next(iter(good)))
        yield "B006 named twice", f"{{{name}: 1, {text[1:]}".encode()
        yield "B011 NaN", f"{{{name}: NaN}}".encode()
        yield "B012 1e400", f"{{{name}: 1e400}}".encode()
        yield "B012 long number", f"{{{name}: {'9' * 10_000}}}".encode()
    yield "not UTF-8", b'{"x": "\xff\xfe"}'
    yield "B053 UTF-16", text.encode("utf-16")
    yield "byte order mark", b"\xef\xbb\xbf" + text.encode()
    yield "cut", text[:-1].encode()
    yield "two values", (text + text).encode()
    yield "B020 half a character as a key", text[:-1].encode() + b', "\\ud800": 1}'
    yield "B021 NUL as a key", text[:-1].encode() + b', "\\u0000": 1}'


def headers() -> Iterator[tuple[str, dict[str, str], int]]:
    """Media types and encodings a JSON operation does not take, and the status of each."""
    for media in (
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
        "application/json; charset=utf-16",
        "application/xml",
        "",
    ):
        yield f"B052 {media or 'none'}", {"Content-Type": media}, 415
    yield "B054 gzip", {"Content-Type": "application/json", "Content-Encoding": "gzip"}, 415


def fields(good: Any) -> Iterator[Spoiled]:
    """One field spoiled at a time, at every depth."""
    for place, value in places(good):
        if isinstance(value, dict):
            for name, extra in (
                ("role", "admin"),
                ("is_admin", True),
                ("status", "paid"),
                ("owner_id", "00000000-0000-0000-0000-000000000000"),
            ):
                if name not in value:
                    yield f"B007 {name}", place, put(good, (*place, name), extra)
        for name, bad in values(place, value):
            yield name, place, put(good, place, bad)


def places(value: Any, at: Place = ()) -> Iterator[tuple[Place, Any]]:
    yield at, value
    inner = (
        value.items()
        if isinstance(value, dict)
        else (enumerate(value) if isinstance(value, list) else ())
    )
    for step, below in inner:
        yield from places(below, (*at, step))


def put(good: Any, place: Place, value: Any) -> Any:
    if not place:
        return value
    body = deepcopy(good)
    node = body
    for step in place[:-1]:
        node = node[step]
    node[place[-1]] = value
    return body


def values(place: Place, value: Any) -> Iterator[tuple[str, Any]]:
    """What must not stand where `value` stands."""
    if not place:
        return
    if isinstance(value, bool):
        yield from (("B039 text", "true"), ("B039 number", 1), ("B039 list", [True]))
    elif isinstance(value, int):
        yield from (
            ("B039 text", "5"),
            ("B013 fraction", 5.5),
            ("B014 negative", -1),
            ("B016 2^63", 2**63),
            ("B039 yes", True),
            ("B012 long", 10**30),
        )
    elif isinstance(value, list):
        yield from (("wrong type: object", {}), ("wrong type: text", "x"))
        if value:
            yield "too many", value * 1_001
    elif isinstance(value, dict):
        yield from (
            ("wrong type: list", [value]),
            ("wrong type: text", "x"),
            ("wrong type: number", 1),
        )
    elif isinstance(value, str):
        yield from texts(place, value)


def texts(place: Place, value: str) -> Iterator[tuple[str, Any]]:
    yield from (
        ("wrong type: number", 7),
        ("wrong type: yes", True),
        ("wrong type: list", [value]),
        ("wrong type: object", {"x": value}),
        ("B020 half a character", "a\ud800b"),
        ("B021 NUL", "a\x00b"),
        ("B022 right to left", "a\u202eb"),
        ("B023 nothing visible", "\u200b\u200d"),
        ("B023 blanks", "   "),
        ("B026 marks", "a" + "\u0301" * 100),
        ("B027 long", "x" * 20_000),
    )
    if place[-1] in CLOSED and " " not in value:
        yield from (
            ("B040 blank", value + " "),
            ("B040 other case", value.swapcase()),
            ("B040 unknown", "nonsense"),
        )
    if _UUID.fullmatch(value):
        yield from (
            ("B038 braces", f"{{{value}}}"),
            ("B038 urn", f"urn:uuid:{value}"),
            ("B038 no hyphens", value.replace("-", "")),
            ("B038 cut", value[:-1]),
        )
    if _DATE.fullmatch(value):
        yield from (
            (f"B036 {bad}", bad)
            for bad in (
                "0001-01-01",
                "9999-12-31",
                "2025-02-29",
                "2025-1-1",
                "01.02.2025",
                "2025-13-01",
                "2025-01-01T24:00:00Z",
                "٢٠٢٥-٠١-٠١",
            )
        )
    if _INSTANT.fullmatch(value):
        yield from (
            (f"B037 {bad}", bad)
            for bad in (
                "2026-01-01T00:00:00",
                "0001-01-01T00:00:00Z",
                "9999-12-31T23:59:59-14:00",
                "2025-02-29T00:00:00Z",
                "2026-01-01T24:30:00Z",
                "2026-01-01T00:00:00+99:00",
                "now",
            )
        )
    if place[-1] == "amount":
        yield from (
            (f"B014 {bad}", bad)
            for bad in (
                "-1.00",
                "0",
                "0.00",
                "1e3",
                "1,234.56",
                "1.234,56",
                "12,30",
                "١٢٣",
                "1.234",
                "+1",
                " 1",
                "0x10",
                "NaN",
                "Infinity",
                str(2**63),
                "9" * 15,
                "00.10",
                ".5",
                "5.",
                0.1,
                80,
                -80,
            )
        )
    if place[-1] == "currency":
        yield from ((f"B019 {bad}", bad) for bad in ("eur", "EUR ", "XXX", "", "EURO", "€"))
