"""Does a case cost more when there are a million others? And does any hot query read a whole table?

`python -m bench.growth [--quick]`. Three databases that differ in size only, grown from the same
rows, which the engine wrote (bench/multiply.py). The operations take turns in all three; what is
compared are medians. Then every statement that the operations sent is explained on the largest
one. `--quick` goes to 100 thousand cases; the full run to a million (about 10 GB while it runs).
"""

from __future__ import annotations

import random
import secrets
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app import engine
from app.authorisation import Principal
from app.cases.queries import read_case_row
from app.cases.views import case_view
from app.clock import monotonic, wall_now
from app.crypto import load_keyring
from app.db import Database
from app.domain.case import Stage
from app.ids import new_id
from app.intake.schemas import CaseIn
from app.intake.service import file_case
from app.moment import Moment, read_moment
from app.search import queries as searching
from app.tasks import queries as tasks
from app.tasks.schemas import NextTaskIn
from app.tasks.service import next_task
from bench import here
from bench.filing import filing
from bench.multiply import multiply
from bench.plans import listened, whole_scans
from tests.support.cases import make_case

SIZES, QUICK_SIZES = (1_000, 100_000, 1_000_000), (1_000, 20_000, 100_000)
ROUNDS = 7
SWEEP_BATCH = 50
RATIO_MAX = 1.5
TIMEOUT_MS = 600_000
# What the seed holds, 50 cases: the numbers of copies follow from the size.
SEED: tuple[tuple[int, dict[str, Any]], ...] = (
    (8, {"stage": Stage.ASSESSMENT}),
    (25, {"stage": Stage.CONTACT, "letter": "delivered"}),
    (5, {"stage": Stage.FORMAL_NOTICE, "letter": "to_approve"}),
    (12, {"stage": Stage.CLOSED}),
)
SEEDED = sum(count for count, _ in SEED)


@dataclass
class Subject:
    """One database and what every operation took in it, in milliseconds."""

    size: int
    url: str
    database: Database
    due_from: datetime
    known: list[UUID] = field(default_factory=list)
    references: list[str] = field(default_factory=list)
    times: dict[str, list[float]] = field(default_factory=dict)


Work = Callable[[Subject], Awaitable[None]]


# What was said and offered on the cases: tables that are read with each case must not be empty.
_BESIDE = """
    WITH said AS (
        INSERT INTO messages (id, case_id, direction, channel, sender, from_address, to_address,
            subject, text, automatic, state, pen_reasons, received_at)
        SELECT gen_random_uuid(), id, 'in', 'email', 'company', 'a@b.test', 'c@d.test', 'Your mail',
            'We look into it.', false, 'read', '{}', opened_at FROM cases),
    asked AS (
        INSERT INTO questions (id, case_id, code, words, default_action, asked_at, asked_by,
            answer, answered_at, answered_by)
        SELECT gen_random_uuid(), id, 'other', 'When did you order?', 'go_on', opened_at, 'system',
            'In May.', opened_at, 'consumer' FROM cases)
    INSERT INTO offers (id, case_id, kind, state, amount_minor, currency, made_at, answer_by,
        in_full_settlement, words, answers, recorded_by)
    SELECT gen_random_uuid(), id, 'part', 'refused', 1000, 'EUR', opened_at, opened_at, true,
        'Ten euros.', '{}', 'system' FROM cases
"""


async def seed(url: str) -> None:
    database = Database(url, pool_size=2)
    try:
        for count, wish in SEED:
            for at in range(count):
                await make_case(
                    database, **wish, company_name=f"Company {wish['stage'].value} {at}",
                    names=(f"Person {wish['stage'].value}",),
                )  # fmt: skip
        async with database.transaction() as session:
            await session.execute(text(_BESIDE))
    finally:
        await database.close()


