"""A letter that exists is complete; what is stored comes back as it was."""

import dataclasses
import json
from datetime import date, datetime
from typing import Any

import pytest

from letters import limits
from letters.content import (
    AmountLine,
    AnyLetter,
    CompanyPosition,
    DirectPayment,
    LetterIncomplete,
    LetterInvalid,
    LetterTooLarge,
    NextStep,
    Party,
    ReceivedPayment,
    UnknownLetter,
    content_from_dict,
    to_dict,
)
from letters.specimen import CLIENT_ACCOUNT, COMPANY, specimen


def changed(letter: AnyLetter, **fields: Any) -> AnyLetter:
    return dataclasses.replace(letter, **fields)


CONTACT = specimen("contact", "en")
COMPLAINT = specimen("complaint", "fi")


def test_a_letter_survives_storage_as_json(letter: AnyLetter) -> None:
    stored = json.dumps(to_dict(letter))
    assert content_from_dict(json.loads(stored)) == letter


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("kind", "telegram"),
        ("kind", None),
        ("kind", ["contact"]),
        ("version", 2),
        ("version", "1"),
        ("version", True),
        ("version", None),
    ],
)
def test_an_unknown_kind_or_version_is_named_and_refused(part: str, value: object) -> None:
    with pytest.raises(UnknownLetter):
        content_from_dict({**to_dict(CONTACT), part: value})


def test_a_stored_letter_with_an_unknown_field_is_refused() -> None:
    with pytest.raises(LetterInvalid, match=r"recipient\.fax"):
        stored = to_dict(CONTACT)
        stored["recipient"]["fax"] = "1"
        content_from_dict(stored)


@pytest.mark.parametrize("stored", [None, [], "letter", 7])
def test_what_is_no_object_is_no_letter(stored: object) -> None:
    with pytest.raises(LetterInvalid):
        content_from_dict(stored)


@pytest.mark.parametrize(
    ("field", "source"),
    [
        ("reference", "case"),
        ("recipient", "company"),
        ("claimants", "consumer and mandate"),
        ("agency", "agency profile"),
        ("deadline", "playbook"),
        ("chronology", "case"),
        ("service", "case"),
        ("reply_email", "case"),
        ("dated", "case"),
        ("next_steps", "playbook"),
    ],
)
def test_a_missing_field_is_named_with_the_record_it_comes_from(field: str, source: str) -> None:
    stored = to_dict(CONTACT)
    del stored[field]
    with pytest.raises(LetterIncomplete) as refusal:
        content_from_dict(stored)
    assert (refusal.value.field, refusal.value.source) == (field, source)


@pytest.mark.parametrize("blank", ["", "   ", "\u200b\u200b", "\u00ad", "\n", None])
def test_a_blank_name_is_a_missing_name(blank: Any) -> None:
    party = Party(name=blank, address_lines=COMPANY.address_lines)
    with pytest.raises(LetterIncomplete) as refusal:
        changed(CONTACT, recipient=party)
    assert (refusal.value.field, refusal.value.source) == ("recipient.name", "company")


def test_a_letter_without_an_address_is_refused() -> None:
    with pytest.raises(LetterIncomplete, match=r"recipient\.address_lines"):
        changed(CONTACT, recipient=Party(name="Norrvind Air plc", address_lines=()))


def test_a_complaint_names_the_body_as_source_of_its_recipient() -> None:
    with pytest.raises(LetterIncomplete) as refusal:
        changed(COMPLAINT, recipient=Party(name="", address_lines=("x",)))
    assert refusal.value.source == "body"


@pytest.mark.parametrize(
    ("fields", "refused"),
    [
        ({"claimants": ()}, "claimants"),
        ({"chronology": ()}, "chronology"),
        ({"items": (), "remedies": ()}, "items"),
        ({"payment": None}, "payment"),
        ({"next_steps": ()}, "next_steps"),
        ({"next_steps": (NextStep(kind="complaint"),)}, r"next_steps\[0\].body"),
        ({"payment": DirectPayment(payee="x", method="account")}, "payment.account_lines"),
        ({"position": CompanyPosition(kind="refused")}, "position.on"),
        (
            {"position": CompanyPosition(kind="promised", on=date(2026, 11, 1))},
            "position.promised_for",
        ),
    ],
)
def test_what_belongs_together_must_be_there(fields: dict[str, Any], refused: str) -> None:
    with pytest.raises(LetterIncomplete, match=refused):
        changed(CONTACT, **fields)


