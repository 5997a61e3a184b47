"""Who wrote a mail, and how far that may be believed: by what our own mail server found, and by the
domains that the company and the bodies of the case are known to write from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.trust import is_believed
from app.playbooks import book
from app.reading.mail import ParsedMail
from app.reading.phrases import common_pattern
from app.reading.trust import Trust, trust_of

_WHO = text("""
    SELECT c.playbook, c.bodies,
           ARRAY(SELECT lower(u.email) FROM claimants p JOIN consumers u ON u.id = p.consumer_id
                  WHERE p.case_id = c.id AND u.email IS NOT NULL) AS consumers,
           ARRAY(SELECT lower(h.address) FROM channels h
                  WHERE h.company_id = c.company_id AND h.kind = 'email') AS company,
           ARRAY(SELECT l.address FROM learned_senders l
                  WHERE l.company_id = c.company_id AND NOT l.blocked) AS learned
      FROM cases c WHERE c.id = :id
""")


@dataclass(frozen=True, slots=True)
class Known:
    """The addresses of everybody on a case, in small letters."""

    consumers: frozenset[str] = frozenset()
    company: frozenset[str] = frozenset()
    learned: frozenset[str] = frozenset()
    bodies: frozenset[str] = frozenset()


async def known_on(session: AsyncSession, case_id: UUID | None) -> Known:
    if case_id is None:
        return Known()
    row = (await session.execute(_WHO, {"id": case_id})).one()
    bodies: Any = book.for_case(row.playbook, row.bodies).bodies
    return Known(
        frozenset(row.consumers), frozenset(row.company), frozenset(row.learned),
        frozenset(b.email.lower() for b in bodies if b.email),
    )  # fmt: skip


def trust_in(
    known: Known, *, froms: Sequence[str], results: Sequence[str], authserv_id: str | None
) -> Trust:
    """`froms` and `results`: the mail's From and Authentication-Results lines in their order."""
    headers = [("from", one) for one in froms] + [("authentication-results", r) for r in results]
    domains = own_domains({*known.company, *known.learned, *known.bodies})
    return trust_of(
        ParsedMail(tuple(headers)), authserv_id=authserv_id or "", known_domains=domains
    )


def own_domains(addresses: Iterable[str]) -> set[str]:
    """The domains that belong to who writes from them: not those where anybody may open a box."""
    domains = {one.rpartition("@")[2] for one in addresses if "@" in one}
    mailboxes = common_pattern("private_mail")
    return {d for d in domains if d and not mailboxes.fullmatch(d.split(".")[0])}


def role_of(known: Known, trust: Trust) -> str:
    """company, body, consumer, or unknown: an address on file, or one at the domain of such."""
    if trust.sender is None or not is_believed(trust.level, trust.reasons):
        return "unknown"
    return role_by_address(known, trust.sender)


def role_by_address(known: Known, address: str) -> str:
    """Whose address this is on the case; says nothing of whether it wrote."""
    if address in known.consumers:
        return "consumer"
    domain = address.rpartition("@")[2]
    companies = known.company | known.learned
    if address in companies or domain in own_domains(known.company):
        return "company"
    return "body" if domain in own_domains(known.bodies) else "unknown"
