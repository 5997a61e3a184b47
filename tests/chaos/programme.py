"""Kill the worker at the n-th step of a pipeline, start it again, and see what the world got.

For every n: nothing lost, nothing doubled, everything settled or unknown within lease + 25 seconds.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import random
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import text

from app.audit_check import verify
from app.clock import monotonic
from app.db import Database
from app.reply_address import AddressBook
from app.settings import Settings
from tests.chaos.outside import Outside
from tests.chaos.victim import live

SETTLED_SECONDS = 25.0  # beyond the lease
LOOK_SECONDS = 0.02
AFTER_STEPS = 30  # steps counted beyond the last one of a whole run
_FORK = multiprocessing.get_context("forkserver")
_FORK.set_forkserver_preload(["tests.chaos.victim"])

# What will be tried again within seconds is not quiet. An order behind an unknown one of its lane
# waits for the person who settles that one.
_OPEN = text("""
    SELECT (SELECT count(*) FROM effects e WHERE case_id = :id AND (state = 'sending'
                OR (state = 'planned' AND not_before <= clock_timestamp()
                    + make_interval(secs => 5 + coalesce((SELECT seconds FROM clock_offset), 0))
                    AND NOT EXISTS (SELECT 1 FROM effects u WHERE u.stream = e.stream
                        AND u.lane = e.lane AND u.state = 'unknown' AND u.id < e.id))))
         + (SELECT count(*) FROM effects WHERE case_id IS NULL AND state IN ('sending', 'planned'))
""")
_DUE = text("""
    SELECT count(*) FROM cases WHERE id = :id AND next_wake_at <= clock_timestamp()
           + make_interval(secs => coalesce((SELECT seconds FROM clock_offset), 0))
""")
_UNSETTLED = text("SELECT count(*) FROM payout_batches WHERE state <> 'settled'")
_STORED = text("SELECT count(*) FROM inbound WHERE state = 'stored'")


@dataclass(frozen=True, slots=True)
class Subject:
    """What one trial is about. `effect_id` is set where there is no case."""

    case_id: UUID
    effect_id: UUID | None = None


@dataclass
class Lane:
    """A database with its own worker at a time."""

    database: Database
    settings: Settings
    outside: Outside
    bank_folder: Path
    companies: dict[str, UUID] = field(default_factory=dict)
    stack: AsyncExitStack = field(default_factory=AsyncExitStack)  # closed after the test
    office: Any = None  # the finance office of this installation, once a pipeline opened it

    @property
    def addresses(self) -> AddressBook:
        secret = self.settings.secret_key.get_secret_value()
        return AddressBook(secret, self.settings.mail_domain)

    @property
    def answers(self) -> Path:
        """Where the bank puts this installation's statements."""
        return self.bank_folder / "answers" / self.settings.database_url.rpartition("/")[2]

    def start(self, roles: tuple[str, ...], kill_at: int, steps: Any) -> Any:
        values = {
            "settings": self.settings.model_dump() | {
                "secret_key": self.settings.secret_key.get_secret_value(),
                "smtp_host": "127.0.0.1", "smtp_port": self.outside.smtp_port,
            },
            "printer_port": self.outside.printer_port, "bank_folder": str(self.bank_folder),
            "answers": str(self.answers),
        }  # fmt: skip
        child: Any = _FORK.Process(target=live, args=(values, roles, kill_at, steps), daemon=True)
        child.start()
        child.steps = steps  # kept alive until the child has opened it
        return child


@dataclass(frozen=True, slots=True)
class Pipeline:
    """`stage` makes the work, `waits` says what must become quiet, `check` names violations."""

    name: str
    roles: tuple[str, ...]
    stage: Callable[[Lane], Awaitable[Subject]]
    check: Callable[[Lane, Subject], Awaitable[list[str]]]
    waits: tuple[str, ...] = ("effects",)


@dataclass
class Tally:
    """The counts of one pipeline."""

    name: str
    kills: int = 0
    whole: int = 0  # runs that ended before their step came
    steps: int = 0
    unknown: int = 0
    slowest: float = 0.0
    violations: list[str] = field(default_factory=list)

    def line(self) -> str:
        return (
            f"{self.name:<16} {self.steps:>5} steps {self.kills:>5} kills {self.whole:>3} whole"
            f" {self.unknown:>4} unknown  slowest {self.slowest:5.2f} s"
            f"  lost or doubled: {len(self.violations)}"
        )


async def is_quiet(lane: Lane, pipeline: Pipeline, subject: Subject) -> bool:
    async with lane.database.read() as session:
        values = {"id": subject.case_id}
        if "inbox" in pipeline.waits and (await session.execute(_STORED)).scalar_one():
            return False
        if "bank" in pipeline.waits and (await session.execute(_UNSETTLED)).scalar_one():
            return False
        if "case" in pipeline.waits and (await session.execute(_DUE, values)).scalar_one():
            return False
        if "effects" in pipeline.waits:
            return not (await session.execute(_OPEN, values)).scalar_one()
        return True


