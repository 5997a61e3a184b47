"""`recourse law`: what a lawyer types to see a date and its reasons."""

from __future__ import annotations

from pathlib import Path

import orjson
from typer.testing import CliRunner

from ops.cli import app

EXAMPLES = Path(__file__).parents[1] / "data" / "law" / "period_cases.yaml"
runner = CliRunner()
PERIOD = ["law", "period", "--regime", "EU_1182_71", "--country", "FI", "--start", "2026-12-18"]


def test_a_period_tells_its_last_day_and_every_day_it_passed_over() -> None:
    done = runner.invoke(app, [*PERIOD, "--period", "7", "--unit", "days", "--json"])
    found = orjson.loads(done.stdout)
    assert done.exit_code == 0
    assert (found["due"], found["weekday"], found["safe"]) == ("2026-12-28", "Mon", "2026-12-24")
    assert [s["date"] for s in found["skipped"]] == ["2026-12-25", "2026-12-26", "2026-12-27"]
    assert found["rule"]["id"] == "EU_1182_71"
    assert "month ends" in found["rule"]["to_be_confirmed"]


def test_a_person_reads_it_as_sentences() -> None:
    done = runner.invoke(app, [*PERIOD, "--period", "1 month + 10 days", "--unit", "mixed"])
    assert done.exit_code == 0
    assert "1 month + 10 days from Friday 2026-12-18" in done.stdout
    assert "is the day of the event and is not counted" in done.stdout


def test_a_refusal_is_one_sentence_and_not_a_traceback() -> None:
    wrong = [*PERIOD[:3], "MOON", *PERIOD[4:], "--period", "7", "--unit", "days"]
    done = runner.invoke(app, wrong)
    assert done.exit_code == 1
    assert done.stderr.startswith("unknown period regime 'MOON'; known: DE_BGB_187_193")


def test_a_whole_file_is_answered_one_line_per_case() -> None:
    done = runner.invoke(app, ["law", "periods", str(EXAMPLES), "--json"])
    lines = [orjson.loads(line) for line in done.stdout.splitlines()]
    assert done.exit_code == 0
    assert len(lines) == 38 and all(line["due"] for line in lines)
    assert lines[0]["id"] == "EU-01"


def test_a_bad_case_in_a_file_says_why_and_the_others_are_answered(tmp_path: Path) -> None:
    file = tmp_path / "cases.yaml"
    good = "{regime: US, country: US, start: 2026-11-24, period: 30, unit: days}"
    file.write_text(
        f"cases:\n- {good[:-1]}, id: A}}\n- {{id: B, regime: US}}\n- nothing\n"
        f"- {good[:-1].replace('2026-11-24', '2026-11-31')}, id: D}}\n",
        "utf-8",
    )
    done = runner.invoke(app, ["law", "periods", str(file), "--json"])
    lines = [orjson.loads(line) for line in done.stdout.splitlines()]
    assert done.exit_code == 1
    assert lines[0]["due"] == "2026-12-24"
    assert ["error" in line for line in lines] == [False, True, True, True]


def test_a_file_without_cases_is_refused(tmp_path: Path) -> None:
    for text in ("a: [1", "cases: 7", "- - -"):
        file = tmp_path / "cases.yaml"
        file.write_text(text, "utf-8")
        assert runner.invoke(app, ["law", "periods", str(file)]).exit_code != 0
