"""Facts learnt while a case runs: answers put right, the finding made anew, the difference shown.

Nothing is stored between showing and approving: the difference is counted once more under the
case's lock, and another one than was shown is refused. The old and the new answers stay in the
case's notes, which are erased with it; history names the answers by their keys.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from typing import Any, Final

import orjson
from sqlalchemy import select

from app import engine
from app.case_change import CaseChange
from app.casework import claim_lines, gates
from app.casework.claim_lines import Line
from app.casework.correction_schemas import CorrectIn, CorrectionIn, DifferenceOut, TakeOver
from app.casework.finding import CaseFinding, finding_of, keep
from app.casework.limitation import source_of
from app.domain.case import Case
from app.domain.errors import Conflict, InvalidInput, NotFound
from app.domain.events import FactsLearned
from app.domain.money import Money
from app.law.answers import AnswersInvalid, vocabulary
from app.playbooks import book
from app.tables.cases import CaseRow
from app.tables.correspondence import MessageRow
from app.tables.work import EvidenceRow

# What the answers decided when the case was filed; another kind or home is another case.
FIXED: Final = frozenset({"claim_kind"})
_SHOWN: Final = (
    "eligible", "legal_ground", "amount_minor", "currency", "body", "body_opens", "body_closes",
    "limitation_on",
)  # fmt: skip


class DifferenceChanged(Conflict):
    """The case, the law or the day moved on since the difference was shown."""

    code = "difference_changed"


@dataclass(frozen=True, slots=True)
class Correction:
    """What was on file, what stands now, and what would differ."""

    case: Case
    before: Mapping[str, Any]
    old: CaseFinding
    found: CaseFinding
    differences: tuple[DifferenceOut, ...]
    lines: tuple[Line, ...] = ()  # of the claim, as they stand
    lines_then: tuple[Line, ...] | None = None  # and as they would; None: nobody says

    @property
    def seen(self) -> str:
        shown = [one.model_dump() for one in self.differences]
        return sha256(orjson.dumps(shown)).hexdigest()


async def compare(change: CaseChange, body: CorrectionIn) -> Correction:
    """Raises AnswersInvalid for an answer outside the vocabulary, NotFound for a source that is
    none of this case, Conflict (case_closed)."""
    loaded = await engine.peek(change.session, change.case.id)
    assert loaded is not None, "the case is locked by us"
    if not loaded.case.is_open:
        raise Conflict("the case is closed", code="case_closed")
    _known(body.answers, change.case.claim_kind)
    await _source_exists(change, body)
    before = await _on_file(change)
    old = await finding_of(change.session, change.case.id, change.now)
    new = await finding_of(change.session, change.case.id, change.now, corrected=body.answers)
    _readable(new, body.answers)
    running = loaded.case.entry_stage is not None
    lines = await claim_lines.read_lines(change)
    then = await _lines_then(change, body, lines, old, new) if running else None
    differences = (
        *_answers(before, body.answers), *_finding(old, new),
        *(_course(loaded.case, old, new) if running else ()),
        *(_claim(lines, then, change.case.currency) if then is not None else ()),
    )  # fmt: skip
    return Correction(
        loaded.case, before, old, new, differences, tuple(lines),
        tuple(then) if then is not None else None,
    )  # fmt: skip


async def _lines_then(
    change: CaseChange,
    body: CorrectionIn,
    lines: list[Line],
    old: CaseFinding,
    new: CaseFinding,
) -> list[Line] | None:
    """As the handler writes them, else as the finding has them; a no names no line."""
    if body.lines is not None:
        return await claim_lines.written(change, lines, body.lines)
    if old.finding is None or new.finding is None or old.finding.items == new.finding.items:
        return None
    return claim_lines.following(lines, old.finding.items, new.finding.items, change.case.currency)


def _claim(lines: list[Line], then: list[Line], currency: str) -> Iterator[DifferenceOut]:
    for before, after in claim_lines.changed(lines, then):
        said = before.said if before else None
        yield _difference(f"items.{after.position}", said, after.said, "items")
    sums = [sum(one.amount_minor for one in some if one.counted) for some in (lines, then)]
    if sums[0] != sums[1]:
        was, now = (str(Money(one, currency)) for one in sums)
        yield _difference("claimed", was, now, "items")


async def correct(change: CaseChange, body: CorrectIn) -> None:
    """Keeps the answers; takes over what was approved. Raises DifferenceChanged."""
    found = await compare(change, body)
    if found.seen != body.seen:
        raise DifferenceChanged("the difference is another one by now: look at it again")
    await _keep_answers(change, body, found)
    for event in _events(change, found, frozenset(body.take_over)):
        await change.advance(event)
    if "items" in body.take_over and _parts(found) >= {"items"}:
        await _take_lines(change, found)


async def _take_lines(change: CaseChange, found: Correction) -> None:
    """Letters that left keep what they said; the old lines stay in the note of the correction."""
    assert found.lines_then is not None, "a difference of lines was shown"
    await claim_lines.write(change, found.lines, found.lines_then)
    await change.advance(
        FactsLearned(what="items", by=change.actor, claimed_was=found.case.claimed_minor)
    )


def _parts(found: Correction) -> set[str]:
    return {one.take_over for one in found.differences if one.take_over}


async def _keep_answers(change: CaseChange, body: CorrectIn, found: Correction) -> None:
    old = {key: found.before.get(key) for key in body.answers}
    source = str(body.source_id) if body.source_id else body.source
    words = {
        "was": old, "now": body.answers, "reason": body.reason, "source": source,
        "lines": list(_told_lines(found)),
    }  # fmt: skip
    await change.note("answers_corrected", orjson.dumps(words).decode())
    await change.amend(
        "answers_corrected",
        {"answers": {**found.before, **body.answers}},
        answers=", ".join(sorted(body.answers)),
        source=body.source,
    )
    await keep(change, found.found)


def _told_lines(found: Correction) -> Iterator[tuple[str | None, str]]:
    for was, now in claim_lines.changed(found.lines, found.lines_then or found.lines):
        yield was.said if was else None, now.said


def _events(
    change: CaseChange, found: Correction, wanted: frozenset[TakeOver]
) -> Iterator[FactsLearned]:
    """The chain first: the days of its bodies are counted in the turn after."""
    parts = _parts(found)
    if "bodies" in wanted & parts:
        chain = gates.chain_of((), found.found, book.get(found.case.playbook))
        yield FactsLearned(what="bodies", by=change.actor, bodies=chain)
    days: dict[str, Any] = {}
    if "dates" in wanted & parts:
        days |= dict(_days(found.case, found.old, found.found))
    law = found.found.finding.limitation if found.found.finding else None
    if "limitation" in wanted & parts and law is not None:
        days |= {"limitation_on": law.last_day, "limitation": source_of(law)}
    if days:
        what = ", ".join(sorted(days.keys() - {"limitation"}))
        yield FactsLearned(what=what, by=change.actor, **days)


def _known(answers: Mapping[str, Any], kind: str) -> None:
    facts = vocabulary().get(kind, {})
    wrong = [(k, "is not asked for this kind") for k in answers if k not in facts]
    wrong += [(k, "makes it another case") for k in answers if k in FIXED]
    # An answer of null is none: what nobody knows is "unknown".
    wrong += [(k, 'is missing; what nobody knows is "unknown"') for k, v in answers.items()
              if v is None]  # fmt: skip
    if wrong:
        raise AnswersInvalid(wrong)


def _readable(found: CaseFinding, answers: Mapping[str, Any]) -> None:
    """What else on file cannot be read was so before; the new answers must be."""
    wrong = [(where, why) for where, why in found.refused if where.split(".")[0] in answers]
    if wrong:
        raise AnswersInvalid(wrong)


async def _source_exists(change: CaseChange, body: CorrectionIn) -> None:
    if body.source == "consumer_said":
        if body.source_id is not None:
            raise InvalidInput("words have no id", code="source_unclear", field="source_id")
        return
    table = MessageRow if body.source == "message" else EvidenceRow
    if body.source_id is None:
        raise InvalidInput("say which one", code="source_unclear", field="source_id")
    found = await change.session.scalar(
        select(table.id).where(table.id == body.source_id, table.case_id == change.case.id)
    )
    if found is None:
        raise NotFound(f"there is no such {body.source} on this case", code="source_not_found")


async def _on_file(change: CaseChange) -> Mapping[str, Any]:
    found = await change.session.scalar(select(CaseRow.answers).where(CaseRow.id == change.case.id))
    return found or {}


def _answers(before: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[DifferenceOut]:
    for key, value in sorted(now.items()):
        if before.get(key) != value:
            yield _difference(f"answer.{key}", before.get(key), value)


def _finding(old: CaseFinding, new: CaseFinding) -> Iterator[DifferenceOut]:
    """What the law's files say, before and after; shown, whatever becomes of the claim."""
    yield from _differ("finding.playbook", old.playbook, new.playbook)
    yield from _differ("finding.eligible", old.eligible, new.eligible)
    for name in _SHOWN[1:]:
        was, now = (getattr(one.finding, name, None) for one in (old, new))
        yield from _differ(f"finding.{name}", was, now)
    was, now = (_lines(one) for one in (old, new))
    yield from _differ("finding.items", was, now)


