"""Food, subscriptions, bills of utilities and clinics, tickets, other services."""

from __future__ import annotations

from datetime import date, timedelta

from app.domain.counting import Period, plus
from app.domain.eligibility.facts import NONE, FactUnknown
from app.domain.eligibility.finding import Note, Test, Verdict
from app.domain.eligibility.items import minor
from app.domain.eligibility.lawbook import Matter


def food(m: Matter) -> Test:
    outcome = m.answers.need("outcome")
    plain = outcome in ("not_delivered", "wrong_order", "part_missing")
    warnings = (Note("eaten"),) if m.answers.text("eaten") in ("part", "all") else ()
    return Test(
        "yes" if plain else "unclear", m.grounds("food_delivery"), warnings=warnings,
        reasons=(Note("food", {"outcome": outcome}),),
    )  # fmt: skip


def subscription(m: Matter) -> Test:
    grounds = m.grounds("subscription_trap")
    if m.law.in_eu(m.jurisdiction) and withdrawn(m, "contract_on", untold_longer=True):
        grounds += (m.law["withdrawal_ground"],)
    verdict, why = _subscription(m)
    return Test(verdict, grounds, reasons=(Note(why),), missing=(
        (Note("cancellation_proof"),) if verdict == "needs_info" else ()
    ))  # fmt: skip


def _subscription(m: Matter) -> tuple[Verdict, str]:
    a = m.answers
    if a.no("pay_button_clear"):
        return "yes", "no_clear_button"
    if a.no("contract_in_writing"):
        return "yes", "nothing_in_writing"
    if withdrawn(m, "contract_on", untold_longer=True):
        return "yes", "withdrawn_in_time"
    ended, disputed = a.day("cancelled_on"), a.day("disputed_from")
    if ended is not None and disputed is not None and ended < disputed and a.yes("cancel_proof"):
        return "yes", "debits_after_the_end"
    if ended is None:
        return "needs_info", "not_cancelled_yet"
    return "unclear", "contract_stands"


def withdrawn(m: Matter, begin: str, *, untold_longer: bool) -> bool:
    """Withdrawn within 14 days of the contract; 12 months more for who was not told."""
    table = m.law["online"]
    wrote, made = m.answers.day("withdrew_on"), m.answers.day(begin)
    if wrote is None or made is None:
        return False
    last = made + timedelta(days=table["withdrawal_days"])
    if untold_longer and m.answers.no("told_right_to_withdraw"):
        last = plus(made, Period(table["withdrawal_untold_months"], "months")) + timedelta(
            days=table["withdrawal_days"]
        )
    return wrote <= last


def utility(m: Matter) -> Test:
    a = m.answers
    water = a.need("utility") == "water"  # no rule at hand
    grounds = () if water else m.grounds("telecom_energy_billing")
    distance = a.text("contract_made_by") in ("web_or_app", "phone", "door")
    in_eu = m.law.in_eu(m.jurisdiction) and not water
    if in_eu and distance and withdrawn(m, "contract_on", untold_longer=False):
        grounds += (m.law["withdrawal_ground"],)
    if a.need("bill_problem") == "price_raised":
        return Test("unclear", grounds, reasons=(Note("price_raised"),))
    proved = a.need("proof")
    return Test(
        "yes" if proved else "needs_info", grounds, reasons=(Note("bill_wrong"),),
        missing=() if proved else (Note("bill_proof"),),
    )  # fmt: skip


def health(m: Matter) -> Test:
    grounds = m.grounds("healthcare_billing")
    warnings = (Note("health_consent"),)
    if m.jurisdiction != "US":
        written = m.answers.need("price_told") == "in_writing"
        return Test(
            "yes" if written else "unclear", grounds, warnings=warnings,
            reasons=(Note("price_told_in_writing" if written else "no_written_price"),),
            missing=() if written else (Note("treatment_record"),),
        )  # fmt: skip
    due = m.answers.need("self_pay") and m.answers.need("price_told") == "in_writing" and _over(m)
    return Test(
        "yes" if due else "no", grounds, warnings=(*warnings, Note("collection_stops")),
        reasons=(Note("over_estimate" if due else "not_over_estimate"),),
    )  # fmt: skip


def _over(m: Matter) -> bool:
    """Billed so much over the good-faith estimate that the federal dispute opens."""
    told, _ = minor(m.answers.need("price_told_amount"), m.law)
    billed, _ = minor(m.answers.need("billed_amount"), m.law)
    return billed - told >= int(m.law["health"]["over_minor"])


def tickets(m: Matter) -> Test:
    grounds = m.grounds("event_tickets")
    bundle = m.answers.need("bundle")
    problem = m.answers.need("event_problem")
    counts = (*m.law["counted"], "loss") if bundle else None
    warnings = (Note("price_reduction"),) if m.answers.text("saw") == "part" else ()
    if bundle:
        return Test("unclear", grounds, counts=counts, reasons=(Note("maybe_a_package"),))
    due = problem in m.law["tickets_yes"]
    return Test(
        "yes" if due else "no", grounds, warnings=warnings,
        reasons=(Note("event", {"problem": problem}),),
    )  # fmt: skip


def services(m: Matter) -> Test:
    a = m.answers
    counts = (*m.law["counted"], "loss", "care")
    if a.need("service_problem") == "badly_done" or a.need("own_terms_missed"):
        return Test("unclear", (), counts=counts, reasons=(Note("a_person_judges_terms"),))
    proved = a.need("proof")
    return Test(
        "yes" if proved else "needs_info", (), counts=counts, reasons=(Note("service_failed"),),
        missing=() if proved else (Note("service_proof"),),
    )  # fmt: skip


def event_day(value: object) -> date | None:
    """A date of an entry; None when unknown."""
    if value in (None, "unknown", NONE):
        return None
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        raise FactUnknown("legs") from None
