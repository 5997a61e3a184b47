"""The lines that a statement posts: an entry, or each of its payments where they are itemised."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date

from app.banking.reading.model import Detail, Entry
from app.domain.money import Money


@dataclass(frozen=True, slots=True)
class EntryRead:
    """One line to post. ``key`` is unique within the account (see ``model.Entry``).

    ``instructed`` is what the payer sent, where the bank exchanged it. ``remittance`` ends with
    the invoice numbers that the payer named in their own fields.
    """

    key: str
    credit: bool
    amount: Money
    booked_on: date
    bank_ref: str | None
    end_to_end_id: str | None
    payment_info_id: str | None
    creditor_ref: str | None
    remittance: str
    payer_name: str | None
    payer_account: str | None
    return_reason: str | None
    is_charge: bool
    value_on: date | None = None
    reversal: bool = False
    code: str | None = None
    instructed: Money | None = None


def lines_of(entries: Iterable[Entry], *, credit: bool | None = None) -> Iterator[EntryRead]:
    """The lines of booked entries, of one side where ``credit`` says so; the signed sum of all is
    that of the entries.

    An entry is itemised only when its payments, with the charges that the bank names, give its
    amount exactly; what the charges took is then a line of its own. Entries of zero (free services
    that some banks list) post nothing.
    """
    for entry in entries:
        if not entry.booked or entry.minor == 0:
            continue
        parts = itemised(entry)
        if parts is None:
            if credit in (None, entry.credit):
                yield _whole(entry)
            continue
        for at, detail in enumerate(parts, start=1):
            if credit in (None, detail.credit):
                yield _part(entry, detail, f"{entry.key}/{at}")
        charge = _signed(parts) - entry.signed
        if charge and not credit:
            yield _charge(entry, charge)


def itemised(entry: Entry) -> tuple[Detail, ...] | None:
    """Its payments, where with the charges the bank names they give its amount exactly."""
    if not entry.details or any(not d.minor for d in entry.details):
        return None
    taken = _signed(entry.details) - entry.signed
    if taken == 0 or (taken > 0 and taken in _named_charges(entry)):
        return entry.details
    return None


def _signed(details: Iterable[Detail]) -> int:
    return sum((d.minor or 0) if d.credit else -(d.minor or 0) for d in details)


def _named_charges(entry: Entry) -> set[int]:
    """What the bank says it took, of the entry as a whole and of its payments together."""
    sums = set()
    for charges in (entry.charges, tuple(c for d in entry.details for c in d.charges)):
        if charges and all(c.currency == entry.currency for c in charges):
            sums.add(sum(-c.minor if c.credit else c.minor for c in charges))
    return sums


def _money(instructed: tuple[int, str] | None) -> Money | None:
    return Money(*instructed) if instructed else None


def _words(remittance: str, documents: tuple[str, ...]) -> str:
    return " ".join([remittance, *(d for d in documents if d not in remittance)]).strip()


def _whole(entry: Entry) -> EntryRead:
    return EntryRead(
        key=entry.key, credit=entry.credit, amount=Money(entry.minor, entry.currency),
        booked_on=entry.booked_on, bank_ref=entry.bank_ref,
        end_to_end_id=entry.refs.end_to_end_id, payment_info_id=entry.refs.payment_info_id,
        creditor_ref=entry.refs.creditor_ref,
        remittance=_words(entry.remittance, entry.refs.documents),
        payer_name=entry.party.name, payer_account=entry.party.account,
        return_reason=entry.return_reason, is_charge=entry.is_charge, value_on=entry.value_on,
        reversal=entry.reversal, code=entry.code, instructed=_money(entry.instructed),
    )  # fmt: skip


def _part(entry: Entry, detail: Detail, key: str) -> EntryRead:
    return EntryRead(
        key=key, credit=detail.credit, amount=Money(detail.minor or 0, entry.currency),
        booked_on=entry.booked_on, bank_ref=detail.bank_ref or entry.bank_ref,
        end_to_end_id=detail.refs.end_to_end_id,
        payment_info_id=detail.refs.payment_info_id or entry.refs.payment_info_id,
        creditor_ref=detail.refs.creditor_ref,
        remittance=_words(detail.remittance or entry.remittance, detail.refs.documents),
        payer_name=detail.party.name, payer_account=detail.party.account,
        return_reason=detail.return_reason, is_charge=entry.is_charge, value_on=entry.value_on,
        reversal=entry.reversal, code=entry.code,
    )  # fmt: skip


def _charge(entry: Entry, minor: int) -> EntryRead:
    return EntryRead(
        key=f"{entry.key}/charge", credit=False, amount=Money(minor, entry.currency),
        booked_on=entry.booked_on, bank_ref=entry.bank_ref, end_to_end_id=None,
        payment_info_id=None, creditor_ref=None, remittance="", payer_name=None,
        payer_account=None, return_reason=None, is_charge=True, value_on=entry.value_on,
        code=entry.code,
    )  # fmt: skip
