"""What the letters say that answer the company, and those beside the steps: rows to content.

What is common to all letters comes from `workers.letter_content`; a letter that lacks something is
refused there with the name of the record that should have filled it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final, Literal, cast
from zoneinfo import ZoneInfo

from app.domain.case import Letter, LetterKind, Outcome
from app.domain.ladder import SETTLEMENT_DAYS
from app.domain.playbook import Playbook
from app.domain.steering import REOPEN_WITHIN
from app.law.denials import denials, dispute_answer_days, dispute_ground
from app.texts.words import words as texts
from letters import content as words
from letters.errors import LetterIncomplete
from letters.values import DenialReason, OfferTold
from workers.effects.letter_rows import LetterRows

MORE_TIME_DAYS: Final = 7  # calendar days beyond the one the offer names
ANSWER_DAYS: Final = 14  # for a company that says it is the wrong one
SETTLED: Final = (Outcome.REFUNDED_PART, Outcome.VOUCHER_ACCEPTED, Outcome.NON_MONEY_REMEDY)
PAID: Final = (Outcome.REFUNDED_FULL, Outcome.PAID_DIRECT, Outcome.BILL_CANCELLED)


@dataclass(frozen=True, slots=True)
class Making:
    """All that one letter is made of: rows, the letter, and the fields every letter has."""

    rows: LetterRows
    letter: Letter
    playbook: Playbook
    common: dict[str, Any]
    demand: Callable[[], dict[str, Any]]  # deadline, next steps, payment; only demands ask
    payment: Callable[[], Any]

    @property
    def language(self) -> str:
        return str(self.common["language"])

    @property
    def today(self) -> date:
        return cast(date, self.common["dated"])

    def said(self, name: str) -> Any:
        """What the person who asked for the letter said of it; None where nothing."""
        return self.rows.details.said.get(name) if self.rows.details else None

    def local_day(self, at: Any) -> date:
        return cast(date, at.astimezone(ZoneInfo(self.playbook.zone)).date())


def build_further(m: Making) -> words.FurtherLetter:
    """The content of this letter. Raises the refusals of letters.errors."""
    return MAKERS[m.letter.kind](m)


def _denial_answer(m: Making) -> words.FurtherLetter:
    refused = next((r for r in m.rows.said if r["code"] == "company_denied"), None)
    codes = m.said("denials") or [refused["params"].get("reason", "")] if refused else []
    known = denials()
    reasons = []
    for code in codes:
        reason = known.get(code)
        if reason is None:
            raise LetterIncomplete("reasons", "denial reasons")
        law = reason.rule(m.rows.case.jurisdiction, m.language)
        if law is None and reason.law:
            raise LetterIncomplete(f"reasons.{code}.law", "denial reasons")
        reasons.append(DenialReason(
            code=code, said=reason.said[m.language], answer=reason.answer[m.language], law=law
        ))  # fmt: skip
    if refused is None:
        raise LetterIncomplete("refused_on", "correspondence")
    return words.DenialAnswer(
        **_full(m), **m.demand(), reasons=tuple(reasons), refused_on=m.local_day(refused["at"])
    )


def _promise_broken(m: Making) -> words.FurtherLetter:
    row = next((r for r in m.rows.said if r["code"] == "company_promised"), None)
    if row is None:
        raise LetterIncomplete("position.promised_for", "correspondence")
    position = words.CompanyPosition(
        kind="promised", on=m.local_day(row["at"]), currency=m.rows.case.currency,
        promised_for=date.fromisoformat(row["params"]["on"]), minor=int(row["params"]["amount"]),
    )  # fmt: skip
    return words.PromiseBroken(**_full(m) | {"position": position}, **m.demand())


def _offer_refused(m: Making) -> words.FurtherLetter:
    offer = _offer(m)
    counter = next((r for r in m.rows.told if r["code"] == "offer_countered"), None)
    asked = None
    if counter is not None and counter["params"].get("offer") == _offer_id(m):
        asked = int(counter["params"]["amount"])
    return words.OfferRefused(
        **_full(m) | {"position": None}, **m.demand(), offer=offer, counter_minor=asked
    )


def _full_settlement_refused(m: Making) -> words.FurtherLetter:
    return words.FullSettlementRefused(
        **_full(m) | {"position": None}, **m.demand(), offer=_offer(m)
    )


def _offer_accepted(m: Making) -> words.FurtherLetter:
    held = m.rows.case.offer
    return words.OfferAccepted(
        **_full(m), offer=_offer(m), whole=held is None or held.in_full_settlement,
        pay_by=m.today + timedelta(days=SETTLEMENT_DAYS), payment=m.payment(),
    )  # fmt: skip


def _more_time(m: Making) -> words.FurtherLetter:
    offer = _offer(m)
    lapses = offer.answer_by or m.today
    return words.MoreTime(
        **_full(m), offer=offer, asked_until=lapses + timedelta(days=MORE_TIME_DAYS)
    )


def _wrong_party(m: Making) -> words.FurtherLetter:
    told = next((r for r in m.rows.told if r["code"] == "wrong_party"), None)
    if told is None:
        raise LetterIncomplete("told_on", "correspondence")
    return words.WrongParty(
        **_full(m), told_on=m.local_day(told["at"]),
        answer_by=m.today + timedelta(days=ANSWER_DAYS),
    )  # fmt: skip


def _mandate_notice(m: Making) -> words.FurtherLetter:
    takes = all(c.receives_money for c in m.rows.case.signed) and m.rows.case.mode == "A"
    return words.MandateNotice(**_quiet(m), receives_money=takes)


def _closing_company(m: Making) -> words.FurtherLetter:
    outcome = m.rows.case.outcome
    how: Literal["paid", "settled", "ended"] = "ended"
    if outcome in PAID or outcome in SETTLED:
        how = "paid" if outcome in PAID else "settled"
    return words.ClosingCompany(**_quiet(m), outcome=how)


def _closing_consumer(m: Making) -> words.FurtherLetter:
    case, person = m.rows.case, m.rows.signed[0][0] if m.rows.signed else None
    if person is None:
        raise LetterIncomplete("recipient", "consumer")
    if case.closed_at is None or case.outcome is None:
        raise LetterIncomplete("closed_on", "case")
    closed, money = m.local_day(case.closed_at), case.money
    sums: dict[str, Any] = {
        "came_minor": money.received or None, "direct_minor": money.direct or None,
        "fee_minor": money.fee + money.fee_direct or None, "paid_out_minor": money.paid_out or None,
    }  # fmt: skip
    return words.ClosingConsumer(
        **_quiet(m), **sums, respondent=m.common["recipient_company"],
        outcome=texts(m.language).term("outcomes", case.outcome), closed_on=closed,
        reopen_until=closed + REOPEN_WITHIN,
        sums_currency=case.currency if any(sums.values()) else None,
    )  # fmt: skip


def _debt_dispute(m: Making) -> words.FurtherLetter:
    addressee = m.said("addressee")
    law = dispute_ground(m.rows.case.jurisdiction, str(addressee), m.language)
    return words.DebtDispute(
        **_quiet(m), addressee=addressee, creditor=m.common["recipient_company"].name,
        debt_reference=m.said("debt_reference"), reason=m.said("reason"),
        answer_by=m.today + timedelta(days=dispute_answer_days()),
        grounds=(words.LegalGround(law=law),) if law else (),
    )  # fmt: skip


def _declaration(m: Making) -> words.FurtherLetter:
    of = m.said("claimant_id")
    mine = tuple(
        claimant
        for claimant, (_, row) in zip(m.common["claimants"], m.rows.signed, strict=True)
        if of in (None, str(row["claimant_id"]))
    )[:1]
    facts = m.common["chronology"] if m.said("declared") == "defect_notice" else ()
    return words.Declaration(
        **_quiet(m) | {"claimants": mine, "chronology": facts}, declared=m.said("declared"),
        contract=m.said("contract"), concluded_on=_day(m.said("concluded_on")),
        effective=_day(m.said("effective")),
    )  # fmt: skip


MAKERS: Final[dict[LetterKind, Callable[[Making], words.FurtherLetter]]] = {
    LetterKind.DENIAL_ANSWER: _denial_answer,
    LetterKind.PROMISE_BROKEN: _promise_broken,
    LetterKind.OFFER_REFUSED: _offer_refused,
    LetterKind.FULL_SETTLEMENT_REFUSED: _full_settlement_refused,
    LetterKind.OFFER_ACCEPTED: _offer_accepted,
    LetterKind.MORE_TIME: _more_time,
    LetterKind.WRONG_PARTY: _wrong_party,
    LetterKind.MANDATE_NOTICE: _mandate_notice,
    LetterKind.CLOSING_COMPANY: _closing_company,
    LetterKind.CLOSING_CONSUMER: _closing_consumer,
    LetterKind.DEBT_DISPUTE: _debt_dispute,
    LetterKind.DECLARATION: _declaration,
}


def _full(m: Making) -> dict[str, Any]:
    return {name: value for name, value in m.common.items() if name != "recipient_company"}


def _quiet(m: Making) -> dict[str, Any]:
    """Without the claim: these letters ask for no money, and send no papers along."""
    bare = {"items": (), "received": (), "remedies": (), "enclosures": (), "position": None}
    kept = _full(m)
    if m.letter.kind is not LetterKind.DEBT_DISPUTE:
        bare["chronology"] = ()
    return kept | bare


def _offer_id(m: Making) -> str:
    return str(m.rows.case.offer.id) if m.rows.case.offer else ""


def _offer(m: Making) -> OfferTold:
    offer = m.rows.case.offer
    if offer is None or (m.letter.topic and not m.letter.topic.startswith(str(offer.id))):
        raise LetterIncomplete("offer", "offer")
    return OfferTold(
        kind=offer.kind.value, made_on=min(m.local_day(offer.made_at), m.today),
        minor=offer.amount_minor, currency=m.rows.case.currency,
        answer_by=m.local_day(offer.answer_by),
    )  # fmt: skip


def _day(text: Any) -> date | None:
    return date.fromisoformat(text) if text else None
