"""Playbook files: the built-in ones hold together, bad ones are refused with file, line and why."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from app.domain.case import LADDER, Stage
from app.domain.counting import Period
from app.domain.errors import NotFound
from app.domain.playbook import Body, Playbook
from app.law import reference
from app.playbooks import book, loader
from app.playbooks.schema import file_schema
from app.playbooks.telling import differences, explain

DAY = date(2026, 11, 21)
COUNTRIES = ("FI", "FR", "DE", "GB", "SE", "US")
BUILT_IN = loader.texts_of(loader.DATA)
BASE = BUILT_IN["fi/base.yaml"]
AIR = BUILT_IN["fi/air.yaml"]
BESIDE = {name: text for name, text in BUILT_IN.items() if name.startswith("fi/")}


def chosen(kind: str, where: str) -> Playbook:
    return book.choose(claim_kind=kind, jurisdiction=where, on=DAY)


def body(key: str, name: str) -> Body:
    return next(b for b in book.get(key).bodies if b.id == name)


def faults(text: str, name: str = "mine.yaml") -> list[str]:
    """What is wrong with a file put in the place of the built-in one of its key."""
    return loader.check({name: text}, beside=BESIDE)[1]


def line(text: str, part: str) -> int:
    return next(n for n, row in enumerate(text.splitlines(), 1) if part in row)


# --- the built-in ones -----------------------------------------------------------------------


@pytest.mark.parametrize("place", [*COUNTRIES, "IT"])
def test_each_place_has_a_playbook_of_its_own_for_every_claim_kind(place: str) -> None:
    where = place if place in COUNTRIES else "EU"
    for kind in reference.claim_kinds():
        found = chosen(kind, place)
        assert (found.jurisdiction, kind in found.claim_kinds) == (where, True)
        assert tuple(s.stage for s in found.ladder) == LADDER


def test_the_most_exact_playbook_wins_and_the_generic_one_catches_the_rest() -> None:
    assert chosen("air", "US-CA").key == "house.us.air@1"
    assert chosen("hotel", "DK").key == "house.eu.lodging@1"
    assert chosen("hotel", "JP").key == book.GENERIC


@pytest.mark.parametrize(
    ("kind", "where", "key", "letter", "channels"),
    [
        ("online_return", "US-MA", "house.us.ma.retail@1", "us.ma.93a", ("post", "email")),
        ("food_delivery", "US-CA", "house.us.ca.food@1", "us.ca.clra", ("post",)),
        ("services", "US-NY", "house.us.services@1", "us.demand_letter", ("post", "email")),
        ("air", "US-MA", "house.us.air@1", "us.demand_letter", ("post", "email")),
        ("unauthorised_payment", "US-CA", "house.us.payments@1", "us.demand_letter",
         ("post", "email")),
    ],
)  # fmt: skip
def test_a_state_sends_the_notice_its_law_asks_for_and_others_fall_back(
    kind: str, where: str, key: str, letter: str, channels: tuple[str, ...]
) -> None:
    found = chosen(kind, where)
    step = found.step_for(Stage.FORMAL_NOTICE)
    assert (found.key, step.letter_id, step.channels) == (key, letter, channels)
    assert step.wait == Period(30, "days")
    assert step.whose == ("ours" if letter == "us.demand_letter" else "law")


def test_the_state_is_told_by_the_place_of_the_answers_alone() -> None:
    assert book.place_of_law("US", {"place": "US-CA"}) == "US-CA"
    for answers in ({}, {"place": "US"}, {"place": "unknown"}, {"place": "FI"}, {"place": 7},
                    {"residence": "US-CA"}):  # fmt: skip
        assert book.place_of_law("US", answers) == "US"


def test_a_pinned_playbook_that_does_not_exist_is_not_replaced_by_another() -> None:
    with pytest.raises(NotFound):
        book.get("house.fi@99")


def test_no_playbook_is_in_force_before_its_first_day() -> None:
    with pytest.raises(NotFound):
        book.choose(claim_kind="air", jurisdiction="FI", on=date(2025, 12, 31))


def test_the_draft_of_the_air_reform_loads_and_is_never_chosen() -> None:
    draft = book.get("house.eu.air@2")
    assert (draft.draft, draft.effective_from) == (True, None)
    far = book.choose(claim_kind="air", jurisdiction="IT", on=date(2035, 1, 1))
    assert far.key == "house.eu.air@1"


def test_a_complaint_is_approved_by_a_senior_in_every_playbook() -> None:
    for playbook in book.playbooks().values():
        assert playbook.step_for(Stage.COMPLAINT).approval == "senior"


def test_family_files_repeat_nothing_of_their_base() -> None:
    for name, text in BUILT_IN.items():
        if "extends:" in text:
            assert "stop_below:" not in text, name
            # Only a part of a country has a step of its own: the notice of its law.
            steps = yaml.safe_load(text).get("ladder", [])
            assert not steps or ("jurisdiction:" in text and len(steps) == 1), name


def test_the_body_that_the_routing_names_stands_in_the_chain() -> None:
    law = reference.routing()
    for kind, group in law["body_of_kind"].items():
        for place in COUNTRIES:
            named = law["bodies"][group].get(place)
            chain = [b.id for b in chosen(kind, place).bodies]
            assert (named in chain) if named else not chain, (kind, place)
    for place, named in law["bodies"]["home"].items():
        assert named in [b.id for b in chosen("online_purchase", place).bodies]


def test_the_stop_line_is_that_below_which_the_intake_offers_the_free_pack() -> None:
    for playbook in book.playbooks().values():
        assert dict(playbook.stop_below_minor) == reference.routing()["small_minor"]


def test_a_body_bears_one_name_in_all_playbooks() -> None:
    names: dict[str, str] = {}
    for playbook in book.playbooks().values():
        for one in playbook.bodies:
            assert names.setdefault(one.id, one.name) == one.name


def test_every_period_to_pay_that_the_law_gives_in_figures_is_used() -> None:
    for playbook in book.playbooks().values():
        used = {(p.claim_kind, p.rule) for p in playbook.payment_periods}
        for rule in playbook.grounds:
            record = reference.claim_rules()[rule]
            said, kind = record.get("debtor_pays_within"), record["claim_kind"]
            if kind in playbook.claim_kinds and isinstance(said, dict) and "value" in said:
                assert (kind, rule) in used, playbook.key


# --- what the records say -------------------------------------------------------------------


def test_the_statutory_period_to_pay_is_read_from_the_rule() -> None:
    bank = book.get("house.fr.payments@1").payment_period("unauthorised_payment")
    assert bank is not None and bank.wait == Period(1, "working_days")
    assert book.get("house.fi.retail@1").payment_period("online_purchase") is None


def test_a_refund_of_a_flight_has_its_seven_days_and_a_compensation_none() -> None:
    air = book.get("house.de.air@1")
    refund = air.payment_period("air", {"price"})
    assert refund is not None and refund.wait == Period(7, "days")
    assert air.payment_period("air", {"price", "compensation"}) is None
    assert air.payment_period("air") is None


def test_wait_limit_language_and_address_of_a_body_come_from_its_record() -> None:
    mtv = body("house.fr.air@1", "fr.mtv")
    assert (mtv.opens_after, mtv.opens_on_refusal) == (Period(2, "months"), True)
    assert (mtv.closes_after, mtv.closes_from) == (Period(1, "years"), "complaint")
    assert (mtv.languages, mtv.wait) == (("fr",), Period(90, "days"))
    assert mtv.may_agency_file and mtv.address[-1] == "75 823 Paris Cedex 17"


def test_the_body_of_the_record_before_another_comes_before_it() -> None:
    chain = [b.id for b in book.get("house.fi@1").bodies]
    assert chain == ["fi.consumer_advice", "fi.kril"]
    assert body("house.fi@1", "fi.kril").needs_body == "fi.consumer_advice"


def test_floors_ceilings_and_fees_are_in_minor_units_with_their_currency() -> None:
    arn = body("house.se.air@1", "se.arn")
    assert (arn.min_amount_minor, arn.amount_currency) == (50_000, "SEK")
    assert arn.fee is not None and (arn.fee.minor, arn.fee.currency) == (15_000, "SEK")
    fos = body("house.gb.payments@1", "gb.fos").fee
    assert fos is not None and (fos.minor, fos.back_minor) == (25_000, 17_500)
    assert body("house.de@1", "de.universalschlichtungsstelle").max_amount_minor == 5_000_000


def test_a_shorter_wait_since_a_day_keeps_the_longer_one_for_complaints_before_it() -> None:
    ombudsman = body("house.gb.utilities@1", "gb.communications_ombudsman")
    assert ombudsman.opens_after == Period(6, "weeks")
    assert ombudsman.earlier_wait == (date(2026, 4, 8), Period(8, "weeks"))


def test_limitation_follows_the_routing_and_names_who_may_move_it() -> None:
    german = book.get("house.de@1").limitation("hotel")
    assert german is not None and (german.period, german.to_year_end) == (Period(3, "years"), True)
    assert book.get("house.us@1").limitations[0][1].period is None
    swedish = book.get("house.se.air@1").limitation("air")
    assert swedish is not None and swedish.period == Period(3, "years")
    assert swedish.acts == ()  # sources disagree on the three years: a person decides
    demand = next(a for a in book.get("house.se@1").limitations[0][1].acts if "agency" in a.by)
    assert (demand.id, demand.effect) == ("written_reminder", "interrupts")
    reminder = next(a for a in book.get("house.fi@1").limitations[0][1].acts)
    assert (reminder.effect, reminder.by) == ("interrupts", ("consumer", "agency"))


def test_what_nobody_read_in_a_source_is_to_be_confirmed() -> None:
    assert "us.state_ag_ftc" in book.get("house.us@1").unverified
    assert "gb.cedr_aviation.wait" in book.get("house.gb.air@1").unverified
    assert not body("house.us.air@1", "us.dot_oacp").verified  # its address is our own knowledge


# --- a case's own chain ---------------------------------------------------------------------


def test_a_case_may_name_its_own_bodies_and_the_one_needed_before_comes_along() -> None:
    chain = book.for_case("house.de.air@1", ["fi.kril"]).bodies
    assert [b.id for b in chain] == ["fi.consumer_advice", "fi.kril"]
    assert book.for_case("house.de.air@1", ()) is book.get("house.de.air@1")


@pytest.mark.parametrize("name", ["xx.nobody", "eu.odr", "fr.court_gate_eu261"])
def test_a_body_that_takes_no_complaints_cannot_be_named(name: str) -> None:
    with pytest.raises(NotFound):
        book.for_case("house.fi@1", [name])


# --- what is refused ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "path", "why"),
    [
        ("zone: Europe/Helsinki", "zone: Europe/Nowhere", "zone", "unknown time zone"),
        ("regime: EU_1182_71", "regime: MOON", "regime", "unknown period regime"),
        ("version: 1", 'version: "1"', "version", "valid integer"),
        ("value: 14,", "value: 3,", "ladder.0", "the wait at contact is at least 7 days"),
        ("value: 14,", "value: 14.0,", "ladder.0.wait.value", "valid integer"),
        ("approval: senior\n", "approval: rule\n", "ladder.3", "always approved by a senior"),
        ("channels: [email, post]", "channels: []", "ladder.0.channels", "at least 1 item"),
        ("channels: [email, post]", "channels: [email, email]", "ladder.0", "named twice"),
        ("letter_id: fi.maksuvaatimus", "letter_id: fi.letter", "ladder.2.letter_id",
         "there is no letter fi.letter"),
        ("letter_id: fi.maksuvaatimus", "letter_id: se.kravbrev", "ladder.2.letter_id",
         "a letter of another place"),
        ("id: fi.kril", "id: fi.kriil", "bodies.1.id", "there is no body fi.kriil"),
        ("  - {id: fi.consumer_advice}\n", "", "bodies.0",
         "fi.consumer_advice must come before fi.kril"),
        ("id: fi.kril", "id: fi.kril, wait: {value: 9, unit: weeks}", "bodies.1",
         "wait stands in the record of fi.kril already"),
        ("rule: lim.fi.general", "rule: lim.se.general", "limitation.*.rule", "of another place"),
        ("licence: agent.fi.registration", "licence: agent.xx", "licence", "no licence rule"),
        ("jurisdiction: FI", "jurisdiction: XX", "jurisdiction", "no calendar of working days"),
        ("effective_to: null", "effective_to: 2025-01-01", "the whole file", "lies after"),
        ("effective_from: 2026-01-01", "effective_from: null", "the whole file", "only a draft"),
        ("mandate_level: typed", "surprise: 1", "surprise", "Extra inputs"),
        ("mandate_level: typed\n", "", "the whole file", "mandate_level is missing"),
    ],
)  # fmt: skip
def test_bad_data_is_refused_with_its_place(old: str, new: str, path: str, why: str) -> None:
    text = BASE.replace(old, new, 1)
    assert text != BASE
    found = loader.check({"fi.yaml": text})[1]
    assert any(f": {path}: " in f and why in f for f in found), found


@pytest.mark.parametrize(
    ("old", "new", "path", "why"),
    [
        ("rule: air.eu261.refund", "rule: air.eu999", "payment.air.0.rule", "no rule air.eu999"),
        ("rule: air.eu261.refund", "rule: air.eu261.compensation", "payment.air.0",
         "has no period in figures"),
        ("shown_by: bag_written_report_on", "shown_by: bag_sung_on", "declarations.0",
         "air_baggage has no fact bag_sung_on"),
        ("extends: house.fi@1", "extends: house.fi@7", "extends", "no playbook house.fi@7"),
        ("extends: house.fi@1", "extends: house.fi.retail@1", "extends",
         "house.fi.retail@1 itself extends house.fi@1: one level only"),
        ("version: 1", "version: 1\nzone: Europe/Rome", "the whole file", "stands in the base"),
        ("version: 1", "version: 1\njurisdiction: SE\nzone: Europe/Rome", "jurisdiction",
         "no part of FI"),
        ("air: {rule: lim.fi.air}", "boat: {rule: lim.fi.air}", "limitation.boat",
         "there is no claim kind boat"),
    ],
)  # fmt: skip
def test_bad_family_files_are_refused_with_their_place(
    old: str, new: str, path: str, why: str
) -> None:
    text = AIR.replace(old, new, 1)
    assert text != AIR
    found = faults(text)
    assert any(f": {path}" in f and why in f for f in found), found


def test_a_fault_names_the_line_it_stands_on() -> None:
    text = BASE.replace("id: fi.kril", "id: fi.kriil")
    found = loader.check({"fi.yaml": text})[1]
    assert found[0].startswith(f"fi.yaml:{line(text, 'fi.kriil')}: bodies.1.id: ")


def test_two_that_would_be_in_force_together_are_refused_by_both_names() -> None:
    second = AIR.replace("version: 1", "version: 2").replace("2026-01-01", "2027-01-01")
    (found,) = faults(second)
    assert found.startswith(f"mine.yaml:{line(second, 'effective_from')}: effective_from: ")
    assert "house.fi.air@1 (fi/air.yaml) are both in force for air, air_baggage, air_fees" in found
    assert "house.fi.air@2 and " in found and found.endswith(" in FI from 2027-01-01")


def test_a_version_that_begins_where_the_former_ends_is_sound() -> None:
    first = AIR.replace("effective_to: null", "effective_to: 2027-01-01")
    second = AIR.replace("version: 1", "version: 2").replace("2026-01-01", "2027-01-01")
    books, found = loader.check({"one.yaml": first, "two.yaml": second}, beside=BESIDE)
    assert (found, sorted(books)) == ([], ["house.fi.air@1", "house.fi.air@2"])


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("a: [1", "mine.yaml:2: not YAML"),
        ("", "mine.yaml:1: the file is empty"),
        (BASE + "licence: null\n", "licence stands here twice"),
    ],
)
def test_what_cannot_be_read_as_it_stands_is_refused(text: str, why: str) -> None:
    assert why in faults(text)[0]


def test_two_files_of_one_version_are_refused(tmp_path: Path) -> None:
    for name in ("a.yaml", "b.yaml"):
        (tmp_path / name).write_text(BASE)
    with pytest.raises(loader.PlaybookInvalid, match=r"house\.fi@1 stands in a\.yaml too"):
        loader.load(tmp_path)


def test_a_folder_without_a_playbook_for_the_rest_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(BASE)
    with pytest.raises(loader.PlaybookInvalid, match="none of its own"):
        loader.load(tmp_path)


# --- words and schema -----------------------------------------------------------------------


def test_the_printed_schema_is_current() -> None:
    """`recourse playbook schema > docs/playbook.schema.json` prints it anew."""
    printed: Any = json.loads(Path("docs/playbook.schema.json").read_text("utf-8"))
    assert printed == json.loads(json.dumps(file_schema()))


def test_a_playbook_explains_who_files_what_it_costs_and_what_is_to_be_confirmed() -> None:
    said = "\n".join(explain(book.get("house.gb.payments@1")))
    assert "the consumer or a mandated agent may file" in said
    assert "fee 25000 GBP" in said
    assert "to be confirmed (not approved yet)" in said


def test_differences_are_told_by_path() -> None:
    said = list(differences(book.get("house.eu.air@1"), book.get("house.eu.air@2")))
    assert "draft: False -> True" in said
    assert "payment_periods: also air[all]" in said
    assert not any(s.startswith("ladder") for s in said)
