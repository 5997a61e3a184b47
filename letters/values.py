"""The small frozen values that letters are made of, and how text is cleaned on its way in.

A value cleans its texts when it is made (NFC, no invisible characters, no line breaks in
one-line fields) but judges nothing; a letter judges all of its values when it is made, because
only the letter knows the whole path of a field (`recipient.address_lines`).
"""

import dataclasses
import unicodedata
from dataclasses import dataclass, field
from datetime import date
from typing import Any, ClassVar, Final, Literal, get_args

Language = Literal["en", "fi", "sv", "fr", "de"]
LANGUAGES: Final[tuple[Language, ...]] = get_args(Language)


def long_text(**options: Any) -> Any:
    """A field for several paragraphs; every other text is one line."""
    return field(metadata={"long": True}, **options)


def clean_text(text: str, *, long: bool = False) -> str:
    """Text as it will be printed.

    NFC; format characters (soft hyphen, zero-width and bidirectional marks, byte order mark)
    removed: they have no ink, and in a reference or a name they only deceive or break search.
    Control characters become blanks; line breaks stay only in long text. Idempotent.
    """
    kept = []
    for character in unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n")):
        category = unicodedata.category(character)
        if character == "\n" and long:
            kept.append(character)
        elif category in ("Cc", "Zl", "Zp"):
            kept.append(" ")
        elif category != "Cf":
            kept.append(character)
    # Removing a mark can bring two characters together that compose: normalise once more.
    return unicodedata.normalize("NFC", "".join(kept)).strip()


def _cleaned(value: Any, long: bool) -> Any:
    if isinstance(value, str):
        return clean_text(value, long=long)
    if isinstance(value, list | tuple):
        return tuple(_cleaned(member, long) for member in value)
    return value


@dataclass(frozen=True, kw_only=True)
class Value:
    """Base of all values: cleans texts, turns lists into tuples."""

    def __post_init__(self) -> None:
        for each in dataclasses.fields(self):
            old = getattr(self, each.name)
            new = _cleaned(old, bool(each.metadata.get("long")))
            if each.default is None and new == "":
                new = None  # a blank optional text is an absent one
            object.__setattr__(self, each.name, new)


@dataclass(frozen=True, kw_only=True)
class Agency(Value):
    """We: agent of the claimants. `register_number` is the business register's, `licence` the
    permission under which we act, where one is needed."""

    name: str
    address_lines: tuple[str, ...]
    register_number: str
    signatory: str
    signatory_title: str | None = None
    phone: str | None = None
    licence: str | None = None


@dataclass(frozen=True, kw_only=True)
class Party(Value):
    """A company or a body: legal name and registered address. `brand` is the name it trades
    under, `email` is printed when the letter goes by e-mail."""

    name: str
    address_lines: tuple[str, ...]
    register_number: str | None = None
    brand: str | None = None
    attention: str | None = None
    email: str | None = None


@dataclass(frozen=True, kw_only=True)
class Claimant(Value):
    """A consumer who has signed. The caller lists nobody else."""

    name: str
    address_lines: tuple[str, ...]
    mandate_reference: str
    mandate_signed_on: date


@dataclass(frozen=True, kw_only=True)
class ChronologyEntry(Value):
    """One dated fact."""

    on: date
    what: str = long_text()


@dataclass(frozen=True, kw_only=True)
class LegalGround(Value):
    """The law one item rests on, cited in full; `note` is one sentence of explanation."""

    law: str
    note: str | None = long_text(default=None)


@dataclass(frozen=True, kw_only=True)
class AmountLine(Value):
    """One claim item: `minor` units of `currency` (ISO 4217), owed to `creditor` (a claimant's
    name). Without a ground the letter leaves the sentence about the law out."""

    what: str
    minor: int
    currency: str
    creditor: str
    ground: LegalGround | None = None


@dataclass(frozen=True, kw_only=True)
class ReceivedPayment(Value):
    """Money that has arrived already and is taken off the sum demanded."""

    on: date
    minor: int
    currency: str


@dataclass(frozen=True, kw_only=True)
class InterestRow(Value):
    """One stretch of interest, both days counted: `rate` percent a year, as digits (`9.5`), on
    `principal_minor`. `minor`: what it adds; None where that is less than one unit."""

    first: date
    last: date
    days: int
    rate: str
    principal_minor: int
    minor: int | None = None


