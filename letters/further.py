"""The letters beside the ladder's own: answers to what the company said, notices, declarations.

Each is complete or refuses to be made, like those of `letters.content`.
"""

from dataclasses import dataclass
from datetime import date
from typing import ClassVar, Final, Literal

from letters.errors import LetterIncomplete, LetterInvalid
from letters.judge import CURRENCY, judge_payment
from letters.letter import DemandLetter, Letter
from letters.values import DenialReason, LegalGround, OfferTold, Party, Payment

DENIALS_MAX: Final = 12  # reasons answered in one letter


@dataclass(frozen=True, kw_only=True)
class DenialAnswer(DemandLetter):
    """Answers a refusal reason by reason, each with the rule that meets it, and asks again."""

    kind: ClassVar[str] = "denial_answer"
    sources: ClassVar[dict[str, str]] = {
        **DemandLetter.sources, "refused_on": "correspondence", "reasons": "denial reasons",
    }  # fmt: skip

    refused_on: date
    reasons: tuple[DenialReason, ...]

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.reasons:
            raise LetterIncomplete("reasons", self.sources["reasons"])
        if len(self.reasons) > DENIALS_MAX:
            raise LetterInvalid("reasons", f"more than {DENIALS_MAX} reasons")
        not_later(self, "refused_on", self.refused_on)


@dataclass(frozen=True, kw_only=True)
class PromiseBroken(DemandLetter):
    """The day the company named has passed without the money (`position` says which)."""

    kind: ClassVar[str] = "promise_broken"
    sources: ClassVar[dict[str, str]] = {**DemandLetter.sources, "position": "correspondence"}

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.position is None or self.position.kind != "promised":
            raise LetterIncomplete("position.promised_for", "correspondence")


@dataclass(frozen=True, kw_only=True)
class OfferRefused(DemandLetter):
    """The offer is not accepted; `counter_minor` is what would be, where the claimants said so."""

    kind: ClassVar[str] = "offer_refused"
    sources: ClassVar[dict[str, str]] = {**DemandLetter.sources, "offer": "offer"}

    offer: OfferTold
    counter_minor: int | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        judge_offer(self, self.offer)
        if self.counter_minor is not None and self.counter_minor <= self.offer.minor:
            raise LetterInvalid("counter_minor", "asks for no more than was offered")


@dataclass(frozen=True, kw_only=True)
class FullSettlementRefused(DemandLetter):
    """Money came on condition that nothing more is claimed; it goes back, the claim stands."""

    kind: ClassVar[str] = "full_settlement_refused"
    sources: ClassVar[dict[str, str]] = {**DemandLetter.sources, "offer": "offer"}

    offer: OfferTold

    def __post_init__(self) -> None:
        super().__post_init__()
        judge_offer(self, self.offer)


@dataclass(frozen=True, kw_only=True)
class OfferAccepted(Letter):
    """The offer is accepted by all claimants; `whole` says that then nothing more is claimed."""

    kind: ClassVar[str] = "offer_accepted"
    sources: ClassVar[dict[str, str]] = {
        **Letter.sources, "offer": "offer", "whole": "offer", "pay_by": "playbook",
        "payment": "agency profile and case account",
    }  # fmt: skip

    offer: OfferTold
    whole: bool
    pay_by: date
    payment: Payment | None = None

    @property
    def payable_minor(self) -> int:
        return self.offer.minor

    @property
    def payable_currency(self) -> str:
        return self.offer.currency

    @property
    def payable_by(self) -> date:
        """The last day of the payment block."""
        return self.pay_by

    def __post_init__(self) -> None:
        super().__post_init__()
        judge_offer(self, self.offer)
        if self.pay_by <= self.dated:
            raise LetterInvalid("pay_by", "must lie after the letter's date")
        if self.offer.kind != "voucher" and self.payment is None:
            raise LetterIncomplete("payment", self.sources["payment"])
        judge_payment(self.payment)


