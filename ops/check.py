"""One line of `recourse doctor`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

State = Literal["ok", "warn", "fail"]


@dataclass(frozen=True)
class Check:
    """One line: what was looked at, its state, the fact found, and what to do."""

    name: str
    state: State
    fact: str
    fix: str = ""
