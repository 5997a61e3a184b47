"""The commands of `recourse` and of ./run."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import orjson
import pytest
from sqlalchemy import insert
from typer.testing import CliRunner

from app.clock import business_now, wall_now
from app.db import Database
from app.domain.errors import RecourseError
from app.ids import new_id, new_reference
from app.settings import Settings
from app.tables.effects import EffectRow
from ops.cli import app
from ops.commands.config import markdown_table
from ops.commands.explain import read_explanation
from ops.moving_clock import ClockRefused, MovingClock, NeverQuiet
from ops.processes import AskedToEnd, ProcessEnded, Processes, signals_end
from tests.support.cases import make_case
from tests.support.waiting import process_runs

ROOT = Path(__file__).resolve().parents[2]
RUN_COMMANDS = ("up", "demo", "test", "lint", "bench", "chaos", "fuzz", "migrate", "lock")


def run_script(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(ROOT / "run"), *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        env={"PATH": os.environ["PATH"], "HOME": "/", **environment},
    )


def test_run_alone_lists_every_command() -> None:
    listed = run_script()
    assert listed.returncode == 0
    for command in (*RUN_COMMANDS, "recourse"):
        assert f"\n  {command} " in listed.stdout


def test_run_refuses_an_unknown_command() -> None:
    done = run_script("frobnicate")
    assert done.returncode == 1
    assert "no command 'frobnicate'" in done.stderr


def test_run_says_what_to_install_when_python_is_too_old(tmp_path: Path) -> None:
    copy = bare_copy(tmp_path)
    tools = tmp_path / "bin"
    tools.mkdir()
    for name in ("sh", "cmp", "dirname", "cat", "grep", "id"):
        (tools / name).symlink_to(which(name))
    old = tools / "python3"
    old.write_text('#!/bin/sh\n[ "$1" = -V ] && echo "Python 3.9.2" && exit 0\nexit 1\n')
    old.chmod(0o755)
    done = subprocess.run(
        [str(copy / "run"), "setup"], capture_output=True, text=True, env={"PATH": str(tools)}
    )
    assert done.returncode == 1
    assert "Python 3.9.2" in done.stderr
    old.unlink()
    without = subprocess.run(
        [str(copy / "run"), "setup"], capture_output=True, text=True, env={"PATH": str(tools)}
    )
    assert "apt-get install" in without.stderr


def which(name: str) -> Path:
    return next(
        Path(folder) / name
        for folder in os.environ["PATH"].split(":")
        if (Path(folder) / name).exists()
    )


def bare_copy(tmp_path: Path) -> Path:
    """The script and the lock as in a fresh clone: no environment beside them."""
    copy = tmp_path / "clone"
    copy.mkdir()
    for name in ("run", "requirements.lock"):
        (copy / name).write_bytes((ROOT / name).read_bytes())
    (copy / "run").chmod(0o755)
    return copy


def test_ci_runs_the_tests_and_the_lint() -> None:
    script = (ROOT / ".ci" / "run").read_text()
    assert "./run test" in script and "./run lint" in script
    assert os.access(ROOT / ".ci" / "run", os.X_OK)


def test_config_prints_the_table_of_the_documents_and_hides_secrets() -> None:
    printed = CliRunner().invoke(app, ["config", "--markdown"])
    assert printed.stdout == markdown_table()
    shown = CliRunner().invoke(
        app,
        ["config"],
        env={
            "RECOURSE_DATABASE_URL": "postgresql://u:tiger@h/d",
            "RECOURSE_SECRET_KEY": "tiger" * 10,
            "RECOURSE_SMTP_HOST": "mx.shown",
            "COLUMNS": "300",
        },
    )
    assert "mx.shown" in shown.stdout
    assert "tiger" not in shown.stdout


def test_api_and_worker_refuse_bad_settings_readably() -> None:
    for command in ("api", "worker"):
        done = run_cli(command, RECOURSE_ENVIRONMENT="production", RECOURSE_DATABASE_URL="x://y")
        assert done.returncode == 2
        assert "database_url: " in done.stderr and "Traceback" not in done.stderr


def run_cli(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "ops.cli", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        env={"PATH": os.environ["PATH"], **environment},
    )


async def test_the_clock_moves_forward_and_never_back(
    database: Database, settings: Settings
) -> None:
    clock = MovingClock(database, settings)
    target = wall_now() + timedelta(days=10)
    assert await clock.advance(target) == 0
    async with database.read() as session:
        assert abs(await business_now(session) - target) < timedelta(seconds=5)
    with pytest.raises(ClockRefused, match="does not go back"):
        await clock.set(wall_now())
    with pytest.raises(ClockRefused, match="days ahead"):
        await clock.set(wall_now() + timedelta(days=366 * 30))


async def test_production_has_no_moving_clock(database: Database, settings: Settings) -> None:
    with pytest.raises(ClockRefused, match="real time"):
        MovingClock(database, settings.model_copy(update={"environment": "production"}))


async def test_open_work_that_nobody_does_is_reported(
    database: Database, settings: Settings
) -> None:
    clock = MovingClock(database, settings)
    await stage_effect(database)
    assert (await clock.open_work()).effects == 1
    with pytest.raises(NeverQuiet, match="effects=1"):
        await clock.wait_until_quiet(seconds=0.2)


async def stage_effect(database: Database) -> None:
    """An order that is due and that no worker of this test will carry out."""
    async with database.transaction() as session:
        await session.execute(
            insert(EffectRow).values(
                id=new_id(),
                stream="system",
                lane="consumer",
                kind="SendMagicLink",
                version=1,
                business_key="test:open-work",
                payload={},
                not_before=wall_now(),
                staged_at=wall_now(),
            )
        )


def test_children_end_with_the_block() -> None:
    with Processes(dict(os.environ)) as processes:
        processes.start("sleeper", "http.server", "0", "--bind", "127.0.0.1")
        child = processes.children["sleeper"]
        processes.check()
    assert not process_runs(child.pid)


def test_a_child_that_ends_early_is_noticed() -> None:
    with Processes(dict(os.environ)) as processes:
        processes.start("broken", "no_such_module", log=Path(os.devnull))
        with pytest.raises(ProcessEnded, match="broken ended with code 1"):
            processes.wait_for("starting", lambda: False, seconds=10)


def test_signals_become_an_exception_inside_the_block_only() -> None:
    with pytest.raises(AskedToEnd), signals_end():
        os.kill(os.getpid(), 15)
        asyncio.run(asyncio.sleep(1))


async def test_explain_finds_a_case_by_reference_and_by_id(
    database: Database, database_url: str
) -> None:
    made = await make_case(database)
    by_id = await read_explanation(database_url, str(made.case.id))
    assert made.case.reference in by_id
    spoken = made.case.reference.lower().replace("-", " ")
    assert (await read_explanation(database_url, spoken)).splitlines()[0] == by_id.splitlines()[0]
    with pytest.raises(RecourseError, match="there is no case"):
        await read_explanation(database_url, new_reference())


def test_bank_files_are_read_a_line_each_and_a_refused_one_says_why(tmp_path: Path) -> None:
    samples = ROOT / "tests/banking/samples"
    broken = tmp_path / "broken.xml"
    broken.write_bytes(b"<Document>")
    files = [str(samples / "nordea__example_camt.xml"), str(broken), str(tmp_path / "none"),
             str(samples / "self-provided__malformed_details.sta")]  # fmt: skip
    done = CliRunner().invoke(app, ["bank", "read", *files, "--json"])
    lines = [orjson.loads(line) for line in done.stdout.splitlines()]
    assert [(x["file"], x["ok"]) for x in lines] == list(
        zip(files, (True, False, False, False), strict=True)
    )
    (statement,) = lines[0]["statements"]
    assert (statement["opening_minor"], statement["closing"]) == (20_050, "8800.50")
    assert statement["balanced"] is True and len(statement["entries"]) == 6
    assert "well-formed" in lines[1]["error"] and "No such file" in lines[2]["error"]
    assert "does not add up" in lines[3]["error"]
    assert lines[3]["statements"][0]["balanced"] is False
    told = CliRunner().invoke(app, ["bank", "read", files[0], files[3]])
    assert "balanced: yes" in told.stdout and "balanced: NO" in told.stdout
    assert CliRunner().invoke(app, ["bank", "read", files[1]]).exit_code == 1
