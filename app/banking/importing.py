"""Imports bank files: kept as they came, then posted whole or not at all.

Each movement posts once, understood or not: a credit to *unallocated*, a debit of ours settles its
payout, a returned payout comes back, anything else is the own book's debt to the clients until a
person explains it. What a movement means for a case is decided later, by allocation.

A file whose statements do not follow yet waits, and follows by itself when what is missing comes:
the order in which files come changes nothing in the books. Early notices (camt.052, camt.054,
MT942) are kept and never posted.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from io import BytesIO
from typing import Any, BinaryIO, Final

from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app import ledger
from app.banking import notices
from app.banking.chain import Held, Standings, Step, plan
from app.banking.files import KeptFile, keep_file, open_file, read_event
from app.banking.movements import awaiting_confirmation
from app.banking.posting import Posted, Posts, post_lines
from app.banking.reading.gate import Assembled, assemble, checked, in_order, postable
from app.banking.reading.model import Statement, StatementInvalid
from app.banking.reading.reader import Document, read_file, statements_of
from app.banking.waiting import head_of, missing_pages, pages_named
from app.crypto import DataErased, Keyring
from app.domain.money import Money
from app.ids import new_id
from app.payouts.settling import ItemReturned, ItemSettled
from app.tables.banking import BankAccount, BankImport, BankStatement

PROVIDER: Final = "bank_file"
WAITING_MAX: Final = 200  # files that wait; more is a bank set up wrongly


@dataclass(frozen=True, slots=True)
class StatementDone:
    """One statement of the file; ``replayed`` when it stood already and nothing was posted."""

    id: uuid.UUID
    bank_account_id: uuid.UUID
    ident: str
    closing: Money
    closes_on: date | None
    movements: int
    replayed: bool


@dataclass(slots=True)
class ImportDone:
    """What a file did, and those that waited for it. ``state``: posted, waiting or notice.
    ``together`` are imports whose pages made statements with this one's. ``unexplained`` are
    movements a person must look at."""

    import_id: uuid.UUID
    external_event_id: uuid.UUID
    state: str = "posted"
    statements: list[StatementDone] = field(default_factory=list)
    together: list[uuid.UUID] = field(default_factory=list)
    receipts: list[uuid.UUID] = field(default_factory=list)
    settled: list[ItemSettled] = field(default_factory=list)
    returned: list[ItemReturned] = field(default_factory=list)
    unexplained: list[uuid.UUID] = field(default_factory=list)
    waiting: list[Held] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


# A large file fills its tables within one transaction, in which the database has no figures about
# them: a plan made for the empty table would read all that came before for each thousand lines.
_BY_INDEX = text("SELECT set_config('enable_seqscan', 'off', true)")


@dataclass(frozen=True, slots=True)
class _Delivery:
    row: BankImport
    file: KeptFile
    statements: tuple[Statement, ...]


async def open_bank_account(
    session: AsyncSession,
    *,
    account_id: uuid.UUID,
    book: str,
    holder: str,
    number: str,
    currency: str,
    at: datetime,
    bic: str | None = None,
) -> BankAccount:
    """Register an account of the agency; its book balance starts at zero (see banking.opening)."""
    row = BankAccount(
        id=account_id, book=book, holder=holder, number="".join(number.split()).upper(),
        bic=bic, currency=currency, opened_at=at,
    )  # fmt: skip
    session.add(row)
    await session.flush()
    return row


async def store_file(
    session: AsyncSession, keyring: Keyring, raw: bytes | BinaryIO, *, at: datetime
) -> KeptFile:
    """Keep a file exactly as it came, sealed; the same bytes again have the same id.

    Called in a transaction of its own before the import, so that a refused file is kept too.
    """
    stream = BytesIO(raw) if isinstance(raw, bytes) else raw
    return await keep_file(session, keyring, stream, provider=PROVIDER, at=at)


def read_statements(raw: bytes | BinaryIO) -> list[Statement]:
    """The statements of a file that may be posted. StatementInvalid, TooLarge."""
    return postable(read_file(raw))


async def import_file(
    session: AsyncSession,
    keyring: Keyring,
    raw: bytes | BinaryIO,
    *,
    actor: str,
    at: datetime,
    documents: Sequence[Document] | None = None,
    after_gap: bool = False,
) -> ImportDone:
    """Import a bank's file: all its statements or none. Importing it again changes nothing.

    ``documents`` is what ``read_file`` made of ``raw``, when that was done elsewhere.
    ``after_gap``: a person says that the bank skips numbers.
    Refused: StatementInvalid, TooLarge, AccountUnknown, OpeningMissing, StatementGap,
    StatementChanged; the transaction rolls back whole (``store_file`` before it keeps the bytes).
    """
    if documents is None:
        documents = read_file(raw)
    await session.execute(_BY_INDEX)
    file = await store_file(session, keyring, raw, at=at)
    row = await _row_of(session, file, documents, actor=actor, at=at)
    done = ImportDone(row.id, file.id)
    done.warnings = [w for d in documents for w in d.read.warnings]
    delivery = _Delivery(row, file, tuple(statements_of(tuple(documents))))
    run = _Run(session, keyring, actor, at, done)
    await run.take(delivery, after_gap=after_gap)
    if done.state == "posted" and any(not s.replayed for s in done.statements):
        await run.those_that_waited()
    return done


async def _row_of(
    session: AsyncSession,
    file: KeptFile,
    documents: Sequence[Document],
    *,
    actor: str,
    at: datetime,
) -> BankImport:
    """The file's import, locked: the one that stands, or a new one that waits."""
    await session.execute(
        insert(BankImport)
        .values(
            id=new_id(), external_event_id=file.id, state="waiting", held=None, made_by=actor,
            made_at=at, heads=[head_of(s) for s in statements_of(tuple(documents))],
        )
        .on_conflict_do_nothing(
            index_elements=["external_event_id"], index_where=BankImport.undone_at.is_(None)
        )
    )  # fmt: skip
    return (
        await session.execute(
            select(BankImport)
            .where(BankImport.external_event_id == file.id, BankImport.undone_at.is_(None))
            .with_for_update()
            .execution_options(populate_existing=True)
        )
    ).scalar_one()


