"""Orders to the outside, imperative; each becomes one row of the effects journal (app.outbox).

Payloads hold ids and codes only. `business_key` is what makes an order unique for ever: the same
key is the same order, and a resend is a new `n` by a recorded decision.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Final

COMPANY_LANE = "company"
CONSUMER_LANE = "consumer"
MONEY_LANE = "money"
RENDER_LANE = "render"
LANES = (COMPANY_LANE, CONSUMER_LANE, MONEY_LANE, RENDER_LANE)


@dataclass(frozen=True, slots=True)
class RenderLetter:
    """Make the bytes of a letter and store them once under their hash."""

    VERSION: ClassVar[int] = 1
    LANE: ClassVar[str] = RENDER_LANE
    id: uuid.UUID
    case_id: uuid.UUID
    letter_id: uuid.UUID
    step: int
    n: int
    not_before: datetime | None = None

    @property
    def business_key(self) -> str:
        return f"render:{self.letter_id}:{self.n}"


@dataclass(frozen=True, slots=True)
class RenderMandate:
    """Make the document of what a claimant signed and store it once under its hash."""

    VERSION: ClassVar[int] = 1
    LANE: ClassVar[str] = RENDER_LANE
    id: uuid.UUID
    case_id: uuid.UUID
    claimant_id: uuid.UUID
    mandate_id: uuid.UUID
    not_before: datetime | None = None

    @property
    def business_key(self) -> str:
        return f"mandate:{self.mandate_id}"


@dataclass(frozen=True, slots=True)
class SendLetter:
    """Send the stored bytes `sha256` of an approved letter by its channel."""

    VERSION: ClassVar[int] = 1
    LANE: ClassVar[str] = COMPANY_LANE
    id: uuid.UUID
    case_id: uuid.UUID
    letter_id: uuid.UUID
    step: int
    n: int
    channel: str
    sha256: str
    key: str  # letter:{case}:{stage}:{step}:{letter kind}:{recipient}:{n}
    not_before: datetime | None = None

    @property
    def business_key(self) -> str:
        return self.key


@dataclass(frozen=True, slots=True)
class SendCopy:
    """Send the bytes of the first letter to the company's official complaint address as well. What
    becomes of a copy moves no clock."""

    VERSION: ClassVar[int] = 1
    LANE: ClassVar[str] = COMPANY_LANE
    id: uuid.UUID
    case_id: uuid.UUID
    letter_id: uuid.UUID
    channel: str
    sha256: str
    not_before: datetime | None = None

    @property
    def business_key(self) -> str:
        return f"copy:{self.letter_id}"


SECOND_CHANNEL: Final = "second"
DOCUMENT: Final = "document"


@dataclass(frozen=True, slots=True)
class NotifyConsumer:
    """Tell a claimant something: `template` is a code, `params` codes, dates and amounts.

    `key` tells two notices of one template apart (a timer's date, an offer's id). The parameter
    `channel` with SECOND_CHANNEL asks for the way the person is not usually reached by; the
    parameter DOCUMENT is the hash of a stored document that goes along.
    """

    VERSION: ClassVar[int] = 1
    LANE: ClassVar[str] = CONSUMER_LANE
    id: uuid.UUID
    case_id: uuid.UUID
    template: str
    key: str
    params: tuple[tuple[str, str], ...] = ()
    claimant_id: uuid.UUID | None = None  # None: every claimant's contact person (the first)
    not_before: datetime | None = None

    @property
    def business_key(self) -> str:
        who = self.claimant_id or "all"
        return f"notify:{self.case_id}:{self.template}:{self.key}:{who}"


@dataclass(frozen=True, slots=True)
class AcknowledgeMessage:
    """Promise 6: tell a known sender that their message was read in, once per thread and day."""

    VERSION: ClassVar[int] = 1
    LANE: ClassVar[str] = CONSUMER_LANE
    id: uuid.UUID
    case_id: uuid.UUID
    message_id: uuid.UUID
    key: str  # thread and day
    not_before: datetime | None = None

    @property
    def business_key(self) -> str:
        return f"ack:{self.case_id}:{self.key}"


@dataclass(frozen=True, slots=True)
class StopNotice:
    """Tell the company that we no longer act (the one letter allowed after a revoked mandate)."""

    VERSION: ClassVar[int] = 1
    LANE: ClassVar[str] = COMPANY_LANE
    id: uuid.UUID
    case_id: uuid.UUID
    key: str
    not_before: datetime | None = None

    @property
    def business_key(self) -> str:
        return f"stop:{self.case_id}:{self.key}"


@dataclass(frozen=True, slots=True)
class RecallLetter:
    """Ask the printer to give back a letter it still holds."""

    VERSION: ClassVar[int] = 1
    LANE: ClassVar[str] = COMPANY_LANE
    id: uuid.UUID
    case_id: uuid.UUID
    letter_id: uuid.UUID
    not_before: datetime | None = None

    @property
    def business_key(self) -> str:
        return f"recall:{self.letter_id}"


@dataclass(frozen=True, slots=True)
class MakePaper:
    """Make the files of a paper of the case (a statement, an invoice) and store them once."""

    VERSION: ClassVar[int] = 1
    LANE: ClassVar[str] = RENDER_LANE
    id: uuid.UUID
    case_id: uuid.UUID
    paper_id: uuid.UUID
    not_before: datetime | None = None

    @property
    def business_key(self) -> str:
        return f"paper:{self.paper_id}:{self.id}"


Effect = (
    RenderLetter
    | RenderMandate
    | SendLetter
    | SendCopy
    | NotifyConsumer
    | AcknowledgeMessage
    | StopNotice
    | RecallLetter
    | MakePaper
)


# Orders that belong to no case: staged by their own services, carried by the same relay.


@dataclass(frozen=True, slots=True)
class SendMagicLink:
    """Mail a sign-in link; the token is derived from the effect id by HMAC, never stored."""

    VERSION: ClassVar[int] = 1
    LANE: ClassVar[str] = CONSUMER_LANE
    id: uuid.UUID
    consumer_id: uuid.UUID
    not_before: datetime | None = None

    @property
    def business_key(self) -> str:
        return f"link:{self.id}"


@dataclass(frozen=True, slots=True)
class SendStaffInvite:
    """Mail an invitation to a colleague; token derived from the effect id."""

    VERSION: ClassVar[int] = 1
    LANE: ClassVar[str] = CONSUMER_LANE
    id: uuid.UUID
    staff_id: uuid.UUID
    not_before: datetime | None = None

    @property
    def business_key(self) -> str:
        return f"invite:{self.id}"


@dataclass(frozen=True, slots=True)
class SubmitBankFile:
    """Hand the frozen bytes of an approved payout batch to the bank, once."""

    VERSION: ClassVar[int] = 1
    LANE: ClassVar[str] = MONEY_LANE
    id: uuid.UUID
    batch_id: uuid.UUID
    sha256: str
    not_before: datetime | None = None

    @property
    def business_key(self) -> str:
        return f"bankfile:{self.batch_id}"


@dataclass(frozen=True, slots=True)
class SendClaimsList:
    """Mail a company that chose it the list of its open claims; once a week."""

    VERSION: ClassVar[int] = 1
    LANE: ClassVar[str] = COMPANY_LANE
    id: uuid.UUID
    company_id: uuid.UUID
    week: str  # ISO 8601, 2026-W48
    not_before: datetime | None = None

    @property
    def business_key(self) -> str:
        return f"claims:{self.company_id}:{self.week}"


SystemEffect = SendMagicLink | SendStaffInvite | SubmitBankFile | SendClaimsList
AnyEffect = Effect | SystemEffect
