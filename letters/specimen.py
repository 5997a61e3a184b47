"""Invented letters with every part filled: to warm a renderer, to try an installation, to look at.

The persons, companies and numbers are made up; the account is the well-known example IBAN of
the Finnish banks' documentation with valid check digits.
"""

import functools
import typing
from datetime import date
from pathlib import Path
from typing import Any

import yaml

from letters.content import (
    Agency,
    AmountLine,
    AnyLetter,
    ChronologyEntry,
    Claimant,
    CompanyPosition,
    ComplaintLetter,
    ContactLetter,
    DirectPayment,
    EarlierLetter,
    Exhibit,
    FormalNotice,
    Formula,
    Interest,
    Language,
    LegalGround,
    NetShown,
    NextStep,
    PagePart,
    Party,
    ReminderLetter,
    SignedMandate,
)
from letters.mandate import Heading
from letters.specimen_further import CLIENT_ACCOUNT, further

AGENCY = Agency(
    name="Specimen Refund Agency Oy",
    address_lines=("Mallikatu 1 A", "00100 Helsinki", "Finland"),
    register_number="0000000-0",
    signatory="Aino Esimerkki",
    signatory_title=None,
    phone="+358 9 000 0000",
)
COMPANY = Party(
    name="Norrvind Air plc",
    brand="Norrvind",
    address_lines=(
        "Customer Relations",
        "1 Harbour Terminal",
        "Leith",
        "Edinburgh EH6 6JJ",
        "United Kingdom",
    ),
    register_number="SC000000",
    email="claims@norrvind.example",
)
CLAIMANTS = (
    Claimant(
        name="Reetta Kallunki",
        address_lines=("Koivukuja 4 B 12", "33100 Tampere", "Finland"),
        mandate_reference="M-2026-00417",
        mandate_signed_on=date(2026, 10, 28),
    ),
    Claimant(
        name="Ólafur Þór Åkerström",
        address_lines=("Koivukuja 4 B 12", "33100 Tampere", "Finland"),
        mandate_reference="M-2026-00418",
        mandate_signed_on=date(2026, 10, 29),
    ),
)


@functools.cache
def _texts() -> dict[str, dict[str, Any]]:
    loaded: dict[str, dict[str, Any]] = yaml.safe_load(
        Path(__file__).with_suffix(".yaml").read_text("utf-8")
    )
    return loaded


def _common(language: Language) -> dict[str, Any]:
    texts = _texts()[language]
    days = (date(2026, 8, 3), date(2026, 10, 12), date(2026, 10, 14))
    items = [
        AmountLine(
            what=what,
            minor=minor,
            currency="EUR",
            creditor=claimant.name,
            ground=LegalGround(law=law),
        )
        for claimant in CLAIMANTS
        for what, minor, law in zip(texts["items"], (18900, 25000), texts["grounds"], strict=True)
    ]
    return {
        "language": language,
        "dated": date(2026, 11, 21),
        "reference": "RC-7K2M-9QX4",
        "booking_reference": "HL9RT4",
        "agency": AGENCY,
        "reply_email": "case+7k2m9qx4.t5d8@agency.example",
        "recipient": COMPANY,
        "claimants": CLAIMANTS,
        "service": texts["service"],
        "chronology": tuple(
            ChronologyEntry(on=day, what=what)
            for day, what in zip(days, texts["facts"], strict=True)
        ),
        "items": tuple(items),
        "enclosures": tuple(
            Exhibit(label=str(number), title=title, dated=None)
            for number, title in enumerate(texts["exhibits"], start=1)
        ),
    }


OWN_COMPLAINT = EarlierLetter(
    kind="consumer_complaint", sent_on=date(2026, 10, 14), channel="email"
)
FIRST_DEMAND = EarlierLetter(
    kind="contact", sent_on=date(2026, 10, 30), channel="email", answer_by=date(2026, 11, 13)
)
REMINDER = EarlierLetter(
    kind="reminder", sent_on=date(2026, 11, 14), channel="email", answer_by=date(2026, 11, 20)
)


