"""The spine: every table of the first release, and the SQL files beside them.

While the first release is being built the schema comes from the metadata; it is frozen
into explicit operations before the first installation.
"""

from typing import cast

from alembic import op
from sqlalchemy import AdaptedConnection

import app.tables  # noqa: F401  # registers every table with Base.metadata
from app.tables.base import Base
from app.tables.sql import read_all

revision: str = "0001"
down_revision: str | None = None
branch_labels: str | None = None
depends_on: str | None = None

# Functions are what drop_all leaves behind; those of extensions are not ours.
DROP_OWN_FUNCTIONS = """
DO $$
DECLARE f record;
BEGIN
  FOR f IN SELECT p.oid::regprocedure AS name FROM pg_proc p
           WHERE p.pronamespace = 'public'::regnamespace AND NOT EXISTS (
             SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')
  LOOP EXECUTE 'DROP FUNCTION ' || f.name || ' CASCADE'; END LOOP;
END $$
"""


def execute_script(sql: str) -> None:
    """Run a file of several statements: the driver's simple protocol takes them at once."""
    connection = cast(AdaptedConnection, op.get_bind().connection.dbapi_connection)
    connection.run_async(lambda driver: driver.execute(sql))


def upgrade() -> None:
    Base.metadata.create_all(op.get_bind())
    for script in read_all():
        execute_script(script)


def downgrade() -> None:
    Base.metadata.drop_all(op.get_bind())
    execute_script(DROP_OWN_FUNCTIONS)
