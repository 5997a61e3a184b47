"""Every story of ops/world/stories.yaml, from filing to its end, as the world would play it."""

from __future__ import annotations

from typing import Any

import pytest

from ops.world.stories import load_book
from tests.stories.conftest import Stage

STORIES = [story.id for story in load_book().stories]
# Alone they must be what they are among the others: an offer, post, a duplicate, a body in French.
SOME = ("case-02", "case-11", "case-17", "case-22", "case-26")

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("story", STORIES)
def test_the_story_ends_as_it_should(played: dict[str, Any], story: str) -> None:
    """Path, outcome, recovered, fee and payout to the cent, no open task, no money held."""
    assert played["outcomes"][story]["wrong"] == []


def test_nothing_is_lost_or_left_over(played: dict[str, Any]) -> None:
    assert played["in_balance"], "the client book, and the bank's word about it"
    assert played["unknown"] == 0, "orders whose outcome nobody knows"
    assert played["trouble"] == []


def test_no_work_came_up_that_no_story_explains(played: dict[str, Any]) -> None:
    assert played["improvised"] == {}


def test_the_play_went_through_the_real_doors(played: dict[str, Any]) -> None:
    counts = played["counts"]
    assert counts["letters_by_mail"] > 20
    assert counts["letters_by_post"] >= 1, "the dead mailbox, and a body reached by post"
    assert counts["mails_in"] > 20
    assert counts["statements"] > 20
    assert counts["payment_files"] == counts["batches"] > 5
    assert played["refused"] >= 1, "the dead mailbox answered 550"


def test_the_same_seed_plays_the_same(stage: Stage, played: dict[str, Any]) -> None:
    """Some stories alone end as they did among all, with letters of the same words and dates."""
    again = stage.play(SOME)
    for story in SOME:
        assert again["outcomes"][story] == played["outcomes"][story]
        assert again["letters"][story] == played["letters"][story]
    assert sum(len(again["letters"][story]) for story in SOME) >= 6


def test_another_seed_changes_words_not_ends(stage: Stage, played: dict[str, Any]) -> None:
    other = stage.play(("case-02",), seed=7)
    assert other["outcomes"]["case-02"] == played["outcomes"]["case-02"]
