"""recourse clock: business time of a non-production installation."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Annotated, TypeVar

import typer

from app.clock import wall_now
from app.db import Database
from ops.local import local_installation
from ops.moving_clock import ClockRefused, MovingClock, NeverQuiet

T = TypeVar("T")
group = typer.Typer(help="Business time: look at it, move it.", no_args_is_help=True)


def with_clock(work: Callable[[MovingClock], Awaitable[T]]) -> T:
    """Run ``work`` on the clock of this installation; refusals end with exit code 1."""

    async def opened() -> T:
        database = Database(here.settings.database_url, pool_size=2)
        try:
            return await work(MovingClock(database, here.settings))
        finally:
            await database.close()

    with local_installation() as here:
        try:
            return asyncio.run(opened())
        except (ClockRefused, NeverQuiet) as problem:
            typer.echo(str(problem), err=True)
            raise typer.Exit(1) from None


@group.command()
def show() -> None:
    """Print business time, the real time and what falls due next."""

    async def read(clock: MovingClock) -> tuple[datetime, datetime | None]:
        return await clock.now(), await clock.next_due()

    now, due = with_clock(read)
    typer.echo(f"business time  {now:%Y-%m-%d %H:%M:%S} UTC")
    typer.echo(f"real time      {wall_now():%Y-%m-%d %H:%M:%S} UTC")
    typer.echo(f"next due       {due:%Y-%m-%d %H:%M:%S} UTC" if due else "next due       nothing")


@group.command()
def advance(
    days: Annotated[float, typer.Option(min=0, help="How many days to go on.")] = 0,
    to: Annotated[datetime | None, typer.Option(help="Or the instant to go to, UTC.")] = None,
    next_due: Annotated[
        bool, typer.Option("--next", help="Or only to what falls due next.")
    ] = False,
) -> None:
    """Go on from due instant to due instant, waiting for the workers at each."""

    async def move(clock: MovingClock) -> tuple[int, datetime]:
        stops = await clock.advance(await target(clock), stopped=print_stop)
        return stops, await clock.now()

    async def target(clock: MovingClock) -> datetime:
        if to is not None:
            return to.replace(tzinfo=UTC)
        if next_due:
            due = await clock.next_due()
            if due is None:
                raise ClockRefused("nothing is due, ever")
            return due + timedelta(seconds=1)
        return await clock.now() + timedelta(days=days)

    stops, now = with_clock(move)
    typer.echo(f"It is {now:%Y-%m-%d %H:%M} UTC after {stops} stops.")


def print_stop(instant: datetime) -> None:
    typer.echo(f"  {instant:%Y-%m-%d %H:%M} UTC")
