"""recourse up: everything starts, answers, and ends together."""

from __future__ import annotations

import json
import os
import queue
import re
import shutil
import signal
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from ops.binaries import own_temp_folder
from ops.embedded import running
from ops.servers import free_port
from tests.support.waiting import process_runs, wait_until

ROOT = Path(__file__).resolve().parents[2]
ENDED = "(ended)"
READY_SECONDS_MAX = 60  # generous: what it takes is printed and measured by the benchmarks


@pytest.fixture
def data_dir(tmp_path: Path) -> Iterator[Path]:
    folder = own_temp_folder(f"up-{tmp_path}")
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def lines_of(child: subprocess.Popen[str]) -> queue.Queue[str]:
    lines: queue.Queue[str] = queue.Queue()
    assert child.stdout is not None
    stream = child.stdout

    def read() -> None:
        for line in stream:
            lines.put(line)
        lines.put(ENDED)

    threading.Thread(target=read, daemon=True).start()
    return lines


def children_of(pid: int) -> list[int]:
    return [process.pid for process in psutil.Process(pid).children()]


def start(data_dir: Path) -> tuple[subprocess.Popen[str], str]:
    """`recourse up` on empty data, and its address once it says that it is ready."""
    environment = {key: value for key, value in os.environ.items() if "RECOURSE" not in key}
    up = subprocess.Popen(
        [sys.executable, "-m", "ops.cli", "up", "--port", str(free_port())],
        cwd=ROOT,
        env={**environment, "RECOURSE_DATA_DIR": str(data_dir), "COLUMNS": "200"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    lines, seen = lines_of(up), ""
    while not (ready := re.search(r"ready after [\d.]+ s: (\S+)", seen)):
        try:
            seen += lines.get(timeout=READY_SECONDS_MAX)
        except queue.Empty:
            seen += ENDED
        if ENDED in seen:
            up.kill()
            pytest.fail(f"not ready:\n{seen}")
    return up, ready[1]


@pytest.mark.slow
@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGKILL])
def test_up_answers_and_leaves_nothing_behind(data_dir: Path, sent: signal.Signals) -> None:
    up, address = start(data_dir)
    with urllib.request.urlopen(f"{address}/health", timeout=5) as answer:
        assert answer.status == 200
    servers = running(data_dir / "servers")
    assert servers is not None
    started = [*children_of(up.pid), servers.keeper_pid, servers.postgres_pid, servers.redis_pid]
    assert len(started) >= 5
    up.send_signal(sent)
    up.wait(timeout=60)
    wait_until(lambda: not any(process_runs(pid) for pid in started), seconds=40)


def test_the_openapi_document_is_printed_without_any_server() -> None:
    environment = {key: value for key, value in os.environ.items() if "RECOURSE" not in key}
    printed = subprocess.run(
        [sys.executable, "-m", "ops.cli", "openapi"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert printed.returncode == 0, printed.stderr
    assert len(json.loads(printed.stdout)["paths"]) > 10
