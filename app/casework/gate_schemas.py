"""The gates before acceptance, as they are shown, and the words that pass them."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from app.gates.rules import roles
from app.schemas import Date, Id, In, Out, Reason

GATES_MAX = 30  # more than any case has
GateName = Annotated[str, Field(pattern=r"^[a-z][a-z_]{0,40}(\.[a-z][a-z_]{0,40})?$")]


def _known_role(value: str) -> str:
    if value not in roles():
        raise PydanticCustomError("role_unknown", f"one of {', '.join(roles())}")
    return value


OpponentRole = Annotated[
    str,
    Field(max_length=40),
    AfterValidator(_known_role),
    Field(json_schema_extra={"enum": [*roles()]}),
]


class GateWordIn(In):
    """Your word on a gate that asks; or, where your role may, the reason to pass a closed one."""

    gate: GateName
    words: Reason


class ReleaseIn(In):
    """Who held the claim let it go in writing; the paper is among the evidence of the case."""

    route: Literal["other_agency", "insurer", "court", "complaint_body"]
    released_on: Date
    evidence_id: Id


class GateOut(Out):
    """`why` and `opens_when` are sentences; `code` is the stable name behind them. `lifted_by`:
    the roles that may let the case through while it is closed, with a reason."""

    gate: str
    state: Literal["open", "asks", "closed"]
    rule: str
    code: str
    why: str
    opens_when: str | None
    opens_on: date | None
    lifted_by: list[str]


class GatesOut(Out):
    """`all_open`: nothing stands between this case and its acceptance but the decision."""

    all_open: bool
    items: list[GateOut]
