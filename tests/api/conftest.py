"""The API fixtures for this folder."""

from tests.support.api import app, client, people
from tests.support.prepared import prepared

__all__ = ["app", "client", "people", "prepared"]
