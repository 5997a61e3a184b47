"""Which case a receipt belongs to: the cascade step by step, and a small made-up year."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from app.banking.match_rules import RulesInvalid, load_rules, read_rules
from app.domain.bank_refs import national_reference, rf_reference
from app.domain.errors import InvalidInput
from app.domain.matching import (
    CaseFacts,
    Facts,
    Promised,
    Receipt,
    Suggestion,
    match,
    read_advice,
)
from app.domain.matching.facts import STEPS
from app.domain.matching.subset import only_subset
from app.domain.reference import format_reference
from bench.money import OURS, run_year, show

RULES = load_rules()
DAY = date(2026, 5, 4)


def a_case(
    number: int, open_minor: int = 40_000, *, company: str = "air", **more: object
) -> CaseFacts:
    base = CaseFacts(
        f"case-{number}", format_reference(number), national_reference(5_000_000 + number), company,
        f"Nordvind {company.title()}", "EUR", open_minor, f"PNR{number:03d}",
    )  # fmt: skip
    return replace(base, **more)  # type: ignore[arg-type]  # fields by name


def paid(minor: int = 40_000, **more: object) -> Receipt:
    return replace(Receipt(minor, "EUR", DAY, payer_token="acc"), **more)  # type: ignore[arg-type]  # fields by name


def found(
    receipt: Receipt, *cases: CaseFacts, known: str = "", advice: str = ""
) -> list[Suggestion]:
    lines = read_advice(advice, "EUR") if advice else ()
    return list(match(receipt, Facts(cases, frozenset(known.split()), advice=lines), RULES))


ONE, TWO, OTHER = a_case(1), a_case(2), a_case(3, company="rail")


def says(case: CaseFacts) -> dict[str, dict[str, Any]]:
    return {
        "creditor_reference": {"creditor_ref": f"000{case.payment_ref}"},
        "end_to_end": {"end_to_end_id": rf_reference(case.payment_ref)},
        "reference_in_text": {"text": f"refund {case.reference}, inv 20260504"},
    }


@pytest.mark.parametrize("step", ["creditor_reference", "end_to_end", "reference_in_text"])
def test_a_checked_reference_confirms_one_case_up_to_its_claim(step: str) -> None:
    first = found(paid(45_000, **says(ONE)[step]), ONE, TWO)[0]
    assert (first.step, first.confirms, first.case_ids) == (step, True, frozenset({ONE.case_id}))
    assert (first.parts[0].amount_minor, first.rest_minor) == (40_000, 5_000)
    assert "more_than_open" in {reason.code for reason in first.reasons}
    assert found(paid(**says(ONE)[step], currency="SEK"), ONE) == []


@pytest.mark.parametrize(
    ("receipt", "cases", "known", "against"),
    [
        (paid(text=f"{ONE.reference} {TWO.reference}"), (ONE, TWO), "", "points_elsewhere"),
        (paid(creditor_ref=ONE.payment_ref, text=f"for {TWO.booking_ref}"), (ONE, TWO), "",
         "points_elsewhere"),
        (paid(creditor_ref=ONE.payment_ref), (ONE,), "rail", "payer_of_another_company"),
        (paid(creditor_ref=ONE.payment_ref, text="In FULL and final settlement"), (ONE,), "",
         "in_full_settlement"),
        (paid(creditor_ref=ONE.payment_ref, text="zur vollständigen Abgeltung"), (ONE,), "",
         "in_full_settlement"),
        (paid(10_000, creditor_ref=ONE.payment_ref), (replace(ONE, asks=True),), "", "offer_waits"),
        (paid(creditor_ref=ONE.payment_ref, return_reason="AC04"), (ONE,), "",
         "own_payment_returned"),
        (paid(creditor_ref=ONE.payment_ref), (replace(ONE, open_minor=0),), "", "nothing_open"),
        (paid(text=f"refund {ONE.payment_ref}"), (ONE,), "", "digits_by_chance"),
        (paid(creditor_ref=f"{ONE.payment_ref[:-1]}{(int(ONE.payment_ref[-1]) + 1) % 10}"), (ONE,),
         "air", "check_digit_wrong"),
        (paid(text=f"refund {ONE.booking_ref}"), (ONE,), "", "payer_not_learned"),
        (paid(text="PNR777"), tuple(replace(c, booking_ref="PNR777") for c in (ONE, TWO)), "air",
         "several_cases"),
        (paid(), (ONE,), "air", "sum_not_promised"),
        (paid(), (ONE, TWO), "air", "several_cases"),
        (paid(payer_name="NORDVIND AIR Oy"), (ONE,), "", "step_suggests"),
    ],
)  # fmt: skip
def test_what_is_not_sure_is_only_suggested_with_its_reason(
    receipt: Receipt, cases: tuple[CaseFacts, ...], known: str, against: str
) -> None:
    suggestions = found(receipt, *cases, known=known)
    assert suggestions and not any(one.confirms for one in suggestions)
    assert suggestions[0].against is not None and suggestions[0].against.code == against


def test_the_learned_payer_confirms_with_a_booking_number_or_a_promised_sum() -> None:
    booking = found(paid(30_000, text=f"ref {ONE.booking_ref}"), ONE, TWO, known="air")[0]
    assert (booking.step, booking.confirms, booking.found) == ("booking_number", True, "PNR001")
    promised = replace(ONE, promised=(Promised(30_000, DAY - timedelta(days=9)),))
    kept = found(paid(30_000), promised, TWO, known="air")[0]
    assert (kept.step, kept.confirms) == ("known_payer_amount", True)
    stale = replace(ONE, promised=(Promised(30_000, DAY - timedelta(days=90)),))
    assert found(paid(30_000), stale, TWO, known="air") == []
    shared = match(paid(30_000), Facts((promised,), frozenset({"air"}), whole=False), RULES)
    assert not shared[0].confirms, "not every case of the payer was looked at"


def test_one_payment_for_several_cases_is_split_by_their_references_or_the_payers_list() -> None:
    text = f"{rf_reference(ONE.payment_ref)} {rf_reference(TWO.payment_ref)}"
    together = found(paid(80_000, text=text), ONE, TWO)[0]
    assert together.confirms and [p.amount_minor for p in together.parts] == [40_000, 40_000]
    assert not any(one.confirms for one in found(paid(79_999, text=text), ONE, TWO))
    rows = f"Our ref;Amount\n{ONE.reference};150,00\n{TWO.payment_ref};EUR 400.00\nTotal;550,00"
    listed = found(paid(55_000), ONE, TWO, advice=rows)[0]
    assert (listed.step, listed.confirms) == ("remittance_advice", True)
    assert {p.case_id: p.amount_minor for p in listed.parts} == {"case-1": 15_000, "case-2": 40_000}
    for change, code in (
        (rows.replace(ONE.reference, "RC-ZZZZZZZZ"), "advice_line_unknown"),
        (rows.replace("150,00", "151,00").replace("550", "551"), "advice_sum_differs"),
        (rows.replace(ONE.reference, str(ONE.booking_ref)), "advice_line_unsure"),
    ):
        minor = 55_000 if "151" not in change else 56_000
        unsure = [s for s in found(paid(minor), ONE, TWO, advice=change) if s.against]
        assert unsure[0].against is not None and unsure[0].against.code == code
    with pytest.raises(InvalidInput):
        read_advice("dear all, we paid", "EUR")
    assert [line.amount_minor for line in read_advice("a 1.234,50\nb 1 234\nc 12.345", "EUR")] == [
        123_450, 23_400, 1_234_500,
    ]  # fmt: skip


def test_a_sum_of_open_cases_is_suggested_only_when_there_is_one_way() -> None:
    assert only_subset([100, 250, 400, 7], 407, 12) == (2, 3)
    assert only_subset([100, 100, 250], 350, 12) is None, "two ways"
    assert only_subset([350, 100, 250], 350, 12) is None, "one case alone is the sum too"
    assert only_subset([1] * 13, 2, 12) is None, "too many"
    cases = [a_case(at, minor) for at, minor in enumerate((11_100, 25_000, 40_700), start=10)]
    summed = found(paid(36_100), *cases, known="air")[0]
    assert (summed.step, summed.confirms, len(summed.parts)) == ("subset_sum", False, 2)


def test_rules_are_data_with_a_version() -> None:
    assert RULES.name == "cascade@1" and RULES.confirms < set(STEPS)
    with pytest.raises(RulesInvalid):
        read_rules("id: x\nversion: 1\nconfirms: [guess]\nscore: {}")
    with pytest.raises(RulesInvalid):
        read_rules("[]")
    silent = replace(RULES, confirms=frozenset())
    (only,) = match(paid(creditor_ref=ONE.payment_ref), Facts((ONE,)), silent)
    assert only.against is not None and only.against.code == "step_suggests"


def test_a_small_year_confirms_every_reference_of_ours_and_nothing_falsely() -> None:
    counts = run_year(300, 900, seed=7)
    assert counts.receipts[OURS] > 200 and counts.receipts["wrong reference"] > 0
    assert counts.false.total() == 0, counts.examples[:3]
    assert counts.confirmed[OURS] == counts.receipts[OURS]
    assert counts.rate >= 90


@pytest.mark.fuzz
@pytest.mark.parametrize("seed", range(5))
def test_whole_years_confirm_nothing_falsely(seed: int) -> None:
    counts = run_year(20_000, 60_000, seed)
    show(counts)
    assert counts.false.total() == 0, counts.examples[:3]
    assert counts.confirmed[OURS] == counts.receipts[OURS]
    assert counts.rate >= 90


def test_the_weekly_list_comes_back_and_only_what_they_filled_in_was_paid() -> None:
    """Read by its columns: what is open, or a number of theirs, is no payment."""
    for mark in (";", ",", "\t"):
        listed = "\ufeff" + "\r\n".join(
            mark.join(cells)
            for cells in (
                ("reference", "your_number", "payment_reference", "first_letter", "open",
                 "currency", "paid"),
                (ONE.reference, "77001122", rf_reference(ONE.payment_ref), "2026-04-01", "400.00",
                 "EUR", "250.00"),
                (TWO.reference, "77001123", rf_reference(TWO.payment_ref), "2026-04-02", "400.00",
                 "EUR", ""),
            )
        )  # fmt: skip
        [line] = read_advice(listed, "EUR")
        assert (line.references, line.amount_minor) == ((ONE.reference,), 250_00)
    [split] = found(paid(250_00), ONE, TWO, advice=listed)
    assert split.step == "remittance_advice" and split.against is None
    with pytest.raises(InvalidInput):
        read_advice(listed.replace("250.00", ""), "EUR")
