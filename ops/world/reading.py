"""Reading what came in: a handler reads a message and records what it says.

The ticket in the subject tells the simulated reader what a human would read in the words.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

from ops.world.door import Person
from ops.world.stories import BodyReaction, Reaction
from ops.world.tale import Tale, World

_TICKET = re.compile(r"\[(\d{3}-\d+)\]")


async def read_reply(world: World, tale: Tale, task: dict[str, Any]) -> str | None:
    """Find the message, understand it, record it."""
    who = reader(world, tale, task)
    page = await world.door.get(who, f"/v1/cases/{tale.case_id}/messages", limit=100)
    message = next((m for m in page["items"] if m["id"] == task["subject_id"]), None)
    assert message is not None, f"{tale.story.id}: {task} {[m['subject'] for m in page['items']]}"
    found = _TICKET.search(message["subject"])
    said = tale.tickets.get(found[1]) if found else None
    if isinstance(said, Reaction):
        await _company(world, tale, who, said, message["id"])
    elif isinstance(said, BodyReaction):
        await _body(world, tale, who, said, message["id"])
    else:
        await _consumer(world, tale, who, message)
    return None


def reader(world: World, tale: Tale, task: dict[str, Any]) -> Person:
    if task["role"] == "senior" or tale.story.assess is None:
        return world.staff["saga"]
    return world.staff[tale.story.assess.by]


async def record(world: World, tale: Tale, who: Person, **answer: Any) -> None:
    await world.door.change(who, "POST", tale.case_id, "/answers", answer)


def _sum(tale: Tale, amount: str) -> dict[str, str]:
    return {"amount": amount, "currency": tale.case["expected"]["currency"]}


async def _company(world: World, tale: Tale, who: Person, said: Reaction, message_id: str) -> None:
    match said.do:
        case "deny":
            await record(
                world,
                tale,
                who,
                kind="denied",
                message_id=message_id,
                **({"reason": said.reason} if said.reason else {}),
            )
        case "ask":
            await record(world, tale, who, kind="asked", message_id=message_id)
        case "offer":
            until = world.now + timedelta(days=said.days)
            await record(
                world,
                tale,
                who,
                kind="offered",
                message_id=message_id,
                amount=_sum(tale, said.amount),
                offer_kind=said.kind,
                answer_by=until.isoformat(),
            )
        case "promise":
            day = (world.now + timedelta(days=said.in_days)).date()
            await record(
                world,
                tale,
                who,
                kind="promised",
                message_id=message_id,
                whole=True,
                amount=_sum(tale, said.amount),
                promised_date=day.isoformat(),
            )
        case "not_us":
            await record(world, tale, who, kind="wrong_party", message_id=message_id)
        case "cancel_bill":
            await record(world, tale, who, kind="set_aside", message_id=message_id)
            await _bill_cancelled(world, tale)
        case "pay_direct":
            await record(world, tale, who, kind="set_aside", message_id=message_id)
            await _report_payment(world, tale, who, said.amount)
        case _:
            await record(world, tale, who, kind="set_aside", message_id=message_id)


async def _bill_cancelled(world: World, tale: Tale) -> None:
    ending = tale.story.ending
    assert ending is not None, "a story with a cancelled bill says who closes it"
    await world.door.change(
        world.staff[ending.by],
        "POST",
        tale.case_id,
        "/close",
        {"outcome": ending.outcome, "reason": "the bill was cancelled in writing"},
    )


async def _report_payment(world: World, tale: Tale, who: Person, amount: str) -> None:
    """The company says it paid the consumer: put to the proof like the consumer's own word."""
    await world.door.change(
        who,
        "POST",
        tale.case_id,
        "/direct-payments",
        {"amount": _sum(tale, amount), "paid_on": world.now.date().isoformat()},
    )


async def _body(world: World, tale: Tale, who: Person, said: BodyReaction, message_id: str) -> None:
    until = world.now + timedelta(days=said.days)
    match said.do:
        case "ask":
            await record(
                world,
                tale,
                who,
                message_id=message_id,
                kind="body_asked",
                answer_by=until.isoformat(),
            )
        case "dismiss":
            tale.done.add("dismissed")
            await record(
                world, tale, who, message_id=message_id, kind="body_dismissed", reason=said.reason
            )
        case "recommend":
            await record(
                world,
                tale,
                who,
                message_id=message_id,
                kind="body_recommended",
                amount=_sum(tale, said.amount),
                answer_by=until.isoformat(),
            )
        case "decide":
            await record(
                world,
                tale,
                who,
                message_id=message_id,
                kind="body_decided",
                amount=_sum(tale, said.amount),
                obey_by=until.date().isoformat(),
            )
            if said.cancels_bill:
                world.after(
                    6,
                    f"{tale.story.id} the bill is cancelled",
                    lambda: _bill_cancelled(world, tale),
                )


async def _consumer(world: World, tale: Tale, who: Person, message: dict[str, Any]) -> None:
    """A consumer's own words; at step 0 they tell the day on which they wrote."""
    await record(world, tale, who, kind="set_aside", message_id=message["id"])
    view = await world.door.get(who, f"/v1/cases/{tale.case_id}")
    if view["stage"] == "contact" and view["step"] == 0:
        await world.door.call(
            who,
            "POST",
            f"/v1/cases/{tale.case_id}/restart",
            {"fact": "consumer_wrote", "at": world.now.isoformat()},
            version=view["version"],
        )


async def answer_body(world: World, tale: Tale, task: dict[str, Any]) -> str | None:
    """The body asked for something: the file goes out the same day."""
    who = reader(world, tale, task)
    if task["priority_reason"] != "body_asked":
        tale.improvised.append(f"{task['kind']}:{task['priority_reason']}")
    await record(world, tale, who, kind="body_answered")
    return None
