"""The gates before a case is accepted: each is open or not by a rule, and says what opens it.

Pure. A gate is `open`; or it `asks` for the word of the person who assesses; or it is `closed`, and
then only what opens it, or a person of the roles named, with a reason, lets the case through.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Final, Literal, cast, get_args

from app.domain.case import Stage
from app.domain.playbook import Body, Declaration, Playbook

MandateLevel = Literal["typed", "drawn", "qualified", "wet_ink"]
LEVELS: Final[tuple[MandateLevel, ...]] = get_args(MandateLevel)  # the weakest signature first


class GateState(StrEnum):
    OPEN = "open"
    ASKS = "asks"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Gate:
    """`rule`: what closed or opened it. `why`: the code of its sentence. `opens_on`: the day on
    which it opens by itself. `lifted_by`: roles that may let a case through a closed gate."""

    name: str
    state: GateState
    rule: str
    why: str
    params: Mapping[str, str] = field(default_factory=dict)
    opens_on: date | None = None
    lifted_by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Licence:
    """What we may do in a country and under which title. `claim_kinds` empty: all of them.
    `insured_until`: last day of the liability cover; None: no cover on record."""

    name: str
    number: str
    country: str
    may: frozenset[str]  # advise | demand | file | sue
    claim_kinds: frozenset[str] = frozenset()
    valid_from: date | None = None
    valid_until: date | None = None
    insured_until: date | None = None

    def covers(self, country: str, claim_kind: str) -> bool:
        return self.country == country and (not self.claim_kinds or claim_kind in self.claim_kinds)

    def valid_on(self, day: date) -> bool:
        begun = self.valid_from is None or self.valid_from <= day
        return begun and (self.valid_until is None or day <= self.valid_until)


@dataclass(frozen=True, slots=True)
class Opponent:
    """The company as the register of companies has it; `role`: what it is to this claim."""

    status: str  # none | candidate | confirmed | closed
    kind: str | None = None  # business | public_body | private_person
    register_number: str | None = None
    role: str | None = None
    direct_first_days: int | None = None
    mandate_level: str | None = None


@dataclass(frozen=True, slots=True)
class OtherRoute:
    """Somebody else at work on the claim, by the intake's answer."""

    route: str
    state: str


@dataclass(frozen=True, slots=True)
class GateRules:
    """The house's data (app/gates/gates.yaml)."""

    insurance_needed: frozenset[str]  # licence rules that ask for liability cover
    licence_not_needed: Mapping[str, str]  # country -> rule by which no licence is needed
    roles: Mapping[str, frozenset[str]]  # claim kind or "*" -> roles that may be claimed from
    released_first: frozenset[tuple[str, str]]  # (route, state) that close until released
    asked_about: frozenset[tuple[str, str]]
    rails: frozenset[str]  # currencies with a payout rail that was tested end to end
    lifted_by: Mapping[str, tuple[str, ...]]  # gate -> roles


@dataclass(frozen=True, slots=True)
class GateFacts:
    """What is known of a case when the gates are looked at. `routes` None: nobody asked.
    `told_on`: the first written complaint. `declared`: the answers behind declarations, by their
    key; only those with a day. `entry`: the stage a person wants to enter at, if they said."""

    today: date
    place: str  # the case's jurisdiction, e.g. FI or US-CA
    claim_kind: str
    currency: str
    playbook: Playbook
    bodies: tuple[Body, ...]
    opponent: Opponent
    licences: tuple[Licence, ...]
    routes: tuple[OtherRoute, ...] | None
    declared: frozenset[str] = frozenset()
    released: frozenset[str] = frozenset()
    told_on: date | None = None
    body_opens: date | None = None
    body_closes: date | None = None
    entry: Stage | None = None


def gates(facts: GateFacts, rules: GateRules) -> tuple[Gate, ...]:
    """Every gate of the case, in the order in which a person would look."""
    found = (
        _licence(facts, rules),
        _opponent(facts, rules),
        _role(facts, rules),
        *_elsewhere(facts, rules),
        *_declarations(facts),
        _direct_first(facts, rules),
        _forum(facts, rules),
        _mandate_level(facts),
        _payout_rail(facts, rules),
    )
    return tuple(gate for gate in found if gate is not None)


