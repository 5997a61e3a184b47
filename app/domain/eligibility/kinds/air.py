"""Flights: compensation, refund, care; fees charged twice; bags. Regulation 261/2004, UK261, 14 CFR
259 and 260, Montreal Convention."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, TypeVar

from app.domain.eligibility.facts import UNKNOWN, FactUnknown
from app.domain.eligibility.finding import Due, Note, Test, Verdict
from app.domain.eligibility.items import own_items
from app.domain.eligibility.lawbook import Matter
from app.domain.eligibility.places import air_law, country_at

ValueT = TypeVar("ValueT")
NOT_MADE = ("other_way", "not_at_all")
REFUSED_OR_GAVE_UP = ("ready_and_refused", "gave_up_seat_for_benefit")
PRICE = ("price", "part_of_price", "fee")
US_PRICE = ("price", "fee")
CREDIT = ("voucher", "points_or_credit")


def flight(m: Matter) -> Test:
    """Fixed compensation, the price of a trip not made, and care; each stands on its own facts."""
    try:
        law = air_law(m.answers, m.law)
    except FactUnknown as unknown:
        return _question(m, "", None, [unknown.key])
    incident = m.answers.text("incident")
    if law is None:
        return Test("no", (), counts=(), reasons=(Note("no_passenger_law"),))
    table = m.law["air"][law]
    if incident == "downgrade":
        return Test(
            "unclear", (table["rule"],), counts=PRICE, currency=table.get("currency"),
            reasons=(Note("downgrade"),),
        )  # fmt: skip
    return _us(m, table, incident) if law == "us" else _covered(m, table, incident)


def _question(m: Matter, rule: str, currency: str | None, open_facts: list[str]) -> Test:
    """An airport, the carrier or what happened is not known, so that nothing is counted but the
    price of a trip that was not made."""
    made = m.answers.text("travelled") == "airline_took_me"
    return Test(
        "needs_info", (rule,) if rule else (), counts=() if made else PRICE, currency=currency,
        reasons=tuple(Note("fact_unknown", {"fact": fact}) for fact in open_facts),
        open_facts=tuple(open_facts), open_sum=True,
    )  # fmt: skip


def _covered(m: Matter, table: Any, incident: str) -> Test:
    """Under Regulation 261/2004 or its British twin."""
    if not incident:
        return _question(m, table["rule"], table["currency"], ["incident"])
    open_facts: list[str] = []
    excused = m.answers.text("reason_given") in m.law["air"]["outside_reasons"]
    # With an outside reason nothing is counted, so nothing about the delay is asked for it.
    owed = False if excused else _known(lambda: _triggered(m, incident), open_facts)
    money = (
        _known(lambda: _compensation(m, table, incident), open_facts) if owed is not False else ()
    )
    refund = _refund(m, incident, owed is not False, open_facts)
    care = ("care",) if refund or owed is not False else ()
    priced = refund and any(item.get("type") in PRICE for item in own_items(m.answers))
    grounds = ((table["rule"],) if owed is not False else ()) + (
        (table["refund_rule"],) if priced else ()
    )
    return Test(
        "needs_info" if open_facts else "yes",
        tuple(dict.fromkeys(grounds)) or (table["rule"],),
        computed=money or (), counts=(PRICE if refund else ()) + care, paid_only=("care",),
        currency=table["currency"], warnings=_warnings(m, excused, bool(money)),
        missing=(Note("boarding_pass"),) if money else (),
        reasons=_reasons(m, incident, bool(money), refund), open_facts=tuple(open_facts),
        open_sum=bool(open_facts),
    )  # fmt: skip


def _known(ask: Callable[[], ValueT], open_facts: list[str]) -> ValueT | None:
    """The answer; None, and the fact kept, when a fact it reads is not known."""
    try:
        return ask()
    except FactUnknown as unknown:
        if unknown.key not in open_facts:
            open_facts.append(unknown.key)
        return None


def _warnings(m: Matter, excused: bool, money: bool) -> tuple[Note, ...]:
    found = []
    if excused:
        found.append(Note("extraordinary", {"reason": m.answers.text("reason_given")}))
        if m.answers.yes("others_flew"):
            found.append(Note("others_flew"))
    infants = any(p.get("age") == "infant" for p in m.answers.entries("persons"))
    return tuple(found + [Note("infants_count")] * (money and infants))


def _reasons(m: Matter, incident: str, money: bool, refund: bool) -> tuple[Note, ...]:
    said = []
    if money:
        said.append(Note("compensation_due", {"incident": incident}))
    if refund:
        said.append(Note("compensation_and_refund") if money else Note("refund_due"))
    if not said:
        excused = m.answers.text("reason_given") in m.law["air"]["outside_reasons"]
        said.append(Note("outside_reason" if excused else "no_trigger", {"incident": incident}))
    return tuple(said)


def _triggered(m: Matter, incident: str) -> bool:
    """Whether what happened is one of the triggers of compensation."""
    if incident == "delay":
        return int(m.answers.need("arrival_delay_min")) >= int(m.law["air"]["delay_from"])
    if incident == "denied_boarding":
        return bool(m.answers.need("boarding") == "ready_and_refused")
    notice = m.answers.number("notice_days")
    if notice is not None and notice >= m.law["air"]["notice_days"]:
        return False
    return not _rerouted_closely(m, notice)


def _rerouted_closely(m: Matter, notice: int | None) -> bool:
    """Told in time and taken along so close to plan that nothing is due; unknown counts as not."""
    late = m.answers.number("arrival_delay_min")
    left = 0 if m.answers.absent("left_earlier_min") else m.answers.number("left_earlier_min")
    if late is None or left is None or m.answers.text("travelled") != "airline_took_me":
        return False
    for line in m.law["air"]["rerouted"]:
        if (notice or 0) >= line["notice_from"]:
            return bool(left <= line["left_earlier_up_to"] and late < line["late_under"])
    return False


def _compensation(m: Matter, table: Any, incident: str) -> tuple[Due, ...]:
    """One line per person, infants too, by the great circle to the last destination."""
    start, end = m.answers.need("from_airport"), m.answers.need("to_airport")
    people = [
        str(p.get("who")) if isinstance(p, Mapping) else f"person {at}"
        for at, p in enumerate(m.answers.need("persons"), 1)
    ] or ["claimant"]
    metres = m.law.airports.metres(start, end)
    band = next(b for b in table["bands"] if _within(metres, b["up_to_km"]))
    amount = int(band["minor"])
    first = table["bands"][0]
    if table["inside_eea_minor"] and not _within(metres, first["up_to_km"]) and _inside(m):
        amount = int(table["inside_eea_minor"])
    longest = amount == table["bands"][-1]["minor"]
    late = m.answers.number("arrival_delay_min")
    if incident == "delay" and longest:
        short = m.answers.need("arrival_delay_min") < table["long_delay_under"]
        amount = int(table["long_delay_minor"]) if short else amount
    taken = m.answers.text("travelled") == "airline_took_me"
    if incident != "delay" and taken and late is not None and late <= _half_within(table, amount):
        amount //= 2
    return tuple(Due(f"compensation, {who}", amount, table["currency"]) for who in people)


def _half_within(table: Any, amount: int) -> int:
    """Minutes within which re-routing halves the sum; by the sum's own band."""
    return int(next(b["half_within"] for b in table["bands"] if b["minor"] == amount))


