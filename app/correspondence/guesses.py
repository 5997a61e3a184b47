"""Which cases a mail may be about that nothing places for certain: ranked, each with its reasons.

A guess files nothing. A person sees it beside the mail, and a good one holds the case still until
the mail is placed: the company's answer may lie in the pen.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.errors import InvalidInput
from app.domain.reference import parse_reference

GUESSES_MAX: Final = 5
TOKENS_MAX: Final = 200  # words that may be a booking number; a longer mail is not searched further
CHARACTERS_SEARCHED: Final = 20_000
# What a reason weighs. One of the first three alone makes a guess plausible.
WEIGHTS: Final = {
    "carries_proof": 9,
    "names_reference": 8,
    "names_booking": 5,
    "from_consumer": 3,
    "from_company": 2,
}
PLAUSIBLE_FROM: Final = 5
_REFERENCE = re.compile(r"(?i)\bRC[- ]?([0-9A-Z]{4})[- ]?([0-9A-Z]{4})\b")
_TOKEN = re.compile(r"\b[A-Z0-9](?:[A-Z0-9/-]{3,38})[A-Z0-9]\b")
_FIND = text("""
    SELECT id, 'names_reference' AS why FROM cases WHERE reference = ANY(:references)
    UNION ALL
    (SELECT id, 'names_booking' FROM cases
      WHERE booking_ref = ANY(:tokens) AND stage <> 'closed' ORDER BY id DESC LIMIT :most)
    UNION ALL
    (SELECT c.id, 'from_consumer' FROM consumers u
       JOIN claimants p ON p.consumer_id = u.id JOIN cases c ON c.id = p.case_id
      WHERE u.email = :sender AND c.stage <> 'closed' ORDER BY c.id DESC LIMIT :most)
    UNION ALL
    (SELECT c.id, 'from_company' FROM (
        SELECT company_id FROM channels WHERE kind = 'email' AND lower(address) = :sender
        UNION SELECT company_id FROM learned_senders WHERE address = :sender AND NOT blocked) s
       JOIN cases c ON c.company_id = s.company_id AND c.stage <> 'closed'
      ORDER BY c.id DESC LIMIT :most)
""")


@dataclass(slots=True)
class Guess:
    case_id: UUID
    why: list[str] = field(default_factory=list)

    @property
    def score(self) -> int:
        return sum(WEIGHTS[reason] for reason in self.why)

    def document(self) -> dict[str, Any]:
        return {"case_id": str(self.case_id), "score": self.score, "why": self.why}


async def guess(
    session: AsyncSession,
    *,
    subject: str,
    words: str,
    sender: str | None,
    proven: Collection[UUID] = (),
) -> list[Guess]:
    """Best first, at most five. `proven`: cases whose proofs the mail carries, which disagree."""
    searched = f"{subject}\n{words[:CHARACTERS_SEARCHED]}"
    rows = await session.execute(_FIND, {
        "references": references_in(searched), "tokens": tokens_in(searched),
        "sender": (sender or "").lower(), "most": GUESSES_MAX + 1,
    })  # fmt: skip
    found = {case_id: Guess(case_id, ["carries_proof"]) for case_id in proven}
    for case_id, why in rows:
        found.setdefault(case_id, Guess(case_id)).why.append(why)
    return sorted(found.values(), key=lambda g: (-g.score, str(g.case_id)))[:GUESSES_MAX]


def plausible(found: list[Guess]) -> list[Guess]:
    """Those that hold their case still: named by a number of it, or the only one it can be."""
    named = [one for one in found if one.score >= PLAUSIBLE_FROM]
    return named or (found if len(found) == 1 else [])


def references_in(words: str) -> list[str]:
    """Our references, as people and machines write them; a slip of a sign is caught by the check
    character."""
    return _unique(_references(words))


def tokens_in(words: str) -> list[str]:
    """What may be a booking or order number: five signs or more, with a digit."""
    tokens = (found[0] for found in _TOKEN.finditer(words.upper()))
    return _unique(t for t in tokens if any(c.isdigit() for c in t))


def _references(words: str) -> Iterable[str]:
    for found in _REFERENCE.finditer(words):
        try:
            yield parse_reference(f"RC-{found[1]}-{found[2]}")
        except InvalidInput:
            continue


def _unique(found: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(found))[:TOKENS_MAX]