def specimen(kind: str, language: Language) -> AnyLetter:
    """A complete invented letter of this kind (a key of `content.LETTERS`), else KeyError."""
    texts, common = _texts()[language], _common(language)
    board = NextStep(kind="complaint", body=texts["body"])
    interest = Interest(law=texts["law"], starts_on=date(2026, 11, 30))
    if kind == "contact":
        return ContactLetter(
            **common,
            earlier=(OWN_COMPLAINT,),
            deadline=date(2026, 12, 7),
            position=CompanyPosition(kind="automatic_only", on=date(2026, 10, 14)),
            next_steps=(NextStep(kind="reminder"), NextStep(kind="formal_notice"), board),
            payment=CLIENT_ACCOUNT,
        )
    if kind == "reminder":
        return ReminderLetter(
            **common,
            earlier=(OWN_COMPLAINT, FIRST_DEMAND),
            deadline=date(2026, 12, 1),
            position=CompanyPosition(kind="silent"),
            next_steps=(NextStep(kind="formal_notice"), board),
            payment=DirectPayment(payee="Reetta Kallunki", method="original_means"),
        )
    if kind == "formal_notice":
        return FormalNotice(
            **common,
            earlier=(OWN_COMPLAINT, FIRST_DEMAND, REMINDER),
            deadline=date(2026, 12, 7),
            position=CompanyPosition(
                kind="refused", on=date(2026, 11, 18), our_reply=texts["reply"]
            ),
            next_steps=(board, NextStep(kind="court")),
            payment=CLIENT_ACCOUNT,
            interest=interest,
            formula=Formula(name=texts["formula"], language=language),
            dispute_body=texts["body"],
            delivery="registered_post",
        )
    if kind == "complaint":
        body = Party(name=texts["body"], address_lines=("PL 000", "00000 Helsinki", "Finland"))
        return ComplaintLetter(
            **{**common, "recipient": body},
            respondent=COMPANY,
            earlier=(OWN_COMPLAINT, FIRST_DEMAND, REMINDER),
            first_complaint_on=date(2026, 10, 14),
            position=CompanyPosition(
                kind="refused", on=date(2026, 11, 18), our_reply=texts["reply"]
            ),
            requested="recommendation",
            status_inquiry_on=date(2027, 2, 22),
            interest=interest,
            delivery="web_form",
        )
    if kind == "signed_mandate":
        return _signed_mandate(texts, common)
    return further(kind, texts, common)


def _signed_mandate(texts: dict[str, Any], common: dict[str, Any]) -> SignedMandate:
    signer = CLAIMANTS[0]
    quiet: dict[str, Any] = {"items": (), "chronology": (), "enclosures": ()}
    headings: tuple[Heading, ...] = typing.get_args(Heading)
    return SignedMandate(
        **{k: v for k, v in (common | quiet).items() if k not in ("recipient", "claimants")},
        claimants=(signer,),
        recipient=Party(name=signer.name, address_lines=signer.address_lines),
        mandate_texts=(texts["facts"][0], texts["facts"][1]),
        signed_name=signer.name,
        level="drawn",
        signed_on=signer.mandate_signed_on,
        signed_time="14:05 (12:05 UTC)",
        network_address="2001:db8::7",
        device="Mozilla/5.0 (X11; Linux x86_64)",
        drawing="M40 220L180 60L260 250L340 90M400 160L700 140L900 210",
        text_version="2026-2",
        text_sha256="5c" * 32,
        page_sha256="a7" * 32,
        fee_rule="standard-2026@1",
        start_text=texts["facts"][2],
        page=tuple(PagePart(heading=one, lines=(texts["service"],)) for one in headings),
        nets=(
            NetShown(outcome=texts["items"][0], recovered_minor=43_900, fee_minor=10_975,
                     vat_minor=2_230, yours_minor=32_925),
            NetShown(outcome=texts["items"][1], recovered_minor=None, fee_minor=None,
                     vat_minor=None, yours_minor=None),
        ),
        nets_currency="EUR",
    )  # fmt: skip


__all__ = ["AGENCY", "CLAIMANTS", "CLIENT_ACCOUNT", "COMPANY", "specimen"]
