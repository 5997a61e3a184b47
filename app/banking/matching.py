"""What the cascade needs to know of a receipt and of the cases it may belong to, read in bulk.

A payer's account is compared as a blind index only; its clear text lives for the moment in which
the index is made. Accounts of files that were forgotten match nothing.
"""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import RowMapping, delete, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.banking.files import payer_accounts
from app.crypto import DataErased, Keyring, normal_iban
from app.domain.matching import (
    AdviceLine,
    CaseFacts,
    Facts,
    Promised,
    Receipt,
    Rules,
    Suggestion,
    keys_of,
    match,
)
from app.tables.banking import Movement
from app.tables.matching import PayerLink

CASES_MAX: Final = 400  # open cases of a payer's companies that one receipt is compared with
NAME_LENGTH_MIN: Final = 4  # a shorter name is found in anything
INDEX_PURPOSE: Final = "payer_account"
RUNNING_NOT: Final = ("intake", "closed")

# What is open is what no standing allocation or direct payment has covered, item by item.
_CASES = """
    SELECT c.id, c.reference, c.payment_ref, 
           coalesce(CAST(c.company_id AS text), 'name:' || lower(c.company_text)) AS company,
           c.company_text, c.currency,
           c.booking_ref, c.offer, c.promise, c.agreed_minor, c.agreed_at, c.stage,
           coalesce((SELECT sum(greatest(i.amount_minor - coalesce((
               SELECT sum(l.amount_minor) FROM recovery_lines l
                 LEFT JOIN allocations a ON a.id = l.source_id
                WHERE l.case_id = c.id AND l.item_id = i.id AND a.undone_at IS NULL), 0), 0))
             FROM claim_items i WHERE i.case_id = c.id AND i.counted), 0) AS open_minor
      FROM cases c
"""
_NAMED_CASES = text(
    _CASES
    + """ WHERE c.currency = :currency AND (c.payment_ref = ANY(:refs) OR c.reference = ANY(:refs)
             OR c.booking_ref = ANY(:words))
          ORDER BY c.id LIMIT :most"""
)
_PAYER_CASES = text(
    _CASES
    + """ WHERE c.currency = :currency AND c.stage NOT IN ('intake', 'closed')
            AND (c.company_id = ANY(CAST(:ids AS uuid[]))
                 OR c.company_id IS NULL AND lower(c.company_text) = ANY(:names))
          ORDER BY c.id LIMIT :most"""
)
_NAMED_COMPANIES = text("""
    SELECT CAST(id AS text) FROM companies
     WHERE (length(brand) >= :shortest AND position(lower(brand) IN lower(:payer)) > 0)
        OR (length(legal_name) >= :shortest AND position(lower(legal_name) IN lower(:payer)) > 0)
     LIMIT 50
""")


async def suggestions(
    session: AsyncSession,
    movement: Movement,
    rules: Rules,
    *,
    keyring: Keyring | None,
    advice: tuple[AdviceLine, ...] = (),
) -> tuple[Suggestion, ...]:
    """What the cascade says of one receipt now. Without keys no learned payer is known."""
    receipt = await receipt_facts(session, movement, keyring)
    return match(receipt, await facts_of(session, receipt, rules, advice), rules)


async def receipt_facts(
    session: AsyncSession, movement: Movement, keyring: Keyring | None
) -> Receipt:
    index = await payer_index(session, keyring, movement) if keyring is not None else None
    return Receipt(
        amount_minor=movement.amount_minor, currency=movement.currency,
        booked_on=movement.booked_on, creditor_ref=movement.creditor_ref,
        end_to_end_id=movement.end_to_end_id, text=movement.remittance,
        payer_name=movement.payer_name, payer_token=index.hex() if index else None,
        return_reason=movement.return_reason,
    )  # fmt: skip


async def payer_index(session: AsyncSession, keyring: Keyring, movement: Movement) -> bytes | None:
    """The blind index of the account a receipt came from; None when it is not known any more."""
    if movement.payer_account_cipher is None:
        return None
    try:
        number = (await payer_accounts(session, keyring, [movement.id])).get(movement.id)
    except DataErased:
        return None
    return keyring.blind_index(INDEX_PURPOSE, normal_iban(number)) if number else None


