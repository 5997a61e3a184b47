"""Has exhibits counted and bound by a child that can be killed (letters.binder)."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from letters import limits
from letters.errors import RenderFailed
from letters.pool import KEPT_ENVIRONMENT, ROOT


@dataclass(frozen=True, slots=True)
class Exhibit:
    """An exhibit in the folder: `file` is its name there."""

    file: str
    media_type: str
    label: str
    title: str


async def count(folder: Path, items: Sequence[Exhibit]) -> list[tuple[int, str | None]]:
    """Pages of each, or why it cannot be bound. Raises RenderFailed."""
    told = await _run(folder, {"task": "count", "items": [asdict(each) for each in items]})
    return [(each["pages"], each["why"]) for each in told["items"]]


async def bind(
    folder: Path, items: Sequence[Exhibit], words: Mapping[str, Any]
) -> list[tuple[Path, int]]:
    """The parts with their pages, made of `index.pdf` and these. Raises RenderFailed."""
    job = {"task": "bind", "items": [asdict(each) for each in items], "words": dict(words)}
    told = await _run(folder, job)
    if "why" in told:
        raise RenderFailed("error", told["why"])
    return [
        (folder / f"part-{number}.pdf", part["pages"])
        for number, part in enumerate(told["parts"], start=1)
    ]


async def _run(folder: Path, job: Mapping[str, Any]) -> dict[str, Any]:
    (folder / "job.json").write_text(json.dumps(job), "utf-8")
    (folder / "answer.json").unlink(missing_ok=True)
    environment = {key: os.environ[key] for key in KEPT_ENVIRONMENT if key in os.environ}
    environment |= {"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "letters.binder", str(os.getpid()), str(folder), cwd=ROOT,
        env=environment, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        async with asyncio.timeout(limits.BIND_WALL_SECONDS_MAX):
            _, said = await process.communicate()
    except TimeoutError as reason:
        raise RenderFailed("timeout") from reason
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    if process.returncode != 0 or not (folder / "answer.json").exists():
        # The last line may name code, never content.
        last = said.decode(errors="replace").strip().rpartition("\n")[2][:300]
        raise RenderFailed("died", last)
    told: dict[str, Any] = json.loads((folder / "answer.json").read_text("utf-8"))
    return told