@dataclass(slots=True)
class _Run:
    """One import and what follows from it."""

    session: AsyncSession
    keyring: Keyring
    actor: str
    at: datetime
    done: ImportDone
    standings: Standings = field(default_factory=dict)

    async def take(self, new: _Delivery, *, after_gap: bool) -> None:
        """The file that came. What it needs and lacks is said in ``done.waiting``."""
        together = assemble(new.statements)
        await notices.keep_notices(self.session, new.row.id, together.notices)
        if together.complete or together.waiting:
            await self._take_statements(new, together, after_gap=after_gap)
        elif together.notices:
            new.row.state = self.done.state = "notice"
        else:
            raise StatementInvalid("The file holds no statement.")
        posted = Posted()
        left = await notices.itemise_posted(self._who(), together.notices, posted)
        self.done.warnings += left
        self._add(posted)

    def _who(self) -> notices.Who:
        return notices.Who(self.session, self.keyring, self.actor, self.at)

    async def _take_statements(
        self, new: _Delivery, together: Assembled, *, after_gap: bool
    ) -> None:
        if together.waiting and new.row.state == "posted":
            await self._stands_already(new.row)
            return
        partners = [new]
        if together.waiting:
            partners = await self._with_pages_of(new)
            together = assemble([s for d in partners for s in d.statements])
        held: Held | None
        if together.waiting:
            held = missing_pages(together.waiting[0])
        else:
            held = await self._post(partners, together.complete, after_gap=after_gap)
        if held is not None:
            await self._hold(new.row, held)

    async def _hold(self, row: BankImport, held: Held) -> None:
        waiting = await self.session.scalars(
            select(BankImport.id).where(BankImport.state == "waiting").limit(WAITING_MAX + 1)
        )
        if len(waiting.all()) > WAITING_MAX:
            raise StatementInvalid("Too many files wait already.", limit=WAITING_MAX)
        row.state = self.done.state = "waiting"
        row.held = {"statement": held.statement, "missing": held.missing, "how": held.how}
        self.done.waiting.append(held)
        await self.session.flush()

    async def _post(
        self, partners: Sequence[_Delivery], complete: Sequence[Statement], *, after_gap: bool
    ) -> Held | None:
        """Post all of these statements, or say what is missing before them."""
        steps = await plan(
            self.session, in_order([checked(s) for s in complete]), self.standings,
            after_gap=after_gap,
        )  # fmt: skip
        if isinstance(steps, Held):
            return steps
        lead, *others = [partner.row for partner in partners]
        for row in (lead, *others):
            row.state, row.held = "posted", None
        for row in others:
            row.posted_with = lead.id
        self.done.together += [row.id for row in others if lead.id == self.done.import_id]
        await self.session.flush()
        for step in steps:
            await self._step(step, partners[0])
        return None

    async def _step(self, step: Step, delivery: _Delivery) -> None:
        account, statement = step.after.account, step.statement
        self.done.warnings += statement.warnings
        if step.known is not None:
            self.done.statements.append(_said(step.known, account, 0, replayed=True))
            return
        row = BankStatement(
            id=new_id(), bank_account_id=account.id, external_event_id=delivery.file.id,
            import_id=delivery.row.id, position=step.after.position + 1, ident=statement.ident,
            sequence=statement.sequence, closes_on=statement.closes_on,
            opening_minor=statement.opening, closing_minor=statement.closing,
            content_hash=statement.content_hash, imported_at=self.at,
        )  # fmt: skip
        self.session.add(row)
        await self.session.flush()
        posts = Posts(
            self.session, account, row.id, row.position, delivery.file, self.actor, self.at
        )
        full = await notices.with_payments(self._who(), statement)
        posted = await post_lines(posts, full)
        await self._stands_where_it_says(account, row)
        self.done.statements.append(_said(row, account, posted.lines, replayed=False))
        self._add(posted)

    async def _stands_where_it_says(self, account: BankAccount, row: BankStatement) -> None:
        book = await ledger.balance_of(self.session, "C.BANK", str(account.id), account.currency)
        ahead = await awaiting_confirmation(self.session, account)
        stands = row.closing_minor + ahead.minor
        assert book.minor == stands, "the book must stand where the statement says"

    def _add(self, posted: Posted) -> None:
        self.done.receipts += posted.receipts
        self.done.settled += posted.settled
        self.done.returned += posted.returned
        self.done.unexplained += posted.unexplained

    async def _stands_already(self, row: BankImport) -> None:
        """Pages that came before and are part of what is posted: said again, posted no more."""
        rows = await self.session.execute(
            select(BankStatement, BankAccount)
            .join(BankAccount, BankAccount.id == BankStatement.bank_account_id)
            .where(
                BankStatement.import_id == (row.posted_with or row.id),
                BankStatement.undone_at.is_(None),
            )
            .order_by(BankStatement.position)
        )
        self.done.statements += [_said(one, account, 0, replayed=True) for one, account in rows]

    async def _with_pages_of(self, new: _Delivery) -> list[_Delivery]:
        """``new`` and the waiting files with other pages of its statements, and with other pages
        of theirs."""
        found, names = [new], pages_named(map(head_of, new.statements))
        rest = await self._waiting_rows(but=new.row.id)
        while linked := next((row for row in rest if names & pages_named(row.heads)), None):
            rest.remove(linked)
            delivery = await self._read(linked)
            if delivery is not None:
                found.append(delivery)
                names |= pages_named(linked.heads)
        return found

    async def those_that_waited(self) -> None:
        """Post what now follows, again and again until nothing does."""
        again = True
        while again:
            again = False
            for row in await self._waiting_rows(but=self.done.import_id):
                if not any(self._follows(head) for head in row.heads):
                    continue
                delivery = await self._read(row)
                if delivery is None:
                    continue
                partners = [delivery]
                together = assemble(delivery.statements)
                if together.waiting:
                    partners = await self._with_pages_of(delivery)
                    together = assemble([s for d in partners for s in d.statements])
                if together.waiting:
                    continue
                if await self._post(partners, together.complete, after_gap=False) is None:
                    again = True
                    break

    def _follows(self, head: dict[str, Any]) -> bool:
        standing = self.standings.get((head["account"], head["currency"]))
        return standing is not None and standing.closing == head["opening_minor"]

    async def _waiting_rows(self, *, but: uuid.UUID) -> list[BankImport]:
        rows = await self.session.scalars(
            select(BankImport)
            .where(BankImport.state == "waiting", BankImport.id != but)
            .order_by(BankImport.id)
            .with_for_update()
        )
        return list(rows)

    async def _read(self, row: BankImport) -> _Delivery | None:
        """A waiting file; None when its key was destroyed after its term: then it waits no more."""
        try:
            raw = await read_event(self.session, self.keyring, row.external_event_id)
            file = await open_file(self.session, self.keyring, row.external_event_id)
        except DataErased:
            row.state = "forgotten"
            await self.session.flush()
            self.done.warnings.append(f"import {row.id} waited and cannot be read any more")
            return None
        return _Delivery(row, file, tuple(statements_of(read_file(raw))))


def _said(row: BankStatement, account: BankAccount, lines: int, *, replayed: bool) -> StatementDone:
    return StatementDone(
        row.id, row.bank_account_id, row.ident, Money(row.closing_minor, account.currency),
        row.closes_on, lines, replayed,
    )  # fmt: skip
