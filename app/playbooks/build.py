"""Playbook files -> Playbook values: a family file on its base, with what the records say."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, Final

from app.domain.case import LADDER, LetterKind, Stage
from app.domain.counting import Period
from app.domain.playbook import (
    Body,
    Declaration,
    LadderStep,
    Limitation,
    LimitationAct,
    PaymentPeriod,
    Playbook,
    Window,
)
from app.domain.waits import days_of
from app.law import reference
from app.law.regimes import regime
from app.playbooks.bodies import BodyUnusable, body_of
from app.playbooks.schema import (
    ANY_KIND,
    FileIn,
    LimitationIn,
    PaymentIn,
    StepIn,
)

HOUSE: Final = "house."
HOUSE_SOURCE: Final = "a choice of the house, no law is relied on"
_SPAN: Final = re.compile(r"(\d+) (days|weeks|months|years)")


class Unbuildable(ValueError):
    """What stands in the file cannot be put together; `path` leads to the place in it."""

    def __init__(self, path: tuple[Any, ...], why: str) -> None:
        super().__init__(why)
        self.path, self.why = path, why


def build(file: FileIn, base: FileIn | None) -> Playbook:
    """Raises Unbuildable. `base` is the file that `file.extends` names."""
    root = base or file
    assert root.jurisdiction and root.zone and root.regime, "a base was checked to be complete"
    place, zone = file.jurisdiction or root.jurisdiction, file.zone or root.zone
    if place.partition("-")[0] != root.jurisdiction.partition("-")[0]:
        raise Unbuildable(("jurisdiction",), f"{place} is no part of {root.jurisdiction}")
    ladder = _ladder(file, base, place)
    kinds = _kinds(file)
    payments = _payments(file, base, kinds)
    limitations = _limitations(file, base, place)
    bodies = _bodies(file, base, ladder[-1].wait)
    grounds = tuple(dict.fromkeys((*_routed(kinds, place), *file.grounds)))
    licence = file.licence or (base.licence if base else None)
    declarations = tuple(
        Declaration(d.id, tuple(d.claim_kinds), d.by, d.form, d.shown_by, d.rule)
        for d in (*(base.declarations if base else ()), *file.declarations)
        if ANY_KIND in file.claim_kinds or set(d.claim_kinds) & set(kinds)
    )
    rules = (
        *(s.letter_id or s.rule for s in ladder), *(s.rule for s in ladder),
        *(p.rule for p in payments), *(b.rule for b in bodies),
        *(row.rule for _, row in limitations), *(d.rule for d in declarations), *grounds,
        *([licence] if licence else []),
    )  # fmt: skip
    own = {s.rule: (s.source, s.verified) for s in (*(base.sources if base else ()), *file.sources)}
    sources = (*_sources(rules, own), *_doubted_fields(payments, bodies))
    return Playbook(
        id=file.id,
        version=file.version,
        jurisdiction=place,
        claim_kinds=tuple(file.claim_kinds),
        effective_from=file.effective_from,
        effective_to=file.effective_to,
        owner=file.owner,
        last_reviewed=file.last_reviewed,
        zone=zone,
        regime=regime(root.regime),
        languages=tuple(file.languages or root.languages or ()),
        ladder=ladder,
        bodies=tuple(_doubted(b, own) for b in bodies),
        sources=tuple((rule, source) for rule, source, _ in sources),
        draft=file.draft,
        family=file.family,
        extends=file.extends,
        payment_periods=payments,
        declarations=declarations,
        limitations=limitations,
        mandate_level=file.mandate_level or root.mandate_level or "typed",
        licence=licence,
        bodies_by_case=file.bodies_by_case,
        grounds=grounds,
        stop_below_minor=tuple(sorted((file.stop_below or root.stop_below or {}).items())),
        reviewed_by=file.reviewed_by,
        review_note=file.review.note if file.review else None,
        unverified=tuple(rule for rule, _, verified in sources if not verified),
    )


def _kinds(file: FileIn) -> tuple[str, ...]:
    return reference.claim_kinds() if ANY_KIND in file.claim_kinds else tuple(file.claim_kinds)


def _ladder(file: FileIn, base: FileIn | None, place: str) -> tuple[LadderStep, ...]:
    own = {str(s.stage): (n, s) for n, s in enumerate(file.ladder)}
    above = {str(s.stage): s for s in base.ladder} if base else {}
    return tuple(
        _step(stage, own.get(stage.value), above.get(stage.value), place) for stage in LADDER
    )


def _step(
    stage: Stage, own: tuple[int, StepIn] | None, above: StepIn | None, place: str
) -> LadderStep:
    path: tuple[Any, ...] = ("ladder", own[0]) if own else ("ladder",)
    given = {**_said(above), **(_said(own[1]) if own else {})}
    letter = given.get("letter_id")
    if letter:
        if not _fits(reference.notices()[letter]["jurisdiction"], place):
            raise Unbuildable((*path, "letter_id"), f"{letter} is a letter of another place")
        given = {**_of_letter(letter, given, path), **given}
    if missing := [n for n in ("wait", "rule", "whose", "channels", "approval") if n not in given]:
        raise Unbuildable(path, f"{', '.join(missing)} missing")
    window = given.get("window")
    return LadderStep(
        stage=stage,
        wait=given["wait"],
        rule=given["rule"],
        whose=given["whose"],
        letter=LetterKind(stage),
        channels=tuple(given["channels"]),
        approval=given["approval"],
        clock_starts=given.get("clock_starts", "delivered"),
        letter_id=letter or "",
        window=window
        and Window(
            window.since,
            window.rule,
            window.opens and window.opens.domain(),
            window.closes and window.closes.domain(),
        ),
    )


def _said(step: StepIn | None) -> dict[str, Any]:
    if step is None:
        return {}
    given = {n: v for n in step.model_fields_set if (v := getattr(step, n)) is not None}
    if step.wait is not None:
        given["wait"] = step.wait.domain()
    return given


def _of_letter(letter: str, given: Mapping[str, Any], path: tuple[Any, ...]) -> dict[str, Any]:
    """The period that the letter sets by its record; never shorter than the law's least."""
    record = reference.notices()[letter]
    least = record.get("legal_minimum")
    wait = given.get("wait") or Period(int(record["period_days"]["default"]), "days")
    if least and days_of(wait) < int(least):
        raise Unbuildable((*path, "wait"), f"{letter} gives at least {least} days by law")
    return {"wait": wait, "rule": letter, "whose": "law" if least else "ours"}


