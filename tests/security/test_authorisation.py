"""The authorisation table: complete, enforced for every operation and kind of caller."""

from __future__ import annotations

import re
import shutil
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import create_engine, select

from app.authorisation.principal import ANONYMOUS, Principal
from app.authorisation.scope import case_scope
from app.authorisation.table import (
    ROWS,
    SCOPES,
    Row,
    StepUpRequired,
    TableInvalid,
    check,
    compare,
    load_table,
)
from app.clock import wall_now
from app.deps import Router
from app.domain.errors import Forbidden, NotAuthenticated, NotFound
from app.domain.roles import STAFF_ROLES
from app.main import create_app
from app.openapi import operations
from app.settings import Settings
from app.tables.cases import CaseRow
from tests.support.api import People, Person

TABLE = load_table()
ROW = Row("x", frozenset({"handler"}), "case", False, 403, None)
STAFF_ID = UUID(int=7)


def staff(*roles: str) -> Principal:
    return Principal("staff", STAFF_ID, roles=frozenset(roles))


def test_every_operation_of_the_app_has_a_row_and_every_row_an_operation(
    settings: Settings,
) -> None:
    routes = {str(r.operation_id) for r in operations(create_app(settings))}
    assert routes == set(TABLE)


def test_the_start_fails_for_a_route_without_a_row_and_a_row_without_a_route() -> None:
    with pytest.raises(TableInvalid, match="sneaky"):
        compare(TABLE, [*TABLE, "sneaky"])
    with pytest.raises(TableInvalid, match="health"):
        compare(TABLE, [o for o in TABLE if o != "health"])
    with pytest.raises(TableInvalid, match="twice"):
        compare(TABLE, [*TABLE, "health"])


def test_a_route_that_is_not_ours_is_refused() -> None:
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    app.get("/plain")(lambda: None)
    with pytest.raises(TypeError, match="/plain"):
        operations(app)
    ours = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    router = Router()
    router.get("/ours", operation_id="ours")(lambda: None)
    ours.include_router(router)
    assert [r.operation_id for r in operations(ours)] == ["ours"]


@pytest.mark.parametrize(
    "row",
    [
        "a: {allow: [nobody], owns: all}",
        "a: {allow: [], owns: all}",
        "a: {owns: all}",
        "a: {allow: [handler]}",
        "a: {allow: [handler], owns: mine}",
        "a: {allow: [handler], owns: all, denied: 200}",
        "a: {allow: [handler], owns: all, extra: 1}",
        "a: {allow: [consumer], owns: self, step_up: true}",
        "a: []",
        "health: {allow: [anonymous], owns: none}",
    ],
)
def test_a_table_with_a_mistake_is_refused(tmp_path: Path, row: str) -> None:
    shutil.copy(ROWS / "system.yaml", tmp_path / "system.yaml")
    (tmp_path / "z.yaml").write_text(row)
    with pytest.raises(TableInvalid):
        load_table(tmp_path)


@pytest.mark.parametrize(
    ("principal", "row", "refusal"),
    [
        (ANONYMOUS, ROW, NotAuthenticated),
        (ANONYMOUS, replace(ROW, denied=404), NotAuthenticated),
        (staff("finance"), ROW, Forbidden),
        (staff(), ROW, Forbidden),
        (staff("finance"), replace(ROW, denied=404), NotFound),
        (Principal("consumer", STAFF_ID), ROW, Forbidden),
        (Principal("consumer", STAFF_ID, roles=frozenset({"handler"})), ROW, Forbidden),
        (Principal("app", STAFF_ID, scopes=frozenset({"cases.read"})), ROW, Forbidden),
        (staff("handler"), replace(ROW, step_up=True), StepUpRequired),
    ],
)
def test_who_is_refused_and_how(principal: Principal, row: Row, refusal: type[Exception]) -> None:
    with pytest.raises(refusal):
        check(row, principal, now=wall_now())


def test_the_second_factor_counts_for_five_minutes() -> None:
    row, now = replace(ROW, step_up=True), wall_now()
    fresh = replace(staff("handler"), stepped_up_at=now - timedelta(seconds=299))
    check(row, fresh, now=now)
    with pytest.raises(StepUpRequired):
        check(row, replace(fresh, stepped_up_at=now - timedelta(seconds=301)), now=now)


