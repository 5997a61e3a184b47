"""What the documents of account say: statement of account, commission invoice, credit note.

They go to a consumer, not to a company, and come from the ledger's figures. Like a letter, a paper
that exists is complete: making one judges every field. Amounts are minor units of `currency` and
may be negative; a paper that does not add up refuses to exist.
"""

from dataclasses import dataclass
from datetime import date
from typing import Any, ClassVar, Final, Literal

from letters import content
from letters.codec import decode, encode
from letters.errors import LetterInvalid, UnknownLetter
from letters.judge import CURRENCY, MINOR_MAX, REFERENCE, Walk
from letters.values import Agency, Language, Value, long_text

MoveKind = Literal[
    "received", "received_back", "fee", "fee_back", "paid_out", "payout_back", "paid_directly",
    "other",
]  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Addressee(Value):
    """The consumer, whose postal address we may not know."""

    name: str
    address_lines: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class AccountMove(Value):
    """One line of a statement. `balance_minor` is None for money that never reached us."""

    on: date
    kind: MoveKind
    minor: int
    balance_minor: int | None = None


@dataclass(frozen=True, kw_only=True)
class InvoiceLine(Value):
    """An invoice or credit note as a statement lists it; `open_minor` is what is unpaid of it."""

    number: str
    on: date
    gross_minor: int
    net_minor: int
    vat_minor: int
    vat_percent: str
    open_minor: int


class _Walk(Walk):
    """Amounts of an account may be zero or negative; a consumer may have no known address."""

    def _rows(self, rows: tuple[Any, ...], hint: Any, path: str, long: bool) -> None:
        if rows or path != "to.address_lines":
            super()._rows(rows, hint, path, long)

    def _minor(self, minor: int, path: str) -> None:
        if not -MINOR_MAX <= minor <= MINOR_MAX:
            raise LetterInvalid(path, "an amount lies beyond 2^53 minor units")


@dataclass(frozen=True, kw_only=True)
class Paper(Value):
    """What all papers share; `reference` is the case's, `company` whom the claim is against."""

    kind: ClassVar[str] = ""
    version: ClassVar[int] = 1
    sources: ClassVar[dict[str, str]] = {
        "agency": "agency profile", "vat_number": "agency profile", "to": "consumer",
        "company": "company",
    }  # fmt: skip

    language: Language
    dated: date
    reference: str
    agency: Agency
    to: Addressee
    company: str
    currency: str

    def __post_init__(self) -> None:
        super().__post_init__()
        _Walk(self.sources).fields(self, "")
        if not REFERENCE.fullmatch(self.reference):
            raise LetterInvalid("reference", "is not an RC- reference")
        if not CURRENCY.fullmatch(self.currency):
            raise LetterInvalid("currency", "is not an ISO 4217 code")


@dataclass(frozen=True, kw_only=True)
class Statement(Paper):
    """Every movement of one claimant's money in a case, our fee with its VAT, and what is left.

    `closing`: it goes with the notice that the case is closed. `outcome` is how it ended, in words.
    """

    kind: ClassVar[str] = "statement"

    closing: bool = False
    outcome: str | None = None
    moves: tuple[AccountMove, ...] = ()
    invoices: tuple[InvoiceLine, ...] = ()
    received_minor: int
    fee_minor: int
    vat_minor: int
    net_minor: int
    paid_out_minor: int
    balance_minor: int
    open_fee_minor: int

    def __post_init__(self) -> None:
        super().__post_init__()
        held = [move.minor for move in self.moves if move.balance_minor is not None]
        for what, left, right in (
            ("net_minor", self.net_minor, self.received_minor - self.fee_minor),
            ("balance_minor", self.balance_minor, sum(held)),
            ("fee_minor", self.fee_minor, sum(one.gross_minor for one in self.invoices)),
            ("vat_minor", self.vat_minor, sum(one.vat_minor for one in self.invoices)),
        ):
            if left != right:
                raise LetterInvalid(what, "is not the sum of its lines")