def _lines(found: CaseFinding) -> list[str]:
    items = found.finding.items if found.finding else ()
    return [f"{one.what}: {one.amount_minor} {one.currency}" for one in items]


def _course(case: Case, old: CaseFinding, new: CaseFinding) -> Iterator[DifferenceOut]:
    """What the running case rests on and would change by approval. What this correction does not
    touch stays: an act may have moved the last day, a person may have named another body."""
    for name, day in _days(case, old, new):
        yield _difference(f"dates.{name}", getattr(case, name), day, "dates")
    was, law = (one.finding.limitation if one.finding else None for one in (old, new))
    moved = law is not None and (case.limitation_on is None or was is None or was != law)
    if law is not None and moved and law.last_day != case.limitation_on:
        yield _difference("limitation", case.limitation_on, law.last_day, "limitation")
    playbook = book.get(case.playbook)
    chain = gates.chain_of((), new, playbook)
    if chain not in (gates.chain_of((), old, playbook), case.bodies):
        yield _difference("bodies", list(case.bodies), list(chain), "bodies")


def _days(case: Case, old: CaseFinding, new: CaseFinding) -> Iterator[tuple[str, date]]:
    days = (
        ("first_written_complaint", old.facts.first_complaint, new.facts.first_complaint),
        ("refused_on", old.facts.refused_on, new.facts.refused_on),
        ("bill_on", old.facts.bill_on, new.facts.bill_on),
    )
    for name, was, day in days:
        on_file = getattr(case, name)
        if day is not None and day != on_file and (was != day or on_file is None):
            yield name, day


def _differ(what: str, was: Any, now: Any) -> Iterator[DifferenceOut]:
    if was != now:
        yield _difference(what, was, now)


def _difference(what: str, was: Any, now: Any, part: TakeOver | None = None) -> DifferenceOut:
    return DifferenceOut(what=what, was=_said(was), now=_said(now), take_over=part)


def _said(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return value.isoformat() if isinstance(value, date) else orjson.dumps(value).decode()
