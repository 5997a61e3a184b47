"""One test per claim kind: a pure function from a `Matter` to a `Test`.

A test reads a fact that decides with `answers.need(key)`: when it is unknown the consumer is asked
first (FactUnknown). What only adds a ground, a warning or a date is read with `get`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from app.domain.eligibility.finding import Test
from app.domain.eligibility.kinds import air, contracts, online, payments, travel
from app.domain.eligibility.lawbook import Matter

TESTS: Final[Mapping[str, Callable[[Matter], Test]]] = {
    "air": air.flight,
    "air_fees": air.fees,
    "air_baggage": air.baggage,
    "online_purchase": online.purchase,
    "online_defective": online.defective,
    "online_not_delivered": online.not_delivered,
    "online_return": online.sent_back,
    "food_delivery": contracts.food,
    "unauthorised_payment": payments.unauthorised,
    "card_billing_error": payments.billing_error,
    "chargeback": payments.chargeback,
    "subscription_trap": contracts.subscription,
    "telecom_energy_billing": contracts.utility,
    "healthcare_billing": contracts.health,
    "package_travel": travel.package,
    "hotel": travel.hotel,
    "rail": travel.rail,
    "bus": travel.bus,
    "event_tickets": contracts.tickets,
    "services": contracts.services,
}
