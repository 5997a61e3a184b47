"""What one jurisdiction's page shows, gathered from the data files and the playbooks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

import yaml

from app.domain.interest.rates import Series
from app.domain.playbook import Playbook
from app.law.interest import interest_law
from app.law.records import DATA
from app.playbooks import book

Record = Mapping[str, Any]


def facts_of(place: str) -> dict[str, Any]:
    """Playbooks, periods, bodies, grounds, limitation, notices, interest and licence of a place."""
    books = [b for b in _books() if b.jurisdiction.partition("-")[0] == place]
    return {
        "books": books,
        "ladders": {b.key: b.ladder for b in books},
        "eu": _file("routing.yaml")["eu"],
        "regimes": _regimes(place, books),
        "closed_days": [
            d | {"what": what}
            for what in ("closed", "open")
            for d in _file("holidays.yaml")[what]
            if d["country"] == place
        ],
        "bodies": _here(_file("adr_bodies.yaml")["bodies"], place),
        "grounds": _here(_file("claim_kinds.yaml")["rules"], place, everywhere=True),
        "limitation": _here(_file("claim_kinds.yaml")["limitation"], place),
        "cross_border": _file("claim_kinds.yaml")["cross_border"] if place == "EU" else [],
        "formulas": [f for f in _file("interest.yaml")["formulas"] if _of(f, place)],
        "series": [s for s in _file("interest.yaml")["series"] if _of(s, place) and s["values"]],
        "gaps": [f"{s.id}: {m}" for s in _series(place) for m in _missing(s)],
        "licence": _here(_file("adr_bodies.yaml")["agent_rules"], place, everywhere=True),
    }


@cache
def _file(name: str) -> Any:
    return yaml.load((DATA / name).read_text("utf-8"), Loader=yaml.CSafeLoader)


def _books() -> list[Playbook]:
    return sorted(
        book.playbooks().values(),
        key=lambda b: (b.jurisdiction, b.family != "any", b.family, b.key),
    )


def _of(record: Record, place: str) -> bool:
    return str(record["jurisdiction"]).partition("-")[0] == place


def _here(records: Iterable[Record], place: str, *, everywhere: bool = False) -> list[Record]:
    """Records of the place and its parts; with `everywhere` also those that hold in all of them."""
    wide = ("INT", "ALL") if everywhere else ()
    return [r for r in records if _of(r, place) or r["jurisdiction"] in wide]


def _regimes(place: str, books: list[Playbook]) -> list[Record]:
    used = {b.regime.id for b in books}
    found = _file("regimes.yaml")["regimes"]
    return [r for r in found if r["id"] in used or r["id"].startswith(f"{place}_")]


def _series(place: str) -> list[Series]:
    law = interest_law()
    names = {f.get("series") for f in _file("interest.yaml")["formulas"] if _of(f, place)}
    return [law.series[name] for name in sorted(n for n in names if n and n in law.series)]


def _missing(series: Series) -> list[str]:
    return [
        f"{rate.first.isoformat()} to {rate.last.isoformat()}"
        for rate in series.rates
        if rate.value is None
    ]
