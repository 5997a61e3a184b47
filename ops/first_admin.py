"""The first admin of an empty installation: invited at start, the invitation printed once."""

from __future__ import annotations

import asyncio

from app.crypto import LINK_KEY, derive, load_keyring
from app.db import Database
from app.settings import Settings
from app.staff.enrolment import ensure_first_admin

LOCAL_ADMIN = "admin@recourse.invalid"


async def invite_first_admin(settings: Settings, database: Database) -> str | None:
    """The invitation's token while there is no account at all, else None."""
    async with database.transaction() as session:
        return await ensure_first_admin(
            session,
            keyring=load_keyring(settings),
            link_key=derive(settings.secret_key.get_secret_value(), LINK_KEY),
            email=settings.first_admin_email or LOCAL_ADMIN,
        )


def announce_first_admin(settings: Settings) -> str | None:
    """What to tell the operator, once: how the first admin gets in. None when somebody is there."""
    if settings.first_admin_email is None and settings.is_production:
        return None  # the doctor says that it is not set

    async def invite() -> str | None:
        database = Database(settings.database_url, pool_size=1)
        try:
            return await invite_first_admin(settings, database)
        finally:
            await database.close()

    token = asyncio.run(invite())
    if token is None:
        return None
    email = settings.first_admin_email or LOCAL_ADMIN
    return (
        f"First admin: {email}. Set a password and one-time codes within three days with\n"
        f'  POST {settings.public_url}/v1/staff/invite/show   {{"token": "{token}"}}\n'
        f"  POST {settings.public_url}/v1/staff/invite/accept (see the API reference)\n"
        "This is shown once."
    )
