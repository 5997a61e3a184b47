"""What admins and colleagues send and read about accounts."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal, get_args
from uuid import UUID

from pydantic import AfterValidator, Field, SecretStr, model_validator
from pydantic_core import PydanticCustomError

from app.authorisation.table import SCOPES
from app.schemas import Count, Email, Id, In, Line, Name, Out, Page

Role = Literal["handler", "senior", "finance", "finance_approver", "legal", "auditor", "admin"]
Scope = Literal["cases.read", "cases.write", "documents.write", "metrics.read"]
assert set(SCOPES) == set(get_args(Scope)), "the scopes of the table and of the API are the same"

Password = Annotated[SecretStr, Field(min_length=1, max_length=256)]
Token = Annotated[SecretStr, Field(min_length=20, max_length=200)]
Code = Annotated[str, Field(pattern=r"^[0-9]{6}$")]


def _distinct(values: list[str]) -> list[str]:
    if len(set(values)) != len(values):
        raise PydanticCustomError("named_twice", "each may be named once")
    return values


Roles = Annotated[list[Role], Field(min_length=1, max_length=7), AfterValidator(_distinct)]
Scopes = Annotated[list[Scope], Field(min_length=1, max_length=4), AfterValidator(_distinct)]


class StaffLoginIn(In):
    """Address, password, and either the six digits or a recovery code.

    `keep` says where the session lives: `token` in the answer (programs), `cookie` in a
    `__Host-` cookie (pages).
    """

    email: Email
    password: Password
    code: Code | None = None
    recovery_code: Annotated[str, Field(min_length=12, max_length=20)] | None = None
    keep: Literal["token", "cookie"] = "token"

    @model_validator(mode="after")
    def _one_factor(self) -> StaffLoginIn:
        if (self.code is None) == (self.recovery_code is None):
            raise PydanticCustomError("one_factor", "send either code or recovery_code")
        return self


class StepUpIn(In):
    code: Code
    keep: Literal["token", "cookie"] = "token"


class SessionOut(Out):
    """`token` is shown once; null when the session lives in a cookie."""

    token: str | None
    expires_at: datetime


class InviteTokenIn(In):
    token: Token


class InviteOut(Out):
    """What the invited person needs: put the secret into an authenticator app."""

    email: str
    name: str
    roles: list[str]
    totp_secret: str
    totp_address: str
    expires_at: datetime


class AcceptInviteIn(In):
    token: Token
    password: Password
    code: Code


class RecoveryCodesOut(Out):
    """Shown once; each works once instead of the six digits."""

    recovery_codes: list[str]


class InviteStaffIn(In):
    email: Email
    name: Name
    roles: Roles


class RolesIn(In):
    roles: Roles


class DeactivateIn(In):
    """`hand_over_to` gets the open work; null gives it back to the pool."""

    hand_over_to: Id | None


class StaffOut(Out):
    id: UUID
    email: str
    name: str
    roles: list[str]
    status: Literal["invited", "active", "deactivated"]
    created_at: datetime
    deactivated_at: datetime | None
    handed_over_to: UUID | None
    version: int


class StaffListOut(Page):
    items: list[StaffOut]


class HistoryEntryOut(Out):
    number: int
    at: datetime
    code: str
    actor: str
    params: dict[str, Any]


class HistoryOut(Page):
    items: list[HistoryEntryOut]


class ApiKeyIn(In):
    name: Line
    scopes: Scopes
    days: Annotated[Count, Field(ge=1, le=730)]
    replaces: Id | None = None  # a key of the app this one is for; none: a new app


class ApiKeyOut(Out):
    """`app_id` is the same for all keys of one app; its cases follow it."""

    id: UUID
    app_id: UUID
    name: str
    scopes: list[str]
    prefix: str
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None


class NewApiKeyOut(Out):
    """`key` is shown once and cannot be read again."""

    key: str
    api_key: ApiKeyOut


class ApiKeyListOut(Page):
    items: list[ApiKeyOut]
