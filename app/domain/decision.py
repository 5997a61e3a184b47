"""What `decide` answers: the case as it now stands and everything the change causes."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from app.domain.case import Case
from app.domain.effects import Effect


class TaskKind(StrEnum):
    """A typed piece of work for a person; each has its own form."""

    ASSESS = "assess"
    APPROVE_LETTER = "approve_letter"
    READ_REPLY = "read_reply"
    CHOOSE_NEXT_STEP = "choose_next_step"
    FIX_CHANNEL = "fix_channel"
    CONFIRM_COMPANY = "confirm_company"
    FILE_COMPLAINT = "file_complaint"
    ANSWER_BODY = "answer_body"
    ANSWER_COMPANY = "answer_company"
    OFFER_LAPSING = "offer_lapsing"
    PROMISE_BROKEN = "promise_broken"
    CHECK_DIRECT_PAYMENT = "check_direct_payment"
    REGISTER_VOUCHER = "register_voucher"
    PREPARE_PAYOUT = "prepare_payout"
    FIX_PAYOUT = "fix_payout"
    RETURN_MONEY = "return_money"
    SETTLE_EFFECT = "settle_effect"
    CARE = "care"
    LEGAL = "legal"
    INCIDENT = "incident"
    AGENCY_LATE = "agency_late"
    LIMITATION = "limitation"
    BODY_LIMIT = "body_limit"
    CALL_CONSUMER = "call_consumer"
    POISONED_CASE = "poisoned_case"
    FEED_SILENT = "feed_silent"  # our mailbox or bank feed was not read after a deadline
    RATE_MISSING = "rate_missing"  # a letter claims interest in words until somebody finds it
    PLACE_MAIL = "place_mail"  # in the holding pen: says which case it belongs to
    RELEASE_MAIL = "release_mail"  # in quarantine: a senior says whether it may be read as mail
    COMPLAINT_ABOUT_US = "complaint_about_us"  # decided by somebody who is not on the case
    INSOLVENCY_NOTICE = "insolvency_notice"
    DIRECT_FIRST = "direct_first"  # they want the consumer to write to them first
    FILE_AT_PORTAL = "file_at_portal"  # a letter goes through the company's web form, by hand
    LICENCE_ENDING = "licence_ending"  # of the agency: belongs to no case


@dataclass(frozen=True, slots=True)
class OpenTask:
    """A task to open; (case, kind, key) is unique while it is open."""

    kind: TaskKind
    key: str
    due_at: datetime
    priority: int  # 0 highest .. 100
    priority_reason: str
    role: str = "handler"  # handler | senior | finance | legal
    subject_id: uuid.UUID | None = None  # the letter, message, offer, effect it is about


@dataclass(frozen=True, slots=True)
class CloseTask:
    """Close open tasks of this kind (and key, unless None)."""

    kind: TaskKind
    key: str | None = None
    done: bool = True  # False: no longer needed


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """A code with parameters, translated on read; never personal text."""

    code: str
    params: tuple[tuple[str, str], ...] = ()
    visible_to_consumer: bool = True


@dataclass(frozen=True, slots=True)
class Decision:
    case: Case
    effects: tuple[Effect, ...] = ()
    open_tasks: tuple[OpenTask, ...] = ()
    close_tasks: tuple[CloseTask, ...] = ()
    history: tuple[HistoryEntry, ...] = ()
