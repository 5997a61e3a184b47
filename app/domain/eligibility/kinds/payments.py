"""Payments nobody agreed to, wrong charges on a card statement, and the card scheme's own way."""

from __future__ import annotations

from datetime import timedelta

from app.domain.counting import Period, plus
from app.domain.eligibility.facts import FactUnknown
from app.domain.eligibility.finding import Note, Test, Verdict
from app.domain.eligibility.lawbook import Matter

TRICKED = ("codes_or_approval_given_after_a_trick", "i_sent_it_after_a_trick")


def unauthorised(m: Matter) -> Test:
    grounds = m.grounds("unauthorised_payment")
    verdict, why = _unauthorised(m)
    missing = (Note("tell_the_bank"),) if why == "bank_not_told" else ()
    return Test(verdict, grounds, reasons=(Note(why),), missing=missing)


def _unauthorised(m: Matter) -> tuple[Verdict, str]:
    table = m.law["payments"]
    told = m.answers.day("told_bank_on")
    if told is None:
        return "needs_info", "bank_not_told"
    if m.law.in_eu(m.jurisdiction) or m.jurisdiction == "GB":
        first = m.answers.day("first_debit_on")
        if first is None:
            raise FactUnknown("first_debit_on")
        if told > plus(first, Period(table["told_months"], "months")):
            return "no", "bank_told_too_late"
    if m.answers.need("how") in TRICKED:
        return "unclear", "gross_negligence"
    if m.jurisdiction == "US":
        statement = m.answers.day("statement_sent_on")
        if statement is None:
            raise FactUnknown("statement_sent_on")
        if told > statement + timedelta(days=table["us_statement_days"]):
            return "unclear", "told_after_60_days"
    return "yes", "not_agreed"


def billing_error(m: Matter) -> Test:
    verdict, why = _billing_error(m)
    return Test(verdict, m.grounds("card_billing_error"), reasons=(Note(why),))


def _billing_error(m: Matter) -> tuple[Verdict, str]:
    if m.answers.never("written_notice_on"):
        return "needs_info", "issuer_not_written"
    written, statement = m.answers.day("written_notice_on"), m.answers.day("statement_sent_on")
    if written is None:
        raise FactUnknown("written_notice_on")
    if statement is None:
        raise FactUnknown("statement_sent_on")
    last = statement + timedelta(days=m.law["payments"]["us_statement_days"])
    return ("yes", "written_in_time") if written <= last else ("unclear", "written_late")


def chargeback(m: Matter) -> Test:
    """Only the cardholder can ask the bank; we give the pack with the last day."""
    return Test("no", m.grounds("chargeback"), reasons=(Note("only_the_cardholder"),))
