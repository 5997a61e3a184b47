"""A finance office for tests of the API: two people, a client account, and a bank that sends
statements. Everything goes through the doors."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import httpx
from sqlalchemy import text

from app.clock import wall_now
from app.db import Database
from app.domain.case import Stage
from tests.banking.statements import IBAN, Line, camt053, statement
from tests.support.cases import Made, make_case
from tests.support.http import Caller, session_of, staff
from tests.support.staff_work import one

CONSUMER_IBAN = "FI1410093000123458"
PAYER_IBAN = "DE89370400440532013000"
XML = {"Content-Type": "application/xml"}


@dataclass
class Office:
    """`clerk` prepares, `approver` approves. The bank's balance and statement number run on."""

    client: httpx.AsyncClient
    database: Database
    clerk: Caller
    approver: Caller
    account: str = ""
    closing: int = 0
    number: int = 0
    day: date = field(
        default_factory=lambda: wall_now().astimezone(ZoneInfo("Europe/Helsinki")).date()
    )

    async def post(
        self,
        path: str,
        body: Any = None,
        *,
        by: Caller | None = None,
        expect: int | None = None,
        headers: dict[str, str] | None = None,
    ) -> httpx.Response:
        answer = await self.client.post(
            f"/v1{path}", json=body, headers=(by or self.clerk).auth | (headers or {})
        )
        assert expect is None or answer.status_code == expect, answer.text
        return answer

    async def get(self, path: str, *, by: Caller | None = None, **params: Any) -> Any:
        answer = await self.client.get(f"/v1{path}", headers=(by or self.clerk).auth, params=params)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def file(self, *lines: Line) -> bytes:
        """The bank's next statement with these lines."""
        self.number += 1
        raw = camt053(
            statement(
                lines,
                opening=self.closing,
                ident=f"S{self.number}",
                sequence=self.number,
                day=self.day,
            )
        )
        self.closing += sum(line.minor for line in lines)
        return raw

    async def send_file(self, raw: bytes, *, by: Caller | None = None) -> httpx.Response:
        return await self.client.post(
            "/v1/bank/statements", content=raw, headers=(by or self.clerk).auth | XML
        )

    async def bank(self, *lines: Line) -> dict[str, Any]:
        """The bank sends a statement, finance imports it."""
        answer = await self.send_file(self.file(*lines))
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    async def received(self, minor: int, **details: Any) -> str:
        """Money came; returns its movement."""
        done = await self.bank(Line(minor, name="Slow Parcels Ltd", account=PAYER_IBAN, **details))
        return str(done["receipts"][0])

    async def allocate(self, movement: str, case: Made, **more: Any) -> dict[str, Any]:
        answer = await self.post(
            f"/bank/movements/{movement}/allocations", {"case_id": str(case.id)} | more, expect=201
        )
        return dict(answer.json())

    async def give_account(self, case: Made, at: int = 0, iban: str = CONSUMER_IBAN) -> None:
        who = await session_of(self.database, case.consumer_ids[at])
        answer = await self.client.put(
            f"/v1/cases/{case.id}/claimants/{case.claimant_ids[at]}/payout-account",
            headers=who.auth,
            json={"rail": "sepa", "holder": "Anna Virtanen", "iban": iban},
        )
        assert answer.status_code == 200, answer.text

    async def batch(self, **body: Any) -> dict[str, Any]:
        answer = await self.post("/payouts/batches", body or {"all": True}, expect=201)
        return dict(answer.json())

    async def approve(self, batch: dict[str, Any], by: Caller | None = None) -> httpx.Response:
        return await self.post(
            f"/payouts/batches/{batch['id']}/approve",
            {"content_hash": batch["content_hash"]},
            by=by or self.approver,
        )

    async def paid(self, batch: dict[str, Any]) -> dict[str, Any]:
        """The bank executes an approved batch."""
        return await self.bank(
            *[
                Line(-item["amount"]["minor"], end_to_end_id=item["end_to_end_id"])
                for item in batch["items"]
            ]
        )

    async def case(self, case: Made) -> Any:
        return await one(self.database, "SELECT * FROM cases WHERE id = :id", id=case.id)

    async def reference(self, case: Made) -> str:
        return str((await self.case(case)).payment_ref)

    async def tasks(self, case: Made, kind: str) -> list[str]:
        async with self.database.read() as session:
            rows = await session.execute(
                text("SELECT state FROM tasks WHERE case_id = :id AND kind = :kind ORDER BY id"),
                {"id": case.id, "kind": kind},
            )
            return list(rows.scalars())

    async def check(self) -> dict[str, Any]:
        """What must hold after everything: both books and the bank agree."""
        found = dict(await self.get("/ledger/trial-balance"))
        assert found["in_balance"], found
        assert found["bank"][0]["statement_balance"]["minor"] == self.closing
        return found


async def open_office(client: httpx.AsyncClient, database: Database) -> Office:
    office = Office(
        client,
        database,
        await staff(database, "finance"),
        await staff(database, "finance_approver"),
    )
    opened = await office.post(
        "/bank/accounts",
        {
            "book": "client",
            "holder": "Recourse Oy clients",
            "number": IBAN,
            "currency": "EUR",
        },
        by=office.approver,
        expect=201,
    )
    office.account = opened.json()["id"]
    return office


async def running_case(database: Database, *amounts: int, **wish: Any) -> Made:
    """A case we wrote about some weeks ago."""
    return await make_case(
        database, stage=Stage.REMINDER, letter="delivered", amounts=amounts or (100_00,), **wish
    )


async def move_clock(database: Database, delta: timedelta) -> None:
    """Business time goes on."""
    async with database.transaction() as session:
        await session.execute(
            text(
                "INSERT INTO clock_offset (id, seconds) VALUES (1, :s)"
                " ON CONFLICT (id) DO UPDATE SET seconds = excluded.seconds"
            ),
            {"s": int(delta.total_seconds())},
        )
