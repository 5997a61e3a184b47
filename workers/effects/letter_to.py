"""To whom a letter goes that is neither for the company nor for a body: the consumer, or somebody a
person named (a collector, a credit bureau, a bank)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.crypto import SubjectCipher
from app.letter_details import read_details
from app.vault import open_ciphers
from workers.effects.people import read_people, with_addresses
from workers.tools import Tools


@dataclass(frozen=True, slots=True)
class LetterTo:
    """`person` seals the address on file where it is a consumer's."""

    name: str
    email: str | None
    address_lines: tuple[str, ...]
    country: str
    person: SubjectCipher | None = None


async def read_letter_to(
    tools: Tools, session: AsyncSession, rows: Sequence[Any]
) -> dict[UUID, LetterTo]:
    """By letter, for those of `rows` (letter_id, case_id, recipient) that go to such people."""
    found: dict[UUID, LetterTo] = {}
    others = [row["letter_id"] for row in rows if row["recipient"] == "other"]
    for letter_id, details in (await read_details(session, tools.keyring, others)).items():
        to = details.said["recipient"]
        found[letter_id] = LetterTo(
            to["name"], to.get("email"), tuple(to["address_lines"]), to["country"]
        )
    own = {row["case_id"]: row["letter_id"] for row in rows if row["recipient"] == "consumer"}
    for case_id, people in (await read_people(session, list(own)) if own else {}).items():
        (person,) = await with_addresses(session, tools.keyring, people[:1])
        ciphers = await open_ciphers(session, tools.keyring, [person.consumer_id])
        cipher = ciphers[person.consumer_id]
        if cipher is not None:
            found[own[case_id]] = LetterTo(
                person.name, person.email, person.address_lines, person.country, cipher
            )
    return found
