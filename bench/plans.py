"""Which statements read a whole table, by the plans the server makes for them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import asyncpg
from sqlalchemy import event

from app.db import Database

# The tables that grow with the cases. The others (companies, staff, profile) hold few rows, and
# reading such a one whole is what a good planner does.
HOT = (
    "cases", "claimants", "claim_items", "case_timers", "letters", "tasks", "audit_entries",
    "effects", "consumers", "data_keys", "mandates", "messages", "offers", "questions",
    "idempotency_keys", "payout_accounts",
)  # fmt: skip
PLANNED = ("SELECT", "WITH", "INSERT", "UPDATE", "DELETE")  # the rest are savepoints


@contextmanager
def listened(database: Database) -> Iterator[list[tuple[str, Any]]]:
    """The statements sent inside the block, each once."""
    heard: dict[str, Any] = {}

    def remember(_c: Any, _cur: Any, statement: str, parameters: Any, *_: Any) -> None:
        if statement.lstrip().partition(" ")[0].upper() in PLANNED:
            heard.setdefault(statement, parameters)

    engines = [database.engine.sync_engine, database.reading_engine.sync_engine]
    for one in engines:
        event.listen(one, "before_cursor_execute", remember)
    statements: list[tuple[str, Any]] = []
    try:
        yield statements
    finally:
        for one in engines:
            event.remove(one, "before_cursor_execute", remember)
        statements += heard.items()


async def whole_scans(url: str, heard: list[tuple[str, Any]]) -> list[str]:
    """Which of these statements read a table that grows from end to end: `table: statement`.

    Each is run some times first: from the sixth on the server may keep a plan made without values.
    Where it does, that plan counts as well as the one made with values.
    """
    found = []
    connection = await asyncpg.connect(url)
    try:
        await connection.execute("SET jit = off")
        for statement, parameters in heard:
            prepared = await connection.prepare(statement)
            plans = [_whole(await prepared.explain(*parameters))]
            if await _keeps_a_plan(connection, prepared, parameters):
                plans.append(await _kept_plan(connection, prepared))
            for plan in plans:
                found += [
                    f"{table}: {' '.join(statement.split())[:100]}"
                    for table in plan
                    if table in HOT
                ]
    finally:
        await connection.close()
    return found


async def _keeps_a_plan(connection: Any, prepared: Any, parameters: Any) -> bool:
    async with connection.transaction():
        for _ in range(7):
            undone = connection.transaction()
            await undone.start()
            # What was inserted a moment ago is refused now; the plan was made all the same.
            with suppress(asyncpg.IntegrityConstraintViolationError):
                await prepared.fetch(*parameters)
            await undone.rollback()
    return bool(
        await connection.fetchval(
            "SELECT generic_plans > 0 FROM pg_prepared_statements WHERE name = $1",
            prepared.get_name(),
        )
    )


async def _kept_plan(connection: Any, prepared: Any) -> list[str]:
    count = len(prepared.get_parameters())
    values = f"({', '.join(['NULL'] * count)})" if count else ""
    await connection.execute("SET plan_cache_mode = force_generic_plan")
    plan = await connection.fetchval(f"EXPLAIN (FORMAT JSON) EXECUTE {prepared.get_name()}{values}")
    await connection.execute("RESET plan_cache_mode")
    return _whole(json.loads(plan))


def _whole(plan: Any) -> list[str]:
    """The tables that a plan scans from end to end."""
    nodes, whole = [plan[0]["Plan"]], []
    while nodes:
        node = nodes.pop()
        nodes += node.get("Plans", [])
        if node["Node Type"] == "Seq Scan":
            whole.append(str(node["Relation Name"]))
    return whole
