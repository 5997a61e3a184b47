"""Coded reasons of a refusal and what meets them; what a disputed debt rests on (law data).

Each reason belongs to claim kinds (none: to all) and carries its rule by legal system.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from app.law.reference import document

Texts = dict[str, str]


@dataclass(frozen=True, slots=True)
class Denial:
    """`law`: by legal system, then language; empty where the answer is one of fact alone."""

    id: str
    kinds: tuple[str, ...]
    said: Texts
    answer: Texts
    law: dict[str, Texts]

    def fits(self, kind: str) -> bool:
        """Whether a claim of this kind can be refused for this reason."""
        return not self.kinds or kind in self.kinds

    def rule(self, jurisdiction: str, language: str) -> str | None:
        """The rule that meets it there; None where none is on file."""
        return self.law.get(legal_system(jurisdiction), {}).get(language)


@lru_cache(maxsize=1)
def denials() -> dict[str, Denial]:
    """All reasons by their code, in the order of the file."""
    return {
        row["id"]: Denial(row["id"], tuple(row["kinds"]), row["said"], row["answer"], row["law"])
        for row in document("denials.yaml")["reasons"]
    }


def legal_system(jurisdiction: str) -> str:
    """`EU` for its states, else the country: `US-CA` is of `US`."""
    country = jurisdiction.partition("-")[0]
    systems: dict[str, list[str]] = document("denials.yaml")["systems"]
    return next((name for name, members in systems.items() if country in members), country)


def dispute_ground(jurisdiction: str, addressee: str, language: str) -> str | None:
    """The rule a disputed debt rests on there; None where none is on file."""
    grounds: dict[str, Any] = document("disputes.yaml")["grounds"]
    found = grounds.get(legal_system(jurisdiction), {}).get(addressee, {}).get(language)
    return None if found is None else str(found)


def dispute_answer_days() -> int:
    """Calendar days a collector or bureau is given to answer."""
    return int(document("disputes.yaml")["answer_days"])
