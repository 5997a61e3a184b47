"""`recourse law interest` and `rates`: what a lawyer types to see a sum and what it rests on."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from typer.testing import CliRunner

from ops.cli import app

runner = CliRunner()
ASKED = [
    "law", "interest", "--formula", "fi.viivastyskorko", "--principal", "600.00",
    "--currency", "EUR", "--from", "2026-01-15", "--to", "2026-06-30",
]  # fmt: skip


def asked(*more: str) -> dict[str, Any]:
    done = runner.invoke(app, [*ASKED, *more, "--json"])
    assert done.exit_code == 0, done.output
    found: dict[str, Any] = orjson.loads(done.stdout)
    return found


def test_interest_runs_on_what_is_unpaid() -> None:
    found = asked("--paid", "2026-03-01:200.00")
    assert [(r["days"], r["principal"], r["rate"]) for r in found["rows"]] == [
        (46, "600.00", "9.5"), (121, "400.00", "9.5"),
    ]  # fmt: skip
    assert (found["total"], found["principal_left"], found["per_day"]) == (
        "19.78", "400.00", "0.104110",
    )  # fmt: skip
    assert found["law"].startswith("Korkolaki")


def test_a_payment_may_go_to_interest_first() -> None:
    found = asked("--paid", "2026-03-01:200.00", "--against", "interest_first")
    assert (found["paid_interest"], found["principal_left"]) == ("7.183562", "407.18")


def test_a_missing_rate_gives_words_and_the_name_of_what_is_missing() -> None:
    found = asked("--to", "2026-11-24")
    assert found["in_words"] is True and found["total"] is None and found["rows"] == []
    assert found["missing"] == [
        {"series": "fi_viitekorko", "from": "2026-07-01", "to": "2026-12-31"}
    ]


def test_a_person_reads_a_table_and_its_law() -> None:
    done = runner.invoke(app, ASKED)
    assert done.exit_code == 0
    assert "interest: 26.08 EUR" in done.stdout
    assert "rule fi.viivastyskorko@1" in done.stdout


def test_a_rate_nobody_has_confirmed_says_so() -> None:
    done = runner.invoke(app, [*ASKED, "--from", "2025-12-01"])
    assert "rate to be confirmed" in done.stdout


def test_the_first_day_may_follow_from_the_demand() -> None:
    start = ["--start", "demand", "--event", "demand_sent:2025-12-16"]
    done = runner.invoke(app, [*[a for a in ASKED if a not in ("--from", "2026-01-15")], *start,
                               "--json"])  # fmt: skip
    assert orjson.loads(done.stdout)["from"] == "2026-01-16"


def test_parts_may_begin_on_days_of_their_own() -> None:
    found = asked("--principal", "100.00@2026-06-01")
    assert [(r["part"], r["from"]) for r in found["rows"]] == [(1, "2026-01-15"), (2, "2026-06-01")]


@pytest.mark.parametrize(
    ("more", "why"),
    [
        (["--principal", "0"], "more than nothing"),
        (["--principal", "1e9"], "digits with a point"),
        (["--principal", "9" * 40], "digits with a point"),
        (["--currency", "XXX"], "currency is not known"),
        (["--from", "2026-07-01"], "lies after the last"),
        (["--from", "2026-02-30"], "not a day"),
        (["--to", "20260630"], "not a day"),
        (["--paid", "2026-03-01"], "not like 2026-03-01:200.00"),
        (["--paid", "2026-07-01:5"], "lies after the last day"),
        (["--formula", "moon"], "unknown formula"),
        (["--day-count", "actual_actual"], "counts days by actual_365"),
        (["--start", "demand"], "not both"),
        (["--event", "demand_sent"], "not like demand_sent"),
    ],
)
def test_a_refusal_is_one_sentence_and_not_a_traceback(more: list[str], why: str) -> None:
    done = runner.invoke(app, [*ASKED, *more])
    assert done.exit_code == 1
    assert why in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    told = runner.invoke(app, [*ASKED, *more, "--json"])
    assert why in orjson.loads(told.stdout)["error"]


def test_the_series_tell_their_gaps() -> None:
    done = runner.invoke(app, ["law", "rates", "--to", "2026-11-24", "--json"])
    series = {s["series"]: s for s in map(orjson.loads, done.stdout.splitlines())}
    assert series["se_referensranta"]["missing"] == [
        {"from": "2026-07-01", "to": "2026-12-31", "follows": None}
    ]
    assert [g["from"] for g in series["de_basiszins"]["missing"]] == ["2026-07-01"]
    assert series["boe_bank_rate"]["from"] is None
    assert all(s["contradictions"] == [] for s in series.values())