def _fits(where: str, place: str) -> bool:
    return where in ("ALL", place) or place.partition("-")[0] == where


def _payments(
    file: FileIn, base: FileIn | None, kinds: tuple[str, ...]
) -> tuple[PaymentPeriod, ...]:
    """By kind; the file's own replace those of the base."""
    found = []
    for source in (file, base):
        for kind, given in (source.payment if source else {}).items():
            if kind not in kinds:
                raise Unbuildable(("payment", kind), f"{kind} is no claim kind of this playbook")
            if source is base and kind in file.payment:
                continue
            found += [_payment(kind, n, p) for n, p in enumerate(given)]
    # Those for some kinds of lines first: the first that fits holds.
    return tuple(sorted(found, key=lambda p: (p.claim_kind, not p.for_items)))


def _payment(kind: str, n: int, given: PaymentIn) -> PaymentPeriod:
    record, path = reference.claim_rules()[given.rule], ("payment", kind, n)
    said = record.get("debtor_pays_within")
    if given.part is not None:
        said = said.get(given.part) if isinstance(said, Mapping) else None
        if said is None:
            raise Unbuildable((*path, "part"), f"{given.rule} has no period {given.part}")
    figures = isinstance(said, Mapping) and "value" in said
    if figures and given.wait is not None:
        raise Unbuildable((*path, "wait"), f"the period stands in {given.rule} already")
    if isinstance(said, Mapping) and figures:
        unit = str(said["unit"])
        unit = "working_days" if unit == "business_days" else unit
        wait = Period(int(said["value"]), unit)
    elif given.wait is not None:
        wait = given.wait.domain()
    else:
        raise Unbuildable(path, f"{given.rule} has no period in figures: name its `part`")
    doubted = "debtor_pays_within" in (record.get("unverified_fields") or ())
    verified = bool(record["verified"]) and figures and not doubted
    return PaymentPeriod(kind, wait, given.rule, tuple(given.items), verified)


def _bodies(file: FileIn, base: FileIn | None, takes: Period) -> tuple[Body, ...]:
    inherited = file.bodies is None
    given = (base.bodies if inherited and base else file.bodies) or []
    chain: list[Body] = []
    for n, body in enumerate(given):
        path = ("extends",) if inherited else ("bodies", n)
        try:
            made = body_of(body.id, takes, body, file.family)
        except BodyUnusable as why:
            raise Unbuildable(path, str(why)) from None
        if made.needs_body and made.needs_body not in [b.id for b in chain]:
            raise Unbuildable(path, f"{made.needs_body} must come before {made.id}")
        chain.append(made)
    return tuple(chain)


