"""The playbooks in force: the one of a key, the one for a claim, its working days."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from app.domain.counting import Calendar
from app.domain.errors import NotFound
from app.domain.playbook import Body, Playbook
from app.law import reference
from app.law.calendar import calendar_for
from app.playbooks import loader
from app.playbooks.bodies import BodyUnusable, body_of
from app.playbooks.schema import ANY_KIND, ANYWHERE, UNION

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


def for_case(key: str, bodies: Sequence[str]) -> Playbook:
    """The pinned playbook with the chain of bodies that the case names; none: its own chain.

    A body that must have been asked before another is put before it. Raises NotFound."""
    return _with_bodies(key, tuple(bodies)) if bodies else get(key)


@cache
def _with_bodies(key: str, named: tuple[str, ...]) -> Playbook:
    playbook = get(key)
    chain: dict[str, Body] = {}
    for name in named:
        made = body(name, playbook)
        if made.needs_body is not None and made.needs_body not in chain:
            chain[made.needs_body] = body(made.needs_body, playbook)
        chain[name] = made
    return replace(playbook, bodies=tuple(chain.values()), bodies_by_case=False)


def body(name: str, playbook: Playbook) -> Body:
    """A body as this playbook has it, else as another one in force has it, else by its record.

    Raises NotFound for an id the law files do not know, or that takes no complaints."""
    for one in (playbook, *playbooks().values()):
        found = next((b for b in one.bodies if b.id == name and not one.draft), None)
        if found is not None:
            return found
    try:
        return body_of(name, playbook.ladder[-1].wait)
    except (KeyError, BodyUnusable):
        raise NotFound(f"there is no body {name} to complain to", code="body_not_found") from None


def choose(*, claim_kind: str, jurisdiction: str, on: date) -> Playbook:
    """The playbook for a claim on a day: most exact place and kind first, newest version first.

    A place may be a state (`US-CA`); it falls back to its country, in the Union
    to the playbook of its other places, then to the generic one. Drafts are never chosen.
    """
    country = jurisdiction.partition("-")[0]
    union = (UNION,) if country in reference.routing()["eu"] else ()
    for place in dict.fromkeys((jurisdiction, country, *union, ANYWHERE)):
        for kind in (claim_kind, ANY_KIND):
            fits = [
                b
                for b in playbooks().values()
                if b.jurisdiction == place and kind in b.claim_kinds and _in_force(b, on)
            ]
            if fits:
                return max(fits, key=lambda b: b.version)
    raise NotFound(f"no playbook was in force on {on.isoformat()}", code="playbook_not_found")


def place_of_law(jurisdiction: str, answers: Mapping[str, Any]) -> str:
    """The jurisdiction of a claim, or the part of it where the thing was to be done, as the answer
    `place` says (US-CA). Nothing else tells the state: without it the country's law stands."""
    place = answers.get("place")
    inside = isinstance(place, str) and place.startswith(f"{jurisdiction}-")
    return place if isinstance(place, str) and inside else jurisdiction


def local_day(key: str, at: datetime) -> date:
    """The day it is where the statute of a playbook runs."""
    return at.astimezone(ZoneInfo(get(key).zone)).date()


def _in_force(book: Playbook, on: date) -> bool:
    ended = book.effective_to is not None and on >= book.effective_to
    begun = book.effective_from is not None and book.effective_from <= on
    return begun and not book.draft and not ended


def calendar(playbook: Playbook) -> Calendar:
    """The working days a playbook's periods are counted with; across the Union its bank's."""
    place = ANYWHERE if playbook.jurisdiction == UNION else playbook.jurisdiction
    return calendar_for(place, playbook.regime.id)
