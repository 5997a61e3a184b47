"""The records of the law files by their ids, as read: bodies, rules, limitation, letters, facts.

Typed readers stand beside their files; this is what cross-references are checked and quoted with.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import yaml

from app.law.records import DATA

Record = Mapping[str, Any]


@cache
def document(name: str) -> Any:
    """A file of app/law/data, parsed once per process."""
    return yaml.load((DATA / name).read_text("utf-8"), Loader=yaml.CSafeLoader)


@cache
def bodies() -> Mapping[str, Record]:
    return _by_id(document("adr_bodies.yaml")["bodies"])


@cache
def licences() -> Mapping[str, Record]:
    """What an agency needs before it may demand money: `agent.*`."""
    return _by_id(document("adr_bodies.yaml")["agent_rules"])


@cache
def claim_rules() -> Mapping[str, Record]:
    return _by_id(document("claim_kinds.yaml")["rules"])


@cache
def limitations() -> Mapping[str, Record]:
    return _by_id(document("claim_kinds.yaml")["limitation"])


@cache
def notices() -> Mapping[str, Record]:
    """The letters of each country by their ids."""
    return _by_id(document("formal_notice.yaml")["notices"])


@cache
def routing() -> Record:
    found: Record = document("routing.yaml")
    return found


@cache
def claim_kinds() -> tuple[str, ...]:
    return tuple(document("facts.yaml")["kinds"])


@cache
def facts_of(kind: str) -> frozenset[str]:
    """The keys of the answers that an intake of this kind may hold."""
    file = document("facts.yaml")
    return frozenset(f["key"] for f in (*file["common"], *file["kinds"][kind]["facts"]))


@cache
def record(rule: str) -> Record | None:
    """Whatever record bears this id, with its `source` and `verified`."""
    for group in (bodies(), licences(), claim_rules(), limitations(), notices()):
        if rule in group:
            return group[rule]
    return None


def _by_id(records: Any) -> Mapping[str, Record]:
    return {str(r["id"]): r for r in records}
