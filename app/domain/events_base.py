"""What every event has in common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class BaseEvent:
    """A fact. `VERSION` rises when the meaning of a field changes."""

    VERSION: ClassVar[int] = 1
