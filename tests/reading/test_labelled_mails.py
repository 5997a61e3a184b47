"""The reading against labelled mails: a part of the samples, all of them where they are at hand,
and our own."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from app.reading.mail import ParsedMail
from app.reading.reader import read
from tests.reading.scoring import DATA, Score, costly, own_mails, sample_replies, score
from workers.mime_child import parse

SHARED = Path(__file__).resolve().parents[3] / "shared" / "samples"


def shared_replies() -> Score:
    folder = SHARED / "replies"
    if not folder.exists():
        pytest.skip("the whole set of sample replies is not here")
    return score(sample_replies(folder))


def the_copied_part() -> Score:
    return score(sample_replies(DATA / "replies"))


def ours() -> Score:
    return score(own_mails("own_mails_1.yaml", "own_mails_2.yaml"))


def later_ones() -> Score:
    return score(own_mails("fresh_mails.yaml", "fresh_mails_2.yaml"))


SETS = [
    pytest.param(the_copied_part, id="the copied part"),
    pytest.param(shared_replies, id="all samples"),
    pytest.param(ours, id="our own mails"),
    pytest.param(later_ones, id="our later mails"),
]


@pytest.mark.parametrize("mails", SETS)
def test_the_costly_mistakes_are_zero(mails) -> None:  # type: ignore[no-untyped-def]  # a parameter
    assert mails().costly == []


def test_on_mails_hardly_tuned_on_doubt_is_no_mistake() -> None:
    """A third of their kinds are not known yet; what matters is that none costs anything."""
    found = score(own_mails("fresh_mails_3.yaml", "fresh_mails_4.yaml"))
    assert found.share("kind") >= 0.6
    assert found.costly == []
    assert found.share("is_automatic") == 1
    assert found.share("language") == 1


@pytest.mark.parametrize("mails", SETS)
def test_kind_money_and_days_are_read(mails) -> None:  # type: ignore[no-untyped-def]  # a parameter
    found = mails()
    wrong = "\n".join(found.wrong)
    assert found.share("is_automatic") >= 0.99, wrong
    assert found.share("kind") >= 0.95, wrong
    assert found.share("language") >= 0.98, wrong
    assert found.share("ticket_number") >= 0.95, wrong
    assert not found.all["own_text"] or found.share("own_text") >= 0.95, wrong
    for name in ("amount", "promised_date", "deadline_for_us"):
        assert found.share(name) >= 0.95, wrong


def test_single_sentences_are_understood_and_none_is_taken_for_money() -> None:
    listed = yaml.safe_load((DATA / "sentences.yaml").read_text(encoding="utf-8"))
    wrong = []
    for kind, sentence in listed:
        name = "rosa.bell@home.example" if kind == "consumer_message" else "care@air.example"
        mail = ParsedMail(
            (("from", name), ("subject", "Re: RC-1111-1111"), ("in-reply-to", "<a@b.example>")),
            text=sentence,
            sent_at=datetime(2026, 11, 16, 10, tzinfo=UTC),
        )
        reading = read(mail)
        assert not costly({"kind": kind}, reading), sentence
        if reading.kind != kind:
            wrong.append(f"{sentence} {reading.kind}")
    assert len(wrong) <= 0.05 * len(listed), wrong


@pytest.mark.parametrize(
    "folder", [DATA / "bounces", SHARED / "mail" / "bounces"], ids=["copied part", "all"]
)
def test_real_bounces_are_known_with_recipient_status_and_whether_for_good(folder: Path) -> None:
    if not folder.exists():
        pytest.skip("the whole set of bounces is not here")
    labels = yaml.safe_load((DATA / "bounce_labels.yaml").read_text(encoding="utf-8"))
    wrong = []
    count = 0
    for path in sorted(folder.glob("*.eml")):
        label = labels[path.name]
        reading = read(parse(path.read_bytes())[0])
        assert reading.is_automatic is label.get("automatic", True), path.name
        bounce = reading.bounce
        got = None if bounce is None else [bounce.recipient, bounce.status, bounce.permanent]
        count += 1
        if got != label.get("bounce"):
            wrong.append(f"{path.name}: {got}")
    assert count >= 20
    assert len(wrong) <= 0.03 * count, wrong
