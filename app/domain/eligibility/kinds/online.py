"""Distance contracts: not as described, faulty, never came, sent back."""

from __future__ import annotations

from datetime import date, timedelta

from app.domain.counting import Period, plus
from app.domain.eligibility.facts import Answers, FactUnknown
from app.domain.eligibility.finding import Note, Test, Verdict
from app.domain.eligibility.lawbook import Matter

NOT_AS_DESCRIBED = "not_as_described"


def received(answers: Answers) -> date:
    """When it came; unknown is replaced by the order, on the consumer's side of doubt."""
    day = answers.day("received_on") or answers.day("ordered_on")
    if day is None:
        raise FactUnknown("received_on")
    return day


def purchase(m: Matter) -> Test:
    problem = m.answers.need("problem")
    described = problem == NOT_AS_DESCRIBED
    grounds = m.grounds("online_purchase_described" if described else "online_purchase")
    return Test(_purchase(m, described, bool(grounds)), grounds, reasons=(
        Note("not_as_described" if described else "no_rule_for_problem", {"problem": problem}),
    ), missing=() if not described or m.answers.yes("proof_of_promise") else (
        Note("proof_of_promise"),
    ))  # fmt: skip


def _purchase(m: Matter, described: bool, ruled: bool) -> Verdict:
    if not described or not ruled:
        return "yes"  # a yes without a rule becomes unclear
    if not m.answers.need("proof_of_promise"):
        return "needs_info"
    days = m.law["online"]["tell_days"].get(m.jurisdiction)
    if days is None:
        return "yes"
    told = m.answers.told_on
    if told is None and not m.answers.never("first_written_complaint"):
        raise FactUnknown("first_written_complaint")
    # Not told yet: our letter would be the first word, today.
    return "yes" if (told or m.today) <= received(m.answers) + timedelta(days=days) else "unclear"


def defective(m: Matter) -> Test:
    """Dir. 2019/771: liability of the seller for years, presumption of the first one or two."""
    grounds = m.grounds("online_defective")
    if m.answers.need("sold_by") == "company_says_only_middleman":
        return Test("needs_info", grounds, reasons=(Note("who_is_the_seller"),))
    verdict, why = _defective(m)
    return Test(
        verdict, grounds, reasons=(Note(why),), warnings=(Note("repair_first"),),
        missing=(Note("expert_report"),) if why == "presumption_over" else (),
    )  # fmt: skip


def _defective(m: Matter) -> tuple[Verdict, str]:
    table = m.law["online"]
    seen = m.answers.day("defect_seen_on") or m.answers.told_on
    if seen is None:
        raise FactUnknown("defect_seen_on")
    came = received(m.answers)
    years = table["seller_years"].get(m.jurisdiction)
    if years is not None and seen > plus(came, Period(years, "years")):
        return "no", "seller_time_over"
    presumed = m.law.of_place(table["presumed_years"], m.jurisdiction)
    late = seen > plus(came, Period(presumed, "years"))
    if late and m.answers.need("fault") == "stopped_working":
        if m.answers.need("proof_of_cause") != "expert_report":
            return "needs_info", "presumption_over"
        return "yes", "cause_shown"
    return "yes", "presumed_fault"


def not_delivered(m: Matter) -> Test:
    grounds = m.grounds("online_not_delivered")
    promised = m.answers.day("promised_on")
    if promised is None:
        ordered = m.answers.day("ordered_on")
        if ordered is None:
            raise FactUnknown("ordered_on")
        promised = ordered + timedelta(days=m.law["online"]["delivery_days"])
    passed = promised < m.today
    if passed:  # whatever the tracking says, but something it must say
        m.answers.need("delivery_state")
    return Test(
        "yes" if passed else "no", grounds,
        reasons=(Note("not_delivered" if passed else "still_in_time", {"on": str(promised)}),),
    )  # fmt: skip


def sent_back(m: Matter) -> Test:
    faulty = m.answers.text("why_sent_back") in ("wrong_item", "faulty")
    grounds = m.grounds("online_return_faulty" if faulty else "online_return")
    verdict, why = _sent_back(m, faulty)
    return Test(verdict, grounds, reasons=(Note(why),), missing=(
        (Note("return_proof"),) if verdict == "needs_info" else ()
    ))  # fmt: skip


def _sent_back(m: Matter, faulty: bool) -> tuple[Verdict, str]:
    if not m.answers.need("return_proof"):
        return "needs_info", "return_not_shown"
    if faulty:
        return "yes", "wrong_or_faulty"
    if m.answers.need("excepted_goods") != "none":
        return "no", "excepted_goods"
    if m.answers.never("withdrew_on"):
        return "unclear", "withdrawn_late"
    withdrew = m.answers.day("withdrew_on") or m.answers.day("sent_back_on")
    if withdrew is None:
        raise FactUnknown("withdrew_on")
    last = received(m.answers) + timedelta(days=m.law["online"]["withdrawal_days"])
    return ("yes", "withdrawn_in_time") if withdrew <= last else ("unclear", "withdrawn_late")
