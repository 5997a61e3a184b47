"""The ledger: post balanced transactions once, take them back by mirror, read balances.

Posting follows the rules in ``app/playbooks/posting_rules.yaml``. The database refuses everything
that must never be (see ``migrations/sql/0001/ledger.sql``); this module turns a lack of funds and a
reused key into refusals that a person understands. Nothing here commits; after a refusal from
the database the caller's transaction is over and rolls back whole.
"""

from __future__ import annotations

import hashlib
import json
import re
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime

from sqlalchemy import ARRAY, Text, any_, literal, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.errors import Conflict, NotFound
from app.domain.posting_rules import LegDraft, TxnDraft, compose, mirrored
from app.ids import new_id
from app.ledger_reads import (
    Balance,
    ClientBookProof,
    PostedLeg,
    PostedTxn,
    TrialLine,
    balance_differences,
    balance_of,
    balances,
    client_book,
    client_book_in_balance,
    postings_of_case,
    postings_of_event,
    trial_balance,
)
from app.playbooks.posting_rules import load_posting_rules
from app.tables.bulk import BulkInsert
from app.tables.ledger import JournalTxn, Leg

__all__ = [
    "AlreadyReversed", "Balance", "ClientBookProof", "EventKeyReused", "FundsMissing",
    "PeriodClosed", "Posted", "PostedLeg", "PostedTxn", "Posting", "TrialLine",
    "balance_differences", "balance_of", "balances", "client_book", "client_book_in_balance",
    "post", "post_many", "postings_of_case", "postings_of_event", "reverse", "reverse_many",
    "trial_balance",
]  # fmt: skip

REVERSAL_KIND = "reversal"


class EventKeyReused(Conflict):
    """The same event key came with another content."""

    code = "event_key_reused"


class PeriodClosed(Conflict):
    """The day lies in a month that is closed: only finance, or nobody, posts there."""

    code = "period_closed"


class FundsMissing(Conflict):
    """A sub-account would fall below zero: the money is not there, or no longer there."""

    code = "funds_missing"


class AlreadyReversed(Conflict):
    """A posting is taken back at most once."""

    code = "already_reversed"


@dataclass(frozen=True, slots=True)
class Posting:
    """One event to post. ``amounts`` are minor units of ``currency``, ``subs`` name sub-accounts.

    ``key`` is the event's own name (``movement:{id}``); the same key never posts twice.
    ``effective_on`` is the day it counts for, ``at`` the business time of posting. Postings of one
    call that share ``group`` belong together across the books.
    """

    kind: str
    key: str
    currency: str
    amounts: Mapping[str, int]
    subs: Mapping[str, str]
    effective_on: date
    at: datetime
    actor: str
    case_id: uuid.UUID | None = None
    group: uuid.UUID = field(default_factory=new_id)


@dataclass(frozen=True, slots=True)
class Posted:
    """What a posting became: its transactions (one per book) and whether it stood already."""

    key: str
    txn_ids: tuple[uuid.UUID, ...]
    replayed: bool


@dataclass(frozen=True, slots=True)
class _Draft:
    posting: Posting
    txns: tuple[TxnDraft, ...]
    content_hash: str
    reverses: tuple[uuid.UUID, ...] = ()


async def post(session: AsyncSession, posting: Posting) -> Posted:
    """Post one event. See ``post_many``."""
    return (await post_many(session, [posting]))[0]


async def post_many(session: AsyncSession, postings: Sequence[Posting]) -> list[Posted]:
    """Post events together: three statements however many they are; all or none.

    A key that stands already with the same content is answered with what stands (``replayed``);
    with other content it raises EventKeyReused. FundsMissing when a guarded sub-account would
    fall below zero. An event without a rule raises PostingRefused.
    """
    rules = load_posting_rules()
    drafts = [
        _Draft(p, compose(rules, p.kind, p.currency, p.amounts, p.subs), _content_hash(p))
        for p in postings
    ]
    return await _write(session, drafts, rules.version)


