"""The API fixtures for this folder."""

from tests.support.api import app, client, people

__all__ = ["app", "client", "people"]
