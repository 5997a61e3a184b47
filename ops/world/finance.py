"""Finance: Paula reads statements, sets money against cases and prepares payouts; Frans approves.

The accounts of the agency are opened by the admin's own colleague on the first day; after that
everything follows from statements and tasks.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ops.moving_clock import MovingClock
from ops.world import consumers
from ops.world.door import Person, Refused
from ops.world.tale import Tale, World

FINANCE_TASKS = ("prepare_payout", "fix_payout", "return_money")
HOLD_DAYS = 2  # a changed account may be paid after 48 hours


async def open_accounts(world: World) -> None:
    """The client account and our own, as the bank gave them to us."""
    agency = world.book.agency
    for book, account in (("client", agency.client_account), ("own", agency.own_account)):
        await world.door.post(
            world.staff["frans"],
            "/v1/bank/accounts",
            {
                "book": book,
                "holder": account.holder,
                "number": account.iban,
                "bic": account.bic,
                "currency": "EUR",
            },
        )


async def import_statement(world: World, *, by_hand: bool = False) -> None:
    """Fetch the morning's statement from the bank and import it."""
    world.bank.collect(world)
    moved = len(world.bank.waiting)
    raw = world.bank.statement(world.now)
    done = await world.door.call(
        world.staff["paula"], "POST", "/v1/bank/statements", raw=raw, kind="application/xml"
    )
    world.count("statements")
    world.count("bank_lines", moved)
    if done["to_explain"] or done["not_told"]:
        world.trouble.append(f"a statement left questions: {done}")
    if moved and not by_hand:
        # What is beyond doubt is set against its case by itself; Paula looks at the rest.
        while await world.worker.matcher.once():
            pass
        await allocate(world)


async def import_next_statement(world: World) -> None:
    """The next morning's statement, whatever the clock says: after the play, for trying by hand."""
    clock = MovingClock(world.worker.tools.database, world.settings)
    await clock.set(world.bank.next_morning(world.now))
    world.now = await clock.now()
    await import_statement(world, by_hand=True)


async def allocate(world: World) -> None:
    """Every receipt that waits: its reference decides, else name and sum of the payer."""
    paula = world.staff["paula"]
    page = await world.door.get(paula, "/v1/bank/unallocated", limit=100)
    for money in page["items"]:
        if money["held_for_case"] is None:
            case_id = _certain(money) or await _by_name(world, paula, money)
            if case_id is not None:
                in_full = "full and final" in money["message"]
                await world.door.post(
                    paula,
                    f"/v1/bank/movements/{money['movement_id']}/allocations",
                    {"case_id": case_id, "in_full_settlement": in_full},
                )
                world.count("allocations")


def _certain(money: dict[str, Any]) -> str | None:
    """The one case its reference names; money in full settlement is hers to decide on."""
    hers = (None, "in_full_settlement")
    found = [c["case_id"] for c in money["candidates"] if c["not_certain_because"] in hers]
    return str(found[0]) if len(found) == 1 else None


async def _by_name(world: World, paula: Person, money: dict[str, Any]) -> str | None:
    """No reference: the one open case against this payer that claims this sum."""
    found = await world.door.get(paula, "/v1/search", q=money["payer"])
    same = [
        c
        for c in found["items"]
        if c["stage"] != "closed" and c["claimed"]["minor"] == money["unallocated"]["minor"]
    ]
    if len(same) != 1:
        world.trouble.append(f"money of {money['payer']} fits {len(same)} cases")
        return None
    return str(same[0]["case_id"])


async def work(world: World, open_tasks: Sequence[dict[str, Any]]) -> int:
    """The finance queue, then what can be paid, then the second pair of eyes."""
    paula = world.staff["paula"]
    tasks = [t for t in open_tasks if t["kind"] in FINANCE_TASKS]
    moved = 0
    for task in tasks:
        tale = world.of_case(task["case"]["id"])
        assert tale is not None, "money tasks are about cases of the stories"
        moved += await _one(world, paula, tale, task)
    if tasks or "finance_looks" in world.flags:
        world.flags.discard("finance_looks")
        moved += await _pay(world, paula)
    return moved


async def _one(world: World, paula: Person, tale: Tale, task: dict[str, Any]) -> int:
    kind, reason = task["kind"], task["priority_reason"]
    if kind == "fix_payout":
        back = tale.story.bank_returns
        if back is not None and tale.first("new_account"):
            world.after(
                1,
                f"{tale.story.id} gives another account",
                lambda: _new_account(world, tale, back.new_iban),
            )
            return 1
        return 0
    if kind == "return_money" or reason == "allocate_held_money":
        page = await world.door.get(paula, "/v1/bank/unallocated", limit=100)
        return sum(
            [
                await _held(world, paula, tale, money, kind)
                for money in page["items"]
                if money["held_for_case"] == tale.case_id
            ]
        )
    return 0


async def _held(world: World, paula: Person, tale: Tale, money: dict[str, Any], kind: str) -> int:
    """Money in full settlement, answered: it goes back, or is ours to allocate."""
    base = f"/v1/bank/movements/{money['movement_id']}"
    if kind == "return_money":
        await world.door.post(paula, f"{base}/return")
        world.flags.add("finance_looks")
    else:
        await world.door.post(paula, f"{base}/allocations", {"case_id": tale.case_id})
    return 1


async def _new_account(world: World, tale: Tale, iban: str) -> None:
    await consumers.give_account(world, tale, iban)

    async def look_again() -> None:
        world.flags.add("finance_looks")

    world.after(HOLD_DAYS + 1, "a changed account may be paid", look_again)


async def _pay(world: World, paula: Person) -> int:
    """One batch of everything that can be paid now, approved by somebody else."""
    payable = await world.door.get(paula, "/v1/payouts/payable", limit=100)
    if not payable["ready"] and not any(line["payable_now"] for line in payable["items"]):
        return 0
    try:
        batch = await world.door.post(paula, "/v1/payouts/batches", {"all": True})
    except Refused as refused:
        if refused.code == "nothing_to_pay":
            return 0
        raise
    frans = world.staff["frans"]
    read = await world.door.get(frans, f"/v1/payouts/batches/{batch['id']}")
    await world.door.post(
        frans, f"/v1/payouts/batches/{batch['id']}/approve", {"content_hash": read["content_hash"]}
    )
    world.count("batches")
    return 1
