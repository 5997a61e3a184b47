"""The journal as a workbook, written row by row: memory does not grow with the journal.

The file itself is put together in a temporary file, because a ZIP names its parts at the end.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import IO, Any, Final

import xlsxwriter

from app.finance.formats.flat import COLUMNS, cells
from app.finance.formats.rows import TxnRow, major

SHEET_ROWS: Final = 1_000_000  # Excel takes 1,048,576
HEADINGS: Final = (*COLUMNS, "debit", "credit")


class Workbook:
    """A workbook of journal rows in ``target``; a context manager, complete when it is left."""

    def __init__(self, target: IO[bytes]) -> None:
        self._book = xlsxwriter.Workbook(
            target, {"constant_memory": True, "default_date_format": "yyyy-mm-dd"}
        )
        self._money = self._book.add_format({"num_format": "#,##0.00"})
        self._sheet: Any = None
        self._row = 0
        self._sheets = 0

    def __enter__(self) -> Workbook:
        return self

    def __exit__(self, *raised: object) -> None:
        if self._sheet is None:
            self._next_sheet()
        self._book.close()

    def add(self, txns: Iterable[TxnRow]) -> None:
        """One row a leg; a sheet that is full is followed by another."""
        for txn in txns:
            for leg in txn.legs:
                if self._sheet is None or self._row > SHEET_ROWS:
                    self._next_sheet()
                for column, cell in enumerate(cells(txn, leg)):
                    self._write(column, cell)
                for column, minor in enumerate((leg.debit, leg.credit), len(COLUMNS)):
                    if minor:
                        amount = major(minor, txn.currency)
                        self._sheet.write_number(self._row, column, amount, self._money)
                self._row += 1

    def _next_sheet(self) -> None:
        self._sheets += 1
        self._sheet = self._book.add_worksheet(f"Journal {self._sheets}")
        for column, heading in enumerate(HEADINGS):
            self._sheet.write_string(0, column, heading)
        self._row = 1

    def _write(self, column: int, cell: Any) -> None:
        """Numbers as numbers; everything else as text, so that nothing is read as a formula."""
        if cell is None:
            return
        if isinstance(cell, int):
            self._sheet.write_number(self._row, column, cell)
        else:
            self._sheet.write_string(self._row, column, str(cell))
