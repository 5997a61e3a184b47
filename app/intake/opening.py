"""Everything filing a case must know, read in one round trip."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Text, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql import UUID as PgUuid
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.bank_refs import national_reference
from app.domain.errors import Unavailable
from app.ids import new_reference
from app.moment import MOMENT_SQL, Moment, moment_of

# A random number is taken again once in 34,000 filings at a million cases; three never are.
CANDIDATES = 3
PAYMENT_NUMBER_MIN, PAYMENT_NUMBER_SPAN = 10**11, 9 * 10**11

_OPEN = text(
    """
    SELECT m.*,
           (SELECT coalesce(jsonb_agg(jsonb_build_object('id', c.id, 'email', c.email,
                   'name', c.name, 'language', c.language, 'country', c.country,
                   'by_post', c.by_post)), '[]')
              FROM consumers c WHERE c.email = ANY(:emails) OR c.id = :me) AS people,
           (SELECT jsonb_build_object('id', k.id, 'legal_name', k.legal_name, 'brand', k.brand,
                   'status', k.status) FROM companies k WHERE k.id = :company_id) AS company,
           (SELECT r FROM unnest(:refs) r
             WHERE NOT EXISTS (SELECT 1 FROM cases WHERE reference = r) LIMIT 1) AS reference,
           (SELECT r FROM unnest(:payment_refs) r
             WHERE NOT EXISTS (SELECT 1 FROM cases WHERE payment_ref = r) LIMIT 1) AS payment_ref
      FROM (:moment_sql) m
""".replace(":moment_sql", MOMENT_SQL)
).bindparams(
    bindparam("emails", type_=ARRAY(Text)),
    bindparam("refs", type_=ARRAY(Text)),
    bindparam("payment_refs", type_=ARRAY(Text)),
    bindparam("me", type_=PgUuid(as_uuid=True)),
    bindparam("company_id", type_=PgUuid(as_uuid=True)),
)


@dataclass(frozen=True, slots=True)
class Opening:
    """`known` maps the e-mail addresses that belong to somebody to that person; `me` is the
    consumer who files; `company` is the one of ours that was named by id."""

    moment: Moment
    known: dict[str, dict[str, Any]]
    me: dict[str, Any] | None
    company: dict[str, Any] | None
    reference: str
    payment_ref: str


async def read_opening(
    session: AsyncSession, *, emails: Sequence[str], me: UUID | None, company_id: UUID | None
) -> Opening:
    row = (
        await session.execute(
            _OPEN,
            {
                "emails": list(emails),
                "me": me,
                "company_id": company_id,
                "refs": [new_reference() for _ in range(CANDIDATES)],
                "payment_refs": [national_reference(_number()) for _ in range(CANDIDATES)],
            },
        )
    ).one()
    if row.reference is None or row.payment_ref is None:
        raise Unavailable("no free case reference was found; try again")
    return Opening(
        moment=moment_of(row),
        reference=row.reference,
        payment_ref=row.payment_ref,
        known={p["email"]: p for p in row.people if p["email"] in emails},
        me=next((p for p in row.people if p["id"] == str(me)), None),
        company=row.company,
    )


def _number() -> int:
    """The number under a payment reference: random, so that it tells nobody anything."""
    return PAYMENT_NUMBER_MIN + secrets.randbelow(PAYMENT_NUMBER_SPAN)
