"""The public check: answers of an intake in, a finding with its words out. Stores nothing.

The input is a file of the shape of the sample cases: `consumer.country`, `company`, `party` and
`answers` in the vocabulary of data/facts.yaml; the consumer's own story is not read.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from functools import cache
from typing import Annotated, Any, Final

import yaml
from babel import Locale
from pydantic import BaseModel, ConfigDict, Field, field_validator

from app.domain.eligibility import limits
from app.domain.eligibility.facts import Answers
from app.domain.eligibility.finding import Act, Demand, Finding, Limit, Note
from app.domain.eligibility.lawbook import LawBook
from app.domain.eligibility.places import jurisdiction
from app.domain.eligibility.verdict import Earlier, find
from app.domain.playbook import BodyTerms
from app.law import airlines
from app.law.acts import acts_file
from app.law.airports import PackagedAirports
from app.law.answers import UNKNOWN, AnswersInvalid, checked
from app.law.body_terms import terms_of
from app.law.calendar import ANYWHERE, calendar_for, has_calendar
from app.law.questions import ask_of
from app.law.records import DATA, LawDataInvalid

# The gaps of sentences that hold a choice of the intake.
CHOICES: Final = frozenset({"incident", "reason", "problem", "outcome", "needs", "route"})

NO_AIRLINE: Final = (
    "is no airline we know; give its two characters like AY, or its name as on the ticket"
)
BODIES: Final = frozenset({"body", "first", "other"})


class ConsumerIn(BaseModel):
    model_config = ConfigDict(extra="ignore")

    country: Annotated[str, Field(max_length=100)] | None = None


class CompanyIn(BaseModel):
    model_config = ConfigDict(extra="ignore")

    legal_name: Annotated[str, Field(max_length=300)] | None = None
    brand: Annotated[str, Field(max_length=300)] | None = None
    country: Annotated[str, Field(max_length=100)] | None = None
    code: Annotated[str, Field(max_length=10)] | None = None  # of an airline: AY

    @property
    def name(self) -> str:
        """The legal name, else the brand; "" where none is known."""
        given = (self.legal_name or self.brand or "").strip()
        return "" if given.casefold() in airlines.UNNAMED else given

    @property
    def airline(self) -> airlines.AirlineRow | None:
        """The airline on our list, by its code or by one of its names."""
        for one in (self.code, self.legal_name, self.brand):
            if one and (row := airlines.by_code(one.strip()) or airlines.by_name(one)):
                return row
        return None

    def wrong(self) -> list[tuple[str, str]]:
        """What cannot stand in an intake about a flight: a code that no airline has."""
        if self.code is not None and airlines.by_code(self.code.strip()) is None:
            return [("company.code", NO_AIRLINE)]
        if not self.name or airlines.matter_with(self.name) is None:
            return []
        field = "legal_name" if self.legal_name else "brand"
        return [(f"company.{field}", NO_AIRLINE)]


class FactsIn(BaseModel):
    """One intake to check."""

    model_config = ConfigDict(extra="ignore")

    id: Annotated[str, Field(max_length=100)] | None = None
    consumer: ConsumerIn = ConsumerIn()
    company: CompanyIn = CompanyIn()
    answers: dict[str, Any]

    @field_validator("consumer", "company", mode="before")
    @classmethod
    def _nothing_said(cls, value: Any) -> Any:
        return {} if value is None else value

    @property
    def whole(self) -> dict[str, Any]:
        """The answers, with the two countries of the file where the answers leave them out."""
        beside = {"residence": self.consumer.country, "company_country": self.company.country}
        found = {key: value for key, value in beside.items() if value} | self.answers
        if (airline := self.answering) is not None:
            found["company_country"] = airline.country
        return found

    @property
    def is_flight(self) -> bool:
        return bool(law_book()["place_of"].get(str(self.answers.get("claim_kind"))) == "route")

    @property
    def answering(self) -> airlines.AirlineRow | None:
        """The airline on our list that says where the company sits, when nobody else does."""
        said = self.answers.get("company_country", self.company.country)
        return self.company.airline if said in (None, "", UNKNOWN) and self.is_flight else None


@cache
def law_book() -> LawBook:
    """Tables and airports; read and checked once per process."""
    tables = _load("routing.yaml")
    kinds = set(_load("facts.yaml")["kinds"])
    if unknown := (set(tables["event_of"]) ^ kinds):
        raise LawDataInvalid(f"routing.yaml: event_of: kinds differ from facts.yaml: {unknown}")
    for name in ("eu", "eea_beside_eu", "air_beside_eea", "ecc_beside_eu", "playbook_countries"):
        if any(not isinstance(country, str) for country in tables[name]):
            raise LawDataInvalid(f'routing.yaml: {name}: a country is a text; write "NO"')
    bodies = {b["id"]: b for b in _load("adr_bodies.yaml")["bodies"]}
    records = _load("claim_kinds.yaml")
    rules = {r["id"]: r for r in records["rules"]}
    limitations = {r["id"]: r for r in records["limitation"]}
    _names_exist(tables, bodies, set(rules))
    _limits_exist(tables["limitation"], set(rules) | set(limitations))
    acts = acts_file()
    agents = (record["id"] for record in _load("adr_bodies.yaml")["agent_rules"])
    known = {*rules, *bodies, *limitations, *agents}
    if missing := acts.records() - known:
        raise LawDataInvalid(f"acts.yaml: there is no record {', '.join(sorted(missing))}")
    return LawBook(
        tables=tables,
        airports=PackagedAirports(),
        body_terms={name: _terms(body) for name, body in bodies.items()},
        body_countries={i: _days_of(str(b["jurisdiction"])) for i, b in bodies.items()},
        calendar_of=calendar_for,
        acts=acts.made_acts(),
        demands=acts.made_demands(),
        cures=frozenset(acts.cures),
        unconfirmed=frozenset(
            name
            for name, record in (rules | limitations | bodies).items()
            if record.get("verified") is False
        ),
    )


@cache
def _load(name: str) -> Any:
    return yaml.load((DATA / name).read_text("utf-8"), Loader=yaml.CSafeLoader)


def _names_exist(tables: Mapping[str, Any], bodies: Mapping[str, Any], rules: set[str]) -> None:
    """Every body and rule that the routing names has its record with its source."""
    for group, named in tables["bodies"].items():
        for body in [named] if isinstance(named, str) else named.values():
            if body is not None and body not in bodies:
                raise LawDataInvalid(f"routing.yaml: bodies.{group}: there is no body {body}")
    for kind, places in tables["grounds"].items():
        for place, grounds in places.items():
            if missing := set(grounds) - rules:
                raise LawDataInvalid(f"routing.yaml: grounds.{kind}.{place}: no rule {missing}")


def _limits_exist(table: Mapping[str, Any], known: set[str]) -> None:
    """Every period of limitation names its record, and the record exists."""
    for part in ("", "_air", "_part"):
        if missing := set(table[f"years{part}"]) - set(table[f"rules{part}"]):
            raise LawDataInvalid(f"routing.yaml: limitation.rules{part}: nothing for {missing}")
    named = [*table["rules"].values(), *table["rules_air"].values(), *table["rules_part"].values()]
    for rule in table["rules_kind"].values():
        named += [rule] if isinstance(rule, str) else rule.values()
    if missing := set(named) - known:
        raise LawDataInvalid(f"routing.yaml: limitation: no rule {', '.join(sorted(missing))}")


def _terms(body: Mapping[str, Any]) -> BodyTerms:
    try:
        return terms_of(body)
    except ValueError as unknown:
        raise LawDataInvalid(f"adr_bodies.yaml: {body['id']}: {unknown}") from None


def _days_of(place: str) -> str:
    """Whose working days a body counts with: across borders (EU, INT) those of no country."""
    return place if has_calendar(place) else ANYWHERE


Approved = Callable[[str, str, date], frozenset[str]]  # claim kind, place, day -> ids


def _nothing_approved(_kind: str, _place: str, _on: date) -> frozenset[str]:
    return frozenset()


class Checker:
    """Checks a batch: earlier intakes count as open cases. `approved`: which records a reviewer let
    work for a claim although nobody read them in a source."""

    def __init__(self, today: date, approved: Approved = _nothing_approved) -> None:
        self.today = today
        self.approved = approved
        self.earlier: list[Earlier] = []

    def check(self, asked: FactsIn, place: str = "", *, confirmed: bool = False) -> Finding:
        """`place`: the jurisdiction of the case, where there is one; `confirmed`: a person has
        confirmed who the company is. Raises AnswersInvalid with every answer that cannot be."""
        wrong = asked.company.wrong() if asked.is_flight else []
        try:
            answers = checked(asked.whole, self.today)
        except AnswersInvalid as others:
            raise AnswersInvalid([*wrong, *others.wrong]) from None
        if wrong:
            raise AnswersInvalid(wrong)
        company, law = asked.company.name, law_book()
        where = jurisdiction(Answers(answers), law)[0] or place
        finding = find(
            answers, law, self.today, company=company, earlier=self.earlier, place=place,
            approved=self.approved(str(answers["claim_kind"]), where, self.today),
            carrier=_carrier(asked, confirmed),
        )  # fmt: skip
        read = Answers(answers)
        event = limits.event_of(read, law_book()["event_of"].get(read.kind))
        name = asked.id or f"case {len(self.earlier) + 1}"
        reference = read.text("reference")
        self.earlier.append(Earlier(name, company, reference, read.kind, event))
        return finding


def _carrier(asked: FactsIn, confirmed: bool) -> tuple[Note, ...]:
    """What is to be said of who flew; of a flight only."""
    company = asked.company
    name = company.name or (company.airline.name if company.airline else "")
    if not asked.is_flight:
        return ()
    if not name:
        return (Note("airline_unknown"),)
    if (airline := asked.answering) is not None:
        return (Note("airline_country", {"of": name, "country": airline.country}),)
    if company.airline or confirmed:
        return ()
    return (Note("airline_candidate", {"of": name}),)


def as_json(finding: Finding, language: str = "en") -> dict[str, Any]:
    """Sums in minor units, days as YYYY-MM-DD, notes as sentences with their code beside; in
    English where we have no words of the language."""
    language = language if language in languages() else "en"
    return {
        "claim_kind": finding.claim_kind,
        "jurisdiction": finding.jurisdiction,
        "eligible": finding.eligible,
        "legal_ground": list(finding.legal_ground),
        "items": [
            {"what": i.what, "amount_minor": i.amount_minor, "currency": i.currency}
            for i in finding.items
        ],
        "amount_minor": finding.amount_minor,
        "currency": finding.currency,
        "missing_evidence": [sentence(n, language) for n in finding.missing],
        "warnings": [sentence(n, language) for n in finding.warnings],
        "body": finding.body,
        "body_opens": _day(finding.body_opens),
        "body_closes": _day(finding.body_closes),
        "limitation_on": _day(finding.limitation_on),
        "limitation": _limit(finding.limitation),
        "acts": [_act(act, language) for act in finding.acts],
        "demand_primary": _demand(finding.demand_primary, language),
        "demand_alternative": _demand(finding.demand_alternative, language),
        "steps": [sentence(n, language, finding.claim_kind) for n in finding.reasons],
        "open_facts": list(finding.open_facts),
        "codes": {
            "steps": [n.code for n in finding.reasons],
            "warnings": [n.code for n in finding.warnings],
            "missing_evidence": [n.code for n in finding.missing],
        },
    }


def _limit(limit: Limit | None) -> dict[str, Any] | None:
    """Why the last day of the claim is that day."""
    if limit is None:
        return None
    return {
        "last_day": limit.last_day.isoformat(),
        "rule": limit.rule,
        "start_event": limit.fact,
        "start": limit.since.isoformat(),
        "period": str(limit.period),
        "to_year_end": limit.to_year_end,
        "confirmed": limit.confirmed,
    }


def _act(act: Act, language: str) -> dict[str, Any]:
    """`why` says besides why there is no last day, and what is to be confirmed."""
    code = f"act_{act.code}"
    why = [sentence(Note(f"{code}_why", act.params), language)]
    if act.last_day is None:
        why.append(sentence(Note("act_today"), language))
    if not act.confirmed:
        why.append(sentence(Note("act_to_be_confirmed"), language))
    return {
        "code": act.code,
        "act": sentence(Note(code, act.params), language),
        "why": " ".join(why),
        "last_day": _day(act.last_day),
        "rule": act.rule,
    }


def _demand(demand: Demand | None, language: str) -> dict[str, Any] | None:
    if demand is None:
        return None
    after = f"after_{demand.only_after}" if demand.only_after else None
    return {
        "kind": demand.kind,
        "words": sentence(Note(f"demand_{demand.kind}"), language),
        "amount_minor": demand.amount_minor,
        "currency": demand.currency,
        "only_after": sentence(Note(after), language) if after else None,
    }


def _day(day: date | None) -> str | None:
    return day.isoformat() if day else None


def sentence(note: Note, language: str, kind: str = "") -> str:
    """The words of a note, filled; `language`: one of `languages`. `kind` of the claim: a fact is
    asked for in the words of its kind."""
    said = {name: _said(name, value, language, kind) for name, value in note.params.items()}
    return _word(note.code, language).format_map(said)


def _word(code: str, language: str) -> str:
    return _words(language)[code]


def _said(name: str, value: str, language: str, kind: str) -> str:
    """An answer inside a sentence: choices in words, a fact as the question that asks for it."""
    if name == "fact":
        return ask_of(kind, value, language)
    if name in BODIES:
        return ", ".join(_body_names().get(one, one) for one in value.split(", "))
    if name == "country":
        return str(Locale(language).territories.get(value, value))
    if name not in CHOICES and value != UNKNOWN:
        return value
    known = _words("en")
    said = (
        _word(f"value_{one}", language) if f"value_{one}" in known else one.replace("_", " ")
        for one in value.split(", ")
    )
    return ", ".join(said)


@cache
def _body_names() -> dict[str, str]:
    return {str(body["id"]): str(body["name"]) for body in _load("adr_bodies.yaml")["bodies"]}


@cache
def languages() -> frozenset[str]:
    """Those that findings are written in."""
    return frozenset(path.stem for path in (DATA / "words").glob("*.yaml"))


@cache
def _words(language: str) -> dict[str, str]:
    path = DATA / "words" / f"{language}.yaml"
    return dict(yaml.load(path.read_text("utf-8"), Loader=yaml.CSafeLoader))
