"""Sentence by sentence: one change to a plain claim, and what becomes of it."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from app.domain.eligibility.finding import Finding
from app.domain.errors import InvalidInput
from app.law.answers import AnswersInvalid
from app.law.eligibility import Checker, CompanyIn, FactsIn

TODAY = date(2026, 11, 21)
COMMON: dict[str, Any] = {
    "residence": "FI", "company_country": "FI", "bought_as": "private", "sold_by": "company",
    "reference": "AB12", "filed_with_us_before": "maybe_by_someone_else", "acting_for": "self",
    "guardian_consent": "not_needed", "persons": [{"who": "claimant", "age": "adult"}],
    "items": [], "wants": ["refund"], "payment_method": "bank_transfer", "payer": "claimant",
    "first_written_complaint": "2026-09-01", "company_answer": "none", "offers": [],
    "money_received": [], "other_routes": [], "insolvency": "no",
}  # fmt: skip


def line(kind: str, amount: str, currency: str = "EUR", **more: Any) -> dict[str, Any]:
    money = {"amount": amount, "currency": currency}
    return {"what": kind, "type": kind, "amount": money, "paid": True} | more


AIR = COMMON | {
    "claim_kind": "air", "flight_date": "2026-08-20", "from_airport": "HEL", "to_airport": "AGP",
    "incident": "delay", "arrival_delay_min": 200, "reason_given": "technical",
    "travelled": "airline_took_me",
}  # fmt: skip
CANCELLED = AIR | {
    "incident": "cancellation", "notice_days": 3, "arrival_delay_min": 300,
    "items": [line("price", "120.00")],
}  # fmt: skip
RETURN = COMMON | {
    "claim_kind": "online_return", "place": "FI", "ordered_on": "2026-07-01",
    "received_on": "2026-07-05", "withdrew_on": "2026-07-19", "sent_back_on": "2026-07-20",
    "why_sent_back": "changed_mind", "excepted_goods": "none", "return_proof": True,
    "items": [line("price", "49.90")],
}  # fmt: skip
RAIL = COMMON | {
    "claim_kind": "rail", "place": "FI", "fare": {"amount": "80.01", "currency": "EUR"},
    "fare_covers": "one_way", "travelled": "took_the_train",
    "legs": [{"date": "2026-08-20", "delay_min": 60, "reason": "technical"}],
}  # fmt: skip
BANK = COMMON | {
    "claim_kind": "unauthorised_payment", "place": "FI", "first_debit_on": "2026-06-01",
    "last_debit_on": "2026-06-02", "told_bank_on": "2026-06-03", "code_used": False,
    "how": "card_or_account_used_without_me", "bank_reason": "none",
    "items": [line("price", "300.00")],
}  # fmt: skip


def check(answers: dict[str, Any]) -> Finding:
    return Checker(TODAY).check(FactsIn(answers=answers))


def short(found: Finding) -> str:
    """Verdict, sum, currency, body: what a table can hold."""
    return f"{found.eligible} {found.amount_minor} {found.currency} {found.body}"


FLIGHTS: list[tuple[dict[str, Any], str]] = [
    ({}, "yes 40000 EUR fi.kril"),
    ({"arrival_delay_min": 180}, "yes 40000 EUR fi.kril"),
    ({"arrival_delay_min": 179}, "no 0 EUR None"),
    ({"arrival_delay_min": "unknown"}, "needs_info 40000 EUR fi.kril"),
    ({"to_airport": "ARN"}, "yes 25000 EUR fi.kril"),
    ({"to_airport": "NRT"}, "yes 30000 EUR fi.kril"),  # three to four hours on the longest band
    ({"to_airport": "NRT", "arrival_delay_min": 240}, "yes 60000 EUR fi.kril"),
    ({"to_airport": "TFS"}, "yes 40000 EUR fi.kril"),  # inside the EEA whatever the length
    ({"to_airport": "IST"}, "yes 40000 EUR fi.kril"),
    ({"reason_given": "weather"}, "no 0 EUR None"),
    ({"reason_given": "weather", "others_flew": True}, "no 0 EUR None"),  # and a warning
    ({"reason_given": "own_strike"}, "yes 40000 EUR fi.kril"),
    ({"persons": [{"who": "a", "age": "adult"}, {"who": "b", "age": "infant"}]},
     "yes 80000 EUR fi.kril"),
    ({"from_airport": "LHR", "to_airport": "HEL"}, "yes 35000 GBP gb.aviationadr"),
    ({"from_airport": "JFK", "to_airport": "HEL"}, "yes 30000 EUR fi.kril"),
    ({"from_airport": "JFK", "to_airport": "HEL", "company_country": "US"}, "no 0 None None"),
    ({"bought_as": "business"}, "yes 40000 EUR fi.traficom_air"),
    ({"from_airport": "MAD", "to_airport": "HEL"}, "yes 40000 EUR None"),
    ({"flight_date": "2023-08-20", "first_written_complaint": "none"}, "no 0 EUR None"),
    ({"flight_date": "2023-08-20", "first_written_complaint": "2024-02-01"},
     "yes 40000 EUR fi.kril"),  # the complaint interrupts
    ({"flight_date": "2023-08-20", "first_written_complaint": "none",
      "company_answer": "under_review", "company_answer_on": "2026-01-01"},
     "unclear 40000 EUR fi.kril"),
    ({"insolvency": "opened"}, "unclear 40000 EUR None"),
    ({"guardian_consent": "will_sign"}, "needs_info 40000 EUR fi.kril"),
    ({"guardian_consent": "unknown"}, "needs_info 40000 EUR fi.kril"),
    ({"acting_for": "living_person", "authority": "held_not_sent"},
     "needs_info 40000 EUR fi.kril"),
    ({"acting_for": "estate"}, "yes 40000 EUR fi.kril"),
    ({"offers": [{"form": "voucher", "state": "accepted", "oral": False}]}, "no 0 EUR None"),
    ({"other_routes": [{"route": "court", "state": "running"}]}, "yes 40000 EUR None"),
    ({"money_received": [{"from": "company", "what": "part", "final": True, "for_items": True,
                          "amount": {"amount": "150.00", "currency": "EUR"}}]},
     "yes 25000 EUR fi.kril"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "expected"), FLIGHTS, ids=lambda v: str(v)[:70])
def test_a_delayed_flight(change: dict[str, Any], expected: str) -> None:
    assert short(check(AIR | change)) == expected


@pytest.mark.parametrize(
    ("fact", "known"),
    [
        ("guardian_consent", {"guardian_consent": "will_sign"}),
        ("acting_for", {"acting_for": "living_person"}),
    ],
)
def test_what_nobody_said_is_asked_and_not_taken_for_given(
    fact: str, known: dict[str, Any]
) -> None:
    asked, told = check(AIR | {fact: "unknown"}), check(AIR | known)
    assert asked.reasons[0].params == {"fact": fact} and asked.open_facts[0] == fact
    assert told.reasons[0].code in ("guardian_must_sign", "authority_must_be_sent")
    assert fact not in told.open_facts


def flight_by(company: dict[str, Any], **change: Any) -> Finding:
    asked = FactsIn.model_validate({"company": company, "answers": AIR | change})
    return Checker(TODAY).check(asked)


def carrier_notes(found: Finding) -> list[str]:
    return [note.code for note in found.warnings if note.code.startswith("airline_")]


def test_an_airline_is_known_by_code_or_name_or_a_candidate_that_changes_no_verdict() -> None:
    assert carrier_notes(check(AIR)) == ["airline_unknown"]
    assert carrier_notes(flight_by({"legal_name": "unknown"})) == ["airline_unknown"]
    candidate = flight_by({"brand": "Norrvind Air"})
    assert carrier_notes(candidate) == ["airline_candidate"]
    assert short(candidate) == short(check(AIR))
    for named in ({"code": "AY"}, {"legal_name": "FINNAIR Oyj"}, {"brand": "AY"}):
        assert carrier_notes(flight_by(named)) == []
    # Its seat answers for the intake, and says that nobody confirmed it.
    away = {"from_airport": "JFK", "to_airport": "HEL", "company_country": "unknown"}
    eea, other = flight_by({"code": "AY"}, **away), flight_by({"code": "TG"}, **away)
    assert carrier_notes(eea) == carrier_notes(other) == ["airline_country"]
    assert eea.legal_ground == ("air.eu261.compensation",)
    assert other.legal_ground == ("air.us.refund",)


@pytest.mark.parametrize("company", [{"code": "ZZ"}, {"legal_name": "QZ"}, {"brand": "123 ?!"}])
def test_an_airline_code_that_nobody_has_is_refused(company: dict[str, Any]) -> None:
    with pytest.raises(AnswersInvalid, match=r"company\.\w+: is no airline we know"):
        flight_by(company)


def test_answers_that_give_no_place_leave_the_one_the_case_was_filed_under() -> None:
    few = FactsIn(answers={"claim_kind": "online_not_delivered"})
    assert Checker(TODAY).check(few, "DE").jurisdiction == "DE"
    assert Checker(TODAY).check(few).jurisdiction == ""
    assert Checker(TODAY).check(FactsIn(answers=AIR), "DE").jurisdiction == "FI"


CANCELLATIONS: list[tuple[dict[str, Any], str]] = [
    ({}, "yes 40000 EUR fi.kril"),  # taken along: no refund beside it
    ({"travelled": "not_at_all"}, "yes 52000 EUR fi.kril"),
    ({"notice_days": 14}, "no 0 EUR None"),
    ({"notice_days": 14, "travelled": "not_at_all"}, "yes 12000 EUR fi.kril"),
    ({"notice_days": "unknown"}, "yes 40000 EUR fi.kril"),
    ({"notice_days": 10, "arrival_delay_min": 239}, "no 0 EUR None"),
    ({"notice_days": 10, "arrival_delay_min": 239, "left_earlier_min": 121},
     "yes 40000 EUR fi.kril"),
    ({"notice_days": 6, "arrival_delay_min": 119, "left_earlier_min": 60}, "no 0 EUR None"),
    ({"notice_days": 6, "arrival_delay_min": 180}, "yes 20000 EUR fi.kril"),  # half
    ({"reason_given": "weather", "travelled": "not_at_all"}, "yes 12000 EUR fi.kril"),
    ({"items": [line("care", "30.00"), line("loss", "9.00")]}, "yes 43000 EUR fi.kril"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "expected"), CANCELLATIONS, ids=lambda v: str(v)[:70])
def test_a_cancelled_flight(change: dict[str, Any], expected: str) -> None:
    assert short(check(CANCELLED | change)) == expected


OTHERS: list[tuple[dict[str, Any], dict[str, Any], str]] = [
    (RETURN, {}, "yes 4990 EUR fi.kril"),
    (RETURN, {"withdrew_on": "2026-07-20"}, "unclear 4990 EUR fi.kril"),
    (RETURN, {"return_proof": False}, "needs_info 4990 EUR fi.kril"),
    (RETURN, {"excepted_goods": "perishable"}, "no 0 EUR None"),
    (RETURN, {"excepted_goods": "perishable", "why_sent_back": "faulty"}, "yes 4990 EUR fi.kril"),
    (RETURN, {"company_country": "DE", "sold_to_my_country": True}, "yes 4990 EUR eu.ecc_net"),
    (RETURN, {"company_country": "CN", "sold_to_my_country": True}, "yes 4990 EUR None"),
    (RETURN, {"company_country": "CN", "sold_to_my_country": "unknown"},
     "unclear 4990 EUR None"),
    (RETURN, {"items": [line("price", "49.90"), line("own_time", "30.00")]},
     "yes 4990 EUR fi.kril"),
    (RETURN, {"items": [line("price", "10.00"), line("price", "9.00", "SEK")]},
     "yes 1000 EUR fi.kril"),
    (RETURN, {"items": [line("price", "10.00", person="stranger")]}, "no 0 EUR None"),
    (RETURN, {"items": [line("unpaid_bill", "10.005")]}, "yes 1001 EUR fi.kril"),
    (RAIL, {}, "yes 2000 EUR fi.kril"),
    (RAIL, {"legs": [{"date": "2026-08-20", "delay_min": 59, "reason": "staff"}]},
     "no 0 EUR None"),
    (RAIL, {"legs": [{"date": "2026-08-20", "delay_min": 120, "reason": "no_reason"}],
            "fare_covers": "return"}, "yes 2000 EUR fi.kril"),  # 20.0025, rounded once
    (RAIL, {"legs": [{"date": "2026-08-20", "delay_min": 200, "reason": "third_party"}]},
     "no 0 EUR None"),
    (RAIL, {"first_written_complaint": "2026-11-21"}, "unclear 2000 EUR fi.kril"),
    (BANK, {}, "yes 30000 EUR fi.fine"),
    (BANK, {"told_bank_on": "none"}, "needs_info 30000 EUR fi.fine"),
    (BANK, {"how": "i_sent_it_after_a_trick"}, "unclear 30000 EUR fi.fine"),
    (BANK, {"first_debit_on": "2025-05-02"}, "no 0 EUR None"),
    (BANK, {"how": "i_sent_it_after_a_trick", "first_debit_on": "2025-05-02"}, "no 0 EUR None"),
]  # fmt: skip


@pytest.mark.parametrize(("claim", "change", "expected"), OTHERS, ids=lambda v: str(v)[:60])
def test_other_kinds(claim: dict[str, Any], change: dict[str, Any], expected: str) -> None:
    assert short(check(claim | change)) == expected


def test_a_bill_that_was_not_paid_is_cancelled() -> None:
    found = check(RETURN | {"items": [line("unpaid_bill", "10.00")]})
    assert found.items[0].what == "cancel: unpaid_bill"


def test_a_claim_whose_kind_is_not_known_is_asked_for_it() -> None:
    plain = {k: v for k, v in RETURN.items() if k in COMMON}
    found = check(plain | {"claim_kind": "unknown"})
    assert (found.claim_kind, found.eligible, found.open_facts) == (
        "unknown", "needs_info", ("claim_kind",),
    )  # fmt: skip


def test_the_same_claim_filed_twice_is_merged_with_the_first() -> None:
    checker = Checker(TODAY)
    same = FactsIn(answers=AIR, company=CompanyIn(legal_name="Norrvind Air plc"))
    assert checker.check(same).eligible == "yes"
    again = checker.check(same.model_copy(update={"id": "second"}))
    assert again.eligible == "no" and again.reasons[0].code == "duplicate"


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"from_airport": "XQX"}, "from_airport"),
    ({"residence": "ZY"}, "residence"),
    ({"company_country": "Finland"}, "company_country"),
    ({"items": [line("price", "5.00", "EURO")]}, "items.0.amount"),
    ({"items": [line("price", "-5.00")]}, "items.0.amount"),
    ({"items": [line("price", "5.00", colour="red")]}, "items.0.colour"),
    ({"flight_date": "1989-12-31"}, "flight_date"),
    ({"flight_date": "2026-02-30"}, "flight_date"),
    ({"flight_date": "2099-01-01"}, "flight_date"),
    ({"first_written_complaint": "2026-11-22"}, "first_written_complaint"),
    ({"arrival_delay_min": -1}, "arrival_delay_min"),
    ({"arrival_delay_min": "200"}, "arrival_delay_min"),
    ({"incident": "eaten by a dog"}, "incident"),
    ({"scheduled_arrival": "2026-03-29T03:30 Europe/Helsinki"}, "scheduled_arrival"),
    ({"scheduled_arrival": "2026-03-29T08:30+02:00"}, "scheduled_arrival"),
    ({"scheduled_arrival": "2026-08-20T10:00 Europe/Madrid",
      "actual_arrival": "2026-08-18T10:00 Europe/Madrid"}, "actual_arrival"),
    ({"scheduled_arrival": "2041-01-01T08:30 Europe/Helsinki"}, "scheduled_arrival"),
    ({"scheduled_arrival": "2026-08-20T10:00 Moon/Crater"}, "scheduled_arrival"),
    ({"actual_arrival": "2026-08-18T10:00 Europe/Madrid"}, "actual_arrival"),
    ({"flight_date": "20260820"}, "flight_date"),
    ({"flight_date": "2026-12-24"}, "flight_date"),
    ({"from_airport": "hel"}, "from_airport"),
    ({"from_airport": ["HEL"]}, "from_airport"),
    ({"items": "unknown money"}, "items"),
    ({"items": [["price"]]}, "items.0"),
    ({"items": [line("price", "1e3")]}, "items.0.amount"),
    ({"items": [line("price", "5.00", "EUR") | {"amount": "5.00"}]}, "items.0.amount"),
    ({"items": [{"what": "x"}]}, "items.0.type"),
    ({"persons": [{"who": "a", "age": "old"}]}, "persons.0.age"),
    ({"persons": [{"who": "x", "age": "adult"}] * 201}, "persons"),
    ({"wants": [["refund"]]}, "wants.0"),
    ({"insolvency": False}, "insolvency"),
    ({"to_airport": "HEL"}, "to_airport"),  # where it began
    ({"first_written_complaint": "2026-08-18"}, "first_written_complaint"),  # of a delay to come
    ({"first_written_complaint": None}, "first_written_complaint"),
    ({"favourite_colour": "red"}, "favourite_colour"),
    ({"claim_kind": "weather"}, "claim_kind"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "where"), WRONG, ids=lambda v: str(v)[:60])
def test_an_answer_that_cannot_be_is_named(change: dict[str, Any], where: str) -> None:
    with pytest.raises(AnswersInvalid) as refused:
        check(AIR | change)
    assert where in [key for key, _ in refused.value.wrong]
    assert isinstance(refused.value, InvalidInput)


def test_the_countries_of_the_file_stand_in_for_answers_left_out() -> None:
    short_of = {k: v for k, v in RETURN.items() if k not in ("residence", "company_country")}
    file = {"consumer": {"country": "DE"}, "company": {"country": "DE"}, "answers": short_of}
    found = Checker(TODAY).check(FactsIn.model_validate(file))
    assert (found.jurisdiction, found.body) == ("DE", "de.universalschlichtungsstelle")


def test_a_file_may_leave_the_company_open() -> None:
    found = Checker(TODAY).check(FactsIn.model_validate({"company": None, "answers": RETURN}))
    assert found.eligible == "yes"
