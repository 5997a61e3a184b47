"""The money side of the prepared world: accounts, a statement, allocations and a batch to approve.

Through the API alone: finance and the approver do what they do in an office.
"""

from __future__ import annotations

from typing import Any

import httpx

from app.clock import wall_now
from tests.banking.statements import Line, camt053, statement
from tests.support.http import Caller

CLIENT_IBAN, OWN_IBAN = "FI2112345600000785", "FI4950009420028730"


AN_ENTRY = {
    "kind": "partner_share", "amount": {"amount": "3.00", "currency": "EUR"},
    "reason": "share of March", "partner": "partner-1",
}  # fmt: skip


async def money(
    client: httpx.AsyncClient, finance: Caller, approver: Caller, case_ids: list[str]
) -> dict[str, str]:
    """Ids by name: what came in for each case, what is unallocated, and a proposed batch."""

    async def post(who: Caller, path: str, body: Any) -> dict[str, Any]:
        answer = await client.post(path, headers=who.auth, json=body)
        assert answer.is_success, f"{path}: {answer.status_code} {answer.text}"
        return dict(answer.json())

    found = {}
    for name, book, number, currency in (
        ("bank_account_id", "client", CLIENT_IBAN, "EUR"),
        ("own_account_id", "own", OWN_IBAN, "EUR"),
        ("client_account_id", "client", OWN_IBAN, "SEK"),  # no statement of it has come yet
    ):
        opened = await post(
            approver,
            "/v1/bank/accounts",
            {"book": book, "holder": "Recourse Test", "number": number, "currency": currency},
        )
        found[name] = opened["id"]
    came = [
        Line(
            20_00 + at,
            text=f"payment {at}",
            name="Parcels Ltd",
            account="FI6210171000000122",
            bank_ref=f"B{at}",
        )
        for at in range(len(case_ids) + 1)
    ]
    total = sum(line.minor for line in came)
    sent = await client.post(
        "/v1/bank/statements",
        headers=finance.auth | {"Content-Type": "application/xml"},
        content=file_of(came, 0, 1),
    )
    assert sent.status_code == 200, sent.text
    found["import_id"] = await waiting_import(client, finance, total)
    *movements, unallocated = sent.json()["receipts"]
    for case_id, movement in zip(case_ids, movements, strict=True):
        done = await post(
            finance, f"/v1/bank/movements/{movement}/allocations", {"case_id": case_id}
        )
        found["allocation_id"] = done["allocation_id"]
    batch = await post(finance, "/v1/payouts/batches", {"all": True})
    entry = await post(finance, "/v1/finance/entries", AN_ENTRY)
    invoices = await client.get("/v1/invoices", headers=finance.auth)
    found |= {
        "movement_id": unallocated,
        "batch_id": batch["id"],
        "entry_id": entry["id"],
        "batch_hash": batch["content_hash"],
        "item_id": batch["items"][0]["id"],
        "invoice_id": next((i["id"] for i in invoices.json()["items"]), ""),
        "statement": file_of([Line(7_00, text="more", bank_ref="B9")], total, 2).decode(),
    }
    return found


async def waiting_import(client: httpx.AsyncClient, finance: Caller, total: int) -> str:
    """A statement that came too early."""
    sent = await client.post(
        "/v1/bank/statements",
        headers=finance.auth | {"Content-Type": "application/xml"},
        content=file_of([Line(1_00)], total + 99_00, 9),
    )
    assert sent.json()["state"] == "waiting", sent.text
    return str(sent.json()["import_id"])


def file_of(lines: list[Line], opening: int, number: int) -> bytes:
    return camt053(
        statement(
            lines,
            opening=opening,
            ident=f"S{number}",
            sequence=number,
            day=wall_now().date(),
            iban=CLIENT_IBAN,
        )
    )
