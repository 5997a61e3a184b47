"""Where an inbound mail belongs, and its row: to a case by an address that proves it, else the pen.

The address with its MAC places a mail; what the From line says never does. It only tells who seems
to write, as far as our own mail server vouches for it (app/correspondence/senders.py), and no step
of the ladder rests on it: a person reads every human mail. One without a single sender goes into
quarantine, out of which only a senior lets it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

import structlog
from sqlalchemy import insert, text
from sqlalchemy.ext.asyncio import AsyncSession

from app import engine
from app.channel_health import is_dead, note_refusal
from app.clock import wall_now
from app.correspondence.alerts import raise_alerts
from app.correspondence.attachments import Attached, keep_attached
from app.correspondence.guesses import CHARACTERS_SEARCHED, references_in
from app.correspondence.passed_on import keep_passed_on
from app.correspondence.pen import into_pen, into_quarantine, is_blocked
from app.correspondence.receipts import note_report
from app.correspondence.sealed_raw import seal_raw
from app.correspondence.senders import known_on, role_of, trust_in
from app.crypto import Keyring
from app.domain.errors import StaleEvent, TransitionRefused
from app.domain.events import Event, LetterDelivered, MessageArrived
from app.domain.trust import moves_by_itself
from app.ids import new_id
from app.moment import read_moment
from app.reading.trust import Trust
from app.reply_address import AddressBook
from app.tables.correspondence import MessageRow
from app.tables.security import DataKey
from app.vault import data_key_row

log = structlog.get_logger(__name__)
ACTOR = "system"
SUGGESTED = (
    "kind", "confidence", "language", "own_text", "amount_minor", "currency", "promised_date",
    "deadline_for_us", "ticket_number",
)  # fmt: skip
_SUBJECT_REFERENCE = re.compile(r"\bRC-?[0-9A-Za-z]{4}-?[0-9A-Za-z]{4}\b")
_STORE = text("""
    INSERT INTO inbound (id, provider, external_id, raw, sha256, stored_at, received_at, state,
                         tries, envelope_to, envelope_from, raw_sealed)
    VALUES (:id, :provider, :external_id, :raw, :sha256, :stored_at, :received_at, 'stored', 0,
            :envelope_to, :envelope_from, true)
    ON CONFLICT (provider, external_id) DO NOTHING
""")
_CASE_BY_REFERENCE = text("SELECT id FROM cases WHERE reference = :reference")
_EFFECT = text("SELECT case_id, kind, payload FROM effects WHERE id = :id")
_ONE_AT_A_TIME = text("SELECT pg_advisory_xact_lock(hashtextextended(:message_id, 0))")
_TWIN = text("""
    SELECT id FROM messages
     WHERE message_id_header = :message_id AND direction = 'in' AND from_address = :sender
       AND text = :text AND case_id IS NOT DISTINCT FROM CAST(:case_id AS uuid) LIMIT 1
""")
_FINISH = text("""
    UPDATE inbound SET state = :state, cause = :cause WHERE id = :id AND state = 'stored'
    RETURNING id
