"""Letters on paper. The provider at hand is a folder that a person, or the printer's own program,
empties: each job is a PDF and a JSON beside it, named by the effect, created once.

`<id>.printed` beside a job says that it left the house; before that a letter can be called back.
"""

from __future__ import annotations

import asyncio
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Protocol
from uuid import UUID

import orjson

from workers.providers.delivery import Delivery, Guard
from workers.providers.errors import KeyTaken, Refused, Transient
from workers.providers.folder import OtherBytes, put_once

FOREVER = float("inf")  # a file name is a key that never expires


@dataclass(frozen=True, slots=True)
class PostJob:
    """What to print and where to send it; `registered` asks for a receipt."""

    address_lines: tuple[str, ...]
    reference: str
    sha256: str
    registered: bool = False


class PostProvider(Protocol):
    """`key_window_seconds`: how long the same key brings the same answer; None = no keys."""

    name: str
    key_window_seconds: float | None

    async def send(self, job: PostJob, pdf: bytes, *, key: UUID, guard: Guard) -> Delivery:
        """Raises Refused, Transient, OutcomeUnknown, LeaseLost."""
        ...

    async def recall(self, sent_key: UUID, *, key: UUID, guard: Guard) -> Delivery:
        """Call the job `sent_key` back. Raises Refused when it has left the house."""
        ...


class PrintFolder:
    """Jobs in `folder`, by default `post` in the data folder."""

    name = "print_folder"
    key_window_seconds: float | None = FOREVER

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    async def send(self, job: PostJob, pdf: bytes, *, key: UUID, guard: Guard) -> Delivery:
        guard()
        await _in_thread(self._put, job, pdf, key)
        return Delivery(self.name, str(key))

    async def recall(self, sent_key: UUID, *, key: UUID, guard: Guard) -> Delivery:
        guard()
        await _in_thread(self._call_back, sent_key)
        return Delivery(self.name, str(key), detail=f"recalled {sent_key}")

    def holds(self, key: str) -> bool:
        """Whether the job is still here, or marked as printed or called back."""
        return any(
            (self.folder / f"{key}.{mark}").exists() for mark in ("json", "printed", "recalled")
        )

    def _put(self, job: PostJob, pdf: bytes, key: UUID) -> None:
        put_once(self.folder / f"{key}.pdf", pdf)
        # The JSON comes last: with it the job is complete.
        put_once(self.folder / f"{key}.json", orjson.dumps(asdict(job)))

    def _call_back(self, sent_key: UUID) -> None:
        if not (self.folder / f"{sent_key}.json").exists():
            raise Refused("the printer does not know this job")
        if (self.folder / f"{sent_key}.printed").exists():
            raise Refused("printed already")
        put_once(self.folder / f"{sent_key}.recalled", b"")


async def _in_thread(work: object, *arguments: object) -> None:
    """Disk work off the event loop, with its failures in the providers' words."""
    assert callable(work)
    try:
        await asyncio.to_thread(work, *arguments)
    except OtherBytes:
        raise KeyTaken("this key was used for another job") from None
    except OSError as trouble:
        raise Transient(f"folder: {trouble.strerror or type(trouble).__name__}") from None
