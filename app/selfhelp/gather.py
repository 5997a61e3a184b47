"""Reads what is known of a case for its self-filing pack."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.authorisation import Principal
from app.cases.access import own_case
from app.casework.finding import CaseFinding, finding_of
from app.crypto import DataErased, Keyring
from app.domain.case import Stage
from app.domain.errors import Conflict, NotFound
from app.law import reference
from app.law.eligibility import as_json
from app.moment import read_moment
from app.playbooks import book
from app.selfhelp.pack import BodyTold, Known
from app.texts import words
from app.vault import open_cipher

_CASE: Final = text("""
    SELECT c.reference, c.outcome, c.language, c.currency, c.what_happened, c.booking_ref,
           c.playbook, c.company_text, m.legal_name, m.address_lines,
           (SELECT coalesce(jsonb_agg(jsonb_build_object('what', i.what, 'minor', i.left_minor)
                   ORDER BY i.position), '[]') FROM (
                SELECT o.what, o.position, o.amount_minor - coalesce((
                         SELECT sum(l.amount_minor) FROM recovery_lines l
                           LEFT JOIN allocations a ON a.id = l.source_id
                          WHERE l.case_id = c.id AND l.item_id = o.id AND a.undone_at IS NULL), 0)
                       AS left_minor
                  FROM claim_items o JOIN claimants q ON q.id = o.creditor_id
                 WHERE o.case_id = c.id AND o.counted
                   AND (CAST(:me AS uuid) IS NULL OR q.consumer_id = :me)) i
             WHERE i.left_minor > 0) AS items,
           (SELECT coalesce(jsonb_agg(jsonb_build_object('id', k.id, 'name', k.name)
                   ORDER BY p.position), '[]')
              FROM claimants p JOIN consumers k ON k.id = p.consumer_id
             WHERE p.case_id = c.id AND (CAST(:me AS uuid) IS NULL OR k.id = :me)) AS people
      FROM cases c LEFT JOIN companies m ON m.id = c.company_id WHERE c.id = :id
""")
_PAPERS: Final = text("""
    SELECT uploaded_at AS at, file_name AS name FROM evidence
     WHERE case_id = :id AND state <> 'rejected'
       AND (CAST(:uploader AS text) IS NULL OR uploaded_by = :uploader)
     ORDER BY uploaded_at, id
""")
_LETTERS: Final = text("""
    SELECT sent_at AS at, kind AS name FROM letters
     WHERE case_id = :id AND sent_at IS NOT NULL ORDER BY sent_at, id
""")
NOTHING_LEFT: Final = frozenset({"refunded_full", "voucher_accepted", "duplicate"})
_ADDRESS: Final = text("SELECT address_cipher FROM consumers WHERE id = :id")


class StillActing(Conflict):
    """While we act for somebody, a second letter in their own name would cross ours."""

    code = "still_acting"


class NothingLeft(Conflict):
    """The claim of this case was met, or is handled in another case."""

    code = "nothing_left_to_claim"


async def known_of(
    session: AsyncSession, caller: Principal, keyring: Keyring, case_id: UUID, language: str | None
) -> Known:
    """What the pack of this case says today. Each person gets what is their own: their lines, their
    papers, their name and address; who files for people gets all of the case without addresses.

    Raises NotFound, StillActing, NothingLeft.
    """
    seen = await own_case(session, caller, case_id)
    if seen.stage != Stage.CLOSED:
        raise StillActing("we still act in this case; the pack is there when it has ended")
    consumer = caller.kind == "consumer"
    me = caller.id if consumer else None
    row = (await session.execute(_CASE, {"id": case_id, "me": me})).mappings().one()
    if row["outcome"] in NOTHING_LEFT or not row["items"]:
        raise NothingLeft("nothing is left to claim in this case")
    now = (await read_moment(session)).now
    spoken = language or row["language"]
    found = await finding_of(session, case_id, now)
    said = as_json(found.finding, spoken) if found.finding else {}

    async def dated(query: Any, **more: Any) -> list[tuple[date, str]]:
        rows = await session.execute(query, {"id": case_id, **more})
        return [(book.local_day(row["playbook"], one.at), one.name) for one in rows]

    return Known(
        language=spoken,
        on=book.local_day(row["playbook"], now),
        reference=row["reference"],
        people=await _people(session, caller, keyring, row["people"]),
        company=row["legal_name"] or row["company_text"],
        company_address=tuple(row["address_lines"] or ()),
        booking=row["booking_ref"],
        story=row["what_happened"],
        currency=row["currency"],
        items=tuple((one["what"], int(one["minor"])) for one in row["items"]),
        grounds=_grounds(said.get("legal_ground", ())),
        reasons=tuple(said.get("steps", ())),
        body=_body(found),
        limitation=found.finding.limitation_on if found.finding else None,
        acts=tuple(said.get("acts", ())),
        # One of a party has their own papers only.
        papers=tuple(await dated(_PAPERS, uploader=caller.actor if consumer else None)),
        letters=tuple(
            (day, words(spoken).term("letters", kind)) for day, kind in await dated(_LETTERS)
        ),
    )


async def _people(
    session: AsyncSession, caller: Principal, keyring: Keyring, people: list[Mapping[str, Any]]
) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """The caller first, with the address; the others by name."""
    mine = str(caller.id) if caller.kind == "consumer" else None
    first = sorted(people, key=lambda one: one["id"] != mine)
    lines: tuple[str, ...] = ()
    if mine is not None:
        lines = await _address(session, keyring, UUID(mine))
    return tuple((str(one["name"]), lines if one["id"] == mine else ()) for one in first)


async def _address(session: AsyncSession, keyring: Keyring, consumer_id: UUID) -> tuple[str, ...]:
    sealed = await session.scalar(_ADDRESS, {"id": consumer_id})
    if sealed is None:
        return ()
    try:
        cipher = await open_cipher(session, keyring, consumer_id)
    except DataErased:
        return ()
    opened = cipher.decrypt(sealed, column="consumers.address_cipher", row_id=consumer_id)
    return tuple(opened.splitlines())


def _grounds(rules: Any) -> tuple[str, ...]:
    """Laws by their name; a rule whose record names none is left out."""
    named = []
    for rule in rules:
        record = reference.record(rule)
        if record is not None and record.get("legal_basis"):
            named.append(str(record["legal_basis"]))
    return tuple(dict.fromkeys(named))


def _body(found: CaseFinding) -> BodyTold | None:
    one = found.finding
    if one is None or one.body is None:
        return None
    playbook = book.get(found.playbook)
    try:
        body = book.body(one.body, playbook)
        first = book.body(body.needs_body, playbook).name if body.needs_body else None
    except NotFound:
        return None
    record = reference.bodies().get(one.body) or {}
    url = record.get("url")
    return BodyTold(
        name=body.name, url=str(url) if url else None, address=body.address,
        languages=body.languages, fee=(body.fee.minor, body.fee.currency) if body.fee else None,
        opens=one.body_opens, closes=one.body_closes, first=first,
    )  # fmt: skip
