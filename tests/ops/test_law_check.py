"""`recourse law check`: many intakes in one batch, one line each."""

from __future__ import annotations

from pathlib import Path

import orjson
from typer.testing import CliRunner

from ops.cli import app

CASES = Path(__file__).parents[2] / "ops" / "world" / "cases"
runner = CliRunner()


def test_a_batch_is_answered_line_by_line_and_knows_what_came_before() -> None:
    files = [str(CASES / f"case-{n}.json") for n in ("02", "22")]
    done = runner.invoke(app, ["law", "check", *files, "--on", "2026-11-21", "--json"])
    first, second = (orjson.loads(line) for line in done.stdout.splitlines())
    assert done.exit_code == 0
    assert (first["id"], first["eligible"]) == ("case-02", "yes")
    assert (second["eligible"], second["codes"]["steps"][0]) == ("no", "duplicate")


def test_a_person_reads_sums_and_reasons() -> None:
    file = str(CASES / "case-03.json")
    done = runner.invoke(app, ["law", "check", file, "--on", "2026-11-21"])
    assert "case-03: yes (air, DE)" in done.stdout and "asks 800.00 EUR" in done.stdout


def test_a_bad_file_says_why_and_the_others_are_answered(tmp_path: Path) -> None:
    broken, empty = tmp_path / "a.json", tmp_path / "b.json"
    broken.write_text("{", "utf-8")
    empty.write_text('{"id": "b", "answers": {"claim_kind": "weather"}}', "utf-8")
    good = str(CASES / "case-01.json")
    done = runner.invoke(app, ["law", "check", str(broken), str(empty), good, "--json"])
    lines = [orjson.loads(line) for line in done.stdout.splitlines()]
    assert done.exit_code == 1
    assert [("error" in line) for line in lines] == [True, True, False]
    assert lines[1]["error"].startswith("claim_kind: is not one of air,")
