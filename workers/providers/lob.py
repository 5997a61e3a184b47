"""Letters through Lob's print-and-mail API (docs/decisions/0030).

The effect's id is the Idempotency-Key, which Lob keeps for 24 hours, and stands in the metadata,
by which a letter is found after that.
"""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import pikepdf
import structlog
from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError

from app.clock import wall_now
from workers.postal import Postal, Undeliverable, check_address
from workers.providers.delivery import Delivery, Guard
from workers.providers.errors import KeyTaken, OutcomeUnknown, ProviderError, Refused, Transient
from workers.providers.post import PostJob, PostStatus
from workers.providers.us_letter import on_us_letter
from workers.providers.web import Answer, Web, retry_after

log = structlog.get_logger(__name__)
API = "https://api.lob.com/v1"
KEY_SECONDS = 24 * 3600.0
KEY_SAFETY_SECONDS = 3600.0  # we stop repeating an hour before they forget
NAME_CHARS_MAX = 40  # of `name`, and of `company` below it
EFFECT = "effect_id"  # the metadata key
CAUSE_CHARS_MAX = 200

_RETURNED = "Returned to Sender"
_DELIVERED = "Delivered"


class _Given(BaseModel):
    """What Lob says: the fields we read, of the types its API names; others are ignored."""

    model_config = ConfigDict(strict=True, frozen=True, extra="ignore")


class _Event(_Given):
    name: str
    time: datetime | None = None


class _Letter(_Given):
    id: Annotated[str, StringConstraints(pattern=r"^ltr_[0-9A-Za-z]{1,40}$")]
    metadata: dict[str, str]
    extra_service: str | None = None
    status: str | None = None
    tracking_number: str | None = None
    tracking_events: tuple[_Event, ...] | None = None
    deleted: bool = False


class _Letters(_Given):
    data: tuple[_Letter, ...]


class _Deleted(_Given):
    id: str
    deleted: bool


class _Error(_Given):
    message: str
    code: str = ""


class _ErrorAnswer(_Given):
    error: _Error


class LobPost:
    """`sender` is the id (adr_...) of the return address kept at Lob. `base_url` is another one
    only in tests."""

    name = "lob"
    key_window_seconds: float | None = KEY_SECONDS - KEY_SAFETY_SECONDS

    def __init__(
        self, api_key: str, sender: str, *, base_url: str = API, total_seconds: float | None = None
    ) -> None:
        limit = {} if total_seconds is None else {"total_seconds": total_seconds}
        self.web = Web(base_url, user=api_key, **limit)
        self.sender = sender

    async def send(self, job: PostJob, pdf: bytes, *, key: UUID, guard: Guard) -> Delivery:
        to = _address(job)
        service = _service(job, to)
        sheets = await _sheets(pdf)
        guard()
        answer = await self.web.order(
            "POST", "letters", data=_fields(job, to, service, self.sender, key),
            files={"file": ("letter.pdf", sheets, "application/pdf")},
            # httpx draws a boundary; a repetition has the same bytes.
            headers={
                "Idempotency-Key": str(key),
                "Content-Type": f"multipart/form-data; boundary=recourse-{key.hex}",
            },
        )  # fmt: skip
        if not 200 <= answer.status < 300:
            raise _refusal(answer)
        letter = _read(_Letter, answer)
        if letter is None:
            log.error("provider_answer_unreadable", provider=self.name, status=answer.status)
            raise OutcomeUnknown("it said yes in words we cannot read")
        if letter.metadata.get(EFFECT) != str(key) or letter.extra_service != service:
            log.error("provider_answer_of_another_order", provider=self.name, ref=letter.id)
            raise KeyTaken("it answered with another letter")
        return self._delivery(letter)

    async def recall(self, sent_key: UUID, *, key: UUID, guard: Guard) -> Delivery:
        letter = await self._found(sent_key)
        if letter is None:
            raise Refused("the printer does not know this letter")
        done = Delivery(self.name, f"recall:{key}", detail=f"recalled {letter.id}")
        if letter.deleted:
            return done
        guard()
        answer = await self.web.order("DELETE", f"letters/{letter.id}")
        if not 200 <= answer.status < 300:
            raise _refusal(answer)
        gone = _read(_Deleted, answer)
        if gone is None or gone.id != letter.id or not gone.deleted:
            log.error("provider_answer_unreadable", provider=self.name, status=answer.status)
            raise OutcomeUnknown("it said yes in words we cannot read")
        return done

    async def find(self, key: UUID) -> Delivery | None:
        letter = await self._found(key)
        return None if letter is None or letter.deleted else self._delivery(letter)

    async def status(self, ref: str) -> PostStatus:
        answer = await self.web.ask(f"letters/{ref}")
        if answer.status == 404:
            return PostStatus("gone")
        letter = _read(_Letter, answer) if answer.status == 200 else None
        if letter is None or letter.id != ref:
            raise _question_failed(answer)
        return _status(letter)

    async def _found(self, key: UUID) -> _Letter | None:
        answer = await self.web.ask("letters", params={f"metadata[{EFFECT}]": str(key), "limit": 2})
        found = _read(_Letters, answer) if answer.status == 200 else None
        if found is None:
            raise _question_failed(answer)
        mine = [one for one in found.data if one.metadata.get(EFFECT) == str(key)]
        if len(mine) > 1:
            log.error("provider_has_it_twice", provider=self.name, effect_id=str(key))
        return mine[0] if mine else None

    def _delivery(self, letter: _Letter) -> Delivery:
        return Delivery(
            self.name, letter.id, detail=letter.tracking_number or "", tracked=True,
            registered=letter.extra_service is not None,
        )  # fmt: skip


