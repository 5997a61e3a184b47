"""The spine: every table of the first release, its triggers and functions.

The statements stand in `migrations/sql/0001`, frozen; `alembic check` in the tests proves that they
still make what the classes of app/tables describe. A change is a new revision.
"""

from pathlib import Path
from typing import cast

from alembic import op
from sqlalchemy import AdaptedConnection

revision: str = "0001"
down_revision: str | None = None
branch_labels: str | None = None
depends_on: str | None = None

STATEMENTS = Path(__file__).parents[1] / "sql" / revision
FILES = ("tables.sql", "audit.sql", "ledger.sql")

# Extensions and what they own are not ours; the revision's own row is Alembic's.
DROP_EVERYTHING = """
DO $$
DECLARE f record;
BEGIN
  FOR f IN SELECT c.oid::regclass AS name FROM pg_class c
           WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
             AND c.relname <> 'alembic_version'
  LOOP EXECUTE 'DROP TABLE ' || f.name || ' CASCADE'; END LOOP;
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
    for name in FILES:
        execute_script((STATEMENTS / name).read_text("utf-8"))


def downgrade() -> None:
    execute_script(DROP_EVERYTHING)
