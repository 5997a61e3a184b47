"""Taking a consumer's account: checked, encrypted under their own key, told to the ladder."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app import engine
from app.authorisation import Principal
from app.cases.access import OwnCase, check_sent, own_case, own_claimant
from app.consumers.account_schemas import (
    AccountIn,
    GbAccountIn,
    OtherAccountIn,
    SepaAccountIn,
    UsAccountIn,
)
from app.crypto import Keyring, SubjectCipher, mask_iban, mask_name
from app.domain.errors import RecourseError
from app.domain.events import PayoutAccountGiven
from app.fields import FieldError, FieldsRefused
from app.ids import new_id
from app.moment import Moment, read_moment
from app.payouts.accounts import NewAccount, same_account_elsewhere, set_account
from app.payouts.iban import check_iban
from app.tables.banking import BankAccount
from app.tables.payouts import PayoutAccount
from app.vault import create_cipher, open_cipher

NUMBER_COLUMN = "payout_accounts.iban_cipher"
HOLDER_COLUMN = "payout_accounts.holder_cipher"
INDEX_PURPOSE = "iban"


@dataclass(frozen=True, slots=True, repr=False)
class Number:
    """An account number, checked. No repr: it must not reach a log."""

    rail: str
    country: str
    currency: str
    plain: str
    index_of: str
    last4: str | None
    masked: str


@dataclass(frozen=True, slots=True)
class Given:
    id: UUID
    rail: str
    country: str
    currency: str
    holder: str
    number: str
    usable_from: datetime
    waits: bool  # not usable yet
    changed: bool


def number_of(body: AccountIn, currency: str) -> Number:
    """The number in the form it is stored in. Raises FieldsRefused."""
    match body:
        case SepaAccountIn():
            return _sepa(body.iban)
        case GbAccountIn():
            plain = json.dumps({"account": body.account, "sort_code": body.sort_code})
            return Number(
                "gb",
                "GB",
                "GBP",
                plain,
                f"gb:{body.sort_code}:{body.account}",
                body.account[-4:],
                f"****{body.account[-4:]}",
            )
        case UsAccountIn():
            plain = json.dumps({"account": body.account, "routing": body.routing})
            return Number(
                "us",
                "US",
                "USD",
                plain,
                f"us:{body.routing}:{body.account}",
                body.account[-4:],
                f"****{body.account[-4:]}",
            )
        case OtherAccountIn():
            plain = json.dumps({"details": body.details})
            return Number(
                "other",
                body.country,
                body.currency,
                plain,
                f"other:{body.country}:{body.details}",
                None,
                "****",
            )


def _sepa(iban: str) -> Number:
    try:
        checked = check_iban(iban)
    except RecourseError as error:
        raise FieldsRefused(FieldError("/iban", error.message, error.code)) from None
    if not checked.in_sepa:
        raise FieldsRefused(
            FieldError(
                "/iban",
                "no SEPA payment reaches this country; use the rail `other`",
                "iban_not_sepa",
            )
        )
    return Number(
        "sepa",
        checked.country,
        "EUR",
        checked.compact,
        checked.compact,
        checked.last4,
        mask_iban(checked.compact),
    )


async def give_account(
    session: AsyncSession,
    principal: Principal,
    keyring: Keyring,
    case_id: UUID,
    claimant_id: UUID,
    body: AccountIn,
    sent: int | None,
) -> Given:
    """Stores the account of this claimant; the same one again changes nothing.

    The person is told of every change, by the ladder's notice. Raises FieldsRefused, NotFound.
    """
    case = await own_case(session, principal, case_id, lock=True)
    check_sent(case, sent)
    claimant = await own_claimant(session, principal, case_id, claimant_id)
    number = number_of(body, case.currency)
    await _refuse_our_own(session, number)
    moment = await read_moment(session)
    index = keyring.blind_index(INDEX_PURPOSE, number.index_of)
    current = (
        await session.execute(
            select(PayoutAccount).where(
                PayoutAccount.consumer_id == claimant.consumer_id,
                PayoutAccount.retired_at.is_(None),
            )
        )
    ).scalar_one_or_none()
    cipher = await _cipher(session, keyring, claimant.consumer_id, moment)
    if current is not None and _same(current, index, body.holder, cipher):
        given = Given(
            current.id,
            number.rail,
            number.country,
            number.currency,
            mask_name(body.holder),
            number.masked,
            current.usable_from,
            current.usable_from > moment.now,
            False,
        )
    else:
        given = await _store(
            session, principal, claimant.consumer_id, number, index, body.holder, cipher, moment
        )
        await _note_shared(session, case, index, claimant.consumer_id, moment)
    if given.changed or not claimant.has_account:
        await engine.advance(
            session, case_id, PayoutAccountGiven(claimant_id), actor=principal.actor, moment=moment
        )
    return given


async def _store(
    session: AsyncSession,
    principal: Principal,
    consumer_id: UUID,
    number: Number,
    index: bytes,
    holder: str,
    cipher: SubjectCipher,
    moment: Moment,
) -> Given:
    account_id = new_id()
    done = await set_account(
        session,
        NewAccount(
            id=account_id,
            consumer_id=consumer_id,
            rail=number.rail,
            country=number.country,
            currency=number.currency,
            iban_cipher=cipher.encrypt(number.plain, column=NUMBER_COLUMN, row_id=account_id),
            holder_cipher=cipher.encrypt(holder, column=HOLDER_COLUMN, row_id=account_id),
            iban_index=index,
            iban_last4=number.last4,
            added_by=principal.actor,
        ),
        at=moment.now,
    )
    return Given(
        done.id,
        number.rail,
        number.country,
        number.currency,
        mask_name(holder),
        number.masked,
        done.usable_from,
        done.usable_from > moment.now,
        True,
    )


def _same(row: PayoutAccount, index: bytes, holder: str, cipher: SubjectCipher) -> bool:
    return row.iban_index == index and holder == cipher.decrypt(
        row.holder_cipher, column=HOLDER_COLUMN, row_id=row.id
    )


async def _cipher(
    session: AsyncSession, keyring: Keyring, consumer_id: UUID, moment: Moment
) -> SubjectCipher:
    """The consumer's key; made when they are seen without one."""
    try:
        return await open_cipher(session, keyring, consumer_id)
    except RecourseError as missing:
        if missing.code != "data_key_not_found":
            raise
    return await create_cipher(session, keyring, consumer_id, at=moment.now)


async def _refuse_our_own(session: AsyncSession, number: Number) -> None:
    ours = await session.scalar(select(BankAccount.id).where(BankAccount.number == number.plain))
    if ours is not None:
        raise FieldsRefused(FieldError("/iban", "this is our own account", "account_ours"))


async def _note_shared(
    session: AsyncSession, case: OwnCase, index: bytes, consumer_id: UUID, moment: Moment
) -> None:
    """One account for many people is a warning sign: staff see it in the history."""
    others = await same_account_elsewhere(session, index, consumer_id)
    if others:
        await engine.amend(
            session,
            case.id,
            {},
            code="account_shared",
            actor="system",
            params={"others": len(others), "internal": "1"},
            moment=moment,
        )
