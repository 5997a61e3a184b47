"""The floor: the barest FastAPI + SQLAlchemy endpoints that do the same kind of work.

POST /bare   17 fields, validated, one Core INSERT, one commit
GET  /bare/N one row by the ORM, with a response model
No checks, no history, no keys: what a framework gives before any business begins.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from fastapi import FastAPI
from pydantic import BaseModel
from sqlalchemy import BigInteger, DateTime, Text, insert
from sqlalchemy.dialects.postgresql import UUID
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from app.db import async_url


class Base(DeclarativeBase):
    type_annotation_map = {  # noqa: RUF012  # SQLAlchemy reads it as a class attribute
        str: Text(),
        int: BigInteger(),
        datetime: DateTime(timezone=True),
        uuid.UUID: UUID(as_uuid=True),
    }


class BareRow(Base):
    __tablename__ = "bench_bare"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    a: Mapped[str]
    b: Mapped[str]
    c: Mapped[str]
    d: Mapped[str]
    e: Mapped[str]
    f: Mapped[str]
    g: Mapped[str]
    h: Mapped[str]
    i: Mapped[int]
    j: Mapped[int]
    k: Mapped[int]
    l: Mapped[int]  # noqa: E741  # a column of a bare table
    m: Mapped[str]
    n: Mapped[str]
    o: Mapped[str]
    created_at: Mapped[datetime]


class Bare(BaseModel):
    a: str
    b: str
    c: str
    d: str
    e: str
    f: str
    g: str
    h: str
    i: int
    j: int
    k: int
    l: int  # noqa: E741  # as above
    m: str
    n: str
    o: str


class BareOut(Bare):
    id: uuid.UUID
    created_at: datetime


engine = create_async_engine(
    async_url(os.environ["RECOURSE_DATABASE_URL"]), pool_size=20, max_overflow=0
)
sessions = async_sessionmaker(engine, expire_on_commit=False)


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    yield
    await engine.dispose()


app = FastAPI(lifespan=lifespan)


@app.post("/bare", status_code=201)
async def insert_bare(body: Bare) -> BareOut:
    row = {"id": uuid.uuid4(), "created_at": datetime.now(UTC), **body.model_dump()}
    async with sessions() as session:
        await session.execute(insert(BareRow).values(row))
        await session.commit()
    return BareOut(**row)


@app.get("/bare/{row_id}")
async def get_bare(row_id: uuid.UUID) -> BareOut:
    async with sessions() as session:
        row = await session.get(BareRow, row_id)
    assert row is not None, "the bench reads what it wrote"
    return BareOut.model_validate(row, from_attributes=True)
