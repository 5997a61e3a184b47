"""Ties, classes and releases of exhibits, and the order of a bundle."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app import engine
from app.authorisation import Principal
from app.cases.access import own_case
from app.documents.papers import Wanted, order_papers
from app.domain.errors import Conflict, InvalidInput, NotFound
from app.exhibits.matrix import Line, element, elements_of, gaps, matrix
from app.exhibits.papers import Held, labelled, papers_of
from app.ids import new_id
from app.moment import read_moment
from app.playbooks import book
from app.tables.cases import CaseRow
from app.tables.exhibits import PaperClassRow, ProofTieRow
from app.tables.papers import CasePaperRow
from app.texts import words


class NoSuchExhibit(NotFound):
    code = "exhibit_not_found"


class ProvesNothing(InvalidInput):
    """A paper of this kind cannot prove this element, or there is no such element."""

    code = "exhibit_does_not_fit"


class NothingToRelease(Conflict):
    """The class of the paper keeps it in no file: there is nothing to release."""

    code = "nothing_to_release"


@dataclass(frozen=True, slots=True)
class Proof:
    """The matrix of a case, with its papers and their exhibit numbers."""

    lines: tuple[Line, ...]
    papers: list[Held]
    labels: Mapping[str, str]
    body: str | None

    @property
    def gaps(self) -> tuple[str, ...]:
        return gaps(self.lines)


async def proof_of(session: AsyncSession, case_id: uuid.UUID, language: str) -> Proof:
    """Raises NotFound. Who may see it is the caller's question."""
    row = (
        await session.execute(
            select(CaseRow.playbook, CaseRow.bodies, CaseRow.body_index).where(
                CaseRow.id == case_id
            )
        )
    ).one_or_none()
    if row is None:
        raise NotFound("there is no such case", code="case_not_found")
    playbook = book.for_case(row.playbook, row.bodies)
    papers = await papers_of(session, case_id, words(language))
    tied = await session.execute(
        select(ProofTieRow.element, ProofTieRow.ref, ProofTieRow.tied_by).where(
            ProofTieRow.case_id == case_id
        )
    )
    ties = [(one.element, one.ref, one.tied_by) for one in tied]
    lines = matrix(elements_of(playbook.family), [held.paper for held in papers], ties)
    bodies = playbook.bodies
    body = bodies[min(row.body_index, len(bodies) - 1)].id if bodies else None
    return Proof(lines, papers, labelled(papers), body)


async def tie(
    session: AsyncSession, caller: Principal, case_id: uuid.UUID, code: str, ref: str
) -> None:
    """Raises NotFound, NoSuchExhibit, ProvesNothing."""
    await _paper(session, caller, case_id, ref)
    one = element(code)
    if one is None or ref.partition(":")[0] not in one.by:
        raise ProvesNothing("a paper of this kind does not prove this", field="exhibit")
    now = (await read_moment(session)).now
    await session.execute(
        insert(ProofTieRow)
        .values(case_id=case_id, element=code, ref=ref, tied_by=caller.actor, tied_at=now)
        .on_conflict_do_nothing()
    )
    await _note(session, caller, case_id, "exhibit_tied", element=code, exhibit=ref)


async def untie(
    session: AsyncSession, caller: Principal, case_id: uuid.UUID, code: str, ref: str
) -> None:
    """Nothing, where it was not tied: a call repeated is the same call. Raises NotFound,
    NoSuchExhibit."""
    await _paper(session, caller, case_id, ref)
    gone = await session.scalar(
        delete(ProofTieRow)
        .where(
            ProofTieRow.case_id == case_id, ProofTieRow.element == code, ProofTieRow.ref == ref
        )
        .returning(ProofTieRow.ref)
    )  # fmt: skip
    if gone is not None:
        await _note(session, caller, case_id, "exhibit_untied", element=code, exhibit=ref)


async def classify(
    session: AsyncSession, caller: Principal, case_id: uuid.UUID, ref: str, class_: str, reason: str
) -> None:
    """A new class takes back a release. Raises NotFound, NoSuchExhibit."""
    await _paper(session, caller, case_id, ref)
    now = (await read_moment(session)).now
    said = {"class_": class_, "reason": reason, "set_by": caller.actor, "set_at": now}
    bare = {"released_by": None, "released_at": None, "release_reason": None}
    await _write(session, case_id, ref, said | bare)
    await _note(session, caller, case_id, "paper_classed", exhibit=ref, to=class_)


async def release(
    session: AsyncSession, caller: Principal, case_id: uuid.UUID, ref: str, reason: str
) -> None:
    """Legal lets a paper leave although its class keeps it out. Raises NotFound, NoSuchExhibit,
    NothingToRelease."""
    held = await _paper(session, caller, case_id, ref)
    if held.paper.may_leave:
        raise NothingToRelease("nothing keeps this paper in")
    now = (await read_moment(session)).now
    await _write(
        session, case_id, ref,
        {"released_by": caller.actor, "released_at": now, "release_reason": reason},
    )  # fmt: skip
    await _note(session, caller, case_id, "paper_released", exhibit=ref)


async def ask_bundle(
    session: AsyncSession, caller: Principal, case_id: uuid.UUID, language: str | None
) -> CasePaperRow:
    """Orders the bundle of what may leave now. Raises NotFound."""
    await own_case(session, caller, case_id, lock=True)
    now = (await read_moment(session)).now
    wanted = Wanted(new_id(), case_id, "bundle", None, language)
    await order_papers(session, [wanted], actor=caller.actor, now=now)
    row = await session.get(CasePaperRow, wanted.id)
    assert row is not None, "it was just written"
    return row


async def _paper(session: AsyncSession, caller: Principal, case_id: uuid.UUID, ref: str) -> Held:
    await own_case(session, caller, case_id, lock=True)
    for held in await papers_of(session, case_id, words("en")):
        if held.ref == ref:
            return held
    raise NoSuchExhibit("there is no such paper on this case")


async def _write(
    session: AsyncSession, case_id: uuid.UUID, ref: str, values: Mapping[str, object]
) -> None:
    row = await session.get(PaperClassRow, (case_id, ref))
    if row is None:
        row = PaperClassRow(case_id=case_id, ref=ref)
        session.add(row)
    for name, value in values.items():
        setattr(row, name, value)
    await session.flush()


async def _note(
    session: AsyncSession, caller: Principal, case_id: uuid.UUID, code: str, **params: str
) -> None:
    moment = await read_moment(session)
    await engine.amend(
        session, case_id, {}, code=code, actor=caller.actor, params=params, moment=moment
    )
