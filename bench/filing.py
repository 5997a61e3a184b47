"""What the benchmarks file: one complete case of an ordinary kind, a new person each time."""

from __future__ import annotations

import copy
import secrets
from typing import Any

import orjson

CLAIM: dict[str, Any] = {
    "claim_kind": "online_not_delivered",
    "jurisdiction": "FI",
    "currency": "EUR",
    "company": {"name": "Slow Parcels Ltd", "country": "FI"},
    "booking_reference": "ORDER-1234",
    "what_happened": "I ordered a kettle on the first of the month and it never came. I wrote to"
    " the shop twice; they answered that the parcel was on its way.",
    "language": "en",
    "answers": {"bought_as": "private", "wants": ["refund"], "promised_delivery": "2026-01-03"},
    "items": [
        {"what": "kettle", "kind": "price", "amount": {"amount": "80.00", "currency": "EUR"}},
        {
            "what": "bus to the pick-up point",
            "kind": "care",
            "amount": {"amount": "5.60", "currency": "EUR"},
        },
    ],
    "first_written_complaint": "2026-01-05",
}
PERSON: dict[str, Any] = {
    "name": "Anna Virtanen",
    "country": "FI",
    "language": "en",
    "address": {"lines": ["Kotikatu 1 A 2", "00100 Helsinki"]},
    "birth_date": "1980-02-29",
}


def filing(**claim: Any) -> dict[str, Any]:
    """A complete case for a person nobody has seen, as an app posts it."""
    person = {**PERSON, "email": f"p{secrets.token_hex(10)}@people.test"}
    return {"claim": copy.deepcopy(CLAIM) | claim, "consumer": person}


def filing_bytes(booking: str = "ORDER-1234") -> bytes:
    return orjson.dumps(filing(booking_reference=booking))