def mandate_level(
    playbook: Playbook, bodies: tuple[Body, ...], company: str | None
) -> MandateLevel:
    """The weakest signature that the company and every body we may file with take."""
    wanted = (
        playbook.mandate_level,
        company,
        *(b.mandate_level for b in bodies if b.may_agency_file),
    )
    known = [cast(MandateLevel, one) for one in wanted if one is not None]
    return max(known, key=LEVELS.index)


def country_of(place: str) -> str:
    """`US-CA` and `US` are one country to a register."""
    return place.partition("-")[0]


def _closed(
    rules: GateRules,
    name: str,
    rule: str,
    why: str,
    params: Mapping[str, str] = MappingProxyType({}),
    opens_on: date | None = None,
) -> Gate:
    """A closed gate with those who may lift it; `elsewhere.insurer` is lifted like `elsewhere`."""
    lifted = rules.lifted_by.get(name.partition(".")[0], ())
    return Gate(name, GateState.CLOSED, rule, why, params, opens_on, lifted)


def _licence(facts: GateFacts, rules: GateRules) -> Gate:
    """An agency without the title of the place may not demand money there (law.md 0.3)."""
    country, rule = country_of(facts.place), facts.playbook.licence
    if rule is None and country in rules.licence_not_needed:
        free = rules.licence_not_needed[country]
        return Gate("licence", GateState.OPEN, free, "licence_not_needed", {"country": country})
    named, where = rule or "house.gate.licence_unknown", {"country": country}
    held = [one for one in facts.licences if one.covers(country, facts.claim_kind)]
    if not held:
        why = "licence_missing" if rule else "licence_unknown"
        return _closed(rules, "licence", named, why, where)
    able = [one for one in held if "demand" in one.may]
    if not able:
        return _closed(rules, "licence", named, "licence_too_narrow", where)
    valid = next((one for one in able if one.valid_on(facts.today)), None)
    if valid is None:
        return _not_valid(facts, rules, named, able[0])
    until = valid.insured_until
    if named in rules.insurance_needed and (until is None or until < facts.today):
        return _closed(rules, "licence", named, "licence_uninsured", where | {"name": valid.name})
    return Gate("licence", GateState.OPEN, named, "licence_held", _told(valid))


def _not_valid(facts: GateFacts, rules: GateRules, rule: str, one: Licence) -> Gate:
    begins = one.valid_from
    if begins is not None and facts.today < begins:
        told = {"name": one.name, "on": begins.isoformat()}
        return _closed(rules, "licence", rule, "licence_not_begun", told, begins)
    assert one.valid_until is not None, "what is not valid has not begun or has ended"
    told = {"name": one.name, "on": one.valid_until.isoformat()}
    return _closed(rules, "licence", rule, "licence_ended", told)


def _told(one: Licence) -> dict[str, str]:
    return {"name": one.name, "number": one.number, "may": ", ".join(sorted(one.may))}


def _opponent(facts: GateFacts, rules: GateRules) -> Gate:
    """A register entry says that it exists; a private person is nobody's company."""
    opponent = facts.opponent
    if opponent.kind == "private_person":
        return _closed(rules, "private_person", "house.gate.private_person", "private_person")
    if opponent.status == "closed":
        return _closed(rules, "opponent", "house.gate.opponent", "opponent_gone")
    if opponent.status != "confirmed" or not opponent.register_number or opponent.kind is None:
        return _closed(rules, "opponent", "house.gate.opponent", "opponent_unconfirmed")
    return Gate(
        "opponent", GateState.OPEN, "house.gate.opponent", "opponent_confirmed",
        {"number": opponent.register_number},
    )  # fmt: skip


def _role(facts: GateFacts, rules: GateRules) -> Gate:
    """Who owes it: the operating carrier for a delay, the seller and not the market place."""
    allowed = rules.roles.get(facts.claim_kind, rules.roles["*"])
    named, role = "house.gate.role", facts.opponent.role
    listed = ", ".join(sorted(allowed))
    if role is None:
        return Gate("role", GateState.ASKS, named, "role_not_said", {"roles": listed})
    if role not in allowed:
        return _closed(rules, "role", named, "role_wrong", {"role": role, "roles": listed})
    return Gate("role", GateState.OPEN, named, "role_right", {"role": role})


