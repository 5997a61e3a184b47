"""Generated requests to every operation of the OpenAPI document.

What is sent comes from schemathesis (values the document allows, and values it forbids), from the
sample calls, and from mixes of both with ids that exist, so that calls get past the first check.
What comes back must be what the document says: no 5xx, no status, media type, header or body that
is not written there, and every refusal a problem document. All calls are rehearsed on one prepared
world (tests/support/rehearsal.py), so that the last example meets the same world as the first.

In `./run test` a few examples for each operation, the same each time. `./run fuzz` runs more:
RECOURSE_FUZZ_EXAMPLES (for each operation), RECOURSE_FUZZ_SEED (printed, to repeat a run).
"""

from __future__ import annotations

import asyncio
import json
import os
import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from hypothesis.strategies import SearchStrategy
from schemathesis import Case
from schemathesis.checks import CheckFunction, load_all_checks
from schemathesis.config import SchemathesisConfig
from schemathesis.core.result import Ok
from schemathesis.generation import GenerationMode
from schemathesis.schemas import APIOperation
from schemathesis.specs.openapi import checks as openapi_checks
from sqlalchemy import text

from app.domain.case import Stage
from tests.support.cases import make_case
from tests.support.estate import World, filled, samples
from tests.support.http import Caller
from tests.support.prepared import Prepared, Rehearsing, document_of, rehearsing
from tests.support.rehearsal import Rehearsal

AnyCase = Case[Any]
AnyOperation = APIOperation[Any, Any, Any, Any]
EXAMPLES = 3  # for each operation and way of generating, in ./run test
PARTS = 3  # shares of the operations that can run beside each other
MIXED_PER_GENERATED = 2  # examples built on a sample call get further: more of them

STAGES: list[dict[str, Any]] = [
    {"stage": Stage.INTAKE}, {"stage": Stage.ASSESSMENT}, {"stage": Stage.AGREEMENT},
    {"stage": Stage.CONTACT, "letter": "rendering"},
    {"stage": Stage.FORMAL_NOTICE, "letter": "to_approve"},
    {"stage": Stage.COMPLAINT, "letter": "delivered"}, {"stage": Stage.SETTLEMENT},
    {"stage": Stage.CLOSED},
]  # fmt: skip

CHECKS: list[CheckFunction] = [
    openapi_checks.status_code_conformance,
    openapi_checks.content_type_conformance,
    openapi_checks.response_schema_conformance,
    openapi_checks.response_headers_conformance,
]


@dataclass
class Desk:
    """The application on its loop, a world to ask about, and who asks."""

    runner: asyncio.Runner
    client: httpx.AsyncClient
    world: World
    document: dict[str, Any]
    callers: dict[str, Caller | None]
    others: list[dict[str, str]]  # ids of cases at other stages, owned by the same people

    def roles_for(self, operation: AnyOperation) -> list[str]:
        """Names of the callers, those who may first and more often."""
        allowed = set(operation.definition.raw["x-allowed"])
        grants = {"consumer": "consumer", "app": "app:cases.write", "anonymous": "anonymous"}
        may = [name for name in self.callers if grants.get(name, name) in allowed]
        return may * 3 + ["anonymous", "finance"]

    def send(self, case: AnyCase, caller: Caller | None) -> httpx.Response:
        sent = case.as_transport_kwargs(base_url="http://api.test")
        headers = {k: v for k, v in dict(sent["headers"]).items() if k != "Authorization"}
        headers |= caller.auth if caller else {}
        content = sent.get("data")
        if "json" in sent:
            content = json.dumps(sent["json"]).encode()
            headers.setdefault("Content-Type", "application/json")
        request = self.client.build_request(
            sent["method"],
            sent["url"],
            params=sent.get("params"),
            headers=headers,
            cookies=sent.get("cookies"),
            content=content if isinstance(content, bytes | str) else None,
        )
        return self.runner.run(self.client.send(request))


async def _open(desk: Rehearsing, world: World) -> list[dict[str, str]]:
    desk.database.rehearsing = False
    others = [await _case(desk.database, world, **wish) for wish in STAGES]
    desk.database.rehearsing = True
    return others


