"""Answers of the intake as they come over the API: bounded and cleaned, whatever they mean.

What they may mean is the vocabulary's to say (app/law/answers.py).
"""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from app.schemas import clean_text

ANSWERS_MAX = 500  # values in all, nested ones counted
ANSWER_DEPTH_MAX = 5
ANSWER_TEXT_MAX = 2_000
ANSWER_NUMBER_MAX = 10**12
_ANSWER_KEY = re.compile(r"[a-z][a-z0-9_]{0,63}", re.ASCII)


def _answers(value: dict[str, Any]) -> dict[str, Any]:
    """Keys are words of the question form; values are texts, whole numbers, yes/no, lists, maps."""
    left = [ANSWERS_MAX]
    return {key: _answer(item, 1, left) for key, item in _keys_checked(value).items()}


def _keys_checked(value: dict[Any, Any]) -> dict[str, Any]:
    for key in value:
        if not isinstance(key, str) or not _ANSWER_KEY.fullmatch(key):
            raise PydanticCustomError("answer_key", "a key is a word of a-z, 0-9 and _")
    return value


def _answer(value: Any, depth: int, left: list[int]) -> Any:
    left[0] -= 1
    if left[0] < 0:
        raise PydanticCustomError("answers_too_many", "these are too many answers")
    if depth > ANSWER_DEPTH_MAX:
        raise PydanticCustomError("answers_too_deep", "the answers are nested too deep")
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int) and abs(value) <= ANSWER_NUMBER_MAX:
        return value
    if isinstance(value, str) and len(value) <= ANSWER_TEXT_MAX:
        return clean_text(value, lines=True)
    if isinstance(value, list):
        return [_answer(item, depth + 1, left) for item in value]
    if isinstance(value, dict):
        return {k: _answer(item, depth + 1, left) for k, item in _keys_checked(value).items()}
    raise PydanticCustomError(
        "answer_value", "an answer is a text, a whole number, yes or no, or a list or map of those"
    )


Answers = Annotated[dict[str, Any], Field(max_length=200), AfterValidator(_answers)]
