"""SQL that SQLAlchemy cannot say: triggers and functions, applied in this order."""

from __future__ import annotations

from pathlib import Path

FILES = ("audit.sql", "ledger.sql")


def read_all() -> list[str]:
    here = Path(__file__).parent
    return [(here / name).read_text("utf-8") for name in FILES if (here / name).exists()]
