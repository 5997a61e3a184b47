"""What staff send when they work on a case. Reasons are words of a person or a code of theirs;
history keeps the code, the words stand in case_notes."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StrictInt, WithJsonSchema
from pydantic_core import PydanticCustomError

from app.casework.gate_schemas import GATES_MAX, GateWordIn, OpponentRole, ReleaseIn
from app.check.schemas import FindingOut
from app.domain.case import LetterKind, Outcome, Stage
from app.schemas import Date, Flag, Id, In, Line, MoneyIn, Out, Reason, Text, When

Code = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_.-]{0,63}$", max_length=64)]
HoldKey = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$", max_length=64)]
BodyId = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_.]{1,80}$")]
BODIES_MAX = 6  # the longest chain there is, with what must come before, has three
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
EntryStage = Literal["contact", "reminder", "formal_notice", "complaint"]
RejectOutcome = Literal["no_merit", "declined_by_us", "uneconomic", "time_barred", "insolvent"]


def _checked(value: bool) -> bool:
    if not value:
        raise PydanticCustomError("not_checked", "look for a conflict of interest first")
    return value


Checked = Annotated[
    Flag, AfterValidator(_checked), WithJsonSchema({"type": "boolean", "const": True})
]  # Literal[True] would take the number 1


class ConflictCheckIn(In):
    """Does the person who decides have an interest of their own in this company or consumer?"""

    checked: Checked
    found: Flag
    with_whom: Reason | None = None


class AssessmentIn(In):
    """The merit decision. Accepting needs entry stage and reason; rejecting the outcome, the rule
    and what would change it."""

    decision: Literal["accept", "reject"]
    conflict_of_interest: ConflictCheckIn
    merit: Reason | None = None
    entry_stage: EntryStage | None = None
    entry_reason: Reason | None = None
    mode: Literal["A", "B"] | None = None
    limitation_on: Date | None = None
    limitation_reason: Reason | None = None  # where the day is later than the law's files say
    first_written_complaint: Date | None = None
    refused_on: Date | None = None
    bodies: Annotated[list[BodyId], Field(max_length=BODIES_MAX, default_factory=list)]
    opponent_role: OpponentRole | None = None  # what the company is to this claim
    gates: Annotated[list[GateWordIn], Field(max_length=GATES_MAX, default_factory=list)]
    releases: Annotated[list[ReleaseIn], Field(max_length=4, default_factory=list)]
    consumer_writes_first_days: Annotated[StrictInt, Field(ge=0, le=90)] = 0
    outcome: RejectOutcome | None = None
    rule: Line | None = None
    would_change: Reason | None = None


class QuestionIn(In):
    """A question to the consumer, with what silence brings (`default`) and by when."""

    code: Code
    words: Text
    default: Code
    days: Annotated[StrictInt, Field(ge=1, le=90)]
    blocks_ladder: Flag = True


class ConfirmCompanyIn(In):
    company_id: Id


class ApproveIn(In):
    """`sha256` of the document that was read: another rendering is another approval. A complaint
    with something that no exhibit proves needs `gaps_reason`: why it leaves all the same."""

    sha256: Sha256
    gaps_reason: Reason | None = None


class ReasonIn(In):
    reason: Reason


class SentIn(In):
    """A letter that left by hand: the consumer filed it with the body, or a person posted it."""

    at: When
    by: Literal["consumer", "hand"]


class DeliveredIn(In):
    at: When
    grade: Literal["recipient_server", "registered", "presumed"]


class BouncedIn(In):
    reason: Reason
    hard: Flag = True
    at: When | None = None


class _Answer(In):
    message_id: Id | None = None
    words: Text | None = None  # what was written or said, where no message carries it


class DeniedIn(_Answer):
    kind: Literal["denied"]
    reason: Reason | None = None  # none = without reasons


class OfferedIn(_Answer):
    kind: Literal["offered"]
    amount: MoneyIn
    offer_kind: Literal["part", "full", "voucher", "goodwill"] = "part"
    answer_by: When | None = None
    in_full_settlement: Flag = True


class PromisedIn(_Answer):
    kind: Literal["promised"]
    amount: MoneyIn
    promised_date: Date
    whole: Flag


class AskedIn(_Answer):
    kind: Literal["asked"]


class SetAsideIn(In):
    kind: Literal["set_aside"]
    message_id: Id


class WrongPartyIn(_Answer):
    kind: Literal["wrong_party"]


class BodyAskedIn(_Answer):
    kind: Literal["body_asked"]
    answer_by: When


class BodyAnsweredIn(_Answer):
    kind: Literal["body_answered"]


class BodyDismissedIn(_Answer):
    kind: Literal["body_dismissed"]
    reason: Reason


class BodyRecommendedIn(_Answer):
    kind: Literal["body_recommended"]
    amount: MoneyIn
    answer_by: When | None = None


class BodyDecidedIn(_Answer):
    kind: Literal["body_decided"]
    amount: MoneyIn
    obey_by: Date


class OfferExtendedIn(_Answer):
    """The company gives more time to answer its offer."""

    kind: Literal["offer_extended"]
    offer_id: Id
    answer_by: When


AnswerIn = Annotated[
    DeniedIn | OfferedIn | OfferExtendedIn | PromisedIn | AskedIn | SetAsideIn | WrongPartyIn
    | BodyAskedIn
    | BodyAnsweredIn | BodyDismissedIn | BodyRecommendedIn | BodyDecidedIn,
    Field(discriminator="kind"),
]  # fmt: skip


class CallIn(In):
    """A phone call, for the file. What it changes is recorded as an answer: a `promise` noted here
    stops no clock. `next_at`: when we come back to it."""

    with_whom: Literal["company", "consumer", "body"]
    notes: Text
    outcome: Line
    promise: Line | None = None
    next_at: When | None = None
    called_at: When | None = None


class CallOut(Out):
    id: uuid.UUID
    with_whom: str
    notes: str
    outcome: str
    promise: str | None
    next_at: datetime | None
    called_at: datetime
    recorded_by: str


class CallsOut(Out):
    """The last calls, newest first."""

    items: list[CallOut]


class NextStepIn(In):
    """`letter`: `denial_answer` puts the answer to a denial in the place of the stage's own letter,
    and `denials` names the reasons it meets (list_denial_reasons); none: the one on record."""

    stage: EntryStage
    reason: Reason
    letter: LetterKind | None = None
    denials: Annotated[list[Code], Field(max_length=12, default_factory=list)]


class HoldIn(In):
    reason: Reason
    until: When
    key: HoldKey | None = None


class ExtendIn(In):
    until: When
    reason: Reason


class LimitationIn(In):
    """`act`: one of the playbook's acts that move the limitation, or `correction` of a wrong day.
    `on`: when it was done; `new_day`: the last day of the claim from now on."""

    act: Code
    on: Date
    new_day: Date
    reason: Reason


class RefusedAnswerOut(Out):
    answer: str
    why: str


class CaseFindingOut(Out):
    """What the law's files say by the answers on file. `finding` is null where some of them are not
    in the questions' vocabulary: `refused` names those. `law` is the version it rests on."""

    eligible: Literal["yes", "no", "unclear", "needs_info"]
    finding: FindingOut | None
    refused: list[RefusedAnswerOut]
    playbook: str
    law: str


