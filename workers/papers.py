"""What a paper of account says: from rows to the content that the render child prints.

The figures come from `app.banking.account` alone, the function behind the API's case account; a
paper of figures that differ is refused.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.banking.account import read_account
from app.banking.case_money import agency_zone
from app.crypto import Keyring
from app.documents.keys import paper_key
from app.documents.sealing import DocumentKey
from app.domain.account import FEE, PAID_OUT, RECEIVED, CaseAccount, Move
from app.gates.licences import printed_licence
from app.moment import Moment, read_moment
from app.texts import words
from letters.papers import (
    AccountMove,
    Addressee,
    AnyPaper,
    CreditNote,
    Invoice,
    InvoiceLine,
    MoveKind,
    Statement,
)
from letters.values import LANGUAGES, Agency, Language
from workers.effects.people import Person, read_people, with_addresses
from workers.providers.errors import NoLongerWanted

_CASE: Final = text("""
    SELECT c.id, c.reference, c.currency, c.outcome, c.jurisdiction,
           coalesce(m.legal_name, c.company_text) AS company
      FROM cases c LEFT JOIN companies m ON m.id = c.company_id WHERE c.id = :id
""")
# The day the money came: of the bank's entry, or of the payment the consumer got directly.
_INVOICE: Final = text("""
    SELECT i.series, i.number, i.kind, i.mode, i.currency, i.gross_minor, i.net_minor, i.vat_minor,
           i.vat_bp, i.issued_on, o.series AS o_series, o.number AS o_number,
           o.issued_on AS o_issued_on,
           coalesce((SELECT m.booked_on FROM allocations a JOIN movements m ON m.id = a.movement_id
                      WHERE a.id = i.source_id),
                    (SELECT d.paid_on FROM direct_recoveries d WHERE d.id = i.source_id),
                    i.issued_on) AS supplied_on,
           coalesce((SELECT sum(r.amount_minor) FROM recovery_lines r
                      WHERE r.source_id = i.source_id AND r.claimant_id = i.claimant_id
                        AND r.in_basis), 0) AS base_minor
      FROM commission_invoices i LEFT JOIN commission_invoices o ON o.id = i.corrects_id
     WHERE i.id = :id