def test_every_call_that_is_not_open_refuses_strangers_before_it_reads_the_body() -> None:
    assert {o for o, row in TABLE.items() if row.public} == {
        "health",
        "ready",
        "version",
        "api_document",
        "answer_letter",
        "show_answer_form",
        "api_reference",
        "api_reference_asset",
        "staff_login",
        "show_invite",
        "accept_invite",
        "request_login_link",
        "use_login_link",
        "receive_mail",
        "open_document",
    } | {o for o in TABLE if o.startswith("public_")}


async def test_each_operation_answers_each_kind_of_caller_as_its_row_says(
    people: People, app: FastAPI, client: httpx.AsyncClient
) -> None:
    """Every operation x every kind of caller, with the ids of nobody and an empty body.

    Who may pass gets another answer than the table's refusals (404, 422, 428 ...), who may not gets
    exactly the table's; nobody gets a 5xx but a declared 503.
    """
    callers = await every_kind_of_caller(people)
    wrong, checked = [], 0
    for route in operations(app):
        row = TABLE[str(route.operation_id)]
        if row.public or row.operation in ENDS_THE_CALLER:
            continue
        path = re.sub(r"{[^}]+}", str(uuid4()), str(route.path))
        for principal, person in callers:
            headers = person.auth if person else {}
            for method in route.methods or ():
                answer = await client.request(method, path, headers=headers)
                checked += 1
                if not as_the_table_says(row, principal, answer):
                    wrong.append(
                        f"{method} {row.operation} as {sorted(principal.grants)}:"
                        f" {answer.status_code} {answer.text[:120]}"
                    )
    assert not wrong, "\n".join(wrong)
    assert checked > 100


async def every_kind_of_caller(people: People) -> list[tuple[Principal, Person | None]]:
    callers: list[tuple[Principal, Person | None]] = [(ANONYMOUS, None)]
    for role in STAFF_ROLES:
        colleague = await people.staff(role)
        callers.append((Principal("staff", colleague.id, roles=frozenset({role})), colleague))
    consumer = await people.consumer()
    callers.append((Principal("consumer", consumer.id), consumer))
    for scope in SCOPES:
        key = await people.app(scope)
        callers.append((Principal("app", key.id, scopes=frozenset({scope})), key))
    return callers


def as_the_table_says(row: Row, principal: Principal, answer: httpx.Response) -> bool:
    refusals = {"not_authenticated", "forbidden", "step_up_required"}
    code = "" if answer.is_success else answer.json()["code"]
    if not row.allow.isdisjoint(principal.grants):
        return code not in refusals and (answer.status_code < 500 or answer.status_code == 503)
    expected = 401 if principal.kind == "anonymous" else row.denied
    return answer.status_code == expected and code in refusals | {"not_found"}


# Signing out would end the caller for the rest of the table; new codes would void what others use.
ENDS_THE_CALLER = {"staff_logout", "consumer_logout"}


def where(principal: Principal) -> str:
    query = select(CaseRow.id).where(case_scope(principal))
    return str(
        query.compile(
            dialect=create_engine("postgresql+asyncpg://").dialect,
            compile_kwargs={"literal_binds": True},
        )
    ).partition("WHERE ")[2]


def test_whose_cases_stand_in_the_sql() -> None:
    me = f"'{STAFF_ID}'"
    consumer = where(Principal("consumer", STAFF_ID))
    assert f"cases.consumer_id = {me}" in consumer
    assert f"claimants.consumer_id = {me}" in consumer
    assert where(staff("handler")) == f"cases.handler_id = {me} OR cases.handler_id IS NULL"
    for role in ("senior", "legal", "auditor", "finance", "finance_approver"):
        assert where(staff(role)) == "true", role
    for nobody in (staff("admin"), staff(), ANONYMOUS):
        assert where(nobody) == "false"
    assert where(staff("admin", "handler")) == where(staff("handler"))
    assert where(Principal("app", STAFF_ID)) == f"cases.source = 'app:{STAFF_ID}'"
