"""The gates of one case: read with what is on file, shown, and held at acceptance."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from app.authorisation.principal import Principal
from app.authorisation.scope import case_scope
from app.case_change import CaseChange
from app.casework.finding import CaseFinding, finding_of
from app.casework.gate_schemas import GateOut, GatesOut, GateWordIn
from app.casework.schemas import AssessmentIn
from app.domain.case import Stage
from app.domain.errors import Conflict, Forbidden, InvalidInput, NotFound
from app.domain.gates import Gate, GateFacts, GateState, Opponent, OtherRoute, gates
from app.domain.playbook import Playbook
from app.gates.licences import licences_of
from app.gates.rules import gate_rules
from app.moment import Moment, read_moment
from app.playbooks import book
from app.tables.cases import CaseRow
from app.tables.work import EvidenceRow
from app.texts import words

DIRECT_FIRST_MAX = 90  # days; what is longer is no condition of carriage
_READ = text("""
    SELECT c.claim_kind, c.jurisdiction, c.currency, c.answers, c.first_written_complaint,
           c.playbook, c.bodies, c.stage, m.status, m.kind, m.register_number,
           m.direct_first_days, m.mandate_level
      FROM cases c LEFT JOIN companies m ON m.id = c.company_id WHERE c.id = :id
""")


class GateClosed(Conflict):
    """A gate is closed, or asks for a word that was not given; `gates` names them."""

    code = "gate_closed"


class NotYours(Forbidden):
    """This gate is lifted by other people, or by nobody."""

    code = "gate_not_yours"


@dataclass(frozen=True, slots=True)
class Said:
    """What the person who assesses says beside the file."""

    entry: Stage | None = None
    told_on: date | None = None
    role: str | None = None
    released: frozenset[str] = frozenset()
    bodies: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Held:
    """The gates as they stood, and the words by which some were passed."""

    gates: tuple[Gate, ...]
    direct_first_days: int
    words: Mapping[str, str] = field(default_factory=dict)

    def document(self, note_codes: Mapping[str, str]) -> list[dict[str, Any]]:
        """What is kept with the assessment; a person's words stand in the notes of the case."""
        return [
            {
                "gate": g.name, "state": g.state.value, "rule": g.rule, "why": g.why,
                "params": dict(g.params), "passed_by": note_codes.get(g.name),
            }
            for g in self.gates
        ]  # fmt: skip


async def seen_by(
    session: AsyncSession, caller: Principal, case_id: uuid.UUID, said: Said
) -> tuple[Gate, ...]:
    """Raises NotFound, also for a case out of the caller's scope."""
    seen = await session.scalar(select(CaseRow.id).where(CaseRow.id == case_id, case_scope(caller)))
    if seen is None:
        raise NotFound("there is no such case", code="case_not_found")
    moment = await read_moment(session)
    found = await finding_of(session, case_id, moment.now, said.told_on)
    return gates(await gate_facts(session, case_id, moment, found, said), gate_rules())


def shown(standing: Sequence[Gate], language: str) -> GatesOut:
    """The gates in sentences."""
    say = words(language)
    items = [
        GateOut(
            gate=g.name,
            state=g.state.value,
            rule=g.rule,
            code=g.why,
            why=say.say("gates", g.why, dict(g.params)),
            opens_when=None
            if g.state is GateState.OPEN
            else say.say("gate_keys", g.why, dict(g.params)),
            opens_on=g.opens_on,
            lifted_by=list(g.lifted_by),
        )
        for g in standing
    ]
    return GatesOut(all_open=all(g.state is GateState.OPEN for g in standing), items=items)


async def hold(change: CaseChange, body: AssessmentIn, found: CaseFinding) -> Held:
    """The gates at acceptance. Raises GateClosed, NotYours, InvalidInput."""
    said = Said(
        entry=Stage(body.entry_stage) if body.entry_stage else None,
        told_on=body.first_written_complaint,
        role=body.opponent_role,
        released=await _released(change, body),
        bodies=tuple(body.bodies),
    )
    facts = await gate_facts(change.session, change.case.id, change.moment, found, said)
    standing = gates(facts, gate_rules())
    given = _words(body.gates)
    if unknown := set(given) - {g.name for g in standing}:
        raise InvalidInput(
            f"this case has no such gate: {', '.join(sorted(unknown))}",
            code="gate_unknown",
            field="gates",
        )
    for gate in standing:
        if gate.state is GateState.CLOSED and gate.name in given:
            _check_lifting(change.caller, gate)
    shut = [g for g in standing if g.state is not GateState.OPEN and g.name not in given]
    if shut:
        say = words("en")
        why = " ".join(f"{g.name}: {say.say('gates', g.why, dict(g.params))}" for g in shut)
        raise GateClosed(
            f"not open yet. {why} GET /v1/cases/{change.case.id}/gates says what opens each",
            gates=", ".join(g.name for g in shut),
        )
    days = facts.opponent.direct_first_days or 0
    first = days if any(g.why == "direct_first_step" for g in standing) else 0
    return Held(standing, first, {g.name: given[g.name] for g in standing if g.name in given})


