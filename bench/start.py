"""How long `./run up` takes from installed to ready.

`python -m bench.start [--quick]`. Each round starts it as a person does, in a folder of data of
its own: first with nothing there (database made and migrated), then again with what is there.
Ready is what the command itself waits for: /ready answers 200, so database, schema and Redis are
there and the worker has started. The time includes the shell and every interpreter.
"""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from bench import here
from ops.processes import ROOT
from ops.servers import free_port

ROUNDS, QUICK_ROUNDS = 5, 2
LIMIT_SECONDS = 5.0
END_SECONDS_MAX = 60.0


def one_start(data: Path) -> tuple[float, float]:
    """Seconds from the command to its line that says ready, and processor seconds of it all.

    The second figure also holds the end of the processes; it does not depend on who else works.
    """
    used = processor_seconds()
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("RECOURSE_")
    }
    began = time.monotonic()
    child = subprocess.Popen(
        ["./run", "up", "--port", str(free_port())],
        cwd=ROOT, env=environment | {"RECOURSE_DATA_DIR": str(data)}, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
    )  # fmt: skip
    assert child.stdout is not None, "asked for above"
    said = []
    try:
        for line in child.stdout:
            said.append(line)
            if "ready after" in line:
                took = time.monotonic() - began
                break
        else:
            raise RuntimeError("./run up ended without being ready:\n" + "".join(said[-20:]))
    finally:
        child.send_signal(signal.SIGINT)
        child.wait(END_SECONDS_MAX)
        child.stdout.close()
    return took, processor_seconds() - used


def processor_seconds() -> float:
    """Of all children that have ended, and theirs."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main(quick: bool = False) -> dict[str, Any]:
    """Medians in seconds: `cold` with nothing there, `warm` with the data of the time before."""
    found: dict[str, list[float]] = {"cold": [], "warm": [], "cold_cpu": [], "warm_cpu": []}
    for _ in range(QUICK_ROUNDS if quick else ROUNDS):
        with tempfile.TemporaryDirectory(prefix="recourse-start-") as folder:
            os.chmod(folder, 0o711)  # the servers run as another user and must get through
            for name in ("cold", "warm"):
                took, used = one_start(Path(folder) / "data")
                found[name].append(took)
                found[f"{name}_cpu"].append(used)
    rounds = len(found["cold"])
    return {"rounds": rounds} | {name: here.median(values) for name, values in found.items()}


def show(found: dict[str, Any]) -> None:
    print(f"./run up to ready, seconds, median of {found['rounds']} (at most {LIMIT_SECONDS:.0f})")
    for name, words in (("cold", "with nothing there"), ("warm", "with data")):
        print(
            f"  {words:20} {found[name]:6.2f}   processor time with the end"
            f" {found[f'{name}_cpu']:6.2f}"
        )


if __name__ == "__main__":
    show(main(quick="--quick" in sys.argv))
