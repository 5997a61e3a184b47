"""The playbooks in force: the one of a key, the one for a claim, its working days."""

from __future__ import annotations

from datetime import date
from functools import cache

from app.domain.counting import Calendar
from app.domain.errors import NotFound
from app.domain.playbook import Playbook
from app.law.calendar import calendar_for
from app.playbooks import loader

GENERIC = "house.generic@1"


@cache
def playbooks() -> dict[str, Playbook]:
    """All built-in playbooks by key; read and checked once per process."""
    return loader.load()


def get(key: str) -> Playbook:
    """The pinned version `id@version`, also when a newer one is in force."""
    try:
        return playbooks()[key]
    except KeyError:
        raise NotFound(f"there is no playbook {key}", code="playbook_not_found") from None


def choose(*, claim_kind: str, jurisdiction: str, on: date) -> Playbook:
    """The playbook for a claim on a day: most exact place and kind first, newest version first.

    A place may be a state (`US-CA`); it falls back to its country, then to the generic playbook.
    """
    country = jurisdiction.partition("-")[0]
    for place in dict.fromkeys((jurisdiction, country, loader.ANYWHERE)):
        for kind in (claim_kind, loader.ANY_KIND):
            fits = [
                b
                for b in playbooks().values()
                if b.jurisdiction == place and kind in b.claim_kinds and _in_force(b, on)
            ]
            if fits:
                return max(fits, key=lambda b: b.version)
    raise NotFound(f"no playbook was in force on {on.isoformat()}", code="playbook_not_found")


def _in_force(book: Playbook, on: date) -> bool:
    ended = book.effective_to is not None and on >= book.effective_to
    begun = book.effective_from is not None and book.effective_from <= on
    return begun and not book.draft and not ended


def calendar(playbook: Playbook) -> Calendar:
    """The working days a playbook's periods are counted with."""
    return calendar_for(playbook.jurisdiction, playbook.regime.id)
