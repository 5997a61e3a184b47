"""The outside world of the crash programme, in a process that is never killed: a mail server and a
printer with keys. They count what reached them, in memory and in a file."""

from __future__ import annotations

import asyncio
import json
import re
import threading
from collections import Counter
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP

_MESSAGE_ID = re.compile(rb"(?im)^message-id:\s*(<[^>]+>)")


class Outside:
    """Runs its own event loop in a thread; ports are known after `start`."""

    def __init__(self, log: Path) -> None:
        self.mails: Counter[str] = Counter()
        self.printed: Counter[str] = Counter()
        self._answers: dict[str, str] = {}  # key -> hash of the body it was used with
        self._log = log.open("a")
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self.smtp_port = 0
        self.printer_port = 0

    def start(self) -> None:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._open(), self._loop).result(10)

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._log.close()

    async def _open(self) -> None:
        loop = asyncio.get_running_loop()
        mail = await loop.create_server(lambda: SMTP(self, loop=loop), "127.0.0.1", 0)
        printer = await asyncio.start_server(self._print, "127.0.0.1", 0)
        self.smtp_port = mail.sockets[0].getsockname()[1]
        self.printer_port = printer.sockets[0].getsockname()[1]

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        found = _MESSAGE_ID.search(envelope.original_content)
        name = found[1].decode() if found else "?"
        self.mails[name] += 1
        self._note("mail", name)
        return "250 ok"

    async def _print(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One JSON line in, one out: the same key repeats its answer, other bytes are refused."""
        line = await reader.readline()
        if line.endswith(b"\n"):
            asked = json.loads(line)
            known = self._answers.setdefault(asked["key"], asked["body"])
            if known != asked["body"]:
                answer = "409"
            else:
                answer = "200"
                if self.printed[asked["key"]] == 0:
                    self.printed[asked["key"]] += 1
                    self._note("print", asked["key"])
            writer.write(answer.encode() + b"\n")
        writer.close()

    def _note(self, what: str, name: str) -> None:
        self._log.write(f"{what} {name}\n")
        self._log.flush()
