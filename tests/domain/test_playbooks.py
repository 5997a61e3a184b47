"""Playbook files: the built-in ones hold together, bad ones are refused with their place."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
import yaml

from app.domain.case import LADDER, Stage
from app.domain.errors import NotFound
from app.playbooks import book, loader

DAY = date(2026, 11, 21)
FI = (loader.DATA / "fi.yaml").read_text("utf-8")


def changed(path: str, value: object) -> str:
    """The Finnish playbook with one value replaced; `path` like `ladder.0.wait.value`."""
    data = yaml.safe_load(FI)
    *parents, last = path.split(".")
    node = data
    for name in parents:
        node = node[int(name)] if isinstance(node, list) else node[name]
    node[last] = value
    return yaml.safe_dump(data)


@pytest.mark.parametrize("country", ["FI", "FR", "DE", "GB", "SE", "US"])
def test_each_country_we_work_in_has_its_playbook(country: str) -> None:
    found = book.choose(claim_kind="online_purchase", jurisdiction=country, on=DAY)
    assert found.jurisdiction == country
    assert tuple(s.stage for s in found.ladder) == LADDER
    assert found.bodies


def test_the_most_exact_playbook_wins_and_the_generic_one_catches_the_rest() -> None:
    def key(kind: str, where: str) -> str:
        return book.choose(claim_kind=kind, jurisdiction=where, on=DAY).key

    assert key("air", "US-CA") == "house.us.air@1"
    assert key("hotel", "US-CA") == "house.us@1"
    assert key("hotel", "IT") == book.GENERIC


def test_a_pinned_playbook_that_does_not_exist_is_not_replaced_by_another() -> None:
    with pytest.raises(NotFound):
        book.get("house.fi@99")


def test_no_playbook_is_in_force_before_its_first_day() -> None:
    with pytest.raises(NotFound):
        book.choose(claim_kind="air", jurisdiction="FI", on=date(2025, 12, 31))


def test_a_complaint_is_approved_by_a_senior_in_every_playbook() -> None:
    for playbook in book.playbooks().values():
        assert playbook.step_for(Stage.COMPLAINT).approval == "senior"


@pytest.mark.parametrize(
    ("path", "value", "place"),
    [
        ("zone", "Europe/Nowhere", "zone"),
        ("regime", "MOON", "regime"),
        ("version", "1", "version"),
        ("ladder.0.wait.value", 3, "ladder.0"),
        ("ladder.0.wait.value", 14.0, "ladder.0.wait.value"),
        ("ladder.3.approval", "rule", "ladder.3"),
        ("ladder.1.channels", [], "ladder.1.channels"),
        ("ladder.1.channels", ["email", "email"], "ladder.1"),
        ("bodies.0.may_agency_file", True, "bodies.0"),
        ("bodies.0.min_amount_minor", -1, "bodies.0.min_amount_minor"),
        ("jurisdiction", "XX", "the whole file"),
        ("effective_to", date(2025, 1, 1), "the whole file"),
        ("surprise", 1, "surprise"),
    ],
)
def test_bad_data_is_refused_with_its_place(path: str, value: object, place: str) -> None:
    with pytest.raises(loader.PlaybookInvalid, match=rf"^fi\.yaml: {place}"):
        loader.parse(changed(path, value), "fi.yaml")


def test_a_missing_stage_is_refused() -> None:
    data = yaml.safe_load(FI)
    del data["ladder"][1]
    with pytest.raises(loader.PlaybookInvalid, match="the ladder is exactly"):
        loader.parse(yaml.safe_dump(data), "fi.yaml")


def test_what_is_not_yaml_is_refused() -> None:
    with pytest.raises(loader.PlaybookInvalid, match="not YAML"):
        loader.parse("a: [1", "fi.yaml")


def test_two_files_of_one_version_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(FI)
    (tmp_path / "b.yaml").write_text(FI)
    with pytest.raises(loader.PlaybookInvalid, match=r"house\.fi@1 stands in another file"):
        loader.load(tmp_path)


def test_a_folder_without_a_playbook_for_the_rest_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(FI)
    with pytest.raises(loader.PlaybookInvalid, match="none of its own"):
        loader.load(tmp_path)
