"""What a play leaves on the table: letters as PDFs and the ledger as a table."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ops.world.tale import Tale, World

LEDGER_COLUMNS = ("story", "reference", "day", "book", "kind", "account", "title", "debit",
                  "credit", "currency")  # fmt: skip


async def letters_of(world: World, tale: Tale) -> list[tuple[str, bytes]]:
    """(name, PDF) of every letter that left us in this story, in order."""
    saga = world.staff["saga"]
    page = await world.door.get(saga, f"/v1/cases/{tale.case_id}/letters", limit=100)
    sent = [x for x in page["items"] if x["sent_at"] is not None and x["pdf"]]
    return [(f"{tale.story.id}-{x['step']}-{x['kind']}-{x['channel']}",
             await world.door.get(saga, x["pdf"])) for x in sent]  # fmt: skip


async def save_letters(world: World, folder: Path) -> int:
    """Every letter that left, as a PDF; returns how many."""
    found = [letter for tale in world.tales for letter in await letters_of(world, tale)]
    _write(folder, found)
    return len(found)


def _write(folder: Path, letters: Sequence[tuple[str, bytes]]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, pdf in letters:
        (folder / f"{name}.pdf").write_bytes(pdf)


async def save_ledger(world: World, file: Path) -> int:
    """Every leg posted for the cases, as a table; returns how many."""
    rows: list[dict[str, Any]] = []
    for tale in world.tales:
        found = await world.door.get(world.staff["paula"], f"/v1/cases/{tale.case_id}/postings")
        for posting in found["postings"]:
            rows += [_row(tale, posting, leg) for leg in posting["legs"]]
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, LEDGER_COLUMNS)
    writer.writeheader()
    writer.writerows(rows)
    _store(file, text.getvalue())
    return len(rows)


def _store(file: Path, text: str) -> None:
    file.write_text(text, encoding="utf-8")


def _row(tale: Tale, posting: dict[str, Any], leg: dict[str, Any]) -> dict[str, Any]:
    return {
        "story": tale.story.id, "reference": tale.reference, "day": posting["effective_on"],
        "book": posting["book"], "kind": posting["kind"], "account": leg["account"],
        "title": leg["title"], "debit": leg["debit"]["amount"],
        "credit": leg["credit"]["amount"], "currency": leg["debit"]["currency"],
    }  # fmt: skip
