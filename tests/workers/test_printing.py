"""An agency prints its own letters: all that wait in one file, each once, and marked as posted."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import UTC, date, datetime
from hashlib import sha256
from pathlib import Path
from uuid import UUID

import pikepdf
import pytest
from typer.testing import CliRunner

from app.ids import new_id
from letters.covers import (
    MM,
    PAGE_MM,
    WINDOW_END_MM,
    WINDOW_LEFT_MM,
    Cover,
    covers_pdf,
    key_digits,
)
from ops.cli import app
from workers.effects.paper import Sheet, sheet_pdf
from workers.printing import (
    NotDone,
    again,
    file_away,
    find_key,
    jobs,
    mark_posted,
    print_batch,
    unfiled,
)
from workers.providers.errors import Refused
from workers.providers.post import PostJob, PrintFolder

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
LINES = ("Łódź Ærlig Oy", "Satama 1", "00100 Helsinki")
Put = Callable[..., UUID]


def no_guard() -> None:
    """The lease is fresh."""


@pytest.fixture
def folder(tmp_path: Path) -> PrintFolder:
    return PrintFolder(tmp_path / "post")


async def put(folder: PrintFolder, *, words: str = "Words", registered: bool = False) -> UUID:
    pdf = sheet_pdf(Sheet(LINES, "RC-1", "Subject", words, "Agency", "today"))
    key = new_id()
    job = PostJob(LINES, "RC-1", sha256(pdf).hexdigest(), registered, "FI")
    await folder.send(job, pdf, key=key, guard=no_guard)
    return key


def states(folder: PrintFolder) -> dict[UUID, str]:
    return {line.key: line.state for line in jobs(folder)}


def pages(file: Path | None) -> int:
    assert file is not None
    with pikepdf.open(file) as opened:
        return len(opened.pages)


async def test_what_waits_is_printed_once_with_a_cover_each_and_a_counting_sheet(
    folder: PrintFolder, tmp_path: Path
) -> None:
    keys = [await put(folder), await put(folder, words="Long " * 2_000), await put(folder)]
    await folder.recall(keys[2], key=new_id(), guard=no_guard)
    first = print_batch(folder, tmp_path, now=NOW)
    assert (first.letters, dict(first.left_out)) == (2, {})
    assert pages(first.file) == 1 + 2 + sum(pages(folder.folder / f"{k}.pdf") for k in keys[:2])
    assert states(folder) == {keys[0]: "printed", keys[1]: "printed", keys[2]: "recalled"}
    assert print_batch(folder, tmp_path, now=NOW).file is None
    with pytest.raises(Refused, match="printed already"):
        await folder.recall(keys[0], key=new_id(), guard=no_guard)


async def test_registered_letters_lie_on_top(folder: PrintFolder, tmp_path: Path) -> None:
    plain, registered = await put(folder), await put(folder, registered=True)
    batch = print_batch(folder, tmp_path, now=NOW)
    assert batch.name.endswith(registered.hex[-6:])
    assert {line.key: line.batch for line in jobs(folder)} == dict.fromkeys(
        (plain, registered), batch.name
    )


async def test_a_letter_whose_bytes_were_changed_is_left_out_and_not_marked(
    folder: PrintFolder, tmp_path: Path
) -> None:
    good, bad = await put(folder), await put(folder)
    (folder.folder / f"{bad}.pdf").write_bytes(b"%PDF another")
    batch = print_batch(folder, tmp_path, now=NOW)
    assert batch.letters == 1 and "approved" in batch.left_out[bad]
    assert states(folder) == {good: "printed", bad: "waiting"}


async def test_a_batch_is_made_again_from_its_marks(folder: PrintFolder, tmp_path: Path) -> None:
    await put(folder)
    batch = print_batch(folder, tmp_path, now=NOW)
    assert batch.file is not None
    before = batch.file.read_bytes()
    batch.file.unlink()  # or the power failed before it was there
    await put(folder)
    made = again(folder, tmp_path, batch.name, now=NOW)
    assert made.file is not None and made.file.read_bytes() == before
    with pytest.raises(NotDone, match="no letter"):
        again(folder, tmp_path, "another", now=NOW)


async def test_a_letter_is_marked_as_posted_by_key_beginning_or_barcode(
    folder: PrintFolder, tmp_path: Path
) -> None:
    key = await put(folder)
    day = date(2026, 3, 2)
    with pytest.raises(NotDone, match="not been printed"):
        mark_posted(folder, str(key), on=day, tracking=None)
    print_batch(folder, tmp_path, now=NOW)
    for given in (str(key), str(key)[:13].upper(), key_digits(key)):
        assert mark_posted(folder, given, on=day, tracking="RR 123 456 785 FI") == key
    with pytest.raises(NotDone, match="marked already"):
        mark_posted(folder, str(key), on=day, tracking=None)
    assert unfiled(folder, 10) == {key: "on 2026-03-02, number RR 123 456 785 FI"}
    file_away(folder, [key])
    assert unfiled(folder, 10) == {}
    assert states(folder) == {key: "posted"}


async def test_a_key_that_is_unclear_and_a_number_that_is_none_are_refused(
    folder: PrintFolder, tmp_path: Path
) -> None:
    key = await put(folder)
    print_batch(folder, tmp_path, now=NOW)
    for given in ("", "0", str(new_id()), "9" * 40):
        with pytest.raises(NotDone):
            find_key(folder, given)
    for number in ("", "rr1234", "A" * 41, "RR\n1234"):
        with pytest.raises(NotDone, match="tracking"):
            mark_posted(folder, str(key), on=NOW.date(), tracking=number)


async def test_a_letter_called_back_is_not_posted(folder: PrintFolder) -> None:
    key = await put(folder)
    await folder.recall(key, key=new_id(), guard=no_guard)
    with pytest.raises(NotDone, match="called back"):
        mark_posted(folder, str(key), on=NOW.date(), tracking=None)


@pytest.mark.parametrize("count", [2, 6, 8])
def test_the_address_stands_inside_the_window(count: int) -> None:
    lines = tuple(f"Line {at}" for at in range(count))
    cover = Cover(1, new_id(), lines, "RC-1", 1, registered=False)
    with pikepdf.open(io.BytesIO(covers_pdf([cover]))) as opened:
        placed = [
            (float(each.operands[0]) / MM, PAGE_MM - float(each.operands[1]) / MM)
            for each in pikepdf.parse_content_stream(opened.pages[0])
            if str(each.operator) == "Td"
        ]
    address = [(x, y) for x, y in placed if abs(x - WINDOW_LEFT_MM) < 0.1][:count]
    assert len(address) == count
    # DIN 5008 form B: the field begins 45 mm below the edge, the window ends at 90 mm.
    assert all(50 < y <= WINDOW_END_MM + 0.1 for _, y in address)


async def test_the_print_room_works_from_the_command_line(
    folder: PrintFolder, tmp_path: Path
) -> None:
    key, runner = await put(folder), CliRunner()
    here = ["--folder", str(folder.folder)]

    def run(*words: str) -> tuple[int, str]:
        done = runner.invoke(app, ["post", *words, *here])
        return done.exit_code, " ".join(done.output.split())

    assert run("print", "--out", str(tmp_path))[1].startswith("1 letters in")
    assert run("print", "--out", str(tmp_path)) == (0, "No letter waits.")
    assert "printed" in run("list")[1]
    assert run("posted", str(key), "--on", "2099-01-01")[0] == 1
    assert run("posted", str(key), "--on", "2026-03-02", "--tracking", "RR123456785FI")[0] == 0
    assert "RR123456785FI" in run("list", "--all")[1]
    assert run("posted", "nothing-like-it")[0] == 1
