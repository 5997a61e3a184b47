"""What owners of a case send to act on it."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from app.intake.schemas import MoneyClaimed
from app.schemas import Date, In, Text, clean_text

ANSWER_LENGTH_MAX = 4_000


def _spoken(value: str) -> str:
    return clean_text(value, lines=True)


class AnswerIn(In):
    """The answer to a question of ours."""

    answer: Annotated[str, Field(min_length=1, max_length=ANSWER_LENGTH_MAX),
                      AfterValidator(_spoken), Field(min_length=1)]


class DirectPaymentIn(In):
    """"They paid me": how much, and on which day it came."""

    amount: MoneyClaimed
    paid_on: Date


class MessageIn(In):
    """A message to us; it is filed on the case and read by a person."""

    text: Text
