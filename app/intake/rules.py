"""What a schema alone cannot refuse: who may say what, dates against today, the register."""

from __future__ import annotations

from datetime import date

from app.authorisation import Principal
from app.cases.access import is_staff
from app.fields import FieldError, FieldsRefused
from app.intake.opening import Opening
from app.intake.schemas import CaseIn, CompanyIn, ItemIn, PersonIn


def check_people(body: CaseIn, principal: Principal) -> None:
    """A consumer files as themself; everybody else says for whom. Nobody stands there twice."""
    errors = []
    if principal.kind == "consumer" and body.consumer is not None:
        errors.append(
            FieldError("/consumer", "you file as yourself: leave this out", "consumer_not_expected")
        )
    if principal.kind != "consumer" and body.consumer is None:
        errors.append(FieldError("/consumer", "say whose claim it is", "consumer_missing"))
    seen = {body.consumer.email} if body.consumer and body.consumer.email else set()
    for at, person in enumerate(body.party):
        if person.email in seen:
            errors.append(
                FieldError(
                    f"/party/{at}/email", "this person is on the case already", "person_twice"
                )
            )
        if person.email is not None:
            seen.add(person.email)
    if errors:
        raise FieldsRefused(*errors)


def check_facts(body: CaseIn, opening: Opening, principal: Principal, today: date) -> None:
    """Dates that cannot be, companies that do not exist, fees that are not the filer's to set.
    `today`: the day at the place of the claim."""
    errors = check_dates(body.claim.first_written_complaint, today)
    errors += check_items(body.claim.items, principal)
    people: list[tuple[str, PersonIn]] = [(f"/party/{i}", p) for i, p in enumerate(body.party)]
    if body.consumer is not None:
        people.append(("/consumer", body.consumer))
    errors += [
        FieldError(f"{at}/birth_date", "nobody is born in the future", "date_in_future")
        for at, p in people
        if p.birth_date is not None and p.birth_date >= today
    ]
    errors += check_company(body.claim.company, opening)
    me = opening.me
    errors += [
        FieldError(f"/party/{i}/email", "this person is on the case already", "person_twice")
        for i, p in enumerate(body.party)
        if me is not None and p.email is not None and p.email == me["email"]
    ]
    if errors:
        raise FieldsRefused(*errors)


def check_dates(first_written_complaint: date | None, today: date) -> list[FieldError]:
    if first_written_complaint is not None and first_written_complaint > today:
        return [
            FieldError(
                "/claim/first_written_complaint",
                "a complaint cannot have been made in the future",
                "date_in_future",
            )
        ]
    return []


def check_items(items: list[ItemIn], principal: Principal) -> list[FieldError]:
    """Whether a line earns a fee is decided by its kind, or by a handler."""
    if is_staff(principal):
        return []
    return [
        FieldError(
            f"/claim/items/{at}/earns_fee",
            "the kind of the line decides this",
            "fee_not_yours_to_set",
        )
        for at, item in enumerate(items)
        if item.earns_fee is not None and item.earns_fee != item.fee_by_kind
    ]


def check_company(company: CompanyIn | None, opening: Opening) -> list[FieldError]:
    if company is None or company.company_id is None or opening.company is not None:
        return []
    return [
        FieldError(
            "/claim/company/company_id",
            "there is no such company; name it instead",
            "company_unknown",
        )
    ]
