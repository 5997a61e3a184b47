"""Refusals that point at fields, for rules a schema alone cannot know (a date against today, a
company against the register, two fields against each other)."""

from __future__ import annotations

from dataclasses import dataclass

from app.domain.errors import InvalidInput


@dataclass(frozen=True, slots=True)
class FieldError:
    """`pointer` is a JSON pointer into the body; `code` is stable; `message` is for people."""

    pointer: str
    message: str
    code: str


class FieldsRefused(InvalidInput):
    """One or several fields cannot be used; `errors` is what the problem document lists."""

    code = "fields_refused"

    def __init__(
        self,
        *refused: FieldError,
        message: str = "see errors for each field",
        code: str | None = None,
    ) -> None:
        assert refused, "a refusal names its fields"
        super().__init__(message, code=code)
        self.errors = [
            {"in": "body", "pointer": r.pointer, "message": r.message, "code": r.code}
            for r in refused
        ]
