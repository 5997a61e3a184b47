"""Keeping evidence: the row, the bytes under their hash, the history line."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app import engine
from app.authorisation import Principal
from app.cases.access import own_case
from app.crypto import Keyring
from app.documents.keys import key_to_write
from app.documents.store import ObjectStore
from app.domain.errors import Conflict, NotFound
from app.domain.screening import SERVED, first_state
from app.evidence.kinds import EXTENSIONS
from app.evidence.receive import Received
from app.evidence.schemas import EvidenceOut
from app.ids import new_id
from app.moment import read_moment
from app.pagination import Paging, keyset
from app.schemas import clean_text
from app.tables.work import EvidenceRow

FILES_MAX = 100  # per case: a complaint bundle has some thirty


class TooManyFiles(Conflict):
    code = "too_many_files"


def display_name(name: str | None, media_type: str) -> str:
    """The name for showing: no folders, no control characters, the ending of what it is."""
    plain = clean_text((name or "").replace("\\", "/").rpartition("/")[2], lines=False)
    stem = plain.rpartition(".")[0] or plain
    stem = stem.strip(". ") or "document"
    return f"{stem[:150]}.{EXTENSIONS[media_type]}"


async def keep(
    session: AsyncSession,
    principal: Principal,
    case_id: UUID,
    received: Received,
    store: ObjectStore,
    keyring: Keyring,
    *,
    what: str,
    file_name: str | None,
    scanned: bool,
) -> EvidenceRow:
    """Keeps a file whose kind was told, sealed for who filed the case, in its first state
    (app.domain.screening): with a scanner (`scanned`) it is quarantined, and served only once
    that has looked.

    The bytes go first: a row never names bytes that are not there. The same file again on the
    same case is the same evidence. Raises NotFound, TooManyFiles.
    """
    case = await own_case(session, principal, case_id, lock=True)
    same: EvidenceRow | None = await session.scalar(
        select(EvidenceRow)
        .where(EvidenceRow.case_id == case_id, EvidenceRow.sha256 == received.sha256)
        .limit(1)
    )
    if same is not None:
        return same
    count = await session.scalar(
        select(func.count()).select_from(EvidenceRow).where(EvidenceRow.case_id == case_id)
    )
    if (count or 0) >= FILES_MAX:
        raise TooManyFiles(f"a case holds {FILES_MAX} files", maximum=FILES_MAX)
    moment = await read_moment(session)
    key = await key_to_write(session, keyring, case.consumer_id, moment.now)
    await store.put_file(received.path, received.sha256, key)
    row = EvidenceRow(
        id=new_id(),
        case_id=case.id,
        uploaded_by=principal.actor,
        file_name=display_name(file_name, received.media_type),
        media_type=received.media_type,
        size_bytes=received.size,
        sha256=received.sha256,
        storage_key=key.name(received.sha256),
        state=first_state(received.media_type, scanned=scanned),
        what=what,
        uploaded_at=moment.now,
    )
    session.add(row)
    await session.flush()
    await engine.amend(
        session,
        case.id,
        {},
        code="evidence_added",
        actor=principal.actor,
        params={"evidence": str(row.id), "kind": received.media_type},
        moment=moment,
    )
    return row


async def listed(
    session: AsyncSession, principal: Principal, case_id: UUID, pages: Paging
) -> tuple[list[EvidenceRow], str | None]:
    """The files of the case, oldest first."""
    await own_case(session, principal, case_id)
    name = f"evidence:{case_id}"
    query: Any = keyset(
        select(EvidenceRow).where(EvidenceRow.case_id == case_id),
        [EvidenceRow.id],
        pages.after(name),
        pages.limit,
    )
    rows = list(await session.scalars(query))
    more = len(rows) > pages.limit
    rows = rows[: pages.limit]
    return rows, pages.next(name, [rows[-1].id]) if more else None


async def found(
    session: AsyncSession, principal: Principal, case_id: UUID, evidence_id: UUID
) -> EvidenceRow:
    """One served file of the caller's case. Raises NotFound."""
    await own_case(session, principal, case_id)
    row = (
        await session.execute(
            select(EvidenceRow).where(
                EvidenceRow.id == evidence_id,
                EvidenceRow.case_id == case_id,
                EvidenceRow.state.in_(SERVED),
            )
        )
    ).scalar_one_or_none()
    if row is None:
        raise NotFound("there is no such file on this case", code="evidence_not_found")
    return row


def shown(row: EvidenceRow, principal: Principal) -> EvidenceOut:
    released = row.state in SERVED
    return EvidenceOut(
        id=row.id,
        file_name=row.file_name,
        what=row.what,
        media_type=row.media_type,
        size_bytes=row.size_bytes,
        sha256=row.sha256,
        state=row.state,
        uploaded_at=row.uploaded_at,
        uploaded_by_you=row.uploaded_by == principal.actor,
        download=f"/v1/cases/{row.case_id}/evidence/{row.id}" if released else None,
    )