async def reverse(
    session: AsyncSession,
    key: str,
    *,
    reversal_key: str,
    effective_on: date,
    at: datetime,
    actor: str,
) -> Posted:
    """Take back the event posted under ``key`` by its mirror, in every book it touched.

    A reversal may itself be reversed. NotFound when nothing was posted under the key,
    AlreadyReversed when it was taken back under another reversal key.
    """
    if not (
        drafts := await _mirrors(session, [key], effective_on=effective_on, at=at, actor=actor)
    ):
        raise NotFound("Nothing is posted under this key.")
    draft = replace(drafts[0], posting=replace(drafts[0].posting, key=reversal_key))
    return (await _write(session, [draft], load_posting_rules().version))[0]


async def reverse_many(
    session: AsyncSession,
    keys: Sequence[str],
    *,
    prefix: str,
    effective_on: date,
    at: datetime,
    actor: str,
) -> list[Posted]:
    """The same for many events in four statements; a reversal's key is ``prefix`` + the event's."""
    drafts = await _mirrors(session, keys, effective_on=effective_on, at=at, actor=actor)
    if len(drafts) != len(set(keys)):
        raise NotFound("Nothing is posted under one of these keys.")
    named = [
        replace(d, posting=replace(d.posting, key=f"{prefix}{k}"))
        for d, k in zip(drafts, keys, strict=True)
    ]
    return await _write(session, named, load_posting_rules().version)


async def _mirrors(
    session: AsyncSession, keys: Sequence[str], *, effective_on: date, at: datetime, actor: str
) -> list[_Draft]:
    """The mirror of each event, in the order of ``keys``; its reversal's key is still the event's.
    Events that were never posted are left out."""
    events: dict[str, list[JournalTxn]] = {}
    found = select(JournalTxn).where(JournalTxn.event_key == any_(literal(list(keys), ARRAY(Text))))
    for txn in (await session.execute(found.order_by(JournalTxn.id))).scalars():
        events.setdefault(txn.event_key, []).append(txn)
    ids = [txn.id for txns in events.values() for txn in txns]
    rows = (
        await session.execute(select(Leg).where(Leg.txn_id.in_(ids)).order_by(Leg.txn_id, Leg.line))
    ).scalars()
    legs: dict[uuid.UUID, list[LegDraft]] = {}
    for row in rows:
        leg = LegDraft(row.account, row.sub, row.debit, row.credit)
        legs.setdefault(row.txn_id, []).append(leg)
    drafts = []
    for key in keys:
        if not (originals := events.get(key)):
            continue
        posting = Posting(
            kind=REVERSAL_KIND, key=key, currency=originals[0].currency, amounts={},
            subs={"reverses": key}, effective_on=effective_on, at=at, actor=actor,
            case_id=originals[0].case_id,
        )  # fmt: skip
        mirror = tuple(
            mirrored(TxnDraft("client" if t.book == "client" else "own", tuple(legs[t.id])))
            for t in originals
        )
        drafts.append(
            _Draft(posting, mirror, _content_hash(posting), tuple(t.id for t in originals))
        )
    return drafts


async def _write(session: AsyncSession, drafts: Sequence[_Draft], version: str) -> list[Posted]:
    standing = await _standing(session, [draft.posting.key for draft in drafts])
    opens_on = await session.scalar(_LAST_HARD)
    done: dict[str, Posted] = {}
    txn_rows: list[tuple[object, ...]] = []
    leg_rows: list[tuple[object, ...]] = []
    for draft in drafts:
        key = draft.posting.key
        if key in standing:
            found_hash, txn_ids = standing[key]
            if found_hash != draft.content_hash:
                raise EventKeyReused("This event was posted with another content.")
            done[key] = Posted(key, txn_ids, replayed=True)
            continue
        ids = []
        for at, txn in enumerate(draft.txns):
            txn_id = new_id()
            reverses = draft.reverses[at] if draft.reverses else None
            txn_rows.append(_txn_row(txn_id, draft, txn, version, reverses, opens_on))
            leg_rows.extend(_leg_rows(txn_id, txn))
            ids.append(txn_id)
        done[key] = Posted(key, tuple(ids), replayed=False)
        standing[key] = (draft.content_hash, done[key].txn_ids)
    if txn_rows:
        await _insert(session, txn_rows, leg_rows)
    return [done[draft.posting.key] for draft in drafts]


