"""Letters on paper. The provider at hand is a folder that a person, or the printer's own program,
empties: each job is a PDF and a JSON beside it, named by the effect, created once.

`<id>.printed` beside a job says that it was printed: from then on it counts as gone and cannot be
called back. `<id>.posted` says when it was given to the post, and under which number.
"""

from __future__ import annotations

import asyncio
import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal, Protocol, runtime_checkable
from uuid import UUID

import orjson

from workers.providers.delivery import Delivery, Guard
from workers.providers.errors import KeyTaken, Refused, Transient
from workers.providers.folder import OtherBytes, put_once

FOREVER = float("inf")  # a file name is a key that never expires


@dataclass(frozen=True, slots=True)
class PostJob:
    """What to print and where to send it; `registered` asks for a receipt. `country` is the one on
    file (ISO 3166-1 alpha-2, "" when nobody said); a country on the last line goes before it."""

    address_lines: tuple[str, ...]
    reference: str
    sha256: str
    registered: bool = False
    country: str = ""


@dataclass(frozen=True, slots=True)
class PostStatus:
    """What a provider knows of a letter: taken and nothing since, seen by the post, delivered,
    coming back, never printed, or unknown there. `at` is the time of the last event."""

    state: Literal["accepted", "moving", "delivered", "returned", "failed", "gone"]
    at: datetime | None = None
    tracking_number: str | None = None


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


@runtime_checkable
class TrackedPost(PostProvider, Protocol):
    """A printer that can be asked."""

    async def find(self, key: UUID) -> Delivery | None:
        """What was taken under this key, at whatever time. Raises Transient."""
        ...

    async def status(self, ref: str) -> PostStatus:
        """Raises Transient."""
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

    def waits(self, key: str) -> bool:
        """Whether the job is neither printed nor called back."""
        return not any((self.folder / f"{key}.{mark}").exists() for mark in ("printed", "recalled"))

    def _put(self, job: PostJob, pdf: bytes, key: UUID) -> None:
        put_once(self.folder / f"{key}.pdf", pdf)
        # The JSON comes last: with it the job is complete.
        put_once(self.folder / f"{key}.json", orjson.dumps(asdict(job)))

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Printing and calling back exclude each other: a letter is one or the other."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with (self.folder / ".lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)  # closing the file lets go
            yield

    def _call_back(self, sent_key: UUID) -> None:
        with self.locked():
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
