"""Bad input to every operation that takes any: a problem document, and nothing is changed.

The good request is the operation's sample call (tests/support/operations.yaml), the ways to spoil
it are the catalogue's (tests/support/spoiled.py). One world, all calls rehearsed; each refusal must
have its stable code, must not repeat what was sent and must not have begun to write.
"""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from app.db import Database
from app.etag import etag
from app.ids import new_id
from app.settings import Settings
from tests.support import spoiled
from tests.support.estate import Builder, World, filled, samples
from tests.support.http import Caller
from tests.support.prepared import Prepared, document_of, rehearsing
from tests.support.rehearsal import Rehearsal, fingerprint

JSON = {"Content-Type": "application/json"}
CODE = re.compile(r"[a-z][a-z0-9_]{2,60}")
# Secrets are compared, never kept: any text may be tried, and fails.
SECRETS = {"password", "token", "code", "recovery_code"}
PUBLIC = {
    "request_login_link", "use_login_link", "staff_login", "show_invite", "accept_invite",
    "public_check", "public_next_question",
}  # fmt: skip


@dataclass(frozen=True)
class Operation:
    """A good call: who makes it, where, with what."""

    id: str
    method: str
    path: str
    template: str
    caller: Caller | None
    staff: bool
    body: Any
    takes: frozenset[str]  # names of its query and header parameters


@dataclass
class Office:
    client: httpx.AsyncClient
    database: Rehearsal
    world: World
    operations: list[Operation]
    asked: int = 0
    faults: list[str] = field(default_factory=list)

    async def send(
        self,
        op: Operation,
        content: bytes | None,
        *,
        path: str | None = None,
        query: Any = None,
        drop: str = "",
        **headers: str,
    ) -> httpx.Response:
        """The good call with one thing replaced."""
        sample = samples()[op.id]
        ids = self.world.ids(self.world.anna)
        sent = dict(op.caller.auth) if op.caller else {}
        sent["If-Match"] = self.world.if_match(op.template, ids)
        if content is not None:
            sent |= JSON
        elif "raw" in sample:
            content = filled(sample["raw"], ids).encode()
            sent["Content-Type"] = sample["type"]
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        sent.pop(drop, None)
        self.database.wrote = 0
        self.asked += 1
        return await self.client.request(
            op.method,
            path or op.path,
            content=content,
            headers=sent,
            params=query or sample.get("query"),
        )

    def refused(self, op: Operation, what: str, answer: httpx.Response, *statuses: int) -> None:
        """Notes whatever is wrong with this refusal."""
        fault = self._fault(answer, statuses)
        if fault:
            self.faults.append(
                f"{op.id}: {what}: {fault}: {answer.status_code} {answer.text[:200]}"
            )

    def _fault(self, answer: httpx.Response, statuses: tuple[int, ...]) -> str:
        if answer.status_code not in statuses:
            return f"expected {statuses}"
        if answer.headers.get("content-type") != "application/problem+json":
            return "no problem document"
        problem = answer.json()
        if not CODE.fullmatch(problem["code"]) or problem["status"] != answer.status_code:
            return "no stable code"
        if problem["code"] == "validation_failed" and not problem["errors"]:
            return "it points at no field"
        if self.database.wrote:
            return "it would have written"
        return ""

    def check(self, at_least: int) -> None:
        assert not self.faults, f"{len(self.faults)} of {self.asked}:\n" + "\n".join(self.faults)
        assert self.asked >= at_least, self.asked
        print(f"{self.asked} spoiled calls")


@pytest.fixture
async def office(prepared: Prepared) -> AsyncIterator[Office]:
    """The world before and after: whatever the test did, it is the same."""
    async with rehearsing(prepared.settings) as desk:
        before = await fingerprint(desk.database)
        world = prepared.world
        yield Office(desk.client, desk.database, world, listed(desk.app, world))
        assert await fingerprint(desk.database) == before, "something was left behind"


