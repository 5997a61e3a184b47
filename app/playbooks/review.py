"""A named person approves what a playbook version holds that nobody has read in a source.

The approval covers those records as they were read, each by the hash of what it says. A record that
changes afterwards, or another unverified one that joins, makes the file refuse to load until it is
reviewed again: nothing unread ever works under an old name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from typing import Any, Final

import orjson
import yaml

from app.domain.errors import InvalidInput
from app.domain.playbook import Playbook
from app.law import reference

DIGEST_CHARS: Final = 16
NAME: Final = re.compile(r"[^\W\d_][\w .,'’-]{1,98}[\w.]")
_NOBODY: Final = frozenset({"house", "nobody", "unknown", "none", "null", "recourse", "agency"})
_REVIEW: Final = re.compile(r"^review:.*\n(?:[ \t]+.*\n)*", re.MULTILINE)
_BY: Final = re.compile(r"^reviewed_by:.*\n", re.MULTILINE)
_LAST: Final = re.compile(r"^last_reviewed:.*$", re.MULTILINE)


class ReviewRefused(InvalidInput):
    """Nothing was written; the message says what is missing."""

    code = "review_refused"


@dataclass(frozen=True, slots=True)
class Approval:
    """Who approved, on which day, with which words."""

    by: str
    on: date
    note: str

    def __post_init__(self) -> None:
        if not NAME.fullmatch(self.by) or self.by.casefold() in _NOBODY:
            raise ReviewRefused("name the person who has read it, as A. Virtanen")
        if not 10 <= len(self.note.strip()) <= 300:
            raise ReviewRefused("say in 10 to 300 characters what was read and where")


def digests(playbook: Playbook) -> dict[str, str]:
    """What is unverified in it -> the hash of what its record says now."""
    sources = dict(playbook.sources)
    return {rule: _digest(rule, sources.get(rule, "")) for rule in playbook.unverified}


def _digest(rule: str, source: str) -> str:
    """Of the record of the rule, of the record a single field belongs to, else of its source."""
    record: Any = reference.record(rule) or reference.record(rule.rpartition(".")[0])
    said = orjson.dumps([rule, source, record], option=orjson.OPT_SORT_KEYS, default=str)
    return sha256(said).hexdigest()[:DIGEST_CHARS]


def stale(playbook: Playbook, covers: Mapping[str, str]) -> Iterator[str]:
    """Why an approval does not fit what the records say today."""
    now = digests(playbook)
    for rule in sorted(now.keys() | covers.keys()):
        if rule not in covers:
            yield f"{rule} is unverified and stands outside the review: review it again"
        elif rule not in now:
            yield f"{rule} is not to be confirmed any more: review it again"
        elif covers[rule] != now[rule]:
            yield f"{rule} says something else than what was approved: review it again"


def approved(text: str, playbook: Playbook, approval: Approval) -> str:
    """The file with the approval in it; comments and everything else stay as they are."""
    if not playbook.unverified:
        raise ReviewRefused(f"{playbook.key} holds nothing that is to be confirmed")
    block = {"on": approval.on, "note": approval.note.strip(), "covers": digests(playbook)}
    words = yaml.safe_dump(block, sort_keys=True, allow_unicode=True, width=1_000)
    indented = "".join(f"  {line}\n" for line in words.splitlines())
    by = f"reviewed_by: {yaml.safe_dump(approval.by, allow_unicode=True).splitlines()[0]}\n"
    return _with(text, f"{by}review:\n{indented}", approval.on)


def withdrawn(text: str, on: date) -> str:
    """The file without any approval: what is unverified in it stops working by itself."""
    return _with(text, "reviewed_by: null\n", on)


def _with(text: str, lines: str, on: date) -> str:
    plain = _REVIEW.sub("", text)
    if len(_BY.findall(plain)) != 1 or len(_LAST.findall(plain)) != 1:
        raise ReviewRefused("the file has no line of its own for reviewed_by and last_reviewed")
    dated = _LAST.sub(f"last_reviewed: {on.isoformat()}", plain)
    return _BY.sub(lambda _: lines, dated)
