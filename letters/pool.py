"""Renders letters in child processes: `await RenderPool().render(to_dict(letter))`.

A child that dies, hangs, or passes its memory or processor limit costs one job its life
(`RenderFailed`) and is replaced; the others and the caller's event loop do not notice. This
module never loads the PDF engine.
"""

import asyncio
import contextlib
import os
import signal
import sys
from pathlib import Path
from typing import Any, Final

from letters import errors, limits, wire
from letters.rendered import RenderedLetter

ROOT: Final = Path(__file__).resolve().parent.parent
# What the loader and fontconfig may need. Secrets of the caller's environment stay outside.
KEPT_ENVIRONMENT: Final = (
    "PATH",
    "LANG",
    "LC_ALL",
    "LD_LIBRARY_PATH",
    "XDG_CACHE_HOME",
    "HOME",
    "VIRTUAL_ENV",
)
STDERR_TAIL_BYTES: Final = 4_000
MEMORY_EXIT: Final = 77  # as in letters.child; a child that noticed its memory limit itself
# What native libraries say when they abort for want of memory. One that crashes without a word,
# and a child that the kernel's own killer picked, count as `died`.
MEMORY_WORDS: Final = (
    b"MemoryError",
    b"failed to allocate",
    b"out of memory",
    b"bad_alloc",
    b"Cannot allocate memory",
)


class _Child:
    """One child process and its pipes."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self._stderr = bytearray()
        self._drain = asyncio.create_task(self._read_stderr())

    @classmethod
    async def start(cls, memory_bytes: int, cpu_seconds: int) -> "_Child":
        environment = {key: os.environ[key] for key in KEPT_ENVIRONMENT if key in os.environ}
        environment |= {"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "letters.child",
            str(os.getpid()),
            str(memory_bytes),
            str(cpu_seconds),
            cwd=ROOT,
            env=environment,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        child = cls(process)
        try:
            async with asyncio.timeout(limits.START_SECONDS_MAX):
                await child._read()
        except (TimeoutError, EOFError, ConnectionError, wire.BadFrame) as reason:
            await child.kill()
            raise errors.RenderFailed("died", f"at its start: {child.last_words()}") from reason
        except BaseException:
            await child.kill()
            raise
        return child

    @property
    def alive(self) -> bool:
        return self.process.returncode is None

    async def ask(self, message: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
        assert self.process.stdin is not None, "the child was started with a pipe"
        self.process.stdin.write(wire.frame(message))
        await self.process.stdin.drain()
        return await self._read()

    async def _read(self) -> tuple[dict[str, Any], bytes]:
        stdout = self.process.stdout
        assert stdout is not None, "the child was started with a pipe"
        head = await stdout.readexactly(wire.LENGTH_BYTES)
        reply, tail = wire.message_of(await stdout.readexactly(wire.frame_length(head)))
        return reply, await stdout.readexactly(tail)

    async def _read_stderr(self) -> None:
        assert self.process.stderr is not None, "the child was started with a pipe"
        while piece := await self.process.stderr.read(STDERR_TAIL_BYTES):
            self._stderr += piece
            del self._stderr[:-STDERR_TAIL_BYTES]

    def last_words(self) -> str:
        """The last line the child wrote to standard error; it may name code, never content."""
        lines = bytes(self._stderr).decode(errors="replace").strip().splitlines()
        return lines[-1][:300] if lines else f"exit status {self.process.returncode}"

    async def kill(self) -> None:
        """Ends the child whatever it does, and reaps it."""
        with contextlib.suppress(ProcessLookupError):
            self.process.kill()
        await self.process.wait()
        await self._drain

    async def cause_of_death(self) -> errors.RenderFailed:
        """After the pipe broke: why."""
        try:
            async with asyncio.timeout(1):
                status = await self.process.wait()
        except TimeoutError:
            await self.kill()
            return errors.RenderFailed("died", "it closed its pipe")
        await self._drain
        if status == -signal.SIGXCPU:
            return errors.RenderFailed("cpu")
        if status == MEMORY_EXIT or any(word in self._stderr for word in MEMORY_WORDS):
            return errors.RenderFailed("memory")
        if status > 0:
            return errors.RenderFailed("error", self.last_words())
        return errors.RenderFailed("died", f"signal {-status}")


class RenderPool:
    """Up to `size` render children, started when first needed and kept warm.

    `cpu_seconds` and `memory_bytes` bound one letter, `wall_seconds` is the longest a caller
    waits for a child that has taken the job. Belongs to one event loop.
    """

    def __init__(
        self,
        size: int = 1,
        *,
        cpu_seconds: int = limits.CPU_SECONDS_MAX,
        memory_bytes: int = limits.MEMORY_BYTES_MAX,
        wall_seconds: float = limits.WALL_SECONDS_MAX,
    ) -> None:
        self._cpu_seconds = cpu_seconds
        self._memory_bytes = memory_bytes
        self._wall_seconds = wall_seconds
        self._places = asyncio.Semaphore(size)
        self._idle: list[_Child] = []
        self._all: set[_Child] = set()
        self._closed = False

    async def __aenter__(self) -> "RenderPool":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    @property
    def pids(self) -> tuple[int, ...]:
        """Process ids of the children that are alive."""
        return tuple(child.process.pid for child in self._all if child.alive)

    async def warm_up(self) -> None:
        """Starts one child ahead of the first letter."""
        async with self._places:
            self._idle.append(await self._take())

    async def render(self, content: dict[str, Any]) -> RenderedLetter:
        """The PDF of a letter as `letters.content.to_dict` gives it.

        Raises the refusals of `letters.errors` (`LetterIncomplete`, `LetterUnprintable`, ...),
        or `RenderFailed` when the child did not deliver.
        """
        async with self._places:
            child = await self._take()
            try:
                async with asyncio.timeout(self._wall_seconds):
                    reply, pdf = await child.ask({"content": content})
            except TimeoutError as reason:
                await self._drop(child)
                raise errors.RenderFailed("timeout") from reason
            except (EOFError, ConnectionError, wire.BadFrame) as reason:
                failure = await child.cause_of_death()
                await self._drop(child)
                raise (errors.RenderFailed("closed") if self._closed else failure) from reason
            except BaseException:
                # Cancelled in mid-job: the child's answer would go to the next caller.
                await self._drop(child)
                raise
            self._idle.append(child)
        if "error" in reply:
            raise _refusal(reply)
        return RenderedLetter(pdf=pdf, sha256=reply["sha256"], pages=reply["pages"])

    async def close(self) -> None:
        """Ends all children; letters in work fail with `RenderFailed('closed')`."""
        self._closed = True
        for child in tuple(self._all):
            await self._drop(child)
        self._idle.clear()

    async def _take(self) -> _Child:
        if self._closed:
            raise errors.RenderFailed("closed")
        while self._idle:
            child = self._idle.pop()
            if child.alive:
                return child
            await self._drop(child)
        child = await _Child.start(self._memory_bytes, self._cpu_seconds)
        self._all.add(child)
        return child

    async def _drop(self, child: _Child) -> None:
        self._all.discard(child)
        await child.kill()


def _refusal(reply: dict[str, Any]) -> errors.LetterError:
    """The child's refusal as the same error here."""
    kinds = {
        kind.__name__: kind
        for kind in (
            errors.LetterIncomplete,
            errors.LetterInvalid,
            errors.LetterTooLarge,
            errors.LetterUnprintable,
            errors.UnknownLetter,
            errors.BadDocument,
            errors.RenderFailed,
        )
    }
    refusal: errors.LetterError = kinds[reply["error"]](**reply["fields"])
    return refusal
