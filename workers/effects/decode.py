"""A journal row back to the order it says."""

from __future__ import annotations

import dataclasses
from functools import cache
from typing import Any

from pydantic import TypeAdapter

from app.domain.effects import AnyEffect


@cache
def _adapter(kind: Any) -> tuple[TypeAdapter[Any], bool]:
    has_case = any(f.name == "case_id" for f in dataclasses.fields(kind))
    return TypeAdapter(kind), has_case


def decode(kind: type[AnyEffect], row: Any) -> AnyEffect:
    """`row` has id, case_id and payload. Raises pydantic's ValidationError when they do not fit."""
    adapter, has_case = _adapter(kind)
    values = {**row.payload, "id": row.id}
    if has_case:
        values["case_id"] = row.case_id
    effect: AnyEffect = adapter.validate_python(values)
    return effect
