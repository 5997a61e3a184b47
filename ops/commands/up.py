"""recourse up: everything on this machine, until Ctrl-C."""

from __future__ import annotations

import time
from typing import Annotated

import typer
from rich.console import Console

from ops import migrations
from ops.commands.serve import WORKER_MODULE, api_command
from ops.first_admin import announce_first_admin
from ops.local import local_installation
from ops.processes import (
    AskedToEnd,
    ProcessEnded,
    Processes,
    answers_ok,
    available_port,
    signals_end,
)

READY_SECONDS_MAX = 30.0
WATCH_SECONDS = 0.5


def up(
    port: Annotated[int, typer.Option(help="Port of the API; the next free one if taken.")] = 8000,
    fresh: Annotated[bool, typer.Option("--fresh", help="Start with an empty database.")] = False,
) -> None:
    """Start the database, Redis, API and workers here, until Ctrl-C."""
    console = Console()
    began = time.monotonic()
    address = f"http://127.0.0.1:{available_port('127.0.0.1', port)}"
    with (
        signals_end(),
        local_installation(
            fresh=fresh, api_port=address.rpartition(":")[2], public_url=address
        ) as here,
        Processes(here.environment) as processes,
    ):
        try:
            # The API loads while we migrate; it is not ready before the schema is.
            processes.start("API", *api_command(here.settings))
            migrations.upgrade(here.settings.database_url)
            processes.start("worker", WORKER_MODULE)
            welcome = announce_first_admin(here.settings)
            processes.wait_for(
                "starting", lambda: answers_ok(f"{address}/ready"), READY_SECONDS_MAX
            )
            console.print(f"Recourse is ready after {time.monotonic() - began:.1f} s: {address}")
            console.print(f"API reference: {address}/docs")
            if here.servers is not None:
                console.print(f"Data: {here.servers.data_folder} ({here.servers.postgres_version})")
            if welcome is not None:
                console.print(welcome, soft_wrap=True)
            console.print("Ctrl-C stops it; the data stay.")
            watch(processes)
        except AskedToEnd:
            console.print("Stopping.")
        except (ProcessEnded, TimeoutError) as problem:
            console.print(f"[red]{problem}[/red]")
            raise typer.Exit(1) from None


def watch(processes: Processes) -> None:
    """Run until a process ends or somebody asks us to."""
    while True:
        processes.check()
        time.sleep(WATCH_SECONDS)
