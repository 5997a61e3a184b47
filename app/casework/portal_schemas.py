"""What a person needs to fill in a company's web form, and what they say when it is done."""

from __future__ import annotations

import uuid
from typing import Annotated, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from app.schemas import Id, In, Out, When


class FieldOut(Out):
    """Copy `text` into the portal's field `field`; `takes` says what it is of the case."""

    field: str
    takes: str | None
    text: str


class FileOut(Out):
    """A file of the case that may be attached."""

    id: uuid.UUID
    what: str
    file_name: str


class PortalWorkOut(Out):
    """`message` is the prepared text for any form; `fields` follow the portal's own labels, where
    somebody wrote them down."""

    letter_id: uuid.UUID
    address: str
    language: str
    message: str
    fields: list[FieldOut]
    letter_pdf: str
    letter_sha256: str | None
    files: list[FileOut]


class PortalFiledIn(In):
    """Filed at `at`; its ticket number as the portal showed it, or a file of the case with the
    screenshot, or both."""

    at: When
    ticket_number: (
        Annotated[str, Field(pattern=r"^[!-~][ -~]{0,78}[!-~]$", max_length=80)] | None
    ) = None
    screenshot_id: Id | None = None

    @model_validator(mode="after")
    def _proven(self) -> Self:
        if self.ticket_number is None and self.screenshot_id is None:
            raise PydanticCustomError("proof_missing", "give the ticket number or a screenshot")
        return self
