"""The net figure of an offer is what would really be paid out of it."""

from __future__ import annotations

from app.cases.net import Before, net_of_offer

LINES = [
    {"id": "1", "creditor_id": "a", "amount_minor": 300_00, "earns_fee": True, "counted": True},
    {"id": "2", "creditor_id": "a", "amount_minor": 100_00, "earns_fee": False, "counted": True},
]


def test_an_offer_is_set_first_against_what_earns_no_fee() -> None:
    net = net_of_offer(300_00, voucher=False, items=LINES)
    assert (net.fee, net.paid_out) == (50_00, 250_00)


def test_what_came_before_is_taken_off_the_lines_first() -> None:
    net = net_of_offer(300_00, voucher=False, items=LINES, before=Before(recovered=100_00))
    assert (net.fee, net.paid_out) == (75_00, 225_00)


def test_the_fee_already_taken_is_not_taken_again() -> None:
    before = Before(recovered=200_00, fee=25_00)
    net = net_of_offer(200_00, voucher=False, items=LINES, before=before)
    assert (net.fee, net.paid_out) == (50_00, 150_00)


def test_who_was_kept_waiting_by_us_owes_nothing() -> None:
    net = net_of_offer(300_00, voucher=False, items=LINES, before=Before(we_are_late=True))
    assert (net.fee, net.paid_out) == (0, 300_00)
