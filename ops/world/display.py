"""The play on a screen: every case climbing its ladder; plain lines when the output is a pipe."""

from __future__ import annotations

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from ops.world.play import Played
from ops.world.tale import Tale, World

RUNGS = ("intake", "assessment", "agreement", "contact", "reminder", "formal_notice", "complaint",
         "settlement", "closed")  # fmt: skip
SHORT = dict(zip(RUNGS, ("in", "as", "ag", "co", "re", "fn", "cp", "se", "end"), strict=True))


class Display:
    """Give `shown` to the director. Use as a context manager."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self._live: Live | None = None
        self._told: dict[str, int] = {}

    def __enter__(self) -> Display:
        if self.console.is_terminal:
            self._live = Live(console=self.console, refresh_per_second=8, transient=True)
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live is not None:
            self._live.stop()

    def shown(self, world: World) -> None:
        """After every instant of the play."""
        if self._live is not None:
            self._live.update(_board(world))
            return
        for tale in world.tales:
            for stage in tale.path[self._told.get(tale.story.id, 0) :]:
                self.console.print(
                    f"{world.now:%Y-%m-%d}  {tale.story.id}  {stage}"
                    + (f" ({tale.outcome})" if stage == "closed" else ""),
                    highlight=False,
                )
            self._told[tale.story.id] = len(tale.path)


def _board(world: World) -> Table:
    closed = sum(tale.closed for tale in world.tales)
    table = Table(title=f"{world.now:%A %d %B %Y}   {closed} of {len(world.tales)} cases closed",
                  box=None, padding=(0, 1))  # fmt: skip
    for heading in ("case", "way", "waiting on"):
        table.add_column(heading)
    for tale in world.tales:
        table.add_row(tale.story.id, _way(tale), tale.outcome or tale.waiting_on or "")
    return table


def _way(tale: Tale) -> Text:
    """The rungs, the ones behind dim, the one it stands on bright."""
    text = Text()
    for rung in RUNGS:
        here = rung == tale.stage
        style = "bold green" if here else "cyan" if rung in tale.path else "bright_black"
        text.append(SHORT[rung].ljust(4), style)
    return text


def end_table(played: Played) -> Table:
    """One line per story: what came out beside what was expected."""
    table = Table(title="The thirty stories" if len(played.outcomes) == 30 else "Stories")
    for heading in ("story", "way", "outcome"):
        table.add_column(heading)
    for heading in ("recovered", "fee", "paid out"):
        table.add_column(heading, justify="right")
    table.add_column("as expected")
    for one in played.outcomes:
        way = " ".join(SHORT[stage] for stage in one.path)
        table.add_row(
            one.story,
            way,
            one.outcome,
            f"{one.recovered} {one.currency}",
            one.fee,
            one.payout,
            "[green]yes[/green]" if one.ok else f"[red]{'; '.join(one.wrong)}[/red]",
        )
    return table
