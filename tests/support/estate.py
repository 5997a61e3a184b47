"""A world with one of everything, twice: what Anna has, and what Berta has.

Built through the doors that people use (HTTP) and the facts that workers bring (the engine), so
that every path parameter has an id of somebody and the same of somebody else. `SAMPLES` says how
each operation is called well.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import yaml
from sqlalchemy import insert, select, text

from app import engine
from app.clock import wall_now
from app.correspondence.attachments import Attached, keep_attached
from app.correspondence.filing import store_raw
from app.crypto import load_keyring
from app.db import Database
from app.documents.store import open_store
from app.domain import events as e
from app.ids import new_id
from app.passwords import new_totp_secret
from app.settings import Settings
from app.tables.correspondence import MessageRow
from app.tables.security import Staff
from app.vault import create_cipher
from tests.support.agency import licensed
from tests.support.cases import ANSWERS, make_company
from tests.support.clear_papers import put_in_clear
from tests.support.estate_link import letter_link
from tests.support.estate_money import money
from tests.support.http import Caller, api_key, body_of_app, session_of, staff
from tests.support.signing import signature_of

_BLANK = re.compile(r"{([a-z0-9_]+)}")
# Where the first row of a case's things is found; the name is that of the path parameter.
_OF_CASE = {
    "claimant_id": "claimants",
    "letter_id": "letters",
    "mandate_id": "mandates",
    "question_id": "questions",
    "offer_id": "offers",
    "evidence_id": "evidence",
    "report_id": "direct_payments",
    "effect_id": "effects",
}
_VERSIONED = {
    "case_id": "cases",
    "staff_id": "staff",
    "company_id": "companies",
    "channel_id": "channels",
}


@cache
def samples() -> dict[str, dict[str, Any]]:
    """How each operation is called well, by operation id."""
    content = yaml.safe_load((Path(__file__).parent / "operations.yaml").read_text("utf-8"))
    return dict(content)


@dataclass(slots=True)
class Estate:
    """What one consumer has. `words` are theirs alone: whoever reads one has read of their case."""

    consumer: Caller
    app: Caller
    handler: Caller
    ids: dict[str, str] = field(default_factory=dict)
    words: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class World:
    """Everybody and everything. `common` are ids that belong to nobody in particular."""

    anna: Estate
    berta: Estate
    common: dict[str, str]
    staff: dict[str, Caller]
    versions: dict[str, int]

    def ids(self, estate: Estate | None) -> dict[str, str]:
        """Ids by name for paths and bodies; those of nobody when there is no estate."""
        own = estate.ids if estate else {name: str(new_id()) for name in self.anna.ids}
        return self.common | own | moments()

    def if_match(self, path: str, ids: dict[str, str]) -> str:
        """The ETag an operation at this path wants: that of the first thing the path names."""
        first = _BLANK.search(path)
        return f'"{self.versions.get(ids[first[1]] if first else "agency", 1)}"'


async def give_codes(database: Database, settings: Settings) -> None:
    """Every colleague made directly gets a data key and a secret for one-time codes."""
    keyring = load_keyring(settings)
    async with database.transaction() as session:
        bare = (await session.scalars(select(Staff).where(Staff.totp_secret == b"-"))).all()
        for person in bare:
            cipher = await create_cipher(session, keyring, person.id, at=person.created_at)
            person.totp_secret = cipher.encrypt(
                new_totp_secret(), column="staff.totp_secret", row_id=person.id
            )


def moments() -> dict[str, str]:
    now = wall_now()
    return {
        "today": now.date().isoformat(),
        "far_day": (now + timedelta(days=700)).date().isoformat(),
        "now": now.isoformat(),
        "instant_in_5_days": (now + timedelta(days=5)).isoformat(),
        "instant_in_60_days": (now + timedelta(days=60)).isoformat(),
    }


def filled(value: Any, ids: dict[str, str]) -> Any:
    """The value with each word in braces replaced. Raises KeyError for one nobody knows."""
    if isinstance(value, str):
        return _BLANK.sub(lambda found: ids[found[1]], value)
    if isinstance(value, list):
        return [filled(item, ids) for item in value]
    if isinstance(value, dict):
        return {key: filled(item, ids) for key, item in value.items()}
    return value


class Builder:
    """Makes the world, one call after the other."""

    def __init__(self, client: httpx.AsyncClient, database: Database, settings: Settings) -> None:
        self.client, self.database, self.settings = client, database, settings
        self.senior: Caller

    async def build(self) -> World:
        people = {
            role: await staff(self.database, role)
            for role in ("senior", "legal", "finance", "finance_approver", "auditor", "admin")
        }
        self.senior = people["senior"]
        anna = await self.estate("Anna", "Kivikatu 17", "FI1410093000123458")
        berta = await self.estate("Berta", "Sumukatu 23", "FI4250001510000023")
        common = await self._common() | await money(
            self.client,
            people["finance"],
            people["finance_approver"],
            [anna.ids["case_id"], berta.ids["case_id"]],
        )
        common["token"] = anna.ids.pop("token")  # who has it, has the document
        common["answer_token"] = anna.ids.pop("answer_token")
        berta.ids.pop("token"), berta.ids.pop("answer_token")
        await give_codes(self.database, self.settings)
        world = World(anna, berta, common, people, {})
        async with self.database.read() as session:
            for table in _VERSIONED.values():
                rows = await session.execute(text(f"SELECT id, version FROM {table}"))
                world.versions |= {str(row.id): row.version for row in rows}
        return world

    async def estate(self, first_name: str, street: str, iban: str) -> Estate:
        """A case in contact with one of everything on it, owned all through."""
        app, handler = await api_key(self.database), await staff(self.database, "handler")
        words = {
            "name": f"{first_name} Omistaja",
            "email": f"{first_name.lower()}.own@people.test",
            "street": street,
            "iban": iban,
            "birth_date": "1971-03-04",
            "booking": f"BOOKED-{first_name.upper()}",
            "story": f"The parcel of {first_name.lower()} fell off the lorry.",
        }
        case_id, consumer_id = await self._filed(app, words)
        estate = Estate(
            await session_of(self.database, consumer_id, words["email"]),
            app,
            handler,
            {"case_id": str(case_id), "key": f"hold-{first_name.lower()}"},
            words,
        )
        await self._worked(estate)
        await self._collect(estate)
        return estate

    async def _filed(self, app: Caller, words: dict[str, str]) -> tuple[UUID, UUID]:
        async with self.database.transaction() as session:
            company_id = await make_company(session)
            await licensed(session, wall_now())
        body = body_of_app(
            answers=dict(ANSWERS),
            company={"company_id": str(company_id)},
            booking_reference=words["booking"],
            what_happened=words["story"],
        )
        body["consumer"] |= {
            "name": words["name"],
            "email": words["email"],
            "birth_date": words["birth_date"],
            "address": {"lines": [words["street"], "00100 Helsinki"]},
        }
        answer = await self.client.post("/v1/cases", headers=app.auth, json=body)
        assert answer.status_code == 201, answer.text
        case_id = UUID(answer.json()["id"])
        async with self.database.read() as session:
            consumer_id = await session.scalar(
                text("SELECT consumer_id FROM cases WHERE id = :id"), {"id": case_id}
            )
        assert isinstance(consumer_id, UUID)
        return case_id, consumer_id

    async def _worked(self, estate: Estate) -> None:
        """Accepted, signed, the first letter delivered, then everything that can lie on a case."""
        case, owner, senior = f"/v1/cases/{estate.ids['case_id']}", estate.consumer, self.senior
        await self.do(senior, "POST", f"{case}/assessment", samples()["assess_case"]["body"])
        await self.do(senior, "POST", f"{case}/reassign", {"handler_id": str(estate.handler.id)})
        await self._ids(estate, "claimant_id")
        account = {"rail": "sepa", "holder": estate.words["name"], "iban": estate.words["iban"]}
        claimant = estate.ids["claimant_id"]
        await self.do(owner, "PUT", f"{case}/claimants/{claimant}/payout-account", account)
        summary = await self.client.get(f"{case}/fee-summary", headers=owner.auth)
        await self.do(
            owner,
            "POST",
            f"{case}/mandates",
            signature_of(summary.json(), claimant, estate.words["name"]),
        )
        await self._ids(estate, "letter_id")
        await self._letter_went(estate)
        upload = await self.client.post(
            f"{case}/evidence",
            params={"what": "receipt", "file_name": "receipt.txt"},
            headers=owner.auth | {"Content-Type": "text/plain"},
            content=b"Paid: 85.60 EUR",
        )
        assert upload.status_code == 201, upload.text
        for path, body in (
            (
                "answers",
                {
                    "kind": "offered",
                    "amount": {"amount": "40.00", "currency": "EUR"},
                    "words": "We can give you a part.",
                },
            ),
            ("questions", samples()["ask_question"]["body"]),
            (
                "holds",
                filled(samples()["hold_case"]["body"], moments()) | {"key": estate.ids["key"]},
            ),
        ):
            await self.do(senior, "POST", f"{case}/{path}", body)
        await self.do(
            owner,
            "POST",
            f"{case}/direct-payments",
            {"amount": {"amount": "5.00", "currency": "EUR"}, "paid_on": moments()["today"]},
        )
        await self.do(owner, "POST", f"{case}/messages", {"text": estate.words["story"]})

    async def _letter_went(self, estate: Estate) -> None:
        """What the workers report: made, handed over, delivered; the document is in the store."""
        case_id, letter_id = UUID(estate.ids["case_id"]), UUID(estate.ids["letter_id"])
        content = f"%PDF-1.7 for {estate.words['name']}".encode()
        digest = await put_in_clear(open_store(self.settings), content)
        assert digest == sha256(content).hexdigest()
        now = wall_now()
        facts = (
            e.LetterRendered(letter_id=letter_id, step=0, sha256=digest),
            e.LetterHandedOver(letter_id=letter_id, at=now, provider="smtp"),
            e.LetterDelivered(letter_id=letter_id, at=now, grade="recipient_server"),
        )
        for fact in facts:
            async with self.database.transaction() as session:
                if isinstance(fact, e.LetterRendered):
                    step = await session.scalar(
                        text("SELECT step FROM letters WHERE id = :id"), {"id": letter_id}
                    )
                    fact = e.LetterRendered(letter_id=letter_id, step=step or 0, sha256=digest)
                await engine.advance(session, case_id, fact, actor="system")

    async def _collect(self, estate: Estate) -> None:
        await self._ids(estate, *_OF_CASE)
        case_id = estate.ids["case_id"]
        async with self.database.transaction() as session:
            row = (
                await session.execute(
                    text(
                        "SELECT c.reference, t.id FROM cases c JOIN tasks t ON t.case_id = c.id"
                        " AND t.state = 'open' AND t.role = 'handler' WHERE c.id = :id"
                        " ORDER BY t.id LIMIT 1"
                    ),
                    {"id": case_id},
                )
            ).one()
            message_id, inbound_id = new_id(), new_id()
            paper = b"%PDF-1.4 what they sent"
            digest = await put_in_clear(open_store(self.settings), paper)
            await store_raw(
                session, load_keyring(self.settings), row_id=inbound_id, provider="smtp",
                external_id=str(inbound_id), raw=b"x",
                digest=digest, envelope_to=None, envelope_from=None,
            )  # fmt: skip
            await session.execute(
                text("UPDATE inbound SET state = 'done' WHERE id = :id"), {"id": inbound_id}
            )
            await keep_attached(
                session, inbound_id,
                [Attached("offer.pdf", "application/pdf", "application/pdf", len(paper), digest,
                          "unscanned")],
            )  # fmt: skip
            attachment_id = await session.scalar(
                text("SELECT id FROM attachments WHERE inbound_id = :id"), {"id": inbound_id}
            )
            await session.execute(
                insert(MessageRow).values(
                    id=message_id,
                    inbound_id=inbound_id,
                    case_id=None,
                    direction="in",
                    channel="email",
                    sender="unknown",
                    from_address="who@else.example",
                    to_address="post@agency.test",
                    subject="Re",
                    text="About my parcel.",
                    html="<p>About my parcel.</p>",
                    automatic=False,
                    state="pen",
                    pen_reasons=["no_case_address"],
                    received_at=wall_now(),
                )
            )
            estate.ids |= await letter_link(session, estate.ids, paper)
        estate.words["reference"] = row.reference
        estate.ids |= {"task_id": str(row.id), "message_id": str(message_id)}
        estate.ids["attachment_id"] = str(attachment_id)

    async def _ids(self, estate: Estate, *names: str) -> None:
        async with self.database.read() as session:
            for name in names:
                found = await session.scalar(
                    text(
                        f"SELECT id FROM {_OF_CASE[name]} WHERE case_id = :id ORDER BY id LIMIT 1"
                    ),
                    {"id": estate.ids["case_id"]},
                )
                assert found is not None, f"the case has nothing for {name}"
                estate.ids[name] = str(found)

    async def _common(self) -> dict[str, str]:
        """A colleague, a key, a company with a channel, and a case of the pool."""
        colleague, key = await staff(self.database, "handler"), await api_key(self.database)
        shop = await api_key(self.database)
        body = body_of_app(booking_reference="POOL-1")
        body["consumer"]["email"] = "pool@people.test"
        filed = await self.client.post("/v1/cases", headers=shop.auth, json=body)
        assert filed.status_code == 201, filed.text
        async with self.database.transaction() as session:
            company_id = await make_company(session, name="Common Parcels Ltd")
            channel_id = await session.scalar(
                text("SELECT id FROM channels WHERE company_id = :id LIMIT 1"), {"id": company_id}
            )
        return {
            "staff_id": str(colleague.id),
            "key_id": str(key.id),
            "company_id": str(company_id),
            "channel_id": str(channel_id),
            "pool_case_id": filed.json()["id"],
            "name": "app.js",
        }

    async def do(self, who: Caller, method: str, path: str, body: Any) -> Any:
        """A call that must work, with the version that stands now."""
        async with self.database.read() as session:
            version = await session.scalar(
                text("SELECT version FROM cases WHERE id = :id"), {"id": path.split("/")[3]}
            )
        answer = await self.client.request(method, path, headers=who.at(version or 0), json=body)
        assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json()