def _within(metres: int, km: int | None) -> bool:
    return km is None or metres <= km * 1000


def _inside(m: Matter) -> bool:
    day = m.answers.day("flight_date")
    ends = (country_at(m.answers, m.law, k) for k in ("from_airport", "to_airport"))
    return all(c is not None and m.law.in_air_area(c, day) for c in ends)


def _refund(m: Matter, incident: str, owed: bool, open_facts: list[str]) -> bool:
    """Whether the price is owed back, or may be; asked only where a line hangs on it."""
    hangs = PRICE if owed else (*PRICE, "care")
    asked = m.answers.vague("items") or any(
        item.get("type") in (*hangs, UNKNOWN) for item in own_items(m.answers)
    )
    return asked and _known(lambda: _refund_due(m, incident), open_facts) is not False


def _refund_due(m: Matter, incident: str) -> bool:
    """The trip was not made with the airline after one of the triggers of art. 8."""
    if m.answers.text("travelled") == "airline_took_me":
        return False
    if incident == "delay":
        late = int(m.answers.need("arrival_delay_min"))
        if late < m.law["air"]["refund_delay_from"]:
            return False
    if incident == "denied_boarding" and m.answers.need("boarding") not in REFUSED_OR_GAVE_UP:
        return False
    return bool(m.answers.need("travelled") in NOT_MADE)


