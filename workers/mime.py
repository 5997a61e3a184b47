"""Asks the parsing child what a mail says; kills it when it takes too long."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from app.correspondence.raw import MAIL_BYTES_MAX

ROOT = Path(__file__).resolve().parent.parent
MAIL_SECONDS_MAX = 5.0
ANSWER_BYTES_MAX = 4 * 1024 * 1024
MAILS_PER_CHILD = 200  # then a fresh one: its processor budget is for its whole life
LENGTH_BYTES = 4
# Isolated: nothing but this folder and the installed libraries can be imported.
CHILD = "import sys; sys.path.insert(0, sys.argv[1]); from workers.mime_child import main; main()"


class Unreadable(Exception):
    """The child could not, or would not, read this mail. `cause` is a code."""

    def __init__(self, cause: str) -> None:
        super().__init__(cause)
        self.cause = cause


@dataclass(frozen=True, slots=True)
class ReadMail:
    """What a mail says. `sender` is None when it cannot be trusted to be one address (`doubt`);
    `attachments` have name, type (the sender's words) and data."""

    sender: str | None
    doubt: str | None
    to: list[str]
    subject: str
    message_id: str
    in_reply_to: list[str]
    references: list[str]
    automatic: bool
    report: dict[str, Any] | None
    text: str
    attachments: list[dict[str, Any]] = field(default_factory=list)
    reading: dict[str, Any] = field(default_factory=dict)
    case_reference: str | None = None
    froms: list[str] = field(default_factory=list)
    results: list[str] = field(default_factory=list)
    alerts: list[str] = field(default_factory=list)
    html: str | None = None
    inner: list[dict[str, Any]] = field(default_factory=list)


class MailReader:
    """One child at a time; a new one after it died or was killed."""

    def __init__(self) -> None:
        self._child: asyncio.subprocess.Process | None = None
        self._read = 0
        self._turn = asyncio.Lock()

    async def read(self, raw: bytes) -> ReadMail:
        """Raises Unreadable."""
        if len(raw) > MAIL_BYTES_MAX:
            raise Unreadable("over the limit: size")
        async with self._turn:
            try:
                async with asyncio.timeout(MAIL_SECONDS_MAX):
                    answer = await self._ask(raw)
            except TimeoutError:
                await self.close()
                raise Unreadable("took too long") from None
            except (EOFError, OSError, ValueError):
                await self.close()
                raise Unreadable("the parser died") from None
            except BaseException:
                await self.close()  # cancelled midway: its answer would be the next mail's
                raise
        if "refused" in answer:
            raise Unreadable(str(answer["refused"]))
        return ReadMail(**answer)

    async def _ask(self, raw: bytes) -> dict[str, Any]:
        child = await self._take()
        assert child.stdin is not None and child.stdout is not None
        child.stdin.write(len(raw).to_bytes(LENGTH_BYTES, "big") + raw)
        await child.stdin.drain()
        head = await child.stdout.readexactly(LENGTH_BYTES)
        length = int.from_bytes(head, "big")
        if length > ANSWER_BYTES_MAX:
            raise ValueError("an answer of impossible length")
        answer: dict[str, Any] = json.loads(await child.stdout.readexactly(length))
        attachments = answer.get("attachments", ())
        if sum(one["bytes"] for one in attachments) > MAIL_BYTES_MAX:
            raise ValueError("more files than the mail can hold")
        for one in attachments:
            one["data"] = await child.stdout.readexactly(one["bytes"])
        return answer

    async def _take(self) -> asyncio.subprocess.Process:
        if self._child is not None and self._read >= MAILS_PER_CHILD:
            await self.close()
        if self._child is None or self._child.returncode is not None:
            self._read = 0
            # No secrets in the child's environment: it reads what strangers wrote.
            environment = {k: os.environ[k] for k in ("PATH", "LANG") if k in os.environ}
            self._child = await asyncio.create_subprocess_exec(
                sys.executable, "-I", "-c", CHILD, str(ROOT), env=environment,
                stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
            )  # fmt: skip
        self._read += 1
        return self._child

    async def close(self) -> None:
        child, self._child = self._child, None
        if child is not None:
            with contextlib.suppress(ProcessLookupError):
                child.kill()
            await child.wait()
