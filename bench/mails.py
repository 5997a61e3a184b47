"""Mail coming in: whole mails a second on one core, the price of a bad one, a burst beside the API.

`python -m bench.mails`. A mail is 50 kB: words in text and HTML, the quoted letter below, a PDF.
*One core*: this process, the parsing child, PostgreSQL and Redis are bound to one processor (where
our own servers run; a server of someone else's stays where it is), and every mail is stored raw,
read, its file put away and filed to its case. The floor does the least that could be called
the same: one INSERT of the bytes with a commit and the standard library's parser, by itself.
*Cost*: the slowest shapes of mail we know, at doubling sizes; a linear one takes twice as long.
*Burst*: mails arrive all at once while somebody reads cases 20 times a second, before and during.
"""

from __future__ import annotations

import asyncio
import email
import email.policy
import os
import secrets
import sys
from base64 import encodebytes
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from typing import Any, Final

import asyncpg
from sqlalchemy import text

from app.clock import monotonic
from app.crypto import Keyring
from app.db import Database
from app.ids import new_id, new_reference
from bench import api, here
from bench.load import steady
from bench.many import multiply, one_case, onto_the_ladder
from ops.commands.serve import WORKER_MODULE
from ops.processes import Processes
from workers.inbox import Inbox, store_mail
from workers.mail import address_book
from workers.mime import MailReader, Unreadable
from workers.worker import build_tools

