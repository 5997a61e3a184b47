"""Case value <-> rows. The one place that knows which field lives in which column.

A field of Case with a column of its name lives there; side tables carry claimants, items, timers
and the current letter; what has neither stays in `cases.extra`, so that a new field of the ladder
needs a column only when something must search or check it.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import orjson
from pydantic import TypeAdapter

from app.domain.case import Case
from app.tables.cases import CaseRow

CASE = TypeAdapter(Case)
FIELDS = tuple(f.name for f in dataclasses.fields(Case))
SIDE = ("claimants", "items", "timers", "letter")
# Set when the case is made; a draft's owner may amend them, the ladder never does.
FIXED = ("id", "reference", "claim_kind", "jurisdiction", "currency", "opened_at")
_COLUMNS = {c.key for c in CaseRow.__table__.columns}
POSITION = tuple(f for f in FIELDS if f in _COLUMNS and f not in FIXED and f not in SIDE)
EXTRA = tuple(f for f in FIELDS if f not in _COLUMNS and f not in SIDE)
DERIVED = ("next_wake_at", "claimed_minor", "letter_id")  # columns computed from the value


def dump(case: Case) -> dict[str, Any]:
    """The case as plain JSON values."""
    value: dict[str, Any] = CASE.dump_python(case, mode="json")
    return value


def load(row: dict[str, Any]) -> Case:
    """The case from one row of the loading statement (columns + aggregated side rows)."""
    value = {f: row[f] for f in FIELDS if f in row}
    value.update(row["extra"] or {})
    return CASE.validate_python(value)


def record(case: Case, plain: dict[str, Any]) -> dict[str, Any]:
    """The position columns of a case, as one JSON record for the writing statement."""
    out = {f: plain[f] for f in POSITION}
    out["id"] = plain["id"]
    out["extra"] = {f: plain[f] for f in EXTRA}
    wake = case.next_wake_at
    out["next_wake_at"] = wake.isoformat() if wake else None
    out["claimed_minor"] = case.claimed_minor
    out["letter_id"] = plain["letter"]["id"] if plain["letter"] else None
    return out


def as_json(value: Any) -> str:
    return orjson.dumps(value).decode()
