"""Passwords (argon2id) and one-time codes (RFC 6238).

Hashing costs about 100 ms of a core by intent, so it runs in threads, few at a time, and refuses
when too many wait: a flood of logins must not stop everything else.
"""

from __future__ import annotations

import asyncio
import hmac
import secrets
import unicodedata
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import TypeVar

import pyotp
from pwdlib.hashers.argon2 import Argon2Hasher

from app.domain.errors import InvalidInput, Unavailable

PASSWORD_MIN, PASSWORD_MAX = 12, 128
DIFFERENT_MIN = 5  # characters; refuses `aaaaaaaaaaaa` without a list of every bad password
HASHING_AT_ONCE = 2
WAITING_MAX = 40  # about two seconds of hashing; more callers than that are told to come back
TOTP_STEP_SECONDS = 30
TOTP_DRIFT_STEPS = 1  # one step each way: clocks of telephones are good
RECOVERY_CODES = 10
T = TypeVar("T")
_CODE_ALPHABET = "ABCDEFGHJKMNPQRSTVWXYZ23456789"


class PasswordWeak(InvalidInput):
    code = "password_weak"


class Passwords:
    """Hashes and checks passwords. `cheap` is for tests only: the same algorithm, little memory."""

    def __init__(self, *, cheap: bool = False) -> None:
        self._hasher = (
            Argon2Hasher(time_cost=1, memory_cost=1024, parallelism=1) if cheap else Argon2Hasher()
        )
        self._slots = asyncio.Semaphore(HASHING_AT_ONCE)
        self._waiting = 0
        # Compared with when there is no account, so that both cases take the same time.
        self._nobody = self._hasher.hash(secrets.token_urlsafe(32))

    async def hash(self, password: str) -> str:
        return await self._run(partial(self._hasher.hash, normal_password(password)))

    async def verify(self, password: str, stored: str | None) -> bool:
        """False for a wrong password and, after the same work, for no account at all."""
        check = partial(self._hasher.verify, normal_password(password), stored or self._nobody)
        matches = await self._run(check)
        return matches and stored is not None

    async def _run(self, work: Callable[[], T]) -> T:
        if self._waiting >= WAITING_MAX:
            raise Unavailable(
                "too many people sign in right now; try again in a moment", code="logins_busy"
            )
        self._waiting += 1
        try:
            async with self._slots:
                return await asyncio.to_thread(work)
        finally:
            self._waiting -= 1


def normal_password(password: str) -> str:
    """NFC, so that the same keys give the same password on every system (RFC 8265)."""
    return unicodedata.normalize("NFC", password)


def check_password(password: str, *, email: str) -> None:
    """Raises PasswordWeak. Long enough and not the account's own name; no rules of composition."""
    text = normal_password(password)
    if not PASSWORD_MIN <= len(text) <= PASSWORD_MAX:
        raise PasswordWeak(f"a password has {PASSWORD_MIN} to {PASSWORD_MAX} characters")
    if len(set(text)) < DIFFERENT_MIN or email.partition("@")[0].lower() in text.lower():
        raise PasswordWeak("this password is too easy to guess")


def new_totp_secret() -> str:
    return pyotp.random_base32(32)


def totp_address(secret: str, *, email: str, agency: str) -> str:
    """The otpauth:// address that an authenticator app reads as a picture."""
    return pyotp.TOTP(secret).provisioning_uri(name=email, issuer_name=agency)


def matching_step(secret: str, code: str, *, now: datetime, after: int) -> int | None:
    """The time step this code belongs to, if it is current and later than `after`; else None."""
    current = int(now.timestamp()) // TOTP_STEP_SECONDS
    generator = pyotp.TOTP(secret)
    found = None
    for step in range(current - TOTP_DRIFT_STEPS, current + TOTP_DRIFT_STEPS + 1):
        # all steps are compared, so that time tells nothing
        if hmac.compare_digest(generator.generate_otp(step), code) and step > after:
            found = step
    return found


def new_recovery_codes() -> list[str]:
    """Ten codes of about 59 bits, `XXXX-XXXX-XXXX`."""

    def one() -> str:
        letters = [secrets.choice(_CODE_ALPHABET) for _ in range(12)]
        return "-".join("".join(letters[i : i + 4]) for i in (0, 4, 8))

    return [one() for _ in range(RECOVERY_CODES)]


def normal_code(code: str) -> str:
    return "".join(c for c in code.upper() if c.isalnum())
