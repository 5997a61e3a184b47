"""The holding pen: what came in and could not be placed, with the reasons."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from app.correspondence.schemas import AttachmentOut
from app.schemas import Flag, Id, In, Out, Reason

Sender = Literal["company", "body", "consumer", "unknown"]
PARTS_MAX = 10


class GuessOut(Out):
    """A case the mail may be about, best first; `why`: carries_proof, names_reference,
    names_booking, from_consumer, from_company. Only cases you may see are shown."""

    case_id: uuid.UUID
    reference: str
    score: int
    why: list[str]


class PenMessageOut(Out):
    """`why` says in codes what spoke against placing it. `state`: pen, or quarantine where the mail
    names no one sender, so that a senior looks at it first. `trust` (quarantine, low, medium, high)
    is how far its From line may be believed, with the reasons in codes; `alerts`, what in it asks
    for a person at once."""

    id: uuid.UUID
    state: Literal["pen", "quarantine"]
    trust: str | None
    trust_reasons: list[str]
    alerts: list[str]
    received_at: datetime
    channel: str
    from_address: str
    to_address: str
    subject: str
    text: str
    automatic: bool
    why: list[str]
    guesses: list[GuessOut]
    attachments: list[AttachmentOut]


class PenOut(Out):
    items: list[PenMessageOut]
    next_cursor: str | None


class FileMessageIn(In):
    """Which case it belongs to, and who wrote it as a person reads it. `learn_sender`: what comes
    from this address later is taken for this case's company, too."""

    case_id: Id
    sender: Sender
    learn_sender: Flag = False


class PartIn(In):
    case_id: Id
    sender: Sender


class SplitMessageIn(In):
    """One mail about several cases: each gets it whole."""

    parts: Annotated[list[PartIn], Field(min_length=2, max_length=PARTS_MAX)]


class NotOursIn(In):
    """It is for none of our cases. `block_sender`: what comes from this address later is kept, and
    nobody is asked about it, unless it carries an address or a reference of one of our cases. The
    address of a consumer or company on file is never blocked."""

    reason: Reason
    block_sender: Flag = False


class ReleaseIn(In):
    """Why a mail that names no one sender may be read and filed after all."""

    reason: Reason


class UnfileIn(In):
    reason: Reason


class PlacedOut(Out):
    """Where the message is now: the cases it was filed to, or none."""

    message_id: uuid.UUID
    state: Literal["unread", "set_aside", "pen", "quarantine", "not_ours"]
    case_ids: list[uuid.UUID]
