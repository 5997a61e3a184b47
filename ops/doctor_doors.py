"""The doors letters leave by beside the mail server: who prints, and the archive of copies."""

from __future__ import annotations

import asyncio
import tempfile

from app.settings import Settings
from ops.check import Check
from workers.archive_watch import open_archive
from workers.imap_session import ImapTrouble
from workers.providers.errors import ProviderError
from workers.providers.lob import API
from workers.providers.web import Web

LOB_SECONDS_MAX = 10.0


def check_post(settings: Settings, lob_url: str = API) -> Check:
    """That the printer's key and return address are known there, or that our folder can be used."""
    if settings.post_provider == "lob":
        return asyncio.run(_check_lob(settings, lob_url))
    folder = settings.data_dir / "post"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.TemporaryFile(dir=folder) as probe:
            probe.write(b"recourse")
        waiting = len(list(folder.glob("*.json"))) - len(list(folder.glob("*.printed")))
    except OSError as problem:
        fix = f"let this user write in {folder}"
        return Check("post", "fail", problem.strerror or "cannot be written", fix)
    return Check("post", "ok", f"we print ourselves, {max(waiting, 0)} waiting in {folder}")


async def _check_lob(settings: Settings, lob_url: str) -> Check:
    assert settings.lob_api_key and settings.lob_from, "the settings saw to it"
    web = Web(lob_url, user=settings.lob_api_key.get_secret_value(), total_seconds=LOB_SECONDS_MAX)
    try:
        answer = await web.ask(f"addresses/{settings.lob_from}")
    except ProviderError as trouble:
        return Check("post", "warn", f"Lob: {trouble.cause}", "is the network open to api.lob.com?")
    if answer.status == 200:
        return Check("post", "ok", "Lob knows our key and return address")
    if answer.status in (401, 403):
        return Check(
            "post", "fail", f"Lob refuses our key ({answer.status})", "RECOURSE_LOB_API_KEY"
        )
    if answer.status == 404:
        return Check("post", "fail", "Lob does not know our return address", "RECOURSE_LOB_FROM")
    return Check("post", "warn", f"Lob answers {answer.status}", "ask again later")


def check_archive(settings: Settings) -> Check:
    """That a person's copy of every mail can be looked for."""
    name = "mail archive"
    if settings.archive_address is None:
        fix = "RECOURSE_ARCHIVE_ADDRESS: without copies a broken line leaves it to a person"
        return Check(name, "warn", "none", fix)
    if settings.archive_imap_host is None:
        return Check(name, "warn", "copies go out, nobody looks", "RECOURSE_ARCHIVE_IMAP_HOST")
    try:
        open_archive(settings).close()
    except ImapTrouble as trouble:
        return Check(name, "fail", str(trouble), "mend RECOURSE_ARCHIVE_IMAP_*")
    return Check(name, "ok", f"{settings.archive_imap_mailbox} on {settings.archive_imap_host}")
