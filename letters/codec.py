"""Letters and their values to JSON-ready objects and back, by their type hints."""

import dataclasses
import typing
from datetime import date
from typing import Any, Literal, TypeVar

from letters.errors import LetterIncomplete, LetterInvalid
from letters.judge import hints_of, union_members
from letters.values import Value

Made = TypeVar("Made", bound=Value)


def encode(value: Any) -> Any:
    """Dataclasses to objects (a payment with its `mode`), tuples to lists, days to ISO 8601."""
    if isinstance(value, Value):
        encoded = {
            each.name: encode(getattr(value, each.name)) for each in dataclasses.fields(value)
        }
        mode = getattr(type(value), "mode", None)
        return encoded if mode is None else {"mode": mode, **encoded}
    if isinstance(value, tuple):
        return [encode(member) for member in value]
    if isinstance(value, date):
        return value.isoformat()
    return value


def decode(kind: type[Made], raw: dict[str, Any], sources: dict[str, str], path: str = "") -> Made:
    """A value of `kind` from its encoded fields, strict in both directions.

    `sources` names, by top-level field, the record that should have filled it."""
    hints = hints_of(kind)
    unknown = sorted(str(name) for name in raw if name not in hints)
    if unknown:
        raise LetterInvalid(f"{path}{unknown[0][:80]}", "is not a field of this letter")
    fields = {}
    for each in dataclasses.fields(kind):
        where = f"{path}{each.name}"
        if each.name in raw:
            fields[each.name] = _decoded(raw[each.name], hints[each.name], sources, where)
        elif each.default is dataclasses.MISSING:
            top = where.split(".")[0].split("[")[0]
            raise LetterIncomplete(where, sources.get(top, "case"))
    return kind(**fields)


def _decoded(raw: Any, hint: Any, sources: dict[str, str], path: str) -> Any:
    """Only shapes are judged here; the letter judges the values when it is made."""
    members = [member for member in union_members(hint) if member is not type(None)]
    if raw is None:
        return None
    if typing.get_origin(members[0]) is tuple:
        if not isinstance(raw, list):
            raise LetterInvalid(path, "is not a list")
        inner = typing.get_args(members[0])[0]
        return tuple(
            _decoded(row, inner, sources, f"{path}[{number}]") for number, row in enumerate(raw)
        )
    if members[0] is date:
        return _day(raw, path)
    if typing.get_origin(members[0]) is Literal or not issubclass(members[0], Value):
        return raw
    if not isinstance(raw, dict):
        raise LetterInvalid(path, "is not an object")
    return _made(raw, members, sources, path)


def _made(
    raw: dict[str, Any], members: list[type[Value]], sources: dict[str, str], path: str
) -> Value:
    if len(members) == 1:
        return decode(members[0], raw, sources, f"{path}.")
    mode = raw.get("mode")
    for member in members:
        if getattr(member, "mode", None) == mode:
            fields = {key: raw[key] for key in raw if key != "mode"}
            return decode(member, fields, sources, f"{path}.")
    raise LetterInvalid(f"{path}.mode", "is not known here")


def _day(raw: Any, path: str) -> date:
    if isinstance(raw, str) and len(raw) == 10:
        try:
            return date.fromisoformat(raw)
        except ValueError as reason:
            raise LetterInvalid(path, "is not a day (YYYY-MM-DD)") from reason
    raise LetterInvalid(path, "is not a day (YYYY-MM-DD)")
