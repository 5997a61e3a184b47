"""A journal row back to the order it says."""

from __future__ import annotations

import dataclasses
from typing import Any

from pydantic import TypeAdapter

from app.domain.effects import AnyEffect

_ADAPTERS: dict[str, tuple[TypeAdapter[Any], bool]] = {}


def _adapter(kind: Any) -> tuple[TypeAdapter[Any], bool]:
    """Built once per kind: making one costs a thousand readings."""
    made = _ADAPTERS.get(kind.__name__)
    if made is None:
        has_case = any(f.name == "case_id" for f in dataclasses.fields(kind))
        made = _ADAPTERS[kind.__name__] = (TypeAdapter(kind), has_case)
    return made


def decode(kind: type[AnyEffect], row: Any) -> AnyEffect:
    """`row` has id, case_id and payload. Raises pydantic's ValidationError when they do not fit."""
    adapter, has_case = _adapter(kind)
    values = {**row.payload, "id": row.id}
    if has_case:
        values["case_id"] = row.case_id
    effect: AnyEffect = adapter.validate_python(values)
    return effect
