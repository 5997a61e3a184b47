"""The loop of the play: drain the work, let people act, jump to the next instant, never sleeping.

The worker's passes run in this process, in one order (mail read, due cases swept, orders carried
out); that it is quiet is known from its own counters. Then whoever has something to do does it over
HTTP and SMTP. When nobody has, business time goes to the next instant at which anything falls due:
a case's own clock, an order held back, something in the calendar of the world, or the bank's
morning statement that must be read before a deadline acts.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from ops.moving_clock import ROUND_UP, MovingClock
from ops.world import companies, consumers, finance, people
from ops.world.catcher import Mail
from ops.world.stories import Hold
from ops.world.tale import Tale, World

ROUNDS_MAX = 60  # of acting at one instant: more is a loop of ours
DAYS_MAX = 500  # of business time; the longest story takes half a year
TAIL_DAYS = 40  # after the last case closed: money that is still on its way


class Stuck(RuntimeError):
    """The play goes in a circle, or does not come to an end."""


class Director:
    """Plays all tales of a world to their ends. `shown` is called after every instant."""

    def __init__(
        self, world: World, clock: MovingClock, shown: Callable[[World], None] = lambda _: None
    ) -> None:
        self.world, self.clock, self.shown = world, clock, shown
        self.began = world.now
        self.stops = 0
        self._hooked: set[tuple[str, int]] = set()

    async def play(self) -> None:
        """Until every tale is closed and nothing is left to do. Raises Stuck."""
        self._file_everything()
        while True:
            await self._act_until_quiet()
            self.shown(self.world)
            target = await self._next()
            if target is None:
                return
            if target > self.began + timedelta(days=DAYS_MAX):
                open_ones = [t.story.id for t in self.world.tales if not t.closed]
                raise Stuck(f"after {DAYS_MAX} days these are still open: {open_ones}")
            await self._go(target)

    def _file_everything(self) -> None:
        world = self.world
        for tale in world.tales:
            world.after(
                tale.story.filed.after,
                f"{tale.story.id} is filed",
                partial(consumers.file, world, tale),
            )

    # --- time ----------------------------------------------------------------------------------

    async def _next(self) -> datetime | None:
        """The next instant at which anything happens; None when the play is over."""
        world = self.world
        due = [world.calendar.next_at(), await self.clock.next_due()]
        known = [at for at in due if at is not None]
        world.bank.collect(world)
        if world.bank.waiting:
            known.append(world.bank.next_morning(world.now))
        if all(tale.closed for tale in world.tales) and not world.bank.waiting:
            known = [at for at in due[:1] if at is not None]
        if not known:
            return None
        target = max(min(known), world.now)
        morning = world.bank.due_by(target)
        if morning is not None and morning > world.now:
            return morning
        return target

    async def _go(self, target: datetime) -> None:
        world = self.world
        # Time also goes by itself while people act: what fell due meanwhile needs no jump.
        if target + ROUND_UP > await self.clock.now():
            await self.clock.set(target + ROUND_UP)
        world.now = await self.clock.now()
        self.stops += 1
        morning = world.bank.due_by(world.now)
        if morning is not None:
            await finance.import_statement(world)
        for planned in world.calendar.take(world.now):
            await planned.act()

    # --- acting --------------------------------------------------------------------------------

    async def _act_until_quiet(self) -> None:
        """Work and answers at one instant, until nobody moves."""
        acted = 1  # whatever the calendar did just now
        for _ in range(ROUNDS_MAX):
            done = await self.world.worker.until_quiet()
            read = await self._read_mail()
            if not (done or read or acted or self.world.flags):
                return
            await self._look_at_stages()
            looked = await self._consumers_look()
            tasks = await people.open_tasks(self.world)
            acted = await people.work(self.world, tasks) + await finance.work(self.world, tasks)
            due = self.world.calendar.take(self.world.now)
            for planned in due:
                await planned.act()
            acted += looked + len(due)
        raise Stuck(f"{ROUNDS_MAX} rounds at {self.world.now}")

    async def _read_mail(self) -> int:
        mails = self.world.catcher.take()
        for mail in mails:
            await self._deliver(mail)
        await companies.read_post(self.world)
        return len(mails)

    async def _deliver(self, mail: Mail) -> None:
        if self.world.of_consumer(mail.to):
            await consumers.read_mail(self.world, mail)
        elif not mail.to.endswith("@agency.example"):
            await companies.read_mail(self.world, mail)

    async def _consumers_look(self) -> int:
        looking = [tale for tale in self.world.tales if tale.look]
        for tale in looking:
            await consumers.look(self.world, tale)
        return len(looking)

    async def _look_at_stages(self) -> None:
        """One page of the case list tells where everybody stands, for the path and the display."""
        page = await self.world.door.get(self.world.staff["ilona"], "/v1/cases", limit=100)
        for line in page["items"]:
            self.world.saw(line)
        for tale in self.world.tales:
            for at, stage in enumerate(tale.path):
                if (tale.story.id, at) not in self._hooked:
                    self._hooked.add((tale.story.id, at))
                    await self._reached(tale, stage)

    async def _reached(self, tale: Tale, stage: str) -> None:
        await consumers.reached(self.world, tale, stage)
        if stage == "settlement":
            await companies.agreed(self.world, tale)
        hold = tale.story.hold
        if hold is not None and hold.at == stage and tale.first("held"):
            self.world.after(3, f"{tale.story.id} is held", lambda: _hold(self.world, tale, hold))


async def _hold(world: World, tale: Tale, hold: Hold) -> None:
    assert tale.story.assess is not None, "a held story was assessed"
    body: dict[str, Any] = {
        "reason": hold.reason,
        "until": (world.now + timedelta(days=hold.days)).isoformat(),
    }
    who = world.staff[tale.story.assess.by]
    await world.door.change(who, "POST", tale.case_id, "/holds", body)
