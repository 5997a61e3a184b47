"""How many mails a domain gets in a span of time, as a setting says."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

SPANS: Final = {"second": 1, "minute": 60, "hour": 3_600, "day": 86_400}
EVERY: Final = "*"  # the domains that have no rate of their own
COUNT_MAX: Final = 1_000_000
_ONE: Final = re.compile(r"([A-Za-z0-9.-]{1,253}|\*)\s*=\s*([0-9]{1,7})\s*/\s*([a-z]+)")


@dataclass(frozen=True, slots=True)
class Rate:
    """`count` mails in `seconds`, a tenth of them at once: at most a tenth more in any span."""

    count: int
    seconds: int

    @property
    def at_once(self) -> float:
        """How far ahead of an even pace the mails may run, in seconds."""
        return max(self.interval, self.seconds / 10)

    @property
    def interval(self) -> float:
        """Seconds from one mail to the next when all go evenly."""
        return self.seconds / self.count


def read_rates(written: str) -> dict[str, Rate]:
    """`big.example=100/hour, *=600/hour` by domain. Raises ValueError."""
    found: dict[str, Rate] = {}
    for one in filter(None, (part.strip() for part in written.split(","))):
        match = _ONE.fullmatch(one)
        if match is None or match[3] not in SPANS or not 1 <= int(match[2]) <= COUNT_MAX:
            raise ValueError(f"each rate is domain=number/span, a span of {', '.join(SPANS)}")
        domain = match[1].lower().rstrip(".")
        if domain in found:
            raise ValueError(f"{domain} has two rates")
        found[domain] = Rate(int(match[2]), SPANS[match[3]])
    return found


def rate_of(domain: str, rates: dict[str, Rate]) -> Rate | None:
    """The rate of a recipient's domain; None: it has no limit."""
    return rates.get(domain.lower()) or rates.get(EVERY)


def after_one(tat: float, now: float, rate: Rate) -> tuple[float, float]:
    """(new mark, seconds to wait) for one more mail, by the generic cell rate algorithm (GCRA,
    ITU-T I.371): `tat` is the mark kept per domain, in seconds of any clock that `now` reads. With
    a wait above zero nothing was taken and the mark stays."""
    mark = max(tat, now) + rate.interval
    wait = mark - rate.at_once - now
    return (tat, wait) if wait > 1e-6 else (mark, 0.0)