""")


class Said(Protocol):
    """What the mail says (workers.mime.ReadMail)."""

    @property
    def sender(self) -> str | None: ...
    @property
    def doubt(self) -> str | None: ...
    @property
    def to(self) -> list[str]: ...
    @property
    def subject(self) -> str: ...
    @property
    def message_id(self) -> str: ...
    @property
    def in_reply_to(self) -> list[str]: ...
    @property
    def references(self) -> list[str]: ...
    @property
    def automatic(self) -> bool: ...
    @property
    def report(self) -> dict[str, Any] | None: ...
    @property
    def text(self) -> str: ...
    @property
    def reading(self) -> dict[str, Any]: ...
    @property
    def alerts(self) -> list[str]: ...
    @property
    def inner(self) -> list[dict[str, Any]]: ...
    @property
    def html(self) -> str | None: ...
    @property
    def froms(self) -> list[str]: ...
    @property
    def results(self) -> list[str]: ...


@dataclass(frozen=True, slots=True)
class InboundMail:
    """The stored row, without its bytes. `received_at` is business time."""

    id: UUID
    envelope_to: str | None
    envelope_from: str | None
    received_at: datetime


@dataclass(slots=True)
class Place:
    """Where a mail belongs. `bounce_of` is the letter it is the bounce of, `answers` the letter it
    answers; `proven` are cases whose proofs it carries and which disagree."""

    case_id: UUID | None = None
    bounce_of: UUID | None = None
    effect_id: UUID | None = None  # the one mail of ours it reports on
    is_bounce: bool = False
    hard: bool = False
    answers: UUID | None = None
    reasons: list[str] = field(default_factory=list)
    proven: tuple[UUID, ...] = ()


async def store_raw(
    session: AsyncSession,
    keyring: Keyring,
    *,
    row_id: UUID,
    provider: str,
    external_id: str,
    raw: bytes,
    digest: str,
    envelope_to: str | None,
    envelope_from: str | None,
) -> bool:
    """Byte for byte, before anybody reads it, sealed under a key of its own. False: it is here
    already."""
    moment = await read_moment(session)
    cipher, key = data_key_row(keyring, row_id, moment.now)
    done = await session.execute(_STORE, {
        "id": row_id, "provider": provider, "external_id": external_id,
        "raw": seal_raw(cipher, raw),
        "sha256": digest, "stored_at": wall_now(), "received_at": moment.now,
        "envelope_to": envelope_to, "envelope_from": envelope_from,
    })  # fmt: skip
    if int(done.rowcount) != 1:  # type: ignore[attr-defined]  # CursorResult in fact
        return False
    await session.execute(insert(DataKey).values(**key))
    return True


async def file_mail(
    session: AsyncSession,
    addresses: AddressBook,
    mail: InboundMail,
    said: Said,
    attached: Sequence[Attached] = (),
    *,
    authserv_id: str | None = None,
) -> bool:
    """File one mail with all that follows, once: False when somebody else has done it.
    `authserv_id`: how our own mail server signs what it found of a mail."""
    if said.message_id:  # its twin may be coming in by another way this moment
        await session.execute(_ONE_AT_A_TIME, {"message_id": said.message_id})
    place = await _place(session, addresses, mail, said)
    if place.case_id is not None:  # the case first, then the row: always in that order
        await session.execute(
            text("SELECT 1 FROM cases WHERE id = :id FOR UPDATE"), {"id": place.case_id}
        )
    if await _is_twin(session, place, said):
        await _finish(session, mail.id, "done", "same_as_before")
        return False
    if not await _finish(session, mail.id, "done", None):
        return False
    known = await known_on(session, place.case_id)
    trust = trust_in(known, froms=said.froms, results=said.results, authserv_id=authserv_id)
    shut = trust.level == "quarantine" and not place.is_bounce
    if shut and place.case_id is not None:  # its proof is only a good guess now
        place.proven, place.case_id = (place.case_id,), None
    sender = "unknown" if place.is_bounce else role_of(known, trust)
    automatic = said.automatic or place.is_bounce
    state = "quarantine" if shut else await _state(session, place, said, automatic)
    message_id = await _keep(session, mail, said, place, trust, sender, automatic, state)
    await keep_attached(session, mail.id, attached)
    await _follow(session, mail, said, place, trust, message_id, sender, automatic, state)
    if place.case_id is not None and sender == "consumer" and not automatic:
        for inner_id, role, machine in await keep_passed_on(
            session, place.case_id, mail.id, known, said.inner, own_domain=addresses.domain,
            received_at=mail.received_at, suggested=SUGGESTED,
        ):  # fmt: skip
            await _tell(session, place.case_id, MessageArrived(inner_id, role, machine))
    return True


async def _keep(
    session: AsyncSession, mail: InboundMail, said: Said, place: Place, trust: Trust,
    sender: str, automatic: bool, state: str,
) -> UUID:  # fmt: skip
    message_id = new_id()
    await session.execute(insert(MessageRow).values(
        id=message_id, case_id=place.case_id, inbound_id=mail.id, direction="in", channel="email",
        sender=sender, from_address=said.sender or "", to_address=mail.envelope_to or "",
        subject=said.subject, text=said.text, automatic=automatic, state=state,
        pen_reasons=place.reasons, message_id_header=said.message_id or None,
        letter_id=place.bounce_of, received_at=mail.received_at, reading=_suggestion(said),
        trust=trust.level, trust_reasons=list(trust.reasons), alerts=said.alerts, html=said.html,
    ))  # fmt: skip
    return message_id


async def _follow(
    session: AsyncSession, mail: InboundMail, said: Said, place: Place, trust: Trust,
    message_id: UUID, sender: str, automatic: bool, state: str,
) -> None:  # fmt: skip
    """What a kept mail sets going: its case hears of it, or a person is asked to place it."""
    if place.bounce_of is not None and said.report is not None:
        status = said.report["status"]
        await note_refusal(
            session, place.bounce_of, dead=is_dead(status), error=f"bounced with {status or '?'}",
            at=mail.received_at,
        )  # fmt: skip
    told = None
    if place.effect_id is not None and said.report is not None:
        told = await note_report(session, place.effect_id, said.report, mail.received_at)
    if place.case_id is not None:
        await _tell(session, place.case_id, MessageArrived(
            message_id=message_id, sender=sender, automatic=automatic, bounce_of=place.bounce_of,
            hard_bounce=place.hard,
        ))  # fmt: skip
        kind = said.reading.get("kind")
        if not automatic:
            await raise_alerts(
                session, place.case_id, message_id, sender=sender, alerts=said.alerts, kind=kind,
                deadline=said.reading.get("deadline_for_us"), now=mail.received_at,
            )  # fmt: skip
        if automatic and place.answers is not None and moves_by_itself(trust.level, kind):
            arrived = LetterDelivered(place.answers, mail.received_at, "recipient_server")
            await _tell(session, place.case_id, arrived)
        if told is not None:
            await _tell(session, place.case_id, told)
        return
    if automatic or state not in ("pen", "quarantine"):
        return
    ask = into_quarantine if state == "quarantine" else into_pen
    await ask(
        session, message_id, subject=said.subject, words=said.text, sender=said.sender,
        proven=place.proven,
    )  # fmt: skip


def _suggestion(said: Said) -> dict[str, Any]:
    """What a reader is shown beside the mail. The words it rests on stand in the mail itself."""
    return {name: said.reading.get(name) for name in SUGGESTED}


async def _state(session: AsyncSession, place: Place, said: Said, automatic: bool) -> str:
    """A blocked sender's mail is kept, and nobody is asked about it; but one that carries a proof
    or names a reference of ours may be the answer somebody waits for."""
    if place.case_id is not None:
        return "set_aside" if automatic else "unread"
    named = place.proven or references_in(f"{said.subject}\n{said.text[:CHARACTERS_SEARCHED]}")
    if not named and await is_blocked(session, said.sender):
        place.reasons.append("sender_blocked")
        return "not_ours"
    return "pen"


async def _is_twin(session: AsyncSession, place: Place, said: Said) -> bool:
    """The same mail by another way: to two of our addresses, or by door and mailbox."""
    if not said.message_id:
        return False
    found = await session.execute(_TWIN, {
        "message_id": said.message_id, "case_id": place.case_id,
        "sender": said.sender or "", "text": said.text,
    })  # fmt: skip
    return found.scalar() is not None


async def park_mail(session: AsyncSession, mail: InboundMail, cause: str) -> None:
    """A mail nobody can parse: raw bytes kept, a line in the pen for a person."""
    if not await _finish(session, mail.id, "parked", cause):
        return
    message_id = new_id()
    await session.execute(insert(MessageRow).values(
        id=message_id, case_id=None, inbound_id=mail.id, direction="in", channel="email",
        sender="unknown", from_address="", to_address=mail.envelope_to or "", subject="",
        text="", automatic=False, state="pen", pen_reasons=["unreadable", cause[:200]],
        message_id_header=None, received_at=mail.received_at,
    ))  # fmt: skip
    await into_pen(session, message_id, subject="", words="", sender=None)


async def _finish(session: AsyncSession, row_id: UUID, state: str, cause: str | None) -> bool:
    found = await session.execute(_FINISH, {"id": row_id, "state": state, "cause": cause})
    return found.scalar() is not None


async def _tell(session: AsyncSession, case_id: UUID, event: Event) -> None:
    try:
        await engine.advance(session, case_id, event, actor=ACTOR)
    except (TransitionRefused, StaleEvent) as refused:
        # It stays filed and unread; only the ladder did not care.
        log.warning("message_refused", case_id=str(case_id), code=refused.code)


async def _place(
    session: AsyncSession, addresses: AddressBook, mail: InboundMail, said: Said
) -> Place:
    """By every proof the mail carries; two that disagree leave it to a person."""
    place = Place()
    wanted = [a for a in (mail.envelope_to, *said.to) if a]
    named = {r for a in wanted if (r := addresses.case_of(a)) is not None}
    cases: set[UUID] = set()
    for reference in sorted(named):
        found = await session.execute(_CASE_BY_REFERENCE, {"reference": reference})
        if (case_id := found.scalar()) is not None:
            cases.add(case_id)
    effects = {e for a in wanted if (e := addresses.effect_of(a)) is not None}
    place.is_bounce = bool(effects)
    answered = [*said.in_reply_to, *said.references]
    if said.report and said.report["original"]:
        answered.append(said.report["original"])
        place.is_bounce = True
    effects |= {e for m in answered if (e := addresses.effect_of_message_id(m)) is not None}
    letters: set[UUID] = set()
    for effect_id in sorted(effects):
        row = (await session.execute(_EFFECT, {"id": effect_id})).one_or_none()
        if row is not None and row.case_id is not None:
            cases.add(row.case_id)
            if row.kind == "SendLetter":
                letters.add(UUID(row.payload["letter_id"]))
    if len(cases) == 1:
        place.case_id = cases.pop()
        if len(letters) == 1 and not place.is_bounce:
            place.answers = next(iter(letters))
        place.effect_id = next(iter(effects)) if len(effects) == 1 and place.is_bounce else None
        _bounce(place, said, letters)
        return place
    place.proven = tuple(sorted(cases))
    place.reasons = _pen_reasons(said, cases, wanted)
    return place


def _bounce(place: Place, said: Said, letters: set[UUID]) -> None:
    """A returned mail is about its letter; a delay or a relay's note is not a bounce."""
    failed = said.report is not None and said.report["action"] == "failed"
    if place.is_bounce and failed and len(letters) == 1:
        place.bounce_of = letters.pop()
        place.hard = said.report is not None and bool(said.report["permanent"])


def _pen_reasons(said: Said, cases: set[UUID], wanted: list[str]) -> list[str]:
    reasons = ["signals_disagree" if cases else "no_case_address"]
    if any(a.startswith(("case+", "bounce+")) for a in wanted) and not cases:
        reasons.append("address_not_ours")
    if said.doubt:
        reasons.append(said.doubt)
    if said.automatic:
        reasons.append("automatic")
    guess = _SUBJECT_REFERENCE.search(said.subject)
    if guess:
        reasons.append(f"subject_names:{guess[0].upper()}")
    return reasons
