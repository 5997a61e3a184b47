"""Real cases for worker tests: filed, accepted and signed through the engine, never by hand."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from app import engine
from app.crypto import Keyring, load_keyring
from app.db import Database
from app.domain.bank_refs import national_reference
from app.domain.case import Case, Claimant, ClaimItem, Stage
from app.domain.events import CaseAccepted, CaseSubmitted, MandateSigned
from app.ids import new_id, new_reference
from app.moment import read_moment
from app.settings import Settings
from app.tables.banking import BankAccount
from app.tables.effects import EffectRow
from app.tables.people import AgencyProfileRow, ChannelRow, CompanyRow, InstallationRow
from app.tables.work import MandateRow
from app.vault import data_key_row
from letters.rendered import RenderedLetter
from tests.support.agency import LICENCES

PLAYBOOK = "house.fi@1"
PROFILE = {
    "name": "Test Agency Oy", "address_lines": ["Mallikatu 1", "00100 Helsinki"],
    "register_number": "0000000-0", "vat_number": "FI00000000", "signatory": "Aino Esimerkki",
    "language": "en",
    "licences": LICENCES,
}  # fmt: skip
COMPANY_MAIL = "claims@airline.test"
COMPANY_POST = "Airline plc\nHarbour 1\nFI-00100 Helsinki"


class PlainRenderer:
    """A fake of the render pool: the bytes depend on the content alone, as the real ones do."""

    def __init__(self) -> None:
        self.rendered = 0

    async def render(self, content: dict[str, Any]) -> RenderedLetter:
        self.rendered += 1
        pdf = b"%PDF-1.7\n" + repr(sorted(content.items())).encode()
        return RenderedLetter(pdf=pdf, sha256=sha256(pdf).hexdigest(), pages=1)


@dataclass(frozen=True, slots=True)
class Staged:
    case_id: UUID
    reference: str
    claimant_id: UUID
    consumer_id: UUID


async def install(database: Database) -> UUID:
    """The agency, its accounts and one company; returns the company."""
    company = new_id()
    async with database.transaction() as session:
        now = (await read_moment(session)).now
        await session.execute(
            insert(AgencyProfileRow).values(
                version=1, profile=PROFILE, effective_at=now, set_by="test"
            )
        )
        await session.execute(insert(InstallationRow).values(id=1, outgoing_paused=False))
        await session.execute(
            insert(BankAccount).values(
                id=new_id(),
                book="client",
                holder="Test Agency Oy, client funds",
                number="FI2112345600000785",
                bic="TESTFIHH",
                currency="EUR",
                opened_at=now,
            )
        )
        await session.execute(
            insert(CompanyRow).values(
                id=company,
                legal_name="Airline plc",
                brand="Airline",
                country="FI",
                register_number="1",
                sector="air",
                language="en",
                address_lines=["Harbour 1", "Helsinki"],
                status="confirmed",
                kind="business",
                created_at=now,
                version=1,
            )
        )
        for kind, address in (("email", COMPANY_MAIL), ("post", COMPANY_POST)):
            await session.execute(
                insert(ChannelRow).values(
                    id=new_id(),
                    company_id=company,
                    kind=kind,
                    address=address,
                    health="alive",
                    official=True,
                    language="en",
                    source="test",
                    created_at=now,
                    version=1,
                )
            )
    return company


async def file_case(
    database: Database,
    settings: Settings,
    company: UUID,
    *,
    amount_minor: int = 12_300,
    email: str | None = "anna@person.test",
) -> Staged:
    """A case in assessment, filed by its consumer."""
    keyring = load_keyring(settings)
    async with database.transaction() as session:
        moment = await read_moment(session)
        consumer = await _consumer(session, keyring, moment.now, email)
        case_id, claimant_id, item_id = new_id(), new_id(), new_id()
        reference = new_reference()
        case = Case(
            id=case_id, reference=reference, claim_kind="air_fees", jurisdiction="FI",
            currency="EUR", stage=Stage.INTAKE, step=0, opened_at=moment.now, playbook=PLAYBOOK,
            company_known=True, claimants=(Claimant(claimant_id, consumer["id"], 0),),
            items=(ClaimItem(item_id, amount_minor, True, claimant_id),),
        )  # fmt: skip
        new = engine.NewCase(
            case=case, consumers=[],
            columns={
                "payment_ref": national_reference(int(case_id.int % 10**15) + 100),
                "consumer_id": str(consumer["id"]), "company_id": str(company),
                "company_text": "Airline", "booking_ref": "QX7PL2", "what_happened": "Bag fee.",
                "answers": {}, "language": "en", "source": "app",
            },
            claimants=[{
                "id": str(claimant_id), "case_id": str(case_id), "consumer_id": str(consumer["id"]),
                "position": 0, "mandate": "none", "mandate_id": None, "signed_at": None,
                "receives_money": False, "has_account": False,
            }],
            items=[{
                "id": str(item_id), "case_id": str(case_id), "creditor_id": str(claimant_id),
                "position": 0, "kind": "price", "what": "bag fee", "amount_minor": amount_minor,
                "currency": "EUR", "earns_fee": True, "counted": True, "ground": None,
            }],
        )  # fmt: skip
        await engine.create(session, new, CaseSubmitted("consumer"), actor="test", moment=moment)
    return Staged(case_id, reference, claimant_id, consumer["id"])


async def accept_and_sign(database: Database, staged: Staged) -> None:
    """Accepted at contact and signed: the first letter is ordered."""
    async with database.transaction() as session:
        await engine.advance(
            session, staged.case_id,
            CaseAccepted(Stage.CONTACT, "never_in_writing", PLAYBOOK, "staff:test"), actor="test",
        )  # fmt: skip
    async with database.transaction() as session:
        now = (await read_moment(session)).now
        mandate = new_id()
        await session.execute(
            insert(MandateRow).values(
                id=mandate,
                case_id=staged.case_id,
                claimant_id=staged.claimant_id,
                level="typed",
                signed_name="Anna",
                text_version="1",
                fee_rule="standard-2026",
                scope=[],
                receives_money=True,
                shown={},
                signed_at=now,
                filed_by="consumer",
            )
        )
        await engine.advance(
            session, staged.case_id, MandateSigned(staged.claimant_id, mandate), actor="test"
        )


async def signed_case(
    database: Database, settings: Settings, company: UUID, **values: Any
) -> Staged:
    staged = await file_case(database, settings, company, **values)
    await accept_and_sign(database, staged)
    return staged


async def _consumer(
    session: AsyncSession, keyring: Keyring, now: Any, email: str | None
) -> dict[str, Any]:
    known = await session.execute(text("SELECT id FROM consumers WHERE email = :e"), {"e": email})
    if email is not None and (found := known.scalar()) is not None:
        return {"id": found}
    consumer_id = new_id()
    cipher, key = data_key_row(keyring, consumer_id, now)
    lines = cipher.encrypt(
        "Koivukuja 4\n33100 Tampere", column="consumers.address_cipher", row_id=consumer_id
    )
    await session.execute(
        text(
            "INSERT INTO data_keys (subject_id, key_id, wrapped, created_at)"
            " VALUES (:subject_id, :key_id, :wrapped, :created_at)"
        ),
        key,
    )
    await session.execute(
        text(
            "INSERT INTO consumers (id, name, email, by_post, language, country, address_cipher,"
            " created_at, version) VALUES (:id, 'Anna Esimerkki', :email, :by_post, 'en', 'FI',"
            " :lines, :now, 1)"
        ),
        {"id": consumer_id, "email": email, "by_post": email is None, "lines": lines, "now": now},
    )
    return {"id": consumer_id}


async def effects_of(database: Database, case_id: UUID | None = None) -> list[Any]:
    """The journal, oldest first."""
    async with database.read() as session:
        query = select(EffectRow).order_by(EffectRow.id)
        if case_id is not None:
            query = query.where(EffectRow.case_id == case_id)
        return list((await session.execute(query)).scalars())


async def states(database: Database, case_id: UUID) -> list[tuple[str, str]]:
    return [(e.kind, e.state) for e in await effects_of(database, case_id)]


async def move_clock(database: Database, ahead: timedelta) -> None:
    """Business time jumps ahead of wall time by so much."""
    async with database.transaction() as session:
        await session.execute(
            text(
                "INSERT INTO clock_offset (id, seconds) VALUES (1, :s)"
                " ON CONFLICT (id) DO UPDATE SET seconds = clock_offset.seconds + :s"
            ),
            {"s": int(ahead.total_seconds())},
        )
