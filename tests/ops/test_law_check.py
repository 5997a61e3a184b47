"""`recourse law check`: many intakes in one batch, one line each."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest
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


def test_a_calendar_file_is_written_for_each_intake(tmp_path: Path) -> None:
    files = [str(CASES / f"case-{n}.json") for n in ("04", "06")]  # 06 has nothing to do
    args = ["law", "check", *files, "--on", "2026-11-21", "--json", "--calendar", str(tmp_path)]
    first, second = (orjson.loads(line) for line in runner.invoke(app, args).stdout.splitlines())
    assert [path.name for path in tmp_path.iterdir()] == ["case-04.ics"]
    assert b"DTSTART;VALUE=DATE:20270525\r\n" in Path(first["calendar"]).read_bytes()
    assert "calendar" not in second


BROKEN = {
    "twice.json": (b'{"id": "x", "id": "y", "answers": {}}', "names a field twice"),
    "list.json": (b"[]", "the file: "),
    "deep.json": (b"[" * 100_000 + b"]" * 100_000, "nested deeper"),
    "latin.json": (b'{"answers": "\xe4"}', "not UTF-8"),
    "nan.json": (b'{"answers": {"claim_kind": NaN}}', "NaN"),
    "number.json": (b'{"id": 5, "answers": {"claim_kind": "air"}}', "id: "),
    "nested.json": (b'{"answers": [{"claim_kind": "air"}]}', "answers: "),
    "many.json": (
        b'{"answers": {"claim_kind": "rail", "legs": [' + b'"unknown",' * 300 + b'"unknown"]}}',
        "legs: is not a list of up to 200 entries",
    ),
}


def test_every_broken_file_gets_its_line_and_stops_no_other(tmp_path: Path) -> None:
    for name, (raw, _) in BROKEN.items():
        (tmp_path / name).write_bytes(raw)
    files = [str(tmp_path / name) for name in BROKEN] + [str(tmp_path / "nowhere.json")]
    done = runner.invoke(app, ["law", "check", *files, str(CASES / "case-01.json"), "--json"])
    lines = [orjson.loads(line) for line in done.stdout.splitlines()]
    assert done.exit_code == 1 and len(lines) == len(BROKEN) + 2
    for line, (_, said) in zip(lines, BROKEN.values(), strict=False):
        assert said in line["error"], line
    assert "error" in lines[-2] and lines[-1]["id"] == "case-01"


def test_a_day_outside_the_years_we_know_is_refused_with_its_year() -> None:
    done = runner.invoke(app, ["law", "check", str(CASES / "case-01.json"), "--on", "2041-01-01"])
    assert done.exit_code == 2 and "2041" in done.output


@pytest.mark.parametrize("code", ["ZZ", "EU", "XA", "Finland"])
def test_a_code_that_is_no_country_is_named(tmp_path: Path, code: str) -> None:
    intake = tmp_path / "intake.json"
    intake.write_text(f'{{"id": "x", "answers": {{"claim_kind": "hotel", "residence": "{code}"}}}}')
    ended = runner.invoke(app, ["law", "check", str(intake), "--json"])
    assert ended.exit_code == 1
    assert "residence: is no country; give its two letters, like FI" in ended.output
