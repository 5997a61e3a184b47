"""What must be done now and then: anchor the history outside the database, look at the last days of
licences, order the weekly lists of open claims, let go of what is old.

Several workers may do it at once: the anchor takes an advisory lock, the purges delete what they
find. What is left undone here costs nobody anything until the next round.
"""

from __future__ import annotations

from app import idempotency
from app.audit_check import anchor_heads
from app.channel_health import note_arrivals
from app.clock import wall_now
from app.consumers.login import purge_links
from app.db import Database
from app.documents.store import ObjectStore
from app.moment import read_moment
from workers.claims_lists import order_lists
from workers.forgetting import BATCH, forget_bank_files
from workers.licence_watch import watch_licences

HOUSEKEEPING_SECONDS = 600.0  # an intruder has ten minutes of history to himself, no more


class Housekeeper:
    """One round per call. `anchored` is the number of the newest anchor this process took."""

    def __init__(self, database: Database, store: ObjectStore) -> None:
        self._database = database
        self._store = store
        self.anchored: int | None = None

    async def once(self) -> bool:
        """Returns whether there is more to let go of right now."""
        now = wall_now()
        async with self._database.transaction() as session:
            number = await anchor_heads(
                session, self._store.put_named, self._store.get_named, at=now
            )
        self.anchored = number or self.anchored
        async with self._database.transaction() as session:
            moment = await read_moment(session)
            await watch_licences(session, moment)
            await order_lists(session, moment)
            await note_arrivals(session, moment.now)
            forgotten = await forget_bank_files(session, moment)
        async with self._database.transaction() as session:
            await purge_links(session, now=now)
            purged = await idempotency.purge(session, now=now)
        return purged >= idempotency.PURGE_BATCH or forgotten >= BATCH