def listed(app: FastAPI, world: World) -> list[Operation]:
    """Every operation, with somebody who may call it on what is Anna's."""
    found = []
    ids = world.ids(world.anna)
    callers = {
        "anonymous": None,
        "consumer": world.anna.consumer,
        "app:cases.write": world.anna.app,
        "app:metrics.read": None,
        **world.staff,
    }
    wishes = ("senior", "finance", "finance_approver", "admin", "legal", "consumer", "anonymous")
    for template, methods in document_of(app)["paths"].items():
        for method, operation in methods.items():
            who = next(w for w in wishes if w in operation["x-allowed"])
            body = samples()[operation["operationId"]].get("body")
            found.append(
                Operation(
                    operation["operationId"],
                    method.upper(),
                    filled(template, ids),
                    template,
                    callers[who],
                    who in world.staff,
                    filled(body, ids),
                    frozenset(p["name"].lower() for p in operation.get("parameters", ())),
                )
            )
    return found


def free(place: spoiled.Place, name: str) -> bool:
    """Answers to the question form have keys and types of their own; texts are texts there too."""
    if place and place[-1] == "answers":
        return name.startswith("B007")
    return "answers" in place and name[:4] not in ("B020", "B021", "B022", "B026", "B027")


def good(op: Operation) -> bytes:
    return json.dumps(op.body).encode()


@pytest.mark.slow
async def test_a_body_that_is_no_body_of_the_operation(office: Office) -> None:
    for op in office.operations:
        if op.body is None:
            continue
        for name, content in spoiled.bodies(op.body):
            if op.id == "next_task" and name == "B002 null":
                continue  # its body is optional, and null says the same as none
            office.refused(op, name, await office.send(op, content), 422)
        if op.id != "next_task":
            office.refused(op, "B001 empty", await office.send(op, b""), 422)
        huge = b'{"x": "' + b"y" * spoiled.HUGE + b'"}'
        office.refused(op, "B005 huge", await office.send(op, huge), 413)
        for name, headers, status in spoiled.headers():
            answer = await office.send(op, good(op), **headers)
            office.refused(op, name, answer, status)
    office.check(1_000)


@pytest.mark.slow
async def test_a_field_that_is_not_what_it_should_be(office: Office) -> None:
    for op in office.operations:
        for name, place, body in spoiled.fields(op.body):
            if free(place, name):
                continue
            content = json.dumps(body).encode()
            secret = not SECRETS.isdisjoint(str(step) for step in place)
            answer = await office.send(op, content)
            statuses = (422, 401, 404) if secret else (422,)
            office.refused(op, f"{name} at {'/'.join(map(str, place))}", answer, *statuses)
            if "x" * 100 in answer.text or "\u202e" in answer.text:
                office.faults.append(f"{op.id}: {name}: the answer repeats what was sent")
    office.check(2_000)


async def test_ids_of_nobody_in_a_body(office: Office) -> None:
    """What a body names and nobody has is not found, or refused for another good reason."""
    for op in office.operations:
        for place, value in spoiled.places(op.body):
            if isinstance(value, str) and re.fullmatch(r"[0-9a-f-]{36}", value):
                for nobody in (str(new_id()), "00000000-0000-0000-0000-000000000000"):
                    body = spoiled.put(op.body, place, nobody)
                    answer = await office.send(op, json.dumps(body).encode())
                    office.refused(op, f"{nobody} at {place}", answer, 404, 409, 412, 422)
    office.check(20)


async def test_paths_and_queries_that_cannot_be(office: Office) -> None:
    for op in office.operations:
        content = good(op) if op.body is not None else None
        for step in re.findall(r"{([a-z_]+)}", op.template):
            if step.endswith("_id"):
                ids = office.world.ids(office.world.anna)
                for bad in (
                    "1",
                    "None",
                    f"{{{ids[step]}}}",
                    ids[step][:-1],
                    "%00",
                    "..%2f..",
                    "a%0d%0ab",
                    "%ff",
                    "x" * 300,
                    ids[step].replace("-", ""),
                ):
                    path = filled(op.template.replace(f"{{{step}}}", "\x01"), ids)
                    path = path.replace("\x01", bad)
                    answer = await office.send(op, content, path=path)
                    office.refused(op, f"{bad!r} for {step}", answer, 404, 422)
        for name, values in (
            ("limit", ("0", "-1", "101", "x", "1e9", str(2**63), "1.5", "")),
            ("cursor", ("x", "A" * 40, "A" * 2_000, "é", "../..", "\x00")),
            ("q", ("", "x" * 10_000, "\x00", "\u202e")),
        ):
            if name in op.takes and op.method == "GET":
                for bad in values:
                    answer = await office.send(op, content, query={name: bad})
                    office.refused(op, f"B061 {name}={bad[:20]!r}", answer, 414, 422)
    office.check(500)


