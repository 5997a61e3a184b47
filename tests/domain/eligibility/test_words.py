"""Every code a finding can hold has its words in five languages, with the same gaps."""

from __future__ import annotations

import re
from pathlib import Path
from string import Formatter
from typing import get_args

import pytest
import yaml

from app.check.schemas import CheckIn
from app.law.acts import acts_file
from app.law.eligibility import as_json
from app.law.questions import open_questions
from tests.domain.eligibility import intakes, test_routing, test_routing_flights, test_routing_kinds
from tests.domain.eligibility.intakes import check

WORDS = {
    path.stem: yaml.safe_load(path.read_text("utf-8"))
    for path in Path("app/law/data/words").glob("*.yaml")
}
CODE = re.compile(r'Note\(\s*"([a-z0-9_]+)"')


def gaps(sentence: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(sentence) if name}


@pytest.mark.parametrize("language", sorted(WORDS))
def test_a_language_has_every_sentence_with_its_gaps(language: str) -> None:
    here, english = WORDS[language], WORDS["en"]
    assert set(here) == set(english)
    assert {c: gaps(here[c]) for c in here} == {c: gaps(english[c]) for c in english}


def test_the_five_languages_of_the_check_have_words() -> None:
    asked = set(get_args(CheckIn.model_fields["language"].annotation))
    assert set(WORDS) == asked == {"en", "fi", "sv", "fr", "de"}


@pytest.mark.parametrize("language", sorted(set(WORDS) - {"en"}))
def test_the_intake_asks_in_every_language(language: str) -> None:
    file = yaml.safe_load(Path("app/law/data/facts.yaml").read_text("utf-8"))
    facts = [*file["common"], *(f for kind in file["kinds"].values() for f in kind["facts"])]
    english = {fact[word] for fact in facts for word in ("ask", "why")}
    english |= {kind["pick"] for kind in file["kinds"].values()}
    translated = yaml.safe_load(Path(f"app/law/data/questions/{language}.yaml").read_text("utf-8"))
    assert set(translated) == english
    assert all(translated.values())


def test_an_open_fact_is_asked_in_the_words_of_its_kind_and_language() -> None:
    unsure = check(intakes.BUS | {"incident": "unknown"})
    assert "Was ist geschehen?" in " ".join(as_json(unsure, "de")["steps"])
    unsure = check(intakes.DELAY | {"incident": "unknown"})
    assert "Was geschah mit dem Flug?" in " ".join(as_json(unsure, "de")["steps"])
    assert open_questions({}, "sv")[0].picks["rail"] == "Ett tåg var försenat eller inställt"


def test_a_language_without_words_is_answered_in_english() -> None:
    unsure = check(intakes.BUS | {"incident": "unknown"})
    assert as_json(unsure, "zz") == as_json(unsure, "en")


def test_every_code_in_the_rules_has_words() -> None:
    codes = {
        code
        for path in Path("app/domain/eligibility").rglob("*.py")
        for code in CODE.findall(path.read_text("utf-8"))
    }
    assert len(codes) > 60, "the pattern finds the codes"
    assert codes - set(WORDS["en"]) == set()


def test_every_act_and_demand_has_words() -> None:
    file = acts_file()
    needed = {f"act_{act.id}{end}" for act in file.acts for end in ("", "_why")}
    needed |= {
        f"demand_{kind}" for d in file.demands for kind in (d.primary, d.alternative) if kind
    }
    needed |= {f"after_{d.only_after}" for d in file.demands if d.only_after}
    assert needed - set(WORDS["en"]) == set()


def test_every_finding_of_the_routing_can_be_told_and_says_its_steps() -> None:
    tables = (test_routing.CASES, test_routing_flights.CASES, test_routing_kinds.CASES)
    for name, claim, change, _ in (case for table in tables for case in table):
        found = check(claim | change)
        for language in WORDS:
            assert as_json(found, language)["steps"], (name, language)
