"""The proof matrix and the exhibits of a case over HTTP."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from fastapi import Query, Response
from pydantic import Field

from app.cases.access import own_case
from app.deps import Caller, ReadSession, Router, Session, problems
from app.exhibits import service
from app.papers.endpoints import PaperOut, shown
from app.schemas import Id, In, LanguageCode, Out, Reason

router = Router(prefix="/v1/cases/{case_id}", tags=["casework"])
Ref = Annotated[
    str,
    Field(
        pattern=r"^(evidence|letter|message|attachment|delivery):[0-9a-f-]{36}$",
        description="Kind and id of a paper, as the proof matrix names it.",
    ),
]
Code = Annotated[str, Field(pattern=r"^[a-z_]{1,40}$")]


class TieIn(In):
    element: Code
    exhibit: Ref


class ClassIn(In):
    exhibit: Ref
    paper_class: Literal["open", "negotiation", "mediation", "internal"]
    reason: Reason


class ReleaseIn(In):
    exhibit: Ref
    reason: Reason


class BundleIn(In):
    """`language`: of the index; without it the body's."""

    language: LanguageCode | None = None


class ProvenByOut(Out):
    """`tied_by` is a person, or `rule`: our own file proves it by itself."""

    exhibit: str
    tied_by: str


class ElementOut(Out):
    """What must be proven. `side`: the claim, or a defence that is to be expected. `proven_by`
    empty is a gap. `may_prove`: kinds of paper that can."""

    element: str
    side: str
    text: str
    gap: bool
    proven_by: list[ProvenByOut]
    may_prove: list[str]


class ExhibitOut(Out):
    """A paper of the case. `label`: its exhibit number; null: it stays out, by its class or because
    its bytes were not taken in."""

    exhibit: str
    label: str | None
    title: str
    at: datetime
    media_type: str
    paper_class: str
    released: bool


class ProofOut(Out):
    """The handler's checklist. `gaps`: elements that nothing proves; a complaint with one needs a
    reason when it is approved."""

    elements: list[ElementOut]
    gaps: list[str]
    exhibits: list[ExhibitOut]


@router.get("/proof", operation_id="get_proof")
async def get_proof(
    case_id: Id,
    session: ReadSession,
    caller: Caller,
    language: Annotated[LanguageCode, Query()] = "en",
) -> ProofOut:
    """What must be proven, by what it is proven, and what nothing proves."""
    await own_case(session, caller, case_id)
    return _out(await service.proof_of(session, case_id, language), language)


@router.post(
    "/proof/ties", operation_id="tie_exhibit", status_code=204,
    responses=problems("conflict"),
)  # fmt: skip
async def tie_exhibit(case_id: Id, body: TieIn, session: Session, caller: Caller) -> Response:
    """This paper proves this element. Twice is once."""
    await service.tie(session, caller, case_id, body.element, body.exhibit)
    return Response(status_code=204)


@router.post("/proof/unties", operation_id="untie_exhibit", status_code=204)
async def untie_exhibit(case_id: Id, body: TieIn, session: Session, caller: Caller) -> Response:
    """Takes back what a person tied."""
    await service.untie(session, caller, case_id, body.element, body.exhibit)
    return Response(status_code=204)


@router.post("/exhibits/class", operation_id="class_paper", status_code=204)
async def class_paper(case_id: Id, body: ClassIn, session: Session, caller: Caller) -> Response:
    """Negotiation, mediation and internal papers stay out of exhibits until legal releases them."""
    await service.classify(session, caller, case_id, body.exhibit, body.paper_class, body.reason)
    return Response(status_code=204)


@router.post(
    "/exhibits/release", operation_id="release_paper", status_code=204,
    responses=problems("conflict"),
)  # fmt: skip
async def release_paper(case_id: Id, body: ReleaseIn, session: Session, caller: Caller) -> Response:
    """Legal lets a paper leave although its class keeps it out, with the reason."""
    await service.release(session, caller, case_id, body.exhibit, body.reason)
    return Response(status_code=204)


@router.post("/exhibits/bundle", operation_id="ask_bundle", status_code=202)
async def ask_bundle(case_id: Id, body: BundleIn, session: Session, caller: Caller) -> PaperOut:
    """Orders one paginated, bookmarked PDF of everything that may leave, with its index. A worker
    makes it; its files appear among the papers of the case."""
    return shown(await service.ask_bundle(session, caller, case_id, body.language))


def _out(proof: service.Proof, language: str) -> ProofOut:
    return ProofOut(
        elements=[
            ElementOut(
                element=line.element.code, side=line.element.side,
                text=line.element.said(language), gap=line.gap,
                proven_by=[ProvenByOut(exhibit=ref, tied_by=who) for ref, who in line.proven_by],
                may_prove=list(line.element.by),
            )
            for line in proof.lines
        ],
        gaps=list(proof.gaps),
        exhibits=[
            ExhibitOut(
                exhibit=held.ref, label=proof.labels.get(held.ref), title=held.title, at=held.at,
                media_type=held.media_type, paper_class=held.paper.class_,
                released=held.paper.released,
            )
            for held in proof.papers
        ],
    )  # fmt: skip
