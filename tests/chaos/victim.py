"""The worker process that is killed: a real worker on a real event loop whose coroutine steps are
counted by a task factory. At step `kill_at` the process kills itself with SIGKILL."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import Coroutine, Generator
from contextlib import suppress
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import UUID

from app.authorisation.principal import Principal
from app.crypto import Keyring
from app.db import Database
from app.finance import bank_files
from app.finance.desk import open_desk
from app.logs import configure_logs
from app.settings import Settings
from tests.workers.stage import PlainRenderer
from workers.providers import Providers
from workers.providers.bank_files import BankFolder
from workers.providers.delivery import Delivery, Guard
from workers.providers.errors import OutcomeUnknown, Refused
from workers.providers.post import PostJob
from workers.providers.smtp import SmtpMail
from workers.worker import Worker, build_tools

KEY_WINDOW_SECONDS = 23 * 3600.0


class Counted(Coroutine[Any, Any, Any]):
    """A coroutine whose every step is counted."""

    def __init__(self, inner: Any, kill_at: int, steps: Any) -> None:
        self._inner, self._kill_at, self._steps = inner, kill_at, steps

    def send(self, value: Any) -> Any:
        self._steps.value += 1
        if self._steps.value == self._kill_at:
            os.kill(os.getpid(), signal.SIGKILL)
        return self._inner.send(value)

    def throw(self, *error: Any) -> Any:
        return self._inner.throw(*error)

    def close(self) -> None:
        self._inner.close()

    def __await__(self) -> Generator[Any, Any, Any]:
        return self  # type: ignore[return-value]  # only a task drives it


class RemotePrinter:
    """The printer of tests.chaos.outside, with its Idempotency-Key of 24 hours."""

    name = "remote_printer"
    key_window_seconds: float | None = KEY_WINDOW_SECONDS

    def __init__(self, port: int) -> None:
        self._port = port

    async def send(self, job: PostJob, pdf: bytes, *, key: UUID, guard: Guard) -> Delivery:
        guard()
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        body = sha256(repr(job).encode() + pdf).hexdigest()
        writer.write(json.dumps({"key": str(key), "body": body}).encode() + b"\n")
        await writer.drain()
        answer = await reader.readline()
        writer.close()
        if answer == b"409\n":
            raise Refused("409: this key was used with another body")
        if answer != b"200\n":
            raise OutcomeUnknown("no answer")
        return Delivery(self.name, str(key))

    async def recall(self, sent_key: UUID, *, key: UUID, guard: Guard) -> Delivery:
        raise Refused("not here")


async def import_answers(database: Database, keyring: Keyring, answers: Path, bank: Path) -> None:
    """Finance, by hand or by a timer: imports each statement of the bank once the bank has the
    file it answers, and again after a crash, because nobody knows whether the first import was
    written. The same calls as POST /v1/bank/statements."""
    finance = Principal("staff", UUID(int=7), frozenset({"finance"}))
    while True:
        for path in await asyncio.to_thread(_answered, answers, bank):
            raw = await asyncio.to_thread(path.read_bytes)
            await bank_files.keep_file(database, keyring, BytesIO(raw))
            async with database.transaction() as session:
                desk = await open_desk(session, finance)
                await bank_files.import_statement(desk, keyring, BytesIO(raw), after_gap=False)
            path.rename(path.with_suffix(".done"))
        await asyncio.sleep(0.05)


def _answered(answers: Path, bank: Path) -> list[Path]:
    """The bank's statements on files that it has."""
    return [p for p in sorted(answers.glob("*.xml")) if (bank / p.name).exists()]


def live(values: dict[str, Any], roles: tuple[str, ...], kill_at: int, steps: Any) -> None:
    """The whole life of one worker process."""
    configure_logs(level="error")
    settings = Settings(**values["settings"])
    providers = Providers(
        SmtpMail(settings), RemotePrinter(values["printer_port"]),
        BankFolder(Path(values["bank_folder"])),
    )  # fmt: skip

    async def main() -> None:
        loop = asyncio.get_running_loop()
        loop.set_task_factory(
            lambda at, coro, **kw: asyncio.Task(Counted(coro, kill_at, steps), loop=at, **kw)
        )
        worker = Worker(build_tools(settings, providers=providers, renderer=PlainRenderer()))
        async with asyncio.TaskGroup() as group:
            if "relay" in roles:
                for relay in worker.relays:
                    group.create_task(relay.run())
            if "sweep" in roles:
                group.create_task(worker.sweep.run())
            if "inbox" in roles:
                worker.mailbox.listening = True
                group.create_task(worker.inbox.run())
            if "finance" in roles:
                folders = Path(values["answers"]), Path(values["bank_folder"])
                group.create_task(
                    import_answers(worker.tools.database, worker.tools.keyring, *folders)
                )
            if "bus" in roles:
                group.create_task(worker.run())

    with suppress(KeyboardInterrupt):
        asyncio.run(main())
