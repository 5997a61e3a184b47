"""May it still go out? The last question before the first byte."""

from __future__ import annotations

from datetime import timedelta

from app.domain import events as e
from app.domain.effects import AcknowledgeMessage, NotifyConsumer, RecallLetter, RenderLetter
from app.domain.wanted import still_wanted
from tests.domain.life import Life


def test_an_older_revision_is_never_rendered_or_sent() -> None:
    life = Life().on_ladder()
    render = next(x for x in life.effects if isinstance(x, RenderLetter))
    assert still_wanted(render, life.case)
    life.render()
    send = life.sends()[-1]
    assert not still_wanted(render, life.case), "it has been made"
    life.tell(e.LetterBounced(life.letter().id, hard=True, reason="550"))
    assert not still_wanted(send, life.case)


def test_nothing_is_sent_without_a_mandate_or_while_an_offer_is_open() -> None:
    life = Life().on_ladder().render()
    send = life.sends()[-1]
    life.offer()
    assert not still_wanted(send, life.case)
    other = Life().on_ladder().render()
    send = other.sends()[-1]
    other.tell(e.MandateRevoked(other.case.claimants[0].id))
    assert not still_wanted(send, other.case)


def test_a_letter_released_by_rule_is_held_back_in_a_care_pause() -> None:
    life = Life().on_ladder().render()
    send = life.sends()[-1]
    life.tell(e.DistressNoticed("anna"))
    assert not still_wanted(send, life.case)


def test_a_nudge_loses_its_sense_with_its_stage_and_other_words_do_not() -> None:
    life = Life().submit().accept()
    life.wait_until(life.now + timedelta(days=3))
    nudge = life.notices("nudge_agreement")[0]
    received = life.notices("received")[0]
    assert still_wanted(nudge, life.case)
    life.sign()
    assert not still_wanted(nudge, life.case)
    assert still_wanted(received, life.case)


def test_a_stranger_is_told_nothing() -> None:
    life = Life().contacted()
    notice = NotifyConsumer(life.id(), life.case.id, "offer", "1", (), life.id())
    assert not still_wanted(notice, life.case)


def test_after_leaving_only_the_stop_notice_receipts_and_recalls_follow() -> None:
    life = Life().contacted()
    life.reply("consumer")
    life.tell(e.CaseWithdrawn("consumer"))
    stop = life.stops()[-1]
    ack = next(x for x in life.effects if isinstance(x, AcknowledgeMessage))
    recall = RecallLetter(life.id(), life.case.id, life.letter().id)
    assert all(still_wanted(x, life.case) for x in (stop, ack, recall))
    assert not any(still_wanted(s, life.case) for s in life.sends())
