"""Which unread records may work all the same: those a named reviewer approved in a playbook."""

from __future__ import annotations

from functools import cache

from app.playbooks.book import playbooks


@cache
def approved_records() -> frozenset[str]:
    """Ids of rules and bodies, of every playbook that names its reviewer."""
    return frozenset(
        rule for book in playbooks().values() if book.reviewed_by for rule in book.unverified
    )
