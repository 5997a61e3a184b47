"""Every letter in every language and form with invented data, printed by the locked-in children
that print real ones; and the bad-input matrix."""

from __future__ import annotations

import asyncio
import csv
import dataclasses
import html
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from app.law.reference import notices
from letters import hostile
from letters.content import LANGUAGES, LETTERS, AnyLetter, LetterError, to_dict
from letters.pool import RenderPool
from letters.rendered import RenderedLetter
from letters.sheet import sentences
from letters.specimen import specimen
from workers.letter_content import formula_of

COLUMNS: Final = ("template", "language", "line", "text", "comment")
SHOWN_REFUSALS: Final = 5


def all_letters(
    kind: str | None = None, language: str | None = None
) -> Iterator[tuple[str, AnyLetter]]:
    """Name and letter: each kind in each language, the formal notice also in each form."""
    forms = sorted(name for name, record in notices().items() if "heading" in record)
    for one in LETTERS:
        for tongue in LANGUAGES:
            if kind not in (None, one) or language not in (None, tongue):
                continue
            yield f"{one}-{tongue}", specimen(one, tongue)
            for form in forms if one == "formal_notice" else ():
                plain: Any = specimen(one, tongue)
                formula = formula_of(form, tongue)
                yield f"{one}-{form}-{tongue}", dataclasses.replace(plain, formula=formula)


def write_previews(folder: Path, kind: str | None, language: str | None) -> int:
    """PDFs and an index page into `folder`; returns how many. Raises the refusals of letters."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for name, made in asyncio.run(_printed(kind, language)):
        (folder / f"{name}.pdf").write_bytes(made.pdf)
        rows.append(f'<li><a href="{name}.pdf">{html.escape(name)}</a>, {made.pages} p.</li>')
    head = "<!DOCTYPE html><meta charset=utf-8><title>Letters</title>"
    (folder / "index.html").write_text(f"{head}<ul>{''.join(rows)}</ul>", "utf-8")
    return len(rows)


async def _printed(kind: str | None, language: str | None) -> list[tuple[str, RenderedLetter]]:
    async with RenderPool(2) as pool:
        return [
            (name, await pool.render(to_dict(letter)))
            for name, letter in all_letters(kind, language)
        ]


def write_sheet(file: Path) -> int:
    """All sentences as CSV, or as an HTML table where the name ends in .html."""
    rows = [(s.template, s.language, s.line, s.text, "") for s in sentences()]
    if file.suffix == ".html":
        cells = "\n".join(
            "<tr>" + "".join(f"<td>{html.escape(str(cell))}</td>" for cell in row) + "</tr>"
            for row in rows
        )
        head = "".join(f"<th>{name}</th>" for name in COLUMNS)
        file.write_text(
            "<!DOCTYPE html><meta charset=utf-8><title>Sentences</title><table border=1>"
            f"<tr>{head}</tr>{cells}</table>", "utf-8",
        )  # fmt: skip
        return len(rows)
    with file.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(COLUMNS)
        writer.writerows(rows)
    return len(rows)


async def matrix(kind: str | None, language: str | None) -> Iterator[str]:
    """One line per letter, language and text: how many fields took it, and what the printer said.
    Anything but a PDF or a refusal by name raises."""
    told = []
    async with RenderPool(2) as pool:
        for one in LETTERS:
            for tongue in LANGUAGES:
                if kind not in (None, one) or language not in (None, tongue):
                    continue
                for row, text in hostile.TEXTS.items():
                    letter, refused = hostile.spoiled(specimen(one, tongue), text)
                    try:
                        made = await pool.render(to_dict(letter))
                        said = f"printed, {made.pages} pages"
                    except LetterError as refusal:
                        said = f"refused, {refusal.code}"
                    told.append(f"{one} {tongue} {row}: {len(refused)} fields refuse; {said}")
    return iter(told)
