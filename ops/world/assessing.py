"""Before the ladder: who the opponent is, what is asked, whether the case has merit."""

from __future__ import annotations

from typing import Any

from ops.world.desk import WAIT, Task, close, doer, next_step, take
from ops.world.door import Person
from ops.world.tale import Tale, World

NO_CONFLICT = {"checked": True, "found": False}


async def assess(world: World, tale: Tale, task: Task) -> str | None:
    story, change = tale.story, world.door.change
    if story.care is not None and "cared" not in tale.done:
        return await _notice_distress(world, tale)
    if story.duplicate is not None:
        return await _duplicate(world, tale, task)
    asked = story.question
    if asked is not None and tale.first("asked"):
        who = doer(world, tale, task, asked.by)
        await take(world, who, task)
        await change(
            who,
            "POST",
            tale.case_id,
            "/questions",
            {
                "code": asked.code,
                "words": QUESTIONS[asked.code],
                "default": asked.default,
                "days": asked.days,
            },
        )
        return None
    if story.assess is None or (
        asked is not None
        and "answered" not in tale.done
        and not await questions_answered(world, tale)
    ):
        return WAIT
    who = world.staff[story.assess.by]
    await take(world, who, task)
    await _confirm(world, tale, who)
    decision = _decision(tale)
    if decision["decision"] == "accept":
        decision |= await _past_the_gates(world, tale, who, decision["entry_stage"])
    await change(who, "POST", tale.case_id, "/assessment", decision)
    return None


# What a company is to a claim of these kinds; to all others the party of the contract.
ROLES = {
    "air": "operating_carrier",
    "air_baggage": "operating_carrier",
    "unauthorised_payment": "issuer",
}
GATE_WORDS = {
    "declaration_missing": "The consumer declared it; the copy is among the papers of the case.",
    "elsewhere_running": "It asks for something else; the two do not meet.",
    "elsewhere_unknown": "Asked by telephone: nobody else has it.",
}


async def _past_the_gates(world: World, tale: Tale, who: Person, entry: str) -> dict[str, Any]:
    """Reads the gates and answers what they ask. A closed one is left closed."""
    role = ROLES.get(tale.case["answers"]["claim_kind"], "contract_party")
    shown = await world.door.get(
        who, f"/v1/cases/{tale.case_id}/gates", entry_stage=entry, opponent_role=role
    )
    asked = [gate for gate in shown["items"] if gate["state"] == "asks"]
    return {
        "opponent_role": role,
        "gates": [{"gate": g["gate"], "words": GATE_WORDS[g["code"]]} for g in asked],
    }


QUESTIONS = {
    "authority_paper": "Please send us the paper by which she lets you act for her.",
    "guardian_consent": "Please let a parent or guardian sign for you. Do they agree?",
}


async def questions_answered(world: World, tale: Tale) -> bool:
    view = await world.door.get(world.staff["saga"], f"/v1/cases/{tale.case_id}")
    return all(q["answered"] for q in view["questions"])


def _decision(tale: Tale) -> dict[str, Any]:
    said = tale.story.assess
    assert said is not None, "asked by who checked"
    if said.reject:
        return {
            "decision": "reject",
            "conflict_of_interest": NO_CONFLICT,
            "outcome": said.reject,
            "rule": said.rule,
            "would_change": said.would_change,
        }
    body: dict[str, Any] = {
        "decision": "accept",
        "conflict_of_interest": NO_CONFLICT,
        "merit": tale.case["expected"]["note"][:1000],
        "entry_stage": said.entry_stage,
        "entry_reason": said.entry_reason,
        "consumer_writes_first_days": said.consumer_writes_first_days,
    }
    if said.limitation_on is not None:
        body["limitation_on"] = said.limitation_on.isoformat()
    first = tale.case["facts"].get("first_written_complaint")
    if first:
        body["first_written_complaint"] = first
    return body


async def _confirm(world: World, tale: Tale, who: Person) -> None:
    view = await world.door.get(who, f"/v1/cases/{tale.case_id}")
    tale.payment_reference = view["staff"]["payment_reference"]
    if not view["company"]["confirmed"]:
        company = {"company_id": world.company_ids[tale.company_name]}
        await world.door.change(who, "POST", tale.case_id, "/company", company)


async def _notice_distress(world: World, tale: Tale) -> str | None:
    assert tale.story.assess is not None, "a story with care is assessed"
    if not tale.first("distress"):
        return WAIT
    who = world.staff[tale.story.assess.by]
    await world.door.change(
        who,
        "POST",
        tale.case_id,
        "/distress",
        {"words": "Afraid of the bailiff, does not sleep; recently widowed."},
    )
    return None


async def _duplicate(world: World, tale: Tale, task: Task) -> str | None:
    link = tale.story.duplicate
    assert link is not None, "asked by who checked"
    other = next((t for t in world.tales if t.story.id == link.of), None)
    if other is None or not other.case_id:
        return WAIT
    who = world.staff[link.by]
    await take(world, who, task)
    await world.door.change(
        who, "POST", tale.case_id, "/duplicate", {"duplicate_of": other.case_id}
    )
    await close(world, tale, who, "duplicate", "the same claim runs in the other case")
    return None


async def confirm_company(world: World, tale: Tale, task: Task) -> str | None:
    """Before acceptance it is part of the assessment; later the company said "not us"."""
    if tale.stage in ("intake", "assessment"):
        if tale.story.assess is not None or tale.story.duplicate is not None:
            return WAIT
        who = doer(world, tale, task, tale.story.question.by if tale.story.question else None)
        await _confirm(world, tale, who)
        return None
    who = doer(world, tale, task)
    company = {"company_id": world.company_ids[tale.company_name]}
    await world.door.change(who, "POST", tale.case_id, "/company", company)
    await next_step(world, tale, who, tale.stage, "register and contract name this company")
    return None
