"""What a letter says of the company's answers to the consumer, before we wrote."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from workers.letter_content import _before_us


@pytest.mark.parametrize(
    ("answers", "kind", "on"),
    [
        ({}, "silent", None),
        ({"company_answer": "none"}, "silent", None),
        ({"company_answer": "automatic_only"}, "silent", None),
        ({"company_answer": "refused", "company_answer_on": "2026-10-02"}, "refused", (10, 2)),
        ({"company_answer": "refused"}, "answered", None),
        ({"company_answer": "offered", "company_answer_on": "2026-10-02"}, "answered", (10, 2)),
        ({"company_answer": "asked_something", "company_answer_on": "soon"}, "answered", None),
    ],
)
def test_who_has_answered_is_not_called_silent(
    answers: dict[str, Any], kind: str, on: tuple[int, int] | None
) -> None:
    found = _before_us(answers)
    assert found.kind == kind
    assert found.on == (date(2026, *on) if on else None)
