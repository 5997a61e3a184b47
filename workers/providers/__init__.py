"""The outside systems, built once per worker: one file each, and a fake of each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from app.settings import Settings
from workers.providers.bank_files import BankFolder, BankProvider
from workers.providers.delivery import Delivery, Guard
from workers.providers.fakes import FakeBank, FakeMail, FakePost
from workers.providers.lob import LobPost
from workers.providers.post import PostProvider, PrintFolder
from workers.providers.smtp import OutgoingMail, SmtpMail

OWN_STORE = "store"  # the object store: create-only under the hash, so repeating does nothing


class MailProvider(Protocol):
    """`key_window_seconds` is None for plain SMTP: no keys."""

    name: str
    key_window_seconds: float | None

    async def send(self, mail: OutgoingMail, *, guard: Guard) -> Delivery:
        """Raises Refused, Transient, OutcomeUnknown, LeaseLost."""
        ...


@dataclass(frozen=True, slots=True)
class Providers:
    mail: MailProvider
    post: PostProvider
    bank: BankProvider

    def key_window_seconds(self, name: str) -> float | None:
        """How long the provider of this name repeats its answer to the same key and bytes.

        None: it has no keys (or is no longer ours), so an act whose end was not seen is never
        repeated.
        """
        if name == OWN_STORE:
            return float("inf")
        for one in (self.mail, self.post, self.bank):
            if one.name == name:
                return one.key_window_seconds
        return None


def real_providers(settings: Settings) -> Providers:
    folder = settings.data_dir.resolve()
    return Providers(
        mail=SmtpMail(settings),
        post=_post(settings),
        bank=BankFolder(folder / "bank" / "out"),
    )


def _post(settings: Settings) -> PostProvider:
    if settings.post_provider == "lob":
        assert settings.lob_api_key and settings.lob_from, "the settings saw to it"
        return LobPost(settings.lob_api_key.get_secret_value(), settings.lob_from)
    return PrintFolder(settings.data_dir.resolve() / "post")


def fake_providers() -> Providers:
    return Providers(mail=FakeMail(), post=FakePost(), bank=FakeBank())


def build_providers(settings: Settings) -> Providers:
    """As the settings say; production refuses fakes when it starts."""
    return fake_providers() if settings.providers == "fake" else real_providers(settings)


__all__ = [
    "OWN_STORE",
    "MailProvider",
    "Providers",
    "build_providers",
    "fake_providers",
    "real_providers",
]
