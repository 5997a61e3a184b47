"""recourse openapi: the API's description as a file."""

from __future__ import annotations

import json

import typer

from app.settings import Settings

# The description depends on no server; this one is never connected to.
NOWHERE = "postgresql://nobody@127.0.0.1:1/nothing"


def openapi() -> None:
    """Print the OpenAPI document of this version."""
    # The whole API: half a second and 60 MB that no other command should pay for.
    from app.authorisation.table import load_table
    from app.main import create_app
    from app.openapi import document

    application = create_app(Settings(environment="development", database_url=NOWHERE))
    typer.echo(json.dumps(document(application, load_table()), indent=2, ensure_ascii=False))
