"""The print room of an agency that prints itself: jobs of the print folder in one PDF, each once,
and marked as posted by hand or scanner.

A batch's file appears only when every letter in it is marked. What dies before that leaves marks
without a file; `again` makes the file of a batch from its marks.
"""

from __future__ import annotations

import io
import re
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
from hashlib import sha256
from pathlib import Path
from typing import Final, Literal
from uuid import UUID

import orjson
import pikepdf
from pydantic import BaseModel, ConfigDict, ValidationError

from letters.covers import Cover, counting_pdf, covers_pdf
from letters.errors import LetterUnprintable
from workers.providers.folder import OtherBytes, put_once
from workers.providers.post import PrintFolder

LETTERS_MAX: Final = 200  # of a batch: about 1,000 sheets, what a person folds in a morning
KEY_CHARS_MIN: Final = 8  # of a key that is typed in part
TRACKING: Final = re.compile(r"[0-9A-Z][0-9A-Z -]{3,39}")  # UPU S10 has 13 characters, others more
State = Literal["waiting", "printed", "posted", "recalled"]


class NotDone(Exception):
    """What the person at the printer must know; one sentence, without an address."""


class _Job(BaseModel):
    """The JSON beside a PDF: what `PostJob` says of it."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    address_lines: tuple[str, ...]
    reference: str
    sha256: str
    registered: bool = False


class _Mark(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")
    batch: str
    number: int


@dataclass(frozen=True, slots=True)
class Line:
    """One job as `list` shows it; `batch` where it was printed here, `posted` as a sentence."""

    key: UUID
    reference: str
    state: State
    registered: bool
    batch: str = ""
    posted: str = ""


@dataclass(frozen=True, slots=True)
class Batch:
    """A printed batch. `left_out` are jobs that cannot be printed, with the reason."""

    name: str
    file: Path | None
    letters: int
    left_out: Mapping[UUID, str]


def jobs(folder: PrintFolder) -> list[Line]:
    """Every complete job, oldest first."""
    return [_line(folder, key) for key in _keys(folder, "json")]


def print_batch(folder: PrintFolder, out: Path, *, now: datetime) -> Batch:
    """One PDF of the jobs that wait, registered ones first; `file` is None when nothing waits."""
    with folder.locked():
        waiting = [line for line in jobs(folder) if line.state == "waiting"]
        waiting.sort(key=lambda line: (not line.registered, line.key))
        chosen = [line.key for line in waiting[:LETTERS_MAX]]
        covers, pdfs, left_out = _readable(folder, chosen)
        name = f"{now:%Y%m%d-%H%M%S}-{covers[0].key.hex[-6:]}" if covers else ""
        if not covers:
            return Batch(name, None, 0, left_out)
        pdf = _bound(name, now.date(), covers, pdfs)
        for cover in covers:
            mark = _Mark(batch=name, number=cover.number).model_dump_json().encode()
            put_once(folder.folder / f"{cover.key}.printed", mark)
    file = out / f"{name}.pdf"
    put_once(file, pdf)
    return Batch(name, file, len(covers), left_out)


def again(folder: PrintFolder, out: Path, batch: str, *, now: datetime) -> Batch:
    """The PDF of a batch printed before, for torn paper or a power cut. Raises NotDone."""
    marks = {key: _mark(folder, key) for key in _keys(folder, "printed")}
    numbers = {key: mark.number for key, mark in marks.items() if mark and mark.batch == batch}
    if not numbers:
        raise NotDone("no letter was printed in a batch of this name")
    covers, pdfs, left_out = _readable(folder, sorted(numbers, key=numbers.__getitem__))
    file = out / f"{batch}-again-{now:%Y%m%d-%H%M%S}.pdf"
    put_once(file, _bound(batch, now.date(), covers, pdfs))
    return Batch(batch, file, len(covers), left_out)


def mark_posted(folder: PrintFolder, given: str, *, on: date, tracking: str | None) -> UUID:
    """Given to the post on this day. `given` is a key, its first characters, or what the barcode
    says. The same mark twice is one. Raises NotDone."""
    key = find_key(folder, given)
    if tracking is not None and not TRACKING.fullmatch(tracking):
        raise NotDone("a tracking number has 4 to 40 capital letters, digits, spaces or hyphens")
    with folder.locked():
        if (folder.folder / f"{key}.recalled").exists():
            raise NotDone("this letter was called back: take it out of the post")
        if not (folder.folder / f"{key}.printed").exists():
            raise NotDone("this letter has not been printed")
        said = orjson.dumps({"on": on.isoformat(), "tracking": tracking})
        try:
            put_once(folder.folder / f"{key}.posted", said)
        except OtherBytes:
            raise NotDone("it is marked already, with another day or number") from None
    return key


def find_key(folder: PrintFolder, given: str) -> UUID:
    """Raises NotDone."""
    typed = given.strip().lower()
    known = _keys(folder, "json")
    if typed.isascii() and typed.isdigit() and len(typed) >= 30:
        found = [key for key in known if key.int == int(typed)]
    elif len(typed) >= KEY_CHARS_MIN:
        found = [key for key in known if str(key).startswith(typed)]
    else:
        raise NotDone(f"give at least {KEY_CHARS_MIN} characters of the key")
    if len(found) != 1:
        raise NotDone("no job has this key" if not found else "several jobs begin like this")
    return found[0]


def unfiled(folder: PrintFolder, limit: int) -> dict[UUID, str]:
    """Posted letters that the worker has not yet written down: when, and under which number."""
    found: dict[UUID, str] = {}
    for key in _keys(folder, "posted"):
        if len(found) < limit and not (folder.folder / f"{key}.filed").exists():
            found[key] = _posted(folder, key)
    return found


def file_away(folder: PrintFolder, keys: Collection[UUID]) -> None:
    for key in keys:
        put_once(folder.folder / f"{key}.filed", b"")


def _keys(folder: PrintFolder, mark: str) -> list[UUID]:
    keys = []
    for path in folder.folder.glob(f"*.{mark}"):
        with suppress(ValueError):  # not ours
            keys.append(UUID(path.stem))
    return sorted(keys)


def _line(folder: PrintFolder, key: UUID) -> Line:
    job = _job(folder, key)
    mark = _mark(folder, key)
    posted = _posted(folder, key)
    state: State = "waiting"
    if (folder.folder / f"{key}.recalled").exists():
        state = "recalled"
    elif posted:
        state = "posted"
    elif (folder.folder / f"{key}.printed").exists():
        state = "printed"
    reference, registered = (job.reference, job.registered) if job else ("unreadable", False)
    return Line(key, reference, state, registered, mark.batch if mark else "", posted)


def _job(folder: PrintFolder, key: UUID) -> _Job | None:
    try:
        return _Job.model_validate_json((folder.folder / f"{key}.json").read_bytes())
    except (OSError, ValidationError):
        return None


def _mark(folder: PrintFolder, key: UUID) -> _Mark | None:
    """None also where another program put an empty mark."""
    try:
        return _Mark.model_validate_json((folder.folder / f"{key}.printed").read_bytes())
    except (OSError, ValidationError):
        return None


def _posted(folder: PrintFolder, key: UUID) -> str:
    try:
        said = orjson.loads((folder.folder / f"{key}.posted").read_bytes())
        return f"on {said['on']}" + (f", number {said['tracking']}" if said["tracking"] else "")
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def _readable(
    folder: PrintFolder, keys: Iterable[UUID]
) -> tuple[list[Cover], list[bytes], dict[UUID, str]]:
    """Covers and letters in this order, and what cannot be printed: nothing of it is marked."""
    covers: list[Cover] = []
    pdfs: list[bytes] = []
    left_out: dict[UUID, str] = {}
    for key in keys:
        try:
            cover, pdf = _letter(folder, key, len(covers) + 1)
        except NotDone as problem:
            left_out[key] = str(problem)
        else:
            covers.append(cover)
            pdfs.append(pdf)
    return covers, pdfs, left_out


def _letter(folder: PrintFolder, key: UUID, number: int) -> tuple[Cover, bytes]:
    job = _job(folder, key)
    if job is None:
        raise NotDone("its description cannot be read")
    try:
        pdf = (folder.folder / f"{key}.pdf").read_bytes()
        if sha256(pdf).hexdigest() != job.sha256:
            raise NotDone("its file is not the one that was approved")
        with pikepdf.open(io.BytesIO(pdf)) as opened:
            pages = len(opened.pages)
        cover = Cover(number, key, job.address_lines, job.reference, pages, job.registered)
        covers_pdf([cover])
    except (OSError, pikepdf.PdfError):
        raise NotDone("its file cannot be read") from None
    except LetterUnprintable:
        raise NotDone("its address has characters the font cannot print") from None
    return cover, pdf


def _bound(batch: str, day: date, covers: list[Cover], pdfs: list[bytes]) -> bytes:
    """Counting sheet, then each cover before its letter."""
    with pikepdf.new() as bound:
        _append(bound, counting_pdf(batch, day.isoformat(), covers))
        with pikepdf.open(io.BytesIO(covers_pdf(covers))) as fronts:
            for front, pdf in zip(fronts.pages, pdfs, strict=True):
                bound.pages.append(front)
                _append(bound, pdf)
        out = io.BytesIO()
        bound.save(out, deterministic_id=True)
        return out.getvalue()


def _append(bound: pikepdf.Pdf, pdf: bytes) -> None:
    with pikepdf.open(io.BytesIO(pdf)) as opened:
        bound.pages.extend(opened.pages)