@dataclass(frozen=True, kw_only=True)
class Invoice(Paper):
    """A commission invoice to a consumer, with what Directive 2006/112/EC art. 226 demands:

    (1) date of issue `dated`; (2) sequential number `number`, gapless in its series; (3) our VAT
    number `vat_number`; (4) the customer's VAT number: none, a consumer; (5) full names and
    addresses `agency` and `to` (a consumer's address where we know it: art. 220 demands no invoice
    to consumers); (6) extent and nature of the service: the text, `company` and
    `reference`, of `base_minor` recovered; (7) date of supply `supplied_on`, the day the money
    came; (7a) cash accounting: not used; (8) taxable amount per rate, without VAT `net_minor`, no
    discounts; (9) rate `vat_percent`; (10) VAT payable `vat_minor`; (10a) self-billing, (11)
    exemption, (11a) reverse charge, (12) to (15): do not apply. Art. 230, VAT in the currency of
    the country of supply: `vat_national_minor`; where no rate is known here, the invoice says
    which day's rate art. 91 makes it, without a sum.

    `deducted`: taken from client money, so nothing is left to pay.
    """

    kind: ClassVar[str] = "invoice"

    number: str
    vat_number: str
    supplied_on: date
    base_minor: int
    net_minor: int
    vat_percent: str
    vat_minor: int
    gross_minor: int
    deducted: bool
    national_currency: str
    vat_national_minor: int | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.net_minor + self.vat_minor != self.gross_minor:
            raise LetterInvalid("gross_minor", "is not net and VAT together")
        if (self.gross_minor > 0) is not (self.kind == "invoice") or not self.gross_minor:
            raise LetterInvalid("gross_minor", "an invoice is above zero, a credit note below")


@dataclass(frozen=True, kw_only=True)
class CreditNote(Invoice):
    """A document that corrects an invoice and names it (art. 219): `corrects` and its day."""

    kind: ClassVar[str] = "credit_note"

    corrects: str
    corrects_on: date


@dataclass(frozen=True, kw_only=True)
class ExhibitRow(Value):
    """An exhibit in the index: on which page of the bundle it begins, and the hash of the file as
    we hold it."""

    label: str
    title: str
    on: date | None = None
    first_page: int
    pages: int
    sha256: str


@dataclass(frozen=True, kw_only=True)
class ProofRow(Value):
    """What must be proven, and the labels of what proves it; none: a gap, and said so."""

    what: str = long_text()
    labels: str | None = None


@dataclass(frozen=True, kw_only=True)
class DeadlineRow(Value):
    """A letter with the day it left, the day it arrived and how we know, and the day it named."""

    letter: str
    sent_on: date
    arrived_on: date | None = None
    how: str | None = None
    answer_by: date | None = None


@dataclass(frozen=True, kw_only=True)
class MissingRow(Value):
    """A file that is not bound, and why."""

    title: str
    why: Literal["encrypted", "damaged", "too_large", "not_convertible", "not_taken"]


@dataclass(frozen=True, kw_only=True)
class BundleIndex(Paper):
    """The first pages of a bundle of exhibits."""

    kind: ClassVar[str] = "bundle_index"

    exhibits: tuple[ExhibitRow, ...]
    proof: tuple[ProofRow, ...] = ()
    deadlines: tuple[DeadlineRow, ...] = ()
    missing: tuple[MissingRow, ...] = ()


AnyPaper = Statement | Invoice | CreditNote | BundleIndex
PAPERS: Final[dict[str, type[AnyPaper]]] = {
    "statement": Statement, "invoice": Invoice, "credit_note": CreditNote,
    "bundle_index": BundleIndex,
}  # fmt: skip


def paper_dict(paper: AnyPaper) -> dict[str, Any]:
    """The paper as JSON-ready values: `kind`, `version` and its fields."""
    return {"kind": paper.kind, "version": paper.version, **encode(paper)}


def any_from_dict(stored: object) -> "AnyPaper | content.AnyLetter":
    """The letter or paper that was stored. Raises what `content.content_from_dict` raises."""
    kind = stored.get("kind") if isinstance(stored, dict) else None
    known = PAPERS.get(kind) if isinstance(kind, str) else None
    if known is None or not isinstance(stored, dict):
        return content.content_from_dict(stored)
    fields = {key: stored[key] for key in stored if key not in ("kind", "version")}
    if stored.get("version") != known.version:
        raise UnknownLetter(str(kind)[:80], str(stored.get("version"))[:80])
    paper: AnyPaper = decode(known, fields, known.sources)
    return paper
