"""A small HTTP load client: keep-alive connections, raw sockets, nothing between us and the server.

It shares the machine with the server under test, as every client here does; so only ratios between
two targets driven by the same client in the same run mean anything.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from app.clock import monotonic

RequestMaker = Callable[[int], bytes]
HEADERS_BYTES_MAX = 65_536


@dataclass(frozen=True, slots=True)
class Load:
    """What one run measured: requests per second and latencies in milliseconds."""

    per_second: float
    p50_ms: float
    p99_ms: float
    count: int
    statuses: dict[int, int]
    p95_ms: float = 0.0


def request_bytes(
    method: str, path: str, *, host: str, headers: dict[str, str], body: bytes = b""
) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", f"Host: {host}", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


async def drive(host: str, port: int, make: RequestMaker, *, clients: int, seconds: float) -> Load:
    """`clients` connections, each sending its next request when the answer is there."""
    spans: list[float] = []
    statuses: dict[int, int] = {}
    until = monotonic() + seconds
    counter = iter(range(10**9))

    async def one() -> None:
        reader, writer = await asyncio.open_connection(host, port, limit=HEADERS_BYTES_MAX)
        try:
            while monotonic() < until:
                begun = monotonic()
                writer.write(make(next(counter)))
                status = await _answer(reader)
                spans.append(monotonic() - begun)
                statuses[status] = statuses.get(status, 0) + 1
        finally:
            writer.close()

    begun = monotonic()
    await asyncio.gather(*(one() for _ in range(clients)))
    took = monotonic() - begun
    spans.sort()
    return Load(
        per_second=len(spans) / took,
        p50_ms=_quantile(spans, 50),
        p99_ms=_quantile(spans, 99),
        count=len(spans),
        statuses=statuses,
    )


async def steady(
    host: str, port: int, make: RequestMaker, *, per_second: int, until: Callable[[], bool]
) -> Load:
    """Requests at fixed moments until `until` says so, however slow the answers are; a span counts
    from the moment a request was due, so that waiting behind a slow one is counted too."""
    spans: list[float] = []
    statuses: dict[int, int] = {}
    idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def one(n: int, due: float) -> None:
        pair = idle.pop() if idle else await asyncio.open_connection(
            host, port, limit=HEADERS_BYTES_MAX
        )  # fmt: skip
        pair[1].write(make(n))
        status = await _answer(pair[0])
        spans.append(monotonic() - due)
        statuses[status] = statuses.get(status, 0) + 1
        idle.append(pair)

    begun, n = monotonic(), 0
    async with asyncio.TaskGroup() as flying:
        while not until():
            due = begun + n / per_second
            await asyncio.sleep(max(0.0, due - monotonic()))
            flying.create_task(one(n, due))
            n += 1
    for _, writer in idle:
        writer.close()
    took = monotonic() - begun
    spans.sort()
    p50, p95, p99 = (_quantile(spans, percent) for percent in (50, 95, 99))
    return Load(len(spans) / took, p50, p99, len(spans), statuses, p95)


def _quantile(spans: list[float], percent: int) -> float:
    return spans[min(len(spans) - 1, len(spans) * percent // 100)] * 1000 if spans else 0.0


async def _answer(reader: asyncio.StreamReader) -> int:
    head = await reader.readuntil(b"\r\n\r\n")
    status = int(head[9:12])
    lowered = head.lower()
    at = lowered.find(b"content-length:")
    assert at >= 0, "the server answers with a Content-Length"
    length = int(lowered[at + 15 : lowered.index(b"\r\n", at)])
    if length:
        await reader.readexactly(length)
    return status
