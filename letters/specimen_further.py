"""Invented letters of the kinds beside the ladder's own (see letters.specimen)."""

from datetime import date
from typing import Any, Final

from letters.content import FURTHER, FurtherLetter
from letters.values import (
    ClientAccountPayment,
    CompanyPosition,
    DenialReason,
    EarlierLetter,
    LegalGround,
    NextStep,
    OfferTold,
    Party,
)

CLIENT_ACCOUNT = ClientAccountPayment(
    account_holder="Specimen Refund Agency Oy, client funds",
    iban="FI21 1234 5600 0007 85",
    bic="TESTFIHH",
    rf_reference="RF18 5390 0754 7034",
    payment_reference="5390 0754 7034",
)
OFFER: Final = OfferTold(
    kind="part", made_on=date(2026, 11, 16), minor=40_000, currency="EUR",
    answer_by=date(2026, 11, 25),
)  # fmt: skip
LINK: Final = "https://answers.agency.example/a/Zx81_kQ-3mB0vTn5RjW9sYcE7uHpLd2aGf6iOoXqN4t"
COLLECTOR: Final = Party(
    name="Perint\N{LATIN SMALL LETTER A WITH DIAERESIS} Esimerkki Oy",
    address_lines=("PL 111", "00101 Helsinki", "Finland"),
)


def further(kind: str, texts: dict[str, Any], common: dict[str, Any]) -> FurtherLetter:
    """A complete invented letter of this kind; KeyError for a kind that there is not."""
    told = texts["further"]
    quiet = {"items": (), "chronology": (), "enclosures": ()}
    own: dict[str, dict[str, Any]] = _demands(texts) | {
        "offer_accepted": {
            "offer": OFFER, "whole": True, "pay_by": date(2026, 12, 12), "payment": CLIENT_ACCOUNT,
        },
        "more_time": {"offer": OFFER, "asked_until": date(2026, 12, 2)},
        "wrong_party": {
            "told_on": date(2026, 11, 18), "answer_by": date(2026, 12, 4), "answer_link": LINK,
        },
        "mandate_notice": quiet | {"receives_money": True, "answer_link": LINK},
        "closing_company": quiet | {"outcome": "ended"},
        "closing_consumer": quiet | {
            "recipient": Party(
                name=common["claimants"][0].name, address_lines=common["claimants"][0].address_lines
            ),
            "respondent": common["recipient"], "outcome": told["outcome"],
            "closed_on": date(2026, 11, 20), "reopen_until": date(2027, 11, 20),
            "came_minor": 87_800, "fee_minor": 21_950, "paid_out_minor": 65_850,
            "sums_currency": "EUR",
        },
        "debt_dispute": {
            "recipient": COLLECTOR, "addressee": "collector", "creditor": common["recipient"].name,
            "debt_reference": "PE-2026-77120", "reason": "withdrawn",
            "answer_by": date(2026, 12, 4),
            "grounds": (LegalGround(law=told["dispute"]),),
        },
        "declaration": quiet | {
            "claimants": common["claimants"][:1], "declared": "cancellation",
            "contract": told["contract"], "concluded_on": date(2025, 3, 1),
            "effective": date(2026, 12, 31), "ground": None,
        },
    }  # fmt: skip
    fields = {**common, **own[kind]}
    made: FurtherLetter = FURTHER[kind](**fields)
    return made


def _demands(texts: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Fields of the letters that ask for payment again."""
    told = texts["further"]
    demand = {
        "deadline": date(2026, 12, 7),
        "next_steps": (
            NextStep(kind="formal_notice"), NextStep(kind="complaint", body=texts["body"]),
        ),
        "payment": CLIENT_ACCOUNT,
        "earlier": (EarlierLetter(kind="contact", sent_on=date(2026, 10, 30), channel="email"),),
        "answer_link": LINK,
    }  # fmt: skip
    return {
        "denial_answer": demand | {
            "refused_on": date(2026, 11, 18),
            "reasons": (
                DenialReason(
                    code="weather", said=told["said"], answer=texts["reply"], law=told["law"]
                ),
            ),
        },
        "promise_broken": demand | {
            "position": CompanyPosition(
                kind="promised", on=date(2026, 11, 5), promised_for=date(2026, 11, 19),
                minor=87_800, currency="EUR",
            ),
        },
        "offer_refused": demand | {"offer": OFFER, "counter_minor": 80_000},
        "full_settlement_refused": demand | {"offer": OFFER},
    }  # fmt: skip