async def test_a_version_that_is_missing_stale_or_no_version(office: Office) -> None:
    for op in office.operations:
        if "if-match" not in op.takes or op.id == "set_agency":  # whose first version has no ETag
            continue
        content = good(op) if op.body is not None else None
        if op.staff:
            answer = await office.send(op, content, drop="If-Match")
            office.refused(op, "B056 missing", answer, 428)
        for bad in ("*", 'W/"1"', '"1", "2"', "1", '"0"', '"-1"', '""', '"x"', f'"{"9" * 30}"'):
            answer = await office.send(op, content, If_Match=bad)
            office.refused(op, f"B056 {bad}", answer, 422)
        answer = await office.send(op, content, If_Match=etag(999_999))
        office.refused(op, "B056 stale", answer, 412, *([409] if not op.staff else []))
    office.check(300)


async def test_an_idempotency_key_that_is_none(office: Office) -> None:
    for op in office.operations:
        if "idempotency-key" not in op.takes:
            continue
        content = good(op) if op.body is not None else None
        for bad in ("", "x" * 256, "a b", "k\x7f", "ключ", "🔑"):
            answer = await office.send(op, content, Idempotency_Key=bad.encode())  # type: ignore[arg-type]  # httpx takes bytes, for what is not ASCII
            office.refused(op, f"B068 {bad[:10]!r}", answer, 422, 404, 409)
    office.check(200)


# Operations that make something each time, and another body that would make another thing.
MAKES: dict[str, dict[str, Any]] = {
    "create_case": {"submit": False}, "send_message": {"text": "Something else."},
    "create_company": {"legal_name": "Fourth Parcels Ltd"}, "hold_case": {"reason": "another"},
    "ask_question": {"code": "invoice"}, "add_channel": {"address": "other@parcels.example"},
    "record_call": {"notes": "Other notes."}, "record_receipt": {"bank_reference": "BYHAND2"},
    "invite_staff": {"email": "other@agency.test"}, "report_direct_payment": {
        "paid_on": "2026-01-02"},
}  # fmt: skip


async def test_one_key_is_one_call_whoever_repeats_it(
    client: httpx.AsyncClient,
    app: FastAPI,
    database_url: str,
    database: Database,
    settings: Settings,
) -> None:
    """B068, B069 for real: the second is the first again, another body is refused."""
    world = await Builder(client, database, settings).build()
    counting = Rehearsal(database_url)  # never opened: these calls stay
    office = Office(client, counting, world, listed(app, world))
    for op in (o for o in office.operations if o.id in MAKES):
        key = f"key-{op.id}"
        ids = world.ids(world.anna)
        read = await client.get(f"/v1/cases/{ids['case_id']}", headers=world.staff["senior"].auth)
        version = read.headers["etag"]
        first = await office.send(op, good(op), Idempotency_Key=key, If_Match=version)
        assert first.status_code == 201, (op.id, first.text)
        before = await fingerprint(database)
        again = await office.send(op, good(op), Idempotency_Key=key, If_Match=version)
        assert (again.status_code, again.content) == (201, first.content), op.id
        assert again.headers["idempotency-replayed"] == "true"
        other = json.dumps({**op.body, **MAKES[op.id]}).encode()
        answer = await office.send(op, other, Idempotency_Key=key, If_Match=version)
        assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_reused"), op.id
        assert await fingerprint(database) == before, op.id
    assert office.asked == 3 * len(MAKES)
