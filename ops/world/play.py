"""Puts a world together and plays it: database, API address and mail ports in, an end table out."""

from __future__ import annotations

import asyncio
import contextlib
import random
import shutil
from collections.abc import AsyncIterator, Callable, Collection
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

import httpx

from app.settings import Settings
from letters.pool import RenderPool
from ops.first_admin import invite_first_admin
from ops.moving_clock import MovingClock
from ops.world import agency, finance
from ops.world.bank import Bank
from ops.world.catcher import Catcher
from ops.world.director import Director
from ops.world.door import CALL_SECONDS_MAX, Door
from ops.world.report import Outcome, outcomes
from ops.world.stories import Book, Story, load_book
from ops.world.tale import Tale, World
from workers.worker import Worker, build_tools

BEGINS_AT = time(7, 0)  # UTC, on the first working day from the book's `today` on


@dataclass(frozen=True)
class Played:
    """What a play leaves: the world with its people, and how each story ended."""

    world: World
    outcomes: list[Outcome]
    stops: int
    ended: datetime

    @property
    def ok(self) -> bool:
        return not self.world.trouble and all(outcome.ok for outcome in self.outcomes)


def chosen(book: Book, names: Collection[str]) -> list[Story]:
    """The stories to play, with those they point at; all when none is named."""
    wanted = set(names) or {s.id for s in book.stories}
    unknown = wanted - {s.id for s in book.stories}
    if unknown:
        raise ValueError(f"there is no story {', '.join(sorted(unknown))}")
    wanted |= {s.duplicate.of for s in book.stories if s.id in wanted and s.duplicate}
    return [s for s in book.stories if s.id in wanted]


@contextlib.asynccontextmanager
async def open_world(
    settings: Settings,
    base_url: str,
    catcher: Catcher,
    *,
    seed: int = 1,
    stories: Collection[str] = (),
) -> AsyncIterator[World]:
    """A world over a migrated, empty installation whose API answers at `base_url`.

    `catcher` is open, and the settings name its port as our mail server.
    """
    book = load_book()
    # Variety of words by seed; each story its own, so that it is the same alone and among others.
    tales = [Tale(s, random.Random(f"{seed}:{s.id}")) for s in chosen(book, stories)]
    catcher.dead = {a.lower() for t in tales for a in t.story.company.bounces}
    folder = settings.data_dir.resolve()
    returns = {
        t.story.account.iban: (t.story.bank_returns.reason, t.story.bank_returns.after)
        for t in tales
        if t.story.bank_returns and t.story.account
    }
    bank = Bank(
        folder / "bank" / "in", folder / "bank" / "out", book.agency.client_account.iban, returns
    )
    renderer = RenderPool(settings.render_processes)
    worker = Worker(build_tools(settings, renderer=renderer))
    await worker.open()
    # The first letter is days away: the PDF engine loads while the agency is set up.
    warm = asyncio.create_task(renderer.warm_up())
    try:
        async with httpx.AsyncClient(base_url=base_url, timeout=CALL_SECONDS_MAX) as client:
            world = World(
                book=book,
                settings=settings,
                folder=folder,
                door=Door(client),
                worker=worker,
                catcher=catcher,
                mail_port=worker.door.port,
                bank=bank,
                seed=seed,
                now=begins(book),
                began=begins(book),
                tales=tales,
            )
            world.door.seen = world.saw
            yield world
    finally:
        warm.cancel()
        await worker.close()


def begins(book: Book) -> datetime:
    day = book.today
    while day.weekday() >= 5:
        day += timedelta(days=1)
    return datetime.combine(day, BEGINS_AT, UTC)


async def play(world: World, shown: Callable[[World], None] = lambda _: None) -> Played:
    """From the first admin to the last closed case."""
    clock = MovingClock(world.worker.tools.database, world.settings)
    await clock.begin(world.now)
    world.bank.last_at = world.now
    token = await invite_first_admin(world.settings, world.worker.tools.database)
    assert token is not None, "a play begins with an empty installation"
    await agency.set_up(world, token)
    await finance.open_accounts(world)
    director = Director(world, clock, shown)
    await director.play()
    return Played(world, await outcomes(world), director.stops, world.now)


def clean(settings: Settings) -> None:
    """Take away the files of an earlier play: its cases are gone with its database."""
    for name in ("post", "bank", "mail", "documents"):
        shutil.rmtree(settings.data_dir.resolve() / name, ignore_errors=True)
