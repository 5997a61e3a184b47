"""Packages, stays, trains and buses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from app.domain.counting import Period, plus
from app.domain.eligibility.finding import Due, Note, Test, Verdict
from app.domain.eligibility.items import NAMED_APART, known, minor, own_items, share
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
    told = m.answers.text("told_on_the_spot")
    verdict: Verdict = "needs_info"
    if told:
        verdict = "unclear" if told == "no" else "yes"
    return Test(
        verdict, grounds, counts=(*m.law["counted"], *NAMED_APART), reasons=reasons,
        open_facts=() if told else ("told_on_the_spot",),
    )  # fmt: skip


def hotel(m: Matter) -> Test:
    grounds = m.grounds("hotel")
    m.sure()
    known = m.country in m.law["playbook_countries"] or m.law.in_eu(m.country)
    verdict, why = _hotel(m) if known else ("unclear", "no_playbook")
    return Test(verdict, grounds, reasons=(Note(why),), warnings=(Note("no_withdrawal_right"),))


def _hotel(m: Matter) -> tuple[Verdict, str]:
    a = m.answers
    who = a.need("who_cancelled")
    if who == "house":
        return "yes", "house_cancelled"
    if who == "nobody":
        return "unclear", "nobody_cancelled"
    if a.need("rate") == "free_cancellation":
        if a.need("refusal_reason") == "counts_the_term_differently":
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
    grounds = m.grounds("rail")
    m.answers.need("legs")
    due: list[Due] = []
    doubts: dict[str, None] = {}
    asked: dict[str, None] = {}
    for leg in m.answers.listed("legs"):
        _leg(m, leg, due, doubts, asked)
    verdict: Verdict = "yes" if due else "no"
    if asked or doubts:
        verdict = "needs_info" if asked else "unclear"
    fare = m.answers.get("fare")
    reasons = [Note("fact_unknown", {"fact": fact}) for fact in asked]
    reasons += [Note(doubt) for doubt in doubts]
    return Test(
        verdict, grounds, computed=tuple(due), counts=(),
        currency=str(fare["currency"]) if fare else None,
        reasons=tuple(reasons) or (Note("trains_late" if due else "trains_in_time"),),
        open_facts=tuple(asked), open_sum=bool(asked or doubts),
    )  # fmt: skip


def _leg(
    m: Matter, leg: Any, due: list[Due], doubts: dict[str, None], asked: dict[str, None]
) -> None:
    """What one leg adds: a sum, a doubt or a question."""
    table, a = m.law["rail"], m.answers
    if not isinstance(leg, Mapping):
        asked["legs"] = None
        return
    if leg.get("reason") in table["outside_reasons"]:
        return
    late = leg.get("delay_min")
    if not known(late):
        asked["legs"] = None
        return
    percent = max((s["percent"] for s in table["steps"] if late >= s["from_minutes"]), default=0)
    if not percent:
        if m.country == "GB" and late >= table["gb"]["from_minutes"]:
            doubts["operators_own_scheme"] = None
        return
    fare, covers = a.get("fare"), a.text("fare_covers")
    asked |= {k: None for k, v in (("fare", fare), ("fare_covers", covers)) if not v}
    if fare and covers:
        whole, currency = minor(fare, m.law)
        sum_minor = share(whole, percent, of=2 if covers == "return" else 1)
        due.append(Due(f"{percent} % of the fare of {leg.get('date')}", sum_minor, currency))
    day = event_day(leg.get("date"))
    terms = [("told_late", Period(table["told_months"], "months"))]
    if m.country == "GB":
        terms.append(("operators_own_scheme", Period(table["gb"]["told_days"], "days")))
    for word, term in terms:
        _judge_told(m, day, "legs", term, word, doubts, asked)


def _judge_told(
    m: Matter, day: date | None, key: str, term: Period, word: str,
    doubts: dict[str, None], asked: dict[str, None],
) -> None:  # fmt: skip
    """Whether the company was told within `term` of the day; not told yet means today."""
    told = m.answers.told_on
    if told is None and m.answers.never("first_written_complaint"):
        told = m.today
    if day is None:
        asked[key] = None
    elif told is None and m.today > plus(day, term):
        asked["first_written_complaint"] = None
    elif told is not None and told > plus(day, term):
        doubts[word] = None


def bus(m: Matter) -> Test:
    """Reg. 181/2011 art. 19: the price, and half of it again where no choice was offered."""
    table, a = m.law["bus"], m.answers
    grounds = m.grounds("bus")
    km, late = a.number("distance_km"), a.number("departure_delay_min")
    incident = a.text("incident")
    if km is not None and km < table["km_from"]:
        return Test("no", grounds, counts=(), reasons=(Note("short_route"),))
    if incident == "late_departure" and late is not None and late <= table["late_over"]:
        return Test("no", grounds, counts=(), reasons=(Note("bus_in_time"),))
    needed = {
        "distance_km": km,
        "incident": incident or None,
        "choice_offered": a.get("choice_offered"),
    }
    if incident == "late_departure":
        needed["departure_delay_min"] = late
    asked: dict[str, None] = {key: None for key, value in needed.items() if value is None}
    doubts: dict[str, None] = {}
    term = Period(table["told_months"], "months")
    _judge_told(m, a.day("trip_date"), "trip_date", term, "told_late", doubts, asked)
    prices = [i for i in own_items(a) if i.get("type") == "price"]
    reasons = [Note("fact_unknown", {"fact": fact}) for fact in asked]
    reasons += [Note(doubt) for doubt in doubts]
    return Test(
        "needs_info" if asked else "unclear" if doubts else "yes", grounds,
        computed=_bus_sums(m, prices), counts=(), open_facts=tuple(asked),
        open_sum=any(not known(i.get("amount")) for i in prices),
        reasons=tuple(reasons) or (Note("bus_failed", {"incident": incident}),),
    )  # fmt: skip


def _bus_sums(m: Matter, prices: Sequence[Mapping[str, Any]]) -> tuple[Due, ...]:
    """Each price, and the share of it that is owed on top as an item of its own."""
    lines: list[Due] = []
    for item in prices:
        if not known(item.get("amount")):
            continue
        sum_minor, currency = minor(item["amount"], m.law)
        lines.append(Due(str(item["what"]), sum_minor, currency))
        if m.answers.no("choice_offered"):
            extra = share(sum_minor, m.law["bus"]["extra_percent"])
            lines.append(Due(f"{item['what']}: no choice offered", extra, currency))
    return tuple(lines)