async def _case(database: Rehearsal, world: World, **wish: Any) -> dict[str, str]:
    """A case of Anna's at another stage; its ids in place of those of her big one."""
    made = await make_case(
        database,
        consumer_ids=[world.anna.consumer.id],
        handler_id=world.anna.handler.id,
        source=f"app:{world.anna.app.id}",
        **wish,
    )
    world.versions[str(made.id)] = made.version
    found = {"case_id": str(made.id), "claimant_id": str(made.claimant_ids[0])}
    if made.case.letter is not None:
        found["letter_id"] = str(made.letter_id)
    async with database.read() as session:
        for name, table in (
            ("task_id", "tasks"),
            ("mandate_id", "mandates"),
            ("effect_id", "effects"),
        ):
            row = await session.scalar(
                text(f"SELECT id FROM {table} WHERE case_id = :id ORDER BY id DESC LIMIT 1"),
                {"id": made.id},
            )
            if row is not None:
                found[name] = str(row)
    return found


@pytest.fixture
def desk(prepared: Prepared) -> Iterator[Desk]:
    """Everything on one event loop that generated examples (which are synchronous) can use."""
    world = prepared.world
    with asyncio.Runner() as runner:
        opened = rehearsing(prepared.settings)
        made = runner.run(opened.__aenter__())
        callers: dict[str, Caller | None] = {
            "anonymous": None,
            "consumer": world.anna.consumer,
            "app": world.anna.app,
            "handler": world.anna.handler,
            **world.staff,
        }
        others = runner.run(_open(made, world))
        yield Desk(runner, made.client, world, document_of(made.app), callers, others)
        runner.run(opened.__aexit__(None, None, None))


# --- what is sent ------------------------------------------------------------------------------


def on_the_world(case: AnyCase, desk: Desk, draw: st.DrawFn) -> AnyCase:
    """The case as generated, or aimed at things that exist and built on the sample call."""
    operation = case.operation
    sample = samples()[operation.definition.raw["operationId"]]
    ids = desk.world.ids(desk.world.anna)
    if draw(st.booleans()):
        others: SearchStrategy[dict[str, str]] = st.sampled_from(desk.others)
        ids = {**ids, **draw(others)}
    aimed: int = draw(st.integers(0, 4))
    if case.path_parameters and aimed:
        case.path_parameters = {
            name: ids.get(name, value) for name, value in case.path_parameters.items()
        }
    if draw(st.integers(0, 3)):
        case.headers["If-Match"] = desk.world.if_match(operation.path, ids)
    case.headers.pop("Idempotency-Key", None) if draw(st.booleans()) else None
    if "body" in sample and draw(st.integers(0, MIXED_PER_GENERATED)):
        case.body = mixed(filled(sample["body"], ids), case.body, draw)
        case.media_type = "application/json"
    if "query" in sample and draw(st.booleans()):
        case.query = {**case.query, **sample["query"]}
    return case


def mixed(good: Any, generated: Any, draw: st.DrawFn) -> Any:
    """The good body with some of its fields, at any depth, as generated."""
    if not isinstance(good, dict) or not isinstance(generated, dict):
        return good if draw(st.integers(0, 2)) else generated
    taken = dict(good)
    for name, value in generated.items():
        if name in good:
            taken[name] = mixed(good[name], value, draw)
        elif draw(st.booleans()):
            taken[name] = value
    return taken


def cases(
    operation: AnyOperation, desk: Desk, mode: GenerationMode
) -> SearchStrategy[tuple[AnyCase, str]]:
    generated = operation.as_strategy(generation_mode=mode)

    @st.composite
    def aimed(draw: st.DrawFn) -> tuple[AnyCase, str]:
        role = draw(st.sampled_from(desk.roles_for(operation)))
        return on_the_world(draw(generated), desk, draw), role

    return aimed()


# --- what must come back -----------------------------------------------------------------------


