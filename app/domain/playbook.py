"""The ladder as data. A playbook is one claim kind (family) in one jurisdiction, versioned.

Loaded from app/playbooks/data by app.playbooks.loader; the domain sees only these frozen values.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Protocol

from app.domain.case import LetterKind, Stage
from app.domain.counting import Calendar, Period, Regime


@dataclass(frozen=True, slots=True)
class Window:
    """When a step may be taken: from `opens` after `since` (a fact's name) until `closes` after it.

    Facts: first_written_complaint, first_contact, refusal, payment_due, delivered.
    """

    since: str
    rule: str
    opens: Period | None = None
    closes: Period | None = None


@dataclass(frozen=True, slots=True)
class LadderStep:
    """One stage of the ladder: its letter, wait, channels and who must approve."""

    stage: Stage
    wait: Period
    rule: str  # rule id of the wait, e.g. "house.contact_wait"
    whose: str  # law | ours
    letter: LetterKind
    channels: tuple[str, ...]  # in order of preference: email, post, portal
    approval: str  # rule | handler | senior | senior_above_line
    clock_starts: str = "delivered"  # delivered | handed_over
    letter_id: str = ""  # the letter's form here, e.g. "fi.maksuvaatimus"
    window: Window | None = None


@dataclass(frozen=True, slots=True)
class PaymentPeriod:
    """How long the law gives the company to pay a claim of this kind; the wait of the contact.

    `for_items`: holds only where all that is claimed is of these kinds of lines; empty: always.
    """

    claim_kind: str
    wait: Period
    rule: str
    for_items: tuple[str, ...] = ()
    verified: bool = True


@dataclass(frozen=True, slots=True)
class Declaration:
    """What must have been declared before money may be demanded, by whom and in what form.

    `shown_by`: the intake answer that records its day; any day there means it was made.
    """

    id: str
    claim_kinds: tuple[str, ...]
    by: str  # consumer | agency
    form: str  # any | text | registered
    shown_by: str
    rule: str


@dataclass(frozen=True, slots=True)
class LimitationAct:
    """An act that moves the last day of a claim, and who may do it."""

    id: str
    effect: str  # interrupts | suspends
    by: tuple[str, ...]  # consumer | agency | lawyer | body | company
    rule: str


@dataclass(frozen=True, slots=True)
class Limitation:
    """When a claim is too old; None as period: not known here, a person sets the day."""

    period: Period | None
    rule: str
    to_year_end: bool = False
    acts: tuple[LimitationAct, ...] = ()


@dataclass(frozen=True, slots=True)
class BodyFee:
    """What the body charges the complainant, in minor units; part of it may come back if upheld."""

    minor: int
    currency: str
    back_minor: int = 0
    only_if_lost: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class BodyTerms:
    """From when until when a body may be asked, as its record says; read in app.domain.bodies."""

    opens_after: Period | None = None  # since the first written complaint
    opens_on_refusal: bool = False  # a refusal opens it at once
    earlier_wait: tuple[date, Period] | None = None  # complaints before that day waited so long
    closes_after: Period | None = None  # since the fact of `closes_from`
    closes_from: str = "complaint"  # complaint | answer (a refusal) | opening | bill


@dataclass(frozen=True, slots=True)
class Body(BodyTerms):
    """A body that decides, mediates, records, or is a court. Admissibility is data, not code."""

    id: str
    name: str
    wait: Period  # how long it takes by its own word
    may_agency_file: bool
    address: tuple[str, ...] = ()
    email: str | None = None
    languages: tuple[str, ...] = ("en",)
    min_amount_minor: int = 0
    kind: str = "adr"  # adr | regulator | court | step
    who_files: str = "consumer_only"  # consumer_only | consumer_or_mandated | unknown
    how: str = "form"  # form | letter | phone
    needs_body: str | None = None  # must have been asked before
    max_amount_minor: int | None = None
    amount_currency: str | None = None  # of min_ and max_amount_minor
    fee: BodyFee | None = None
    mandate_level: str = "typed"  # typed | drawn | qualified | wet_ink
    alternative: str | None = None  # takes it when the company is no member here
    verified: bool = True
    rule: str = ""


@dataclass(frozen=True, slots=True)
class Playbook:
    id: str
    version: int
    jurisdiction: str
    claim_kinds: tuple[str, ...]
    effective_from: date | None  # None: a draft without a day
    effective_to: date | None
    owner: str
    last_reviewed: date
    zone: str  # IANA name of the statute's zone
    regime: Regime
    languages: tuple[str, ...]
    ladder: tuple[LadderStep, ...]
    bodies: tuple[Body, ...]
    sources: tuple[tuple[str, str], ...] = ()
    draft: bool = False
    family: str = "any"
    extends: str | None = None  # key of the playbook it inherits from, one level
    payment_periods: tuple[PaymentPeriod, ...] = ()
    declarations: tuple[Declaration, ...] = ()
    limitations: tuple[tuple[str, Limitation], ...] = ()  # claim kind or "*" -> limitation
    mandate_level: str = "typed"  # what companies here accept as authority
    bodies_by_case: bool = False  # which body decides hangs on the answers: the case names it
    licence: str | None = None  # agent.* rule whose licence we need to demand money here
    grounds: tuple[str, ...] = ()  # rules of claim_kinds.yaml that it argues with
    stop_below_minor: tuple[tuple[str, int], ...] = ()  # currency -> smallest sum worth a body
    reviewed_by: str | None = None  # the named person who approved its unverified data
    review_note: str | None = None  # and in which words
    unverified: tuple[str, ...] = ()  # rules nobody has read in a source: "to be confirmed"

    @property
    def key(self) -> str:
        return f"{self.id}@{self.version}"

    def step_for(self, stage: Stage) -> LadderStep:
        return next(s for s in self.ladder if s.stage is stage)

    def payment_period(
        self, claim_kind: str, items: Collection[str] | None = None
    ) -> PaymentPeriod | None:
        """The statutory one of a kind; of those for some kinds of lines, only what fits `items`."""
        return next(
            (
                p
                for p in self.payment_periods
                if p.claim_kind == claim_kind
                and (not p.for_items or (items and set(items) <= set(p.for_items)))
            ),
            None,
        )

    def confirmed(self, verified: bool, rule: str) -> bool:
        """Whether a datum may be used without asking: read in a source, or approved by a person in
        this version. What the version does not hold (a body the case alone names) nobody approved
        with it."""
        held = any(one == rule or one.startswith(f"{rule}.") for one in self.unverified)
        return verified or (self.reviewed_by is not None and held)

    def limitation(self, claim_kind: str) -> Limitation | None:
        named = dict(self.limitations)
        return named.get(claim_kind) or named.get("*")


@dataclass(frozen=True, slots=True)
class AgencyProfile:
    """The agency as versioned data: amounts in minor units of the case's currency."""

    approval_line_minor: dict[str, int] = field(default_factory=dict)  # currency -> line (EUR 500)
    version: int = 1
    files_in: frozenset[str] | None = None  # countries whose licence lets us file; None: not told

    def may_file_in(self, place: str) -> bool:
        """Whether our licence lets us file with the bodies of this place (`US-CA` is in `US`)."""
        return self.files_in is None or place.partition("-")[0] in self.files_in


class Ids(Protocol):
    """Hands out ids chosen by the caller; decide() itself knows no randomness."""

    def __call__(self) -> uuid.UUID: ...


@dataclass(frozen=True, slots=True)
class Reach:
    """What is known of the ways to the case's company, from all its cases."""

    dead: frozenset[str] = frozenset()  # kinds of channels of which none is left that works
    portal: bool = False  # it has a web form that works: a person fills it in
    official: tuple[str, ...] = ()  # kinds of official complaint address, best first
    mandate_level: str | None = None  # the weakest signature it takes; None: the playbook's


@dataclass(frozen=True, slots=True)
class Rules:
    """Everything decide() may consult besides the case."""

    playbook: Playbook
    calendar: Calendar
    agency: AgencyProfile
    new_id: Ids
    mail_read_until: datetime | None = None  # blindness gate: company mail read up to here
    bank_read_until: datetime | None = None
    reach: Reach = field(default_factory=Reach)
