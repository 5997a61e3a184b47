"""A record of adr_bodies.yaml -> a Body: its dates, limits, languages, fee and who may file.

Nothing of a body is typed into a playbook but what its record lacks.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from app.domain.counting import Period
from app.domain.playbook import Body, BodyFee
from app.law import reference
from app.law.body_terms import period_of, terms_of
from app.playbooks.schema import BodyIn

Record = Mapping[str, Any]

KINDS: Final = {
    "adr": "adr", "ombudsman": "adr", "neb": "regulator", "regulator": "regulator",
    "court": "court", "escalation_step": "step",
}  # fmt: skip
# Records may name other languages for a kind of matter.
LANGUAGES_OF: Final = {
    "air": ("languages_air_eu261", "languages_travel"),
    "package": ("languages_travel",), "lodging": ("languages_travel",),
    "ground": ("languages_travel",),
}  # fmt: skip
MINOR: Final = 100  # every currency of a body's record has hundredths
_LANGUAGE: Final = re.compile(r"[a-z]{2}")


class BodyUnusable(ValueError):
    """The record is no body to complain to, or lacks what filing needs."""


def body_of(body_id: str, takes: Period, given: BodyIn | None = None, family: str = "any") -> Body:
    """`takes`: how long it takes where neither record nor file says so. Raises BodyUnusable."""
    record, given = reference.bodies()[body_id], given or BodyIn(id=body_id)
    if record["kind"] not in KINDS or record.get("status") == "closed":
        raise BodyUnusable(f"{body_id} takes no complaints")
    _not_typed_twice(record, given)
    try:
        terms = terms_of(record)
    except ValueError as unknown:
        raise BodyUnusable(str(unknown)) from None
    low, high, currency = _limits(record, given)
    address, email = _post(record, given), given.email or record.get("email")
    who = str(record.get("agent", "unknown"))
    who = who if who in ("consumer_only", "consumer_or_mandated") else "unknown"
    return Body(
        id=body_id,
        name=given.name or str(record["name"]),
        wait=given.wait.domain() if given.wait else _duration(record) or takes,
        may_agency_file=_may_file(who, given) and bool(address or email),
        address=address,
        email=email,
        languages=_languages(record, given, family),
        min_amount_minor=low,
        kind=KINDS[record["kind"]],
        who_files=who,
        how=_how(record),
        opens_after=terms.opens_after,
        opens_on_refusal=terms.opens_on_refusal,
        earlier_wait=terms.earlier_wait,
        closes_after=terms.closes_after,
        closes_from=terms.closes_from,
        needs_body=(record.get("requires") or {}).get("prior_body"),
        max_amount_minor=high,
        amount_currency=currency,
        fee=_fee(record),
        mandate_level=given.mandate_level,
        alternative=_alternative(body_id),
        verified=bool(record["verified"]),
        rule=body_id,
    )


def _not_typed_twice(record: Record, given: BodyIn) -> None:
    said = {
        "wait": _duration(record), "email": record.get("email"), "address": record.get("post"),
        "max_amount": (record.get("limits") or {}).get("max")
        if isinstance(record.get("limits"), Mapping) else None,
    }  # fmt: skip
    for field, value in said.items():
        if value and getattr(given, field):
            raise BodyUnusable(f"{field} stands in the record of {given.id} already")


def _may_file(who: str, given: BodyIn) -> bool:
    return who == "consumer_or_mandated" and given.may_agency_file is not False


def _duration(record: Record) -> Period | None:
    span = record.get("duration")
    if isinstance(span, Mapping):
        return period_of(span)
    days = record.get("target_duration_days")
    return Period(int(days), "days") if days else None


def _post(record: Record, given: BodyIn) -> tuple[str, ...]:
    lines = tuple(part.strip() for part in str(record.get("post") or "").split(",") if part)
    return lines or tuple(given.address)


def _languages(record: Record, given: BodyIn, family: str) -> tuple[str, ...]:
    named = next((f for f in LANGUAGES_OF.get(family, ()) if f in record), "languages")
    found = tuple(x for x in record.get(named) or () if _LANGUAGE.fullmatch(str(x)))
    return tuple(given.languages or ()) or found or ("en",)


def _how(record: Record) -> str:
    channels = [str(c) for c in record.get("channels") or ()]
    if not channels or any("form" in c or "online" in c for c in channels):
        return "form"
    return "letter" if {"post", "email"} & set(channels) else "phone"


def _limits(record: Record, given: BodyIn) -> tuple[int, int | None, str | None]:
    """(smallest, largest, currency): of the record, else of the routing, else of the file."""
    own = record.get("limits")
    if isinstance(own, Mapping) and "currency" in own and ("min" in own or "max" in own):
        high = own.get("max")
        return int(own.get("min", 0)) * MINOR, int(high) * MINOR if high else None, own["currency"]
    law, name = reference.routing(), str(record["id"])
    floor, ceiling = law["floors"].get(name), law["ceilings"].get(name)
    if floor or ceiling:
        return (
            int(floor["under_minor"]) if floor else 0,
            int(ceiling["over_minor"]) if ceiling else None,
            (floor or ceiling)["currency"],
        )
    if given.max_amount:
        return 0, given.max_amount.minor, given.max_amount.currency
    return 0, None, None


def _fee(record: Record) -> BodyFee | None:
    """What we or the consumer pay; where representatives pay, theirs: we are one."""
    fee = record.get("fee") or {}
    amount = fee.get("professional_representative") or fee.get("amount") or fee.get("consumer")
    if not amount:
        return None
    back = int(fee.get("credit_if_upheld") or 0)
    only_if_lost = "unsuccessful" in str(fee.get("when", ""))
    return BodyFee(int(amount) * MINOR, str(fee["currency"]), back * MINOR, only_if_lost)


def _alternative(body_id: str) -> str | None:
    for group in reference.routing()["membership"].values():
        if body_id in group:
            return str(group[body_id][0])
    return None
