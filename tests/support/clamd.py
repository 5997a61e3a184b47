"""A fake clamd for tests. It keeps the protocol of the real one (INSTREAM with lengths, a limit of
size after which it hangs up, one answer ending in NUL) and knows one virus: the EICAR test file."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

EICAR = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"


async def _serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, limit: int) -> None:
    try:
        command = await reader.readuntil(b"\0")
        if command != b"zINSTREAM\0":
            writer.write(b"UNKNOWN COMMAND\0")
            return
        data = b""
        while length := struct.unpack(">I", await reader.readexactly(4))[0]:
            if len(data) + length > limit:
                writer.write(b"INSTREAM size limit exceeded. ERROR\0")
                return
            data += await reader.readexactly(length)
        writer.write(b"stream: Eicar-Test-Signature FOUND\0" if EICAR in data else b"stream: OK\0")
    except asyncio.IncompleteReadError:
        return
    finally:
        writer.close()


@asynccontextmanager
async def fake_clamd(limit: int = 25 * 1024 * 1024) -> AsyncIterator[str]:
    """Its address while it runs."""
    server = await asyncio.start_server(lambda r, w: _serve(r, w, limit), "127.0.0.1", 0)
    try:
        yield f"tcp://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
