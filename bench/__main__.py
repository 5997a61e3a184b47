"""`./run bench`: every benchmark, then one table of ratios against floors of the same run.

`--quick` takes small sizes (minutes instead of most of an hour); names run only those:
`./run bench api growth`. Nothing here is a timed test: a busy machine makes a bad figure, never a
red build. What a figure means, and under which conditions, stands in each file.
"""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Callable
from dataclasses import dataclass

from app.clock import monotonic
from bench import (
    api,
    bank,
    bundle,
    check,
    documents,
    growth,
    letters,
    mails,
    memory,
    money,
    money_books,
    periods,
    relay,
    start,
    sweep,
)

QUICK_SCALE = 0.02  # of the sweep's million cases and the relay's orders
QUICK_LETTERS = 5


@dataclass(frozen=True)
class Line:
    """One row of the closing table. `floor` says what the figure is measured against."""

    what: str
    figure: float
    unit: str
    target: float
    floor: str
    at_least: bool = False

    @property
    def met(self) -> bool:
        return self.figure >= self.target if self.at_least else self.figure <= self.target


def run_api(quick: bool) -> list[Line]:
    found = api.main(quick)
    api.show(found)
    return [
        Line("file a case", found["filing"], "x", api.FILING_TARGET,
             "bare FastAPI INSERT", at_least=True),
        Line("read a case", found["reading"], "x", api.READING_TARGET,
             "bare FastAPI ORM GET", at_least=True),
    ]  # fmt: skip


def run_growth(quick: bool) -> list[Line]:
    found = growth.main(quick)
    growth.show(found)
    ratios = {name: ms[-1] / ms[0] for name, ms in found["medians"].items()}
    sizes = found["sizes"]
    lines = [
        Line(name, ratio, "x", growth.RATIO_MAX, f"{sizes[0]:,} cases; here {sizes[-1]:,}")
        for name, ratio in ratios.items()
    ]
    return [*lines, Line("whole reads of hot tables", len(found["whole"]), "", 0, "query plans")]


def run_memory(quick: bool) -> list[Line]:
    found = memory.main(quick)
    memory.show(found)
    return [
        Line(f"memory of {name}", held, "MB", memory.LIMIT_MB, "after load")
        for name, held in found["loaded"].items()
        if memory.counts(name)
    ]


def run_start(quick: bool) -> list[Line]:
    found = start.main(quick)
    start.show(found)
    return [Line("./run up to ready", found["warm"], "s", start.LIMIT_SECONDS, "with data")]


def run_letters(quick: bool) -> list[Line]:
    found = letters.main(QUICK_LETTERS) if quick else letters.main()
    letters.show(found)
    return [Line("two-page letter", found["ratio"], "x", letters.RATIO_MAX, "bare WeasyPrint")]


def run_bundle(quick: bool) -> list[Line]:
    found = bundle.main()
    bundle.show(found)
    return [
        Line("bundle of 200 pages", found["seconds"], "s", bundle.SECONDS_MAX, "counted and bound"),
        Line("memory to bind it", found["peak_mb"], "MB", bundle.MEMORY_MB_MAX, "of the child"),
    ]


def run_sweep(quick: bool) -> list[Line]:
    found = sweep.main(QUICK_SCALE) if quick else sweep.main()
    return [
        Line("deadline sweep, one worker", found["ratio_procrastinate"], "x", sweep.RATIO_MIN,
             "procrastinate's empty jobs", at_least=True),
        Line("deadline sweep, the next mark", found["ratio_arq"], "x", 1.0,
             "arq's tuned empty jobs", at_least=True),
    ]  # fmt: skip


def run_relay(quick: bool) -> list[Line]:
    found = relay.main(QUICK_SCALE) if quick else relay.main()
    return [
        Line("relay, one worker", found["relay_per_s"], "/s", relay.RATE_MIN,
             "fake providers", at_least=True),
        Line("commit to act, p99", found["nudged_p99_s"], "s", relay.NUDGED_P99_MAX, "nudged"),
        Line("commit to act, p99", found["redis_dead_p99_s"], "s", relay.REDIS_DEAD_P99_MAX,
             "Redis dead"),
    ]  # fmt: skip


def run_periods(quick: bool) -> list[Line]:
    found = periods.main(QUICK_SCALE if quick else 1.0)
    return [
        Line("explained deadlines", found["explained_per_s"], "/s", periods.RATE_MIN,
             f"a bare addition is {found['ratio']:.0f} times as fast", at_least=True),
    ]  # fmt: skip


def run_check(quick: bool) -> list[Line]:
    found = check.main(QUICK_SCALE if quick else 1.0)
    return [
        Line("public check", found["ratio"], "x", check.RATIO_MAX, "an endpoint that does nothing")
    ]


