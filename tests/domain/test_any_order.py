"""Any facts in any order: the promises hold after every one of them.

RECOURSE_EXAMPLES sets how many lives are lived (default 120, a few seconds); a night run takes
thousands.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from app.domain import events as e
from app.domain import position
from app.domain.case import LADDER, LetterState, OfferKind, Outcome, PauseKind, Stage
from app.domain.effects import NotifyConsumer, SendLetter
from app.domain.errors import StaleEvent, TransitionRefused
from app.domain.wanted import still_wanted
from tests.domain.life import Life
from tests.domain.positions import EVENT_TYPES, sample

EXAMPLES = int(os.environ.get("RECOURSE_EXAMPLES", "120"))
# Leaving and closing end a life: drawn less often, by moves of their own.
ENDINGS = (e.CaseWithdrawn, e.CaseClosed, e.MandateRevoked, e.CaseRejected, e.AgencyLeft)
ORDINARY = [k for k in EVENT_TYPES if k not in (*ENDINGS, e.TimerFired)]
AMOUNTS = st.integers(min_value=1, max_value=12_000)


class World:
    """Moves of everybody around one case; each takes a number that says which and how much."""

    def __init__(self) -> None:
        self.life = Life()
        self.keys: set[str] = set()

    def tell(self, event: e.Event) -> None:
        before = self.life.case
        try:
            decision = self.life.tell(event)
        except (TransitionRefused, StaleEvent):
            assert self.life.case is before, "a refusal changes nothing"
            return
        for effect in decision.effects:
            assert effect.business_key not in self.keys or isinstance(effect, NotifyConsumer)
            if not effect.business_key.startswith(("ack:", "stop:")):
                self.keys.add(effect.business_key)
            if isinstance(effect, SendLetter):
                assert still_wanted(effect, decision.case), "an order is wanted when it is given"
                assert position.mandate_stands(decision.case)
                assert not position.stopping_pauses(decision.case)
            if decision.case.stage is Stage.CLOSED:
                assert not isinstance(effect, SendLetter)

    def a_fact(self, n: int) -> None:
        self.tell(sample(ORDINARY[n % len(ORDINARY)], self.life))

    def somebody_leaves(self, n: int) -> None:
        if n % 5 == 0:
            self.tell(sample(ENDINGS[n // 5 % len(ENDINGS)], self.life))

    def time_passes(self, n: int) -> None:
        for _ in range(n % 8 + 1):
            timers = self.life.case.timers
            if not timers:
                return
            first = min(timers, key=lambda t: (t.due_at, t.kind, t.key))
            self.life.now = max(self.life.now, first.due_at)
            self.tell(e.TimerFired(first.kind, first.key, first.step, first.due_at))

    def feeds_are_read(self, n: int) -> None:
        self.life.blind = n % 4 == 0

    def the_letter_goes(self, n: int) -> None:
        for _ in range(n % 3 + 1):
            letter = self.life.case.letter
            if letter is None or not self.life.case.is_open:
                return
            if letter.state is LetterState.RENDERING:
                self.tell(e.LetterRendered(letter.id, letter.step, "aa", letter.n))
            elif letter.state is LetterState.AWAITING_APPROVAL:
                self.tell(e.LetterApproved(letter.id, letter.sha256 or "", "berit"))
            elif letter.state is LetterState.RELEASED:
                provider = "consumer" if letter.recipient == "body" else "smtp"
                self.tell(e.LetterHandedOver(letter.id, self.life.now, provider, n % 2 == 0))

    def a_person_unblocks(self, n: int) -> None:
        for pause in self.life.case.pauses:
            if pause.kind is PauseKind.UNREAD_REPLY:
                readings = self._readings(UUID(pause.key))
                self.tell(readings[n % len(readings)])
            elif pause.kind is PauseKind.UNKNOWN_EFFECT:
                verdict = ("sent", "not_sent", "again")[n % 3]
                self.tell(e.EffectSettled(UUID(pause.key), "send_letter", verdict, "anna"))
            elif pause.kind is PauseKind.QUESTION:
                self.tell(e.QuestionAnswered(UUID(pause.key)))
            elif pause.kind is PauseKind.DUPLICATE:
                self.tell(e.DuplicateUnlinked("anna"))
            else:
                self.tell(e.HoldLifted(pause.key, "anna"))

    def _readings(self, message: UUID) -> list[e.Event]:
        day = self.life.now.date() + timedelta(days=9)
        later = self.life.now + timedelta(days=9)
        new = self.life.id
        return [
            e.MessageSetAside(message, "anna"),
            e.CompanyDenied(message, "", "anna"),
            e.CompanyAsked(message, "anna"),
            e.CompanyPromised(new(), 2_000, day, False, "anna", message),
            e.CompanyPromised(new(), 5_000, day, True, "anna", message),
            e.CompanyOffered(new(), OfferKind.GOODWILL, 500, later, "anna", True, message),
            e.CompanyOffered(new(), OfferKind.VOUCHER, 900, later, "anna", False, message),
            e.WrongParty("anna", message),
        ]

    def a_handler_chooses(self, n: int) -> None:
        self.tell(e.NextStepChosen(LADDER[n % 4], "reason", "anna"))

    def money_comes(self, n: int) -> None:
        amount = n % 12_000 + 1
        self.tell(e.MoneyAllocated(self.life.id(), amount, (n % 2) * amount // 4, n % 5 == 0))

    def money_goes(self, n: int) -> None:
        there = position.payable(self.life.case)
        self.tell(e.PayoutApproved(self.life.id(), there if n % 2 else min(n + 1, there)))

    def the_bank_answers(self, n: int) -> None:
        money = self.life.case.money
        if money.in_flight and n % 4:
            self.tell(e.PayoutSettled(self.life.id(), money.in_flight))
        elif money.in_flight or money.paid_out:
            settled = money.in_flight == 0
            amount = money.paid_out if settled else money.in_flight
            self.tell(e.PayoutReturned(self.life.id(), amount, "closed_account", settled))

    def a_claimant_answers(self, n: int) -> None:
        offer, people = self.life.case.offer, self.life.case.claimants
        if offer is None:
            return
        who = people[n % len(people)].id
        yes = n // 7 % 3 > 0
        self.tell(e.OfferAccepted(offer.id, who) if yes else e.OfferRefused(offer.id, who))

    def a_claimant_signs_or_goes(self, n: int) -> None:
        people = self.life.case.claimants
        who = people[n % len(people)].id
        if n % 9 == 0:
            self.tell(e.MandateRevoked(who))
        else:
            self.tell(e.MandateSigned(who, self.life.id()))

    def a_person_closes_or_reopens(self, n: int) -> None:
        if self.life.case.is_open and n % 6 == 0:
            outcomes = list(Outcome)
            self.tell(e.CaseClosed(outcomes[n // 6 % len(outcomes)], "enough", "anna"))
        elif not self.life.case.is_open:
            self.tell(e.CaseReopened("new_proof", "anna"))


Move = Callable[[World, int], None]
MOVES: list[Move] = [
    *[World.time_passes] * 4,
    *[World.the_letter_goes] * 4,
    *[World.a_person_unblocks] * 3,
    *[World.a_fact] * 4,
    World.somebody_leaves,
    World.feeds_are_read,
    *[World.a_handler_chooses] * 2,
    World.money_comes,
    World.money_goes,
    World.the_bank_answers,
    World.a_claimant_answers,
    World.a_claimant_signs_or_goes,
    World.a_person_closes_or_reopens,
]


class AnyOrder(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.world = World()

    @initialize(
        claims=st.lists(AMOUNTS, min_size=1, max_size=3),
        start=st.sampled_from(("draft", "signed", *LADDER, "writes_first")),
        limitation=st.none() | st.integers(min_value=5, max_value=400),
    )
    def begin(self, claims: list[int], start: str, limitation: int | None) -> None:
        self.begin_with(claims, start, limitation)

    def begin_with(self, claims: list[int], start: str, limitation: int | None) -> None:
        life = self.world.life = Life(claims=tuple(claims))
        day = None if limitation is None else life.now.date() + timedelta(days=limitation)
        if start == "draft":
            life.tell(e.CaseDrafted())
        elif start == "signed":
            life.submit().sign()
        elif start == "writes_first":
            life.on_ladder(limitation_on=day, consumer_writes_first_days=28)
        else:
            life.on_ladder(Stage(start), limitation_on=day).letter_arrives()

    @rule(moves=st.lists(st.tuples(st.sampled_from(MOVES), st.integers(0, 20_000)), max_size=8))
    def they_act(self, moves: list[tuple[Move, int]]) -> None:
        for move, n in moves:
            move(self.world, n)

    @invariant()
    def promise_1_holds(self) -> None:
        case = self.world.life.case
        if case.stage is Stage.INTAKE and case.waiting_on is None:
            return  # not begun yet
        position.check_invariants(case)

    @invariant()
    def commission_and_payout_never_exceed_what_was_recovered(self) -> None:
        money = self.world.life.case.money
        assert money.paid_out + money.in_flight + money.fee <= money.received + money.adjusted
        assert position.payable(self.world.life.case) >= 0


AnyOrder.TestCase.settings = settings(
    max_examples=EXAMPLES,
    stateful_step_count=20,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
    derandomize="RECOURSE_EXAMPLES" not in os.environ,
)
TestAnyOrder = AnyOrder.TestCase


@pytest.mark.parametrize("seed", range(6))
def test_long_random_lives_keep_every_promise(seed: int) -> None:
    """Hypothesis prefers small numbers and short lives; these are evenly drawn and long."""
    dice = random.Random(seed)
    for _ in range(max(20, EXAMPLES // 3)):
        machine = AnyOrder()
        limitation = dice.choice((None, dice.randrange(5, 400)))
        start = dice.choice(("draft", "signed", *LADDER, "writes_first"))
        claims = [dice.randrange(1, 12_001) for _ in range(dice.randrange(1, 4))]
        machine.begin_with(claims, start, limitation)
        for _ in range(70):
            dice.choice(MOVES)(machine.world, dice.randrange(20_000))
            machine.promise_1_holds()
            machine.commission_and_payout_never_exceed_what_was_recovered()
