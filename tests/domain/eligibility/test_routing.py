"""What ends a claim, what is asked, who decides and how much, sentence by sentence of the routing:
one change to a plain intake, and what must become of it, worked out from the sentence."""

from __future__ import annotations

from typing import Any

import pytest

from tests.domain.eligibility.intakes import (
    BILL,
    DELAY,
    FEES,
    FOOD,
    RAIL,
    SERVICE,
    Intake,
    abroad,
    back,
    check,
    line,
    money,
    person,
    short,
)  # fmt: skip

EU261 = "air.eu261.compensation"
CASES: list[tuple[str, Intake, dict[str, Any], str]] = [
    # --- R4: no
    ("no: three years end, last day", FOOD,
     {"order_date": "2023-11-21", "first_written_complaint": "unknown"},
     "yes 10000 EUR fi.kril food.eu"),
    ("no: Germany counts from the end of the year", abroad(FOOD, "DE"),
     {"order_date": "2023-01-02"}, "yes 10000 EUR de.universalschlichtungsstelle food.eu"),
    ("no: and then it is over", abroad(FOOD, "DE"), {"order_date": "2022-12-31"},
     "no 0 EUR None food.eu"),
    ("no: five years in Scotland", abroad(FOOD, "GB", "GBP"),
     {"place": "GB-SCT", "order_date": "2021-11-20"}, "no 0 GBP None food.gb"),
    ("no: six in the rest", abroad(FOOD, "GB", "GBP"), {"order_date": "2021-11-20"},
     "yes 10000 GBP gb.small_claims food.gb"),
    ("no: a Swedish flight after three", abroad(DELAY, "SE", "SEK"),
     {"from_airport": "ARN", "flight_date": "2023-11-20"}, f"no 0 EUR None {EU261}"),
    ("no: no period is given for Spain", DELAY,
     {"residence": "ES", "from_airport": "MAD", "to_airport": "BCN", "flight_date": "2010-01-01"},
     f"yes 25000 EUR None {EU261}"),
    ("no: nothing is left", FOOD, {"money_received": [back("100.00")]}, "no 0 EUR None food.eu"),
    ("no: even if it may be taken back", FOOD,
     {"money_received": [back("100.00", final=False)]}, "no 0 EUR None food.eu"),
    ("no: money for something else stays out of it", FOOD,
     {"money_received": [back("100.00", for_items=False)]}, "yes 10000 EUR fi.kril food.eu"),
    ("no: before consent", FOOD,
     {"guardian_consent": "none", "items": []}, "no 0 None None food.eu"),
    ("no: a running chargeback is named all the same", FOOD,
     {"items": [], "other_routes": [{"route": "chargeback", "state": "running"}]},
     "no 0 None None pay.chargeback+food.eu"),
    ("no: a line of an unknown sort could still count", FOOD,
     {"items": [line("price", "5.00") | {"type": "unknown"}]}, "needs_info 0 EUR fi.kril food.eu"),
    ("no: unknown entries are no crash", FOOD,
     {"items": ["unknown"], "persons": ["unknown"], "offers": ["unknown"],
      "money_received": ["unknown"], "other_routes": ["unknown"]},
     "needs_info 0 None fi.kril food.eu"),
    # --- R5, R6
    ("ask: whose claim is not known", FOOD, {"acting_for": "unknown"},
     "needs_info 10000 EUR fi.kril food.eu"),
    ("ask: consent not known", FOOD, {"guardian_consent": "unknown"},
     "needs_info 10000 EUR fi.kril food.eu"),
    ("ask: before unclear", FOOD, {"outcome": "late", "guardian_consent": "will_sign"},
     "needs_info 10000 EUR fi.kril food.eu"),
    ("unclear: offered on an unknown day", FOOD,
     {"order_date": "2023-01-01", "first_written_complaint": "unknown",
      "company_answer": "offered", "company_answer_on": "unknown"},
     "unclear 10000 EUR fi.kril food.eu"),
    ("unclear: offered after the end is too late", FOOD,
     {"order_date": "2023-01-01", "first_written_complaint": "unknown",
      "company_answer": "offered", "company_answer_on": "2026-01-02"}, "no 0 EUR None food.eu"),
    ("unclear: a complaint after the end begins nothing", FOOD,
     {"order_date": "2023-01-01", "first_written_complaint": "2026-01-02"},
     "no 0 EUR None food.eu"),
    ("unclear: closed down", FOOD, {"insolvency": "closed_down"}, "unclear 10000 EUR None food.eu"),
    # --- R7
    ("body: a court has it", FOOD, {"other_routes": [{"route": "court", "state": "lost"}]},
     "yes 10000 EUR None food.eu"),
    ("body: not started yet", FOOD,
     {"other_routes": [{"route": "complaint_body", "state": "not_started"}]},
     "yes 10000 EUR fi.kril food.eu"),
    ("body: across the border", FOOD, {"company_country": "NO"},
     "yes 10000 EUR eu.ecc_net food.eu"),
    ("body: from GB into the Union", abroad(SERVICE, "GB", "GBP"), {"company_country": "FR"},
     "yes 10000 GBP gb.ukicc -"),
    ("body: no centre for Liechtenstein", FOOD, {"company_country": "LI"},
     "yes 10000 EUR None food.eu"),
    ("body: under the Swedish floor", abroad(SERVICE, "SE", "SEK"),
     {"items": [line("price", "499.99", "SEK")]}, "yes 49999 SEK None -"),
    ("body: on the Swedish floor", abroad(SERVICE, "SE", "SEK"),
     {"items": [line("price", "500.00", "SEK")]}, "yes 50000 SEK se.arn -"),
    ("body: under ten euros", abroad(SERVICE, "DE"), {"items": [line("price", "9.99")]},
     "yes 999 EUR None -"),
    ("body: over ten thousand pounds", abroad(SERVICE, "GB", "GBP"),
     {"items": [line("price", "10000.01", "GBP")]}, "yes 1000001 GBP None -"),
    ("body: the year of the French mediator is over", abroad(SERVICE, "FR"),
     {"first_written_complaint": "2025-11-20"}, "yes 10000 EUR None -"),
    ("body: on its last day", abroad(SERVICE, "FR"), {"first_written_complaint": "2025-11-21"},
     "yes 10000 EUR fr.consumer_mediator_default -"),
    ("body: changed planes in Paris", DELAY, {"disrupted_at": "CDG", "bought_as": "mixed"},
     f"yes 40000 EUR fr.mtv {EU261}"),
    # --- R9
    ("sum: yen has no minor unit", SERVICE, {"items": [line("price", "86400", "JPY")]},
     "yes 86400 JPY fi.kril -"),
    ("sum: half a cent goes up", SERVICE, {"items": [line("price", "10.005")]},
     "yes 1001 EUR fi.kril -"),
    ("sum: the first counted line gives the currency", SERVICE,
     {"items": [line("own_time", "9.00", "USD"), line("price", "5.00", "SEK"),
                line("price", "7.00")]}, "yes 500 SEK fi.kril -"),
    ("sum: money in another currency is not taken off", SERVICE,
     {"money_received": [back("50.00", "SEK")]}, "yes 10000 EUR fi.kril -"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("claim", "change", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_the_routing_says(claim: Intake, change: dict[str, Any], expected: str) -> None:
    assert short(check(claim | change)) == expected


def test_received_money_is_taken_off_in_the_order_of_the_lines() -> None:
    lines = [line("price", "10.00"), line("fee", "4.00"), line("unpaid_bill", "3.00", paid=False)]
    found = check(SERVICE | {"items": lines, "money_received": [back("12.50")]})
    assert [(i.what, i.amount_minor) for i in found.items] == [
        ("fee", 150), ("cancel: unpaid_bill", 300),
    ]  # fmt: skip


def test_every_person_named_twice_over_is_counted() -> None:
    family = [person("a"), person("b", "child"), person("c", "infant")]
    found = check(DELAY | {"persons": family})
    assert [i.amount_minor for i in found.items] == [40_000] * 3
    assert "infants_count" in [w.code for w in found.warnings]


OPENS: list[tuple[str, Intake, dict[str, Any], str | None]] = [
    ("no complaint yet", abroad(SERVICE, "FR"), {"first_written_complaint": "none"}, None),
    ("two months", abroad(SERVICE, "FR"), {}, "2026-11-01"),
    ("a refusal opens where the record says so", abroad(DELAY, "FR"),
     {"from_airport": "CDG", "company_answer": "refused", "company_answer_on": "2026-09-20"},
     "2026-09-20"),
    ("and not where it does not", abroad(SERVICE, "FR"),
     {"company_answer": "refused", "company_answer_on": "2026-09-20"}, "2026-11-01"),
    ("no wait: a refusal", FOOD,
     {"company_answer": "refused", "company_answer_on": "2026-09-20"}, "2026-09-20"),
    ("no wait and no refusal", FOOD, {}, None),
    ("eight weeks before April 2026, six since", abroad(BILL, "GB", "GBP"),
     {"first_written_complaint": "2026-04-07"}, "2026-06-02"),
    ("six weeks", abroad(BILL, "GB", "GBP"), {"first_written_complaint": "2026-04-08"},
     "2026-05-20"),
    # 40 working days from Tue 1 September 2026: eight weeks without an English holiday.
    ("working days are counted", abroad(RAIL, "GB", "GBP"), {"fare": money("40.00", "GBP")},
     "2026-10-27"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("claim", "change", "expected"), [case[1:] for case in OPENS], ids=[case[0] for case in OPENS]
)
def test_a_body_opens(claim: Intake, change: dict[str, Any], expected: str | None) -> None:
    opens = check(claim | change).body_opens
    assert (opens.isoformat() if opens else None) == expected


WARNED: list[tuple[str, Intake, dict[str, Any], str]] = [
    ("others flew", DELAY, {"reason_given": "weather", "others_flew": True}, "others_flew"),
    ("a late flight inside a fee", FEES, {"arrival_delay_min": 180}, "second_claim"),
    ("a little late inside a fee", FEES, {"arrival_delay_min": 179}, "second_claim_too_small"),
    ("a body that closed", abroad(SERVICE, "FR"), {"first_written_complaint": "2025-11-20"},
     "body_closed"),
    ("a body that closes soon", abroad(SERVICE, "FR"), {"first_written_complaint": "2026-02-21"},
     "body_until_soon"),
    ("Scotland may be nearer", abroad(FOOD, "GB", "GBP"), {"order_date": "2022-01-01"},
     "shorter_in_part"),
    ("limitation within a season", FOOD,
     {"order_date": "2024-02-21", "first_written_complaint": "unknown"}, "limitation_near"),
    ("the day is not known", FOOD, {"order_date": "unknown"}, "event_unknown"),
    ("the German alternative for flights", abroad(DELAY, "DE"), {"from_airport": "FRA"},
     "membership"),
    ("the mediator before the court", abroad(SERVICE, "FR"), {}, "mediator_before_court"),
    ("the Swedish tier", abroad(SERVICE, "SE", "SEK"),
     {"items": [line("price", "600.00", "SEK")]}, "body_tier"),
    ("a small sum", SERVICE, {"items": [line("price", "19.99")]}, "small_sum_pack"),
    ("a court has it", FOOD, {"other_routes": [{"route": "court", "state": "running"}]},
     "already_before_a_body"),
    ("an infant", DELAY, {"persons": [person("a", "infant")]}, "infants_count"),
    ("another's line", SERVICE, {"items": [line("price", "1.00", person="x")]}, "another_person"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("claim", "change", "code"), [case[1:] for case in WARNED], ids=[case[0] for case in WARNED]
)
def test_it_is_said(claim: Intake, change: dict[str, Any], code: str) -> None:
    assert code in [note.code for note in check(claim | change).warnings]


def test_the_german_train_body_has_no_alternative_for_flights() -> None:
    assert "membership" not in [w.code for w in check(abroad(RAIL, "DE")).warnings]