@dataclass(frozen=True, kw_only=True)
class Interest(Value):
    """Statutory interest, only once its start event has happened.

    `minor` is the sum up to and with `up_to`, `rows` how it came about; None where a rate is
    missing: then the letter states law and first day without a sum. `per_day`: what each further
    day adds at the present rate, in the currency, with decimals finer than its smallest coin.
    `will_be_claimed` where only a court grants it. `rule` is the formula's id and version, for
    whoever asks later which letters used it; it is not printed.
    """

    law: str
    starts_on: date
    minor: int | None = None
    currency: str | None = None
    up_to: date | None = None
    rows: tuple[InterestRow, ...] = ()
    per_day: str | None = None
    claim: Literal["claimed", "will_be_claimed"] = "claimed"
    rule: str | None = None


@dataclass(frozen=True, kw_only=True)
class ClientAccountPayment(Value):
    """Mode A: pay to the agency's client account. `rf_reference` is ISO 11649,
    `payment_reference` the national (Finnish) form of the same number."""

    mode: ClassVar[str] = "client_account"
    account_holder: str
    iban: str
    rf_reference: str
    payment_reference: str
    bic: str | None = None


@dataclass(frozen=True, kw_only=True)
class DirectPayment(Value):
    """Mode B: pay the consumer, by the means the consumer paid with, or to an account whose
    lines (holder, number, bank) are given as the country writes them."""

    mode: ClassVar[str] = "direct"
    payee: str
    method: Literal["original_means", "account"]
    account_lines: tuple[str, ...] = ()


Payment = ClientAccountPayment | DirectPayment


@dataclass(frozen=True, kw_only=True)
class NextStep(Value):
    """What follows if this letter fails; `body` is the name of the body of a complaint."""

    kind: Literal["reminder", "formal_notice", "complaint", "court"]
    body: str | None = None


@dataclass(frozen=True, kw_only=True)
class EarlierLetter(Value):
    """Something sent to the company before. `consumer_complaint` was the consumer's own; how it
    went (`channel`) is None where nobody told us."""

    kind: Literal[
        "consumer_complaint", "contact", "reminder", "formal_notice", "denial_answer",
        "promise_broken", "offer_refused", "full_settlement_refused",
    ]  # fmt: skip
    sent_on: date
    channel: Literal["email", "post", "registered_post", "web_form", "phone"] | None
    answer_by: date | None = None


@dataclass(frozen=True, kw_only=True)
class CompanyPosition(Value):
    """Where the company stands today.

    `on` is the day of its answer (needed for all but `silent` and `answered`, which is an answer
    to the consumer that settled nothing); a promise has `minor`,
    `currency` and `promised_for`, an offer may have a sum; `our_reply` is our answer to its
    reasons, written by the handler.
    """

    kind: Literal[
        "silent", "automatic_only", "answered", "refused", "promised", "offered", "paid_part"
    ]
    on: date | None = None
    promised_for: date | None = None
    minor: int | None = None
    currency: str | None = None
    our_reply: str | None = long_text(default=None)


@dataclass(frozen=True, kw_only=True)
class Exhibit(Value):
    """One enclosure: `label` is its number in the bundle."""

    label: str
    title: str
    dated: date | None = None


@dataclass(frozen=True, kw_only=True)
class Formula(Value):
    """The law's own words for a notice (`Letter before claim`, `Mise en demeure`), kept in
    their `language` (BCP 47) whatever the letter's language is."""

    name: str
    language: str
    sentence: str | None = long_text(default=None)


@dataclass(frozen=True, kw_only=True)
class DenialReason(Value):
    """One reason the company refused for, and our answer: `said` repeats its reason in one
    sentence, `law` is the rule that meets it, cited in full; None where the answer is one of fact
    alone. `code` is not printed: it tells later which letters used the text."""

    code: str
    said: str = long_text()
    answer: str = long_text()
    law: str | None = None


@dataclass(frozen=True, kw_only=True)
class OfferTold(Value):
    """What the company, or a body, offered: on which day, how much, to be answered by when."""

    kind: Literal["part", "full", "voucher", "goodwill", "recommendation"]
    made_on: date
    minor: int
    currency: str
    answer_by: date | None = None
