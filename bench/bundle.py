"""What a bundle of 200 pages costs: ten PDFs, twenty photos and ten texts, counted and bound by the
child that production uses, child's start included.

`python -m bench.bundle` prints it; `main()` returns seconds, megabytes and the hash, and fails when
two runs give other bytes.
"""

from __future__ import annotations

import asyncio
import io
import json
import random
import tempfile
import time
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from PIL import Image

from letters.binding import JPEG, PDF, TEXT
from letters.plain import LINES_PER_PAGE, plain_pdf
from workers.binding import Exhibit, bind, count

PAGES: Final = 200
SECONDS_MAX: Final = 20.0  # of the issue
MEMORY_MB_MAX: Final = 500.0
PHOTOS, TEXTS, PDFS = 20, 10, 10
WORDS: Final[dict[str, Any]] = {
    "stamp": "Exhibit {label}, page {page} of {pages}", "run": "RC-0C7K2M9Q · {at}/{all}",
    "title": "Exhibits RC-0C7K2M9Q", "language": "en", "index_title": "Exhibits",
    "size_max": 400_000_000,
}  # fmt: skip


def material(folder: Path) -> list[Exhibit]:
    """200 pages in all: an index of two, photos of twelve megapixels, texts, PDFs of many pages."""
    chance = random.Random(7)  # the same photos every time
    (folder / "index.pdf").write_bytes(_pages(2))
    items: list[Exhibit] = []
    ground = Image.frombytes("RGB", (400, 300), chance.randbytes(400 * 300 * 3))
    for at in range(PHOTOS):
        out = io.BytesIO()
        ground.rotate(at).resize((4000, 3000)).save(out, "JPEG", quality=85)
        items.append(_kept(folder, f"photo-{at}", JPEG, out.getvalue(), len(items)))
    for at in range(TEXTS):
        items.append(_kept(folder, f"text-{at}", TEXT, b"We refuse.\n" * 30, len(items)))
    left = PAGES - 2 - PHOTOS - TEXTS
    for at in range(PDFS):
        share = left // PDFS + (at < left % PDFS)
        items.append(_kept(folder, f"paper-{at}", PDF, _pages(share), len(items)))
    return items


def _pages(number: int) -> bytes:
    line = "What was agreed, and what became of it, in a line of a contract"
    return plain_pdf([f"{at} {line}" for at in range(number * LINES_PER_PAGE)])


def _kept(folder: Path, name: str, kind: str, data: bytes, before: int) -> Exhibit:
    (folder / name).write_bytes(data)
    return Exhibit(name, kind, str(before + 1), name)


async def once(folder: Path, items: list[Exhibit]) -> dict[str, Any]:
    start = time.perf_counter()
    counted = await count(folder, items)
    [(path, pages)] = await bind(folder, items, WORDS)
    seconds = time.perf_counter() - start
    data = path.read_bytes()
    assert pages == PAGES == 2 + sum(number for number, _ in counted), "every page is there"
    peak = json.loads((folder / "answer.json").read_text("utf-8"))["peak_kb"] / 1024
    return {
        "seconds": seconds, "peak_mb": peak, "megabytes": len(data) / 1e6,
        "sha256": sha256(data).hexdigest(),
    }  # fmt: skip


def main() -> dict[str, Any]:
    found = []
    for _ in range(2):  # a folder each: what the first one converted helps the second nothing
        with tempfile.TemporaryDirectory() as made:
            found.append(asyncio.run(once(Path(made), material(Path(made)))))
    first, second = found
    assert first["sha256"] == second["sha256"], "the same files give the same bytes"
    return min(first, second, key=lambda found: found["seconds"])


def show(found: dict[str, Any]) -> None:
    print(
        f"Bundle of {PAGES} pages: {found['seconds']:.2f} s with the child's starts,"
        f" {found['peak_mb']:.0f} MB at most, a file of {found['megabytes']:.1f} MB;"
        " twice the same bytes."
    )


if __name__ == "__main__":
    show(main())
