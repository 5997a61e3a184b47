"""Loads the legal caps of our fee and puts the one of a case into its fee rule."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from pathlib import Path

import yaml

from app.domain.fee_bands import CapBand, LegalCap
from app.domain.settlement import FeeRule

_FILE = Path(__file__).with_name("fee_caps.yaml")


@dataclass(frozen=True, slots=True)
class CapRow:
    """A cap and the cases it holds for."""

    jurisdiction: str
    kinds: frozenset[str]
    currency: str
    since: date
    until: date | None
    cap: LegalCap


@cache
def load_caps() -> tuple[CapRow, ...]:
    """Every cap; read once per process."""
    document = yaml.load(_FILE.read_text("utf-8"), Loader=yaml.CSafeLoader)
    return tuple(
        CapRow(
            row["jurisdiction"], frozenset(row["kinds"]), row["currency"],
            date.fromisoformat(row["since"]),
            date.fromisoformat(row["until"]) if row["until"] else None,
            LegalCap(
                tuple(CapBand(b["below"], b["rate_bp"], b["most"]) for b in row["bands"]),
                row["excludes_vat"],
            ),
        )
        for row in document["caps"]
    )  # fmt: skip


def capped(rule: FeeRule, jurisdiction: str, kind: str, currency: str, on: date) -> FeeRule:
    """The rule with the cap of this jurisdiction, kind and day in it; unchanged where none is."""
    for row in load_caps():
        fits = (row.jurisdiction, row.currency) == (jurisdiction, currency) and kind in row.kinds
        if fits and row.since <= on and (row.until is None or on <= row.until):
            return replace(rule, legal_cap=row.cap)
    return rule