def run_documents(quick: bool) -> list[Line]:
    found = documents.main(quick)
    documents.show(found)
    return [
        Line("store a file sealed", found["upload"], "x", documents.SLOWER_TARGET,
             f"in the clear, {found['put_plain_mb_s']:.0f} MB/s"),
        Line("read a sealed file", found["reading"], "x", documents.SLOWER_TARGET,
             f"in the clear, {found['get_plain_mb_s']:.0f} MB/s"),
    ]  # fmt: skip


def run_mails(quick: bool) -> list[Line]:
    found = mails.main(QUICK_SCALE if quick else 1.0)
    return [
        Line("mails of 50 kB, one core", found["mails_per_s"], "/s", mails.RATE_MIN,
             f"store and parse alone {found['floor_per_s']:.0f}/s", at_least=True),
        Line("worst mail, twice the bytes", found["worst_doubling"], "x", mails.LINEAR_MAX,
             "half of it"),
        Line("API's p95 beside a burst", found["slower"], "x", mails.SLOWER_MAX,
             f"alone {found['calm_p95_ms']:.1f} ms"),
    ]  # fmt: skip


def run_money(quick: bool) -> list[Line]:
    found = money.main(QUICK_SCALE if quick else 1.0)
    money.show(found)
    return [
        Line("receipts with our reference", found.reference_rate, "%", money.REFERENCE_MIN,
             "all of them", at_least=True),
        Line("all receipts of cases", found.rate, "%", money.ALL_MIN, "all of them", at_least=True),
        Line("false confirmations", found.false.total(), "", 0, "the truth of the year"),
        Line("slowest receipt", found.slowest_ms, "ms", money.SLOWEST_MS, "the cascade alone"),
    ]  # fmt: skip


def run_books(quick: bool) -> list[Line]:
    found = money_books.main(quick)
    money_books.show(found)
    size = "the year of `money`"
    return [
        Line("payout batch", found["payouts"]["seconds"], "s", money_books.PAYOUT_SECONDS_MAX,
             "draft items to the file"),
        Line("proof of a month's close", found["first"]["close"], "s",
             money_books.CLOSE_SECONDS_MAX, size),
        Line("balances after another order", float(found["same"]), "", 1, size, at_least=True),
    ]  # fmt: skip


def run_bank(quick: bool) -> list[Line]:
    found = bank.main(quick)
    bank.show(found)
    size = f"{found['rows'][-1]['size']:,} entries"
    return [
        Line("import a statement", found["seconds"], "s", bank.SECONDS_MAX, size),
        Line("import a statement", found["ratio"], "x", bank.RATIO_MAX, "bare iterparse and COPY"),
        Line(
            "import a statement", found["megabytes"], "MB", bank.MEMORY_MAX, "a process of its own"
        ),
        Line("an entry, most against fewest", found["flat"], "x", bank.FLAT_MAX, size),
    ]


ALL: dict[str, Callable[[bool], list[Line]]] = {
    "api": run_api,
    "bank": run_bank,
    "books": run_books,
    "relay": run_relay,
    "sweep": run_sweep,
    "letters": run_letters,
    "bundle": run_bundle,
    "memory": run_memory,
    "start": run_start,
    "periods": run_periods,
    "check": run_check,
    "documents": run_documents,
    "mails": run_mails,
    "money": run_money,
    "growth": run_growth,
}


def conditions(quick: bool) -> str:
    load = os.getloadavg()[0]
    return (
        f"{os.cpu_count()} processors, load {load:.1f} before the start, Python"
        f" {platform.python_version()}, {'quick: small sizes' if quick else 'full sizes'}."
        " Client, server and database share the machine; floors take turns with ours."
    )


def table(lines: list[Line]) -> str:
    rows = ["", f"{'what':34}{'measured':>12}{'target':>14}   against"]
    for line in lines:
        wanted = f"{'>=' if line.at_least else '<='} {line.target:g} {line.unit}".strip()
        figure = f"{line.figure:.2f} {line.unit}".strip()
        rows.append(
            f"{line.what:34}{figure:>12}{wanted:>14}   {line.floor}"
            + ("" if line.met else "   NOT MET")
        )
    return "\n".join(rows)


def main(arguments: list[str]) -> int:
    quick = "--quick" in arguments
    names = [a for a in arguments if not a.startswith("--")] or list(ALL)
    unknown = [n for n in names if n not in ALL] + [
        a for a in arguments if a.startswith("--") and a != "--quick"
    ]
    if unknown:
        print(f"unknown: {', '.join(unknown)}; there are --quick and {', '.join(ALL)}")
        return 2
    said, lines = conditions(quick), []
    for name in names:
        print(f"\n== {name}", flush=True)
        began = monotonic()
        lines += ALL[name](quick)
        print(f"({name} took {monotonic() - began:.0f} s)", flush=True)
    print(table(lines))
    print(said)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