async def _standing(
    session: AsyncSession, keys: Sequence[str]
) -> dict[str, tuple[str, tuple[uuid.UUID, ...]]]:
    rows = await session.execute(
        select(JournalTxn.event_key, JournalTxn.content_hash, JournalTxn.id).where(
            JournalTxn.event_key == any_(literal(list(keys), ARRAY(Text)))
        )
    )
    found: dict[str, tuple[str, tuple[uuid.UUID, ...]]] = {}
    for key, content_hash, txn_id in rows:
        found[key] = (content_hash, (*found.get(key, ("", ()))[1], txn_id))
    return found


async def _insert(
    session: AsyncSession,
    txn_rows: Sequence[tuple[object, ...]],
    leg_rows: Sequence[tuple[object, ...]],
) -> None:
    try:
        await _TXNS(session, txn_rows)
        # One statement with all legs: the balance trigger runs once and locks in one order.
        await _LEGS(session, leg_rows)
    except IntegrityError as error:
        raise _readable(error) from error


_LAST_HARD = text(
    "SELECT CAST(max(month) + interval '1 month' AS date) FROM ledger_periods WHERE state = 'hard'"
)
_TXNS = BulkInsert(
    JournalTxn,
    (
        "id", "linked_group", "book", "currency", "kind", "event_key", "content_hash",
        "effective_on", "original_on", "posted_at", "leg_count", "total_minor", "reverses_id",
        "case_id", "actor", "rule_version",
    ),
)  # fmt: skip
_LEGS = BulkInsert(Leg, ("txn_id", "line", "account", "sub", "debit", "credit"))


def _readable(error: IntegrityError) -> Exception:
    words = str(error.orig)
    if "ck_account_balances_never_negative" in words:
        return FundsMissing("There is not enough money on the account for this.")
    if "that is closed softly" in words or re.search(r"the month \S+ is closed", words):
        return PeriodClosed("The books of that month are closed.")
    if "uq_journal_txns_reverses_id" in words:
        return AlreadyReversed("This was taken back before.")
    if "uq_journal_txns_event_key" in words:
        return EventKeyReused("The same event is being posted by someone else. Read it again.")
    return error


def _txn_row(
    txn_id: uuid.UUID,
    draft: _Draft,
    txn: TxnDraft,
    version: str,
    reverses: uuid.UUID | None,
    opens_on: date | None,
) -> tuple[object, ...]:
    """In the order of ``_TXNS``. What belongs to a month that is closed hard counts for the first
    open day (``opens_on``), with its own beside it."""
    of = draft.posting
    effective, original = of.effective_on, None
    if opens_on is not None and effective < opens_on:
        effective, original = opens_on, of.effective_on
    return (
        txn_id, of.group, txn.book, of.currency, of.kind, of.key, draft.content_hash,
        effective, original, of.at, len(txn.legs), sum(leg.debit for leg in txn.legs), reverses,
        of.case_id, of.actor, version,
    )  # fmt: skip


def _leg_rows(txn_id: uuid.UUID, txn: TxnDraft) -> Iterator[tuple[object, ...]]:
    """In the order of ``_LEGS``."""
    for line, leg in enumerate(txn.legs, start=1):
        yield txn_id, line, leg.account, leg.sub, leg.debit, leg.credit


def _content_hash(posting: Posting) -> str:
    """Hash of what the event means; a repeat on another day or by another actor is a repeat."""
    content = [
        posting.kind, posting.currency, sorted(posting.amounts.items()),
        sorted(posting.subs.items()), str(posting.case_id),
    ]  # fmt: skip
    return hashlib.sha256(_COMPACT(content).encode()).hexdigest()


_COMPACT = json.JSONEncoder(separators=(",", ":")).encode