async def wait_quiet(
    lane: Lane, pipeline: Pipeline, subject: Subject, child: Any, seconds: float
) -> bool:
    """True when it is quiet; False when the child died first or time is up."""
    give_up = monotonic() + seconds
    while monotonic() < give_up:
        if await is_quiet(lane, pipeline, subject):
            return True
        if not child.is_alive():
            return False
        await asyncio.sleep(LOOK_SECONDS)
    return False


def counter() -> Any:
    """A number that the worker process and we share: its steps so far."""
    return _FORK.Value("q", 0)


def kill(child: Any) -> None:
    child.kill()
    child.join()


async def count_steps(lane: Lane, pipeline: Pipeline) -> int:
    """How many steps the pipeline takes when nobody disturbs it."""
    subject = await pipeline.stage(lane)
    steps = counter()
    child = lane.start(pipeline.roles, 0, steps)
    try:
        limit = SETTLED_SECONDS + lane.settings.lease_seconds
        assert await wait_quiet(lane, pipeline, subject, child, limit), f"{pipeline.name} hangs"
        return int(steps.value)
    finally:
        kill(child)


async def trial(lane: Lane, pipeline: Pipeline, n: int, tally: Tally) -> None:
    """Kill at step n, start again, wait, look."""
    subject = await pipeline.stage(lane)
    limit = lane.settings.lease_seconds + SETTLED_SECONDS
    child = lane.start(pipeline.roles, n, counter())
    whole = await wait_quiet(lane, pipeline, subject, child, limit)
    if whole and child.is_alive():
        tally.whole += 1
        kill(child)
    else:
        child.join(5)
        tally.kills += 1
        started = monotonic()
        child = lane.start(pipeline.roles, 0, counter())
        settled = await wait_quiet(lane, pipeline, subject, child, limit)
        tally.slowest = max(tally.slowest, monotonic() - started)
        kill(child)
        if not settled:
            tally.violations.append(f"{pipeline.name} at {n}: not settled in {limit:.0f} s")
    await _look(lane, pipeline, subject, n, tally)


async def _look(lane: Lane, pipeline: Pipeline, subject: Subject, n: int, tally: Tally) -> None:
    found = await pipeline.check(lane, subject)
    found += await doubled(lane, subject)
    tally.violations += [f"{pipeline.name} at {n}: {what}" for what in found]
    async with lane.database.read() as session:
        unknown = await session.execute(
            text("SELECT count(*) FROM effects WHERE case_id = :id AND state = 'unknown'"),
            {"id": subject.case_id},
        )
        tally.unknown += int(unknown.scalar_one())


async def doubled(lane: Lane, subject: Subject) -> list[str]:
    """Every mail and print of this case at most once, and once where the journal says done."""
    async with lane.database.read() as session:
        rows = list(await session.execute(
            text("SELECT id, kind, state, provider, provider_ref FROM effects WHERE case_id = :id"),
            {"id": subject.case_id},
        ))  # fmt: skip
    wrong = []
    for row in rows:
        mails = lane.outside.mails[lane.addresses.message_id(row.id)]
        prints = lane.outside.printed[str(row.id)]
        if mails + prints > 1:
            wrong.append(f"{row.kind} went out {mails + prints} times")
        if (
            row.state == "done"
            and row.provider in ("smtp", "remote_printer")
            and mails + prints != 1
        ):
            wrong.append(f"{row.kind} is done but went out {mails + prints} times")
        if row.state in ("superseded", "planned") and mails + prints:
            wrong.append(f"{row.kind} is {row.state} but went out")
    return wrong


async def run_pipeline(
    lanes: list[Lane],
    pipeline: Pipeline,
    *,
    sample: int | None = None,
    seed: str = "",
) -> Tally:
    """Every step, or a sample of them by seed, shared out over the lanes."""
    tally = Tally(pipeline.name)
    tally.steps = await count_steps(lanes[0], pipeline)
    points = list(range(1, tally.steps + AFTER_STEPS))
    if sample is not None:
        points = random.Random(seed + pipeline.name).sample(range(2, tally.steps), sample)
    todo = iter(points)

    async def work(lane: Lane) -> None:
        for n in todo:
            await trial(lane, pipeline, n, tally)

    await asyncio.gather(*(work(lane) for lane in lanes))
    for lane in lanes:
        tally.violations += await broken_history(lane)
    return tally


async def broken_history(lane: Lane) -> list[str]:
    """The chains of all cases, read from the first entry to the head."""
    async with lane.database.read() as session:
        report = await verify(session)
    return [str(finding) for finding in report.findings]
