"""Every code people may meet has words, in every language, with blanks somebody fills."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.domain import events
from app.domain.case import (
    LetterKind,
    LetterState,
    MandateState,
    OfferKind,
    OfferState,
    Outcome,
    PauseKind,
    Stage,
    WaitingOn,
)
from app.texts import LANGUAGES, words

APP = Path(__file__).resolve().parents[2] / "app"
_BLANK = re.compile(r"\{([a-z_]+)\}")


def said_in_domain() -> set[str]:
    """The codes of history that the ladder writes: t.say("code", ...) and close(t, ..., "code")."""
    found = set()
    for path in (APP / "domain").glob("*.py"):
        source = path.read_text("utf-8")
        found |= set(re.findall(r'\.say\(\s*"([a-z_]+)"', source))
        found |= set(re.findall(r'\bclose\(\s*t,\s*[\w.()]+,\s*"([a-z_]+)"', source))
    return found


def amended() -> set[str]:
    """The codes that features write beside the ladder: amend(..., "code", ...)."""
    found = set()
    for path in APP.rglob("*.py"):
        source = path.read_text("utf-8")
        found |= set(re.findall(r'change\.amend\(\s*"([a-z_]+)"', source))
        found |= set(re.findall(r'engine\.amend\([^)]*?code="([a-z_]+)"', source))
    assert {"draft_changed", "company_confirmed"} <= found
    return found


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_code_has_words(language: str) -> None:
    say = words(language)
    needed = {
        "stages": {s.value for s in Stage},
        "outcomes": {o.value for o in Outcome},
        "letters": {k.value for k in LetterKind},
        "mandates": {m.value for m in MandateState},
        "letter_states": {s.value for s in LetterState},
        "offers": {k.value for k in OfferKind},
        "offer_states": {s.value for s in OfferState},
        "pauses": {p.value for p in PauseKind},
        "waiting_for": {w.value for w in WaitingOn} | {"nobody"},
        "facts": {t.__name__ for t in events.Event.__args__},
        "then": {f"after_{p.value}" for p in PauseKind}
        | {
            "nothing",
            "we_act",
            "their_time_starts",
            "body_opens",
            "we_ask_the_body",
            "paid_out",
            "after_you",
            "promise_broken",
            "contact",
            "reminder",
            "formal_notice",
            "complaint",
        },
        "history": (said := said_in_domain()) | amended(),
    }
    assert len(said) > 60 and {"submitted", "withdrawn", "letter_sent"} <= said
    missing = {group: sorted(codes - say.codes(group)) for group, codes in needed.items()}
    assert {g: m for g, m in missing.items() if m} == {}


def test_the_languages_have_the_same_codes_and_the_same_blanks() -> None:
    first, *others = (words(language) for language in LANGUAGES)
    for other in others:
        assert other.groups() == first.groups()
        for group in first.groups() - {"params"}:
            assert other.codes(group) == first.codes(group), group
            for code in first.codes(group):
                ours, theirs = (set(_BLANK.findall(w.term(group, code))) for w in (first, other))
                assert theirs <= ours, (group, code)


def test_blanks_are_filled_with_words_dates_and_money() -> None:
    say = words("en")
    text = say.say(
        "history",
        "letter_sent",
        {
            "company": "Slow_Parcels",
            "letter": "formal_notice",
            "channel": "post",
            "at": "2026-03-01 08:00:00+00:00",
        },
    )
    assert text == "The formal notice was sent to Slow_Parcels by post on 1 March 2026."
    assert say.say("history", "paid_out", {"amount": "1234"}, currency="JPY") == (
        "1234 JPY was paid out."
    )
    assert say.say(
        "history",
        "offered",
        {
            "kind": "voucher",
            "amount": 5000,
            "answer_by": datetime(2026, 3, 1, tzinfo=UTC).isoformat(),
        },
        currency="EUR",
    ) == ("The company offers a voucher: 50.00 EUR. Please answer by 1 March 2026.")
    assert words("sv").language == "en"


def test_a_code_from_a_newer_version_reads_as_itself() -> None:
    assert words("en").say("history", "moon_landed", {}) == "moon landed"