class RestartIn(In):
    """A new fact starts the period again; never a resend because they lost it."""

    fact: Code
    at: When


class ReassignIn(In):
    handler_id: Id | None


class HandOverIn(In):
    to: Id | None = None  # none: to the pool


class DuplicateIn(In):
    duplicate_of: Id


class CloseIn(In):
    outcome: Outcome
    reason: Reason


class DirectPaymentDecisionIn(In):
    """`confirmed`: the payment was proven. `whole`: nothing more is claimed."""

    confirmed: Flag
    whole: Flag
    reason: Reason | None = None


class VoucherIn(In):
    value: MoneyIn


class DistressIn(In):
    words: Text | None = None


class LegalIn(In):
    deadline: When
    words: Text | None = None


class IncidentIn(In):
    what: Reason


class RevealIn(In):
    what: Literal["iban", "address", "birth_date"]
    claimant_id: Id
    reason: Reason


class RevealedOut(Out):
    """Shown once, never stored in the answer of a repeated call; the reason is in the history."""

    what: str
    claimant_id: uuid.UUID
    value: str


class HandedOverOut(Out):
    """`refused` are cases the ladder would not move; `more` asks for the same call again."""

    cases_moved: int
    tasks_moved: int
    refused: list[uuid.UUID]
    more: bool


class ExplanationOut(Out):
    case_id: uuid.UUID
    text: str


ENTRY_STAGES = {stage.value: stage for stage in Stage}
