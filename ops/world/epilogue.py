"""What is left to try by hand after a play: money nobody knows, a payout to approve, tokens."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from ops.world import consumers, finance
from ops.world.door import Refused
from ops.world.tale import World

STRANGER = ("25.00", "K. Unknown", "thank you")


@dataclass(frozen=True)
class Epilogue:
    """`tokens` by role; `lines` are commands that work as they stand."""

    tokens: tuple[tuple[str, str], ...]
    case_id: str
    claim: dict[str, Any]
    batch_id: str | None
    batch_hash: str

    def lines(self, address: str) -> list[tuple[str, str]]:
        """(what it does, the command)."""
        token = dict(self.tokens)
        site, handler = token["app (our site)"], token["handler"]
        body = json.dumps(self.claim, ensure_ascii=False)
        post = f"curl -s -X POST {address}"
        lines = [
            ("file a case", f"{post}/v1/cases -H 'Authorization: Bearer {site}'"
             f" -H 'Content-Type: application/json' -d '{body}'"),
            ("read a case", f"curl -s {address}/v1/cases/{self.case_id}"
             f" -H 'Authorization: Bearer {site}'"),
            ("take the next task", f"{post}/v1/tasks/next -H 'Authorization: Bearer {handler}'"),
            ("see money without a case", f"curl -s {address}/v1/bank/unallocated"
             f" -H 'Authorization: Bearer {token['finance']}'"),
        ]  # fmt: skip
        if self.batch_id is not None:
            lines.append(
                (
                    "approve a payout",
                    f"{post}/v1/payouts/batches/{self.batch_id}/approve"
                    f" -H 'Authorization: Bearer {token['finance approver']}'"
                    " -H 'Content-Type: application/json'"
                    f' -d \'{{"content_hash": "{self.batch_hash}"}}\'',
                )
            )
        return lines


CLAIM = {
    "claim": {
        "claim_kind": "online_not_delivered", "jurisdiction": "FI", "currency": "EUR",
        "company": {"name": "Slow Parcels Ltd", "country": "FI"},
        "booking_reference": "ORDER-1234",
        "what_happened": "I ordered a kettle in October and it never came.", "language": "en",
        "items": [{"what": "kettle", "kind": "price",
                   "amount": {"amount": "80.00", "currency": "EUR"}}],
    },
    "consumer": {"name": "Anna Example", "email": "anna@people.test", "country": "FI",
                 "language": "en", "address": {"lines": ["Kotikatu 1", "00100 Helsinki"]}},
}  # fmt: skip


async def epilogue(world: World) -> Epilogue:
    """A stranger's money on one more statement; our own fee proposed for payout."""
    amount, name, text = STRANGER
    world.bank.stranger(amount, name, text)
    await finance.import_next_statement(world)
    batch = await _propose_sweep(world)
    first = world.tales[0]
    await consumers.sign_in(world, first.consumers)
    staff = {
        "handler": "anna",
        "senior": "saga",
        "legal": "teemu",
        "finance": "paula",
        "finance approver": "frans",
        "auditor": "ilona",
        "admin": "oskar",
    }
    tokens = [(role, world.staff[who].token) for role, who in staff.items()]
    tokens += [
        ("app (our site)", world.site.token),
        ("app (a partner)", world.partner.token),
        ("consumer", first.consumers[0].token),
    ]
    return Epilogue(
        tuple(tokens),
        first.case_id,
        CLAIM,
        batch["id"] if batch else None,
        batch["content_hash"] if batch else "",
    )


async def _propose_sweep(world: World) -> dict[str, Any] | None:
    """Our earned commission to our own account; None when nothing was earned."""
    door, paula = world.door, world.staff["paula"]
    accounts = await door.get(paula, "/v1/bank/accounts")
    own = next(a["id"] for a in accounts["items"] if a["book"] == "own")
    try:
        item = await door.post(paula, "/v1/payouts/sweeps", {"own_account_id": own})
    except Refused as refused:
        if refused.code == "nothing_to_pay":
            return None
        raise
    batch: dict[str, Any] = await door.post(
        paula, "/v1/payouts/batches", {"item_ids": [item["item_id"]]}
    )
    return batch
