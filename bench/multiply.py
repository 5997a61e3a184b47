"""Makes a small database big: every row the engine wrote, copied with fresh ids.

`multiply(url, copies)` copies each case with everything around it (people, lines, timers, letters,
tasks, history, orders). Ids keep the shape of ours (time-ordered, so indexes grow as in life);
texts that must be unique get the copy's number. Copies are spread in time: those of the stage
`contact` with a number up to DUE_COPIES keep their dates, all others are due 30 days or more later.
"""

from __future__ import annotations

from typing import Any

import asyncpg

from app.tables.base import Base

DUE_COPIES = 18
# Parents before children. The history of a copy does not verify (its hashes are the original's);
# nothing here looks at that.
TABLES = (
    "consumers", "data_keys", "cases", "claimants", "claim_items", "case_timers", "letters",
    "mandates", "tasks", "audit_entries", "effects", "messages", "questions", "offers",
)  # fmt: skip
SHARED_IDS = ("company_id", "assignee_id", "handler_id", "duplicate_of", "prepared_by")
LATER = (
    "CASE WHEN g <= {due} AND {stage} = 'contact' THEN interval '0'"
    " ELSE interval '30 days' + make_interval(hours => (g % 500)::int) END"
)
OWN_TEXT = {
    ("consumers", "name"): "o.name || ' ' || g",
    ("consumers", "email"): "g || '.' || o.email",
    ("cases", "reference"): "'RX-' || lpad(to_hex(g), 6, '0') || right(o.id::text, 6)",
    ("cases", "payment_ref"): "g || '0' || o.payment_ref",
    ("cases", "booking_ref"): "o.booking_ref || '-' || g",
    ("audit_entries", "stream"): "'case:' || bench_id(substr(o.stream, 6)::uuid, g)",
    ("effects", "stream"): "'case:' || o.case_id_new",
    ("effects", "business_key"): "g || ':' || o.business_key",
}
DATES = {
    ("cases", "due_at"),
    ("cases", "next_wake_at"),
    ("case_timers", "due_at"),
    ("tasks", "due_at"),
}
STAGE_OF = {
    "cases": "o.stage",
    "case_timers": "(SELECT stage FROM cases c WHERE c.id = o.case_id)",
    "tasks": "(SELECT stage FROM cases c WHERE c.id = o.case_id)",
}
ONLY = {
    "audit_entries": "o.stream LIKE 'case:%'",
    "effects": "o.case_id IS NOT NULL",
    "tasks": "o.case_id IS NOT NULL",
}
_FUNCTION = """
    CREATE OR REPLACE FUNCTION bench_id(original uuid, g bigint) RETURNS uuid
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
        SELECT (lpad(to_hex(1700000000000 + g), 12, '0')
                || substr(md5(original::text || g), 13))::uuid $$
"""
_INDEXES = """
    SELECT c.relname AS name, pg_get_indexdef(i.indexrelid) AS sql
      FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
      JOIN pg_class t ON t.oid = i.indrelid
     WHERE t.relname = ANY($1) AND NOT EXISTS
           (SELECT FROM pg_constraint k WHERE k.conindid = i.indexrelid)
"""


async def multiply(url: str, copies: int) -> None:
    """Every case `copies` times more. The database is analysed and vacuumed at the end."""
    connection = await asyncpg.connect(url)
    try:
        await connection.execute("SET synchronous_commit = off; SET jit = off")
        # The copies are complete by construction: checking each reference would take most of the
        # time. The constraints stay as they are.
        await connection.execute("SET session_replication_role = replica")
        await connection.execute("SET maintenance_work_mem = '512MB'")
        await connection.execute(_FUNCTION)
        indexes = await connection.fetch(_INDEXES, list(TABLES))
        for index in indexes:
            await connection.execute(f"DROP INDEX {index['name']}")
        for table in TABLES:
            await connection.execute(_copy(table), copies)
        for index in indexes:
            await connection.execute(index["sql"])
        await connection.execute("VACUUM (ANALYZE)")
        await connection.execute("CHECKPOINT")
    finally:
        await connection.close()


def _copy(table: str) -> str:
    columns = [c for c in Base.metadata.tables[table].columns if c.name != "txid"]
    values = [_value(table, c) for c in columns]
    return (
        f"INSERT INTO {table} ({', '.join(c.name for c in columns)})"
        f" SELECT {', '.join(values)} FROM {table} o, generate_series(1, $1::bigint) g"
        f" WHERE {ONLY.get(table, 'true')} ORDER BY g"
    )


def _value(table: str, column: Any) -> str:
    own = OWN_TEXT.get((table, column.name))
    if own is not None:
        return own.replace("o.case_id_new", "bench_id(o.case_id, g)")
    if (table, column.name) in DATES:
        return f"o.{column.name} + " + LATER.format(due=DUE_COPIES, stage=STAGE_OF[table])
    if column.type.python_type.__name__ == "UUID" and column.name not in SHARED_IDS:
        return f"bench_id(o.{column.name}, g)"
    return f"o.{column.name}"
