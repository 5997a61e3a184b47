"""From what was sent to a case to be: people, lines and columns. Pure but for fresh ids."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from app.cases.completeness import missing_in
from app.cases.views import FILED
from app.crypto import Keyring, SubjectCipher
from app.domain.case import Case, Claimant, ClaimItem, Stage
from app.domain.money import Money
from app.engine import NewCase
from app.fields import FieldError, FieldsRefused
from app.ids import new_id
from app.intake.opening import Opening
from app.intake.schemas import CaseIn, ClaimIn, ItemIn, PersonIn
from app.texts import words
from app.vault import data_key_row


@dataclass(slots=True)
class People:
    """Who the claimants are, in order; `rows` and `keys` are for those seen for the first time."""

    ids: list[UUID] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    rows: list[dict[str, Any]] = field(default_factory=list)
    keys: list[dict[str, Any]] = field(default_factory=list)


def people_of(body: CaseIn, opening: Opening, keyring: Keyring) -> People:
    """A person known by e-mail is that person, unchanged; everybody else is new.

    What the filer says of somebody we know (another name, another address) changes nothing: it is
    not theirs to change, and an answer that differed would say that we know them.
    """
    people, now = People(), opening.moment.now
    if opening.me is not None:
        people.ids.append(UUID(opening.me["id"]))
        people.names.append(opening.me["name"])
    first = body.consumer
    country = first.country if first else (opening.me or {}).get("country", "")
    language = (first.language if first else None) or body.claim.language
    filed: list[PersonIn] = [*([first] if first else []), *body.party]
    for person in filed:
        people.names.append(person.name)
        known = opening.known.get(person.email or "")
        if known is not None:
            people.ids.append(UUID(known["id"]))
            continue
        row, key = _new_consumer(person, keyring, now, country=country, language=language)
        people.ids.append(UUID(row["id"]))
        people.rows.append(row)
        people.keys.append(key)
    return people


def _new_consumer(
    person: PersonIn, keyring: Keyring, now: datetime, *, country: str, language: str
) -> tuple[dict[str, Any], dict[str, Any]]:
    consumer_id = new_id()
    cipher, key = data_key_row(keyring, consumer_id, now)
    wrapped = key["wrapped"]
    assert isinstance(wrapped, bytes), "a fresh key is never destroyed"
    by_post = getattr(person, "by_post", False) or person.email is None
    address = "\n".join(person.address.lines) if person.address else None
    birth = person.birth_date.isoformat() if person.birth_date else None
    row = {
        "id": str(consumer_id),
        "name": person.name,
        "email": person.email,
        "by_post": by_post,
        "language": person.language or language,
        "country": person.country or country,
        "address_cipher": _sealed(cipher, address, "consumers.address_cipher"),
        "birth_date_cipher": _sealed(cipher, birth, "consumers.birth_date_cipher"),
        "heartbeat_days": None,
        "created_at": now.isoformat(),
        "version": 1,
    }
    return row, {
        "subject_id": str(consumer_id),
        "key_id": key["key_id"],
        "wrapped": wrapped.hex(),
        "created_at": now.isoformat(),
    }


def _sealed(cipher: SubjectCipher, plain: str | None, column: str) -> str | None:
    """Ciphertext as hex: bytes travel that way in the writing statement."""
    if plain is None:
        return None
    return cipher.encrypt(plain, column=column, row_id=cipher.subject_id).hex()


def new_case(
    body: CaseIn,
    opening: Opening,
    people: People,
    *,
    playbook: str,
    source: str,
    company_known: bool,
) -> NewCase:
    """The case as the engine inserts it."""
    case_id, claim = new_id(), body.claim
    claimants = [
        Claimant(id=new_id(), consumer_id=who, position=at) for at, who in enumerate(people.ids)
    ]
    item_rows = items_of(claim.items, case_id, [c.id for c in claimants], claim.currency)
    case = Case(
        id=case_id,
        reference=opening.reference,
        claim_kind=claim.claim_kind,
        jurisdiction=claim.jurisdiction,
        currency=claim.currency,
        stage=Stage.INTAKE,
        step=0,
        opened_at=opening.moment.now,
        playbook=playbook,
        company_known=company_known,
        claimants=tuple(claimants),
        items=tuple(_value(row) for row in item_rows),
        first_written_complaint=claim.first_written_complaint,
    )
    filed = {"names": people.names} | company_words(claim)
    columns = {
        "payment_ref": opening.payment_ref,
        "consumer_id": str(people.ids[0]),
        "company_id": opening.company["id"] if opening.company else None,
        "company_text": company_text(claim, opening.company),
        "booking_ref": claim.booking_reference,
        "what_happened": claim.what_happened or "",
        "answers": {**claim.answers, FILED: filed},
        "language": claim.language,
        "source": source,
    }
    return NewCase(
        case=case,
        columns=columns,
        claimants=[_claimant_row(c, case_id) for c in claimants],
        items=item_rows,
        consumers=people.rows,
    )


def company_text(claim: ClaimIn, company: dict[str, Any] | None) -> str:
    if company is not None:
        return str(company["legal_name"])
    return (claim.company.name or "") if claim.company else ""


def company_words(claim: ClaimIn) -> dict[str, str]:
    """What the consumer said of a company that is not one of ours yet: for who confirms it."""
    company = claim.company
    if company is None:
        return {}
    said = {"brand": company.brand, "country": company.country}
    return {name: value for name, value in said.items() if value}


def items_of(
    items: Sequence[ItemIn], case_id: UUID, claimants: Sequence[UUID], currency: str
) -> list[dict[str, Any]]:
    """Rows of claim_items; lines in another currency are listed but not counted."""
    rows = []
    for at, item in enumerate(items):
        if item.creditor >= len(claimants):
            raise FieldsRefused(
                FieldError(
                    f"/claim/items/{at}/creditor",
                    "there is no such person on the case",
                    "creditor_unknown",
                )
            )
        money = Money.parse(item.amount.amount, item.amount.currency)
        earns = item.fee_by_kind if item.earns_fee is None else item.earns_fee
        rows.append(
            {
                "id": str(new_id()),
                "case_id": str(case_id),
                "position": at,
                "kind": item.kind,
                "creditor_id": str(claimants[item.creditor]),
                "what": item.what,
                "amount_minor": money.minor,
                "currency": money.currency,
                "earns_fee": earns,
                "counted": money.currency == currency,
                "ground": None,
            }
        )
    return rows


def _value(row: dict[str, Any]) -> ClaimItem:
    return ClaimItem(
        id=UUID(row["id"]),
        amount_minor=row["amount_minor"],
        earns_fee=row["earns_fee"],
        creditor_id=UUID(row["creditor_id"]),
        kind=row["kind"],
        counted=row["counted"],
    )


def _claimant_row(claimant: Claimant, case_id: UUID) -> dict[str, Any]:
    return {
        "id": str(claimant.id),
        "case_id": str(case_id),
        "consumer_id": str(claimant.consumer_id),
        "position": claimant.position,
        "mandate": claimant.mandate.value,
        "mandate_id": None,
        "signed_at": None,
        "receives_money": False,
        "has_account": False,
        "waits_until": None,
        "level": claimant.level,
        "valid_until": None,
    }


def refuse_incomplete(row: dict[str, Any], language: str) -> None:
    """Raises FieldsRefused with everything that is still missing."""
    missing = missing_in(
        company_text=row["company_text"], what_happened=row["what_happened"], items=row["items"]
    )
    if missing:
        say = words(language)
        raise FieldsRefused(
            *(FieldError(m.pointer, say.term("missing", m.code), m.code) for m in missing),
            message="the case is not complete yet; errors lists what is missing",
            code="case_incomplete",
        )
