"""Which way a letter goes: the playbook's order, without what no longer reaches the company."""

from __future__ import annotations

import pytest

from app.channel_health import is_dead
from app.domain import events as e
from app.domain.case import LetterState
from app.domain.decision import TaskKind
from tests.domain.life import Life

EMAIL, POST = frozenset({"email"}), frozenset({"email", "post"})


def channel(life: Life) -> str:
    assert life.case.letter is not None
    return life.case.letter.channel


def bounce(life: Life) -> None:
    assert life.case.letter is not None
    life.tell(e.LetterBounced(life.case.letter.id, hard=True, reason="no such mailbox"))


def test_a_mailbox_that_other_cases_found_dead_is_not_tried_again() -> None:
    assert channel(Life().on_ladder()) == "email"
    assert channel(Life(dead_kinds=EMAIL).on_ladder()) == "post"


def test_where_nothing_works_a_person_looks_for_a_way_and_the_letter_goes_over_it() -> None:
    life = Life(dead_kinds=POST).on_ladder()
    assert life.case.letter is None
    assert (TaskKind.FIX_CHANNEL, "1") in life.tasks
    life.dead_kinds = EMAIL
    life.tell(e.ChannelMended("post", "anna"))
    assert channel(life) == "post"
    assert (TaskKind.FIX_CHANNEL, "1") not in life.tasks


def test_a_case_that_gave_a_channel_up_uses_it_again_once_it_is_mended() -> None:
    life = Life().on_ladder().letter_arrives()
    bounce(life)
    assert (channel(life), life.case.dead_channels) == ("post", ("email",))
    life.tell(e.ChannelMended("email", "anna"))
    assert life.case.dead_channels == ()
    assert channel(life) == "post", "the letter on its way is not pulled back"


def test_a_bounced_letter_is_made_again_over_the_mended_channel() -> None:
    life = Life(dead_kinds=frozenset({"post"})).on_ladder().letter_arrives()
    bounce(life)
    assert life.case.letter is not None
    assert life.case.letter.state is LetterState.BOUNCED
    before = life.case.letter
    life.tell(e.ChannelMended("email", "anna"))
    letter = life.case.letter
    assert (letter.id, letter.n) == (before.id, before.n + 1)
    assert (letter.channel, letter.state) == ("email", LetterState.RENDERING)


def test_mending_says_nothing_to_a_case_that_goes_well() -> None:
    life = Life().contacted()
    said = list(life.said)
    life.tell(e.ChannelMended("email", "anna"))
    assert life.said == said


@pytest.mark.parametrize(
    ("reason", "dead"),
    [
        ("550 5.1.1 user unknown", True),
        ("5.1.10", True),
        ("550 5.2.1 mailbox disabled", True),
        ("550 no such user here", True),
        ("550 5.7.1 rejected by policy", False),
        ("552 5.2.2 mailbox full", False),
        ("554 message refused", False),
        ("no postal address", False),
        ("", False),
    ],
)
def test_only_a_wrong_or_shut_address_is_dead(reason: str, dead: bool) -> None:
    assert is_dead(reason) is dead
