"""`explain` says why a case stands where it does, and nothing personal."""

from __future__ import annotations

import pytest

from app.domain import events as e
from app.domain.case import PauseKind, TimerKind
from app.explain import AFTER_PAUSE, CLOCKS, LIFTS, HistoryRow, explain
from tests.domain.life import Life
from tests.domain.positions import EVENT_TYPES, POSITIONS, sample
from tests.domain.test_every_pair import outcome


def said(life: Life) -> str:
    rows = [HistoryRow(life.now, code, (), "anna") for code in life.said]
    return explain(life.case, rows, life.rules, life.now)


def test_it_names_the_wait_its_basis_what_comes_next_and_what_would_stop_it() -> None:
    text = said(Life().contacted())
    assert "Stage contact, step 1." in text
    assert "Waiting on company until 2026-03-17 09:00 EET." in text
    assert "14 days from letter_delivered on 2026-03-02" in text
    assert "rule house.contact_wait@test.fi@1, our own choice; last day 2026-03-16" in text
    assert "Next, if nothing happens until 2026-03-17 09:00 EET: the reminder is made." in text
    assert "a human reply (until it is read)" in text
    assert "letter_delivered [anna]" in text


def test_a_pause_shows_what_lies_beneath_and_who_ends_it() -> None:
    life = Life().contacted()
    life.reply()
    text = said(life)
    assert "unread_reply since" in text and "a handler reading the reply" in text
    assert "beneath: waiting on company, 14 days" in text
    assert "a senior is asked to read the reply" in text


def test_a_closed_case_says_how_it_ended() -> None:
    text = said(POSITIONS["closed"]())
    assert "refused_final" in text and "reopen it within one year" in text


def test_every_clock_and_pause_has_words() -> None:
    assert set(CLOCKS) == set(TimerKind)
    assert set(LIFTS) == set(PauseKind)
    assert set(AFTER_PAUSE) == set(PauseKind) - {PauseKind.DISTRESS}


@pytest.mark.parametrize("position", POSITIONS)
def test_every_position_can_be_explained_after_any_event(position: str) -> None:
    for kind in EVENT_TYPES:
        life = POSITIONS[position]()
        if position == "intake":
            life.tell(e.CaseDrafted())
        outcome(life, sample(kind, life))
        assert life.case.reference in said(life)