def _us(m: Matter, table: Any, incident: str) -> Test:
    """14 CFR 260: money back for a trip not made, no compensation for delay."""
    credit = any(
        o.get("state") == "accepted" and o.get("form") in CREDIT
        for o in m.answers.entries("offers")
    )
    open_facts: list[str] = []
    if credit or m.answers.text("travelled") == "airline_took_me":
        due: bool | None = False
    else:
        due = _known(lambda: _changed(m, table, incident), open_facts)
        if due is not False:
            _known(lambda: m.answers.need("travelled"), open_facts)
    verdict: Verdict = "no" if due is False else "needs_info" if open_facts else "yes"
    return Test(
        verdict, (table["rule"],), counts=US_PRICE, warnings=(Note("us_no_compensation"),),
        reasons=(
            Note("no_trigger", {"incident": incident or UNKNOWN}) if due is False
            else Note("refund_due"),
        ), open_facts=tuple(open_facts),
    )  # fmt: skip


def _changed(m: Matter, table: Any, incident: str) -> bool:
    """Cancelled, or moved or late by more than the flight's limit."""
    if m.answers.need("incident") == "cancellation":
        return True
    if incident not in ("delay", "schedule_change"):
        return False
    ends = [country_at(m.answers, m.law, k) for k in ("from_airport", "to_airport")]
    over = table["domestic_over"] if ends == ["US", "US"] else table["international_over"]
    return int(m.answers.need("arrival_delay_min")) > int(over)


def fees(m: Matter) -> Test:
    proved = m.answers.yes("proof_of_entitlement")
    return Test(
        "yes" if proved else "needs_info", m.grounds("air_fees"), warnings=_late_too(m),
        reasons=(Note("charged_twice" if proved else "entitlement_not_shown"),),
        missing=() if proved else (Note("proof_of_entitlement"),),
    )  # fmt: skip


def _late_too(m: Matter) -> tuple[Note, ...]:
    """The flight was late besides: a claim of its own from three hours."""
    late = m.answers.number("arrival_delay_min")
    if not late:
        return ()
    second = late >= m.law["air"]["delay_from"]
    return (Note("second_claim" if second else "second_claim_too_small", {"minutes": str(late)}),)


def baggage(m: Matter) -> Test:
    """Montreal art. 31: a written report in time; a bag that is still away needs none of it yet."""
    verdict = _baggage(m)
    return Test(verdict, m.grounds("air_baggage"), reasons=(Note(f"baggage_{verdict}"),))


def _baggage(m: Matter) -> Verdict:
    if m.answers.never("bag_written_report_on"):
        return "needs_info"
    reported = m.answers.day("bag_written_report_on")
    if reported is None:
        raise FactUnknown("bag_written_report_on")
    if m.answers.never("bag_back_on"):
        return "yes"
    back = m.answers.day("bag_back_on")
    if back is None:
        raise FactUnknown("bag_back_on")
    table = m.law["baggage"]
    damaged = m.answers.need("bag_problem") == "damaged"
    days = table["damaged_days"] if damaged else table["late_days"]
    return "yes" if reported <= back + timedelta(days=days) else "unclear"
