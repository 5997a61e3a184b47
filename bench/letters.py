"""What a two-page letter costs against the bare PDF engine on the same HTML, in the same run.

`python -m bench.letters` prints a table; `main()` returns the figures: milliseconds are medians
of interleaved warm rounds, ratios are ours divided by bare. Bare is the engine as its manual
shows it, with its own browser defaults, no archive variant, no tags and no check of the result,
but with our fonts and style sheet already loaded. Both sides have Python's garbage collector set as
a render child has it: what that setting saves is no merit of our code.
"""

import asyncio
import cProfile
import gc
import pstats
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from letters import render
from letters.attached import case_json
from letters.content import AnyLetter, to_dict
from letters.inspection import inspect_pdf
from letters.pool import RenderPool
from letters.sealing import KeyFile, Seal, development_seal
from letters.specimen import specimen

ROUNDS: Final = 21
PLAIN_COLLECTOR: Final = gc.get_threshold()
RATIO_MAX: Final = 1.15  # ours against bare on the same HTML
PARTS: Final = {
    "parse HTML": ("tinyhtml5/", "parse"),
    "match styles": ("css/__init__.py", "get_all_computed_styles"),
    "build boxes": ("formatting_structure/build.py", "build_formatting_structure"),
    "lay out pages": ("layout/__init__.py", "layout_document"),
    "draw and tag": ("weasyprint/pdf/__init__.py", "generate_pdf"),
    "fonts (inside draw)": ("pdf/fonts.py", "build_fonts_dictionary"),
    "write PDF": ("pydyf/__init__.py", "write"),
}


def interleaved(works: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Median milliseconds of each work; taking turns, so that a busy machine hits all alike."""
    times: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(rounds):
        for name, work in works.items():
            start = time.perf_counter()
            work()
            times[name].append((time.perf_counter() - start) * 1000)
    return {name: statistics.median(taken) for name, taken in times.items()}


def calmly(work: Callable[[], object]) -> Callable[[], object]:
    """With the collector as a render child has it."""

    def timed() -> object:
        gc.freeze()
        gc.set_threshold(render.COLLECT_AFTER, *PLAIN_COLLECTOR[1:])
        return work()

    return timed


def sealing(pdf: bytes) -> Callable[[], object]:
    """The seal with a development key of 3,072 bits, loaded before; no timestamp authority."""
    now = datetime.now(UTC)
    with tempfile.TemporaryDirectory() as folder:
        made = development_seal(Path(folder), now)
        seal = Seal(made, KeyFile(made))
        seal.seal(pdf, now)  # reads the key
    return lambda: seal.seal(pdf, now)


def variants(letter: AnyLetter) -> dict[str, Callable[[], object]]:
    """Ours, its parts, and the bare engine with and without each extra."""
    # Lazy like everywhere: the engine must see our fontconfig file first.
    engine = render.Engine.get()
    from weasyprint import HTML

    html, finished = render.render_html(letter), render.render(letter)

    def bare(kind: Any = HTML, **options: Any) -> Callable[[], object]:
        def work() -> object:
            return kind(string=html, url_fetcher=engine.fetcher).write_pdf(
                font_config=engine.fonts, stylesheets=[engine.css], **options
            )

        return calmly(work)

    archive: dict[str, Any] = {"pdf_variant": render.PDF_VARIANT, "pdf_identifier": b"0" * 16}
    return {
        "ours: content to checked PDF": calmly(lambda: render.render(letter)),
        "  content to HTML": lambda: render.render_html(letter),
        "  output check": lambda: inspect_pdf(
            finished.pdf,
            pages=finished.pages,
            must_contain=letter.reference,
            attached=case_json(letter),
        ),
        "  seal, apart": sealing(finished.pdf),
        "bare engine, same HTML": bare(),
        "bare, PDF/A-3a and tags": bare(**archive, pdf_tags=True),
        "our defaults, no extras": bare(engine.html),
        "our defaults, PDF/A-3a": bare(engine.html, **archive),
        "our defaults, PDF/A-3a and tags": bare(engine.html, **archive, pdf_tags=True),
    }


def shares(letter: AnyLetter, rounds: int) -> dict[str, float]:
    """Share of the profiled time by part (profiling inflates small functions)."""
    profile = cProfile.Profile()
    profile.enable()
    for _ in range(rounds):
        render.render(letter)
    profile.disable()
    stats = pstats.Stats(profile).stats  # type: ignore[attr-defined]  # missing in the stubs
    total = sum(entry[2] for entry in stats.values())
    found = {}
    for part, (path, function) in PARTS.items():
        times = [
            entry[3]
            for (file, _, name), entry in stats.items()
            if name == function and path in file.replace("\\", "/")
        ]
        found[part] = max(times, default=0.0) / total
    return found


async def through_pool(letter: AnyLetter, rounds: int) -> dict[str, float]:
    """Cold start and warm median through one render child, and letters a second with two."""
    content = to_dict(letter)
    async with RenderPool(1) as pool:
        start = time.perf_counter()
        await pool.render(content)
        cold = (time.perf_counter() - start) * 1000
        times = []
        for _ in range(rounds):
            start = time.perf_counter()
            await pool.render(content)
            times.append((time.perf_counter() - start) * 1000)
    async with RenderPool(2) as pool:
        await asyncio.gather(pool.render(content), pool.render(content))
        start = time.perf_counter()
        await asyncio.gather(*(pool.render(content) for _ in range(2 * rounds)))
        rate = 2 * rounds / (time.perf_counter() - start)
    return {"cold": cold, "warm": statistics.median(times), "rate_two_children": rate}


def main(rounds: int = ROUNDS) -> dict[str, Any]:
    """All figures: `milliseconds` by variant, `ratio`, `shares`, `pool`."""
    letter = specimen("formal_notice", "en")
    works = variants(letter)
    interleaved(works, 2)  # warm
    taken = interleaved(works, rounds)
    ours = taken["ours: content to checked PDF"]
    return {
        "pages": render.render(letter).pages,
        "milliseconds": taken,
        "ratio": ours / taken["bare engine, same HTML"],
        "ratio_same_output": ours / taken["bare, PDF/A-3a and tags"],
        "shares": shares(letter, 5),
        "pool": asyncio.run(through_pool(letter, rounds)),
    }


def show(figures: dict[str, Any]) -> None:
    """Prints the table."""
    print(f"one letter of {figures['pages']} pages, warm, median of {ROUNDS} interleaved rounds")
    for name, taken in figures["milliseconds"].items():
        print(f"  {name:34} {taken:7.1f} ms")
    print(f"ratio to the bare engine             {figures['ratio']:7.2f}   (at most {RATIO_MAX})")
    print(f"ratio to the same output             {figures['ratio_same_output']:7.2f}")
    print("where the time goes (profiled)")
    for part, share in figures["shares"].items():
        print(f"  {part:34} {share:7.0%}")
    pool = figures["pool"]
    print(
        f"through one child: cold {pool['cold']:.0f} ms, warm {pool['warm']:.1f} ms; "
        f"two children: {pool['rate_two_children']:.1f} letters/s"
    )


if __name__ == "__main__":
    show(main())
    sys.exit(0)
