"""Fakes of the outside systems. They count what reaches them and keep the real providers' rules
about keys: SMTP has none, a printer repeats its answer to a key for 24 hours and refuses other
bytes under it, a bank refuses a second file with the same message id.

`plan` lets a test say how the next calls go.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from dataclasses import dataclass, field
from hashlib import sha256
from uuid import UUID

from app.clock import monotonic
from workers.providers.delivery import Delivery, Guard
from workers.providers.errors import KeyTaken, OutcomeUnknown, ProviderError, Refused
from workers.providers.post import PostJob
from workers.providers.smtp import OutgoingMail

KEY_WINDOW_SECONDS = 24 * 3600.0
KEY_SAFETY_SECONDS = 3600.0  # we stop repeating an hour before they forget


@dataclass
class FakeMail:
    """Counts deliveries by Message-ID; no keys, so sending twice delivers twice."""

    name: str = "fake_mail"
    key_window_seconds: float | None = None
    seconds: float = 0.0  # how long a hand-over takes
    delivered: Counter[str] = field(default_factory=Counter)
    mails: dict[str, OutgoingMail] = field(default_factory=dict)
    plan: deque[ProviderError | None] = field(default_factory=deque)
    unknown_after_delivery: bool = False  # the line breaks after the final dot

    async def send(self, mail: OutgoingMail, *, guard: Guard) -> Delivery:
        if self.plan and (failure := self.plan.popleft()) is not None:
            raise failure
        if self.seconds:
            await asyncio.sleep(self.seconds)
        guard()
        self.delivered[mail.message_id] += 1
        self.mails[mail.message_id] = mail
        if self.unknown_after_delivery:
            raise OutcomeUnknown("lost after the final dot")
        return Delivery(self.name, mail.message_id)


@dataclass
class _Answer:
    body_hash: str
    at: float
    delivery: Delivery


@dataclass
class KeyedAnswers:
    """Stored answers by key: same bytes, same answer; other bytes are refused (409)."""

    window_seconds: float = KEY_WINDOW_SECONDS
    kept: dict[str, _Answer] = field(default_factory=dict)

    def replay(self, key: str, body: bytes) -> Delivery | None:
        answer = self.kept.get(key)
        if answer is None or monotonic() - answer.at > self.window_seconds:
            return None
        if answer.body_hash != sha256(body).hexdigest():
            raise KeyTaken("409: this key was used with another body")
        return answer.delivery

    def keep(self, key: str, body: bytes, delivery: Delivery) -> None:
        self.kept[key] = _Answer(sha256(body).hexdigest(), monotonic(), delivery)


@dataclass
class FakePost:
    """A printer with an Idempotency-Key of 24 hours."""

    name: str = "fake_post"
    key_window_seconds: float | None = KEY_WINDOW_SECONDS - KEY_SAFETY_SECONDS
    seconds: float = 0.0
    delivered: Counter[str] = field(default_factory=Counter)
    recalled: Counter[str] = field(default_factory=Counter)
    jobs: dict[str, tuple[PostJob, bytes]] = field(default_factory=dict)
    plan: deque[ProviderError | None] = field(default_factory=deque)
    unknown_after_delivery: bool = False
    answers: KeyedAnswers = field(default_factory=KeyedAnswers)

    async def send(self, job: PostJob, pdf: bytes, *, key: UUID, guard: Guard) -> Delivery:
        if self.plan and (failure := self.plan.popleft()) is not None:
            raise failure
        if self.seconds:
            await asyncio.sleep(self.seconds)
        guard()
        body = repr(job).encode() + pdf
        again = self.answers.replay(str(key), body)
        if again is not None:
            return again
        delivery = Delivery(self.name, str(key))
        self.answers.keep(str(key), body, delivery)
        self.delivered[str(key)] += 1
        self.jobs[str(key)] = (job, pdf)
        if self.unknown_after_delivery:
            raise OutcomeUnknown("the answer got lost")
        return delivery

    async def recall(self, sent_key: UUID, *, key: UUID, guard: Guard) -> Delivery:
        guard()
        if str(sent_key) not in self.jobs:
            raise Refused("the printer does not know this job")
        again = self.answers.replay(str(key), str(sent_key).encode())
        if again is not None:
            return again
        delivery = Delivery(self.name, str(key), detail=f"recalled {sent_key}")
        self.answers.keep(str(key), str(sent_key).encode(), delivery)
        self.recalled[str(sent_key)] += 1
        return delivery


@dataclass
class FakeBank:
    """A bank that takes each message id once; the same bytes again are the same file."""

    name: str = "fake_bank"
    key_window_seconds: float | None = float("inf")
    delivered: Counter[str] = field(default_factory=Counter)
    files: dict[str, bytes] = field(default_factory=dict)
    plan: deque[ProviderError | None] = field(default_factory=deque)

    async def submit(self, message_id: str, data: bytes, *, key: UUID, guard: Guard) -> Delivery:
        if self.plan and (failure := self.plan.popleft()) is not None:
            raise failure
        guard()
        known = self.files.setdefault(message_id, data)
        if known != data:
            raise KeyTaken("this message id was used for another file")
        if self.delivered[message_id] == 0:
            self.delivered[message_id] += 1
        return Delivery(self.name, message_id)
