"""The claim put right while the case runs: what has left stands, what has not is made again."""

from __future__ import annotations

import uuid

import pytest

from app.casework.claim_lines import Line, following
from app.domain import events as e
from app.domain.case import Stage
from app.domain.decision import TaskKind
from app.domain.eligibility.finding import Due
from app.domain.errors import TransitionRefused
from tests.domain.life import Life

CHANGED = e.FactsLearned("items", "anna", claimed_was=1)


def test_a_letter_not_sent_is_made_again_and_one_that_left_stays_with_a_task() -> None:
    life = Life().on_ladder().render()
    was = life.letter()
    life.tell(CHANGED)
    assert (life.letter().id, life.letter().n) == (was.id, was.n + 1)
    assert life.notices("claim_changed")
    left = Life().contacted()
    sent = left.letter()
    left.tell(CHANGED)
    assert left.letter() == sent and left.has_task(TaskKind.ANSWER_COMPANY)


def test_a_claim_that_came_in_already_ends_and_one_agreed_is_not_changed() -> None:
    life = Life().contacted()
    life.paid(life.case.claimed_minor - 1)
    items = tuple(i.__class__(i.id, 1, True, i.creditor_id) for i in life.case.items)
    life.case = life.case.with_(items=items)  # as the corrected lines are read
    life.tell(CHANGED)
    assert life.stage() is Stage.SETTLEMENT
    with pytest.raises(TransitionRefused):
        life.tell(CHANGED)


def test_lines_follow_the_finding_only_where_they_stood_as_it_did() -> None:
    who = uuid.uuid4()
    lines = [
        Line(uuid.uuid4(), n, "fee", f"bag {n}", minor, "GBP", True, counted, who)
        for n, (minor, counted) in enumerate([(55_00, True), (9_00, False), (55_00, True)])
    ]
    old = [Due("bag a", 55_00, "GBP"), Due("bag b", 55_00, "GBP")]

    def then(*new: Due, before: list[Due] = old) -> list[tuple[int, bool]] | None:
        found = following(lines, before, new, "GBP")
        return None if found is None else [(one.amount_minor, one.counted) for one in found]

    dearer, euro = Due("bag b", 68_00, "GBP"), Due("bag a", 55_00, "EUR")
    assert then(old[0], dearer) == [(55_00, True), (9_00, False), (68_00, True)]
    assert then(dearer) == [(55_00, False), (9_00, False), (68_00, True)]
    assert then(*old, Due("bag c", 1, "GBP")) is None  # a new line: of which kind?
    assert then(euro, old[1]) is None and then() is None
    assert then(dearer, before=[old[0]]) is None  # the claim is not what the finding said
