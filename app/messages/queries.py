"""Reading the holding pen."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import Select, func, select

from app.authorisation.principal import Principal
from app.messages.schemas import PenMessageOut
from app.tables.correspondence import MessageRow

SHOWN_CHARACTERS: Final = 4_000  # enough to recognise a mail; the whole is read on its case
SEES_WORDS: Final = ("handler", "senior", "legal")
ORDER: Final = (MessageRow.__table__.c.received_at, MessageRow.__table__.c.id)


def pen_query() -> Select[Any]:
    table = MessageRow.__table__.c
    return select(
        table.id,
        table.received_at,
        table.channel,
        table.from_address,
        table.to_address,
        table.subject,
        func.left(table.text, SHOWN_CHARACTERS).label("text"),
        table.automatic,
        table.pen_reasons,
    ).where(table.state == "pen")


def pen_message(row: Any, caller: Principal) -> PenMessageOut:
    """As the caller may read it: who does not work on cases sees that it came, and why it waits."""
    words = caller.has(*SEES_WORDS)
    return PenMessageOut(
        id=row.id,
        received_at=row.received_at,
        channel=row.channel,
        from_address=row.from_address if words else _masked(row.from_address),
        to_address=row.to_address,
        subject=row.subject if words else "",
        text=row.text if words else "",
        automatic=row.automatic,
        why=row.pen_reasons,
    )


def _masked(address: str) -> str:
    return f"***@{address.rpartition('@')[2]}" if "@" in address else "***"
