"""SendMagicLink: mail a sign-in link. The token comes from the effect id; nothing stores it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.clock import business_now, wall_now
from app.consumers.login import link_token
from app.crypto import derive
from app.domain.effects import SendMagicLink
from workers.effects.agency import read_agency
from workers.effects.handler import Order, Prepared
from workers.effects.sending import MailEffect
from workers.mail import Draft
from workers.notices import words
from workers.providers.errors import NoLongerWanted, Refused
from workers.tools import Tools

LINK_KEY = "login-link"  # purpose of the key; app.deps has the same, without loading it here
_LINKS = text("""
    SELECT l.id, l.used_at, l.expires_at, u.name, u.email, u.language
      FROM login_links l JOIN consumers u ON u.id = l.consumer_id
     WHERE l.id = ANY(:ids)
""")


def link_key(tools: Tools) -> bytes:
    """The key the API derives too."""
    return derive(tools.settings.secret_key.get_secret_value(), LINK_KEY)


class SendMagicLinkHandler(MailEffect[SendMagicLink]):
    effect = SendMagicLink

    async def prepare(
        self, tools: Tools, session: AsyncSession, orders: Sequence[Order[SendMagicLink]]
    ) -> Prepared:
        found = {r.id: r for r in await session.execute(_LINKS, {"ids": [o.id for o in orders]})}
        agency, now, wall = await read_agency(session), await business_now(session), wall_now()
        out: dict[UUID, Any] = {}
        for order in orders:
            link = found.get(order.id)
            if link is None or link.used_at is not None or link.expires_at <= wall:
                out[order.id] = NoLongerWanted("the link is used or over")
                continue
            if link.email is None:
                out[order.id] = Refused("no e-mail address")
                continue
            table = words(link.language)["mails"]["sign_in"]
            # The token stands behind '#': it reaches no server log on its way.
            address = f"{tools.settings.public_url}/login#{link_token(link_key(tools), order.id)}"
            out[order.id] = Draft(
                secret=True, language=link.language,
                effect_id=order.id, to_name=link.name, to_address=link.email,
                subject=table["subject"], at=now, from_name=agency.name,
                text=table["text"].format_map({"link": address, "agency": agency.name}),
            )  # fmt: skip
        return out
