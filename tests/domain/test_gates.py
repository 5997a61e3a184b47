"""The gates before acceptance: what closes each, by which rule, and what opens it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from app.domain.case import Stage
from app.domain.gates import (
    Gate,
    GateFacts,
    GateState,
    Licence,
    Opponent,
    OtherRoute,
    gates,
    mandate_level,
)
from app.gates.licences import endings, printed_licence
from app.gates.rules import gate_rules
from app.playbooks import book

TODAY = date(2026, 12, 1)
DEMAND = frozenset({"advise", "demand"})
CARRIER = Opponent("confirmed", "business", "612001", "operating_carrier")
OWN = Licence("Register", "FI-1", "FI", DEMAND)


def facts(place: str = "FI", kind: str = "air", **changes: object) -> GateFacts:
    playbook = book.choose(claim_kind=kind, jurisdiction=place, on=TODAY)
    found = GateFacts(
        today=TODAY, place=place, claim_kind=kind, currency="EUR",
        playbook=playbook, bodies=playbook.bodies, opponent=CARRIER,
        licences=(OWN,), routes=(), told_on=date(2026, 9, 1),
    )  # fmt: skip
    return replace(found, **changes)  # type: ignore[arg-type]  # the changes a test names


def one(name: str, found: GateFacts) -> Gate:
    return next(gate for gate in gates(found, gate_rules()) if gate.name == name)


def test_an_ordinary_case_meets_open_gates_only() -> None:
    standing = gates(facts(), gate_rules())
    assert {gate.state for gate in standing} == {GateState.OPEN}
    assert one("licence", facts()).rule == "agent.fi.registration"


@pytest.mark.parametrize(
    ("licence", "why"),
    [
        (None, "licence_missing"),
        (replace(OWN, country="SE"), "licence_missing"),
        (replace(OWN, claim_kinds=frozenset({"hotel"})), "licence_missing"),
        (replace(OWN, may=frozenset({"advise"})), "licence_too_narrow"),
        (replace(OWN, valid_until=TODAY - timedelta(days=1)), "licence_ended"),
        (replace(OWN, valid_from=TODAY + timedelta(days=9)), "licence_not_begun"),
    ],
)
def test_without_a_licence_that_is_valid_and_wide_enough_no_money_is_demanded(
    licence: Licence | None, why: str
) -> None:
    gate = one("licence", facts(licences=(licence,) if licence else ()))
    assert (gate.state, gate.why, gate.lifted_by) == (GateState.CLOSED, why, ("legal",))
    assert gate.opens_on == (licence.valid_from if why == "licence_not_begun" and licence else None)


def test_a_licence_holds_through_its_last_day() -> None:
    last = replace(OWN, valid_from=TODAY, valid_until=TODAY)
    assert one("licence", facts(licences=(last,))).state is GateState.OPEN


@pytest.mark.parametrize(
    ("until", "state"),
    [(None, "closed"), (TODAY - timedelta(days=1), "closed"), (TODAY, "open")],
)
def test_french_law_asks_for_liability_cover(until: date | None, state: str) -> None:
    held = replace(OWN, country="FR", insured_until=until)
    gate = one("licence", facts("FR", licences=(held,)))
    assert (gate.state, gate.rule) == (state, "agent.fr.recouvrement")


def test_where_the_law_asks_for_none_the_gate_is_open_and_where_it_is_unknown_closed() -> None:
    assert one("licence", facts("GB", licences=())).why == "licence_not_needed"
    bank = facts("GB", "unauthorised_payment", licences=())
    assert one("licence", bank).why == "licence_missing"
    abroad = one("licence", facts("ES", licences=()))
    assert (abroad.state, abroad.why) == (GateState.CLOSED, "licence_unknown")
    opinion = replace(OWN, country="ES")
    assert one("licence", facts("ES", licences=(opinion,))).state is GateState.OPEN


def test_a_private_person_is_never_claimed_from() -> None:
    neighbour = replace(CARRIER, kind="private_person")
    gate = one("private_person", facts(opponent=neighbour))
    assert (gate.state, gate.lifted_by) == (GateState.CLOSED, ())


@pytest.mark.parametrize(
    "opponent",
    [
        replace(CARRIER, status="candidate"),
        replace(CARRIER, register_number=None),
        replace(CARRIER, kind=None),
        replace(CARRIER, status="closed"),
    ],
)
def test_the_opponent_is_looked_up_first(opponent: Opponent) -> None:
    assert one("opponent", facts(opponent=opponent)).state is GateState.CLOSED


def test_a_delay_is_claimed_from_who_flew() -> None:
    assert one("role", facts(opponent=replace(CARRIER, role=None))).state is GateState.ASKS
    agency = replace(CARRIER, role="intermediary")
    gate = one("role", facts(opponent=agency))
    assert (gate.state, gate.params["roles"]) == (GateState.CLOSED, "operating_carrier")
    shop = facts(kind="online_purchase", opponent=replace(CARRIER, role="contract_party"))
    assert one("role", shop).state is GateState.OPEN


def test_what_another_holds_is_released_in_writing_first() -> None:
    held = (OtherRoute("other_agency", "running"), OtherRoute("chargeback", "running"))
    found = facts(routes=held)
    assert one("elsewhere.other_agency", found).state is GateState.CLOSED
    assert one("elsewhere.chargeback", found).state is GateState.ASKS
    freed = replace(found, released=frozenset({"other_agency"}))
    assert one("elsewhere.other_agency", freed).why == "elsewhere_released"
    assert one("elsewhere", facts(routes=None)).state is GateState.ASKS
    harmless = facts(routes=(OtherRoute("police", "running"), OtherRoute("insurer", "lost")))
    assert not [g for g in gates(harmless, gate_rules()) if g.name.startswith("elsewhere")]


def test_declarations_come_before_money() -> None:
    parcel = facts(kind="online_not_delivered", declared=frozenset({"extra_time_until"}))
    assert one("declaration.extra_time", parcel).state is GateState.OPEN
    missing = one("declaration.termination", parcel)
    assert (missing.state, missing.rule) == (GateState.ASKS, "online.eu.non_delivery")
    broken = facts(kind="online_defective")
    assert one("declaration.notice_of_defect", broken).state is GateState.OPEN
    silent = replace(broken, told_on=None)
    assert one("declaration.notice_of_defect", silent).state is GateState.ASKS


@pytest.mark.parametrize(
    ("told", "entry", "state", "opens"),
    [
        (None, Stage.CONTACT, "open", None),
        (None, Stage.FORMAL_NOTICE, "closed", None),
        (TODAY - timedelta(days=27), Stage.REMINDER, "closed", TODAY + timedelta(days=1)),
        (TODAY - timedelta(days=28), Stage.REMINDER, "open", None),
    ],
)
def test_some_companies_hear_the_consumer_first(
    told: date | None, entry: Stage, state: str, opens: date | None
) -> None:
    strict = replace(CARRIER, direct_first_days=28)
    gate = one("direct_first", facts(opponent=strict, told_on=told, entry=entry))
    assert (gate.state, gate.opens_on) == (state, opens)


def test_a_body_is_entered_when_it_is_open() -> None:
    early = facts("SE", body_opens=TODAY + timedelta(days=3), entry=Stage.COMPLAINT)
    gate = one("forum", early)
    assert (gate.state, gate.opens_on) == (GateState.CLOSED, TODAY + timedelta(days=3))
    assert one("forum", replace(early, entry=Stage.CONTACT)).state is GateState.OPEN
    over = replace(early, body_opens=TODAY, body_closes=TODAY - timedelta(days=1))
    assert one("forum", over).why == "forum_over"
    assert one("forum", replace(over, body_closes=TODAY)).state is GateState.OPEN
    untold = replace(early, told_on=None)
    assert one("forum", untold).why == "forum_no_complaint"


def test_the_strongest_signature_asked_for_counts() -> None:
    playbook = facts().playbook
    assert mandate_level(playbook, (), None) == "typed"
    assert mandate_level(playbook, (), "wet_ink") == "wet_ink"
    bank = book.choose(claim_kind="unauthorised_payment", jurisdiction="GB", on=TODAY)
    ours = tuple(b for b in bank.bodies if b.may_agency_file)
    wanted = "drawn" if ours else "typed"
    assert mandate_level(bank, bank.bodies, "typed") == wanted


def test_a_currency_without_a_rail_stops_no_case() -> None:
    gate = one("payout_rail", facts(currency="SEK"))
    assert (gate.state, gate.why) == (GateState.OPEN, "rail_none")


@pytest.mark.parametrize(
    ("days", "band"), [(91, None), (90, 90), (31, 90), (30, 30), (7, 7), (1, 7), (0, 0), (-3, 0)]
)
def test_the_end_of_a_licence_and_of_its_cover_is_seen_in_time(days: int, band: int | None) -> None:
    last = (TODAY + timedelta(days=days)).isoformat()
    cover = {"name": "Cover Ltd", "policy_number": "1", "valid_until": last}
    profile = {
        "licences": [
            {"name": "Register", "number": "FI-1", "country": "FI", "may": ["demand"],
             "valid_until": last},
            {"name": "Paper", "number": "FR-1", "country": "FR", "may": ["demand"],
             "insurer": cover},
        ]
    }  # fmt: skip
    found = [(one.number, one.what, one.band) for one in endings(profile, TODAY)]
    told = [("FI-1", "licence", band), ("FR-1", "cover", band)]
    assert found == (told if band is not None else [])


def test_a_letter_prints_the_title_of_the_place_else_of_our_seat() -> None:
    held = {"may": ["demand"], "name": "Register", "number": "1"}
    profile = {"country": "FI", "licences": [held | {"country": c} for c in ("FI", "SE")]}
    profile["licences"][1]["number"] = "2"  # type: ignore[index]  # the Swedish one
    assert printed_licence(profile, "SE", TODAY) == "Register, 2"
    assert printed_licence(profile, "US-CA", TODAY) == "Register, 1"
    assert printed_licence({"country": "FI"}, "FI", TODAY) is None
