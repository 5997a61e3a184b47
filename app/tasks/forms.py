"""The words and operations of each kind of task (forms.yaml), loaded once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

import yaml

from app.domain.decision import TaskKind

_FILE: Final = Path(__file__).with_name("forms.yaml")

# Work that no event of the ladder ends: a person says what was done.
ENDED_BY_HAND: Final = frozenset(
    {
        TaskKind.LEGAL,
        TaskKind.INCIDENT,
        TaskKind.LIMITATION,
        TaskKind.BODY_LIMIT,
        TaskKind.CALL_CONSUMER,
        TaskKind.ANSWER_COMPANY,
        TaskKind.AGENCY_LATE,
        TaskKind.CARE,
        TaskKind.COMPLAINT_ABOUT_US,
        TaskKind.INSOLVENCY_NOTICE,
        TaskKind.DIRECT_FIRST,
        TaskKind.FEED_SILENT,
        TaskKind.RATE_MISSING,
        TaskKind.PROMISE_BROKEN,  # the ladder went on by itself; somebody looked and talked to them
    }
)


@dataclass(frozen=True, slots=True)
class Operation:
    id: str
    method: str
    path: str
    what: str


@dataclass(frozen=True, slots=True)
class Form:
    title: str
    happened: str
    operations: tuple[Operation, ...]


@dataclass(frozen=True, slots=True)
class Forms:
    kinds: Mapping[str, Form]
    reasons: Mapping[str, str]
    operations: Mapping[str, Operation]

    def form(self, kind: str) -> Form:
        """A kind this code has no words for yet reads as itself, so that no queue stops."""
        return self.kinds.get(kind) or Form(kind.replace("_", " ").capitalize(), "", ())

    def reason(self, code: str) -> str:
        """The words of a priority's reason; an unknown code reads as itself. What follows a colon
        is what it is about, as it stands (`rate_missing:fi_viitekorko`)."""
        name, _, about = code.partition(":")
        words = self.reasons.get(name, name.replace("_", " "))
        return f"{words}: {about}" if about else words


@lru_cache(maxsize=1)
def forms() -> Forms:
    data = yaml.safe_load(_FILE.read_text("utf-8"))
    operations = {name: Operation(name, *spec) for name, spec in data["operations"].items()}
    kinds = {
        kind: Form(
            form["title"], form["happened"], tuple(operations[o] for o in form["operations"])
        )
        for kind, form in data["kinds"].items()
    }
    return Forms(kinds, data["reasons"], operations)
