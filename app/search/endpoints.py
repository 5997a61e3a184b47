"""One search box: reference, booking number, words of a name, beginning of a company, end of an
account."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query as FromQuery

from app.deps import Pages, ReadSession, Router, Staff
from app.search import queries
from app.search.schemas import Query, SearchOut

router = Router(prefix="/v1/search", tags=["search"])


@router.get("", operation_id="search_cases")
async def search_cases(
    q: Annotated[Query, FromQuery()], session: ReadSession, caller: Staff, pages: Pages
) -> SearchOut:
    """Newest first. Only cases the caller may see are found, or counted."""
    after = pages.after("search", {"q": q})
    hits = await queries.find(
        session, caller, q, before=after[0] if after else None, limit=pages.limit
    )
    ids = sorted(hits.by, reverse=True)
    shown = ids[: pages.limit]
    return SearchOut(
        items=await queries.show(session, caller, hits, shown),
        next_cursor=pages.next("search", [shown[-1]], {"q": q}) if len(ids) > pages.limit else None,
        narrow_down=hits.narrow_down,
    )
