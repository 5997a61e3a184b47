"""Letters beside the steps by a handler's choice: what to write, to whom, and by which way."""

from __future__ import annotations

import hashlib
import json
import uuid
from typing import Annotated, Any, Final, Literal

from pydantic import Field, model_validator
from sqlalchemy import text

from app.case_change import CaseChange
from app.casework.schemas import Code
from app.crypto import Keyring
from app.domain.case import Case, LetterKind
from app.domain.errors import InvalidInput
from app.domain.events import LetterRequested
from app.ids import new_id
from app.law.denials import denials
from app.letter_details import LetterDetails, keep_details
from app.schemas import Date, Email, Id, In, Line, Name

PRINTED_LINES_MAX: Final = 7  # what the window of an envelope shows besides the name
DENIALS_MAX: Final = 12  # reasons answered in one letter
Lines = Annotated[list[Line], Field(min_length=1, max_length=PRINTED_LINES_MAX)]
Denials = Annotated[list[Code], Field(max_length=DENIALS_MAX)]
Way = Literal["email", "post"]
_WAYS = text("""
    SELECT kind FROM channels
     WHERE company_id = :id AND kind IN ('email', 'post') AND health IN ('alive', 'degraded')
     UNION ALL
    SELECT 'post' FROM companies WHERE id = :id AND cardinality(address_lines) > 0
""")
_PERSON = text("SELECT email, by_post FROM consumers WHERE id = :id")


class RecipientIn(In):
    """Somebody else than the company: a collector, a credit bureau, a bank."""

    name: Name
    address_lines: Lines
    country: Annotated[str, Field(pattern=r"^[A-Z]{2}$")]
    email: Email | None = None


class _LetterIn(In):
    """`channel`: the way it goes; left out, the first that is open: e-mail, then post."""

    channel: Way | None = None


class MoreTimeIn(_LetterIn):
    kind: Literal["more_time"]


class MandateNoticeIn(_LetterIn):
    kind: Literal["mandate_notice"]


class ClosingCompanyIn(_LetterIn):
    kind: Literal["closing_company"]


class ClosingConsumerIn(_LetterIn):
    kind: Literal["closing_consumer"]


class DebtDisputeIn(_LetterIn):
    kind: Literal["debt_dispute"]
    addressee: Literal["collector", "credit_bureau"]
    reason: Literal[
        "never_owed", "paid", "not_delivered", "withdrawn", "other_person", "in_dispute"
    ]
    debt_reference: Line
    recipient: RecipientIn


class DeclarationIn(_LetterIn):
    """In the consumer's own name. Without `recipient` it goes to the company; an end of direct
    debit often goes to the bank. `effective`: the day it works from, or the last one given."""

    kind: Literal["declaration"]
    declared: Literal[
        "withdrawal", "cancellation", "rescission", "defect_notice", "extra_time", "debit_stop"
    ]
    contract: Line
    concluded_on: Date | None = None
    effective: Date | None = None
    claimant_id: Id | None = None
    recipient: RecipientIn | None = None

    @model_validator(mode="after")
    def _period(self) -> DeclarationIn:
        if self.declared == "extra_time" and self.effective is None:
            raise ValueError("a last period needs its last day (effective)")
        return self


LetterIn = Annotated[
    MoreTimeIn | MandateNoticeIn | ClosingCompanyIn | ClosingConsumerIn | DebtDisputeIn
    | DeclarationIn,
    Field(discriminator="kind"),
]  # fmt: skip


async def write_letter(change: CaseChange, keyring: Keyring, body: LetterIn) -> uuid.UUID:
    """Asks for the letter: it is made, then waits for approval. Raises TransitionRefused where the
    case's state forbids it, InvalidInput where no way to the recipient is open."""
    recipient = _recipient(body)
    said = body.model_dump(mode="json", exclude={"kind", "channel"}, exclude_none=True)
    letter_id = new_id()
    case = await change.advance(LetterRequested(
        letter_id=letter_id, kind=LetterKind(body.kind), topic=_topic(change, body, said),
        channel=await _way(change, body, recipient), recipient=recipient, by=change.actor,
    ))  # fmt: skip
    of = said.get("claimant_id")
    if of is not None and all(str(c.id) != of for c in case.signed):
        raise InvalidInput("this person is not a claimant here", field="claimant_id")
    if said:
        await _keep(change, keyring, letter_id, LetterDetails(said))
    return letter_id


async def keep_denials(
    change: CaseChange, keyring: Keyring, case: Case, codes: list[str] | None
) -> None:
    """Which reasons the answer to a denial meets. Raises InvalidInput for one we have no text for,
    or that does not belong to this kind of claim."""
    if not codes:
        return
    known = denials()
    for code in codes:
        if code not in known or not known[code].fits(change.case.claim_kind):
            raise InvalidInput(f"{code} is not a reason of this kind of claim", field="denials")
    letter = case.letter
    if letter is None or letter.kind is not LetterKind.DENIAL_ANSWER:
        raise InvalidInput("only the answer to a denial has reasons", field="denials")
    await _keep(change, keyring, letter.id, LetterDetails({"denials": codes}))


async def pin_company(change: CaseChange, keyring: Keyring, case: Case) -> None:
    """The letter to a company that says it is the wrong one stays with that company."""
    asked = [one for one in case.others if one.kind is LetterKind.WRONG_PARTY]
    if not asked or change.case.company_id is None:
        return
    await _keep(change, keyring, asked[-1].id, LetterDetails({}, change.case.company_id))


async def _keep(
    change: CaseChange, keyring: Keyring, letter_id: uuid.UUID, details: LetterDetails
) -> None:
    await keep_details(
        change.session, keyring, letter_id=letter_id, consumer_id=change.case.consumer_id,
        details=details,
    )  # fmt: skip


def _recipient(body: LetterIn) -> str:
    if body.kind == "closing_consumer":
        return "consumer"
    return "other" if getattr(body, "recipient", None) is not None else "company"


def _topic(change: CaseChange, body: LetterIn, said: dict[str, Any]) -> str:
    """What the letter is about, without any word of it: the same request twice is one letter."""
    about = json.dumps({**said, "closed": str(change.case.closed_at or "")}, sort_keys=True)
    return f"{body.kind}:{hashlib.sha256(about.encode()).hexdigest()[:32]}"


async def _way(change: CaseChange, body: LetterIn, recipient: str) -> str:
    to = getattr(body, "recipient", None)
    if recipient == "other":
        ways = ["email", "post"] if to is not None and to.email else ["post"]
    elif recipient == "consumer":
        row = (await change.session.execute(_PERSON, {"id": change.case.consumer_id})).one()
        ways = ["post"] if row.by_post or not row.email else ["email", "post"]
    else:
        rows = await change.session.execute(_WAYS, {"id": change.case.company_id})
        ways = sorted(set(rows.scalars()))
    wanted = body.channel or (ways[0] if ways else None)
    if wanted is None or wanted not in ways:
        raise InvalidInput("no such way to the recipient is open", field="channel")
    return wanted
