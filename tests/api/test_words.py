"""Every code people may meet has words, in every language, with blanks somebody fills."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from app.banking.match_rules import load_rules
from app.cases.words import promised_date
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
from app.domain.legal_clocks import STARTS
from app.domain.matching.facts import STEPS
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


def matching_doubts() -> set[str]:
    """Codes of reasons in the matching that speak against: all but those that have points."""
    source = "".join(p.read_text("utf-8") for p in (APP / "domain" / "matching").glob("*.py"))
    found = set(re.findall(r'Reason\("([a-z_]+)"', source)) - set(load_rules().score)
    assert {"points_elsewhere", "advice_sum_differs"} <= found
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
        "match_steps": set(STEPS) | {"person"},
        "match_reasons": set(load_rules().score),
        "match_doubts": matching_doubts(),
        "history": (said := said_in_domain()) | amended(),
    }
    assert len(said) > 60 and {"submitted", "withdrawn", "letter_sent"} <= said
    missing = {group: sorted(codes - say.codes(group)) for group, codes in needed.items()}
    assert {g: m for g, m in missing.items() if m} == {}


def test_the_languages_have_the_same_codes_and_the_same_blanks() -> None:
    first, *others = (words(language) for language in LANGUAGES)
    for other in others:
        assert other.groups() == first.groups()
        for group in first.groups() - {"params", "money"}:
            assert other.codes(group) == first.codes(group), group
            for code in first.codes(group):
                ours, theirs = (set(_BLANK.findall(w.term(group, code))) for w in (first, other))
                assert theirs == ours, (other.language, group, code)
        assert other.document("params") == first.document("params")


SAME_IN_BOTH = {("fr", "question")}  # words that truly are the same as in English


def test_no_sentence_was_left_in_english() -> None:
    first, *others = (words(language) for language in LANGUAGES)
    left = {
        (other.language, first.term(group, code))
        for other in others
        for group in first.groups() - {"params", "money"}
        for code in first.codes(group)
        if other.term(group, code) == first.term(group, code)
    }
    assert left == SAME_IN_BOTH


@pytest.mark.parametrize(
    ("language", "euros", "kronor", "first_of_march"),
    [
        ("en", "€1,234.50", "SEK_1,234.50", "1 March 2026"),
        ("fi", "1_234,50_€", "1_234,50_SEK", "1.3.2026"),
        ("sv", "1_234,50_€", "1_234,50_kr", "1 mars 2026"),
        ("fr", "1_234,50_€", "1_234,50_SEK", "1er mars 2026"),
        ("de", "1.234,50_€", "1.234,50_SEK", "1. März 2026"),
    ],
)
def test_sums_and_days_are_written_as_the_reader_writes_them(
    language: str, euros: str, kronor: str, first_of_march: str
) -> None:
    say = words(language)
    sums = (say.money(123450, "EUR"), say.money(123450, "SEK"))
    assert sums == (euros.replace("_", "\u00a0"), kronor.replace("_", "\u00a0"))
    assert say.money(-50, "EUR") == "-" + say.money(50, "EUR")
    assert say.money(1234, "JPY").count("34") == 1
    assert say.dated("2026-03-01T08:00:00+00:00") == say.dated("2026-03-01") == first_of_march
    assert say.dated("2026-02-30") is None
    told = say.say("history", "paid_out", {"amount": 123450}, currency="EUR")
    assert euros.replace("_", "\u00a0") in told and "  " not in told


def test_every_fact_a_date_runs_from_has_words() -> None:
    found = set(STARTS.values())
    for path in (APP / "domain").glob("*.py"):
        source = path.read_text("utf-8")
        for form in (r'start_event="(\w+)"', r'start_clock\([^"\n]*"(\w+)"', r'Basis\(\s*"(\w+)"'):
            found |= set(re.findall(form, source))
        if path.stem == "waits":
            found |= set(re.findall(r'(?:case|name ==) "(\w+)"', source))
    assert {"agreed", "letter_handed_over", "promise", "payment_due", "bill_date"} <= found
    assert found - words("en").codes("facts") == set()


@pytest.mark.parametrize(
    ("start_event", "period", "german"),
    [
        ("LetterHandedOver", "10 working_days, resumed", "10 Arbeitstage, fortgesetzt nach"),
        ("agreed", "1 clear working day", "1 voller Arbeitstag, gezählt"),
        ("promise", "until the day named", "bis zum genannten Tag, gezählt"),
        ("pause.unread_reply", "unread_reply, held", "bis zu einem festen Tag, verschoben"),
        ("pause.hold", "note:7", "bis zu einem festen Tag, gezählt"),
    ],
)
def test_a_date_explains_its_period_in_the_readers_language(
    start_event: str, period: str, german: str
) -> None:
    basis = {"start": "2026-11-20T08:00:00+00:00", "start_event": start_event, "rule": "r"}
    basis |= {"period": period, "whose": "law"}
    due = datetime(2026, 12, 7, 7, tzinfo=UTC)
    row = {"due_at": due, "due_basis": basis}
    told = promised_date(row, words("de"), ZoneInfo("Europe/Berlin"))
    assert told is not None
    assert told.explanation.startswith(f"Bis 7. Dezember 2026: {german}")
    assert told.explanation.endswith("; diesen Tag setzt das Gesetz.")


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
        "JPY\u00a01,234 was paid out."
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
    ) == ("The company offers a voucher: €50.00. Please answer by 1 March 2026.")
    assert words("pl").language == "en"


def test_a_code_from_a_newer_version_reads_as_itself() -> None:
    assert words("en").say("history", "moon_landed", {}) == "moon landed"