async def gate_facts(
    session: AsyncSession, case_id: uuid.UUID, moment: Moment, found: CaseFinding, said: Said
) -> GateFacts:
    """Before acceptance by the playbook of today, afterwards by the one the case runs under."""
    row = dict((await session.execute(_READ, {"id": case_id})).mappings().one())
    today, answers = book.local_day(row["playbook"], moment.now), row["answers"]
    playbook = _playbook(row, found, said, today)
    one = found.finding
    return GateFacts(
        today=today,
        place=row["jurisdiction"],
        claim_kind=row["claim_kind"],
        currency=row["currency"],
        playbook=playbook,
        bodies=playbook.bodies,
        opponent=Opponent(
            status=row["status"] or "none",
            kind=row["kind"],
            register_number=row["register_number"],
            role=said.role,
            direct_first_days=longer_wait(row["direct_first_days"], answers),
            mandate_level=row["mandate_level"],
        ),
        licences=licences_of(moment.profile),
        routes=_routes(answers.get("other_routes")),
        declared=frozenset(key for key, value in answers.items() if _day(value) is not None),
        released=said.released,
        told_on=said.told_on or row["first_written_complaint"] or _told(answers),
        body_opens=one.body_opens if one else None,
        body_closes=one.body_closes if one else None,
        entry=said.entry,
    )


def chain_of(named: Sequence[str], found: CaseFinding, playbook: Playbook) -> tuple[str, ...]:
    """The chain a person named; else the body of the finding, where it hangs on the answers or is
    none of the playbook's own (a flight that went wrong elsewhere, a company across a border)."""
    by_law = found.finding.body if found.finding else None
    own = {one.id for one in playbook.bodies}
    if named or by_law is None or (by_law in own and not playbook.bodies_by_case):
        return tuple(dict.fromkeys(named))
    return (by_law,)


def with_bodies(playbook: Playbook, bodies: Sequence[str]) -> Playbook:
    """Raises InvalidInput for a body that nobody knows."""
    try:
        return book.for_case(playbook.key, bodies)
    except NotFound as unknown:
        raise InvalidInput(unknown.message, code="body_not_found", field="bodies") from None


def longer_wait(company_days: int | None, answers: Mapping[str, Any]) -> int | None:
    """Days the consumer's own letter comes first: by our record of the company, or by the terms the
    consumer read; the longer, for writing too early costs the claim its hearing."""
    said = answers.get("direct_first_days")
    read = said if isinstance(said, int) and 0 < said <= DIRECT_FIRST_MAX else 0
    return max(company_days or 0, read) or None


def _playbook(row: Mapping[str, Any], found: CaseFinding, said: Said, today: date) -> Playbook:
    if row["stage"] not in (Stage.INTAKE, Stage.ASSESSMENT):
        return book.for_case(row["playbook"], row["bodies"])
    chosen = book.get(found.playbook)
    return with_bodies(chosen, chain_of(said.bodies, found, chosen))


def _words(given: Sequence[GateWordIn]) -> dict[str, str]:
    words = {one.gate: one.words for one in given}
    if len(words) != len(given):
        raise InvalidInput("one word per gate", code="gate_twice", field="gates")
    return words


def _check_lifting(caller: Principal, gate: Gate) -> None:
    if not gate.lifted_by or not caller.has(*gate.lifted_by):
        who = " or ".join(gate.lifted_by) or "nobody; only the fact itself opens it"
        raise NotYours(f"the gate {gate.name} may be lifted by: {who}", gate=gate.name)


async def _released(change: CaseChange, body: AssessmentIn) -> frozenset[str]:
    """Releases in writing: each with its paper among the evidence of this case."""
    papers = {one.evidence_id for one in body.releases}
    if papers:
        query = select(EvidenceRow.id).where(
            EvidenceRow.case_id == change.case.id, EvidenceRow.id.in_(papers)
        )
        if papers - set(await change.session.scalars(query)):
            raise InvalidInput(
                "the release must be among the evidence of this case",
                code="evidence_not_found",
                field="releases",
            )
    return frozenset(one.route for one in body.releases)


def _routes(answer: Any) -> tuple[OtherRoute, ...] | None:
    """Only a list answers the question; "unknown" and silence do not."""
    if not isinstance(answer, list):
        return None
    return tuple(OtherRoute(str(r.get("route")), str(r.get("state"))) for r in answer)


def _told(answers: Mapping[str, Any]) -> date | None:
    return _day(answers.get("first_written_complaint"))


def _day(value: Any) -> date | None:
    """A day or an instant as the intake keeps them; everything else is no day."""
    try:
        return date.fromisoformat(value[:10]) if isinstance(value, str) else None
    except ValueError:
        return None
