"""One person's change of one case: found in their scope, locked, its version checked, then decided.

Lock, then read, then decide: the row is locked with the caller's scope in the WHERE clause, so a
case that left the pool a moment ago is as unknown to its former reader as any other.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, false, insert, or_, select, true, update
from sqlalchemy.ext.asyncio import AsyncSession

from app import engine
from app.authorisation.principal import Principal
from app.domain.case import Case
from app.domain.decision import TaskKind
from app.domain.errors import NotFound
from app.domain.events import Event
from app.etag import check_version
from app.ids import new_id
from app.moment import Moment, read_moment
from app.tables.cases import CaseRow
from app.tables.casework import CaseNoteRow
from app.tables.work import TaskRow

IN_WORDS = "in_words"  # the code in history when the reason itself stands in case_notes
_CODE = re.compile(r"[a-z][a-z0-9_.-]{0,63}", re.ASCII)
_FACTS = (
    CaseRow.id, CaseRow.reference, CaseRow.version, CaseRow.stage, CaseRow.currency,
    CaseRow.claim_kind, CaseRow.jurisdiction, CaseRow.claimed_minor, CaseRow.handler_id,
    CaseRow.company_id, CaseRow.consumer_id, CaseRow.prepared_by, CaseRow.playbook,
    CaseRow.mode, CaseRow.duplicate_of, CaseRow.opened_at, CaseRow.closed_at,
)  # fmt: skip


def work_scope(principal: Principal) -> ColumnElement[bool]:
    """The cases this person may change: a handler own cases and the pool, senior and legal all.

    Narrower than `case_scope`: who may look at every case (finance, auditor) changes none.
    """
    if principal.has("senior", "legal"):
        return true()
    if principal.has("handler"):
        return or_(CaseRow.handler_id == principal.id, CaseRow.handler_id.is_(None))
    return false()


@dataclass(frozen=True, slots=True)
class Facts:
    """The columns of a locked case that services look at beside the ladder."""

    id: uuid.UUID
    reference: str
    version: int
    stage: str
    currency: str
    claim_kind: str
    jurisdiction: str
    claimed_minor: int
    handler_id: uuid.UUID | None
    company_id: uuid.UUID | None
    consumer_id: uuid.UUID
    prepared_by: str | None
    playbook: str
    mode: str
    duplicate_of: uuid.UUID | None
    opened_at: datetime
    closed_at: datetime | None


@dataclass(frozen=True, slots=True)
class CaseChange:
    """A locked case, who changes it, and when. Facts go to the engine in the same transaction."""

    session: AsyncSession
    caller: Principal
    case: Facts
    moment: Moment

    @property
    def now(self) -> datetime:
        return self.moment.now

    @property
    def actor(self) -> str:
        return self.caller.actor

    async def advance(self, event: Event) -> Case:
        """Raises TransitionRefused with the reason; then nothing of this call remains."""
        return await engine.advance(
            self.session, self.case.id, event, actor=self.actor, moment=self.moment
        )

    async def amend(
        self, code: str, columns: Mapping[str, Any] | None = None, **params: str | int
    ) -> None:
        """History, and columns that the ladder does not decide."""
        await engine.amend(
            self.session,
            self.case.id,
            dict(columns or {}),
            code=code,
            actor=self.actor,
            params=params,
            moment=self.moment,
        )

    async def note(self, about: str, words: str) -> str:
        """Keeps a person's words and returns the code that history may carry for them.

        A word that already is a code stands for itself and needs no note.
        """
        if _CODE.fullmatch(words):
            return words
        await self.session.execute(
            insert(CaseNoteRow).values(
                id=new_id(),
                case_id=self.case.id,
                about=about,
                words=words,
                written_by=self.actor,
                written_at=self.now,
            )
        )
        return IN_WORDS

    async def finish_task(self, kind: TaskKind, key: str | None = None) -> None:
        """Closes open work that no event of the ladder closes (the case row is locked by us)."""
        query = update(TaskRow).where(
            TaskRow.case_id == self.case.id, TaskRow.kind == kind.value, TaskRow.state == "open"
        )
        if key is not None:
            query = query.where(TaskRow.key == key)
        await self.session.execute(
            query.values(state="done", closed_at=self.now, closed_by=self.actor)
        )


async def change_case(
    session: AsyncSession, caller: Principal, case_id: uuid.UUID, version: int
) -> CaseChange:
    """Locks a case the caller may change. Raises NotFound (a foreign one too), StaleVersion."""
    facts = await lock_facts(session, caller, case_id)
    check_version(facts.version, version)
    return CaseChange(session, caller, facts, await read_moment(session))


async def lock_facts(session: AsyncSession, caller: Principal, case_id: uuid.UUID) -> Facts:
    """The locked row without a version check, for changes that carry none (a call note)."""
    row = (
        (
            await session.execute(
                select(*_FACTS).where(CaseRow.id == case_id, work_scope(caller)).with_for_update()
            )
        )
        .mappings()
        .one_or_none()
    )
    if row is None:
        raise NotFound("there is no such case", code="case_not_found")
    return Facts(**row)
