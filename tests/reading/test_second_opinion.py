"""The second opinion: its weights belong to its corpus, and it decides no more than it may."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from app.reading.doubt import BY_MODEL
from app.reading.mail import ParsedMail, Reading
from app.reading.model import KINDS, kept, packed
from app.reading.phrases import LANGUAGES
from app.reading.reader import read
from app.reading.training import corpus, fingerprint, learn
from tests.reading.scoring import own_mails, score

FRESH = ("own_mails_1.yaml", "fresh_mails_3.yaml", "fresh_mails_5.yaml")


def answer(text: str, *headers: tuple[str, str]) -> Reading:
    given = headers or (("from", "care@air.example"), ("subject", "Re: RC-1111-1111"))
    return read(ParsedMail(given, text=text, sent_at=datetime(2026, 11, 16, 10, tzinfo=UTC)))


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_kept_weights_were_learnt_from_this_corpus(language: str) -> None:
    head, body = kept(language)
    assert head["corpus"] == fingerprint(), "run: recourse mail train"
    assert len(body) == len(head["names"]) * len(KINDS)


def test_every_kind_has_eight_texts_in_every_language() -> None:
    count = dict.fromkeys(((lang, kind) for lang in LANGUAGES for kind in KINDS), 0)
    for example in corpus():
        count[example.language, example.kind] += 1
    assert min(count.values()) >= 8


def test_learning_twice_makes_the_same_bytes() -> None:
    seen = [({"word:no": 1.0}, "deny_flat"), ({"word:yes": 1.0, "word:no": 0.5}, "accept_full")] * 3
    assert packed(learn(seen), "x") == packed(learn(seen), "x")


def test_on_mails_the_rules_do_not_know_it_adds_kinds_and_no_costly_mistake() -> None:
    found = score(own_mails("fresh_mails_5.yaml", "fresh_mails_6.yaml", "fresh_mails_7.yaml"))
    assert found.costly == []
    assert found.share("kind") >= 0.75
    assert found.share("is_automatic") == 1


def test_it_speaks_only_with_its_own_confidence_and_names_words_of_the_mail() -> None:
    spoken = [
        (label, reading)
        for label, reading in own_mails(*FRESH)
        if any(e.sign == "model" for e in reading.evidence)
    ]
    assert spoken
    for _, reading in spoken:
        assert reading.confidence == BY_MODEL
        words = [e.words for e in reading.evidence if e.sign == "model"]
        assert all(w and w.lower() in reading.own_text.lower() for w in words)


@pytest.mark.parametrize(
    "text",
    [
        "A refund of the whole lot was never on the table and the money stays where it is.",
        "If the lab finds a fault on our side the customer sees all of the EUR 80 again.",
        "Had he come on time the complete EUR 120 might have been his, that is how it works.",
    ],
)
def test_it_makes_no_money_of_a_refusal_or_a_condition(text: str) -> None:
    money = {"accept_full", "accept_part", "already_paid", "paid_consumer_directly",
             "promise_date", "offer_goodwill"}  # fmt: skip
    assert answer(text).kind not in money


def test_a_machine_gets_only_the_kinds_of_machines() -> None:
    said = answer(
        "The money for the two nights has been put on the card, all of it, EUR 80.",
        ("from", "no-reply@air.example"), ("auto-submitted", "auto-generated"),
    )  # fmt: skip
    assert said.is_automatic
    assert not said.kind.startswith("accept")
