"""A loop that looks for due work: at once while there is more, else after a pause or a nudge."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field

import structlog

from workers.trouble import passes

log = structlog.get_logger(__name__)
TROUBLE_PAUSE_SECONDS = 1.0  # after the database was away, or after a bug of ours


@dataclass
class Loop:
    """`once` does one bounded portion and says whether there may be more."""

    name: str
    once: Callable[[], Awaitable[bool]]
    pause_seconds: float
    wake: asyncio.Event = field(default_factory=asyncio.Event)

    def nudge(self) -> None:
        self.wake.set()

    async def run(self) -> None:
        while True:
            self.wake.clear()
            pause = self.pause_seconds
            try:
                if await self.once():
                    continue
            # The other loops of this worker must go on whatever this portion ran into.
            except Exception as failure:
                if passes(failure):
                    log.warning("loop_database_away", job=self.name, error=type(failure).__name__)
                else:
                    log.exception("loop_failed", job=self.name)
                pause = min(TROUBLE_PAUSE_SECONDS, self.pause_seconds)
            with suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self.wake.wait()
