"""The parts of the reading, each by itself."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime

import pytest

from app.reading.addresses import case_addresses, case_reference
from app.reading.amounts import amounts
from app.reading.bounces import report_of
from app.reading.dates import days
from app.reading.html import html_words
from app.reading.mail import ParsedMail, Part
from app.reading.own_text import own_text
from app.reading.phrases import LANGUAGES, pattern_of_any, phrases
from app.reading.reader import read
from app.reading.trust import trust_of

TUESDAY = date(2026, 11, 10)


def mail(*headers: tuple[str, str], text: str = "", html: str = "") -> ParsedMail:
    return ParsedMail(
        headers or (("from", "a@b.example"),), text=text, html_text=html_words(html),
        sent_at=datetime(2026, 11, 10, 9, tzinfo=UTC),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("language", "text", "minor", "currency"),
    [
        ("fr", "1 234,50 €", 123450, "EUR"),
        ("fr", "1\u202f234,50\u00a0€".replace("\u202f", " ").replace("\u00a0", " "), 123450, "EUR"),
        ("de", "EUR 1.234,50", 123450, "EUR"),
        ("de", "60,- EUR", 6000, "EUR"),
        ("sv", "kr 450:-", 45000, "SEK"),
        ("sv", "1 150 kr", 115000, "SEK"),
        ("en", "£1,234.56", 123456, "GBP"),
        ("en", "$120", 12000, "USD"),
        ("fi", "59,90 euroa", 5990, "EUR"),
        ("fr", "2 × 41,50 €", 8300, "EUR"),
        ("en", "500 points", 50000, None),
        ("en", "JPY 38,400", 38400, "JPY"),
    ],
)
def test_sums_are_read_as_they_are_written(
    language: str, text: str, minor: int, currency: str | None
) -> None:
    found = amounts(text, phrases(language))
    assert [(a.minor, a.currency) for a in found] == [(minor, currency)]


@pytest.mark.parametrize(
    ("language", "text", "day"),
    [
        ("en", "05/12/2026", date(2026, 12, 5)),
        ("en", "within 10 working days", date(2026, 11, 24)),
        ("en", "next week", date(2026, 11, 20)),
        ("en", "January 9th", date(2027, 1, 9)),
        ("de", "bis zum 25. November", date(2026, 11, 25)),
        ("de", "Ende des Monats", date(2026, 11, 30)),
        ("fr", "le 1er décembre", date(2026, 12, 1)),
        ("fr", "sous 8 jours ouvrés", date(2026, 11, 20)),
        ("sv", "senast 4/12", date(2026, 12, 4)),
        ("sv", "vecka 48", date(2026, 11, 27)),
        ("fi", "kahden viikon kuluessa", date(2026, 11, 24)),
        ("fi", "25.11. mennessä", date(2026, 11, 25)),
        ("fi", "ensi viikon perjantaina", date(2026, 11, 20)),
    ],
)
def test_days_are_counted_from_the_day_of_the_mail(language: str, text: str, day: date) -> None:
    assert day in [d.day for d in days(text, TUESDAY, phrases(language))]


def test_impossible_days_are_no_days() -> None:
    assert days("31.2.2026, 45/13, 00/00/2026", TUESDAY, phrases("en")) == []


@pytest.mark.parametrize(
    ("body", "own"),
    [
        ("Yes.\n\nOn Mon, 2 Nov 2026 at 10:00, X <x@y.example> wrote:\n> Pay!", "Yes."),
        ("Ja.\n\nAm 02.11.2026 um 10:00 schrieb X:\n> Zahlen!", "Ja."),
        ("Oui.\n\nLe 2 nov. 2026 à 10:00, X <x@y.example> a écrit :\n> Payez", "Oui."),
        ("Ja.\n\nDen mån 2 nov. 2026 kl 10:00 skrev X <x@y.example>:\n> Betala", "Ja."),
        ("Kyllä.\n\nma 2. marrask. 2026 klo 10.00 X (x@y.example) kirjoitti:\n> Maksa", "Kyllä."),
        ("Yes.\n\nFrom: X <x@y.example>\nSent: Monday\nTo: Y\nSubject: Z\n\nPay!", "Yes."),
        ("Ja.\n____________\nVon: X\nGesendet: Montag\nAn: Y\nBetreff: Z\n\nBitte", "Ja."),
        ("> Did you pay?\nWe did.\n> When?\nOn Friday.", "We did. On Friday."),
        ("##- Please type your reply above this line -##\n\nWe will look.", "We will look."),
        ("We pay.\n\nKind regards\nAnna Smith\nClaims", "We pay."),
        ("We pay.\n\nThanks\nAnna", "We pay. Thanks Anna"),
        ("We pay.\n-- \nAnna Smith\nLtd", "We pay."),
    ],
)
def test_only_the_new_words_are_left(body: str, own: str) -> None:
    assert own_text(body).folded == own


def test_a_passed_on_mail_is_kept_apart() -> None:
    found = own_text(
        "See what they say.\n\n---------- Forwarded message ---------\n"
        "From: Air <a@air.example>\nDate: Mon\nSubject: No\nTo: me\n\nWe refuse."
    )
    assert found.folded == "See what they say."
    assert "We refuse." in found.forwarded


def test_hidden_words_of_html_are_not_read() -> None:
    assert (
        html_words(
            '<p>No.</p><div style="display:none">We pay EUR 500</div><p hidden>Yes</p>'
            '<span style="font-size:0">Yes</span><blockquote>Pay us</blockquote>'
        )
        == "No.\n\n> Pay us"
    )


def test_parts_that_contradict_each_other_are_never_sure() -> None:
    said = read(mail(
        ("from", "c@air.example"), text="We have agreed to refund EUR 250.00 to your account.",
        html="<p>Your claim is rejected because the crew was on strike that day.</p>",
    ))  # fmt: skip
    assert said.parts_disagree
    assert said.confidence < 0.6


def test_an_empty_mail_is_unclear_and_needs_a_person() -> None:
    said = read(mail())
    assert (said.kind, said.is_automatic, said.own_text) == ("unclear", False, "")


OURS = "mx.ours.example"


def trusted(results: list[str], sender: str = "Air <c@air.example>") -> tuple[str, tuple[str, ...]]:
    headers = [("from", sender), *(("authentication-results", r) for r in results)]
    found = trust_of(ParsedMail(tuple(headers)), authserv_id=OURS, known_domains=["air.example"])
    return found.level, found.reasons


def test_high_needs_an_aligned_pass_and_a_known_domain() -> None:
    passed = f"{OURS}; dmarc=pass header.from=air.example; spf=pass smtp.mailfrom=air.example"
    assert trusted([passed])[0] == "high"
    assert trusted([passed.replace("air.", "wind.")], "w@wind.example")[0] == "medium"
    signed = f"{OURS}; dkim=pass (2048 bits) header.d=mail.air.example"
    assert trusted([signed])[0] == "high"


@pytest.mark.parametrize(
    "results",
    [
        [],
        ["mx.theirs.example; dmarc=pass header.from=air.example"],
        # written by the sender below a line that is not ours
        ["mx.theirs.example; dmarc=fail", f"{OURS}; dmarc=pass header.from=air.example"],
        [f"{OURS}; dmarc=fail header.from=air.example"],
        [f"{OURS}; dmarc=none"],
        [f"{OURS}; dmarc=temperror header.from=air.example"],
        [f"{OURS}; spf=pass smtp.mailfrom=evil.example"],
        [f"{OURS}; dkim=pass header.d=evil.example"],
        [f"{OURS}; dkim=pass header.d=air.example header.l=10"],  # B208: signed in part
        [f"{OURS}; dkim=pass header.d=air.example.evil.example"],
        [f"{OURS}; dmarc=fail (dmarc=pass header.from=air.example)"],
    ],
)
def test_nothing_else_is_more_than_low(results: list[str]) -> None:
    assert trusted(results)[0] == "low"


@pytest.mark.parametrize(
    "sender",
    [
        "a@bank.example<evil@evil.example>",
        "a@air.example, b@air.example",
        '"c@air.example" <evil@evil.example>',
        "undisclosed:;",
        "",
    ],
)
def test_a_from_line_that_is_not_one_address_is_quarantined(sender: str) -> None:
    assert trusted([f"{OURS}; dmarc=pass header.from=air.example"], sender)[0] == "quarantine"


def test_two_from_lines_are_quarantined() -> None:
    twice = ParsedMail((("from", "a@air.example"), ("from", "b@evil.example")))
    assert trust_of(twice, authserv_id=OURS).reasons == ("several_from",)


@pytest.mark.parametrize(
    "address",
    [
        "case+9gm14phh.22eedcvnasyqhc75@in.ours.example",
        "CASE+RC-9GM1-4PHH.22EEDCVNASYQHC75@IN.OURS.EXAMPLE",
        "case.9gml4phh.22eedcvnasyqhc75@in.ours.example",
        "<case=9GM1-4PHH.22eedcvn\r\n asyqhc75@in.ours.example>",
    ],
)
def test_a_mangled_case_address_is_found(address: str) -> None:
    found = case_addresses(mail(("delivered-to", address)))
    assert [(a.reference, a.whole) for a in found] == [("RC-9GM1-4PHH", True)]


def test_a_reference_in_the_text_only_suggests_and_two_cases_name_none() -> None:
    assert case_reference(mail(("subject", "re: rc 9gm1 4phh")), "") == "RC-9GM1-4PHH"
    two = mail(
        ("to", "case+9gm14phh.22eedcvnasyqhc75@in.ours.example"),
        ("in-reply-to", "<RC-7GWE-4V4G.L1.x@in.ours.example>"),
    )
    assert case_reference(two, "") is None


@pytest.mark.parametrize(
    ("subject", "text", "bounced"),
    [
        (
            "failure notice",
            "Hi. This is the qmail-send program at x.example.\nI'm afraid I wasn't able to deliver"
            " your message.\n\n<a@b.example>:\n550 5.1.1 no such user",
            ("a@b.example", "5.1.1", True),
        ),
        (
            "Unzustellbar: RC-1",
            "Ihre Nachricht konnte nicht zugestellt werden.\n\na@b.example\n"
            "Die Adresse existiert nicht.",
            ("a@b.example", None, True),
        ),
        (
            "Notification d'état de remise (échec)",
            "Impossible de remettre votre message à :\n\na@b.example\n\n452 4.2.2 boîte pleine",
            ("a@b.example", "4.2.2", False),
        ),
    ],
)
def test_bounces_in_plain_words(
    subject: str, text: str, bounced: tuple[str, str | None, bool]
) -> None:
    found = report_of(
        mail(("from", "MAILER-DAEMON@x.example"), ("return-path", "<>"), ("subject", subject),
             text=text)
    )  # fmt: skip
    assert found is not None
    assert (found.recipient, found.status, found.permanent) == bounced


def test_a_report_of_success_is_automatic_and_no_bounce() -> None:
    report = ParsedMail(
        (("from", "MAILER-DAEMON@x.example"),),
        content_type="multipart/report",
        parts=(Part("message/delivery-status", "Reporting-MTA: dns; x\n\n"
                    "Final-Recipient: rfc822; a@b.example\nAction: delivered\nStatus: 2.0.0"),),
    )  # fmt: skip
    said = read(report)
    assert said.is_automatic and said.bounce is None
    assert said.report is not None and said.report.action == "delivered"


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_phrase_of_the_files_is_a_pattern(language: str) -> None:
    lists = {k: v for k, v in phrases(language).lists.items() if isinstance(v, list)}
    assert len(lists) > 60
    for name, listed in lists.items():
        assert pattern_of_any(listed).search("\x07") is None, name


def test_the_languages_speak_of_the_same_things() -> None:
    names = {lang: set(phrases(lang).lists) - {"within_after"} for lang in LANGUAGES}
    assert len({frozenset(n) for n in names.values()}) == 1


@pytest.mark.parametrize(
    "unit", ["550 ", "5.1.1 ", "1 000 000 € ", "> 550 550 eur ", "On 1 wrote: \n", "[", "?!",
             "From: a\n", "cannot not we will ", "a@b.c "]
)  # fmt: skip
@pytest.mark.parametrize("sender", ["a@b.example", "MAILER-DAEMON@b.example"])
def test_what_was_made_to_be_slow_is_read_in_time(unit: str, sender: str) -> None:
    """The cost grows with the length and no faster: each of these once took its square."""
    headers = (("from", sender), ("return-path", "<>"), ("subject", "failure notice"))
    started = time.monotonic()
    read(mail(*headers, text=unit * (100_000 // len(unit))))
    assert time.monotonic() - started < 3
