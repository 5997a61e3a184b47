"""Cases for tests, walked to a stage by the facts that lead there. No row is bent by hand.

    made = await make_case(database, stage=Stage.FORMAL_NOTICE, letter="to_approve")

Facts carry the times at which they would have happened: a case that has waited began in the past,
so that its story ends about now.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from hashlib import sha256
from typing import Any, Literal

from sqlalchemy import insert, text
from sqlalchemy.ext.asyncio import AsyncSession

from app import engine
from app.clock import wall_now
from app.db import Database
from app.domain import events as e
from app.domain.bank_refs import national_reference
from app.domain.case import Case, Claimant, ClaimItem, LetterState, Outcome, Stage, TimerKind
from app.domain.playbook import AgencyProfile
from app.ids import new_id, new_reference
from app.moment import Moment
from app.playbooks import book
from app.tables.people import ChannelRow, CompanyRow
from app.tables.work import MandateRow
from tests.support.agency import licensed

Letter = Literal["rendering", "to_approve", "released", "sent", "delivered"]
BY_RULE = "system"
LADDER = (Stage.CONTACT, Stage.REMINDER, Stage.FORMAL_NOTICE, Stage.COMPLAINT)
# Days before now at which a case begins, so that its deadlines have passed by now.
BEGINS = {
    Stage.REMINDER: 25,
    Stage.FORMAL_NOTICE: 50,
    Stage.COMPLAINT: 110,
    Stage.SETTLEMENT: 5,
    Stage.CLOSED: 5,
}

# Of a parcel that never came: nobody else at work on it, more time given in vain, ended.
ANSWERS = {
    "other_routes": [],
    "extra_time_until": "2026-09-15",
    "cancelled_on": "2026-09-20",
}


@dataclass(slots=True)
class Made:
    """A case as it stands, and the ids a test needs. `version` is the ETag's number."""

    case: Case
    version: int
    claimant_ids: list[uuid.UUID]
    consumer_ids: list[uuid.UUID]
    company_id: uuid.UUID

    @property
    def id(self) -> uuid.UUID:
        return self.case.id

    @property
    def reference(self) -> str:
        return self.case.reference

    @property
    def etag(self) -> dict[str, str]:
        return {"If-Match": f'"{self.version}"'}

    @property
    def letter_id(self) -> uuid.UUID:
        assert self.case.letter is not None, "this case has no letter"
        return self.case.letter.id

    @property
    def sha256(self) -> str:
        assert self.case.letter is not None and self.case.letter.sha256, "no document yet"
        return self.case.letter.sha256


@dataclass(frozen=True, slots=True)
class Wish:
    """What the case to make should be like. Amounts in minor units, one line each."""

    stage: Stage = Stage.ASSESSMENT
    letter: Letter | None = None
    currency: str = "EUR"
    jurisdiction: str = "FI"
    claim_kind: str = "online_not_delivered"
    amounts: Sequence[int] = (120_00,)
    claimants: int = 1
    consumer_ids: Sequence[uuid.UUID] = ()
    names: Sequence[str] = ("Anna Virtanen",)
    company_id: uuid.UUID | None = None
    company_name: str = "Slow Parcels Ltd"
    company_known: bool = True
    handler_id: uuid.UUID | None = None
    decided_by: str = "staff:00000000-0000-7000-8000-000000000001"
    entry_stage: Stage = Stage.CONTACT
    limitation_on: date | None = None
    source: str = "consumer"
    answers: dict[str, Any] = field(default_factory=lambda: dict(ANSWERS))


async def make_case(database: Database, **wish: Any) -> Made:
    """A case at `stage` (and, on the ladder, with its letter as far as `letter` says)."""
    async with database.transaction() as session:
        return await build_case(session, Wish(**wish))


async def build_case(session: AsyncSession, wish: Wish) -> Made:
    """The same inside a transaction of the caller."""
    await licensed(session, wall_now())
    walk = Walk(session, wish, wall_now() - timedelta(days=BEGINS.get(wish.stage, 0)))
    await walk.begin()
    await walk.climb()
    version = (
        await session.execute(
            text("SELECT version FROM cases WHERE id = :id"), {"id": walk.case.id}
        )
    ).scalar_one()
    return Made(
        walk.case, version, [c.id for c in walk.case.claimants], walk.consumer_ids, walk.company_id
    )


async def make_company(
    session: AsyncSession,
    *,
    name: str = "Slow Parcels Ltd",
    status: str = "confirmed",
    email: str | None = None,
) -> uuid.UUID:
    """A company with a mail and a postal channel."""
    company_id, at = new_id(), wall_now()
    await session.execute(
        insert(CompanyRow).values(
            id=company_id,
            legal_name=name,
            brand=name,
            country="FI",
            register_number=f"FI-{company_id.hex[-8:]}",
            sector=None,
            language="en",
            address_lines=["Harbour Street 1", "00100 Helsinki"],
            status=status,
            kind="business" if status == "confirmed" else None,
            confirmed_by=None,
            confirmed_at=at if status == "confirmed" else None,
            created_at=at,
            version=1,
        )
    )
    for kind, address in (
        ("email", email or f"claims@c{company_id.hex[-8:]}.example"),
        ("post", "Harbour Street 1\n00100 Helsinki"),
    ):
        await session.execute(
            insert(ChannelRow).values(
                id=new_id(),
                company_id=company_id,
                kind=kind,
                address=address,
                health="alive",
                official=True,
                language="en",
                source="their own site",
                last_success_at=None,
                last_error=None,
                created_at=at,
                version=1,
            )
        )
    return company_id


