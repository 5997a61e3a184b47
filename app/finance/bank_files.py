"""Bank files at the desk of finance: imported, looked at before, taken back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from tempfile import SpooledTemporaryFile
from typing import BinaryIO, Final, cast
from uuid import UUID

from app.banking.importing import ImportDone, import_file, store_file
from app.banking.reading.reader import read_file
from app.banking.undoing import undo_import
from app.crypto import Keyring
from app.db import Database
from app.finance.desk import Desk
from app.finance.matching import queue_receipts
from app.finance.receiving import mark_bank_read
from app.finance.telling import NotTold, tell_bank
from app.moment import read_moment
from app.tables.banking import BankImport

IN_MEMORY: Final = 4 * 1024 * 1024  # a larger file is kept on disk while it is read


@dataclass(frozen=True, slots=True)
class Imported:
    done: ImportDone
    not_told: list[NotTold]


@asynccontextmanager
async def spooled(chunks: AsyncIterator[bytes]) -> AsyncIterator[BinaryIO]:
    """An upload as a file; 100,000 lines are 80 MB and do not belong into memory."""
    with SpooledTemporaryFile(max_size=IN_MEMORY) as file:
        async for chunk in chunks:
            file.write(chunk)
        file.seek(0)
        yield cast(BinaryIO, file)


async def keep_file(database: Database, keyring: Keyring, raw: BinaryIO) -> None:
    """The bytes as they came, in a transaction of their own: a refused file is kept too."""
    async with database.transaction() as session:
        await store_file(session, keyring, raw, at=(await read_moment(session)).now)


async def import_statement(
    desk: Desk, keyring: Keyring, raw: BinaryIO, *, after_gap: bool
) -> Imported:
    """Post the file, tell the cases, move the mark of how far the bank was read. All or nothing."""
    # A day of 100,000 lines takes seconds to read: other calls go on meanwhile.
    documents = await asyncio.to_thread(read_file, raw)
    done = await import_file(
        desk.session, keyring, raw, actor=desk.actor, at=desk.at, documents=documents,
        after_gap=after_gap,
    )  # fmt: skip
    await queue_receipts(desk.session, done.receipts)
    not_told = await tell_bank(desk, done.settled, done.returned)
    await mark_bank_read(desk)
    if done.state != "posted" or not all(statement.replayed for statement in done.statements):
        await desk.log(
            "bank_statement_imported",
            file=str(done.external_event_id),
            state=done.state,
            after_gap=after_gap,
            statements=len(done.statements),
            receipts=len(done.receipts),
        )
    return Imported(done, not_told)


async def preview_statement(
    desk: Desk, keyring: Keyring, raw: BinaryIO, *, after_gap: bool
) -> ImportDone:
    """What importing the file would do: it is done, and undone before anybody sees it. Nothing of
    it stays, the file neither."""
    documents = await asyncio.to_thread(read_file, raw)
    trial = await desk.session.begin_nested()
    try:
        return await import_file(
            desk.session, keyring, raw, actor=desk.actor, at=desk.at, documents=documents,
            after_gap=after_gap,
        )  # fmt: skip
    finally:
        await trial.rollback()


async def undo(desk: Desk, import_id: UUID, reason: str) -> list[BankImport]:
    """Take a whole import back, with the files whose pages made its statements; this one first.
    Raises what undo_import does."""
    rows = await undo_import(desk.session, import_id, actor=desk.actor, at=desk.at, reason=reason)
    await mark_bank_read(desk)
    with_it = [str(row.id) for row in rows[1:]]
    await desk.log("bank_import_undone", bank_import=str(import_id), files=with_it, reason=reason)
    return rows
