"""What is missing or unsafe in an installation's settings, in words that name no value."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pydantic import SecretStr

if TYPE_CHECKING:
    from app.settings import Settings

# Known to everybody, therefore refused in production.
PLACEHOLDER_SECRET = "placeholder-not-for-production"  # noqa: S105  # refused below
PLACEHOLDER_MARKS = ("placeholder", "changeme", "change-me", "change_me", "example", "secret")
SECRET_LENGTH_MIN = 32  # characters; 256 bits when written as 64 hex digits or 43 of base64
TEST_KEY_MARKS = ("sk_test_", "rk_test_", "pk_test_")
LOB_TEST_KEY_MARK = "test_"
ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9.-]{1,253}")
THIS_MACHINE = ("127.0.0.1", "::1", "localhost")


def is_placeholder(secret: SecretStr | None) -> bool:
    """True when the value is missing, too short to be random, or known from a document."""
    if secret is None:
        return True
    value = secret.get_secret_value().strip().lower()
    return len(value) < SECRET_LENGTH_MIN or any(mark in value for mark in PLACEHOLDER_MARKS)


def mailbox_problems(settings: Settings) -> list[str]:
    """What is missing or unsafe in the ways mail comes in, and in its archive."""
    problems = []
    if settings.imap_host is not None:
        if settings.imap_user is None or settings.imap_password is None:
            problems.append("imap_host needs imap_user and imap_password")
        if not settings.imap_tls and settings.imap_host not in THIS_MACHINE:
            problems.append("imap_tls may be off only for a server on this machine")
    if settings.archive_imap_host is not None:
        if not (
            settings.archive_address
            and settings.archive_imap_user
            and settings.archive_imap_password
        ):
            problems.append(
                "archive_imap_host needs archive_address, archive_imap_user, archive_imap_password"
            )
        if not settings.archive_imap_tls and settings.archive_imap_host not in THIS_MACHINE:
            problems.append("archive_imap_tls may be off only for a server on this machine")
    if settings.archive_address is not None and not ADDRESS.fullmatch(settings.archive_address):
        problems.append("archive_address is not a mail address")
    if settings.inbound_smtp_host not in THIS_MACHINE and not settings.inbound_smtp_peers:
        problems.append("inbound_smtp_host beyond this machine needs inbound_smtp_peers")
    return problems


def production_problems(settings: Settings) -> list[str]:
    """Why these settings must not serve real people; empty when they may.

    Names settings, never their values: the list goes to logs and to the screen.
    """
    problems = []
    if is_placeholder(settings.secret_key):
        problems.append(
            f"secret_key is missing, a placeholder or under {SECRET_LENGTH_MIN} characters"
        )
    if settings.key_file is None and settings.keys is None:
        problems.append("one of key_file and keys must hold the keys that wrap personal data")
    if (
        settings.stripe_secret_key is not None
        and settings.stripe_secret_key.get_secret_value().startswith(TEST_KEY_MARKS)
    ):
        problems.append("stripe_secret_key is a test key")
    if settings.lob_api_key is not None and settings.lob_api_key.get_secret_value().startswith(
        LOB_TEST_KEY_MARK
    ):
        problems.append("lob_api_key is a test key: its letters are never printed")
    if not settings.public_url.startswith("https://"):
        problems.append("public_url must be https")
    if settings.mail_domain.endswith((".invalid", ".example", ".test", ".localhost")):
        problems.append("mail_domain is a reserved name")
    if settings.providers == "fake":
        problems.append("providers must be real")
    on_this_machine = settings.smtp_host in THIS_MACHINE
    if not (settings.smtp_starttls or settings.smtp_tls or on_this_machine):
        problems.append("smtp_starttls or smtp_tls must be on, or letters travel in the clear")
    if settings.redis_url is None:
        problems.append("redis_url is not set")
    return problems
