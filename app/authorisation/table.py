"""The authorisation table: what each operation allows, as data.

One row per operation id, in `rows/<feature>.yaml`:

    file_case:
      allow: [consumer, "app:cases.write", handler, senior]   # kinds, app scopes, staff roles
      owns: case          # which rule the queries of the operation carry
      step_up: false      # second factor within the last five minutes
      denied: 403         # what a proven caller without the grant is told: 403, or 404 for
                          # resources whose existence is nobody else's business
      limit: upload       # a named limit of app/limits.py, counted per principal and address

Only `allow` and `owns` are needed. `owns` says what the SQL of the operation is bound to:
`case` (case_scope), `self` (the caller's own account or session), `money` (amounts of all cases),
`all` (no owner; the grant is enough), `none` (public).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any

import yaml

from app.authorisation.principal import Principal
from app.domain.errors import Forbidden, NotAuthenticated, NotFound
from app.domain.roles import STAFF_ROLES

ROWS = Path(__file__).parent / "rows"
OWNERSHIPS = ("case", "self", "money", "all", "none")
SCOPES = ("cases.read", "cases.write", "documents.write", "metrics.read")
STEP_UP_SECONDS_MAX = 300  # reliability.md section 7, API2
_FIELDS = {"allow", "owns", "step_up", "denied", "limit"}
_GRANTS = frozenset({"anonymous", "consumer", *STAFF_ROLES, *(f"app:{s}" for s in SCOPES)})


class TableInvalid(Exception):
    """The authorisation table cannot be used; the process must not start."""


class StepUpRequired(Forbidden):
    code = "step_up_required"


@dataclass(frozen=True, slots=True)
class Row:
    operation: str
    allow: frozenset[str]
    owns: str
    step_up: bool
    denied: int
    limit: str | None

    @property
    def public(self) -> bool:
        return "anonymous" in self.allow


Table = Mapping[str, Row]


def load_table(folder: Path = ROWS) -> Table:
    """Reads every file of `rows`. Raises TableInvalid on anything it does not understand."""
    rows: dict[str, Row] = {}
    for path in sorted(folder.glob("*.yaml")):
        content = yaml.load(path.read_text("utf-8"), Loader=yaml.CSafeLoader) or {}
        for operation, fields in content.items():
            if operation in rows:
                raise TableInvalid(f"{path.name}: {operation} has two rows")
            rows[operation] = _row(f"{path.name}: {operation}", operation, fields)
    return MappingProxyType(rows)


def _row(where: str, operation: str, fields: Any) -> Row:
    if not isinstance(fields, dict) or set(fields) - _FIELDS:
        raise TableInvalid(f"{where}: fields are {', '.join(sorted(_FIELDS))}")
    allow = frozenset(fields.get("allow", ()))
    if not allow or allow - _GRANTS:
        raise TableInvalid(f"{where}: allow names unknown grants: {sorted(allow - _GRANTS)}")
    if fields.get("owns") not in OWNERSHIPS:
        raise TableInvalid(f"{where}: owns is one of {', '.join(OWNERSHIPS)}")
    if fields.get("denied", 403) not in (403, 404):
        raise TableInvalid(f"{where}: denied is 403 or 404")
    step_up = fields.get("step_up", False)
    if step_up and not allow <= set(STAFF_ROLES):
        raise TableInvalid(f"{where}: only staff can step up")
    return Row(
        operation,
        allow,
        fields["owns"],
        bool(step_up),
        fields.get("denied", 403),
        fields.get("limit"),
    )


def compare(table: Table, operations: Iterable[str]) -> None:
    """Every operation has a row and every row an operation. Raises TableInvalid otherwise."""
    present = list(operations)
    double = {o for o in present if present.count(o) > 1}
    missing, unused = set(present) - set(table), set(table) - set(present)
    if missing or unused or double:
        raise TableInvalid(
            f"operations without a row: {sorted(missing)}; rows without an "
            f"operation: {sorted(unused)}; operation ids used twice: "
            f"{sorted(double)}"
        )


def check(row: Row, principal: Principal, *, now: datetime) -> None:
    """Lets the caller pass or raises NotAuthenticated, Forbidden or NotFound."""
    if row.public:
        return
    if principal.kind == "anonymous":
        raise NotAuthenticated("sign in first")
    if row.allow.isdisjoint(principal.grants):
        if row.denied == 404:
            raise NotFound("there is nothing here")
        raise Forbidden("your role does not allow this")
    if row.step_up and not stepped_up(principal, now=now):
        raise StepUpRequired("show a current code first: POST /v1/staff/session/step-up")


def acting(row: Row, principal: Principal) -> Principal:
    """The caller with the roles this operation is for, and no other.

    Roles of one person do not lend each other what they reach: who reads every case for finance and
    works on cases as a handler changes no case but a handler's. An auditor's eyes, which see every
    case masked, count only where the person has no other role: else they would widen what the
    other one sees in the clear.
    """
    roles = principal.roles & row.allow
    if len(roles) > 1:
        roles -= {"auditor"}
    return replace(principal, roles=roles)


def stepped_up(principal: Principal, *, now: datetime) -> bool:
    shown = principal.stepped_up_at
    return shown is not None and now - shown <= timedelta(seconds=STEP_UP_SECONDS_MAX)
