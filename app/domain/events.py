"""Facts, in the past tense. A closed union: `decide` matches all of them and ends in assert_never.

Every event carries only ids, codes, amounts and dates; free text stays in its own table, so that
history never holds personal text. `VERSION` rises when the meaning of a field changes; an unknown
name or version found in the database is parked, not dropped.
"""

from __future__ import annotations

from app.domain.events_claim import (
    BodyAnswered,
    BodyAsked,
    BodyDecided,
    BodyDismissed,
    CaseAccepted,
    CaseDrafted,
    CaseRejected,
    CaseSubmitted,
    ChannelMended,
    CompanyAsked,
    CompanyDenied,
    CompanyOffered,
    CompanyPromised,
    EffectFailed,
    EffectSettled,
    EffectUnknown,
    LetterApproved,
    LetterBounced,
    LetterDelivered,
    LetterHandedOver,
    LetterRendered,
    LetterRequested,
    LetterReturned,
    MailGuessed,
    MailPlaced,
    MailUnplaced,
    MandateRendered,
    MandateRevoked,
    MandateSigned,
    MessageArrived,
    MessageSetAside,
    PayoutAccountGiven,
    QuestionAnswered,
    QuestionAsked,
    StartAsked,
    WrongParty,
)
from app.domain.events_course import (
    AgencyLeft,
    AlertRaised,
    AllocationUndone,
    CaseClosed,
    CaseHeld,
    CaseReassigned,
    CaseReopened,
    CaseWithdrawn,
    ClockRestarted,
    DateRecounted,
    DeadlineExtended,
    DistressNoticed,
    DuplicateLinked,
    DuplicateUnlinked,
    FactsLearned,
    HoldLifted,
    IncidentRecorded,
    LegalThreatened,
    LimitationMoved,
    MoneyAllocated,
    MoneyCorrected,
    MoneyHeldInFull,
    MoneyReturned,
    NextStepChosen,
    OfferAccepted,
    OfferCountered,
    OfferExtended,
    OfferRefused,
    PaidDirectConfirmed,
    PaidDirectReported,
    PayoutApproved,
    PayoutReturned,
    PayoutSettled,
    TimerFired,
    VoucherTaken,
)

__all__ = [
    "AgencyLeft",
    "AlertRaised",
    "AllocationUndone",
    "BodyAnswered",
    "BodyAsked",
    "BodyDecided",
    "BodyDismissed",
    "CaseAccepted",
    "CaseClosed",
    "CaseDrafted",
    "CaseHeld",
    "CaseReassigned",
    "CaseRejected",
    "CaseReopened",
    "CaseSubmitted",
    "CaseWithdrawn",
    "ChannelMended",
    "ClockRestarted",
    "CompanyAsked",
    "CompanyDenied",
    "CompanyOffered",
    "CompanyPromised",
    "DateRecounted",
    "DeadlineExtended",
    "DistressNoticed",
    "DuplicateLinked",
    "DuplicateUnlinked",
    "EffectFailed",
    "EffectSettled",
    "EffectUnknown",
    "Event",
    "FactsLearned",
    "HoldLifted",
    "IncidentRecorded",
    "LegalThreatened",
    "LetterApproved",
    "LetterBounced",
    "LetterDelivered",
    "LetterHandedOver",
    "LetterRendered",
    "LetterRequested",
    "LetterReturned",
    "LimitationMoved",
    "MailGuessed",
    "MailPlaced",
    "MailUnplaced",
    "MandateRendered",
    "MandateRevoked",
    "MandateSigned",
    "MessageArrived",
    "MessageSetAside",
    "MoneyAllocated",
    "MoneyCorrected",
    "MoneyHeldInFull",
    "MoneyReturned",
    "NextStepChosen",
    "OfferAccepted",
    "OfferCountered",
    "OfferExtended",
    "OfferRefused",
    "PaidDirectConfirmed",
    "PaidDirectReported",
    "PayoutAccountGiven",
    "PayoutApproved",
    "PayoutReturned",
    "PayoutSettled",
    "QuestionAnswered",
    "QuestionAsked",
    "StartAsked",
    "TimerFired",
    "VoucherTaken",
    "WrongParty",
]

Event = (
    CaseDrafted
    | CaseSubmitted
    | CaseAccepted
    | CaseRejected
    | QuestionAsked
    | QuestionAnswered
    | MandateSigned
    | MandateRevoked
    | StartAsked
    | MandateRendered
    | PayoutAccountGiven
    | LetterRequested
    | LetterRendered
    | LetterApproved
    | LetterReturned
    | LetterHandedOver
    | LetterDelivered
    | LetterBounced
    | ChannelMended
    | EffectUnknown
    | EffectSettled
    | EffectFailed
    | MessageArrived
    | MailGuessed
    | MailPlaced
    | MailUnplaced
    | CompanyAsked
    | CompanyDenied
    | CompanyOffered
    | CompanyPromised
    | MessageSetAside
    | WrongParty
    | BodyAsked
    | BodyAnswered
    | BodyDismissed
    | BodyDecided
    | OfferAccepted
    | OfferRefused
    | OfferCountered
    | OfferExtended
    | MoneyAllocated
    | AllocationUndone
    | MoneyCorrected
    | MoneyHeldInFull
    | MoneyReturned
    | PaidDirectReported
    | PaidDirectConfirmed
    | VoucherTaken
    | PayoutApproved
    | PayoutSettled
    | PayoutReturned
    | CaseHeld
    | HoldLifted
    | DeadlineExtended
    | ClockRestarted
    | NextStepChosen
    | CaseReassigned
    | DuplicateLinked
    | DuplicateUnlinked
    | CaseWithdrawn
    | AgencyLeft
    | CaseClosed
    | CaseReopened
    | DistressNoticed
    | AlertRaised
    | LegalThreatened
    | LimitationMoved
    | FactsLearned
    | DateRecounted
    | IncidentRecorded
    | TimerFired
)