@dataclass(frozen=True, kw_only=True)
class MoreTime(Letter):
    """Asks for more time before an offer lapses. It accepts and refuses nothing."""

    kind: ClassVar[str] = "more_time"
    sources: ClassVar[dict[str, str]] = {
        **Letter.sources, "offer": "offer", "asked_until": "playbook",
    }  # fmt: skip

    offer: OfferTold
    asked_until: date

    def __post_init__(self) -> None:
        super().__post_init__()
        judge_offer(self, self.offer)
        if self.offer.answer_by is None:
            raise LetterIncomplete("offer.answer_by", self.sources["offer"])
        if self.asked_until <= self.offer.answer_by:
            raise LetterInvalid("asked_until", "must lie after the day the offer lapses")


@dataclass(frozen=True, kw_only=True)
class WrongParty(Letter):
    """To a company that says it is not the debtor: it is asked to name who is, by `answer_by`."""

    kind: ClassVar[str] = "wrong_party"
    sources: ClassVar[dict[str, str]] = {
        **Letter.sources, "told_on": "correspondence", "answer_by": "playbook",
    }  # fmt: skip

    told_on: date
    answer_by: date

    def __post_init__(self) -> None:
        super().__post_init__()
        not_later(self, "told_on", self.told_on)
        if self.answer_by <= self.dated:
            raise LetterInvalid("answer_by", "must lie after the letter's date")


@dataclass(frozen=True, kw_only=True)
class MandateNotice(Letter):
    """We act from now on; `receives_money` says whether the mandate includes taking payment."""

    kind: ClassVar[str] = "mandate_notice"
    needs: ClassVar[tuple[str, ...]] = ("claimants",)
    claims: ClassVar[bool] = False
    sources: ClassVar[dict[str, str]] = {**Letter.sources, "receives_money": "mandate"}

    receives_money: bool


@dataclass(frozen=True, kw_only=True)
class ClosingCompany(Letter):
    """We act no longer. `paid`: all that was claimed has come; `settled`: what was agreed has;
    `ended`: our mandate ends without either, and nothing is waived."""

    kind: ClassVar[str] = "closing_company"
    needs: ClassVar[tuple[str, ...]] = ("claimants",)
    claims: ClassVar[bool] = False
    sources: ClassVar[dict[str, str]] = {**Letter.sources, "outcome": "case"}

    outcome: Literal["paid", "settled", "ended"]


@dataclass(frozen=True, kw_only=True)
class ClosingConsumer(Letter):
    """To the consumer when the case is closed: what came of it, the money, what is still open to
    them. Sums in minor units of `sums_currency`; what did not happen is None."""

    kind: ClassVar[str] = "closing_consumer"
    needs: ClassVar[tuple[str, ...]] = ("claimants",)
    claims: ClassVar[bool] = False
    sources: ClassVar[dict[str, str]] = {
        **Letter.sources, "recipient": "consumer", "outcome": "case", "respondent": "company",
        "closed_on": "case", "reopen_until": "playbook",
    }  # fmt: skip

    respondent: Party
    outcome: str
    closed_on: date
    reopen_until: date
    came_minor: int | None = None
    direct_minor: int | None = None
    fee_minor: int | None = None
    paid_out_minor: int | None = None
    sums_currency: str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        sums = (self.came_minor, self.direct_minor, self.fee_minor, self.paid_out_minor)
        if any(sums) and self.sums_currency is None:
            raise LetterIncomplete("sums_currency", "case")
        if self.sums_currency is not None and not CURRENCY.fullmatch(self.sums_currency):
            raise LetterInvalid("sums_currency", "is not an ISO 4217 code")
        if not self.closed_on < self.reopen_until:
            raise LetterInvalid("reopen_until", "must lie after the day of closing")


