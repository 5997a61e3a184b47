"""A fake IMAP server that keeps the rules a reading client sees (RFC 3501): UIDs that only grow,
UIDVALIDITY, literals of the announced size. It can fail on purpose."""

from __future__ import annotations

import asyncio
import re
from contextlib import suppress
from dataclasses import dataclass, field

PASSWORD = "open-sesame-now"  # of the fake alone
_PART = re.compile(rb"\(UID BODY\.PEEK\[\]<0\.(\d+)>\)")


@dataclass
class FakeImap:
    """`mails` by UID. `drop_in_fetch_of`: the connection breaks inside that mail's bytes, once."""

    mails: dict[int, bytes] = field(default_factory=dict)
    uid_validity: int = 7
    drop_in_fetch_of: int | None = None
    gone: set[int] = field(default_factory=set)
    writes: list[bytes] = field(default_factory=list)
    fetched: list[int] = field(default_factory=list)
    announces: int | None = None  # a length that is a lie
    port: int = 0

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        self._server.close()
        await self._server.wait_closed()

    def put(self, raw: bytes) -> int:
        uid = max(self.mails, default=0) + 1
        self.mails[uid] = raw
        return uid

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"* OK [CAPABILITY IMAP4rev1] ready\r\n")
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            while line := await reader.readline():
                tag, _, command = line.strip().partition(b" ")
                if not await self._answer(tag, command, writer):
                    break
                await writer.drain()
        writer.close()

    async def _answer(self, tag: bytes, command: bytes, writer: asyncio.StreamWriter) -> bool:
        word, _, rest = command.partition(b" ")
        match word.upper():
            case b"CAPABILITY":
                writer.write(b"* CAPABILITY IMAP4rev1\r\n" + tag + b" OK done\r\n")
            case b"LOGIN":
                good = rest.replace(b'"', b"") == f"reader {PASSWORD}".encode()
                writer.write(tag + (b" OK welcome\r\n" if good else b" NO wrong\r\n"))
            case b"EXAMINE":
                writer.write(
                    f"* {len(self.mails)} EXISTS\r\n* OK [UIDVALIDITY {self.uid_validity}] ok\r\n"
                    .encode() + tag + b" OK [READ-ONLY] open\r\n"
                )  # fmt: skip
            case b"UID":
                return self._uid(tag, rest, writer)
            case b"LOGOUT":
                writer.write(b"* BYE\r\n" + tag + b" OK bye\r\n")
                return False
            case _:
                self.writes.append(command)
                writer.write(tag + b" BAD not here\r\n")
        return True

    def _uid(self, tag: bytes, rest: bytes, writer: asyncio.StreamWriter) -> bool:
        word, _, what = rest.partition(b" ")
        if word == b"SEARCH" and what.startswith(b"HEADER Message-ID "):
            wanted_id = what.split(b" ", 2)[2].strip(b'"')
            hits = [u for u, raw in self.mails.items() if b"Message-ID: " + wanted_id in raw]
            numbers = " ".join(map(str, hits)).encode()
            writer.write(b"* SEARCH " + numbers + b"\r\n" + tag + b" OK done\r\n")
            return True
        if word == b"SEARCH":
            first = int(what.split()[1].split(b":")[0])
            last = max(self.mails, default=0)  # `n:*` always names the newest
            found = [u for u in self.mails if u >= first or u == last]
            numbers = " ".join(map(str, found)).encode()
            writer.write(b"* SEARCH " + numbers + b"\r\n" + tag + b" OK done\r\n")
            return True
        number, _, parts = what.partition(b" ")
        uid, wanted = int(number), _PART.fullmatch(parts)
        if word != b"FETCH" or wanted is None:
            self.writes.append(rest)
            writer.write(tag + b" BAD not here\r\n")
            return True
        self.fetched.append(uid)
        if uid not in self.gone:
            raw = self.mails[uid][: int(wanted[1])]
            length = self.announces or len(raw)
            writer.write(f"* {uid} FETCH (UID {uid} BODY[]<0> {{{length}}}\r\n".encode())
            if self.drop_in_fetch_of == uid:
                self.drop_in_fetch_of = None
                writer.write(raw[: len(raw) // 2])
                return False
            writer.write(raw + b")\r\n")
        writer.write(tag + b" OK done\r\n")
        return True
