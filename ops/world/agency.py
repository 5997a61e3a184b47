"""The agency on its first day: people with accounts, the profile, the companies, two apps.

All of it through the doors: the invitations come by mail, passwords and one-time codes over HTTP.
"""

from __future__ import annotations

import asyncio
import re
from typing import Any

import pyotp

from app.clock import wall_now
from ops.world.door import Person
from ops.world.stories import ListedCompany
from ops.world.stories import Person as Colleague
from ops.world.tale import World

PASSWORD = "correct horse battery staple"
STEP_SECONDS = 30  # of a one-time code
_TOKEN = re.compile(r"#([A-Za-z0-9_\-=.]{20,200})")
SCOPES = ["cases.read", "cases.write", "documents.write"]


class Authenticator:
    """A one-time code app. A code works once, so the first sign-in uses the step before."""

    def __init__(self, secret: str) -> None:
        self._totp = pyotp.TOTP(secret)

    async def code(self, steps: int = 0) -> str:
        """The digits `steps` steps from now; waits out the last moments of a step."""
        seconds = wall_now().timestamp()
        left = STEP_SECONDS - seconds % STEP_SECONDS
        if left < 1:
            await asyncio.sleep(left + 0.01)
        step = int(wall_now().timestamp()) // STEP_SECONDS + steps
        return str(self._totp.generate_otp(step))


def token_in(text: str) -> str:
    """The token of a link in a mail."""
    found = _TOKEN.search(text)
    assert found, "this mail holds no link"
    return found[1]


async def enrol(world: World, who: Person, token: str) -> None:
    """Accept an invitation and sign in with password and code."""
    door = world.door
    shown = await door.post(who, "/v1/staff/invite/show", {"token": token})
    app = Authenticator(shown["totp_secret"])
    await door.post(
        who,
        "/v1/staff/invite/accept",
        {"token": token, "password": PASSWORD, "code": await app.code(-1)},
    )
    opened = await door.post(
        who,
        "/v1/staff/session",
        {"email": shown["email"], "password": PASSWORD, "code": await app.code()},
    )
    who.token, who.email = opened["token"], shown["email"]
    who.id = (await door.get(who, "/v1/staff/me"))["id"]


async def set_up(world: World, admin_token: str) -> None:
    """From an empty installation to a working agency. `admin_token` is the first invitation."""
    admin_name = next(p for p in world.book.people if "admin" in p.roles)
    admin = world.person(admin_name.name)
    await enrol(world, admin, admin_token)
    world.staff[admin_name.id] = admin
    others = [p for p in world.book.people if p is not admin_name]
    for colleague in others:
        await _invite(world, admin, colleague)
    await world.worker.until_quiet()
    invitations = {mail.to: token_in(mail.text) for mail in world.catcher.take()}
    world.staff |= {colleague.id: world.person(colleague.name) for colleague in others}
    # At once: hashing a password takes a moment by design, and another processor is idle.
    await asyncio.gather(
        *(enrol(world, world.staff[c.id], invitations[address_of(c)]) for c in others)
    )
    await world.door.call(admin, "PUT", "/v1/agency", profile(world))
    for key in (world.site, world.partner):
        made = await world.door.post(
            admin, "/v1/api-keys", {"name": key.name, "scopes": SCOPES, "days": 365}
        )
        key.token = made["key"]
    await _companies(world)


def address_of(colleague: Colleague) -> str:
    return f"{colleague.id}@agency.example"


async def _invite(world: World, admin: Person, colleague: Colleague) -> None:
    await world.door.post(
        admin,
        "/v1/staff/accounts",
        {"email": address_of(colleague), "name": colleague.name, "roles": list(colleague.roles)},
    )


def profile(world: World) -> dict[str, Any]:
    agency = world.book.agency
    accounts = [
        {
            "book": book,
            "holder": account.holder,
            "iban": account.iban,
            "bic": account.bic,
            "currency": "EUR",
        }
        for book, account in (("client", agency.client_account), ("own", agency.own_account))
    ]
    return {
        "name": agency.name,
        "address_lines": list(agency.address),
        "country": "FI",
        "business_id": agency.register_number,
        "vat_number": agency.vat_number,
        "email": "office@agency.example",
        "phone": agency.phone,
        "accounts": accounts,
        "licences": agency.licences,
        "approval_line_minor": agency.approval_line_minor,
        "office_hours": {
            "opens": "09:00",
            "closes": "17:00",
            "days": ["mon", "tue", "wed", "thu", "fri"],
        },
    }


async def _companies(world: World) -> None:
    """Looked up, confirmed, with their mail and postal channels, by a senior."""
    saga, door = world.staff["saga"], world.door
    countries = {t.company_name: t.case["company"] for t in world.tales}
    for name, listed in world.book.companies.items():
        if name not in countries:
            continue
        about = countries[name]
        made = await door.post(
            saga,
            "/v1/companies",
            {
                "legal_name": name,
                "brand": about["brand"],
                "country": about["country"],
                "register_number": listed.register_number,
                "language": listed.language,
                "sector": about["sector"],
                "address_lines": lines_of(name, listed),
                "kind": "business",
                "direct_first_days": listed.direct_first_days,
                "direct_first_source": listed.direct_first_source,
            },
        )
        await door.call(
            saga,
            "PATCH",
            f"/v1/companies/{made['id']}",
            {"status": "confirmed"},
            version=made["version"],
        )
        for kind, address in (("email", listed.email), ("post", "\n".join(lines_of(name, listed)))):
            await door.post(
                saga,
                f"/v1/companies/{made['id']}/channels",
                {
                    "kind": kind,
                    "address": address,
                    "official": True,
                    "language": listed.language,
                    "source": "the company register and its own site",
                },
            )
        world.company_ids[name] = made["id"]


def lines_of(name: str, listed: ListedCompany) -> list[str]:
    """The postal address without the name, which every letter prints above it."""
    return [line for line in listed.address if line != name]
