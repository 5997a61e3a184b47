"""Entries a person of finance makes in the books: what each posts and what its case is told.

A plain entry posts one rule of ``posting_rules.yaml``. The larger ones here are worked out from
what stands in the books: money taken back by its payer, a fee waived, a debt set off. Pure; every
amount is minor units of one currency.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Final

from app.domain.errors import Conflict
from app.domain.posting_rules import PostingRules, value

# Entries made of several postings, and what a person must name for each.
LARGER: Final[Mapping[str, frozenset[str]]] = {
    "reversal": frozenset({"allocation", "debit"}),
    "fee_waived": frozenset({"case", "claimant"}),
    "invoice_waived": frozenset({"invoice"}),
    "clawback_netted": frozenset({"case", "claimant", "cause"}),
    "voucher_cashed": frozenset({"case"}),
    "entry_reversed": frozenset({"entry"}),
}
_OURS: Final = frozenset({"entry", "vat_rate"})  # blanks that the books fill themselves


class EntryTooLarge(Conflict):
    """More than what stands in the books for it."""

    code = "entry_too_large"


@dataclass(frozen=True, slots=True)
class CaseMoves:
    """How a case's own count of its money changes; ``adjusted`` is what came from or went to
    neither payer, fee nor payout."""

    received: int = 0
    fee: int = 0
    fee_direct: int = 0
    adjusted: int = 0

    def __neg__(self) -> CaseMoves:
        return CaseMoves(**{f.name: -getattr(self, f.name) for f in fields(self)})

    @property
    def any(self) -> bool:
        return any(getattr(self, f.name) for f in fields(self))


@dataclass(frozen=True, slots=True)
class Step:
    """One posting of an entry."""

    kind: str
    amounts: Mapping[str, int]
    subs: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Plan:
    """What an entry does: its postings in their order, and what the case is told."""

    steps: tuple[Step, ...]
    tells: CaseMoves = CaseMoves()


def needed(rules: PostingRules) -> dict[str, frozenset[str]]:
    """Every kind of entry a person can make, and what must be named for it."""
    plain = {
        kind: (rule.blanks | rule.needs) - _OURS
        for kind, rule in rules.rules.items()
        if rule.door == "entry"
    }
    return plain | dict(LARGER)


def plain(
    rules: PostingRules, kind: str, amounts: Mapping[str, int], subs: Mapping[str, str]
) -> Plan:
    """One posting by its rule."""
    tells = {name: value(text, amounts) for name, text in rules.rules[kind].tells.items()}
    return Plan((Step(kind, amounts, subs),), CaseMoves(**tells))


@dataclass(frozen=True, slots=True)
class Taken:
    """One claimant's part of money taken back: with the fee on it, and what stands for them."""

    claimant: str
    taken: int
    fee: int
    vat: int
    balance: int


def take_back(
    case: str, debit: str, vat_rate: str, parts: Sequence[Taken], *, unswept: int
) -> Plan:
    """Rows 24 and 25, in this order: the fee back, then the money out. What a claimant no longer
    holds is lent by the own book and owed to it by the case; nobody else's money is touched."""
    steps: list[Step] = []
    left, received, fees, lent = unswept, 0, 0, 0
    for part in parts:
        subs = {"case": case, "claimant": part.claimant, "cause": debit, "debit": debit,
                "vat_rate": vat_rate}  # fmt: skip
        if part.fee:
            here = min(part.fee, left)
            left -= here
            amounts = {"unswept": here, "swept": part.fee - here, "vat": part.vat}
            steps.append(Step("fee_taken_back", amounts, subs))
        held = min(part.taken, part.balance + part.fee)
        short = part.taken - held
        steps.append(Step("reversal_taken", {"held": held, "short": short}, subs))
        received += part.taken
        fees += part.fee
        lent += short
    return Plan(tuple(steps), CaseMoves(received=-received, fee=-fees, adjusted=lent))


def waive(part: Taken, case: str, entry: str, vat_rate: str, *, unswept: int) -> Plan:
    """A deducted fee given up: to the claimant, from what is still here or else from our own."""
    here = min(part.fee, unswept)
    amounts = {"unswept": here, "swept": part.fee - here, "vat": part.vat}
    subs = {"case": case, "claimant": part.claimant, "cause": entry, "vat_rate": vat_rate}
    return Plan((Step("fee_taken_back", amounts, subs),), CaseMoves(fee=-part.fee))


def net_clawback(
    case: str, claimant: str, cause: str, amount: int, *, owed: int, lent: int, clawback: int
) -> Plan:
    """Row 26: the case's own new money pays what it owes us; first what the client book was lent,
    then ours. EntryTooLarge beyond what the claimant holds or the case owes."""
    if amount > min(owed, clawback):
        raise EntryTooLarge("The case does not hold or owe that much.")
    first = min(amount, lent)
    step = Step(
        "clawback_netted", {"lent": first, "covered": amount - first},
        {"case": case, "claimant": claimant, "cause": cause},
    )  # fmt: skip
    return Plan((step,), CaseMoves(adjusted=-amount))
