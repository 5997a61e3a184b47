"""Posting rules as data: what each kind of money event does to the two books.

A rule lists legs (book, account, side, amount expression, sub-account expression). ``compose``
turns an event into balanced drafts, one per book; an event without a rule, with a missing input or
with legs that do not balance is refused whole and never posts partly. Rules are rows in
``app/playbooks/posting_rules.yaml``; widening the ledger means adding rows there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, Literal

from app.domain.errors import InvalidInput
from app.domain.money import MINOR_MAX, exponent

Book = Literal["client", "own"]
Side = Literal["debit", "credit"]

_TERM: Final = re.compile(r"\s*([+-]?)\s*([a-z_]+)")
_LEG: Final = re.compile(r"(Dr|Cr) ([CO])\.([A-Z]+)(?: (\S+))? = ([a-z_+ -]+)")
_BLANK: Final = re.compile(r"\{([a-z_]+)\}")
_SIDES: Final[dict[str, Side]] = {"Dr": "debit", "Cr": "credit"}
_BOOKS: Final[dict[str, Book]] = {"C": "client", "O": "own"}
DOORS: Final = frozenset({"import", "allocation", "payout", "entry", "part", "stripe"})
_OPPOSITE: Final[dict[Side, Side]] = {"debit": "credit", "credit": "debit"}


class PostingRefused(InvalidInput):
    """An event cannot be posted: no such rule, a missing input, or it does not balance."""

    code = "posting_refused"


@dataclass(frozen=True, slots=True)
class LegTemplate:
    """One leg of a rule. ``amount`` is a sum of inputs (``fee - vat``), ``sub`` a format text."""

    book: Book
    account: str
    side: Side
    amount: str
    sub: str


@dataclass(frozen=True, slots=True)
class PostingRule:
    """What one kind of event posts; ``row`` is its number in the table of flows.

    ``door`` is how the event comes (see DOORS). ``tells``: how the case's own count of its money
    changes, field -> amount expression. ``needs``: what a person must name besides the blanks of
    the sub-accounts. ``example`` and ``posts`` are the worked example.
    """

    kind: str
    row: str
    door: str
    legs: tuple[LegTemplate, ...]
    example: Mapping[str, Any]
    posts: tuple[str, ...]
    tells: Mapping[str, str]
    needs: frozenset[str]

    @property
    def blanks(self) -> frozenset[str]:
        """What the sub-accounts name: case, claimant, movement..."""
        return frozenset(name for leg in self.legs for name in _BLANK.findall(leg.sub))


@dataclass(frozen=True, slots=True)
class PostingRules:
    """All rules of one version; the version is stored on every transaction they produced."""

    version: str
    rules: Mapping[str, PostingRule]


@dataclass(frozen=True, slots=True)
class LegDraft:
    """One leg to be written: exactly one of debit and credit is above zero, in minor units."""

    account: str
    sub: str
    debit: int
    credit: int


@dataclass(frozen=True, slots=True)
class TxnDraft:
    """A balanced set of legs in one book."""

    book: Book
    legs: tuple[LegDraft, ...]


def parse_rules(document: Mapping[str, Any]) -> PostingRules:
    """Read the rules document; PostingRefused when a rule is malformed or doubled."""
    rules: dict[str, PostingRule] = {}
    for entry in document["rules"]:
        kind = entry["kind"]
        if kind in rules:
            raise PostingRefused("A posting rule stands twice.", kind=kind)
        if entry["door"] not in DOORS:
            raise PostingRefused("A posting rule has an unknown door.", kind=kind)
        tells = dict(entry.get("tells", {}))
        for expression in tells.values():
            terms(expression)
        rules[kind] = PostingRule(
            kind, str(entry["row"]), entry["door"],
            tuple(_template(leg, kind) for leg in entry["legs"]), entry["example"],
            tuple(entry["posts"]), tells, frozenset(entry.get("needs", ())),
        )  # fmt: skip
    return PostingRules(str(document["version"]), rules)


def _template(text: str, kind: str) -> LegTemplate:
    """``Dr C.BANK {bank_account} = amount``: side, account with its book, sub-account, amount."""
    match = _LEG.fullmatch(text)
    if match is None:
        raise PostingRefused("A leg of a posting rule cannot be read.", kind=kind, leg=text)
    side, book, name, sub, amount = match.groups()
    terms(amount)
    return LegTemplate(_BOOKS[book], f"{book}.{name}", _SIDES[side], amount, sub or "")


@cache
def terms(expression: str) -> tuple[tuple[int, str], ...]:
    """``fee - vat`` -> ((1, "fee"), (-1, "vat")). PostingRefused for anything else."""
    found: list[tuple[int, str]] = []
    at = 0
    while at < len(expression):
        match = _TERM.match(expression, at)
        if match is None or (found and not match.group(1)):
            raise PostingRefused("An amount expression is a sum of names.", expression=expression)
        found.append((-1 if match.group(1) == "-" else 1, match.group(2)))
        at = match.end()
    if not found:
        raise PostingRefused("An amount expression is empty.")
    return tuple(found)


def compose(
    rules: PostingRules,
    kind: str,
    currency: str,
    amounts: Mapping[str, int],
    subs: Mapping[str, str],
) -> tuple[TxnDraft, ...]:
    """The transactions one event posts, one per book.

    ``amounts`` are minor units; a negative one (a fee that shrinks) turns its legs to the other
    side, a zero one drops them. Raises PostingRefused, never posts a part.
    """
    exponent(currency)
    rule = rules.rules.get(kind)
    if rule is None:
        raise PostingRefused("No posting rule for this event.", kind=kind)
    books: dict[Book, list[LegDraft]] = {}
    for template in rule.legs:
        leg = _leg(template, amounts, subs, kind)
        if leg is not None:
            books.setdefault(template.book, []).append(leg)
    if not books:
        raise PostingRefused("The event moves no money.", kind=kind)
    drafts = tuple(TxnDraft(book, tuple(legs)) for book, legs in books.items())
    for draft in drafts:
        check_balanced(draft, kind)
    return drafts


def value(expression: str, amounts: Mapping[str, int]) -> int:
    """What an amount expression comes to. KeyError for an input that is not there."""
    minor = 0
    for sign, name in terms(expression):
        minor += sign * amounts[name]
    return minor


def _leg(
    template: LegTemplate, amounts: Mapping[str, int], subs: Mapping[str, str], kind: str
) -> LegDraft | None:
    try:
        minor = value(template.amount, amounts)
        sub = template.sub.format_map(subs)
    except KeyError as error:
        raise PostingRefused(
            "The event lacks an input of its rule.", kind=kind, input=str(error.args[0])
        ) from None
    if minor == 0:
        return None
    side = template.side if minor > 0 else _OPPOSITE[template.side]
    size = abs(minor)
    if size > MINOR_MAX:
        raise PostingRefused("The amount is too large to post.", kind=kind)
    if side == "debit":
        return LegDraft(template.account, sub, size, 0)
    return LegDraft(template.account, sub, 0, size)


def check_balanced(draft: TxnDraft, kind: str) -> None:
    """Debits equal credits, two legs or more, no empty leg. The database checks it again."""
    debits = credits = 0
    one_sided = True
    for leg in draft.legs:
        debits += leg.debit
        credits += leg.credit
        one_sided = one_sided and (leg.debit > 0) != (leg.credit > 0)
    if debits != credits or len(draft.legs) < 2 or not one_sided:
        raise PostingRefused("The legs do not balance.", kind=kind, book=draft.book)


def mirrored(draft: TxnDraft) -> TxnDraft:
    """The same legs with sides exchanged: the only way a posted transaction is taken back."""
    return TxnDraft(
        draft.book,
        tuple(LegDraft(leg.account, leg.sub, leg.credit, leg.debit) for leg in draft.legs),
    )
