"""Intakes and periods worked out by hand from the law files before the engine was asked: edges that
the samples leave out (thresholds met exactly, states, Laender, departments, observed holidays)."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from app.law.eligibility import Checker, FactsIn, as_json
from app.law.periods import Question, answer

HERE = Path(__file__)
TODAY = date(2026, 11, 21)
CASES = yaml.safe_load(HERE.with_name("more_cases.yaml").read_text("utf-8"))["cases"]
PERIODS = yaml.safe_load((HERE.parents[1] / "more_periods.yaml").read_text("utf-8"))["cases"]
assert (len(CASES), len(PERIODS)) == (10, 45), "hand-made cases are missing"


@pytest.mark.parametrize("case", CASES, ids=lambda c: c["id"])
def test_an_intake_gets_the_finding_worked_out_by_hand(case: dict[str, Any]) -> None:
    found = as_json(Checker(TODAY).check(FactsIn.model_validate(case)))
    assert {name: found[name] for name in case["expected"]} == case["expected"]


def test_each_period_ends_on_the_day_worked_out_by_hand() -> None:
    wrong = {}
    for case in PERIODS:
        asked = {name: value for name, value in case.items() if name != "expected"}
        due = answer(Question.model_validate(asked)).counted.due
        if due.isoformat() != case["expected"]:
            wrong[case["id"]] = (case["expected"], due)
    assert not wrong
