"""The shape of a playbook file (docs/decisions/0020-playbook-format.md); cross-references to the
records of the law files are checked here, so that an error knows its line."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Final, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from app.domain.case import LADDER, Stage
from app.domain.counting import PERIOD_MAX, Period
from app.domain.waits import WAIT_DAYS_MIN, days_of
from app.law import reference
from app.law.regimes import regimes

ANY_KIND: Final = "*"
ANYWHERE: Final = "ANY"
UNION: Final = "EU"  # the places of the Union that have no playbook of their own


def _known(what: str, ids: object) -> AfterValidator:
    """`ids` returns the ids there are."""

    def check(value: str) -> str:
        if value not in ids():  # type: ignore[operator]  # a function of reference
            raise ValueError(f"there is no {what} {value}")
        return value

    return AfterValidator(check)


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as unknown:
        raise ValueError(f"unknown time zone {name}") from unknown
    return name


def _regime(name: str) -> str:
    if name not in regimes():
        raise ValueError(f"unknown period regime; known: {', '.join(sorted(regimes()))}")
    return name


def _kind(value: str) -> str:
    if value != ANY_KIND and value not in reference.claim_kinds():
        raise ValueError(f"there is no claim kind {value}")
    return value


Text = Annotated[str, Field(min_length=1, max_length=300)]
Language = Annotated[str, Field(pattern=r"^[a-z]{2}(-[A-Z]{2})?$")]
RuleId = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_.]{1,80}$")]
Key = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_.]{1,80}@[1-9][0-9]{0,5}$")]
Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
Minor = Annotated[int, Field(ge=0, le=10**12, strict=True)]
Kind = Annotated[str, AfterValidator(_kind)]
BodyId = Annotated[str, _known("body", reference.bodies)]
LawRule = Annotated[str, _known("rule", reference.claim_rules)]
LimitationId = Annotated[str, _known("limitation", reference.limitations)]
LetterId = Annotated[str, _known("letter", reference.notices)]
LicenceId = Annotated[str, _known("licence rule", reference.licences)]
Channels = Annotated[list[Literal["email", "post", "portal"]], Field(min_length=1, max_length=3)]
Level = Literal["typed", "drawn", "qualified", "wet_ink"]
Who = Literal["consumer", "agency", "lawyer", "body", "company"]


class Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class PeriodIn(Model):
    value: Annotated[int, Field(gt=0, strict=True)]
    unit: Literal["days", "working_days", "weeks", "months", "years"]

    @model_validator(mode="after")
    def _bounded(self) -> PeriodIn:
        if self.value > PERIOD_MAX[self.unit]:
            raise ValueError(f"longer than {PERIOD_MAX[self.unit]} {self.unit}")
        return self

    def domain(self) -> Period:
        return Period(self.value, self.unit)


class WindowIn(Model):
    """When a step may be taken, counted from a fact of the case."""

    since: Literal[
        "first_written_complaint", "first_contact", "refusal", "payment_due", "delivered"
    ]
    rule: RuleId
    opens: PeriodIn | None = None
    closes: PeriodIn | None = None

    @model_validator(mode="after")
    def _says_something(self) -> WindowIn:
        if self.opens is None and self.closes is None:
            raise ValueError("a window opens or closes")
        return self


class StepIn(Model):
    """A step of the ladder. In a family file only what differs from the base."""

    stage: Literal["contact", "reminder", "formal_notice", "complaint"]
    letter_id: LetterId | None = None
    wait: PeriodIn | None = None
    rule: RuleId | None = None
    whose: Literal["law", "ours"] | None = None
    channels: Channels | None = None
    approval: Literal["rule", "handler", "senior", "senior_above_line"] | None = None
    clock_starts: Literal["delivered", "handed_over"] | None = None
    window: WindowIn | None = None

    @model_validator(mode="after")
    def _sound(self) -> StepIn:
        if self.letter_id and reference.notices()[self.letter_id]["stage"] != self.stage:
            raise ValueError(f"{self.letter_id} is not a letter of the stage {self.stage}")
        floor = WAIT_DAYS_MIN[Stage(self.stage)]
        if self.wait is not None and days_of(self.wait.domain()) < floor:
            raise ValueError(f"the wait at {self.stage} is at least {floor} days")
        if Stage(self.stage) is Stage.COMPLAINT and self.approval not in (None, "senior"):
            raise ValueError("a complaint is always approved by a senior")
        if self.channels and len(set(self.channels)) != len(self.channels):
            raise ValueError("a channel is named twice")
        return self


class PaymentIn(Model):
    """The statutory period to pay: read from `debtor_pays_within` of the rule. `part` names one of
    several; `wait` is given only where the record has no figures."""

    rule: LawRule
    part: Annotated[str, Field(pattern=r"^[A-Za-z0-9_]{1,40}$")] | None = None
    items: Annotated[list[RuleId], Field(max_length=12)] = []
    wait: PeriodIn | None = None


class SumIn(Model):
    minor: Minor
    currency: Currency


class BodyIn(Model):
    """A body of the chain by its id; whatever its record says is read there. The rest is given
    only where the record lacks it."""

    id: BodyId
    name: Text | None = None
    wait: PeriodIn | None = None
    may_agency_file: Literal[False] | None = None
    address: Annotated[list[Text], Field(max_length=8)] = []
    email: Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+$", max_length=254)] | None = None
    languages: Annotated[list[Language], Field(min_length=1)] | None = None
    max_amount: SumIn | None = None
    mandate_level: Level = "typed"


class DeclarationIn(Model):
    """Must have been declared before money may be demanded; `shown_by` is the answer with its
    day."""

    id: RuleId
    claim_kinds: Annotated[list[Kind], Field(min_length=1)]
    by: Literal["consumer", "agency"]
    form: Literal["any", "text", "registered"]
    shown_by: RuleId
    rule: LawRule

    @model_validator(mode="after")
    def _shown(self) -> DeclarationIn:
        for kind in self.claim_kinds:
            if kind == ANY_KIND or self.shown_by not in reference.facts_of(kind):
                raise ValueError(f"shown_by: {kind} has no fact {self.shown_by}")
        return self


class ActIn(Model):
    id: RuleId
    effect: Literal["interrupts", "suspends"]
    by: Annotated[list[Who], Field(min_length=1)]


class LimitationIn(Model):
    """A row of the limitation table, by claim kind (`*`: all others), and the acts that move it."""

    rule: LimitationId
    acts: Annotated[list[ActIn], Field(max_length=12)] | None = None


class SourceIn(Model):
    rule: RuleId
    source: Text
    verified: bool


class ReviewIn(Model):
    """When, with which words and over what `reviewed_by` approved; written by `playbook review`."""

    on: date
    note: Text
    covers: Annotated[
        dict[RuleId, Annotated[str, Field(pattern=r"^[0-9a-f]{16}$")]],
        Field(min_length=1, max_length=200),
    ]


class FileIn(Model):
    """One playbook file. A base says everything; a family file extends it and says what differs."""

    format: Literal[2]
    id: RuleId
    version: Annotated[int, Field(gt=0, strict=True)]
    extends: Key | None = None
    family: RuleId = "any"
    jurisdiction: Annotated[str, Field(pattern=r"^(ANY|[A-Z]{2}(-[A-Z]{2,3})?)$")] | None = None
    claim_kinds: Annotated[list[Kind], Field(min_length=1)]
    effective_from: date | None
    effective_to: date | None
    draft: bool = False
    owner: Text
    last_reviewed: date
    reviewed_by: Text | None
    review: ReviewIn | None = None
    zone: Annotated[str, AfterValidator(_zone)] | None = None
    regime: Annotated[str, AfterValidator(_regime)] | None = None
    languages: Annotated[list[Language], Field(min_length=1)] | None = None
    ladder: Annotated[list[StepIn], Field(max_length=4)] = []
    payment: dict[Kind, Annotated[list[PaymentIn], Field(min_length=1, max_length=4)]] = {}
    bodies: Annotated[list[BodyIn], Field(max_length=12)] | None = None
    bodies_by_case: bool = False
    declarations: Annotated[list[DeclarationIn], Field(max_length=20)] = []
    limitation: dict[Kind, LimitationIn] = {}
    mandate_level: Level | None = None
    licence: LicenceId | None = None
    grounds: Annotated[list[LawRule], Field(max_length=20)] = []
    stop_below: dict[Currency, Minor] | None = None
    sources: Annotated[list[SourceIn], Field(max_length=60)] = []

    @model_validator(mode="after")
    def _whole(self) -> FileIn:
        if self.effective_from is None and not self.draft:
            raise ValueError("only a draft has no first day (effective_from)")
        if self.effective_from and self.effective_to and self.effective_to <= self.effective_from:
            raise ValueError("effective_to lies after effective_from")
        if (self.reviewed_by is None) != (self.review is None):
            raise ValueError("reviewed_by and review stand together: recourse playbook review")
        stages = tuple(s.stage for s in self.ladder)
        if len(set(stages)) != len(stages):
            raise ValueError("a stage is named twice")
        ids = [b.id for b in self.bodies or ()]
        if len(set(ids)) != len(ids):
            raise ValueError("a body is named twice")
        if self.extends is None:
            self._complete(stages)
        else:
            self._part()
        return self

    def _part(self) -> None:
        """A family file stands where its base does, or in a part of it (`US-CA` on `US`)."""
        if self.regime or (self.jurisdiction is None) != (self.zone is None):
            raise ValueError(
                "regime stands in the base it extends; jurisdiction and zone too, unless both name"
                " a part of the base's place"
            )
        if self.jurisdiction and ANY_KIND in self.claim_kinds:
            raise ValueError("a part of a country has playbooks for named claim kinds only")

    def _complete(self, stages: tuple[str, ...]) -> None:
        if stages != tuple(LADDER):
            raise ValueError(f"the ladder is exactly {', '.join(LADDER)}, in this order")
        for field in ("jurisdiction", "zone", "regime", "languages", "bodies", "stop_below",
                      "mandate_level"):  # fmt: skip
            if getattr(self, field) is None:
                raise ValueError(f"{field} is missing: a playbook that extends none says all")


def file_schema() -> dict[str, Any]:
    """The JSON Schema of a playbook file; docs/playbook.schema.json is its printed form."""
    made = FileIn.model_json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **made, "title": "Playbook"}
