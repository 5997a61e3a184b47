"""Packages, stays, trains and buses."""

from __future__ import annotations

from datetime import date, timedelta

from app.domain.counting import Period, plus
from app.domain.eligibility.facts import FactUnknown
from app.domain.eligibility.finding import Due, Note, Test, Verdict
from app.domain.eligibility.items import minor, percent
from app.domain.eligibility.kinds.contracts import event_day
from app.domain.eligibility.lawbook import Matter


def package(m: Matter) -> Test:
    problem = m.answers.need("trip_problem")
    grounds = m.grounds("package_travel")
    reasons = (Note("package", {"problem": problem}),)
    if problem in ("organiser_cancelled", "i_cancelled_danger_there"):
        return Test("yes", grounds, reasons=reasons)
    if problem == "i_cancelled_other":
        return Test("no", grounds, reasons=reasons)
    told = m.answers.need("told_on_the_spot") != "no"
    counts = tuple(m.law["counted"])
    if problem == "not_as_promised":
        counts += ("loss", "care")
    return Test("yes" if told else "unclear", grounds, counts=counts, reasons=reasons)


def hotel(m: Matter) -> Test:
    verdict, why = _hotel(m)
    country = m.jurisdiction.partition("-")[0]
    if country not in m.law["playbook_countries"] and not m.law.in_eu(country):
        verdict, why = "unclear", "no_playbook"
    return Test(
        verdict, m.grounds("hotel"), reasons=(Note(why),), warnings=(Note("no_withdrawal_right"),)
    )


def _hotel(m: Matter) -> tuple[Verdict, str]:
    a = m.answers
    who = a.need("who_cancelled")
    if who == "house":
        return "yes", "house_cancelled"
    if who == "nobody":
        return "unclear", "nobody_cancelled"
    if a.need("rate") == "free_cancellation":
        if a.text("refusal_reason") == "counts_the_term_differently":
            return "unclear", "term_counted_in_two_ways"
        # With their zones: nine in Tokyo is not nine in London.
        in_time = a.instant("cancelled_at") <= a.instant("cancel_by")
        return ("yes", "cancelled_in_time") if in_time else ("no", "cancelled_late")
    if a.yes("room_sold_again") or a.yes("unused_extras"):
        return "unclear", "saved_something"
    a.need("room_sold_again")
    a.need("unused_extras")
    return "no", "non_refundable"


def rail(m: Matter) -> Test:
    """Reg. 2021/782 art. 19: a share of the fare of each leg that came an hour late."""
    table = m.law["rail"]
    fare, currency = minor(m.answers.need("fare"), m.law)
    halves = m.answers.need("fare_covers") == "return"
    legs = m.answers.need("legs")
    grounds = m.grounds("rail")
    due: list[Due] = []
    doubts: list[str] = []
    for leg in legs:
        late = leg.get("delay_min")
        if late in (None, "unknown"):
            raise FactUnknown("legs")
        if leg.get("reason") in table["outside_reasons"]:
            continue
        share = max((s["percent"] for s in table["steps"] if late >= s["from_minutes"]), default=0)
        if share:
            base = percent(fare, 50) if halves else fare
            due.append(Due(f"late train {leg.get('date')}", percent(base, share), currency))
            doubts += _late_word(m, event_day(leg.get("date")))
        elif m.jurisdiction == "GB" and late >= table["gb"]["from_minutes"]:
            doubts.append("operators_own_scheme")
    if not due and not doubts:
        return Test("no", grounds, currency=currency, counts=(), reasons=(Note("trains_in_time"),))
    return Test(
        "unclear" if doubts else "yes", grounds, computed=tuple(due), counts=(),
        currency=currency, reasons=tuple(Note(d) for d in dict.fromkeys(doubts)) or (
            Note("trains_late"),
        ),
    )  # fmt: skip


def _late_word(m: Matter, day: date | None) -> list[str]:
    """Told more than three months after the leg (GB 28 days): a person decides."""
    told = m.answers.told_on or (m.today if m.answers.never("first_written_complaint") else None)
    if day is None or told is None:
        return []
    if m.jurisdiction == "GB" and told > day + timedelta(days=m.law["rail"]["gb"]["told_days"]):
        return ["operators_own_scheme"]
    late = told > plus(day, Period(m.law["rail"]["told_months"], "months"))
    return ["told_late"] if late else []


def bus(m: Matter) -> Test:
    """Reg. 181/2011 art. 19: the price, and half of it again where no choice was offered."""
    table, a = m.law["bus"], m.answers
    grounds = m.grounds("bus")
    if int(a.need("distance_km")) < table["km_from"]:
        return Test("no", grounds, reasons=(Note("short_route"),))
    incident = a.need("incident")
    if incident == "late_departure" and int(a.need("departure_delay_min")) <= table["late_over"]:
        return Test("no", grounds, reasons=(Note("bus_in_time"),))
    computed: list[Due] = []
    no_choice = a.need("choice_offered") is False
    for item in a.entries("items"):
        if item.get("type") == "price" and item.get("amount") not in (None, "unknown"):
            sum_minor, currency = minor(item["amount"], m.law)
            computed.append(Due(str(item["what"]), sum_minor, currency))
            if no_choice:
                extra = percent(sum_minor, table["extra_percent"])
                computed.append(Due(f"{item['what']}: no choice offered", extra, currency))
    day = a.day("trip_date")
    told = a.told_on or (m.today if a.never("first_written_complaint") else None)
    late = (
        day is not None
        and told is not None
        and told > plus(day, Period(table["told_months"], "months"))
    )
    return Test(
        "unclear" if late else "yes", grounds, computed=tuple(computed), counts=(),
        reasons=(Note("told_late" if late else "bus_failed", {"incident": incident}),),
    )  # fmt: skip
