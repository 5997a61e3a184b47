"""Which way a letter goes: the playbook's order, without what no longer reaches the company."""

from __future__ import annotations

from datetime import timedelta

import pytest

from app.channel_health import is_dead
from app.domain import events as e
from app.domain.case import LetterState, Stage, WaitingOn
from app.domain.decision import TaskKind
from app.domain.effects import SendCopy
from app.domain.wanted import still_wanted
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


def at_portal(life: Life, *, ticket: bool) -> None:
    life.hand_over(recipient_server=ticket, provider="portal")


def test_a_company_with_a_web_form_alone_is_reached_by_a_person_who_fills_it_in() -> None:
    life = Life(dead_kinds=POST, portal=True).on_ladder()
    assert channel(life) == "portal"
    life.render()
    key = (TaskKind.FILE_AT_PORTAL, f"{life.letter().id}:1")
    assert key in life.tasks and not life.sends()
    assert life.waits() is WaitingOn.HANDLER
    at_portal(life, ticket=True)
    assert key not in life.tasks
    assert (life.letter().state, life.letter().evidence_grade) == (
        LetterState.DELIVERED, "recipient_server",
    )  # fmt: skip
    assert life.waits() is WaitingOn.COMPANY, "the step's clock runs"


def test_a_picture_alone_proves_that_it_went_and_arrival_is_presumed() -> None:
    life = Life(dead_kinds=POST, portal=True).on_ladder().render()
    at_portal(life, ticket=False)
    assert (life.letter().state, life.waits()) == (LetterState.HANDED_OVER, WaitingOn.DELIVERY)
    life.silence()
    assert life.letter().evidence_grade == "presumed"
    assert life.waits() is WaitingOn.COMPANY


def test_a_web_form_that_does_not_work_gives_way_and_a_paused_case_takes_its_task_back() -> None:
    life = Life(dead_kinds=POST, portal=True).on_ladder().render()
    life.tell(e.CaseHeld("hold", "asked", life.now + timedelta(days=3), "anna"))
    assert any(kind is TaskKind.FILE_AT_PORTAL for kind, _ in life.tasks)
    life.tell(e.HoldLifted("hold", "anna"))
    assert life.letter().n == 2 and not life.has_task(TaskKind.FILE_AT_PORTAL)
    life.render()
    bounce(life)
    assert not life.has_task(TaskKind.FILE_AT_PORTAL)
    assert life.case.dead_channels == ("portal",)
    assert (TaskKind.FIX_CHANNEL, "1") in life.tasks


def test_a_formal_notice_goes_by_web_form_only_where_its_playbook_says_so() -> None:
    life = Life(dead_kinds=POST, portal=True).on_ladder(Stage.FORMAL_NOTICE)
    assert life.case.letter is None and life.has_task(TaskKind.FIX_CHANNEL)


@pytest.mark.parametrize(
    ("official", "copies", "task"),
    [(("post",), ["post"], False), (("portal",), [], True), (("email", "post"), [], False)],
)
def test_the_first_letter_goes_to_the_official_complaint_address_too(
    official: tuple[str, ...], copies: list[str], task: bool
) -> None:
    """Once, when it has left; not where it went to an official address anyway."""
    life = Life(official=official, portal="portal" in official).on_ladder().letter_arrives()
    sent = [x for x in life.effects if isinstance(x, SendCopy)]
    assert [x.channel for x in sent] == copies
    assert all(x.sha256 == life.letter().sha256 and still_wanted(x, life.case) for x in sent)
    assert life.has_task(TaskKind.FILE_AT_PORTAL) is task
    life.silence()
    life.letter_arrives()
    assert len([x for x in life.effects if isinstance(x, SendCopy)]) == len(copies)
    life.tell(e.MandateRevoked(life.case.claimants[0].id))
    assert not any(still_wanted(x, life.case) for x in sent)
