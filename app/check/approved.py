"""Which unread records may work all the same: those a named reviewer approved in the version of the
playbook that holds for the claim, and in no other."""

from __future__ import annotations

from datetime import date

from app.domain.errors import NotFound
from app.playbooks import book


def approved_records(claim_kind: str, place: str, on: date) -> frozenset[str]:
    """Ids of rules and bodies; none where no playbook is in force, or nobody reviewed it."""
    try:
        found = book.choose(claim_kind=claim_kind, jurisdiction=place, on=on)
    except NotFound:
        return frozenset()
    return frozenset(found.unverified if found.reviewed_by else ())
