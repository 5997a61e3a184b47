"""Sets receipts against their cases after each import (app.finance.matching), some at a time."""

from __future__ import annotations

from typing import Final

from app.finance.matching import match_next
from workers.tools import Tools
from workers.trouble import passes

PORTION: Final = 50  # receipts in one turn; the other loops of this worker go on between


class Matcher:
    """`matched` counts receipts this process has looked at."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools
        self.matched = 0

    async def once(self) -> bool:
        """One portion; says whether there may be more."""
        tools = self._tools
        for _ in range(PORTION):
            if not await match_next(tools.database, tools.keyring, tools.settings.matching, passes):
                return False
            self.matched += 1
        return True
