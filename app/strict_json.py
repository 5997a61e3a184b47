"""JSON bodies, read without surprises.

The standard parser takes the last of two equal keys, NaN, and any depth until the stack ends; and
PostgreSQL refuses NUL and lone surrogates only when the row is written. Here each of these is one
clear refusal before anything else looks at the body.
"""

from __future__ import annotations

import json
import math
from typing import Any, NoReturn

from app.domain.errors import InvalidInput

DEPTH_MAX = 32  # our deepest model has 6 levels
NUMBER_DIGITS_MAX = 40  # 2^63 has 19; longer ones are a trick, and int() of them is slow


def parse(body: bytes) -> Any:
    """The value of a JSON body. Raises InvalidInput; its message never quotes the body."""
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        raise InvalidInput("the body is not UTF-8", code="body_not_utf8") from None
    if text.startswith("\ufeff"):
        raise InvalidInput("the body starts with a byte order mark", code="body_not_json")
    try:
        value = json.loads(
            text,
            object_pairs_hook=_unique,
            parse_constant=_no_constant,
            parse_float=_finite,
            parse_int=_short_int,
        )
    except RecursionError:
        raise _too_deep() from None
    except json.JSONDecodeError as error:
        raise InvalidInput(
            "the body is not JSON", code="body_not_json", position=error.pos
        ) from None
    _check(value)
    return value


def _check(value: Any) -> None:
    """Depth and text of every level, without recursion."""
    level = [value]
    for _ in range(DEPTH_MAX):
        below: list[Any] = []
        for item in level:
            if isinstance(item, str):
                _check_text(item)
            elif isinstance(item, list):
                below.extend(item)
            elif isinstance(item, dict):
                for key in item:
                    _check_text(key)
                below.extend(item.values())
        if not below:
            return
        level = below
    raise _too_deep()


def _check_text(text: str) -> None:
    if "\x00" in text:
        raise InvalidInput("a text holds the character NUL", code="text_not_allowed")
    if not text.isascii() and any("\ud800" <= c <= "\udfff" for c in text):
        raise InvalidInput(
            "a text holds half a character (lone surrogate)", code="text_not_allowed"
        )


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise InvalidInput("the body names a field twice", code="duplicate_field")
    return found


def _no_constant(name: str) -> NoReturn:
    raise InvalidInput("NaN and Infinity are not numbers here", code="number_not_allowed")


def _finite(text: str) -> float:
    value = float(text) if len(text) <= NUMBER_DIGITS_MAX else math.inf
    if math.isinf(value):
        raise InvalidInput("a number is too large or too long", code="number_not_allowed")
    return value


def _short_int(text: str) -> int:
    if len(text) > NUMBER_DIGITS_MAX:
        raise InvalidInput("a number is too large or too long", code="number_not_allowed")
    return int(text)


def _too_deep() -> InvalidInput:
    return InvalidInput(f"the body is nested deeper than {DEPTH_MAX} levels", code="body_too_deep")
