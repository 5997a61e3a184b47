"""Many rows of one table in one statement: its triggers run once for all of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ARRAY, Table, bindparam, func, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.tables.base import Base


class BulkInsert:
    """Inserts tuples of the named columns of a table, each column sent as one array."""

    def __init__(self, table: type[Base], columns: Sequence[str]) -> None:
        rows = table.__table__
        assert isinstance(rows, Table), "every class of ours is one table"
        arrays = (bindparam(name, type_=ARRAY(rows.c[name].type)) for name in columns)
        sent = func.unnest(*arrays).table_valued(*columns).render_derived()
        self._columns = tuple(columns)
        self._statement = insert(rows).from_select(list(columns), select(sent))

    async def __call__(self, session: AsyncSession, rows: Sequence[tuple[Any, ...]]) -> None:
        """All of ``rows`` or an IntegrityError; nothing for none."""
        if rows:
            values = map(list, zip(*rows, strict=True))
            await session.execute(self._statement, dict(zip(self._columns, values, strict=True)))
