"""What the consumer and the handler should know besides the verdict."""

from __future__ import annotations

from datetime import timedelta

from app.domain.eligibility.bodies import closes_on, group_of
from app.domain.eligibility.facts import UNKNOWN, Answers
from app.domain.eligibility.finding import Note, Verdict
from app.domain.eligibility.items import minor
from app.domain.eligibility.lawbook import Matter
from app.domain.eligibility.limits import event_of, last_day, shorter_in_part


def warnings_of(
    m: Matter, eligible: Verdict, total: int, currency: str | None, body: str | None
) -> tuple[Note, ...]:
    """In the order in which they press."""
    found = [*_care(m.answers), *_clocks(m, body), *_other_money(m.answers)]
    if eligible != "no":
        found += [*_company(m), *_other_ways(m, total, currency), *_body(m, body, total, currency)]
        small = m.law["small_minor"].get(currency or "")
        if small is not None and 0 < total < small:
            found.append(Note("small_sum_pack"))
    if currency is not None and m.law["decimals"].get(currency) == 0:
        found.append(Note("no_minor_unit", {"currency": currency}))
    return tuple(found)


def missing_papers(m: Matter) -> tuple[Note, ...]:
    """Papers that a later step will ask for."""
    found = []
    if m.answers.never("first_written_complaint"):
        found.append(Note("written_complaint"))
    if m.answers.text("guardian_consent") in ("none", "will_sign"):
        found.append(Note("guardian_consent"))
    acting = m.answers.text("acting_for") in ("living_person", "estate")
    if acting and m.answers.text("authority") != "sent":
        found.append(Note("authority"))
    if len(m.answers.entries("persons")) > 1:
        found.append(Note("mandates_of_all"))
    return tuple(found)


def _care(answers: Answers) -> list[Note]:
    needs = [str(n) for n in answers.listed("support_needs") if n != UNKNOWN]
    found = [Note("support_needs", {"needs": ", ".join(needs)})] if needs else []
    if answers.text("guardian_consent") in ("none", "will_sign"):
        found.append(Note("minor_claimant"))
    if answers.text("acting_for") == "living_person":
        found.append(Note("proxy_acts"))
    if answers.text("payer") == "other_person":
        found.append(Note("payer_may_claim"))
    return found


def _clocks(m: Matter, body: str | None) -> list[Note]:
    """Ends within a season: time limits, the body's own limit, an offer that lapses."""
    soon = m.today + timedelta(days=m.law["warn_days"])
    found = []
    end = last_day(m)
    if end is not None and end < m.today:
        found.append(Note("time_barred_since", {"on": str(end)}))
    elif end is not None and end <= soon:
        found.append(Note("limitation_near", {"on": str(end)}))
    part = shorter_in_part(m)
    if part is not None and part[1] <= soon and (end is None or end >= m.today):
        found.append(Note("shorter_in_part", {"part": part[0], "on": str(part[1])}))
    event = "bill_date" if _by_the_bill(m) else m.law["event_of"].get(m.answers.kind)
    if event and event_of(m.answers, event) is None:
        found.append(Note("event_unknown"))
    closes = closes_on(m, body) if body else None
    if closes is not None:
        code = "body_until_soon" if closes <= soon else "body_until"
        found.append(Note(code, {"body": str(body), "on": str(closes)}))
    for offer in m.answers.entries("offers"):
        if offer.get("state") == "open":
            found.append(Note("open_offer", {"until": str(offer.get("until", "unknown"))}))
    return found


def _by_the_bill(m: Matter) -> bool:
    """Whether the time runs from the bill and not from the treatment."""
    return m.answers.kind == "healthcare_billing" and m.country == "US"


def _company(m: Matter) -> list[Note]:
    a = m.answers
    found = []
    days = a.number("direct_first_days")
    if days:
        found.append(Note("direct_first", {"days": str(days)}))
    if a.never("first_written_complaint"):
        found.append(Note("no_written_complaint"))
    if a.text("insolvency") == "opened":
        found.append(Note("insolvency_file_by", {"on": str(a.day("insolvency_file_by") or "?")}))
    if a.text("insolvency") == "closed_down":
        found.append(Note("company_closed"))
    if a.text("collection") in ("threatened", "running"):
        found.append(Note("collector", {"on": str(a.day("collection_by") or "unknown")}))
    return found


def _other_money(answers: Answers) -> list[Note]:
    """Others who work on it, and money that came."""
    found = [
        Note("parallel_route", {"route": str(r["route"])})
        for r in answers.entries("other_routes")
        if r.get("state") in ("running", "won")
    ]
    if any(r.get("final") is False for r in answers.entries("money_received")):
        found.append(Note("money_may_be_taken_back"))
    return found


def _other_ways(m: Matter, total: int, currency: str | None) -> list[Note]:
    a = m.answers
    found = []
    rule = m.law["section_75"]
    if a.text("residence") == rule["residence"] and a.text("payment_method") == rule["method"]:
        price = a.get("single_item_price")
        dearest = minor(price, m.law) if isinstance(price, dict) else (total, currency or "")
        if dearest[1] != rule["currency"] or dearest[0] > rule["over_minor"]:
            found.append(Note("section_75"))
    if a.text("payment_method") == "direct_debit":
        found.append(Note("direct_debit_back"))
    if a.text("payment_method") in ("credit_card", "debit_card"):
        found.append(Note("card_dispute"))
    return found


def _body(m: Matter, body: str | None, total: int, currency: str | None) -> list[Note]:
    if body is None:
        return []
    found = []
    first = m.law["first_body"].get(body)
    if first:
        found.append(Note("body_first", {"first": str(first), "body": body}))
    if m.country in m.law["mediator_before_court"]:
        found.append(Note("mediator_before_court"))
    others = m.law["membership"].get(group_of(m), {}).get(body)
    if others:
        found.append(Note("membership", {"body": body, "other": ", ".join(others)}))
    tier = m.law["tiers"].get(body)
    if tier and currency == tier["currency"] and total <= tier["to_minor"]:
        found.append(Note("body_tier", {"body": body}))
    return found
