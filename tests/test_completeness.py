"""Nothing that the domain orders lacks a hand, and no door lacks a rule who may pass."""

from __future__ import annotations

import typing

from app.authorisation.table import load_table
from app.domain.effects import AnyEffect
from app.main import create_app
from app.openapi import operations
from app.settings import Settings
from workers.effects import HANDLERS


def test_every_effect_has_a_handler() -> None:
    assert {handled_name(key) for key in HANDLERS} == {
        handled_name(effect) for effect in typing.get_args(AnyEffect)
    }


def handled_name(key: object) -> str:
    """Handlers may be keyed by the effect's class or by the kind that is stored of it."""
    name = key if isinstance(key, str) else getattr(key, "__name__", repr(key))
    return name.replace("_", "").lower()


def test_every_endpoint_stands_in_the_authorisation_table(settings: Settings) -> None:
    present = {route.operation_id for route in operations(create_app(settings))}
    assert len(present) > 20
    assert present == set(load_table())
