"""The virus scanner: clamd's INSTREAM command, over TCP or a Unix socket.

Protocol (clamd(8), "INSTREAM"): `zINSTREAM\\0`, then chunks of a 4-byte big-endian length and so
many bytes, a length of zero at the end; one answer ending in NUL: `stream: OK`,
`stream: <name> FOUND`, or an ERROR such as `INSTREAM size limit exceeded. ERROR`.
"""

from __future__ import annotations

import asyncio
import struct
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

CHUNK_BYTES = 64 * 1024
ANSWER_BYTES_MAX = 4_096
SECONDS_MAX = 60.0  # of one file, all told
NAME_CHARS_MAX = 200


class ScannerAway(Exception):
    """It could not look; the file stays where it is."""


class Scanner(Protocol):
    async def scan(self, data: bytes) -> str | None:
        """None when nothing was found, else what it is called. Raises ScannerAway."""
        ...


@dataclass(frozen=True, slots=True)
class Clamd:
    """`address`: tcp://host:port or unix:///path."""

    address: str

    async def scan(self, data: bytes) -> str | None:
        try:
            async with asyncio.timeout(SECONDS_MAX):
                answer = await self._ask(data)
        except (OSError, TimeoutError, EOFError) as trouble:
            raise ScannerAway(type(trouble).__name__) from trouble
        return _verdict(answer)

    async def _ask(self, data: bytes) -> bytes:
        reader, writer = await self._connect()
        try:
            try:
                writer.write(b"zINSTREAM\0")
                for at in range(0, len(data), CHUNK_BYTES):
                    piece = data[at : at + CHUNK_BYTES]
                    writer.write(struct.pack(">I", len(piece)) + piece)
                    await writer.drain()
                writer.write(struct.pack(">I", 0))
                await writer.drain()
            except ConnectionError:  # it says why it hangs up: over its size limit
                pass
            return await reader.read(ANSWER_BYTES_MAX)
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self.address.startswith("unix://"):
            return await asyncio.open_unix_connection(self.address.removeprefix("unix://"))
        host, _, port = self.address.removeprefix("tcp://").rpartition(":")
        return await asyncio.open_connection(host, int(port))


def _verdict(answer: bytes) -> str | None:
    """Only the two answers that say so are believed."""
    said = answer.rstrip(b"\0\n").decode("utf-8", "replace")
    if said == "stream: OK":
        return None
    if said.startswith("stream: ") and said.endswith(" FOUND"):
        return said.removeprefix("stream: ").removesuffix(" FOUND")[:NAME_CHARS_MAX]
    raise ScannerAway(said[:NAME_CHARS_MAX] or "it hung up")
