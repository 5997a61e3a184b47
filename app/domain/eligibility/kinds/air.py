"""Flights: compensation, refund, care; fees charged twice; bags. Regulation 261/2004, UK261, 14 CFR
259 and 260, Montreal Convention."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any, TypeVar

from app.domain.eligibility.facts import NONE, FactUnknown
from app.domain.eligibility.finding import Due, Note, Test, Verdict
from app.domain.eligibility.lawbook import LawBook, Matter
from app.domain.eligibility.places import air_law, country_at

ValueT = TypeVar("ValueT")
NOT_MADE = ("other_way", "not_at_all")
REFUSED_OR_GAVE_UP = ("ready_and_refused", "gave_up_seat_for_benefit")
PRICE = ("price", "part_of_price", "fee")
CREDIT = ("voucher", "points_or_credit")


def flight(m: Matter) -> Test:
    law = air_law(m.answers, m.law)
    incident = m.answers.need("incident")
    if law is None:
        return Test("no", (), counts=(), reasons=(Note("no_passenger_law"),))
    if law == "us":
        return _us(m, incident)
    table = m.law["air"][law]
    if incident == "downgrade":
        return Test(
            "unclear", (table["rule"],), counts=PRICE, currency=table["currency"],
            reasons=(Note("downgrade"),),
        )  # fmt: skip
    open_facts: list[str] = []
    triggered = _known(lambda: _triggered(m, incident), open_facts)
    money: tuple[Due, ...] = ()
    if triggered is not False:
        found = _known(lambda: _compensation(m, table, incident), open_facts)
        money = found if found is not None else ()
    excused = m.answers.text("reason_given") in m.law["air"]["outside_reasons"]
    doubtful = excused and bool(money) and m.answers.yes("others_flew")
    if excused and not doubtful:
        money = ()
    refund = _known(lambda: _refund_due(m, incident), open_facts) is not False
    counts = (PRICE if refund else ()) + (("care",) if refund or triggered is not False else ())
    grounds = ((table["rule"],) if money else ()) + ((table["refund_rule"],) if refund else ())
    return Test(
        _verdict(open_facts, doubtful and not refund),
        tuple(dict.fromkeys(grounds)) or (table["rule"],),
        computed=() if doubtful and refund else money,
        counts=counts, currency=table["currency"],
        warnings=_warnings(m, excused, bool(money)),
        missing=(Note("boarding_pass"),) if money else (),
        reasons=_reasons(m, incident, bool(money), refund), open_facts=tuple(open_facts),
    )  # fmt: skip


def _known(ask: Callable[[], ValueT], open_facts: list[str]) -> ValueT | None:
    """The answer; None, and the fact kept, when a fact it reads is not known."""
    try:
        return ask()
    except FactUnknown as unknown:
        if unknown.key not in open_facts:
            open_facts.append(unknown.key)
        return None


def _verdict(open_facts: list[str], doubtful: bool) -> Verdict:
    if open_facts:
        return "needs_info"
    return "unclear" if doubtful else "yes"


def _warnings(m: Matter, excused: bool, money: bool) -> tuple[Note, ...]:
    found = (Note("extraordinary", {"reason": m.answers.text("reason_given")}),) if excused else ()
    return (*found, Note("infants_count")) if money and _infants(m) else found


def _reasons(m: Matter, incident: str, money: bool, refund: bool) -> tuple[Note, ...]:
    said = []
    if money:
        said.append(Note("compensation_due", {"incident": incident}))
    if refund:
        said.append(Note("refund_due"))
    if not said:
        said.append(Note("no_trigger", {"incident": incident}))
    return tuple(said)


def _triggered(m: Matter, incident: str) -> bool:
    """Whether what happened is one of the triggers of compensation."""
    if incident == "delay":
        return _late(m) >= int(m.law["air"]["delay_from"])
    if incident == "denied_boarding":
        return bool(m.answers.need("boarding") == "ready_and_refused")
    notice = m.answers.number("notice_days")
    if notice is not None and notice >= m.law["air"]["notice_days"]:
        return False
    return not _rerouted_closely(m, notice)


def _late(m: Matter) -> int:
    """Minutes late at the last airport. A traveller who did not fly was not late."""
    late = m.answers.number("arrival_delay_min")
    if late is not None:
        return late
    if m.answers.text("travelled") in NOT_MADE and m.answers.absent("arrival_delay_min"):
        return 0
    raise FactUnknown("arrival_delay_min")


def _rerouted_closely(m: Matter, notice: int | None) -> bool:
    """Told in time and taken along so close to plan that nothing is due; unknown counts as not."""
    late = m.answers.number("arrival_delay_min")
    left = 0 if m.answers.absent("left_earlier_min") else m.answers.number("left_earlier_min")
    known = None not in (late, left) and m.answers.text("travelled") == "airline_took_me"
    if not known:
        return False
    assert late is not None and left is not None, "known"
    for line in m.law["air"]["rerouted"]:
        if (notice or 0) >= line["notice_from"]:
            return bool(left <= line["left_earlier_up_to"] and late < line["late_under"])
    return False


def _compensation(m: Matter, table: Any, incident: str) -> tuple[Due, ...]:
    """One line per person, infants too, by the great circle to the last destination."""
    start, end = m.answers.need("from_airport"), m.answers.need("to_airport")
    metres = m.law.airports.metres(start, end)
    band = next(b for b in table["bands"] if _within(metres, b["up_to_km"]))
    amount = int(band["minor"])
    first = table["bands"][0]
    if table["inside_eea_minor"] and not _within(metres, first["up_to_km"]) and _inside(m):
        amount = int(table["inside_eea_minor"])
    late = m.answers.number("arrival_delay_min")
    longest = amount == table["bands"][-1]["minor"]
    if incident == "delay" and longest and _late(m) < table["long_delay_under"]:
        amount = int(table["long_delay_minor"])
    taken = m.answers.text("travelled") == "airline_took_me"
    if incident != "delay" and taken and late is not None and late <= _half_within(table, amount):
        amount //= 2
    people = [str(p.get("who")) for p in m.answers.entries("persons")] or ["claimant"]
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


def _refund_due(m: Matter, incident: str) -> bool:
    """The price back when the trip was not made with the airline (art. 8)."""
    if incident == "delay":
        late = m.answers.number("arrival_delay_min")
        if late is None or late < m.law["air"]["refund_delay_from"]:
            return False
    if incident == "denied_boarding" and m.answers.need("boarding") not in REFUSED_OR_GAVE_UP:
        return False
    if not any(i.get("type") in PRICE for i in m.answers.entries("items")):
        return m.answers.text("travelled") in NOT_MADE
    return m.answers.need("travelled") in NOT_MADE


def _infants(m: Matter) -> bool:
    return any(p.get("age") == "infant" for p in m.answers.entries("persons"))


def _us(m: Matter, incident: str) -> Test:
    """14 CFR 260: money back for a trip not made, no compensation for delay."""
    table = m.law["air"]["us"]
    ends = [country_at(m.answers, m.law, k) for k in ("from_airport", "to_airport")]
    over = table["domestic_over"] if ends == ["US", "US"] else table["international_over"]
    changed = incident == "cancellation" or (
        incident in ("delay", "schedule_change") and int(m.answers.need("arrival_delay_min")) > over
    )
    credit = any(
        o.get("state") == "accepted" and o.get("form") in CREDIT
        for o in m.answers.entries("offers")
    )
    due = changed and not credit and m.answers.need("travelled") in NOT_MADE
    return Test(
        "yes" if due else "no", (table["rule"],), counts=("price", "fee") if due else (),
        warnings=(Note("us_no_compensation"),),
        reasons=(Note("refund_due") if due else Note("no_trigger", {"incident": incident}),),
    )  # fmt: skip


def fees(m: Matter) -> Test:
    proved = m.answers.yes("proof_of_entitlement")
    return Test(
        "yes" if proved else "needs_info", m.grounds("air_fees"),
        reasons=(Note("charged_twice" if proved else "entitlement_not_shown"),),
        missing=() if proved else (Note("proof_of_entitlement"),),
    )  # fmt: skip


def baggage(m: Matter) -> Test:
    """Montreal art. 31: a written report in time; a bag that is still away needs none of it yet."""
    verdict = _baggage(m)
    return Test(verdict, m.grounds("air_baggage"), counts=_with_loss(m.law), reasons=(
        Note(f"baggage_{verdict}"),
    ))  # fmt: skip


def _with_loss(law: LawBook) -> tuple[str, ...]:
    return tuple(law["counted"])


def _baggage(m: Matter) -> Any:
    if m.answers.never("bag_written_report_on"):
        return "needs_info"
    reported = m.answers.day("bag_written_report_on")
    if reported is None:
        raise FactUnknown("bag_written_report_on")
    problem = m.answers.need("bag_problem")
    if problem == "lost" or m.answers.need("bag_back_on") == NONE:
        return "yes"
    back = m.answers.day("bag_back_on")
    assert back is not None, "known and not none"
    table = m.law["baggage"]
    days = table["damaged_days"] if problem == "damaged" else table["late_days"]
    return "yes" if reported <= back + timedelta(days=days) else "unclear"
