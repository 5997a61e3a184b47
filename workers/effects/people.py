"""Who a mail about a case goes to, read for many orders at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.crypto import Keyring
from app.tables.people import ConsumerRow
from app.vault import open_ciphers

ADDRESS_COLUMN = f"{ConsumerRow.__tablename__}.address_cipher"  # what the ciphertext is bound to
_PEOPLE = text("""
    SELECT p.case_id, p.id AS claimant_id, p.position, p.mandate, p.mandate_id, p.signed_at,
           u.id AS consumer_id, u.name, u.email, u.by_post, u.language, u.country, u.address_cipher
      FROM claimants p JOIN consumers u ON u.id = p.consumer_id
     WHERE p.case_id = ANY(:cases)
     ORDER BY p.case_id, p.position
""")
_CASES = text("""
    SELECT c.id, c.reference, c.currency, c.language, c.company_text, c.company_id,
           coalesce(m.country, '') AS company_country,
           coalesce(nullif(m.brand, ''), m.legal_name, c.company_text) AS company_name
      FROM cases c LEFT JOIN companies m ON m.id = c.company_id
     WHERE c.id = ANY(:cases)
""")


@dataclass(frozen=True, slots=True)
class CaseView:
    """What a notice says about its case."""

    id: UUID
    reference: str
    currency: str
    language: str
    company_id: UUID | None
    company_name: str
    company_country: str


@dataclass(frozen=True, slots=True)
class Person:
    """A claimant; `address_lines` is empty unless asked for and known."""

    claimant_id: UUID
    consumer_id: UUID
    name: str
    email: str | None
    by_post: bool
    language: str
    address_lines: tuple[str, ...] = ()
    country: str = ""

    @property
    def ways(self) -> tuple[str, ...]:
        """How this person can be reached, the usual way first: `email`, `post`."""
        mail, paper = bool(self.email), bool(self.address_lines)
        found = [way for way, open_ in (("email", mail), ("post", paper)) if open_]
        return tuple(reversed(found)) if self.by_post else tuple(found)


async def read_cases(session: AsyncSession, ids: Iterable[UUID]) -> dict[UUID, CaseView]:
    rows = await session.execute(_CASES, {"cases": list(ids)})
    return {
        r.id: CaseView(
            r.id,
            r.reference,
            r.currency,
            r.language,
            r.company_id,
            r.company_name,
            r.company_country,
        )
        for r in rows
    }


async def read_people(
    session: AsyncSession, ids: Iterable[UUID]
) -> dict[UUID, list[Mapping[str, Any]]]:
    """Rows of claimants with their persons, by case, in order."""
    people: dict[UUID, list[Mapping[str, Any]]] = {}
    for row in (await session.execute(_PEOPLE, {"cases": list(ids)})).mappings():
        people.setdefault(row["case_id"], []).append(dict(row))
    return people


async def with_addresses(
    session: AsyncSession, keyring: Keyring, rows: Sequence[Mapping[str, Any]]
) -> list[Person]:
    """The persons of these rows with their postal addresses opened; erased ones have none."""
    closed = [r["consumer_id"] for r in rows if r["address_cipher"] is not None]
    ciphers = await open_ciphers(session, keyring, closed) if closed else {}
    people = []
    for row in rows:
        cipher = ciphers.get(row["consumer_id"])
        lines: tuple[str, ...] = ()
        if cipher is not None:
            plain = cipher.decrypt(
                bytes(row["address_cipher"]), column=ADDRESS_COLUMN, row_id=row["consumer_id"]
            )
            lines = tuple(line for line in plain.split("\n") if line.strip())
        people.append(person(row, lines))
    return people


def person(row: Mapping[str, Any], address_lines: tuple[str, ...] = ()) -> Person:
    return Person(
        row["claimant_id"], row["consumer_id"], row["name"], row["email"], row["by_post"],
        row["language"], address_lines, row["country"] or "",
    )  # fmt: skip
