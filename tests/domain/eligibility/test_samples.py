"""The thirty sample cases, each with the finding a careful handler noted beside it."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import orjson
import pytest

from app.law.eligibility import Checker, FactsIn, as_json

TODAY = date(2026, 11, 21)
CASES = [
    orjson.loads(path.read_bytes()) for path in sorted(Path("ops/world/cases").glob("case-*.json"))
]
assert len(CASES) == 30, "the samples have moved"


@pytest.fixture(scope="module")
def findings() -> dict[str, dict[str, Any]]:
    """Checked in one batch, because one of them is another one filed twice."""
    checker = Checker(TODAY)
    return {c["id"]: as_json(checker.check(FactsIn.model_validate(c))) for c in CASES}


@pytest.mark.parametrize("case", CASES, ids=lambda c: c["id"])
def test_a_sample_gets_its_expected_finding(
    case: dict[str, Any], findings: dict[str, dict[str, Any]]
) -> None:
    found, expected = findings[case["id"]], case["expected"]
    for name in ("claim_kind", "jurisdiction", "eligible", "amount_minor", "currency", "body"):
        assert found[name] == expected[name], name
    assert set(found["legal_ground"]) == set(expected["legal_ground"])
    sums = [i["amount_minor"] for i in expected["items"]]
    assert [i["amount_minor"] for i in found["items"]] == sums
    assert found["steps"], "a finding says how it came about"


@pytest.mark.parametrize(
    ("case", "code"),
    [
        ("case-02", "extraordinary"), ("case-02", "body_first"), ("case-03", "membership"),
        ("case-04", "body_until"), ("case-05", "section_75"), ("case-06", "repair_first"),
        ("case-09", "limitation_near"), ("case-09", "collection_stops"),
        ("case-10", "support_needs"), ("case-10", "no_written_complaint"),
        ("case-13", "body_until"), ("case-14", "no_withdrawal_right"),
        ("case-20", "insolvency_file_by"), ("case-21", "time_barred_since"),
        ("case-23", "parallel_route"), ("case-25", "minor_claimant"),
        ("case-26", "small_sum_pack"), ("case-27", "not_in_the_sum"),
        ("case-28", "us_no_compensation"), ("case-29", "no_minor_unit"),
        ("case-29", "section_75"), ("case-30", "direct_first"), ("case-30", "limitation_near"),
    ],
)  # fmt: skip
def test_the_points_a_handler_would_raise_are_raised(
    case: str, code: str, findings: dict[str, dict[str, Any]]
) -> None:
    assert code in findings[case]["codes"]["warnings"]