def _elsewhere(facts: GateFacts, rules: GateRules) -> Iterator[Gate]:
    """One claim, one hand: what another holds is released in writing first."""
    rule = "house.gate.elsewhere"
    if facts.routes is None:
        yield Gate("elsewhere", GateState.ASKS, rule, "elsewhere_unknown")
        return
    for one in facts.routes:
        name, what = f"elsewhere.{one.route}", {"route": one.route, "state": one.state}
        if (one.route, one.state) in rules.released_first:
            if one.route in facts.released:
                yield Gate(name, GateState.OPEN, rule, "elsewhere_released", what)
            else:
                yield _closed(rules, name, rule, "elsewhere_held", what)
        elif (one.route, one.state) in rules.asked_about:
            yield Gate(name, GateState.ASKS, rule, "elsewhere_running", what)


def _declarations(facts: GateFacts) -> Iterator[Gate]:
    """No demand for money before it is due (product.md): what must have been declared first."""
    for one in facts.playbook.declarations:
        if facts.claim_kind in one.claim_kinds:
            yield _declaration(facts, one)


def _declaration(facts: GateFacts, one: Declaration) -> Gate:
    name, what = f"declaration.{one.id}", {"declaration": one.id, "who": one.by, "form": one.form}
    made = one.shown_by in facts.declared or (
        one.shown_by == "first_written_complaint" and facts.told_on is not None
    )
    if made:
        return Gate(name, GateState.OPEN, one.rule, "declaration_made", what)
    return Gate(name, GateState.ASKS, one.rule, "declaration_missing", what)


def _direct_first(facts: GateFacts, rules: GateRules) -> Gate | None:
    """Some companies hear an agent only after the consumer asked and waited."""
    days, rule = facts.opponent.direct_first_days, "agent.airline_direct_first"
    if not days:
        return None
    what = {"days": str(days)}
    if facts.told_on is None:
        if facts.entry in (None, Stage.CONTACT):
            return Gate("direct_first", GateState.OPEN, rule, "direct_first_step", what)
        return _closed(rules, "direct_first", rule, "direct_first_needed", what)
    opens = facts.told_on + timedelta(days=days)
    if facts.today < opens:
        told = what | {"on": opens.isoformat()}
        return _closed(rules, "direct_first", rule, "direct_first_wait", told, opens)
    return Gate("direct_first", GateState.OPEN, rule, "direct_first_done", what)


def _forum(facts: GateFacts, rules: GateRules) -> Gate | None:
    """What a body asks for before it opens; it closes only who wants to enter there."""
    if not facts.bodies:
        return None
    first, enters = facts.bodies[0], facts.entry is Stage.COMPLAINT
    rule, what = first.rule or first.id, {"body": first.name}
    if facts.told_on is None:
        if enters and first.kind != "step":
            return _closed(rules, "forum", rule, "forum_no_complaint", what)
        return Gate("forum", GateState.OPEN, rule, "forum_after_complaint", what)
    closes, opens = facts.body_closes, facts.body_opens
    if enters and closes is not None and closes < facts.today:
        return _closed(rules, "forum", rule, "forum_over", what | {"on": closes.isoformat()})
    if opens is None or opens <= facts.today:
        return Gate("forum", GateState.OPEN, rule, "forum_open", what)
    told = what | {"on": opens.isoformat()}
    if enters:
        return _closed(rules, "forum", rule, "forum_early", told, opens)
    return Gate("forum", GateState.OPEN, rule, "forum_later", told, opens)


def _mandate_level(facts: GateFacts) -> Gate:
    level = mandate_level(facts.playbook, facts.bodies, facts.opponent.mandate_level)
    what = {"level": level}
    return Gate("mandate_level", GateState.OPEN, "house.gate.mandate", "mandate_needed", what)


def _payout_rail(facts: GateFacts, rules: GateRules) -> Gate:
    """It never stops a case: without a rail the company pays the consumer (mode B)."""
    tested = facts.currency in rules.rails
    why = "rail_tested" if tested else "rail_none"
    return Gate(
        "payout_rail", GateState.OPEN, "house.gate.payout_rail", why, {"currency": facts.currency}
    )
