"""What the play showed: each case climbing, the end table, the books, the counts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from app.domain.case import Stage
from app.domain.money import Money
from ops.world.tale import Tale, World

SIGNED = Stage.CONTACT.value  # a stage that only a signed agreement reaches


@dataclass(frozen=True)
class Outcome:
    """One story's end beside what was expected. `wrong` names what differs."""

    story: str
    shows: str
    path: tuple[str, ...]
    outcome: str
    recovered: str
    fee: str
    payout: str
    currency: str
    open_tasks: int
    wrong: tuple[str, ...]

    @property
    def ok(self) -> bool:
        return not self.wrong


async def outcomes(world: World) -> list[Outcome]:
    """Every story, read from the API as an auditor and a senior see it."""
    return [await _outcome(world, tale) for tale in world.tales]


async def _outcome(world: World, tale: Tale) -> Outcome:
    expected = tale.story.expect
    view = await world.door.get(world.staff["saga"], f"/v1/cases/{tale.case_id}")
    money, currency = view["money"], view["claim"]["currency"]
    received = sum(
        money[name]["minor"] for name in ("received", "paid_to_you_directly", "vouchers")
    )
    fee = money["our_fee"]["minor"]
    account = await world.door.get(world.staff["saga"], f"/v1/cases/{tale.case_id}/account")
    papers = await world.door.get(world.staff["saga"], f"/v1/cases/{tale.case_id}/papers")
    made = {paper["kind"] for paper in papers["items"] if paper["files"]}
    due = {"statement"} if SIGNED in tale.path else set()
    got = {
        "path": " ".join(tale.path),
        "outcome": str(view["outcome"]),
        "recovered": received,
        "fee": fee,
        "payout": money["paid_out"]["minor"],
        "open tasks": len(view["staff"]["open_tasks"]),
        "held money": money["waits_for_you"]["minor"],
        "fee of the account": account["fee"]["minor"],
        "paid out of the account": account["paid_out"]["minor"],
        "papers missing": sorted((due | ({"invoice"} if fee else set())) - made),
        "papers not made": sum(not paper["files"] for paper in papers["items"]),
    }
    wanted: dict[str, Any] = {
        "path": " ".join(stage.value for stage in expected.path),
        "outcome": expected.outcome.value,
        "recovered": _minor(expected.recovered, currency),
        "fee": _minor(expected.fee, currency),
        "payout": _minor(expected.payout, currency),
        "open tasks": 0,
        "held money": 0,
        "fee of the account": _minor(expected.fee, currency),
        "paid out of the account": _minor(expected.payout, currency),
        "papers missing": [],
        "papers not made": 0,
    }
    wrong = tuple(
        f"{name}: {got[name]}, expected {wanted[name]}"
        for name in wanted
        if got[name] != wanted[name]
    )
    return Outcome(
        tale.story.id,
        tale.story.shows,
        tuple(tale.path),
        str(view["outcome"]),
        Money(received, currency).format(),
        Money(fee, currency).format(),
        Money(money["paid_out"]["minor"], currency).format(),
        currency,
        len(view["staff"]["open_tasks"]),
        wrong,
    )


def _minor(amount: str, currency: str) -> int:
    """Sums in the stories carry two decimals in every currency."""
    whole, _, rest = amount.partition(".")
    if Money(1, currency).format().find(".") < 0:
        assert not int(rest or "0"), "no fractions of this currency"
        return int(whole)
    return Money.parse(amount, currency).minor


async def books(world: World) -> dict[str, Any]:
    """The trial balance, as finance reads it."""
    found: dict[str, Any] = await world.door.get(world.staff["paula"], "/v1/ledger/trial-balance")
    return found


@dataclass(frozen=True)
class Proof:
    """That nothing is lost: the books agree with the bank, and nothing is unknown."""

    in_balance: bool
    unknown: int
    words: str

    @property
    def ok(self) -> bool:
        return self.in_balance and not self.unknown


async def proof(world: World) -> Proof:
    """The client book against the bank, and orders nobody knows the outcome of."""
    found = await books(world)
    unknown = 0
    for state in ("unknown", "parked"):
        page = await world.door.get(world.staff["oskar"], "/v1/effects", state=state, limit=100)
        unknown += len(page["items"])
    lines = [
        f"Client book {'in balance' if one['in_balance'] else 'NOT IN BALANCE'}:"
        f" assets {one['assets']['text']}, owed {one['liabilities']['text']},"
        f" of it our earned fees {one['due_to_own_book']['text']}."
        for one in found["client_book"]
    ]
    lines += [
        f"The bank {'agrees' if one['agrees'] else 'DISAGREES'}: books"
        f" {one['book_balance']['text']}, statement {one['statement_balance']['text']}."
        for one in found["bank"]
    ]
    agrees = found["in_balance"] and all(one["agrees"] for one in found["bank"])
    return Proof(agrees, unknown, "\n".join(lines))
