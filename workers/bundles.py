"""A bundle of exhibits: from the papers of a case to bound PDFs in the store.

What may leave is copied into a folder of its own, counted and bound by a child that can be killed;
the index between is printed like any paper. The same papers give the same bytes.
"""

from __future__ import annotations

import tempfile
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.banking.case_money import agency_zone
from app.crypto import Keyring
from app.documents.keys import paper_key
from app.documents.sealing import DocumentKey
from app.exhibits.matrix import bundle_bytes
from app.exhibits.papers import Held, key_of_paper
from app.exhibits.service import Proof, proof_of
from app.moment import read_moment
from app.playbooks import book
from app.texts import words
from letters import limits
from letters.paper_words import paper_words
from letters.papers import (
    Addressee,
    BundleIndex,
    DeadlineRow,
    ExhibitRow,
    MissingRow,
    ProofRow,
    paper_dict,
)
from letters.values import LANGUAGES, Language
from workers import binding
from workers.papers import agency_of
from workers.providers.errors import NoLongerWanted
from workers.tools import Tools

INDEX_TRIES: Final = 3  # its own length moves the page numbers it prints; the second one settles
TITLE_MAX: Final = 180  # characters of a title in the index
_CASE: Final = text("""
    SELECT c.reference, c.currency, c.jurisdiction, c.playbook, c.bodies, c.body_index,
           coalesce(m.legal_name, c.company_text) AS company
      FROM cases c LEFT JOIN companies m ON m.id = c.company_id WHERE c.id = :id
""")
_LETTERS: Final = text("""
    SELECT l.kind, l.sent_at, l.delivered_at, l.evidence_grade, v.deadline
      FROM letters l LEFT JOIN letter_versions v ON v.letter_id = l.id AND v.n = l.n
     WHERE l.case_id = :id AND l.sent_at IS NOT NULL AND l.recipient = 'company'
     ORDER BY l.sent_at, l.id
""")


@dataclass(frozen=True, slots=True)
class Plan:
    """What goes in: `index` without the exhibits' pages, `papers` in the order of their labels."""

    index: BundleIndex
    papers: tuple[Held, ...]
    proof: Proof
    size_max: int
    zone: ZoneInfo
    keys: Mapping[str, DocumentKey | None]  # by paper: what opens its stored bytes
    key: DocumentKey  # seals the bundle


async def plan_of(
    session: AsyncSession, keyring: Keyring, case_id: uuid.UUID, language: str | None
) -> Plan:
    """Raises NoLongerWanted, DataErased, LetterError. The language asked for, else the body's, else
    English."""
    case = (await session.execute(_CASE, {"id": case_id})).mappings().one_or_none()
    if case is None:
        raise NoLongerWanted("there is no such case")
    playbook = book.for_case(case["playbook"], case["bodies"])
    bodies = playbook.bodies
    body = bodies[min(case["body_index"], len(bodies) - 1)] if bodies else None
    spoken = _language(language, *(body.languages if body else ()), *playbook.languages)
    proof = await proof_of(session, case_id, spoken)
    moment = await read_moment(session)
    today = moment.now.astimezone(agency_zone(moment.profile)).date()
    letters = await session.execute(_LETTERS, {"id": case_id})
    zone, say = ZoneInfo(playbook.zone), words(spoken)
    index = BundleIndex(
        language=spoken, dated=today, reference=case["reference"], company=case["company"],
        currency=case["currency"], agency=agency_of(moment.profile, case["jurisdiction"], today),
        to=Addressee(
            name=body.name if body else case["company"],
            address_lines=body.address if body else (),
        ),
        exhibits=(),
        deadlines=tuple(
            DeadlineRow(
                letter=say.term("letters", row.kind), sent_on=row.sent_at.astimezone(zone).date(),
                arrived_on=row.delivered_at.astimezone(zone).date() if row.delivered_at else None,
                how=say.term("grades", row.evidence_grade) or None, answer_by=row.deadline,
            )
            for row in letters
        ),
    )  # fmt: skip
    leaving = tuple(held for held in proof.papers if held.paper.may_leave)
    keys = {
        held.ref: await key_of_paper(session, keyring, case_id, held)
        for held in leaving
        if held.taken and held.body is None
    }
    key = await paper_key(session, keyring, case_id, None)
    assert key is not None, "a case has claimants"
    size_max = bundle_bytes(body.id if body else None)
    return Plan(index, leaving, proof, size_max, zone, keys, key)


