"""Reference pages of the law data: docs/law/, one page a jurisdiction, for lawyers and handlers.

Nothing is written here by hand: what the pages say is what the engine uses, with its source and
whether somebody has read it there ("verified") or not yet ("to be confirmed").
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined

from ops.law_pages.facts import facts_of
from ops.law_pages.words import cell, fee, link, mark, span

# What a playbook can be of; cross-border stands under EU.
JURISDICTIONS: Final = ("FI", "FR", "DE", "GB", "SE", "US", "EU")


def pages() -> dict[str, str]:
    """File name -> Markdown, the index first. The same data give the same text."""
    around = Environment(
        loader=PackageLoader("ops.law_pages", "."),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # Markdown, not HTML  # noqa: S701
    )
    around.filters |= {"cell": cell, "fee": fee, "link": link, "mark": mark, "span": span}
    found = {place: facts_of(place) for place in JURISDICTIONS}
    written = {"README.md": around.get_template("index.md.jinja").render(places=found)}
    for place, facts in found.items():
        text = around.get_template("page.md.jinja").render(place=place, **facts)
        written[f"{place.lower()}.md"] = text
    return written


def write(folder: Path) -> list[Path]:
    """Every page into `folder`; a page of a jurisdiction that is gone is removed."""
    folder.mkdir(parents=True, exist_ok=True)
    new = pages()
    for old in folder.glob("*.md"):
        if old.name not in new:
            old.unlink()
    for name, text in new.items():
        (folder / name).write_text(text, "utf-8")
    return [folder / name for name in new]
