"""What owners of a case send to act on it."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from app.domain.errors import RecourseError
from app.domain.money import Money
from app.schemas import Date, In, MoneyIn, Text, clean_text

ANSWER_LENGTH_MAX = 4_000


class MoneyClaimed(MoneyIn):
    """More than nothing, with no more decimals than the currency has."""

    @model_validator(mode="after")
    def _exact(self) -> Self:
        try:
            money = Money.parse(self.amount, self.currency)
        except RecourseError as error:
            raise PydanticCustomError("amount_invalid", "{why}", {"why": error.message}) from None
        if money.is_zero:
            raise PydanticCustomError("amount_zero", "the amount must be more than nothing")
        return self


def _spoken(value: str) -> str:
    return clean_text(value, lines=True)


class AnswerIn(In):
    """The answer to a question of ours."""

    answer: Annotated[
        str,
        Field(min_length=1, max_length=ANSWER_LENGTH_MAX),
        AfterValidator(_spoken),
        Field(min_length=1),
    ]


class DirectPaymentIn(In):
    """ "They paid me": how much, and on which day it came."""

    amount: MoneyClaimed
    paid_on: Date


class MessageIn(In):
    """A message to us; it is filed on the case and read by a person."""

    text: Text
