"""The people of the agency: handlers, seniors and legal at their queues, each task by its kind.

What a story says is done by the person it names; work that no story covers is done in the plain,
sensible way and noted. Finance works in `finance`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Any

from ops.world import companies, reading
from ops.world.assessing import assess, confirm_company, questions_answered
from ops.world.desk import WAIT, Task, close, doer, next_step
from ops.world.door import Person, Refused
from ops.world.tale import Tale, World

DAYS_FOR_COMPANY = 14
ROLES = ("handler", "senior", "legal")


async def work(world: World, tasks: Sequence[Task]) -> int:
    """One round over the open tasks of handlers, seniors and legal; returns how many moved."""
    moved: set[str] = set()
    for task in tasks:
        # What else is open on a case that just moved is looked at in the next round.
        case_id = task["case"]["id"] if task["case"] else ""
        if task["role"] in ROLES and case_id not in moved and await _one(world, task):
            moved.add(case_id)
    return len(moved)


async def open_tasks(world: World) -> list[Task]:
    """Everything open, as the auditor sees it: each person then finds their own in it."""
    page = await world.door.get(world.staff["ilona"], "/v1/tasks", queue="all", limit=100)
    return list(page["items"])


async def _one(world: World, task: Task) -> int:
    case = task["case"]
    tale = world.of_case(case["id"]) if case else None
    if tale is None:
        return 0
    worker = WORK.get(task["kind"], finish)
    try:
        return 0 if await worker(world, tale, task) == WAIT else 1
    except Refused as refused:
        if refused.code in ("task_closed", "task_not_found", "stale_version", "letter_changed"):
            return 0  # an earlier task of this round changed it: looked at again next round
        raise


# --- letters ---------------------------------------------------------------------------------


async def approve_letter(world: World, tale: Tale, task: Task) -> str | None:
    """Read the PDF, then approve its hash. A story that ends here is ended instead."""
    who = doer(world, tale, task)
    if await _ends_here(world, tale):
        return None
    view = await world.door.get(who, f"/v1/cases/{tale.case_id}")
    letter = next(x for x in view["letters"] if x["id"] == task["subject_id"])
    pdf = await world.door.get(who, letter["pdf"])
    assert pdf.startswith(b"%PDF"), "a letter is a PDF"
    await world.door.call(
        who,
        "POST",
        f"/v1/cases/{tale.case_id}/letters/{letter['id']}/approve",
        {"sha256": letter["sha256"], "gaps_reason": await _gaps(world, who, tale, letter)},
        version=view["version"],
    )
    world.count("letters_approved")
    return None


async def _gaps(world: World, who: Person, tale: Tale, letter: Any) -> str | None:
    """A complaint with a gap leaves for a reason that is said."""
    if letter["kind"] != "complaint":
        return None
    proof = await world.door.get(who, f"/v1/cases/{tale.case_id}/proof")
    return "The consumer has nothing more; the body may ask the company." if proof["gaps"] else None


async def file_complaint(world: World, tale: Tale, task: Task) -> str | None:
    """Done when the consumer has told us that they pressed send."""
    if "complaint_sent" not in tale.done:
        return WAIT
    tale.done.discard("complaint_sent")
    who = doer(world, tale, task)
    await world.door.change(
        who,
        "POST",
        tale.case_id,
        f"/letters/{task['subject_id']}/delivered",
        {"at": world.now.isoformat(), "grade": "registered"},
    )
    await companies.complaint_arrived(world, tale)
    return None


# --- steering --------------------------------------------------------------------------------


async def _ends_here(world: World, tale: Tale) -> bool:
    ending = tale.story.ending
    if ending is None or ending.at != tale.stage:
        return False
    await close(world, tale, world.staff[ending.by], ending.outcome, "this is the last step")
    return True


# Where the ladder asks a person before it asks a body, the people of these stories say yes.
BODY_DECISIONS = (
    "body_not_named", "body_is_a_court", "body_costs_a_fee", "body_unconfirmed",
    "body_term_unknown", "below_stop_line", "first_complaint_unknown",
)  # fmt: skip
NEXT = {"contact": "reminder", "reminder": "formal_notice", "formal_notice": "complaint"}


async def choose_next_step(world: World, tale: Tale, task: Task) -> str | None:
    story, ending = tale.story, tale.story.ending
    who = doer(world, tale, task)
    if await _ends_here(world, tale):
        return None
    if task["priority_reason"] in BODY_DECISIONS:
        await next_step(world, tale, who, "complaint", "the consumer agrees, the body is asked")
        return None
    if ending is not None and ending.when == "dismissed" and "dismissed" in tale.done:
        await close(world, tale, world.staff[ending.by], ending.outcome, "no way is left")
    elif story.denial is not None and task["priority_reason"] == "denied":
        await next_step(world, tale, who, story.denial.next, "the refusal stands on file")
    else:
        tale.improvised.append(f"{task['kind']}:{task['priority_reason']}")
        if tale.stage in NEXT:
            await next_step(world, tale, who, NEXT[tale.stage], "the usual next step")
        else:
            await close(world, tale, world.staff["saga"], "handed_over", "nothing is left to do")
    return None


async def promise_broken(world: World, tale: Tale, task: Task) -> str | None:
    """The ladder went back with seven days by itself: a call, and no second letter on top."""
    who = doer(world, tale, task)
    await world.door.change(who, "POST", tale.case_id, "/calls", {
        "with_whom": "company", "notes": "Nobody knows where the payment is.",
        "outcome": "they look into it"})  # fmt: skip
    await world.door.post(who, f"/v1/tasks/{task['id']}/done", {
        "words": "Talked to them; the letter with seven days is out."})  # fmt: skip
    return None


async def answer_company(world: World, tale: Tale, task: Task) -> str | None:
    """They asked for a paper: the consumer is asked, then the answer goes back by phone."""
    who = doer(world, tale, task)
    if task["priority_reason"] == "company_asked" and tale.first("asked_consumer"):
        await world.door.change(
            who,
            "POST",
            tale.case_id,
            "/questions",
            {
                "code": "proof",
                "days": 10,
                "default": "go_on_without",
                "words": "They want proof that nothing was delivered. Can you send us a picture?",
                "blocks_ladder": False,
            },
        )
        return None
    if not await questions_answered(world, tale):
        return WAIT
    await _give_proof(world, tale, who)
    return None


async def _give_proof(world: World, tale: Tale, who: Person) -> None:
    """The paper goes to the company; they get time to look at it."""
    await world.door.change(
        who,
        "POST",
        tale.case_id,
        "/calls",
        {
            "with_whom": "company",
            "notes": "Gave them the proof they had asked for.",
            "outcome": "they look at it again",
        },
    )
    until = world.now + timedelta(days=DAYS_FOR_COMPANY)
    await world.door.change(
        who, "POST", tale.case_id, "/extend", {"until": until.isoformat(), "reason": "proof_sent"}
    )
    await companies.answer_given(world, tale)


async def check_direct_payment(world: World, tale: Tale, task: Task) -> str | None:
    """The consumer's bank statement shows the credit: confirmed, and nothing more is claimed."""
    who = doer(world, tale, task)
    await world.door.change(
        who,
        "POST",
        tale.case_id,
        f"/direct-payments/{task['subject_id']}/decide",
        {"confirmed": True, "whole": True},
    )
    return None


