"""The printed schema of an intake is the one in force, and the samples are of its shape."""

from __future__ import annotations

from pathlib import Path

import jsonschema_rs
import orjson
import pytest

from app.law.schema import intake_schema

PRINTED = Path("docs/check.schema.json")
VALIDATOR = jsonschema_rs.validator_for(intake_schema())
CASES = sorted(Path("ops/world/cases").glob("case-*.json"))


def test_the_printed_schema_is_the_one_in_force() -> None:
    """`recourse law schema > docs/check.schema.json` prints it anew."""
    assert orjson.loads(PRINTED.read_bytes()) == intake_schema()


@pytest.mark.parametrize("path", CASES, ids=lambda p: p.stem)
def test_a_sample_is_of_this_shape(path: Path) -> None:
    VALIDATOR.validate(orjson.loads(path.read_bytes()))


def test_an_answer_of_another_kind_is_not() -> None:
    case = orjson.loads(CASES[0].read_bytes())
    case["answers"]["delivery_state"] = "lost"
    assert not VALIDATOR.is_valid(case)