""")


@dataclass(frozen=True, slots=True)
class Asked:
    """A row of case_papers, as far as its content needs it."""

    id: uuid.UUID
    case_id: uuid.UUID
    kind: str
    claimant_id: uuid.UUID
    language: str | None
    closing: bool = False


async def content_of(session: AsyncSession, keyring: Keyring, asked: Asked) -> AnyPaper:
    """Raises LetterError for what is missing, AccountDiffers, NoLongerWanted, NotFound."""
    case = (await session.execute(_CASE, {"id": asked.case_id})).mappings().one_or_none()
    people = (await read_people(session, [asked.case_id])).get(asked.case_id, [])
    mine = [row for row in people if row["claimant_id"] == asked.claimant_id]
    if case is None or not mine:
        raise NoLongerWanted("there is no such claimant")
    [reader] = await with_addresses(session, keyring, mine)
    moment = await read_moment(session)
    common = _common(dict(case), reader, asked, moment)
    if asked.kind == "statement":
        account = await read_account(session, asked.case_id, claimant_id=asked.claimant_id)
        return statement(account.checked(), common, closing=asked.closing, outcome=case["outcome"])
    row = (await session.execute(_INVOICE, {"id": asked.id})).mappings().one()
    return _invoice(dict(row), common, moment.profile)


async def key_to_keep(session: AsyncSession, keyring: Keyring, asked: Asked) -> DocumentKey:
    """What seals it in the store: the key of whom it tells. Raises DataErased."""
    key = await paper_key(session, keyring, asked.case_id, asked.claimant_id)
    assert key is not None, "a consumer has a key"
    return key


def _common(
    case: Mapping[str, Any], reader: Person, asked: Asked, moment: Moment
) -> dict[str, Any]:
    today = moment.now.astimezone(agency_zone(moment.profile)).date()
    return {
        "language": _language(asked.language or reader.language), "dated": today,
        "reference": case["reference"], "company": case["company"], "currency": case["currency"],
        "agency": agency_of(moment.profile, case["jurisdiction"], today),
        "to": Addressee(name=reader.name, address_lines=reader.address_lines),
    }  # fmt: skip


def _language(wanted: str) -> Language:
    return next((one for one in LANGUAGES if one == wanted), "en")


def agency_of(profile: Mapping[str, Any], jurisdiction: str, on: date) -> Agency:
    """From the agency profile (app.agency.schemas.AgencyIn)."""
    name = profile.get("name", "")
    return Agency(
        name=name, address_lines=tuple(profile.get("address_lines", ())),
        register_number=profile.get("business_id") or profile.get("register_number", ""),
        signatory=profile.get("signatory") or name, phone=profile.get("phone"),
        licence=printed_licence(profile, jurisdiction, on),
    )  # fmt: skip


def statement(
    account: CaseAccount, common: Mapping[str, Any], *, closing: bool, outcome: str | None
) -> Statement:
    """The account as a statement: every movement in the order of its day."""
    moves = [
        (move.on, 0, AccountMove(on=move.on, kind=kind_of(move), minor=move.minor,
                                 balance_minor=move.balance_minor))
        for move in account.moves
    ]  # fmt: skip
    moves += [
        (one.on, 1, AccountMove(on=one.on, kind="paid_directly", minor=one.minor))
        for one in account.direct
    ]
    if account.direct:  # else the order of posting stays, which the balances follow
        moves.sort(key=lambda each: each[:2])
    return Statement(
        **common, closing=closing,
        outcome=words(common["language"]).term("outcomes", outcome) if outcome else None,
        moves=tuple(move for _, _, move in moves),
        invoices=tuple(
            InvoiceLine(
                number=one.number, on=one.on, gross_minor=one.gross_minor,
                net_minor=one.net_minor, vat_minor=one.vat_minor,
                vat_percent=percent(one.vat_bp), open_minor=one.open_minor,
            )
            for one in account.invoices
        ),
        received_minor=account.received_minor, fee_minor=account.fee_minor,
        vat_minor=account.vat_minor, net_minor=account.net_minor,
        paid_out_minor=account.paid_out_minor, balance_minor=account.balance_minor,
        open_fee_minor=account.open_fee_minor,
    )  # fmt: skip


def kind_of(move: Move) -> MoveKind:
    """How a statement names a posting."""
    if move.kind in RECEIVED:
        return "received_back" if move.taken_back else "received"
    if move.kind in FEE:
        return "fee_back" if move.minor > 0 else "fee"
    if move.kind in PAID_OUT:
        return "payout_back" if move.minor > 0 else "paid_out"
    return "other"


def percent(basis_points: int) -> str:
    """2550 -> "25.5", 2400 -> "24"."""
    whole, rest = divmod(basis_points, 100)
    return f"{whole}.{rest:02d}".rstrip("0").rstrip(".") if rest else str(whole)


def _invoice(
    row: Mapping[str, Any], common: Mapping[str, Any], profile: Mapping[str, Any]
) -> Invoice:
    """Its own day and currency stand on it, not those of the day it is printed."""
    fields: dict[str, Any] = {
        **common, "dated": row["issued_on"], "currency": row["currency"],
        "number": f"{row['series']}-{row['number']:06d}",
        "vat_number": profile.get("vat_number") or "", "supplied_on": row["supplied_on"],
        "base_minor": int(row["base_minor"]), "net_minor": row["net_minor"],
        "vat_percent": percent(row["vat_bp"]), "vat_minor": row["vat_minor"],
        "gross_minor": row["gross_minor"], "deducted": row["mode"] == "deducted",
        "national_currency": own_currency(profile) or row["currency"],
    }  # fmt: skip
    if row["kind"] == "invoice":
        return Invoice(**fields)
    corrects = f"{row['o_series']}-{row['o_number']:06d}" if row["o_series"] else ""
    return CreditNote(**fields, corrects=corrects, corrects_on=row["o_issued_on"])


def own_currency(profile: Mapping[str, Any]) -> str | None:
    """The currency of our own account: the one we declare VAT in."""
    return next((a["currency"] for a in profile.get("accounts", ()) if a["book"] == "own"), None)


def file_name(paper: AnyPaper) -> str:
    """`RC-...-statement.pdf`, `RC-...-invoice-2026-000042.pdf`."""
    number = f"-{paper.number}" if isinstance(paper, Invoice) else ""
    return f"{paper.reference}-{paper.kind.replace('_', '-')}{number}.pdf"


def asked_of(row: Mapping[str, Any]) -> Asked:
    return Asked(row["id"], row["case_id"], row["kind"], row["claimant_id"], row["language"])
