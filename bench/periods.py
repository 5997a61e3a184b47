"""Explained deadlines a second on one core, against a bare date + timedelta loop of the same run.

`python -m bench.periods`: the laws' own examples are counted over and over, each with its steps and
skipped days; 5,000 a second are wanted.
"""

from __future__ import annotations

import time
from datetime import date, timedelta
from pathlib import Path

import yaml

from app.law.periods import Question, answer

EXAMPLES = Path(__file__).resolve().parent.parent / "tests" / "data" / "law" / "period_cases.yaml"
COUNT = 20_000
RATE_MIN = 5_000.0  # explained deadlines a second


def main(scale: float = 1.0) -> dict[str, float]:
    """Rates a second, and how many bare additions one explained deadline costs."""
    count = int(COUNT * scale)
    examples = yaml.safe_load(EXAMPLES.read_text("utf-8"))["cases"]
    asked = [Question.model_validate(each) for each in examples]
    for each in asked:
        answer(each)  # the holidays of each year are worked out once
    started = time.perf_counter()
    for at in range(count):
        answer(asked[at % len(asked)])
    explained = count / (time.perf_counter() - started)
    day, days = date(2026, 11, 21), timedelta(days=14)
    started = time.perf_counter()
    for _ in range(count * 50):
        day + days
    bare = count * 50 / (time.perf_counter() - started)
    found = {"explained_per_s": explained, "bare_per_s": bare, "ratio": bare / explained}
    for name, value in found.items():
        print(f"{name:<28} {value:>14,.1f}")
    return found


if __name__ == "__main__":
    main()