@pytest.mark.parametrize(
    ("fields", "refused"),
    [
        ({"deadline": date(2026, 11, 21)}, "deadline"),
        ({"deadline": datetime(2026, 12, 24)}, "deadline"),
        ({"language": "xx"}, "language"),
        ({"reference": "RC-7K2M"}, "reference"),
        ({"reply_email": "nobody"}, "reply_email"),
        ({"draft": "yes"}, "draft"),
        (
            {"received": (ReceivedPayment(on=date(2026, 11, 1), minor=87800, currency="EUR"),)},
            "received",
        ),
        (
            {"received": (ReceivedPayment(on=date(2026, 11, 1), minor=100, currency="USD"),)},
            "received.currency",
        ),
        (
            {"payment": dataclasses.replace(CLIENT_ACCOUNT, iban="FI21 1234 5600 0007 86")},
            "payment.iban",
        ),
        (
            {"payment": dataclasses.replace(CLIENT_ACCOUNT, rf_reference="RF19 5390 0754 7034")},
            "payment.rf_reference",
        ),
    ],
)
def test_a_value_no_letter_may_carry_is_refused(fields: dict[str, Any], refused: str) -> None:
    with pytest.raises(LetterInvalid) as refusal:
        changed(CONTACT, **fields)
    assert refusal.value.field == refused


@pytest.mark.parametrize("minor", [0, -1, True, 2**53, 12.5, "100"])
def test_an_impossible_amount_is_refused(minor: Any) -> None:
    line = dataclasses.replace(CONTACT.items[0], minor=minor)
    with pytest.raises(LetterInvalid, match="minor"):
        changed(CONTACT, items=(line,))


def test_a_letter_demands_nothing_for_someone_who_did_not_sign() -> None:
    line = AmountLine(what="Ticket", minor=100, currency="EUR", creditor="Somebody Else")
    with pytest.raises(LetterInvalid, match="creditor"):
        changed(CONTACT, items=(line,))


def test_money_that_arrived_is_taken_off() -> None:
    paid = ReceivedPayment(on=date(2026, 11, 2), minor=7800, currency="EUR")
    assert changed(CONTACT, received=(paid,)).outstanding_minor == 80000


@pytest.mark.parametrize(
    ("fields", "refused"),
    [
        ({"service": "x" * (limits.LINE_CHARS_MAX + 1)}, "service"),
        ({"remedies": ("x",) * (limits.ROWS_MAX + 1)}, "remedies"),
        ({"items": CONTACT.items * 101}, "items"),
        ({"recipient": Party(name="n", address_lines=("line",) * 100)}, "recipient.address_lines"),
        ({"recipient": Party(name="n" * 50_000, address_lines=("line",))}, "recipient.name"),
        (
            {"chronology": (dataclasses.replace(CONTACT.chronology[0], what="word " * 200_000),)},
            "chronology[0].what",
        ),
        (
            {"chronology": (dataclasses.replace(CONTACT.chronology[0], what="word " * 9_000),) * 5},
            "letter",
        ),
    ],
)
def test_what_is_too_large_is_refused(fields: dict[str, Any], refused: str) -> None:
    with pytest.raises(LetterTooLarge) as refusal:
        changed(CONTACT, **fields)
    assert refusal.value.field == refused


def test_invisible_characters_leave_and_line_breaks_become_blanks() -> None:
    dirty = changed(
        CONTACT, reference="RC-7K2M\u00ad-\u200b9QX4\u202e", service="flight\r\nNB\u0000 0931\u2066"
    )
    assert (dirty.reference, dirty.service) == ("RC-7K2M-9QX4", "flight NB  0931")


def test_letters_are_composed() -> None:
    assert changed(CONTACT, service="Ma\u0308ki").service == "M\u00e4ki"


def test_half_a_surrogate_pair_is_refused() -> None:
    with pytest.raises(LetterInvalid, match="service"):
        changed(CONTACT, service="flight \ud800")
