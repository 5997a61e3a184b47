"""Which of a payer's open cases sum up to one payment: bounded, and only when there is one way."""

from __future__ import annotations

from collections.abc import Sequence


def only_subset(amounts: Sequence[int], total: int, items_max: int) -> tuple[int, ...] | None:
    """Positions of the one subset of two or more that sums to ``total``; None when there is none,
    more than one, or more than ``items_max`` amounts (2**12 sums take a few milliseconds)."""
    if len(amounts) > items_max or total <= 0:
        return None
    ways: dict[int, list[int]] = {0: [0]}  # sum -> up to two sets, as bits
    for at, amount in enumerate(amounts):
        if amount <= 0:
            continue
        for reached, sets in list(ways.items()):
            if reached + amount > total:
                continue
            known = ways.setdefault(reached + amount, [])
            known.extend(bits | 1 << at for bits in list(sets) if not bits >> at & 1)
            # Two ways are as many as needed to know that it is not one; single items count apart.
            del known[3:]
    sets = [bits for bits in ways.get(total, []) if bits]
    if len(sets) != 1 or sets[0].bit_count() < 2:
        return None
    return tuple(at for at in range(len(amounts)) if sets[0] >> at & 1)
