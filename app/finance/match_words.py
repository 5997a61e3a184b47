"""Why money was set, or not set, against a case, in words of the reader's language."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from app.banking.queries import Candidate, UnallocatedMoney
from app.domain.matching import Reason
from app.finance import bank_schemas as s
from app.texts import Words, words
from app.texts.words import FALLBACK

_POINTS: Final = re.compile(r"([a-z_]+) ([+-]\d+)")


def said_in(language: str | None) -> Words:
    return words(language or FALLBACK)


def step_of(say: Words, step: str, found: str) -> str:
    """What led to the case, and what exactly was found."""
    return f"{say.term('match_steps', step)}: {found}" if found else say.term("match_steps", step)


def reason_out(say: Words, reason: Reason, found: str = "") -> s.MatchReason:
    text = say.say("match_reasons", reason.code, {"found": found, **reason.params})
    return s.MatchReason(code=reason.code, points=reason.points, text=text)


def doubt_of(say: Words, doubt: Reason | None) -> str | None:
    """Why a suggestion is not certain."""
    return say.say("match_doubts", doubt.code, doubt.params) if doubt is not None else None


def told_evidence(say: Words, evidence: Mapping[str, str]) -> list[str]:
    """What is kept with an allocation (banking.matching.evidence_of), as sentences."""
    found = evidence.get("found", "")
    told = [step_of(say, evidence["step"], found)] if "step" in evidence else []
    for code, points in _POINTS.findall(evidence.get("why", "")):
        reason = Reason(code, int(points))
        told.append(f"{reason_out(say, reason, found).text} ({points})")
    return told


def why_unallocated(say: Words, row: UnallocatedMoney, found: list[Candidate]) -> str:
    return say.term("unallocated", _state(row, found))


def _state(row: UnallocatedMoney, found: list[Candidate]) -> str:
    if row.hold in ("waiting", "accepted", "refused") and not row.unallocated.is_zero:
        return f"hold_{row.hold}"
    if not row.to_return.is_zero:
        return "set_aside"
    if not found:
        return "nothing_found"
    if len({c.case_id for c in found}) > 1:
        return "several"
    return "certain" if found[0].confirms else "unsure"