@dataclass(frozen=True, kw_only=True)
class DebtDispute(Letter):
    """To a collector or credit bureau: the debt is disputed, and why. `creditor` is in whose name
    it is collected, `debt_reference` their number for it."""

    kind: ClassVar[str] = "debt_dispute"
    needs: ClassVar[tuple[str, ...]] = ("claimants",)
    claims: ClassVar[bool] = False
    sources: ClassVar[dict[str, str]] = {
        **Letter.sources, "recipient": "handler", "addressee": "handler",
        "debt_reference": "handler", "reason": "handler", "creditor": "company",
        "answer_by": "playbook", "grounds": "law data",
    }  # fmt: skip

    addressee: Literal["collector", "credit_bureau"]
    creditor: str
    debt_reference: str
    reason: Literal[
        "never_owed", "paid", "not_delivered", "withdrawn", "other_person", "in_dispute"
    ]
    answer_by: date
    grounds: tuple[LegalGround, ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.answer_by <= self.dated:
            raise LetterInvalid("answer_by", "must lie after the letter's date")


Declared = Literal[
    "withdrawal", "cancellation", "rescission", "defect_notice", "extra_time", "debit_stop"
]


@dataclass(frozen=True, kw_only=True)
class Declaration(Letter):
    """A declaration in the consumer's own name, which we only carry: withdrawal, cancellation,
    rescission, notice of a defect, a last period, the end of a direct debit.

    `contract` names what it is about; `effective` is the day from which it works, or the last day
    of the period that `extra_time` sets.
    """

    kind: ClassVar[str] = "declaration"
    needs: ClassVar[tuple[str, ...]] = ("claimants",)
    claims: ClassVar[bool] = False
    sources: ClassVar[dict[str, str]] = {
        **Letter.sources, "declared": "handler", "contract": "case", "effective": "handler",
        "ground": "law data",
    }  # fmt: skip

    declared: Declared
    contract: str
    concluded_on: date | None = None
    effective: date | None = None
    ground: LegalGround | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if len(self.claimants) != 1:
            raise LetterInvalid("claimants", "a declaration has one author")
        if self.declared == "extra_time" and self.effective is None:
            raise LetterIncomplete("effective", self.sources["effective"])
        if self.declared == "defect_notice" and not self.chronology:
            raise LetterIncomplete("chronology", self.sources["chronology"])
        if self.declared == "extra_time" and self.effective and self.effective <= self.dated:
            raise LetterInvalid("effective", "must lie after the letter's date")
        if self.concluded_on is not None:
            not_later(self, "concluded_on", self.concluded_on)


FurtherLetter = (
    DenialAnswer
    | PromiseBroken
    | OfferRefused
    | FullSettlementRefused
    | OfferAccepted
    | MoreTime
    | WrongParty
    | MandateNotice
    | ClosingCompany
    | ClosingConsumer
    | DebtDispute
    | Declaration
)
FURTHER: Final[dict[str, type[FurtherLetter]]] = {
    each.kind: each
    for each in (
        DenialAnswer, PromiseBroken, OfferRefused, FullSettlementRefused, OfferAccepted, MoreTime,
        WrongParty, MandateNotice, ClosingCompany, ClosingConsumer, DebtDispute, Declaration,
    )
}  # fmt: skip


def not_later(letter: Letter, field: str, day: date) -> None:
    """Raises LetterInvalid for a day that should lie behind the letter and does not."""
    if day > letter.dated:
        raise LetterInvalid(field, "lies after the letter's date")


def judge_offer(letter: Letter, offer: OfferTold) -> None:
    """An offer lies behind the letter and is in its currency."""
    not_later(letter, "offer.made_on", offer.made_on)
    if not CURRENCY.fullmatch(offer.currency):
        raise LetterInvalid("offer.currency", "is not an ISO 4217 code")
    if letter.currency is not None and offer.currency != letter.currency:
        raise LetterInvalid("offer.currency", "a letter has one currency")
