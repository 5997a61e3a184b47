"""The chart of accounts as a value; its rows stand in ``app/playbooks/chart.yaml``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Account:
    """One account. ``guarded``: no sub-account of it falls below zero. ``kept``: its balances are
    kept as they change."""

    name: str
    number: str
    title: str
    book: Literal["client", "own"]
    kind: Literal["asset", "liability", "income", "expense"]
    guarded: bool
    kept: bool

    @property
    def debit_is_plus(self) -> bool:
        """Whether a debit raises it."""
        return self.kind in ("asset", "expense")
