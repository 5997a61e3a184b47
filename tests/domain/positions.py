"""One case in every kind of position, and one sample of every event fitted to it: for the table."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import get_args

from app.domain import events as e
from app.domain.case import LetterKind, OfferKind, Outcome, Stage, TimerKind
from tests.domain.life import Life

EVENT_TYPES: tuple[type[e.Event], ...] = get_args(e.Event)


def _offered() -> Life:
    life = Life().contacted()
    life.offer()
    return life


def _unread() -> Life:
    life = Life().contacted()
    life.reply()
    return life


def _settlement_company() -> Life:
    life = Life().contacted()
    life.tell(e.CompanyPromised(life.id(), 10_000, date(2026, 3, 20), True, "anna"))
    return life


def _settlement_bank() -> Life:
    life = Life().contacted()
    life.tell(e.PayoutAccountGiven(life.case.claimants[0].id))
    return life.paid(10_000, 2_500)


def _closed() -> Life:
    life = Life().contacted()
    life.tell(e.CaseClosed(Outcome.REFUSED_FINAL, "no_way_left", "anna"))
    return life


# Column of the table -> how a case gets there, through decide() only.
POSITIONS: dict[str, Callable[[], Life]] = {
    "intake": Life,
    "assessment": lambda: Life().submit(),
    "agreement": lambda: Life().submit().accept(),
    "contact/made": lambda: Life().on_ladder(),
    "contact/released": lambda: Life().on_ladder().render(),
    "contact/arrived": lambda: Life().contacted(),
    "contact/unread": _unread,
    "contact/offered": _offered,
    "reminder/arrived": lambda: Life().on_ladder(Stage.REMINDER).letter_arrives(),
    "formal_notice/arrived": lambda: Life().on_ladder(Stage.FORMAL_NOTICE).letter_arrives(),
    "complaint/approval": lambda: Life().on_ladder(Stage.COMPLAINT).render(),
    "complaint/body": lambda: Life().on_ladder(Stage.COMPLAINT).letter_arrives(),
    "settlement/company": _settlement_company,
    "settlement/bank": _settlement_bank,
    "closed": _closed,
}


def sample(kind: type[e.Event], life: Life) -> e.Event:
    """The most ordinary event of this type for this case: ids fit, dates lie ahead."""
    return SAMPLES[kind](life)


def _letter(life: Life) -> uuid.UUID:
    return life.case.letter.id if life.case.letter else uuid.UUID(int=9_999)


def _sha(life: Life) -> str:
    return (life.case.letter.sha256 if life.case.letter else None) or "aa"


def _offer(life: Life) -> uuid.UUID:
    return life.case.offer.id if life.case.offer else uuid.UUID(int=9_998)


def _who(life: Life) -> uuid.UUID:
    return life.case.claimants[0].id


def _step(life: Life) -> int:
    return life.case.letter.step if life.case.letter else 0


def _deadline(life: Life) -> e.TimerFired:
    timer = life.case.timer(TimerKind.DEADLINE)
    if timer is None:
        return e.TimerFired(TimerKind.DEADLINE, "", 0, life.now)
    life.now = timer.due_at
    return e.TimerFired(TimerKind.DEADLINE, "", timer.step, timer.due_at)


def _later(life: Life, days: int = 10) -> datetime:
    return life.now + timedelta(days=days)


def _someone(life: Life) -> uuid.UUID:
    return life.id()


SAMPLES: dict[type[e.Event], Callable[[Life], e.Event]] = {
    e.CaseDrafted: lambda _: e.CaseDrafted(),
    e.CaseSubmitted: lambda _: e.CaseSubmitted("consumer"),
    e.CaseAccepted: lambda life: e.CaseAccepted(
        Stage.CONTACT, "never_written_to", life.playbook.key, "anna"
    ),
    e.CaseRejected: lambda _: e.CaseRejected(Outcome.NO_MERIT, "rule", "proof", "anna"),
    e.QuestionAsked: lambda life: e.QuestionAsked(life.id(), "receipt", "proceed", 10),
    e.QuestionAnswered: lambda life: e.QuestionAnswered(life.id()),
    e.MandateSigned: lambda life: e.MandateSigned(_who(life), life.id()),
    e.MandateRevoked: lambda life: e.MandateRevoked(_who(life)),
    e.MandateRendered: lambda life: e.MandateRendered(_who(life), life.id(), "aa"),
    e.StartAsked: lambda life: e.StartAsked(_who(life)),
    e.PayoutAccountGiven: lambda life: e.PayoutAccountGiven(_who(life)),
    e.LetterRequested: lambda life: e.LetterRequested(
        life.id(), LetterKind.MANDATE_NOTICE, "mandate", "email", "company", "anna"
    ),
    e.LetterRendered: lambda life: e.LetterRendered(_letter(life), _step(life), "aa"),
    e.LetterApproved: lambda life: e.LetterApproved(_letter(life), _sha(life), "berit"),
    e.LetterReturned: lambda life: e.LetterReturned(_letter(life), "tone", "berit"),
    e.LetterHandedOver: lambda life: e.LetterHandedOver(_letter(life), life.now, "smtp", True),
    e.LetterDelivered: lambda life: e.LetterDelivered(_letter(life), life.now, "registered"),
    e.LetterBounced: lambda life: e.LetterBounced(_letter(life), True, "550"),
    e.EffectUnknown: lambda life: e.EffectUnknown(life.id(), "send_letter"),
    e.EffectSettled: lambda life: e.EffectSettled(life.id(), "send_letter", "sent", "anna"),
    e.EffectFailed: lambda life: e.EffectFailed(life.id(), "notify_consumer", "550"),
    e.MessageArrived: lambda life: e.MessageArrived(life.id(), "company", automatic=False),
    e.CompanyAsked: lambda _: e.CompanyAsked(None, "anna"),
    e.CompanyDenied: lambda _: e.CompanyDenied(None, "not_liable", "anna"),
    e.CompanyOffered: lambda life: e.CompanyOffered(
        life.id(), OfferKind.PART, 6_000, _later(life), "anna"
    ),
    e.CompanyPromised: lambda life: e.CompanyPromised(
        life.id(), 10_000, _later(life).date(), True, "anna"
    ),
    e.ChannelMended: lambda _: e.ChannelMended("email", "anna"),
    e.MailGuessed: lambda life: e.MailGuessed(life.id()),
    e.MailPlaced: lambda life: e.MailPlaced(life.id()),
    e.MailUnplaced: lambda life: e.MailUnplaced(life.id(), "anna"),
    e.MessageSetAside: lambda life: e.MessageSetAside(life.id(), "anna"),
    e.WrongParty: lambda _: e.WrongParty("anna"),
    e.BodyAsked: lambda life: e.BodyAsked(_later(life), "anna"),
    e.BodyAnswered: lambda _: e.BodyAnswered("anna"),
    e.BodyDismissed: lambda _: e.BodyDismissed("no_ground", "anna"),
    e.BodyDecided: lambda life: e.BodyDecided(life.id(), 10_000, _later(life).date(), "anna"),
    e.OfferAccepted: lambda life: e.OfferAccepted(_offer(life), _who(life)),
    e.OfferRefused: lambda life: e.OfferRefused(_offer(life), _who(life)),
    e.OfferCountered: lambda life: e.OfferCountered(_offer(life), _who(life), 8_000),
    e.OfferExtended: lambda life: e.OfferExtended(_offer(life), _later(life, 20), "anna"),
    e.MoneyAllocated: lambda life: e.MoneyAllocated(life.id(), 4_000, 1_000),
    e.AllocationUndone: lambda life: e.AllocationUndone(life.id(), 4_000, 1_000),
    e.MoneyCorrected: lambda life: e.MoneyCorrected(life.id(), "compensated", 0, 0, 0, 2_000),
    e.MoneyHeldInFull: lambda life: e.MoneyHeldInFull(life.id(), life.id(), 6_000, _later(life)),
    e.MoneyReturned: lambda life: e.MoneyReturned(life.id(), 6_000),
    e.PaidDirectReported: lambda life: e.PaidDirectReported(life.id(), 10_000, date(2026, 3, 1)),
    e.PaidDirectConfirmed: lambda _: e.PaidDirectConfirmed(10_000, 2_500, True, "anna"),
    e.VoucherTaken: lambda _: e.VoucherTaken(5_000, "anna"),
    e.PayoutApproved: lambda life: e.PayoutApproved(life.id(), 7_500),
    e.PayoutSettled: lambda life: e.PayoutSettled(life.id(), 7_500),
    e.PayoutReturned: lambda life: e.PayoutReturned(life.id(), 7_500, "closed_account", False),
    e.CaseHeld: lambda life: e.CaseHeld("travel", "consumer_travels", _later(life), "anna"),
    e.HoldLifted: lambda _: e.HoldLifted("travel", "anna"),
    e.DeadlineExtended: lambda life: e.DeadlineExtended(_later(life, 60), "company_asked", "anna"),
    e.ClockRestarted: lambda life: e.ClockRestarted("new_document", life.now, "anna"),
    e.NextStepChosen: lambda _: e.NextStepChosen(
        Stage.FORMAL_NOTICE, "refused", "anna", LetterKind.FORMAL_NOTICE
    ),
    e.CaseReassigned: lambda life: e.CaseReassigned(life.id(), "anna"),
    e.DuplicateLinked: lambda life: e.DuplicateLinked(life.id(), "anna"),
    e.DuplicateUnlinked: lambda _: e.DuplicateUnlinked("anna"),
    e.CaseWithdrawn: lambda _: e.CaseWithdrawn("consumer"),
    e.AgencyLeft: lambda _: e.AgencyLeft(),
    e.CaseClosed: lambda _: e.CaseClosed(Outcome.REFUSED_FINAL, "no_way_left", "anna"),
    e.CaseReopened: lambda _: e.CaseReopened("new_proof", "anna"),
    e.AlertRaised: lambda life: e.AlertRaised(life.id(), "insolvency"),
    e.DistressNoticed: lambda _: e.DistressNoticed("anna"),
    e.LegalThreatened: lambda life: e.LegalThreatened(_later(life), "anna"),
    e.LimitationMoved: lambda life: e.LimitationMoved(
        "correction", life.now.date(), _later(life, 900).date(), "anna"
    ),
    e.FactsLearned: lambda life: e.FactsLearned("bill_on", "anna", bill_on=life.now.date()),
    e.DateRecounted: lambda life: e.DateRecounted(life.now, _later(life), "anna"),
    e.IncidentRecorded: lambda life: e.IncidentRecorded(life.id(), "date_missed", "anna"),
    e.TimerFired: _deadline,
}