def judge(case: AnyCase, answer: httpx.Response, role: str) -> None:
    """The document's word against the answer's."""
    assert answer.status_code < 500, (
        f"{answer.status_code} by {role}: {answer.text} for {case.as_curl_command()}"
    )
    case.validate_response(answer, checks=CHECKS)
    raw = case.operation.definition.raw
    page = "text/html" in raw["responses"].get(str(answer.status_code), {}).get("content", {})
    if answer.status_code >= 400 and not (page and "<form" in answer.text):
        assert answer.headers["content-type"] == "application/problem+json"
        problem = answer.json()
        assert problem["status"] == answer.status_code and problem["code"]
        assert problem["request_id"] == answer.headers["x-request-id"]


@schemathesis.serializer("message/rfc822")
def mail_as_it_is(_context: Any, value: Any) -> bytes:
    """A mail is its bytes."""
    return value if isinstance(value, bytes) else str(getattr(value, "data", value)).encode()


def explore(
    desk: Desk, share: Callable[[int], bool], examples: int, start: int | None
) -> tuple[Counter[int], list[str]]:
    """Runs `examples` for each operation and mode; the statuses that came and what was wrong."""
    load_all_checks()
    statuses: Counter[int] = Counter()
    faults = []
    document = schemathesis.openapi.from_dict(desk.document, config=SchemathesisConfig())
    for at, result in enumerate(document.get_all_operations()):
        if not share(at):
            continue
        assert isinstance(result, Ok), "the document describes each operation"
        operation = result.ok()
        for mode in GenerationMode:
            try:
                one(desk, operation, mode, examples, start, statuses)
            except Unsatisfiable:
                assert mode is GenerationMode.NEGATIVE, f"{operation.label} cannot be called"
            except AssertionError as fault:
                faults.append(f"{operation.label} ({mode.value}): {str(fault)[:900]}")
            except BaseExceptionGroup as several:
                faults += [
                    f"{operation.label} ({mode.value}): {str(f)[:900]}" for f in several.exceptions
                ]
    return statuses, faults


def one(
    desk: Desk,
    operation: AnyOperation,
    mode: GenerationMode,
    examples: int,
    start: int | None,
    statuses: Counter[int],
) -> None:
    """All examples of one operation; raises what the first bad answer was."""

    @settings(
        max_examples=examples,
        database=None,
        deadline=None,
        derandomize=start is None,
        suppress_health_check=list(HealthCheck),
        report_multiple_bugs=False,
        phases=[Phase.generate, Phase.shrink] if start is not None else [Phase.generate],
    )
    @given(cases(operation, desk, mode))
    def example(aimed: tuple[AnyCase, str]) -> None:
        case, role = aimed
        answer = desk.send(case, desk.callers[role])
        statuses[answer.status_code] += 1
        judge(case, answer, role)

    (seed(start)(example) if start is not None else example)()


@pytest.mark.slow
@pytest.mark.parametrize("part", range(PARTS))
def test_every_operation_answers_as_the_document_says(desk: Desk, part: int) -> None:
    statuses, faults = explore(desk, lambda at: at % PARTS == part, EXAMPLES, None)
    assert not faults, "\n\n".join(faults)
    assert statuses.total() > EXAMPLES * 20, "fewer calls than operations"
    assert statuses[200] + statuses[201] > statuses.total() // 10, "the calls do not get far"
    print(f"{statuses.total()} calls: {dict(sorted(statuses.items()))}")


@pytest.mark.fuzz
def test_every_operation_for_a_long_time(desk: Desk) -> None:
    examples = int(os.environ.get("RECOURSE_FUZZ_EXAMPLES", "300"))
    start = int(os.environ.get("RECOURSE_FUZZ_SEED") or random.randrange(2**32))
    print(f"RECOURSE_FUZZ_SEED={start} RECOURSE_FUZZ_EXAMPLES={examples}")
    statuses, faults = explore(desk, lambda _: True, examples, start)
    print(f"{statuses.total()} calls: {dict(sorted(statuses.items()))}")
    assert not faults, "\n\n".join(faults)