async def grown(url: str, size: int) -> Subject:
    """The seed multiplied to `size` cases; `due_from` is when the first ones fall due."""
    await multiply(url, size // SEEDED - 1)
    database = Database(url, pool_size=2, statement_timeout_ms=TIMEOUT_MS)
    async with database.read() as session:
        due = await session.scalar(
            text(
                "SELECT max(next_wake_at) FROM cases WHERE stage = 'contact'"
                " AND next_wake_at < (SELECT min(next_wake_at) + interval '20 days' FROM cases"
                " WHERE stage = 'contact')"
            )
        )
        found = (
            await session.execute(
                text(
                    "SELECT id, reference FROM cases WHERE stage <> 'closed'"
                    " ORDER BY md5(id::text) LIMIT 2000"
                )
            )
        ).all()
    subject = Subject(size, url, database, due + timedelta(minutes=1))
    subject.known = [row.id for row in found]
    subject.references = [row.reference for row in found]
    return subject


SENIOR = Principal("staff", UUID(int=1), frozenset({"senior"}))
APP = Principal("app", UUID(int=2), scopes=frozenset({"cases.write"}))


class Operations:
    """What people and workers do all day, without HTTP around it."""

    def __init__(self, where: here.Place) -> None:
        self.keyring = load_keyring(where.settings)
        self.dice = random.Random(7)

    def all(self) -> dict[str, tuple[int, Work]]:
        """How often per round, and what."""
        return {
            "file a case": (20, self.file),
            "read a case": (40, self.read),
            "queue page": (20, self.queue),
            "next task": (5, self.next),
            "search by reference": (10, self.by_reference),
            "search by name": (10, self.by_name),
            "search by company": (10, self.by_company),
            f"sweep {SWEEP_BATCH} due cases": (1, self.sweep),
        }

    async def file(self, at: Subject) -> None:
        body = CaseIn.model_validate(filing(booking_reference=f"ORDER-{secrets.token_hex(5)}"))
        async with at.database.transaction() as session:
            await file_case(session, body, APP, self.keyring)

    async def read(self, at: Subject) -> None:
        async with at.database.read() as session:
            case_view(await read_case_row(session, SENIOR, self.dice.choice(at.known)), SENIOR)

    async def queue(self, at: Subject) -> None:
        caller = Principal("staff", new_id(), frozenset({"handler"}))
        async with at.database.read() as session:
            page = (
                await session.execute(tasks.queue_page(caller, "all", after=None, limit=26))
            ).all()
            await tasks.show(
                session,
                caller,
                [row.id for row in page],
                now=wall_now(),
                scope=tasks.task_scope(caller),
            )

    async def next(self, at: Subject) -> None:
        caller = Principal("staff", new_id(), frozenset({"handler"}))
        async with at.database.transaction() as session:
            taken, _ = await next_task(session, caller, NextTaskIn(skip=[]))
            assert taken is not None, "the queue is not empty"

    async def by_reference(self, at: Subject) -> None:
        await self._search(at, self.dice.choice(at.references))

    async def by_name(self, at: Subject) -> None:
        """The beginning of a name that 11 to 111 people have, as many at every size."""
        await self._search(at, f"person contact {self.dice.randint(10, at.size // SEEDED - 1)}")

    async def by_company(self, at: Subject) -> None:
        await self._search(at, f"company contact {self.dice.randint(1, 2)}")

    async def _search(self, at: Subject, words: str) -> None:
        async with at.database.read() as session:
            hits = await searching.find(session, SENIOR, words, before=None, limit=25)
            ids = sorted(hits.by, reverse=True)[:25]
            await searching.show(session, SENIOR, hits, ids)

    async def sweep(self, at: Subject) -> None:
        async with at.database.transaction() as session:
            moved = await engine.sweep_due(
                session, limit=SWEEP_BATCH, moment=await moment_at(session, at.due_from)
            )
        assert len(moved) == SWEEP_BATCH, f"{len(moved)} cases were due"
        assert all(result.case is not None for result in moved), "a case was parked"


async def moment_at(session: AsyncSession, now: datetime) -> Moment:
    """The moment of the installation, moved: mail and bank were read, so nothing is held back."""
    return replace(await read_moment(session), now=now, mail_read_until=now, bank_read_until=now)


async def measure(where: here.Place, subjects: list[Subject]) -> None:
    works = Operations(where).all()
    for turn in range(ROUNDS + 1):  # the first one warms up, also the data in memory
        for name, (count, work) in works.items():
            for subject in subjects:
                spans = []
                for _ in range(count):
                    began = monotonic()
                    await work(subject)
                    spans.append((monotonic() - began) * 1000)
                if turn:
                    subject.times.setdefault(name, []).extend(spans)


async def _run(where: here.Place, urls: dict[int, str]) -> dict[str, Any]:
    subjects = []
    for size, url in urls.items():
        began = monotonic()
        subjects.append(await grown(url, size))
        print(f"  {size} cases made in {monotonic() - began:.0f} s", file=sys.stderr)
    try:
        await measure(where, subjects)
        largest = subjects[-1]
        with listened(largest.database) as heard:
            for _, work in Operations(where).all().values():
                await work(largest)
        whole = await whole_scans(largest.url, heard)
    finally:
        for subject in subjects:
            await subject.database.close()
    medians = {name: [here.median(s.times[name]) for s in subjects] for name in subjects[0].times}
    return {"sizes": list(urls), "medians": medians, "explained": len(heard), "whole": whole}


def main(quick: bool = False) -> dict[str, Any]:
    """`medians` by operation (ms, one per size), statements `explained`, tables read `whole`."""
    sizes = QUICK_SIZES if quick else SIZES
    with here.place("growth") as where:
        here.run(seed(where.database_url))
        with here.copies(where, [f"growth_{size}" for size in sizes]) as urls:
            return dict(here.run(_run(where, dict(zip(sizes, urls, strict=True)))))


def show(found: dict[str, Any]) -> None:
    sizes = found["sizes"]
    print(
        f"growth: medians in ms of {ROUNDS} interleaved rounds, one caller"
        f" (the largest against the smallest: at most {RATIO_MAX})"
    )
    print("  " + " " * 24 + "".join(f"{size:>12,}" for size in sizes) + "       ratio")
    for name, medians in found["medians"].items():
        figures = "".join(f"{ms:12.2f}" for ms in medians)
        print(f"  {name:24}{figures}{medians[-1] / medians[0]:12.2f}")
    print(
        f"  {found['explained']} statements explained at {sizes[-1]:,} cases,"
        f" {len(found['whole'])} read a growing table whole"
    )
    for line in found["whole"]:
        print(f"    {line}")


if __name__ == "__main__":
    show(main(quick="--quick" in sys.argv))