def _doubted(body: Body, own: Mapping[str, tuple[str, bool]]) -> Body:
    """A body some datum of which the file itself marks as unverified is not verified."""
    marks = [ok for rule, (_, ok) in own.items() if rule.startswith(f"{body.id}.")]
    if all(marks):
        return body
    return replace(body, verified=False)


def _limitations(
    file: FileIn, base: FileIn | None, place: str
) -> tuple[tuple[str, Limitation], ...]:
    given: dict[str, tuple[LimitationIn, bool]] = {}
    for source in (base, file):
        for kind, row in (source.limitation if source else {}).items():
            given[kind] = (row, source is file)
    general = given.get(ANY_KIND)
    common = general[0].acts if general else None
    found = []
    for kind, (row, own) in sorted(given.items()):
        path = ("limitation", kind, "rule") if own else ("extends",)
        record = reference.limitations()[row.rule]
        if record["jurisdiction"] not in ("INT", "EU") and not _fits(record["jurisdiction"], place):
            raise Unbuildable(path, f"{row.rule} is a limitation of another place")
        acts = row.acts if row.acts is not None else common or []
        found.append((kind, Limitation(
            period=_limitation_period(kind, row.rule, record, place, path),
            rule=row.rule,
            to_year_end=record["jurisdiction"] == place
            and place in reference.routing()["limitation"]["to_year_end"],
            acts=tuple(LimitationAct(a.id, a.effect, tuple(a.by), row.rule) for a in acts),
        )))  # fmt: skip
    return tuple(found)


def _limitation_period(
    kind: str, rule: str, record: Mapping[str, Any], place: str, path: tuple[Any, ...]
) -> Period | None:
    """What the row says in figures; two answers in words are settled by the routing, where the
    intake reads them. None: nobody knows, a person sets the day."""
    law, said = reference.routing()["limitation"], str(record["period"])
    years = law["years"].get(place)
    if kind == "air":
        years = law["years_air"].get(place, years)
    plain = _SPAN.fullmatch(said)
    if plain:
        period = Period(int(plain[1]), plain[2])
        settled = record["jurisdiction"] == place and period.unit == "years" and years is not None
        if settled and years != period.value and not record.get("part"):
            raise Unbuildable(path, f"{rule} says {said}, routing.yaml says {years} years")
        return period
    if record["jurisdiction"] == place and years is not None and re.search(rf"\b{years}\b", said):
        return Period(int(years), "years")
    return None


def _routed(kinds: Iterable[str], place: str) -> tuple[str, ...]:
    """The grounds of the routing for these kinds here."""
    law, country = reference.routing(), place.partition("-")[0]
    union = "EU" if country in law["eu"] or country == "EU" else ""
    found: list[str] = []
    for kind in kinds:
        table = law["grounds"].get(kind, {})
        name = next((n for n in (place, country, union, "ANY") if n in table), None)
        found += table[name] if name else []
    return tuple(found)


def _sources(
    rules: Iterable[str], own: Mapping[str, tuple[str, bool]]
) -> tuple[tuple[str, str, bool], ...]:
    """(rule, where it was read, whether it was) of every rule a playbook stands on."""
    found = dict.fromkeys((*rules, *own))
    return tuple((rule, *_source(rule, own)) for rule in found)


# Fields of a body's record that a step stands on.
_USED: Final = ("wait", "deadline_after", "fee", "limits", "languages", "agent", "duration")


def _doubted_fields(
    payments: tuple[PaymentPeriod, ...], bodies: tuple[Body, ...]
) -> tuple[tuple[str, str, bool], ...]:
    """Single data nobody has read in a source, of records that otherwise are verified."""
    found = [f"{p.rule}.debtor_pays_within" for p in payments if not p.verified]
    for body in bodies:
        doubted = reference.bodies()[body.id].get("unverified_fields") or ()
        found += [f"{body.id}.{field}" for field in _USED if field in doubted]
    return tuple((rule, "own knowledge", False) for rule in dict.fromkeys(found))


def _source(rule: str, own: Mapping[str, tuple[str, bool]]) -> tuple[str, bool]:
    if rule in own:
        return own[rule]
    record = reference.record(rule)
    if record is not None:
        return str(record["source"]), bool(record["verified"])
    return HOUSE_SOURCE, rule.startswith(HOUSE)
