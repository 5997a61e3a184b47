"""What a provider answers when it has taken something."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

# Called just before the point of no return; raises LeaseLost when the worker slept too long.
Guard = Callable[[], None]


@dataclass(frozen=True, slots=True)
class Delivery:
    """`ref` is the provider's own name for it, unique per provider; `recipient_server` says that
    the recipient's own server took it, not a relay of ours; `tracked` that its provider can be
    asked what became of it, `registered` that it goes against a receipt."""

    provider: str
    ref: str
    detail: str = ""
    recipient_server: bool = False
    tracked: bool = False
    registered: bool = False
