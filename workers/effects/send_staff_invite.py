"""SendStaffInvite: mail a colleague the link to set password and one-time codes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.clock import business_now, wall_now
from app.domain.effects import SendStaffInvite
from app.staff.enrolment import invite_token
from workers.effects.agency import read_agency
from workers.effects.handler import Order, Prepared
from workers.effects.send_magic_link import link_key
from workers.effects.sending import MailEffect
from workers.mail import Draft
from workers.notices import words
from workers.providers.errors import NoLongerWanted
from workers.tools import Tools

_INVITES = text("""
    SELECT i.id, i.used_at, i.expires_at, s.name, s.email, s.status
      FROM staff_invites i JOIN staff s ON s.id = i.staff_id
     WHERE i.id = ANY(:ids)
""")


class SendStaffInviteHandler(MailEffect[SendStaffInvite]):
    effect = SendStaffInvite

    async def prepare(
        self, tools: Tools, session: AsyncSession, orders: Sequence[Order[SendStaffInvite]]
    ) -> Prepared:
        found = {r.id: r for r in await session.execute(_INVITES, {"ids": [o.id for o in orders]})}
        agency, now, wall = await read_agency(session), await business_now(session), wall_now()
        table = words(str(agency.profile.get("language", "en")))["mails"]["invite"]
        out: dict[UUID, Any] = {}
        for order in orders:
            invite = found.get(order.id)
            if (
                invite is None
                or invite.used_at is not None
                or invite.expires_at <= wall
                or invite.status != "invited"
            ):
                out[order.id] = NoLongerWanted("the invitation is used or over")
                continue
            token = invite_token(link_key(tools), order.id)
            common = {"name": invite.name, "agency": agency.name,
                      "link": f"{tools.settings.public_url}/staff/invite#{token}"}  # fmt: skip
            out[order.id] = Draft(
                secret=True,
                effect_id=order.id, to_name=invite.name, to_address=invite.email,
                subject=table["subject"].format_map(common),
                text=table["text"].format_map(common), at=now, from_name=agency.name,
            )  # fmt: skip
        return out
