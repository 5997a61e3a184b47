"""Every row of the fault matrix for mail and post names the tests that prove its end."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

TESTS = Path(__file__).parents[1]
ROWS = {f"F-S{n}" for n in range(1, 10)} | {f"F-H{n}" for n in range(1, 10)} | {"F-I1", "F-I2"}


def test_every_row_names_tests_that_exist_or_says_why_it_has_none() -> None:
    rows = yaml.safe_load((TESTS / "data" / "fault_rows.yaml").read_text("utf-8"))
    assert set(rows) == ROWS
    wrong = []
    for row, said in rows.items():
        if not said["tests"] and not said.get("why"):
            wrong.append(f"{row} says nothing")
        for named in said["tests"]:
            path, _, name = named.partition("::")
            source = (TESTS / path).read_text("utf-8")
            if not re.search(rf"(?m)^(async )?def {name}[(]", source):
                wrong.append(f"{row}: {named}")
    assert not wrong
