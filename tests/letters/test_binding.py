"""Exhibits become one PDF: complete, numbered, the same every time, and nothing in it acts."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pikepdf
import pytest
from PIL import Image

from letters.binding import JPEG, MAIL, PDF, PNG, TEXT, Item, Unreadable, bind, count
from letters.errors import RenderFailed
from letters.inspection import page_text
from letters.plain import plain_pdf
from workers import binding as worker

WORDS: dict[str, Any] = {
    "stamp": "Exhibit {label}, page {page} of {pages}", "run": "RC-0C7K2M9Q · {at}/{all}",
    "title": "Exhibits", "language": "en", "index_title": "Index", "size_max": 10_000_000,
}  # fmt: skip


@pytest.fixture
def papers(tmp_path: Path) -> list[Item]:
    (tmp_path / "index.pdf").write_bytes(plain_pdf(["What is in here"]))
    (tmp_path / "a").write_bytes(plain_pdf([f"contract line {n}" for n in range(120)]))
    picture = Image.new("RGB", (300, 200), "red")
    picture.save(tmp_path / "b", "JPEG", exif=_turned(picture))
    Image.new("RGBA", (40, 400), (0, 0, 255, 128)).save(tmp_path / "c", "PNG")
    (tmp_path / "d").write_bytes("Grüße, Ωμέγα, 🛫 and more".encode())
    (tmp_path / "e").write_bytes(b"From: a@b.test\nSubject: no\n\nWe refuse.")
    kinds = {"a": PDF, "b": JPEG, "c": PNG, "d": TEXT, "e": MAIL}
    return [
        Item(tmp_path / name, kind, str(at), f"Paper {name}")
        for at, (name, kind) in enumerate(kinds.items(), start=1)
    ]


def _turned(image: Image.Image) -> Image.Exif:
    found = image.getexif()
    found[0x0112] = 6  # a photo taken sideways
    return found


def test_a_bundle_holds_every_page_numbered_bookmarked_and_the_same_each_time(
    papers: list[Item], tmp_path: Path
) -> None:
    index = tmp_path / "index.pdf"
    [part] = bind(index, papers, out=tmp_path, **WORDS)
    first = (tmp_path / "part-1.pdf").read_bytes()
    assert part == {"pages": 8, "size_bytes": len(first)}
    bind(index, papers, out=tmp_path, **WORDS)
    assert first == (tmp_path / "part-1.pdf").read_bytes()
    with pikepdf.open(io.BytesIO(first)) as made:
        assert [str(page.mediabox) for page in made.pages] == [str(made.pages[0].mediabox)] * 8
        with made.open_outline() as outline:
            assert [entry.title for entry in outline.root] == [
                "Index", *(f"{item.label}. {item.title}" for item in papers),
            ]  # fmt: skip
        assert made.Root.Lang == "en" and made.docinfo["/Title"] == "Exhibits"
        form = made.pages[3].Resources.XObject["/Stamp"]
        stamp = made.add_blank_page()  # the form read as the page it was made of
        stamp.obj.Resources, stamp.obj.Contents = (
            form.Resources,
            made.make_stream(form.read_bytes()),
        )
        assert page_text(stamp) == "RC-0C7K2M9Q · 4/8  Exhibit 1, page 3 of 3"


def test_parts_keep_the_limit_and_lose_no_page(papers: list[Item], tmp_path: Path) -> None:
    whole = bind(tmp_path / "index.pdf", papers, out=tmp_path, **WORDS)[0]["size_bytes"]
    limit = int(whole * 0.97)
    parts = bind(tmp_path / "index.pdf", papers, out=tmp_path, **WORDS | {"size_max": limit})
    assert len(parts) > 1 and sum(part["pages"] for part in parts) == 8
    assert all(part["size_bytes"] <= limit or part["pages"] == 1 for part in parts)


def test_what_cannot_be_bound_says_why(tmp_path: Path) -> None:
    with pikepdf.new() as locked:
        locked.add_blank_page()
        locked.save(tmp_path / "locked", encryption=pikepdf.Encryption(owner="a", user="b"))
    (tmp_path / "broken").write_bytes(b"%PDF-1.7 not really")
    (tmp_path / "picture").write_bytes(b"\xff\xd8\xff no picture")
    (tmp_path / "office").write_bytes(b"PK\x03\x04")
    for name, kind, why in (
        ("locked", PDF, "encrypted"), ("broken", PDF, "damaged"), ("picture", JPEG, "damaged"),
        ("office", "application/vnd.oasis.opendocument.text", "not_convertible"),
    ):  # fmt: skip
        with pytest.raises(Unreadable) as refused:
            count(Item(tmp_path / name, kind, "1", name))
        assert refused.value.why == why


def test_nothing_that_acts_comes_along(tmp_path: Path) -> None:
    with pikepdf.new() as evil:
        page = evil.add_blank_page()
        act = pikepdf.Dictionary(S=pikepdf.Name.JavaScript, JS="app.alert(1)")
        evil.Root.OpenAction = act
        page.obj.AA = pikepdf.Dictionary(O=act)
        link = pikepdf.Dictionary(
            Type=pikepdf.Name.Annot, Subtype=pikepdf.Name.Link, Rect=[0, 0, 9, 9], A=act
        )
        page.obj.Annots = evil.make_indirect(pikepdf.Array([link]))
        evil.attachments["x.exe"] = b"MZ"
        evil.save(tmp_path / "evil")
    (tmp_path / "index.pdf").write_bytes(plain_pdf(["index"]))
    bind(tmp_path / "index.pdf", [Item(tmp_path / "evil", PDF, "1", "x")], out=tmp_path, **WORDS)
    with pikepdf.open(tmp_path / "part-1.pdf") as made:
        for thing in made.objects:
            if isinstance(thing, pikepdf.Dictionary | pikepdf.Stream):
                assert not set(thing.keys()) & {"/JS", "/AA", "/OpenAction", "/Annots", "/EF"}


async def test_the_child_counts_and_binds_and_its_death_is_an_error(
    papers: list[Item], tmp_path: Path
) -> None:
    items = [
        worker.Exhibit(item.file.name, item.media_type, item.label, item.title) for item in papers
    ]
    counted = await worker.count(tmp_path, [*items, worker.Exhibit("index.pdf", "x/y", "6", "z")])
    assert counted == [
        (3, None),
        (1, None),
        (1, None),
        (1, None),
        (1, None),
        (0, "not_convertible"),
    ]
    [(path, pages)] = await worker.bind(tmp_path, items, WORDS)
    assert pages == 8
    with pikepdf.open(path) as made:
        assert len(made.pages) == 8
    with pytest.raises(RenderFailed):  # a job that is none ends the child, and says so
        await worker.bind(tmp_path, items, {"no": "words"})