async def facts_of(
    session: AsyncSession, receipt: Receipt, rules: Rules, advice: tuple[AdviceLine, ...] = ()
) -> Facts:
    """The cases that a receipt's words name, and the open ones of the companies that may pay it."""
    keys = keys_of(receipt, rules)
    refs = {*keys.references, *keys.near, *(ref for line in advice for ref in line.references)}
    words = {*keys.booking_words, *(word for line in advice for word in line.words)}
    rows = await session.execute(
        _NAMED_CASES,
        {"currency": receipt.currency, "refs": list(refs), "words": list(words),
         "most": 2 * CASES_MAX},
    )  # fmt: skip
    cases = {case.case_id: case for case in map(_case, rows.mappings())}
    payer = await _learned(session, receipt)
    named = await _named(session, receipt.payer_name)
    if receipt.payer_name:  # a company nobody confirmed yet has only the name on its cases
        named |= {c.company for c in cases.values() if _names(receipt.payer_name, c)}
    whole = True
    if payer or named:
        for_payer = await _cases_of(session, receipt.currency, payer | named)
        whole = len(for_payer) <= CASES_MAX
        cases |= {case.case_id: case for case in for_payer[:CASES_MAX]}
    return Facts(tuple(cases.values()), payer, named, advice, whole)


async def _learned(session: AsyncSession, receipt: Receipt) -> frozenset[str]:
    if receipt.payer_token is None:
        return frozenset()
    rows = await session.scalars(
        select(PayerLink.company).where(
            PayerLink.account_index == bytes.fromhex(receipt.payer_token),
            PayerLink.expires_on >= receipt.booked_on,
        )
    )
    return frozenset(rows)


async def _named(session: AsyncSession, payer: str | None) -> frozenset[str]:
    if not payer:
        return frozenset()
    rows = await session.scalars(_NAMED_COMPANIES, {"payer": payer, "shortest": NAME_LENGTH_MIN})
    return frozenset(rows)


def _names(payer: str, case: CaseFacts) -> bool:
    name = case.company_name.strip().lower()
    return len(name) >= NAME_LENGTH_MIN and name in payer.lower()


async def _cases_of(
    session: AsyncSession, currency: str, companies: frozenset[str]
) -> list[CaseFacts]:
    names = [one.removeprefix("name:") for one in companies if one.startswith("name:")]
    ids = [one for one in companies if not one.startswith("name:")]
    rows = await session.execute(
        _PAYER_CASES,
        {"currency": currency, "ids": ids, "names": names, "most": CASES_MAX + 1},
    )
    return [_case(row) for row in rows.mappings()]


def _case(row: RowMapping) -> CaseFacts:
    offer = row["offer"] or {}
    return CaseFacts(
        case_id=str(row["id"]), reference=row["reference"], payment_ref=row["payment_ref"],
        company=row["company"], company_name=row["company_text"], currency=row["currency"],
        open_minor=int(row["open_minor"]), booking_ref=row["booking_ref"],
        promised=tuple(_promised(row)),
        asks=offer.get("state") == "open" and bool(offer.get("in_full_settlement", True)),
        runs=row["stage"] not in RUNNING_NOT,
    )  # fmt: skip


def _promised(row: RowMapping) -> list[Promised]:
    found = []
    promise = row["promise"]
    if promise:
        said = datetime.fromisoformat(promise["made_at"]).date()
        found.append(Promised(int(promise["amount_minor"]), said))
    if row["agreed_minor"] and row["agreed_at"]:
        found.append(Promised(int(row["agreed_minor"]), row["agreed_at"].date()))
    return found


# --- learned payers --------------------------------------------------------------------------


async def learn_payer(
    session: AsyncSession,
    keyring: Keyring,
    movement: Movement,
    case_id: uuid.UUID,
    *,
    allocation_id: uuid.UUID,
    rules: Rules,
    actor: str,
    at: datetime,
) -> None:
    """A person has set this money against this case: its account pays for the case's company."""
    index = await payer_index(session, keyring, movement)
    if index is None:
        return
    company = await session.scalar(
        text(
            "SELECT coalesce(CAST(company_id AS text), 'name:' || lower(company_text))"
            " FROM cases WHERE id = :id"
        ),
        {"id": case_id},
    )
    expires = at.date() + timedelta(days=rules.learned_days)
    await session.execute(
        insert(PayerLink)
        .values(
            account_index=index, company=company, allocation_id=allocation_id, learned_by=actor,
            learned_at=at, expires_on=expires,
        )
        .on_conflict_do_update(
            index_elements=["account_index", "company"], set_={"expires_on": expires}
        )
    )  # fmt: skip


async def unlearn(session: AsyncSession, allocation_id: uuid.UUID) -> None:
    """The allocation that taught an account was a mistake."""
    await session.execute(delete(PayerLink).where(PayerLink.allocation_id == allocation_id))


def evidence_of(one: Suggestion, rules: Rules) -> dict[str, str]:
    """What goes with an allocation: the step, what was found, why, and by which rules."""
    checked = {True: "right", False: "wrong", None: "none"}[one.valid_check]
    why = ", ".join(f"{reason.code} {reason.points:+d}" for reason in one.reasons)
    return {
        "step": one.step, "found": one.found, "matches": one.matches, "check": checked,
        "score": str(one.score), "why": why, "rules": rules.name,
    }  # fmt: skip
