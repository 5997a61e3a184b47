"""Bands of a fee rule: rates by the sum recovered, and the caps of the law."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from app.domain.errors import InvalidInput

BASIS_POINTS: Final = 10_000


class FeeRuleInvalid(InvalidInput):
    """A fee rule contradicts itself; refused when it is read, not when money comes."""

    code = "fee_rule_invalid"


@dataclass(frozen=True, slots=True)
class CapBand:
    """A part of a legal cap: for sums below ``below`` (None: all), at most ``most``."""

    below: int | None
    rate_bp: int
    most: int


@dataclass(frozen=True, slots=True)
class LegalCap:
    """What the law lets a fee be, by the sum recovered. ``excludes_vat``: VAT comes on top."""

    bands: tuple[CapBand, ...]
    excludes_vat: bool

    def fee(self, basis_minor: int, vat_bp: int) -> int:
        """The highest fee on a sum, VAT included, cut to the minor unit."""
        for band in self.bands:
            if band.below is None or basis_minor < band.below:
                tenths = min(basis_minor * band.rate_bp, band.most * BASIS_POINTS)
                gross = BASIS_POINTS + (vat_bp if self.excludes_vat else 0)
                return tenths * gross // (BASIS_POINTS * BASIS_POINTS)
        raise FeeRuleInvalid("A legal cap has no band for this sum.")


@dataclass(frozen=True, slots=True)
class RateBand:
    """From ``above`` on, every further unit recovered is charged at ``rate_bp``."""

    above: int
    rate_bp: int
