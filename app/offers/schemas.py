"""What a claimant sends to answer an offer."""

from __future__ import annotations

from app.cases.inputs import MoneyClaimed
from app.schemas import Id, In


class OfferAnswerIn(In):
    """Who answers: one of the claimants; a consumer only for themself."""

    claimant_id: Id


class CounterIn(OfferAnswerIn):
    """The sum that would be accepted instead."""

    amount: MoneyClaimed
