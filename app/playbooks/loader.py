"""Playbook files -> frozen Playbook values; bad data is refused at start, with its place.

Every file under `data/` is one version of one playbook (docs/decisions/0020-playbook-format.md).
Nothing of any one country stands in code: a country is a file.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated, Final, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from app.domain.case import LADDER, LetterKind, Stage
from app.domain.counting import PERIOD_MAX, Period
from app.domain.errors import InvalidInput
from app.domain.playbook import Body, LadderStep, Playbook
from app.law.calendar import has_calendar
from app.law.regimes import regime, regimes

DATA: Final = Path(__file__).with_name("data")
ANY_KIND: Final = "*"
ANYWHERE: Final = "ANY"
FILE_BYTES_MAX: Final = 256_000  # a playbook is pages, not megabytes

# Shortest waits the house allows (design, "The ladder"): nobody answers a letter in a day.
WAIT_DAYS_MIN: Final = {
    Stage.CONTACT: 7,
    Stage.REMINDER: 7,
    Stage.FORMAL_NOTICE: 8,
    Stage.COMPLAINT: 14,
}
_DAYS_PER: Final = {"days": 1, "working_days": 1, "weeks": 7, "months": 28}

Text = Annotated[str, Field(min_length=1, max_length=300)]
Language = Annotated[str, Field(pattern=r"^[a-z]{2}(-[A-Z]{2})?$")]
RuleId = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_.]{1,80}$")]


class PlaybookInvalid(InvalidInput):
    """A playbook file cannot be used; the message names the file and the place in it."""

    code = "playbook_invalid"


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class PeriodIn(_Model):
    value: Annotated[int, Field(gt=0, strict=True)]
    unit: Literal["days", "working_days", "weeks", "months"]

    @model_validator(mode="after")
    def _bounded(self) -> PeriodIn:
        if self.value > PERIOD_MAX[self.unit]:
            raise ValueError(f"longer than {PERIOD_MAX[self.unit]} {self.unit}")
        return self

    def domain(self) -> Period:
        return Period(self.value, self.unit)


class StepIn(_Model):
    stage: Stage
    wait: PeriodIn
    rule: RuleId
    whose: Literal["law", "ours"]
    letter: LetterKind
    channels: Annotated[list[Literal["email", "post"]], Field(min_length=1, max_length=2)]
    approval: Literal["rule", "handler", "senior", "senior_above_line"]
    clock_starts: Literal["delivered", "handed_over"]

    @model_validator(mode="after")
    def _above_the_floor(self) -> StepIn:
        if self.stage not in LADDER:
            raise ValueError(f"{self.stage} is not a stage of the ladder")
        floor = WAIT_DAYS_MIN[self.stage]
        if self.wait.value * _DAYS_PER[self.wait.unit] < floor:
            raise ValueError(f"the wait at {self.stage} is at least {floor} days")
        if self.stage is Stage.COMPLAINT and self.approval != "senior":
            raise ValueError("a complaint is always approved by a senior")
        if len(set(self.channels)) != len(self.channels):
            raise ValueError("a channel is named twice")
        return self

    def domain(self) -> LadderStep:
        return LadderStep(
            stage=self.stage,
            wait=self.wait.domain(),
            rule=self.rule,
            whose=self.whose,
            letter=self.letter,
            channels=tuple(self.channels),
            approval=self.approval,
            clock_starts=self.clock_starts,
        )


class BodyIn(_Model):
    id: RuleId
    name: Text
    wait: PeriodIn
    may_agency_file: bool
    address: Annotated[list[Text], Field(max_length=8)] = []
    email: Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+$", max_length=254)] | None = None
    languages: Annotated[list[Language], Field(min_length=1)]
    min_amount_minor: Annotated[int, Field(ge=0, strict=True)] = 0
    needs_complaint_days: Annotated[int, Field(ge=0, le=3_660, strict=True)] = 0

    @model_validator(mode="after")
    def _reachable(self) -> BodyIn:
        if self.may_agency_file and not self.address and self.email is None:
            raise ValueError("a body we file with ourselves has an address or e-mail")
        return self

    def domain(self) -> Body:
        return Body(
            id=self.id,
            name=self.name,
            wait=self.wait.domain(),
            may_agency_file=self.may_agency_file,
            address=tuple(self.address),
            email=self.email,
            languages=tuple(self.languages),
            min_amount_minor=self.min_amount_minor,
            needs_complaint_days=self.needs_complaint_days,
        )


class PlaybookIn(_Model):
    format: Literal[1]
    id: RuleId
    version: Annotated[int, Field(gt=0, strict=True)]
    jurisdiction: Annotated[str, Field(pattern=r"^(ANY|[A-Z]{2}(-[A-Z]{2,3})?)$")]
    claim_kinds: Annotated[list[Text], Field(min_length=1)]
    effective_from: date
    effective_to: date | None
    owner: Text
    last_reviewed: date
    zone: str
    regime: str
    languages: Annotated[list[Language], Field(min_length=1)]
    draft: bool
    ladder: list[StepIn]
    bodies: Annotated[list[BodyIn], Field(max_length=12)]
    sources: list[tuple[Text, Text]]

    @field_validator("zone")
    @classmethod
    def _zone_known(cls, zone: str) -> str:
        try:
            ZoneInfo(zone)
        except (ZoneInfoNotFoundError, ValueError) as unknown:
            raise ValueError(f"unknown time zone {zone}") from unknown
        return zone

    @field_validator("regime")
    @classmethod
    def _regime_known(cls, name: str) -> str:
        if name not in regimes():
            raise ValueError(f"unknown period regime; known: {', '.join(sorted(regimes()))}")
        return name

    @model_validator(mode="after")
    def _whole(self) -> PlaybookIn:
        if tuple(s.stage for s in self.ladder) != LADDER:
            raise ValueError(f"the ladder is exactly {', '.join(LADDER)}, in this order")
        if len({b.id for b in self.bodies}) != len(self.bodies):
            raise ValueError("a body is named twice")
        if self.effective_to is not None and self.effective_to <= self.effective_from:
            raise ValueError("effective_to lies after effective_from")
        if not has_calendar(self.jurisdiction):
            raise ValueError(f"no calendar of working days for {self.jurisdiction}")
        return self

    def domain(self) -> Playbook:
        return Playbook(
            id=self.id,
            version=self.version,
            jurisdiction=self.jurisdiction,
            claim_kinds=tuple(self.claim_kinds),
            effective_from=self.effective_from,
            effective_to=self.effective_to,
            owner=self.owner,
            last_reviewed=self.last_reviewed,
            zone=self.zone,
            regime=regime(self.regime),
            languages=tuple(self.languages),
            ladder=tuple(s.domain() for s in self.ladder),
            bodies=tuple(b.domain() for b in self.bodies),
            sources=tuple(self.sources),
            draft=self.draft,
        )


def parse(text: str, place: str) -> Playbook:
    """One file's text. PlaybookInvalid names `place` and the path inside the file."""
    if len(text.encode()) > FILE_BYTES_MAX:
        raise PlaybookInvalid(f"{place}: larger than {FILE_BYTES_MAX} bytes")
    try:
        return PlaybookIn.model_validate(yaml.load(text, Loader=yaml.CSafeLoader)).domain()
    except yaml.YAMLError as broken:
        raise PlaybookInvalid(f"{place}: not YAML: {broken}") from broken
    except ValidationError as invalid:
        first = invalid.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the whole file"
        raise PlaybookInvalid(f"{place}: {where}: {first['msg']}") from invalid


def load(folder: Path = DATA) -> dict[str, Playbook]:
    """Every playbook of a folder by its key `id@version`; two files of one key are refused."""
    books: dict[str, Playbook] = {}
    for path in sorted(folder.glob("*.yaml")):
        book = parse(path.read_text("utf-8"), path.name)
        if book.key in books:
            raise PlaybookInvalid(f"{path.name}: {book.key} stands in another file too")
        books[book.key] = book
    if not any(b.jurisdiction == ANYWHERE and ANY_KIND in b.claim_kinds for b in books.values()):
        raise PlaybookInvalid(f"{folder.name}: no playbook for whatever has none of its own")
    return books