RATE_MIN: Final = 20.0  # mails a second on one core
SLOWER_MAX: Final = 1.2  # p95 of the API beside the burst, against p95 without
LINEAR_MAX: Final = 2.5  # time for twice the bytes; 2 is linear
CASES, MAILS, BURST = 200, 600, 10_000
MAIL_BYTES: Final = 50_000
PER_SECOND: Final = 20
CALM_SECONDS: Final = 30.0
STORERS: Final = 4
SIZES: Final = (100_000, 200_000, 400_000)
WORDS: Final = "We have received your letter about the booking and are looking into the matter. "
SHAPES: Final[dict[str, Callable[[int], bytes]]] = {
    "plain words": lambda n: _plain(WORDS * (n // len(WORDS))),
    "sums of money": lambda n: _plain("EUR 123,45 or 99.90 € " * (n // 22)),
    "one long line": lambda n: _plain("x" * n),
    "quotes in quotes": lambda n: _plain("".join(f"{'>' * (i % 40)} a\n" for i in range(n // 22))),
    "HTML left open in cells": lambda n: _plain("<div><table><tr><td></div>" * (n // 26), "html"),
    "HTML of open links": lambda n: _plain("<a><p>" * (n // 6), "html"),
    "nested HTML": lambda n: _plain("<div>" * (n // 11) + "a" + "</div>" * (n // 11), "html"),
    "many headers": lambda n: b"X-A: b\r\n" * (n // 8) + _plain("Hello."),
    "folded header": lambda n: b"X-A: b" + b"\r\n c" * (n // 4) + b"\r\n" + _plain("Hello."),
    "many parts": lambda n: _parts(n // 60),
    "base64": lambda n: _with_file("Hello.", secrets.token_bytes(n * 3 // 4)),
}


def _plain(words: str, subtype: str = "plain") -> bytes:
    head = f"From: a@company.test\nSubject: Re: RC\nContent-Type: text/{subtype}; charset=utf-8"
    return f"{head}\n\n{words}\n".replace("\n", "\r\n").encode()


def _parts(count: int) -> bytes:
    head = 'From: a@company.test\r\nContent-Type: multipart/mixed; boundary="b"\r\n\r\n'
    return (head + "--b\r\nContent-Type: text/plain\r\n\r\nword\r\n" * count + "--b--\r\n").encode()


def _with_file(words: str, data: bytes, *, to: str = "x@y.test") -> bytes:
    html = f"<html><body><p>{words}</p></body></html>"
    return (
        f"From: Claims <claims@company.test>\r\nTo: {to}\r\nSubject: Your claim\r\n"
        f"Message-ID: <{secrets.token_hex(12)}@company.test>\r\nMIME-Version: 1.0\r\n"
        'Content-Type: multipart/mixed; boundary="m"\r\n\r\n--m\r\n'
        'Content-Type: multipart/alternative; boundary="a"\r\n\r\n'
        f"--a\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{words}\r\n"
        f"--a\r\nContent-Type: text/html; charset=utf-8\r\n\r\n{html}\r\n--a--\r\n"
        "--m\r\nContent-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n"
        'Content-Disposition: attachment; filename="answer.pdf"\r\n\r\n'
    ).encode() + encodebytes(data) + b"--m--\r\n"  # fmt: skip


def usual_mail(to: str) -> bytes:
    """50 kB to this address, different from every other."""
    own = "Dear Sir or Madam,\r\n\r\n" + WORDS * 12 + "\r\n\r\nKind regards\r\nKim\r\n\r\n"
    quoted = "".join(f"> {WORDS}\r\n" for _ in range(60))
    body = own + "On Monday Recourse wrote:\r\n" + quoted
    room = (MAIL_BYTES - 2 * len(body)) * 70 // 100
    return _with_file(body, b"%PDF-1.7\n" + secrets.token_bytes(room), to=to)


@contextmanager
def one_core() -> Iterator[None]:
    """Whatever is started inside inherits it."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(before)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


async def _cases(where: here.Place, database: Database, keyring: Any) -> list[str]:
    """Cases on the ladder; their references."""
    first = await one_case(database, keyring)
    await onto_the_ladder(database, first)
    await multiply(where.settings.database_dsn, first, CASES - 1, later_from=1)
    references = []
    async with database.transaction() as session:
        await session.execute(text("DELETE FROM tasks"))
        for case_id in (await session.scalars(text("SELECT id FROM cases"))).all():
            references.append(new_reference())
            await session.execute(
                text("UPDATE cases SET reference = :r WHERE id = :id"),
                {"r": references[-1], "id": case_id},
            )
    return references


async def _store(database: Database, keyring: Keyring, to: str, raw: bytes) -> None:
    digest = sha256(raw).hexdigest()
    await store_mail(
        database, keyring, provider="smtp", external_id=digest, raw=raw, digest=digest,
        envelope_to=to,
        envelope_from="claims@company.test", row_id=new_id(),
    )  # fmt: skip


async def _on_one_core(where: here.Place, count: int) -> dict[str, float]:
    tools = build_tools(where.settings)
    database, reader = tools.database, MailReader()
    book = address_book(where.settings)
    references = await _cases(where, database, tools.keyring)
    addresses = [book.case_address(r) for r in references]
    mails = [(a, usual_mail(a)) for a in (addresses[i % CASES] for i in range(count))]
    inbox = Inbox(database, book, reader, 20.0, tools.store, tools.keyring)
    for to, raw in mails[:8]:  # a worker long at work has met its languages
        await _store(database, tools.keyring, to, raw)
    while await inbox.once():
        pass
    begun = monotonic()
    for to, raw in mails[8:]:
        await _store(database, tools.keyring, to, raw)
    stored = monotonic() - begun
    while await inbox.once():
        pass
    took = monotonic() - begun
    async with database.read() as session:
        left = await session.scalar(text("SELECT count(*) FROM inbound WHERE state = 'stored'"))
    assert left == 0 and inbox.filed == count, f"{inbox.filed} of {count} filed, {left} left"
    floor = await _floor(where, [raw for _, raw in mails[8:]])
    await reader.close()
    await database.close()
    per_second = (count - 8) / took
    return {
        "mails_per_s": per_second, "stored_per_s": (count - 8) / stored,
        "floor_per_s": floor, "ratio_floor": per_second / floor,
        "mail_bytes": sum(len(raw) for _, raw in mails) / count,
    }  # fmt: skip


async def _floor(where: here.Place, mails: list[bytes]) -> float:
    connection = await asyncpg.connect(where.settings.database_dsn)
    try:
        await connection.execute("CREATE TABLE bench_mails (raw bytea NOT NULL)")
        begun = monotonic()
        for raw in mails:
            await connection.execute("INSERT INTO bench_mails VALUES ($1)", raw)
            said = email.message_from_bytes(raw, policy=email.policy.default)
            for part in said.walk():
                if not part.is_multipart():
                    part.get_payload(decode=True)
        return len(mails) / (monotonic() - begun)
    finally:
        await connection.close()


async def _costs() -> dict[str, list[float]]:
    """Seconds by shape for each of SIZES, the best of three."""
    found: dict[str, list[float]] = {}
    refused: set[str] = set()
    reader = MailReader()
    await reader.read(usual_mail("x@y.test"))
    for name, make in SHAPES.items():
        found[name] = []
        for size in SIZES:
            raw, taken = make(size), []
            for _ in range(3):
                begun = monotonic()
                try:
                    await reader.read(raw)
                except Unreadable:  # over a limit: it costs what it cost until then
                    refused.add(name)
                taken.append(monotonic() - begun)
            found[name].append(min(taken))
    await reader.close()
    print("refused at some size:", ", ".join(sorted(refused)))
    return found


async def _burst(where: here.Place, port: int, count: int, worker: Callable[[], None]) -> Any:
    tools = build_tools(where.settings)
    database, book = tools.database, address_book(where.settings)
    references = await _cases(where, database, tools.keyring)
    token = (await here.new_staff(database, "senior"))[1]
    reading = api.get_case(port, token, await api.ids_of(database, "cases"))
    worker()
    await steady(here.HOST, port, reading.make, per_second=PER_SECOND, until=_after(5.0))
    calm = await steady(
        here.HOST, port, reading.make, per_second=PER_SECOND, until=_after(CALM_SECONDS)
    )
    drained = asyncio.Event()
    begun = monotonic()
    watch = asyncio.create_task(_arrive(database, tools.keyring, book, references, count, drained))
    busy = await steady(here.HOST, port, reading.make, per_second=PER_SECOND, until=drained.is_set)
    await watch
    took = monotonic() - begun
    await database.close()
    return {
        "calm_p95_ms": calm.p95_ms, "busy_p95_ms": busy.p95_ms, "burst_s": took,
        "burst_per_s": count / took, "burst_requests": busy.count,
        "slower": busy.p95_ms / calm.p95_ms,
    }  # fmt: skip


def _after(seconds: float) -> Callable[[], bool]:
    end = monotonic() + seconds
    return lambda: monotonic() >= end


async def _arrive(
    database: Database,
    keyring: Keyring,
    book: Any,
    references: list[str],
    count: int,
    drained: asyncio.Event,
) -> None:
    """All at once, by as many connections as a mail server would open; then waits for the end."""
    numbers = iter(range(count))

    async def storer() -> None:
        for n in numbers:
            to = book.case_address(references[n % len(references)])
            await _store(database, keyring, to, usual_mail(to))

    try:
        await asyncio.gather(*(storer() for _ in range(STORERS)))
        while True:
            async with database.read() as session:
                left = await session.scalar(
                    text("SELECT count(*) FROM inbound WHERE state = 'stored'")
                )
            if not left:
                return
            await asyncio.sleep(0.5)
    finally:
        drained.set()


def _beside_the_api(count: int) -> dict[str, float]:
    with (
        here.place("burst") as where,
        Processes(where.environment) as processes,
        here.serving(where, api="app.main:create_app") as ports,
    ):
        log = where.settings.data_dir / "logs" / "worker.log"

        def worker() -> None:
            processes.start("worker", WORKER_MODULE, log=log)

        found: dict[str, float] = here.run(_burst(where, ports["api"][0], count, worker))
    return found


def main(scale: float = 1.0) -> dict[str, float]:
    """`scale` 0.1 takes a tenth of the mails; returns figures by name."""
    with one_core(), here.place("mails") as where:
        figures: dict[str, float] = here.run(_on_one_core(where, max(40, int(MAILS * scale))))
    costs = here.run(_costs())
    for name, seconds in costs.items():
        shown = ", ".join(f"{s * 1000:.0f} ms" for s in seconds)
        print(f"{name:<20} {shown:<30} {seconds[-1] / seconds[-2]:.2f} for twice the bytes")
    figures["worst_doubling"] = max(s[-1] / s[-2] for s in costs.values() if s[-1] > 0.05)
    figures |= _beside_the_api(int(BURST * scale))
    for name, value in figures.items():
        print(f"{name:<28} {value:>12,.3f}")
    return figures


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 1.0)