async def register_voucher(world: World, tale: Tale, task: Task) -> str | None:
    who = doer(world, tale, task)
    view = await world.door.get(who, f"/v1/cases/{tale.case_id}")
    offer = next(o for o in view["offers"] if o["state"] == "accepted")
    value = {"amount": offer["amount"]["amount"], "currency": offer["amount"]["currency"]}
    await world.door.call(
        who, "POST", f"/v1/cases/{tale.case_id}/vouchers", {"value": value}, version=view["version"]
    )
    return None


async def care(world: World, tale: Tale, task: Task) -> str | None:
    """A trained colleague calls, then lets the case go on."""
    wanted = tale.story.care.by if tale.story.care else "saga"
    who = world.staff[wanted]
    await world.door.change(
        who,
        "POST",
        tale.case_id,
        "/calls",
        {
            "with_whom": "consumer",
            "outcome": "calmer; her daughter helps",
            "notes": "Talked for half an hour. No bailiff may come without a judgment.",
        },
    )
    await world.door.change(who, "DELETE", tale.case_id, "/holds/distress")
    tale.done.add("cared")
    return None


async def settle_effect(world: World, tale: Tale, task: Task) -> str | None:
    """The simulated world loses nothing, so this is a fault of ours: noted, and settled."""
    world.trouble.append(f"{tale.story.id}: an order nobody knows the outcome of")
    await world.door.post(
        world.staff["saga"],
        f"/v1/effects/{task['subject_id']}/settle",
        {"verdict": "sent", "reason": "seen in the sent folder"},
    )
    return None


async def finish(world: World, tale: Tale, task: Task) -> str | None:
    """Work that ends with saying what was done."""
    if task["kind"] not in EXPECTED_BY_HAND:
        tale.improvised.append(f"{task['kind']}:{task['priority_reason']}")
    if task["kind"] == "feed_silent":
        world.trouble.append(f"{tale.story.id}: a step waited for mail or bank to be read")
    who = doer(world, tale, task)
    await world.door.post(
        who, f"/v1/tasks/{task['id']}/done", {"words": "Looked at it and did what it asks for."}
    )
    return None


EXPECTED_BY_HAND = ("limitation", "body_limit", "rate_missing")

WORK: dict[str, Callable[[World, Tale, Task], Awaitable[str | None]]] = {
    "assess": assess,
    "confirm_company": confirm_company,
    "approve_letter": approve_letter,
    "file_complaint": file_complaint,
    "read_reply": reading.read_reply,
    "choose_next_step": choose_next_step,
    "fix_channel": choose_next_step,
    "promise_broken": promise_broken,
    "answer_company": answer_company,
    "answer_body": reading.answer_body,
    "check_direct_payment": check_direct_payment,
    "register_voucher": register_voucher,
    "care": care,
    "settle_effect": settle_effect,
}
