"""Levels, ends and signers of mandates; the register of paper originals."""

from pathlib import Path
from typing import cast

from alembic import op
from sqlalchemy import AdaptedConnection

revision: str = "0037"
down_revision: str | None = "0036"
branch_labels: str | None = None
depends_on: str | None = None

STATEMENTS = Path(__file__).parents[1] / "sql" / revision


def execute_script(sql: str) -> None:
    """Run a file of several statements: the driver's simple protocol takes them at once."""
    connection = cast(AdaptedConnection, op.get_bind().connection.dbapi_connection)
    connection.run_async(lambda driver: driver.execute(sql))


def upgrade() -> None:
    execute_script((STATEMENTS / "up.sql").read_text("utf-8"))


def downgrade() -> None:
    execute_script((STATEMENTS / "down.sql").read_text("utf-8"))