def _address(job: PostJob) -> Postal:
    try:
        to = check_address(job.address_lines, job.country)
    except Undeliverable as problem:
        raise Refused(f"address: {problem}") from None
    if not to.country:
        raise Refused("address: nobody said in which country it lies")
    return to


def _service(job: PostJob, to: Postal) -> str | None:
    """Certified is the registered letter inside the United States, registered the one abroad."""
    if not job.registered:
        return None
    return "certified" if to.country == "US" else "registered"


def _fields(
    job: PostJob, to: Postal, service: str | None, sender: str, key: UUID
) -> dict[str, str]:
    name, company = _two_rows(to.name)
    fields = {
        "description": job.reference,
        "to[name]": name,
        "to[company]": company,
        "to[address_line1]": to.street[0],
        "to[address_line2]": ", ".join(to.street[1:]),
        "to[address_city]": to.town,
        "to[address_state]": to.region,
        "to[address_zip]": to.code,
        "to[address_country]": to.country,
        "from": sender,
        "color": "false",
        "double_sided": "true",
        # A sheet of their own in front: our letter's window does not lie where theirs does.
        "address_placement": "insert_blank_page",
        "use_type": "operational",
        f"metadata[{EFFECT}]": str(key),
        "metadata[sha256]": job.sha256,
    }
    if service is not None:
        fields["extra_service"] = service
    return {name: value for name, value in fields.items() if value}


def _two_rows(name: str) -> tuple[str, str]:
    """Long names stand in two rows of 40 characters. Raises Refused."""
    if len(name) <= NAME_CHARS_MAX:
        return name, ""
    cut = name.rfind(" ", 0, NAME_CHARS_MAX + 1)
    first, second = name[:cut], name[cut + 1 :]
    if cut <= 0 or len(second) > NAME_CHARS_MAX:
        raise Refused(f"address: the name does not fit two rows of {NAME_CHARS_MAX} characters")
    return first, second


async def _sheets(pdf: bytes) -> bytes:
    try:
        return await asyncio.to_thread(on_us_letter, pdf)
    except pikepdf.PdfError:
        raise Refused("the letter is no PDF") from None


def _refusal(answer: Answer) -> ProviderError:
    """What a refused order means. Lob: an answer that is not 2xx made nothing, but after 5xx and
    timeouts nobody knows."""
    error = _read(_ErrorAnswer, answer)
    code = error.error.code if error else ""
    said = f"{answer.status} {code} {error.error.message if error else ''}".strip()
    said = said[:CAUSE_CHARS_MAX]
    if answer.status == 429:
        return Transient(said, retry_after=retry_after(answer.headers, wall_now()))
    if answer.status == 422 and code == "conflict":
        return KeyTaken(said)
    if answer.status in (400, 413, 422) and error is not None:
        return Refused(said)
    if answer.status in (401, 402, 403, 404, 405):
        # About our account or our address of theirs, not about this letter: people must mend it.
        log.error("provider_refuses_us", provider=LobPost.name, status=answer.status, code=code)
        return Transient(said)
    return OutcomeUnknown(said)  # 408, 409 (still at it), 5xx, and what no API of theirs says


def _question_failed(answer: Answer) -> Transient:
    return Transient(
        f"{answer.status} to a question", retry_after=retry_after(answer.headers, wall_now())
    )


def _read(model: type[Any], answer: Answer) -> Any:
    try:
        return model.model_validate_json(answer.body)
    except ValidationError:
        return None


def _status(letter: _Letter) -> PostStatus:
    events = letter.tracking_events or ()
    number = letter.tracking_number
    for name, state in ((_RETURNED, "returned"), (_DELIVERED, "delivered")):
        found = [event for event in events if event.name == name]
        if found:
            return PostStatus(state, found[-1].time, number)  # type: ignore[arg-type]  # two words of the five
    if letter.deleted or letter.status == "failed":
        return PostStatus("failed", None, number)
    if events:
        return PostStatus("moving", events[-1].time, number)
    return PostStatus("accepted", None, number)
