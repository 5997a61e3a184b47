"""What PDF/UA-1 (ISO 14289-1) asks of a finished PDF, as far as its structure tells.

Not a validator: veraPDF (Java) and PAC (Windows) were not obtainable where this was written. These
are their structural checks that pikepdf can answer; reading order and contrast need eyes.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any, Final

import pikepdf

DEPTH_MAX: Final = 100  # of the structure tree: deeper is no document of ours
# Standard structure types (ISO 32000-1, 14.8.4); others need a role map.
STANDARD: Final = frozenset(
    [
        "/Document",
        "/Part",
        "/Art",
        "/Sect",
        "/Div",
        "/BlockQuote",
        "/Caption",
        "/TOC",
        "/TOCI",
        "/Index",
        "/NonStruct",
        "/Private",
        "/P",
        "/H",
        "/H1",
        "/H2",
        "/H3",
        "/H4",
        "/H5",
        "/H6",
        "/L",
        "/LI",
        "/Lbl",
        "/LBody",
        "/Table",
        "/TR",
        "/TH",
        "/TD",
        "/THead",
        "/TBody",
        "/TFoot",
        "/Span",
        "/Quote",
        "/Note",
        "/Reference",
        "/BibEntry",
        "/Code",
        "/Link",
        "/Annot",
        "/Ruby",
        "/Warichu",
        "/Figure",
        "/Formula",
        "/Form",
    ]
)
INSIDE: Final = {
    "/TR": {"/Table", "/THead", "/TBody", "/TFoot"}, "/TH": {"/TR"}, "/TD": {"/TR"}, "/LI": {"/L"},
}  # fmt: skip


def faults_of(pdf: bytes) -> list[str]:
    """Every fault found, in words; empty is the best that can be said."""
    with pikepdf.open(io.BytesIO(pdf)) as document:
        return [*_root(document), *_pages(document), *_tree(document), *_fonts(document)]


def _root(document: pikepdf.Pdf) -> Iterator[str]:
    root: Any = document.Root
    if not root.get("/MarkInfo", {}).get("/Marked", False):
        yield "not marked as tagged"
    if "/StructTreeRoot" not in root:
        yield "no structure tree"
    if not str(root.get("/Lang", "")):
        yield "no language"
    if not root.get("/ViewerPreferences", {}).get("/DisplayDocTitle", False):
        yield "the title is not shown"
    with document.open_metadata(set_pikepdf_as_editor=False) as metadata:
        if not metadata.get("dc:title"):
            yield "no title in the metadata"


def _pages(document: pikepdf.Pdf) -> Iterator[str]:
    for number, page in enumerate(document.pages, start=1):
        if "/StructParents" not in page:
            yield f"page {number}: its content is in no structure"
        if page.get("/Annots") is not None and page.get("/Tabs") != "/S":
            yield f"page {number}: annotations without the order of the structure"


def _tree(document: pikepdf.Pdf) -> Iterator[str]:
    root: Any = document.Root.get("/StructTreeRoot")
    if root is None:
        return
    roles = {str(name): str(role) for name, role in root.get("/RoleMap", {}).items()}
    tables = headed = 0
    heading = 0
    for element, parent in _elements(root, "/StructTreeRoot", 0):
        kind = roles.get(str(element.S), str(element.S))
        if kind not in STANDARD:
            yield f"unknown structure {kind}"
        if kind in INSIDE and parent not in INSIDE[kind]:
            yield f"{kind} inside {parent}"
        if kind == "/Figure" and not str(element.get("/Alt", "")):
            yield "a figure without a text in its place"
        if kind in ("/H1", "/H2", "/H3"):
            level = int(kind[2])
            if level > heading + 1:
                yield f"{kind} after a heading of level {heading}"
            heading = level
        tables += kind == "/Table"
        headed += kind == "/TH"
    if tables and not headed:
        yield "tables without heads"


def _elements(node: Any, parent: str, depth: int) -> Iterator[tuple[Any, str]]:
    if depth > DEPTH_MAX:
        return
    kids = node.get("/K")
    for kid in kids if isinstance(kids, pikepdf.Array) else [kids]:
        if isinstance(kid, pikepdf.Dictionary) and "/S" in kid:
            yield kid, parent
            yield from _elements(kid, str(kid.S), depth + 1)


def _fonts(document: pikepdf.Pdf) -> Iterator[str]:
    for thing in document.objects:
        font = isinstance(thing, pikepdf.Dictionary) and thing.get("/Type") == "/Font"
        if font and thing.get("/Subtype") == "/Type0" and "/ToUnicode" not in thing:
            yield "a font without a text table"