def consumer_row(consumer_id: uuid.UUID, name: str, at: datetime) -> dict[str, Any]:
    return {
        "id": str(consumer_id),
        "name": name,
        "email": f"c{consumer_id.hex[-10:]}@people.test",
        "by_post": False,
        "language": "en",
        "country": "FI",
        "address_cipher": None,
        "birth_date_cipher": None,
        "heartbeat_days": None,
        "created_at": at.isoformat(),
        "version": 1,
    }


class Walk:
    """One case on its way; `now` is the time of the next fact."""

    case: Case

    def __init__(self, session: AsyncSession, wish: Wish, begins: datetime) -> None:
        self.session, self.wish, self.now = session, wish, begins
        self.consumer_ids = list(wish.consumer_ids)
        self.company_id = wish.company_id or uuid.UUID(int=0)

    def moment(self) -> Moment:
        """Mail and bank were read up to this instant: nothing is blind."""
        line = AgencyProfile({"EUR": 50_000}).approval_line_minor
        return Moment(
            now=self.now,
            mail_read_until=self.now,
            bank_read_until=self.now,
            outgoing_paused=False,
            profile_version=1,
            profile={"approval_line_minor": dict(line)},
        )

    async def fact(self, event: e.Event, *, actor: str = BY_RULE) -> None:
        self.case = await engine.advance(
            self.session, self.case.id, event, actor=actor, moment=self.moment()
        )

    async def begin(self) -> None:
        wish = self.wish
        if wish.company_id is None:
            self.company_id = await make_company(
                self.session,
                name=wish.company_name,
                status="confirmed" if wish.company_known else "candidate",
            )
        new_people = []
        while len(self.consumer_ids) < wish.claimants:
            consumer_id = new_id()
            name = wish.names[len(self.consumer_ids) % len(wish.names)]
            new_people.append(consumer_row(consumer_id, name, self.now))
            self.consumer_ids.append(consumer_id)
        new = self._new(new_people)
        drafted = wish.stage is Stage.INTAKE
        self.case = await engine.create(
            self.session,
            new,
            e.CaseDrafted() if drafted else e.CaseSubmitted(filed_by="consumer"),
            actor=f"consumer:{self.consumer_ids[0]}",
            moment=self.moment(),
        )
        if wish.handler_id is not None:
            await self.fact(
                e.CaseReassigned(handler_id=wish.handler_id, by=wish.decided_by),
                actor=wish.decided_by,
            )
            await self.session.execute(
                text(
                    "UPDATE tasks SET assignee_id = :who WHERE case_id = :id"
                    " AND role = 'handler' AND state = 'open'"
                ),
                {"who": wish.handler_id, "id": self.case.id},
            )

    def _new(self, people: list[dict[str, Any]]) -> engine.NewCase:
        wish, case_id = self.wish, new_id()
        claimants = tuple(
            Claimant(id=new_id(), consumer_id=consumer_id, position=at)
            for at, consumer_id in enumerate(self.consumer_ids)
        )
        items = tuple(
            ClaimItem(
                id=new_id(),
                amount_minor=minor,
                earns_fee=True,
                creditor_id=claimants[at % len(claimants)].id,
            )
            for at, minor in enumerate(wish.amounts)
        )
        playbook = book.choose(
            claim_kind=wish.claim_kind, jurisdiction=wish.jurisdiction, on=self.now.date()
        )
        case = Case(
            id=case_id,
            reference=new_reference(),
            claim_kind=wish.claim_kind,
            jurisdiction=wish.jurisdiction,
            currency=wish.currency,
            stage=Stage.INTAKE,
            step=0,
            opened_at=self.now,
            playbook=playbook.key,
            company_known=wish.company_known,
            claimants=claimants,
            items=items,
        )
        columns = {
            "payment_ref": national_reference(case_id.int % 10**15),
            "consumer_id": str(self.consumer_ids[0]),
            "company_id": str(self.company_id) if wish.company_known else None,
            "company_text": wish.company_name,
            "booking_ref": None,
            "what_happened": "The parcel never came.",
            "answers": dict(wish.answers),
            "language": "en",
            "source": wish.source,
        }
        return engine.NewCase(
            case=case,
            columns=columns,
            consumers=people,
            claimants=[_claimant_row(c, case_id) for c in claimants],
            items=[_item_row(i, at, case_id, wish.currency) for at, i in enumerate(items)],
        )

    async def climb(self) -> None:
        """To the stage asked for, one fact after the other."""
        stage = self.wish.stage
        if stage in (Stage.INTAKE, Stage.ASSESSMENT):
            return
        await self._accept()
        if stage is Stage.AGREEMENT:
            return
        await self._sign()
        for here in LADDER[LADDER.index(self.case.stage) :]:
            if stage is here or stage not in LADDER:
                await self._letter(
                    self.wish.letter or ("rendering" if stage is here else "delivered")
                )
                break
            await self._letter("delivered")
            await self._deadline()
        if stage is Stage.SETTLEMENT:
            await self.fact(
                e.CompanyPromised(
                    promise_id=new_id(),
                    amount_minor=self.case.claimed_minor,
                    promised_date=self.now.date() + timedelta(days=20),
                    whole=True,
                    decided_by=self.wish.decided_by,
                ),
                actor=self.wish.decided_by,
            )
        elif stage is Stage.CLOSED:
            await self.fact(
                e.CaseClosed(
                    outcome=Outcome.UNECONOMIC, reason="test", decided_by=self.wish.decided_by
                ),
                actor=self.wish.decided_by,
            )

    async def _accept(self) -> None:
        if not self.case.company_known:
            raise ValueError("a case against an unknown company stays in assessment")
        await self.fact(
            e.CaseAccepted(
                entry_stage=self.wish.entry_stage,
                entry_reason="no_complaint_yet",
                playbook=self.case.playbook,
                decided_by=self.wish.decided_by,
                mode="A" if self.wish.currency == "EUR" else "B",
                limitation_on=self.wish.limitation_on,
            ),
            actor=self.wish.decided_by,
        )

    async def _sign(self) -> None:
        for claimant in self.case.claimants:
            mandate_id = new_id()
            await self.session.execute(
                insert(MandateRow).values(
                    id=mandate_id,
                    case_id=self.case.id,
                    claimant_id=claimant.id,
                    level="typed",
                    signed_name="Anna Virtanen",
                    text_version="mandate-1",
                    fee_rule="standard-2026",
                    scope=["this_claim"],
                    receives_money=True,
                    shown={},
                    signed_at=self.now,
                    revoked_at=None,
                    filed_by="consumer",
                )
            )
            await self.fact(
                e.MandateSigned(claimant_id=claimant.id, mandate_id=mandate_id),
                actor=f"consumer:{claimant.consumer_id}",
            )

    async def _letter(self, until: Letter) -> None:
        """The current letter: made, approved where the ladder asks for it, sent, received."""
        if until == "rendering":
            return
        letter = self.case.letter
        assert letter is not None, f"no letter at {self.case.stage}"
        digest = sha256(f"{letter.id}:{letter.n}".encode()).hexdigest()
        await self.fact(
            e.LetterRendered(letter_id=letter.id, step=letter.step, sha256=digest, n=letter.n)
        )
        if until == "to_approve":
            return
        waiting = self.case.letter
        assert waiting is not None
        if waiting.state is LetterState.AWAITING_APPROVAL:
            await self.fact(
                e.LetterApproved(
                    letter_id=letter.id,
                    sha256=digest,
                    approved_by="staff:00000000-0000-7000-8000-000000000002",
                )
            )
        if until == "released":
            return
        self.now += timedelta(minutes=1)
        await self.fact(e.LetterHandedOver(letter_id=letter.id, at=self.now, provider="smtp"))
        if until == "delivered":
            await self.fact(
                e.LetterDelivered(letter_id=letter.id, at=self.now, grade="recipient_server")
            )

    async def _deadline(self) -> None:
        """Time passes until the deadline fires, and whatever is due before it."""
        step = self.case.step
        while self.case.step == step:
            timer = min(self.case.timers, key=lambda t: (t.due_at, t.kind.value, t.key))
            self.now = max(self.now, timer.due_at)
            await self.fact(
                e.TimerFired(kind=timer.kind, key=timer.key, step=timer.step, due_at=timer.due_at)
            )
            assert timer.kind is not TimerKind.DEADLINE or self.case.step > step, (
                "the deadline moved nothing"
            )


def _claimant_row(claimant: Claimant, case_id: uuid.UUID) -> dict[str, Any]:
    return {
        "id": str(claimant.id),
        "case_id": str(case_id),
        "consumer_id": str(claimant.consumer_id),
        "position": claimant.position,
        "mandate": claimant.mandate.value,
        "mandate_id": None,
        "signed_at": None,
        "receives_money": False,
        "has_account": False,
    }


def _item_row(item: ClaimItem, at: int, case_id: uuid.UUID, currency: str) -> dict[str, Any]:
    return {
        "id": str(item.id),
        "case_id": str(case_id),
        "creditor_id": str(item.creditor_id),
        "position": at,
        "kind": item.kind,
        "what": "parcel",
        "currency": currency,
        "amount_minor": item.amount_minor,
        "earns_fee": item.earns_fee,
        "counted": item.counted,
        "ground": None,
    }
