"""What a consumer can do free of charge, until which day; what is asked of the company first."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from app.law.eligibility import Checker, FactsIn, as_json
from app.law.ics import calendar
from tests.domain.eligibility.intakes import (
    BAG,
    BANK,
    BILL,
    BUS,
    CANCELLED,
    CHARGEBACK,
    DELAY,
    FAULTY,
    FOOD,
    NOT_CAME,
    PACKAGE,
    PURCHASE,
    RAIL,
    RETURN,
    SERVICE,
    SUBSCRIPTION,
    TODAY,
    US_CARD,
    Intake,
    abroad,
    check,
    line,
)  # fmt: skip

CARD = {"payment_method": "credit_card"}
NOT_TOLD = {"first_written_complaint": "none"}
# name, intake, change, act, its last day ("-": none, today; None: not shown)
ACTS: list[tuple[str, Intake, dict[str, Any], str, str | None]] = [
    ("block", BANK, CARD, "block_the_card", "-"),
    ("nothing to block in a transfer", BANK, {}, "block_the_card", None),
    ("thirteen months", BANK, {"told_bank_on": "none"}, "tell_the_bank", "2027-07-01"),
    ("told already", BANK, {}, "tell_the_bank", None),
    ("sixty days in the United States", abroad(BANK, "US", "USD"),
     {"told_bank_on": "none", "statement_sent_on": "2026-10-01"}, "tell_the_bank", "2026-11-30"),
    ("eight weeks from the last debit", BANK,
     {"payment_method": "direct_debit", "last_debit_on": "2026-10-01"}, "direct_debit_back",
     "2026-11-26"),
    ("eight weeks are over", BANK, {"payment_method": "direct_debit"}, "direct_debit_back", None),
    ("thirteen months where never allowed", BANK, {"payment_method": "direct_debit"},
     "direct_debit_never_allowed", "2027-07-01"),
    ("each monthly debit has its own weeks", SUBSCRIPTION, {"payment_method": "direct_debit"},
     "direct_debit_back", "-"),
    ("the card scheme's time from the later day", NOT_CAME,
     CARD | {"promised_on": "2026-10-10"}, "card_dispute", "2027-02-07"),
    ("capped at 540 days from the payment", NOT_CAME,
     CARD | {"ordered_on": "2025-06-01", "promised_on": "2026-10-10"}, "card_dispute",
     "2026-11-23"),
    ("not beside a running one", NOT_CAME,
     CARD | {"promised_on": "2026-10-10",
             "other_routes": [{"route": "chargeback", "state": "running"}]},
     "card_dispute", None),
    ("too late for the scheme", NOT_CAME, CARD | {"ordered_on": "2026-05-01",
     "promised_on": "2026-05-10"}, "card_dispute", None),
    ("the pack of a chargeback", CHARGEBACK, CARD, "card_dispute", "2026-12-30"),
    ("a credit that never came", RETURN, CARD | {"withdrew_on": "2026-07-25"},
     "card_dispute_of_a_credit", "2026-11-22"),
    ("section 75", abroad(PURCHASE, "GB", "GBP"),
     CARD | {"items": [line("price", "100.01", "GBP")]}, "section_75", "-"),
    ("section 75 not at the threshold", abroad(PURCHASE, "GB", "GBP"), CARD, "section_75", None),
    ("the card issuer hears letters only", US_CARD,
     {"written_notice_on": "none", "statement_sent_on": "2026-10-01"}, "write_to_the_issuer",
     "2026-11-30"),
    ("the collector's own day", SUBSCRIPTION,
     {"collection": "running", "collection_by": "2026-12-01"}, "object_to_the_collector",
     "2026-12-01"),
    ("a collector without a day", BILL, {"collection": "threatened"}, "object_to_the_collector",
     "-"),
    ("direct first, before the time ends", DELAY, NOT_TOLD | {"direct_first_days": 28},
     "write_first_yourself", "2029-08-20"),
    ("a reminder begins a new time in Finland", FOOD, NOT_TOLD, "remind_in_writing", "2029-08-20"),
    ("no reminder elsewhere", abroad(FOOD, "DE"), NOT_TOLD, "remind_in_writing", None),
    ("three months for the railway, from the first leg", RAIL, NOT_TOLD | {"legs": [
        {"date": "2026-09-30", "delay_min": 60, "reason": "staff"},
        {"date": "2026-09-10", "delay_min": 60, "reason": "staff"}]}, "tell_the_railway",
     "2026-12-10"),
    ("three months for the bus", BUS, NOT_TOLD | {"trip_date": "2026-08-31"},
     "tell_the_bus_company", "2026-11-30"),
    ("thirty days to reject in GB", abroad(PURCHASE, "GB", "GBP"),
     NOT_TOLD | {"received_on": "2026-11-01"}, "tell_the_seller", "2026-12-01"),
    ("two months in Sweden", abroad(FAULTY, "SE", "SEK"),
     NOT_TOLD | {"defect_seen_on": "2026-10-01"}, "tell_the_seller_soon", "2026-12-01"),
    ("a damaged bag in seven days", BAG,
     {"bag_written_report_on": "none", "bag_back_on": "2026-11-20", "flight_date": "2026-11-20"},
     "report_the_bag", "2026-11-27"),
    ("a late bag in twenty-one", BAG,
     {"bag_written_report_on": "none", "bag_back_on": "2026-11-20", "flight_date": "2026-11-10",
      "bag_problem": "late"}, "report_the_bag", "2026-12-11"),
    ("a bag still away", BAG, {"bag_written_report_on": "none", "bag_back_on": "none"},
     "report_the_bag", "-"),
    ("fourteen days to withdraw", SUBSCRIPTION, {"contract_on": "2026-11-10"},
     "withdraw_from_the_contract", "2026-11-24"),
    ("longer when nobody said so", SUBSCRIPTION, {"told_right_to_withdraw": False},
     "withdraw_from_the_contract", "2027-02-14"),
    ("withdrawn already", SUBSCRIPTION, {"contract_on": "2026-11-10", "withdrew_on": "2026-11-12"},
     "withdraw_from_the_contract", None),
    ("an order just come", PURCHASE, {"received_on": "2026-11-20"}, "withdraw_from_the_order",
     "2026-12-04"),
    ("an order of unknown arrival", PURCHASE, {"received_on": "unknown"},
     "withdraw_from_the_order", None),
    ("the administrator's day", FOOD,
     {"insolvency": "opened", "insolvency_file_by": "2027-01-15"}, "file_with_the_administrator",
     "2027-01-15"),
    ("the body's last day", abroad(SERVICE, "FR"), {}, "ask_the_body", "2027-09-01"),
    ("a body without one", SERVICE, {}, "ask_the_body", None),
    ("the first letter", SERVICE, NOT_TOLD, "write_to_the_company", "-"),
    ("no letter of ours where he must write first", DELAY, NOT_TOLD | {"direct_first_days": 28},
     "write_to_the_company", None),
]  # fmt: skip


@pytest.mark.parametrize(
    ("claim", "change", "act", "last_day"), [c[1:] for c in ACTS], ids=[c[0] for c in ACTS]
)
def test_a_free_act(claim: Intake, change: Intake, act: str, last_day: str | None) -> None:
    shown = {a.code: str(a.last_day or "-") for a in check(claim | change).acts}
    assert shown.get(act) == last_day


DEMANDS: list[tuple[str, Intake, dict[str, Any], str]] = [
    ("repair comes first", FAULTY, {}, "repair_or_replacement None, refund 10000"),
    ("after a repair, money", FAULTY, {"repairs_tried": 1}, "refund 10000, price_reduction 10000"),
    ("GB may reject in thirty days", abroad(FAULTY, "GB", "GBP"),
     NOT_TOLD | {"received_on": "2026-11-01", "ordered_on": "2026-10-30",
                 "defect_seen_on": "2026-11-02"},
     "refund 10000, repair_or_replacement None"),
    ("not as described", PURCHASE, {}, "repair_or_replacement None, refund 10000"),
    ("delivery comes first", NOT_CAME, {}, "delivery None, refund 10000"),
    ("unless the extra time is over", NOT_CAME, {"extra_time_until": "2026-11-20"},
     "refund 10000, None"),
    ("not on its last day", NOT_CAME, {"extra_time_until": "2026-11-21"},
     "delivery None, refund 10000"),
    ("or it was cancelled", NOT_CAME, {"cancelled_on": "2026-11-01"}, "refund 10000, None"),
    ("a bill is cancelled", BILL, {"items": [line("unpaid_bill", "9.00", paid=False)]},
     "cancellation_of_bill 900, None"),
    ("a trip short of its promise", PACKAGE, {}, "price_reduction 10000, None"),
    ("a delay", DELAY, {}, "compensation 40000, None"),
    ("a trip not made", CANCELLED, {"travelled": "not_at_all"},
     "compensation_and_refund 52000, None"),
    ("a storm", CANCELLED, {"travelled": "not_at_all", "reason_given": "weather"},
     "refund 12000, None"),
    ("a no asks nothing", CHARGEBACK, {}, "None, None"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("claim", "change", "expected"), [c[1:] for c in DEMANDS], ids=[c[0] for c in DEMANDS]
)
def test_a_demand(claim: Intake, change: Intake, expected: str) -> None:
    found = check(claim | change)
    both = (found.demand_primary, found.demand_alternative)
    assert ", ".join(f"{d.kind} {d.amount_minor}" if d else "None" for d in both) == expected


def test_what_nobody_read_is_marked_until_a_reviewer_approves_it() -> None:
    def warned(approved: frozenset[str]) -> list[str]:
        found = Checker(TODAY, lambda *_: approved).check(FactsIn(answers=FAULTY))
        return [n.params["rule"] for n in found.warnings if n.code == "to_be_confirmed"]

    assert warned(frozenset()) == ["online.eu.conformity"]
    assert warned(frozenset({"online.eu.conformity"})) == []


def unfolded(text: str) -> list[str]:
    assert "\n" not in text.replace("\r\n", ""), "every line ends in CRLF"
    assert max(len(line.encode()) for line in text.split("\r\n")) <= 75
    return text.replace("\r\n ", "").split("\r\n")


def test_a_calendar_file_holds_one_all_day_event_an_act() -> None:
    found = as_json(check(BANK | {"told_bank_on": "none"}), "fi")
    lines = unfolded(calendar(found, of="case-1", on=TODAY))
    assert (lines[0], lines[-2], lines[-1]) == ("BEGIN:VCALENDAR", "END:VCALENDAR", "")
    assert lines.count("BEGIN:VEVENT") == len(found["acts"]) == 1
    assert "DTSTART;VALUE=DATE:20270701" in lines and "DTEND;VALUE=DATE:20270702" in lines
    assert "DTSTAMP:20261121T000000Z" in lines
    assert [part for part in lines if part.startswith("TRIGGER")] == [
        "TRIGGER:-P7D",
        "TRIGGER:PT8H",
    ]


def test_an_event_keeps_its_name_when_the_file_is_made_again() -> None:
    found = as_json(check(BANK | {"told_bank_on": "none"}))

    def uids(of: str, on: date) -> list[str]:
        made = unfolded(calendar(found, of=of, on=on))
        return [part for part in made if part.startswith("UID:")]

    assert uids("case-1", TODAY) == uids("case-1", TODAY + timedelta(days=1))
    assert uids("case-1", TODAY) != uids("case-2", TODAY)


def test_words_of_a_calendar_are_escaped_and_folded_between_characters() -> None:
    act = {"code": "x", "act": "Ä, b; c\\d\ne" + "ö" * 80, "why": "", "last_day": None}
    lines = unfolded(calendar({"acts": [act]}, of="x", on=TODAY))
    assert "SUMMARY:Ä\\, b\\; c\\\\d\\ne" + "ö" * 80 in lines
