"""Every letter in every language for every jurisdiction: complete, in one language, in its form."""

import dataclasses
import re
from typing import Any

import pytest
import yaml

from app.domain.case import Stage
from app.law.interest import interest_law
from app.law.reference import notices
from app.playbooks import book
from letters import render
from letters.content import LANGUAGES, LETTERS
from letters.specimen import specimen
from workers.letter_content import formula_of
from workers.letter_words import FILE

FORMS = sorted(name for name, record in notices().items() if "heading" in record)


def labels(language: Any) -> Any:
    return render._environment(language).get_template(f"{language}/words.html.jinja").module


PLACES = ("FI", "SE", "DE", "FR", "GB")


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_language_lacks_a_word_that_another_has(language: Any) -> None:
    english, own = labels("en"), labels(language)
    for table in ("labels", "delivery", "channels", "further", "letters"):
        assert set(getattr(own, table)) == set(getattr(english, table)), table
        assert all(getattr(own, table).values())
    macros = {name for name, made in vars(english).items() if callable(made)} - {"money"}
    assert macros - set(vars(own)) == set(), "`money` is a shape of English sentences alone"
    words = yaml.safe_load(FILE.read_text("utf-8"))
    for table, entries in words["en"].items():
        assert set(words[language][table]) == set(entries), table
    assert set(words["en"]["subjects"]) == set(LETTERS)
    used = {f.id: f for place in PLACES for f in interest_law().applying(place, "air")}
    assert [name for name, f in used.items() if language not in f.cited] == []


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("form", FORMS)
def test_a_formal_notice_has_the_form_of_its_jurisdiction(form: str, language: Any) -> None:
    formula = formula_of(form, language)
    assert formula is not None
    html = render.render_html(
        dataclasses.replace(specimen("formal_notice", language), formula=formula)
    )
    (title,) = re.findall("<h1>(.*?)</h1>", html)
    assert title.startswith(formula.name)
    if form == "fr.mise_en_demeure":
        assert '<p lang="fr">La présente lettre vaut mise en demeure' in html


def test_every_formal_notice_that_a_playbook_uses_has_its_heading_in_every_language() -> None:
    for form in FORMS:
        assert set(notices()[form]["heading"]) == set(LANGUAGES)
    used = {p.step_for(Stage.FORMAL_NOTICE).letter_id for p in book.playbooks().values()}
    assert used - {""} == set(FORMS)


@pytest.mark.parametrize("kind", LETTERS)
def test_a_letter_is_written_in_one_language(kind: str) -> None:
    """No sentence of one language's letter stands in another's: nothing was left untranslated."""
    said: dict[str, set[str]] = {}
    for language in LANGUAGES:
        body = render.render_html(specimen(kind, language)).partition("<body>")[2]
        text = re.sub(r"<[^>]+>", "\n", body)
        said[language] = {line.strip() for line in text.split("\n") if line.count(" ") >= 5}
    for language in LANGUAGES:
        others = set[str]().union(*(said[each] for each in LANGUAGES if each != language))
        assert said[language] - others, language
        shared = {line for line in said[language] & others if "Specimen Refund Agency" not in line}
        assert shared <= ADDRESSES, language


# What is no sentence: where the invented people and the agency live.
ADDRESSES = {
    ", ".join(lines)
    for lines in (
        specimen("contact", "en").agency.address_lines,
        *(person.address_lines for person in specimen("contact", "en").claimants),
        *((p.name, *p.address_lines) for p in specimen("declaration", "en").claimants),
    )
}
