"""Plain intakes to change one thing of: each is a yes, at home in Finland where its law allows."""

from __future__ import annotations

from datetime import date
from typing import Any

from app.domain.eligibility.finding import Finding
from app.law.eligibility import Checker, FactsIn

TODAY = date(2026, 11, 21)
Intake = dict[str, Any]


def money(amount: str, currency: str = "EUR") -> dict[str, str]:
    return {"amount": amount, "currency": currency}


def line(kind: str, amount: str, currency: str = "EUR", **more: Any) -> Intake:
    return {"what": kind, "type": kind, "amount": money(amount, currency), "paid": True} | more


def person(who: str, age: str = "adult") -> Intake:
    return {"who": who, "age": age}


def back(amount: str, currency: str = "EUR", **more: Any) -> Intake:
    """Money that came for the lines asked."""
    came = {"from": "company", "what": "part", "final": True, "for_items": True}
    return came | {"amount": money(amount, currency)} | more


COMMON: Intake = {
    "residence": "FI", "company_country": "FI", "place": "FI", "bought_as": "private",
    "sold_by": "company", "reference": "AB12", "filed_with_us_before": "maybe_by_someone_else",
    "acting_for": "self", "guardian_consent": "not_needed", "persons": [person("claimant")],
    "items": [line("price", "100.00")], "wants": ["refund"], "payment_method": "bank_transfer",
    "payer": "claimant", "first_written_complaint": "2026-09-01", "company_answer": "none",
    "offers": [], "money_received": [], "other_routes": [], "insolvency": "no",
}  # fmt: skip
AT_HOME = COMMON
IN_THE_AIR = {key: value for key, value in COMMON.items() if key != "place"}
DELAY = IN_THE_AIR | {
    "claim_kind": "air", "flight_date": "2026-08-20", "from_airport": "HEL", "to_airport": "AGP",
    "incident": "delay", "arrival_delay_min": 200, "reason_given": "technical",
    "travelled": "airline_took_me", "items": [],
}  # fmt: skip
CANCELLED = DELAY | {
    "incident": "cancellation", "notice_days": 3, "arrival_delay_min": 300,
    "items": [line("price", "120.00")],
}  # fmt: skip
REFUSED = {k: v for k, v in DELAY.items() if k != "arrival_delay_min"} | {
    "incident": "denied_boarding", "boarding": "ready_and_refused", "reason_given": "overbooking",
    "travelled": "not_at_all",
}  # fmt: skip
US_FLIGHT = CANCELLED | {
    "residence": "US", "company_country": "US", "from_airport": "DEN", "to_airport": "BOS",
    "travelled": "not_at_all", "items": [line("price", "318.40", "USD")],
}  # fmt: skip
FEES = IN_THE_AIR | {
    "claim_kind": "air_fees", "flight_date": "2026-08-20", "from_airport": "HEL",
    "charged_for": ["bag_paid_twice"], "proof_of_entitlement": True,
    "items": [line("fee", "55.00")],
}  # fmt: skip
BAG = IN_THE_AIR | {
    "claim_kind": "air_baggage", "flight_date": "2026-08-20", "from_airport": "HEL",
    "to_airport": "AGP", "bag_problem": "damaged", "bag_back_on": "2026-08-20",
    "bag_written_report_on": "2026-08-27",
}  # fmt: skip
PURCHASE = AT_HOME | {
    "claim_kind": "online_purchase", "ordered_on": "2026-08-01", "received_on": "2026-08-05",
    "problem": "not_as_described", "proof_of_promise": True, "goods_now": "with_me_unused",
}  # fmt: skip
FAULTY = AT_HOME | {
    "claim_kind": "online_defective", "ordered_on": "2026-06-01", "received_on": "2026-06-05",
    "defect_seen_on": "2026-08-20", "fault": "stopped_working", "proof_of_cause": "photos",
    "seller_reason": "no_reason", "repairs_tried": 0,
}  # fmt: skip
NOT_CAME = AT_HOME | {
    "claim_kind": "online_not_delivered", "ordered_on": "2026-08-01", "promised_on": "2026-08-10",
    "delivery_state": "lost", "extra_time_until": "none", "cancelled_on": "none",
}  # fmt: skip
RETURN = AT_HOME | {
    "claim_kind": "online_return", "ordered_on": "2026-07-01", "received_on": "2026-07-05",
    "withdrew_on": "2026-07-19", "sent_back_on": "2026-07-20", "why_sent_back": "changed_mind",
    "excepted_goods": "none", "return_proof": True,
}  # fmt: skip
FOOD = AT_HOME | {
    "claim_kind": "food_delivery", "order_date": "2026-08-20", "outcome": "wrong_order",
    "eaten": "nothing", "photo_proof": True,
}  # fmt: skip
BANK = AT_HOME | {
    "claim_kind": "unauthorised_payment", "first_debit_on": "2026-06-01",
    "last_debit_on": "2026-06-02", "told_bank_on": "2026-06-03", "code_used": False,
    "how": "card_or_account_used_without_me", "bank_reason": "none",
}  # fmt: skip
US_CARD = AT_HOME | {
    "claim_kind": "card_billing_error", "residence": "US", "company_country": "US", "place": "US",
    "statement_sent_on": "2026-07-01", "written_notice_on": "2026-08-30", "error": "not_mine",
    "items": [line("price", "100.00", "USD")],
}  # fmt: skip
CHARGEBACK = AT_HOME | {
    "claim_kind": "chargeback", "transaction_on": "2026-09-01", "expected_on": "none",
    "dispute_reason": "not_received",
}  # fmt: skip
SUBSCRIPTION = AT_HOME | {
    "claim_kind": "subscription_trap", "contract_on": "2026-01-31", "made_by": "web_or_app",
    "pay_button_clear": True, "contract_in_writing": True, "told_right_to_withdraw": True,
    "withdrew_on": "none", "cancelled_on": "2026-06-30", "cancel_proof": True,
    "disputed_from": "2026-07-01", "collection": "no",
}  # fmt: skip
BILL = AT_HOME | {
    "claim_kind": "telecom_energy_billing", "utility": "mobile", "bill_date": "2026-08-01",
    "bill_problem": "not_used", "proof": True, "collection": "no",
}  # fmt: skip
CLINIC = AT_HOME | {
    "claim_kind": "healthcare_billing", "service_on": "2026-08-01", "bill_date": "2026-08-20",
    "provider": "private", "price_told": "in_writing", "price_told_amount": money("100.00"),
    "billed_amount": money("200.00"), "bill_problem": "over_told_price", "collection": "no",
}  # fmt: skip
US_CLINIC = CLINIC | {
    "residence": "US", "company_country": "US", "place": "US-NY", "self_pay": True,
    "price_told_amount": money("600.00", "USD"), "billed_amount": money("1000.00", "USD"),
    "items": [line("unpaid_bill", "400.00", "USD", paid=False)],
}  # fmt: skip
PACKAGE = AT_HOME | {
    "claim_kind": "package_travel", "trip_start": "2026-07-01", "trip_end": "2026-07-08",
    "parts": ["transport", "stay"], "price_total": money("800.00"),
    "trip_problem": "not_as_promised", "told_on_the_spot": "orally",
}  # fmt: skip
HOTEL = AT_HOME | {
    "claim_kind": "hotel", "stay_start": "2026-07-10", "stay_end": "2026-07-12",
    "who_cancelled": "guest", "rate": "free_cancellation", "refusal_reason": "no_reason",
    "cancelled_at": "2026-07-05T08:50 Europe/Helsinki",
    "cancel_by": "2026-07-05T09:00 Europe/Helsinki",
}  # fmt: skip
RAIL = AT_HOME | {
    "claim_kind": "rail", "fare": money("80.01"), "fare_covers": "one_way", "items": [],
    "travelled": "took_the_train",
    "legs": [{"date": "2026-08-20", "delay_min": 60, "reason": "technical"}],
}  # fmt: skip
BUS = AT_HOME | {
    "claim_kind": "bus", "trip_date": "2026-08-20", "distance_km": 250, "incident": "overbooking",
    "choice_offered": True, "travelled": "not_at_all",
}  # fmt: skip
TICKETS = AT_HOME | {
    "claim_kind": "event_tickets", "event_date": "2026-08-20", "event_problem": "cancelled",
    "bundle": False, "saw": "nothing", "proof": True,
}  # fmt: skip
SERVICE = AT_HOME | {
    "claim_kind": "services", "service_on": "2026-08-20", "service_type": "repair",
    "service_problem": "not_done", "proof": True, "own_terms_missed": False,
}  # fmt: skip


def abroad(claim: Intake, country: str, currency: str = "EUR") -> Intake:
    """The same claim at home in another country, in its money."""
    lines = [line(i["type"], i["amount"]["amount"], currency) for i in claim["items"]]
    moved = {"residence": country, "company_country": country, "items": lines}
    return claim | moved | ({"place": country} if "place" in claim else {})


def check(answers: Intake) -> Finding:
    return Checker(TODAY).check(FactsIn(answers=answers))


def short(found: Finding) -> str:
    """Verdict, sum, currency, body and grounds: what a table can hold."""
    sums = f"{found.eligible} {found.amount_minor} {found.currency} {found.body}"
    return f"{sums} {'+'.join(found.legal_ground) or '-'}"
