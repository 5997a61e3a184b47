"""The child that binds: `python -m letters.binder PARENT_PID FOLDER`, one job, then gone.

Reads `job.json` in its folder, writes there, answers in `answer.json`. It may open nothing else,
has bounded memory and time, and is killed with its parent; what kills it costs one bundle.
"""

from __future__ import annotations

import json
import os
import resource
import sys
from pathlib import Path
from typing import Any

from PIL import Image

from letters import limits
from letters.binding import Item, Unreadable, bind, count
from letters.child import MEMORY_EXIT, arm, die_with_parent, lock_in
from letters.plain import document, shown


def counted(items: list[Item]) -> list[dict[str, Any]]:
    """Pages of each, or why it cannot be bound."""
    told: list[dict[str, Any]] = []
    for item in items:
        try:
            told.append({"pages": count(item), "why": None})
        except Unreadable as refused:
            told.append({"pages": 0, "why": refused.why})
    return told


def answer(folder: Path, job: dict[str, Any]) -> dict[str, Any]:
    items = [Item(folder / each.pop("file"), **each) for each in job["items"]]
    if job["task"] == "count":
        return {"items": counted(items)}
    try:
        return {"parts": bind(folder / "index.pdf", items, out=folder, **job["words"])}
    except Unreadable as refused:
        return {"why": refused.why}


def main(parent: int, folder: Path) -> None:
    die_with_parent(parent)
    Image.preinit()
    document([], shown(""))  # the font, while it may be read
    lock_in(folder, limits.BUNDLE_BYTES_MAX)
    memory = limits.BIND_MEMORY_BYTES_MAX
    resource.setrlimit(resource.RLIMIT_DATA, (memory, memory))
    arm(limits.BIND_CPU_SECONDS_MAX)
    try:
        told = answer(folder, json.loads((folder / "job.json").read_text("utf-8")))
    except MemoryError:
        os._exit(MEMORY_EXIT)
    told["peak_kb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # Linux: kilobytes
    (folder / "answer.json").write_text(json.dumps(told), "utf-8")


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
