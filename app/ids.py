"""Ids are chosen by the caller, in the deciding transaction, never by the sender of an effect."""

from __future__ import annotations

import secrets
import uuid

from uuid_utils import compat

from app.domain.reference import REFERENCES_MAX, format_reference


def new_id() -> uuid.UUID:
    """A uuid7: sorts by time of making, so that indexes grow at one end."""
    return compat.uuid7()


def new_reference() -> str:
    """A random case reference; uniqueness is the database's to refuse."""
    return format_reference(secrets.randbelow(REFERENCES_MAX))
