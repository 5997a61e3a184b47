"""Who is calling."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal
from uuid import UUID

Kind = Literal["anonymous", "consumer", "staff", "app"]


@dataclass(frozen=True, slots=True)
class Principal:
    """A caller whose identity was proven (or `anonymous`).

    `roles` are those of staff now, read with every call, so that a role taken away is gone at once.
    An app is known by its own id whichever of its keys it shows; `scopes` are those of that key.
    `stepped_up_at` is when the second factor was last shown.
    """

    kind: Kind
    id: UUID | None = None
    roles: frozenset[str] = frozenset()
    scopes: frozenset[str] = frozenset()
    session_id: UUID | None = None
    stepped_up_at: datetime | None = field(default=None, repr=False)

    @property
    def actor(self) -> str:
        """How history names this caller: `staff:<id>`, `consumer:<id>`, `app:<id>`."""
        return f"{self.kind}:{self.id}" if self.id else self.kind

    @property
    def grants(self) -> frozenset[str]:
        """What the authorisation table's `allow` is compared with."""
        if self.kind == "staff":
            return self.roles
        if self.kind == "app":
            return frozenset(f"app:{scope}" for scope in self.scopes)
        return frozenset({self.kind})

    def has(self, *roles: str) -> bool:
        return self.kind == "staff" and not self.roles.isdisjoint(roles)


ANONYMOUS = Principal("anonymous")
