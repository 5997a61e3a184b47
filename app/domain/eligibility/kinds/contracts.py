"""Food, subscriptions, bills of utilities and clinics, tickets, other services."""

from __future__ import annotations

from datetime import date, timedelta

from app.domain.counting import Period, plus
from app.domain.eligibility.facts import NONE, UNKNOWN, FactUnknown
from app.domain.eligibility.finding import Note, Test, Verdict
from app.domain.eligibility.items import NAMED_APART, minor
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
    water = a.need("utility") in m.law["utilities_unruled"]
    grounds = () if water else m.grounds("telecom_energy_billing")
    distance = a.text("contract_made_by") in ("web_or_app", "phone", "door")
    in_eu = m.law.in_eu(m.jurisdiction) and not water
    if in_eu and distance and withdrawn(m, "contract_on", untold_longer=False):
        grounds += (m.law["withdrawal_ground"],)
    raised = a.need("bill_problem") == "price_raised"
    if not a.need("proof"):  # asked for before a person is troubled
        return Test(
            "needs_info", grounds, reasons=(Note("bill_not_shown"),), missing=(Note("bill_proof"),)
        )
    return Test(
        "unclear" if raised else "yes", grounds,
        reasons=(Note("price_raised" if raised else "bill_wrong"),),
    )  # fmt: skip


def health(m: Matter) -> Test:
    grounds = m.grounds("healthcare_billing")
    warnings = (Note("health_consent"),)
    if m.country != "US":
        written = m.answers.need("price_told") == "in_writing"
        return Test(
            "yes" if written else "unclear", grounds, warnings=warnings,
            reasons=(Note("price_told_in_writing" if written else "no_written_price"),),
            missing=() if written else (Note("treatment_record"),),
        )  # fmt: skip
    due = _federal_dispute(m)
    return Test(
        "yes" if due else "no", grounds, warnings=(*warnings, Note("collection_stops")),
        reasons=(Note("over_estimate" if due else "not_over_estimate"),),
    )  # fmt: skip


def _federal_dispute(m: Matter) -> bool:
    """A self-payer with a written estimate, billed far over it; one known no is enough."""
    a, over = m.answers, _over(m)
    if a.no("self_pay") or a.text("price_told") in ("orally", NONE) or over is False:
        return False
    a.need("self_pay")
    a.need("price_told")
    if over is None:
        raise FactUnknown("billed_amount" if a.get("price_told_amount") else "price_told_amount")
    return True


def _over(m: Matter) -> bool | None:
    """Billed so much over the good-faith estimate that the federal dispute opens; None when a sum
    is not known or they are in two currencies."""
    told, billed = m.answers.get("price_told_amount"), m.answers.get("billed_amount")
    if told is None or billed is None or told["currency"] != billed["currency"]:
        return None
    return minor(billed, m.law)[0] - minor(told, m.law)[0] >= int(m.law["health"]["over_minor"])


def tickets(m: Matter) -> Test:
    grounds = m.grounds("event_tickets")
    warnings = [Note("price_reduction")] if m.answers.text("saw") == "part" else []
    if any(item.get("type") == "fee" for item in m.answers.entries("items")):
        warnings.append(Note("booking_fee_apart"))
    if m.answers.need("bundle"):
        return Test(
            "unclear", grounds, counts=(*m.law["counted"], *NAMED_APART),
            reasons=(Note("maybe_a_package"),), warnings=tuple(warnings),
        )  # fmt: skip
    problem = m.answers.need("event_problem")
    return Test(
        "no" if problem == "could_not_go" else "yes", grounds, warnings=tuple(warnings),
        reasons=(Note("event", {"problem": problem}),),
    )  # fmt: skip


def services(m: Matter) -> Test:
    """Contract law alone: no record of ours, and none is needed for a yes."""
    a, counts = m.answers, (*m.law["counted"], *NAMED_APART)
    if a.text("service_problem") == "badly_done" or a.yes("own_terms_missed"):
        return Test("unclear", (), counts=counts, reasons=(Note("a_person_judges_terms"),))
    a.need("service_problem")
    a.need("own_terms_missed")
    proved = a.need("proof")
    return Test(
        "yes" if proved else "needs_info", (), counts=counts, reasons=(Note("service_failed"),),
        missing=() if proved else (Note("service_proof"),), unruled=True,
    )  # fmt: skip


def event_day(value: object) -> date | None:
    """A date of an entry; None when unknown."""
    return None if value in (None, UNKNOWN, NONE) else date.fromisoformat(str(value))
