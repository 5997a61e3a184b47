"""Who does a task, and what every colleague can do with a case."""

from __future__ import annotations

from typing import Any

from ops.world.door import Person
from ops.world.tale import Tale, World

Task = dict[str, Any]
WAIT = "wait"  # a worker's answer: this task waits for somebody else first


def doer(world: World, tale: Tale, task: Task, wanted: str | None = None) -> Person:
    """Who does this task: the one the story names, else whose case it is, else a senior."""
    if task["role"] == "legal":
        return world.staff["teemu"]
    if task["role"] == "senior":
        return world.staff[wanted or "saga"]
    if wanted is not None:
        return world.staff[wanted]
    return world.staff[tale.story.assess.by] if tale.story.assess else world.staff["anna"]


async def take(world: World, who: Person, task: Task) -> None:
    """Put the name on a task of the handlers' pool; the case comes along."""
    if task["role"] == "handler" and task["assignee_id"] is None and who.name != "Saga Ekholm":
        await world.door.post(who, f"/v1/tasks/{task['id']}/assign", {"assignee_id": who.id})


async def close(world: World, tale: Tale, who: Person, outcome: str, reason: str) -> None:
    await world.door.change(
        who, "POST", tale.case_id, "/close", {"outcome": outcome, "reason": reason}
    )


async def next_step(world: World, tale: Tale, who: Person, stage: str, reason: str) -> None:
    await world.door.change(
        who, "POST", tale.case_id, "/next-step", {"stage": stage, "reason": reason}
    )
