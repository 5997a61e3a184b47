"""Playbook files, read and checked whole: bad data is refused with file, line, path and reason.

Every file under `data/<jurisdiction>/` is one version of one playbook for one family of claims
(docs/decisions/0020-playbook-format.md). Nothing of any one country stands in code.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

import yaml
from pydantic import ValidationError

from app.domain.errors import InvalidInput
from app.domain.playbook import Playbook
from app.law.calendar import has_calendar
from app.law.records import line_of
from app.playbooks import review
from app.playbooks.build import Unbuildable, build
from app.playbooks.schema import ANY_KIND, ANYWHERE, UNION, FileIn

DATA: Final = Path(__file__).with_name("data")
FILE_BYTES_MAX: Final = 256_000  # a playbook is pages, not megabytes


class PlaybookInvalid(InvalidInput):
    """Playbook files cannot be used; each line of the message is `file:line: path: what`."""

    code = "playbook_invalid"


@dataclass(frozen=True, slots=True)
class File:
    """One file as read: its name, its YAML tree for line numbers, its checked content."""

    name: str
    node: yaml.Node
    content: FileIn

    @property
    def key(self) -> str:
        return f"{self.content.id}@{self.content.version}"

    def fault(self, path: Sequence[Any], why: str) -> str:
        return _fault(self.name, self.node, path, why)


def load(folder: Path = DATA) -> dict[str, Playbook]:
    """Every playbook of a folder by its key. Raises PlaybookInvalid with all faults."""
    books, faults = check(texts_of(folder))
    general = [b for b in books.values() if b.jurisdiction == ANYWHERE and not b.draft]
    if not faults and not any(ANY_KIND in b.claim_kinds for b in general):
        faults = [f"{folder.name}: no playbook for whatever has none of its own"]
    if faults:
        raise PlaybookInvalid("\n".join(faults))
    return books


def texts_of(folder: Path) -> dict[str, str]:
    """The files of a folder by their place in it."""
    return {
        path.relative_to(folder).as_posix(): path.read_text("utf-8")
        for path in sorted(folder.rglob("*.yaml"))
    }


def check(
    texts: Mapping[str, str], beside: Mapping[str, str] | None = None
) -> tuple[dict[str, Playbook], list[str]]:
    """The playbooks of `texts` (name -> YAML) and every fault found in them. `beside` are good
    files that they may extend and must not overlap; a file of the same key replaces one there."""
    faults: list[str] = []
    files = [f for name, text in texts.items() if (f := _read(name, text, faults))]
    own = {f.key for f in files}
    files += [
        f
        for name, text in (beside or {}).items()
        if (f := _read(name, text, faults)) and f.key not in own
    ]
    by_key: dict[str, File] = {}
    for file in files:
        if file.key in by_key:
            other = by_key[file.key].name
            faults.append(file.fault(("id",), f"{file.key} stands in {other} too"))
        by_key.setdefault(file.key, file)
    books: dict[str, Playbook] = {}
    for key, file in by_key.items():
        if (book := _built(file, by_key, faults)) is not None:
            books[key] = book
    faults += _overlaps(by_key, books)
    return {k: b for k, b in books.items() if k in own}, faults


def _read(name: str, text: str, faults: list[str]) -> File | None:
    if len(text.encode()) > FILE_BYTES_MAX:
        faults.append(f"{name}:1: larger than {FILE_BYTES_MAX} bytes")
        return None
    try:
        reader = yaml.CSafeLoader(text)  # the tree and its content from one reading
        node = reader.get_single_node()
        data = reader.construct_document(node) if node is not None else None
    except yaml.YAMLError as broken:
        mark = getattr(broken, "problem_mark", None)
        line = mark.line + 1 if mark else 1
        faults.append(f"{name}:{line}: not YAML: {getattr(broken, 'problem', broken)}")
        return None
    if node is None:
        faults.append(f"{name}:1: the file is empty")
        return None
    twice = [f"{name}:{line}: {key} stands here twice" for line, key in _doubled(node)]
    try:
        content = FileIn.model_validate(data)
    except ValidationError as invalid:
        faults += twice + [_fault(name, node, e["loc"], e["msg"]) for e in invalid.errors()]
        return None
    faults += twice
    return None if twice else File(name, node, content)


def _built(file: File, by_key: Mapping[str, File], faults: list[str]) -> Playbook | None:
    base = None
    if (name := file.content.extends) is not None:
        above = by_key.get(name)
        if above is None:
            faults.append(file.fault(("extends",), f"there is no playbook {name} to extend"))
            return None
        if above.content.extends is not None:
            why = f"{name} itself extends {above.content.extends}: one level only"
            faults.append(file.fault(("extends",), why))
            return None
        base = above.content
    place = file.content.jurisdiction or (base and base.jurisdiction)
    assert place, "a base was checked to be complete"
    if place != UNION and not has_calendar(place):
        faults.append(file.fault(("jurisdiction",), f"no calendar of working days for {place}"))
        return None
    try:
        built = build(file.content, base)
    except Unbuildable as wrong:
        faults.append(file.fault(wrong.path, wrong.why))
        return None
    if file.content.review is not None:
        old = list(review.stale(built, file.content.review.covers))
        faults += [file.fault(("review", "covers"), why) for why in old]
        return None if old else built
    return built


def _overlaps(files: Mapping[str, File], books: Mapping[str, Playbook]) -> Iterator[str]:
    """Two that would both be in force on one day for one place and kind."""
    used = [b for b in books.values() if not b.draft]
    for n, one in enumerate(used):
        for other in used[n + 1 :]:
            kinds = set(one.claim_kinds) & set(other.claim_kinds)
            if one.jurisdiction != other.jurisdiction or not kinds or not _together(one, other):
                continue
            why = (
                f"{one.key} and {other.key} ({files[other.key].name}) are both in force for"
                f" {', '.join(sorted(kinds))} in {one.jurisdiction}"
                f" from {max(_first(one), _first(other))}"
            )
            yield files[one.key].fault(("effective_from",), why)


def _together(one: Playbook, other: Playbook) -> bool:
    return _first(one) < _end(other) and _first(other) < _end(one)


def _first(book: Playbook) -> date:
    assert book.effective_from is not None, "only drafts have no first day"
    return book.effective_from


def _end(book: Playbook) -> date:
    return book.effective_to or date.max


def _fault(name: str, node: yaml.Node | None, path: Sequence[Any], why: str) -> str:
    where = ".".join(str(part) for part in path) or "the whole file"
    return f"{name}:{line_of(node, tuple(path))}: {where}: {why}"


def _doubled(node: yaml.Node) -> Iterator[tuple[int, str]]:
    """Keys that YAML would silently let the last of win."""
    if isinstance(node, yaml.MappingNode):
        seen = set()
        for key, value in node.value:
            if key.value in seen:
                yield key.start_mark.line + 1, key.value
            seen.add(key.value)
            yield from _doubled(value)
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _doubled(item)
