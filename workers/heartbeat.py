"""Tells the supervisor that the event loop turns: one byte a second on a pipe it gave us."""

from __future__ import annotations

import asyncio
import os

PIPE_VARIABLE = "RECOURSE_HEARTBEAT_PIPE"
BEAT_SECONDS = 1.0


async def beat_forever() -> None:
    """Nothing to do without a supervisor."""
    pipe = os.environ.get(PIPE_VARIABLE)
    if pipe is None:
        return
    while True:
        try:
            os.write(int(pipe), b".")
        except BlockingIOError:
            pass  # it does not listen; that is its trouble
        except BrokenPipeError:
            return
        await asyncio.sleep(BEAT_SECONDS)