def _language(*wanted: str | None) -> Language:
    return next((each for one in wanted for each in LANGUAGES if each == one), "en")


async def make_bundle(tools: Tools, plan: Plan) -> list[tuple[bytes, int]]:
    """The parts with their pages. Raises RenderFailed, LetterError."""
    with tempfile.TemporaryDirectory(prefix="bundle-") as made:
        folder = Path(made)
        items = await _copied(tools, plan, folder)
        counts = await binding.count(folder, [item for _, item in items])
        good = [
            (held, item, pages)
            for (held, item), (pages, why) in zip(items, counts, strict=True)
            if why is None
        ]
        refused = [(held, why) for (held, _), (_, why) in zip(items, counts, strict=True) if why]
        refused += [(held, "not_taken") for held in plan.papers if not held.taken]
        # Numbered anew: what cannot be bound has no exhibit number.
        good = [
            (held, replace(item, label=str(at)), pages)
            for at, (held, item, pages) in enumerate(good, start=1)
        ]
        index = await _index(tools, plan, good, refused)
        (folder / "index.pdf").write_bytes(index)
        parts = await binding.bind(folder, [item for _, item, _ in good], _words(plan))
        return [(path.read_bytes(), pages) for path, pages in parts]


async def _copied(tools: Tools, plan: Plan, folder: Path) -> list[tuple[Held, binding.Exhibit]]:
    """The bytes of each paper in the folder, as far as they fit together."""
    items, left = [], limits.BUNDLE_BYTES_MAX
    for at, held in enumerate(one for one in plan.papers if one.taken):
        data = (held.body or " ").encode() if held.body is not None else None
        if data is None:
            data = await tools.store.get(held.sha256, plan.keys[held.ref])
        left -= len(data)
        kind = held.media_type if left >= 0 and at < limits.BUNDLE_FILES_MAX else "too/large"
        name = f"exhibit-{at:04d}"
        (folder / name).write_bytes(data if left >= 0 else b"")
        items.append((held, binding.Exhibit(name, kind, str(at + 1), held.title[:TITLE_MAX])))
    return items


async def _index(
    tools: Tools,
    plan: Plan,
    good: Sequence[tuple[Held, binding.Exhibit, int]],
    refused: Sequence[tuple[Held, str]],
) -> bytes:
    """Printed until the number of its own pages agrees with the pages it names."""
    labels = {held.ref: item.label for held, item, _ in good}
    proof = tuple(
        ProofRow(
            what=line.element.said(plan.index.language),
            labels=", ".join(labels[ref] for ref, _ in line.proven_by if ref in labels) or None,
        )
        for line in plan.proof.lines
    )
    missing = tuple(
        MissingRow(title=held.title[:TITLE_MAX], why=why)  # type: ignore[arg-type]  # a code of the child
        for held, why in refused
    )
    own = 1
    for _ in range(INDEX_TRIES):
        at, rows = own + 1, []
        for held, item, pages in good:
            rows.append(
                ExhibitRow(
                    label=item.label, title=item.title, on=held.at.astimezone(plan.zone).date(),
                    first_page=at, pages=pages, sha256=held.sha256,
                )
            )  # fmt: skip
            at += pages
        index = replace(plan.index, exhibits=tuple(rows), proof=proof, missing=missing)
        made = await tools.renderer.render(paper_dict(index))
        if made.pages == own:
            break
        own = made.pages
    return made.pdf


def _words(plan: Plan) -> dict[str, Any]:
    say = paper_words(plan.index.language)
    return {
        "stamp": say["stamp"], "run": f"{plan.index.reference} · {{at}}/{{all}}",
        "title": f"{say['bundle']} {plan.index.reference}", "language": plan.index.language,
        "index_title": say["exhibits"], "size_max": plan.size_max,
    }  # fmt: skip
