"""recourse demo: a whole agency on this machine, thirty cases from first letter to payout."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import redis
import typer
from rich.console import Console

from app.logs import configure_logs
from app.settings import Settings
from ops import migrations
from ops.commands.serve import WORKER_MODULE, api_command
from ops.local import Installation, complete, installation_folder, local_installation
from ops.processes import (
    AskedToEnd,
    ProcessEnded,
    Processes,
    answers_ok,
    available_port,
    signals_end,
)
from ops.world import papers
from ops.world.catcher import HOST, Catcher
from ops.world.display import Display, end_table
from ops.world.epilogue import Epilogue, epilogue
from ops.world.play import Played, clean, open_world, play
from ops.world.report import Proof, proof

NAME = "demo"
READY_SECONDS_MAX = 30.0
MAIL_PORT, DOOR_PORT = 2525, 2625


@dataclass(frozen=True)
class Show:
    """What the demo was asked for."""

    seed: int
    serve: bool
    stories: tuple[str, ...]
    began: float


def demo(
    seed: Annotated[int, typer.Option(help="Draws the words of companies and bodies.")] = 1,
    fresh: Annotated[bool, typer.Option("--fresh", help="Make the servers anew, too.")] = False,
    serve: Annotated[bool, typer.Option(help="Leave everything running afterwards.")] = True,
    stories: Annotated[str, typer.Option(help="Only these, as case-02,case-11.")] = "",
    port: Annotated[int, typer.Option(help="Port of the API; the next free if taken.")] = 8000,
) -> None:
    """Play the thirty sample cases from first letter to payout, each time on an empty database."""
    # A pipe has no width of its own; the end table wants one.
    console = Console(width=None if sys.stdout.isatty() else 150)
    names = tuple(name.strip() for name in stories.split(",") if name.strip())
    show = Show(seed, serve, names, time.monotonic())
    if fresh:
        _forget()
    address = f"http://127.0.0.1:{available_port(HOST, port)}"
    mail, door = available_port(HOST, MAIL_PORT), available_port(HOST, DOOR_PORT)
    named = complete(dict(os.environ))
    with (
        signals_end(),
        local_installation(
            NAME,
            fresh=not named,
            volatile=True,  # an empty database each time: nothing to keep through a power cut
            api_port=address.rpartition(":")[2],
            public_url=address,
            smtp_port=str(mail),
            inbound_smtp_port=str(door),
            log_level="warning",
        ) as here,
        Processes(here.environment) as processes,
    ):
        ok = False
        try:
            ok = asyncio.run(_run(console, here, processes, address, show))
        except AskedToEnd:
            console.print("Stopping.")
            return
        except (ProcessEnded, TimeoutError) as problem:
            console.print(f"[red]{problem}[/red]")
        if not ok:
            raise typer.Exit(1)


def _forget() -> None:
    """Take away the demo's own folder: servers' data, secrets, papers."""
    shutil.rmtree(installation_folder(dict(os.environ), NAME), ignore_errors=True)


async def _run(
    console: Console, here: Installation, processes: Processes, address: str, show: Show
) -> bool:
    settings = here.settings
    configure_logs(level=settings.log_level, release=settings.release)
    clean(settings)
    if here.servers is not None and settings.redis_url is not None:
        with redis.Redis.from_url(settings.redis_url) as client:
            client.flushdb()  # limits of the last play: its people come again
    log = settings.data_dir / "api.log"
    # Beside each other: the API asks the database nothing before it is asked.
    processes.start("API", *api_command(settings), log=log)
    await asyncio.to_thread(migrations.upgrade, settings.database_url)
    catcher = Catcher(settings.data_dir.resolve() / "mail")
    await catcher.open(settings.smtp_port)
    try:
        await asyncio.to_thread(
            processes.wait_for,
            "starting",
            lambda: answers_ok(f"{address}/health"),
            READY_SECONDS_MAX,
        )
        console.print(
            f"API and database ready after {time.monotonic() - show.began:.1f} s;"
            f" the play begins (seed {show.seed})."
        )
        ok, left = await _played(console, settings, catcher, address, show)
        if show.serve:
            await _serve(console, processes, settings, left, address)
        return ok
    finally:
        await catcher.close()


async def _played(
    console: Console, settings: Settings, catcher: Catcher, address: str, show: Show
) -> tuple[bool, Epilogue]:
    """Play, write the papers, show the tables; whether all came out as expected."""
    began = time.monotonic()
    async with open_world(
        settings, address, catcher, seed=show.seed, stories=show.stories
    ) as world:
        with Display(console) as display:
            played = await play(world, display.shown)
        seconds = time.monotonic() - began
        console.print(end_table(played))
        found = await proof(world)
        folder = settings.data_dir.resolve()
        letters = await papers.save_letters(world, folder / "letters")
        await papers.save_ledger(world, folder / "ledger.csv")
        _tell(console, played, found, letters, folder, seconds)
        left = await epilogue(world)
    return played.ok and found.ok, left


def _tell(
    console: Console, played: Played, found: Proof, letters: int, folder: Path, seconds: float
) -> None:
    counts, world = played.world.counts, played.world
    right = sum(one.ok for one in played.outcomes)
    console.print(
        f"{right} of {len(played.outcomes)} stories ended as expected; {played.stops} instants,"
        f" {world.begins_on} to {played.ended:%Y-%m-%d}, in {seconds:.1f} s."
    )
    console.print(
        f"{letters} letters ({counts.get('letters_by_mail', 0)} by mail,"
        f" {counts.get('letters_by_post', 0)} by post, the others sent by consumers),"
        f" {counts.get('notices', 0)} notices,"
        f" {counts.get('mails_in', 0)} mails in, {counts.get('statements', 0)} bank statements,"
        f" {counts.get('batches', 0)} payout batches; unknown outcomes: {found.unknown}."
    )
    console.print(found.words)
    for trouble in world.trouble:
        console.print(f"[red]{trouble}[/red]")
    for tale in world.tales:
        for what in tale.improvised:
            console.print(f"{tale.story.id}: done without a story: {what}")
    console.print(f"Letters, mails, bank files, ledger.csv: {folder}")


async def _serve(
    console: Console, processes: Processes, settings: Settings, left: Epilogue, address: str
) -> None:
    """The worker in its own process now; then until Ctrl-C."""
    processes.start("worker", WORKER_MODULE, log=settings.data_dir / "worker.log")
    console.print(f"\nAPI: {address}   reference: {address}/docs   Ctrl-C ends it; the data stay.")
    for role, token in left.tokens:
        console.print(f"  {role:18} {token}", highlight=False, soft_wrap=True)
    for what, line in left.lines(address):
        console.print(f"\n# {what}", style="bold")
        console.print(line, markup=False, highlight=False, soft_wrap=True)
    while True:
        processes.check()
        await asyncio.sleep(0.5)
