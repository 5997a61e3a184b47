"""Verdicts of all kinds and countries, worked out by hand from the routing first."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import yaml

from app.law.eligibility import Checker, FactsIn

FILE = yaml.load(Path(__file__).with_name("by_hand.yaml").read_text("utf-8"), yaml.CSafeLoader)
TODAY = date(2026, 11, 21)


def found(case: dict[str, Any]) -> dict[str, Any]:
    answers = FILE["base"] | {"reference": case["id"]} | case["answers"]
    if answers["claim_kind"].startswith("air"):
        del answers["place"]
    one = Checker(TODAY).check(FactsIn(answers=answers))
    return {
        "jurisdiction": one.jurisdiction, "eligible": one.eligible,
        "grounds": list(one.legal_ground), "minor": one.amount_minor, "currency": one.currency,
        "body": one.body,
    }  # fmt: skip


def test_every_verdict_is_the_one_worked_out_by_hand() -> None:
    kinds = {case["answers"]["claim_kind"] for case in FILE["cases"]}
    assert len(FILE["cases"]) == 56 and len(kinds) == 20
    wrong = {c["id"]: got for c in FILE["cases"] if (got := found(c)) != c["expected"]}
    assert wrong == {}
