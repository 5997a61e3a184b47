"""Raw HTTP against the real server: what a client library would never send (B041-B047)."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator

import pytest
import uvicorn
from fastapi import FastAPI

LINE = b"POST /v1/session/link HTTP/1.1\r\nHost: t\r\nContent-Type: application/json\r\n"
BODY = b'{"email": "a@b.fi"}'


@pytest.fixture
async def port(app: FastAPI) -> AsyncIterator[int]:
    """The application behind uvicorn as it is run: httptools, no server header."""
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    server = uvicorn.Server(
        uvicorn.Config(app, http="httptools", lifespan="off", log_config=None, server_header=False)
    )
    running = asyncio.create_task(server.serve(sockets=[listening]))
    while not server.started:  # noqa: ASYNC110  # uvicorn tells it by an attribute only
        await asyncio.sleep(0.01)
    yield int(listening.getsockname()[1])
    server.should_exit = True
    await running


async def ask(port: int, raw: bytes) -> bytes:
    """Sends these bytes and returns what comes back until the server closes or falls silent."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(raw)
    await writer.drain()
    received = b""
    try:
        while chunk := await asyncio.wait_for(reader.read(65_536), 1):
            received += chunk
    except TimeoutError:
        pass
    writer.close()
    return received


def statuses(received: bytes) -> list[int]:
    return [int(line.split(b" ")[1]) for line in received.split(b"\r\n") if line[:5] == b"HTTP/"]


@pytest.mark.parametrize(
    "framing",
    [
        b"Content-Length: 19\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"0\r\n\r\nGET /health HTTP/1.1\r\n\r\n",
        b"Content-Length: 19\r\nContent-Length: 4\r\n\r\n" + BODY,
        b"Transfer-Encoding: chunked\r\n\r\nzz\r\n" + BODY,
        b"Transfer-Encoding: chunked\r\n\r\n-1\r\n" + BODY,
        b"Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n" + BODY,
        b"Content-Length: x\r\n\r\n" + BODY,
        b"Content-Length : 19\r\n\r\n" + BODY,
        b"X-Nul: a\x00b\r\nContent-Length: 19\r\n\r\n" + BODY,
    ],
)
async def test_ambiguous_framing_is_refused_and_smuggles_nothing(port: int, framing: bytes) -> None:
    assert statuses(await ask(port, LINE + framing)) in ([400], [])


async def test_a_chunked_body_over_the_bound_is_cut_off(port: int) -> None:
    chunk = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
    received = await ask(port, LINE + b"Transfer-Encoding: chunked\r\n\r\n" + chunk * 40)
    assert statuses(received)[:1] == [413]


async def test_a_slow_body_holds_up_nobody_else(port: int) -> None:
    """B044: one caller sends a byte and waits; others are answered meanwhile."""
    _, slow = await asyncio.open_connection("127.0.0.1", port)
    slow.write(LINE + b"Content-Length: 19\r\n\r\n{")
    await slow.drain()
    received = await ask(port, b"GET /health HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n")
    assert statuses(received) == [200]
    slow.close()


@pytest.mark.parametrize(
    "request_line",
    [b"FOO /health HTTP/1.1", b"GET /health HTTP/9.9", b"\x16\x03\x01"],
)
async def test_a_broken_request_line_is_refused(port: int, request_line: bytes) -> None:
    received = await ask(port, request_line + b"\r\nHost: t\r\nConnection: close\r\n\r\n")
    assert statuses(received) in ([400], [405], [])


async def test_nothing_names_the_server_software(port: int) -> None:
    received = await ask(port, b"GET /health HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n")
    assert b"uvicorn" not in received.lower()
    assert b"\r\nserver:" not in received.lower()
