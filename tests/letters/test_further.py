"""The letters beside the ladder's own: complete or refused, and what each must and must not say."""

import dataclasses
import html
import re
from datetime import date
from typing import Any

import pytest

from letters import render
from letters.content import (
    FURTHER,
    LANGUAGES,
    CompanyPosition,
    LetterIncomplete,
    LetterInvalid,
    content_from_dict,
    to_dict,
)
from letters.letter import Letter
from letters.specimen import specimen


def text_of(letter: Any) -> str:
    body = render.render_html(letter).partition("<body>")[2]
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", body)).split()).replace("\xa0", " ")


def changed(kind: str, **fields: Any) -> Any:
    return dataclasses.replace(specimen(kind, "en"), **fields)


@pytest.mark.parametrize("kind", FURTHER)
def test_each_survives_storage_and_names_whatever_it_lacks_with_its_source(kind: str) -> None:
    made = FURTHER[kind]
    stored = to_dict(specimen(kind, "fi"))
    assert content_from_dict(stored) == specimen(kind, "fi")
    shared = {each.name for each in dataclasses.fields(Letter)}
    own = [
        each.name for each in dataclasses.fields(made)
        if each.name not in shared and each.default is dataclasses.MISSING
    ]  # fmt: skip
    assert set(own) <= set(made.sources), "every own field says where it comes from"
    for field in own:
        with pytest.raises(LetterIncomplete) as refusal:
            content_from_dict({name: value for name, value in stored.items() if name != field})
        assert (refusal.value.field, refusal.value.source) == (field, made.sources[field])
        with pytest.raises(LetterIncomplete):
            content_from_dict({**stored, field: None})


@pytest.mark.parametrize(
    ("kind", "fields", "refused"),
    [
        ("denial_answer", {"reasons": ()}, "reasons"),
        ("denial_answer", {"refused_on": date(2027, 1, 1)}, "refused_on"),
        ("promise_broken", {"position": CompanyPosition(kind="silent")}, "promised_for"),
        ("promise_broken", {"position": None}, "promised_for"),
        ("offer_refused", {"counter_minor": 40_000}, "counter_minor"),
        ("offer_accepted", {"payment": None}, "payment"),
        ("offer_accepted", {"pay_by": date(2026, 11, 21)}, "pay_by"),
        ("more_time", {"asked_until": date(2026, 11, 25)}, "asked_until"),
        ("wrong_party", {"answer_by": date(2026, 11, 1)}, "answer_by"),
        ("wrong_party", {"chronology": ()}, "chronology"),
        ("mandate_notice", {"claimants": ()}, "claimants"),
        ("mandate_notice", {"answer_link": "javascript:alert(1)"}, "answer_link"),
        ("closing_consumer", {"sums_currency": None}, "sums_currency"),
        ("closing_consumer", {"reopen_until": date(2026, 1, 1)}, "reopen_until"),
        ("debt_dispute", {"answer_by": date(2026, 11, 21)}, "answer_by"),
        ("declaration", {"claimants": specimen("contact", "en").claimants}, "claimants"),
        ("declaration", {"declared": "extra_time", "effective": None}, "effective"),
        ("declaration", {"declared": "defect_notice"}, "chronology"),
        ("declaration", {"declared": "assignment"}, "declared"),
    ],
)
def test_what_belongs_together_must_be_there(kind: str, fields: Any, refused: str) -> None:
    with pytest.raises((LetterIncomplete, LetterInvalid), match=refused):
        changed(kind, **fields)


def test_each_says_what_it_is_for() -> None:
    said = {
        "denial_answer": ("refused the claim", "Article 5(3)", "EUR 878.00 by 7 December 2026"),
        "promise_broken": ("promised to pay EUR 878.00 by 19 November 2026",),
        "offer_refused": ("do not accept this offer", "EUR 800.00", "it admits nothing"),
        "full_settlement_refused": ("returned to the account it came from", "rest stays due"),
        "offer_accepted": ("We accept this offer", "Amount EUR 400.00", "nothing more is claimed"),
        "more_time": ("open until 2 December 2026", "neither accepts nor refuses"),
        "wrong_party": ("full name, register number and address",),
        "mandate_notice": ("matter alone", "also includes receiving payment"),
        "closing_company": ("waives nothing",),
        "closing_consumer": ("Our fee, VAT included EUR 219.50", "Paid out to you EUR 658.50"),
        "debt_dispute": ("acknowledges no debt", "Article 18(1)(a)", "PE-2026-77120"),
        "declaration": ("I cancel the contract", "only carries it to you"),
    }
    assert set(said) == set(FURTHER)
    for kind, sentences in said.items():
        text = text_of(specimen(kind, "en"))
        assert [each for each in sentences if each not in text] == [], kind
    assert "receiving payment: please pay" in text_of(
        changed("mandate_notice", receives_money=False)
    )
    assert "rest of the claim stays due" in text_of(changed("offer_accepted", whole=False))


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_choice_a_letter_has_is_worded_in_every_language(language: Any) -> None:
    seen: set[str] = set()

    def fresh(kind: str, **fields: Any) -> None:
        text = text_of(dataclasses.replace(specimen(kind, language), **fields))
        assert "None" not in text and text not in seen
        seen.add(text)

    day = date(2026, 12, 31)
    facts = specimen("contact", language).chronology
    for declared in (
        "withdrawal", "cancellation", "rescission", "defect_notice", "extra_time", "debit_stop",
    ):  # fmt: skip
        fresh("declaration", declared=declared, effective=day, chronology=facts)
    fresh("declaration", declared="cancellation", effective=None)
    fresh("declaration", declared="debit_stop", effective=None)
    for reason in (
        "never_owed",
        "paid",
        "not_delivered",
        "withdrawn",
        "other_person",
        "in_dispute",
    ):
        for addressee in ("collector", "credit_bureau"):
            fresh("debt_dispute", reason=reason, addressee=addressee, chronology=())
    for outcome in ("paid", "settled", "ended"):
        fresh("closing_company", outcome=outcome)
    offer = specimen("more_time", "en")
    assert offer.kind == "more_time"
    for kind in ("part", "voucher", "goodwill"):
        told = dataclasses.replace(offer.offer, kind=kind)  # type: ignore[union-attr]  # more_time
        for whole in (True, False):
            fresh("offer_accepted", offer=told, whole=whole)
    one = specimen("contact", language).claimants[:1]
    for kind in FURTHER:
        items = tuple(i for i in specimen(kind, language).items if i.creditor == one[0].name)
        fresh(kind, claimants=one, items=items, undelivered="claims@norrvind.example")


def test_a_declaration_stands_in_the_consumers_own_name() -> None:
    page = render.render_html(specimen("declaration", "en"))
    assert '<p class="name">Reetta Kallunki</p>' in page
    assert '<p class="signatory">Reetta Kallunki</p>' in page
    assert "Aino Esimerkki" not in page
