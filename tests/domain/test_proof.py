"""The proof matrix: every family, what fills an element, what never does."""

from __future__ import annotations

from app.exhibits.matrix import (
    KINDS,
    RULE,
    Paper,
    bundle_bytes,
    class_of_answer,
    classes,
    element,
    elements_of,
    gaps,
    matrix,
)
from app.playbooks import book
from app.tables.exhibits import CLASSES
from app.texts import LANGUAGES

EVIDENCE, LETTER = Paper("evidence:1"), Paper("letter:2")
DELIVERY, ANSWER = Paper("delivery:2"), Paper("message:3")


def test_every_family_of_the_playbooks_says_what_must_be_proven() -> None:
    families = {one.family for one in book.playbooks().values()}
    for family in families | {"air", "payments", "any", "unheard of"}:
        found = elements_of(family)
        sides = {one.side for one in found}
        assert sides == {"claim", "defence"} and len({one.code for one in found}) == len(found)
        for one in found:
            assert all(one.said(language) for language in LANGUAGES) and set(one.by) <= set(KINDS)
            assert element(one.code) is one
    assert classes() == CLASSES


def test_nothing_on_file_is_a_gap_everywhere_and_our_own_file_proves_itself() -> None:
    elements = elements_of("air")
    assert gaps(matrix(elements, [], [])) == tuple(one.code for one in elements)
    lines = {line.element.code: line for line in matrix(elements, [LETTER, DELIVERY], [])}
    assert lines["demand"].proven_by == (("letter:2", RULE),)
    assert not lines["arrival"].gap and not lines["answer"].gap
    assert lines["contract"].gap and lines["circumstances"].gap


def test_a_person_ties_the_rest_and_a_tie_to_what_is_gone_proves_nothing() -> None:
    ties = [("contract", "evidence:1", "staff:a"), ("payment", "evidence:9", "staff:a")]
    lines = {x.element.code: x for x in matrix(elements_of("air"), [EVIDENCE], ties)}
    assert lines["contract"].proven_by == (("evidence:1", "staff:a"),)
    assert lines["payment"].gap
    assert lines["event"].gap, "evidence of one thing is no evidence of another"


def test_what_may_not_leave_fills_no_gap_until_legal_releases_it() -> None:
    kept = Paper("message:3", "negotiation")
    ties = [("answer", kept.ref, "staff:a"), ("contract", kept.ref, "staff:a")]
    for paper, gap in (
        (kept, True), (Paper(kept.ref, "negotiation", released=True), False), (ANSWER, False),
    ):  # fmt: skip
        lines = {x.element.code: x for x in matrix(elements_of("any"), [paper], ties)}
        assert lines["answer"].gap is lines["contract"].gap is gap
    assert class_of_answer("offered") == "negotiation" and class_of_answer("refused") == "open"
    assert class_of_answer(None) == "open"


def test_a_bodys_limit_is_data() -> None:
    assert bundle_bytes("no.such.body") == bundle_bytes(None) == 10_000_000
