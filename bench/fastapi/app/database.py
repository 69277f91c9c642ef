"""The connection to PostgreSQL, by the variables the service is configured with."""

import os
from collections.abc import AsyncIterator

from sqlalchemy import URL
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine

URL_OF_DATABASE = URL.create(
    "postgresql+asyncpg",
    username=os.environ.get("DB_USER", "postgres"),
    password=os.environ.get("DB_PASSWORD", "postgres"),
    host=os.environ.get("DB_HOST", "localhost"),
    port=int(os.environ.get("DB_PORT", "5432")),
    database=os.environ.get("DB_NAME", "wikidb"),
)

# The documentation names no pool, so it is SQLAlchemy's: 5 connections and up to 10 more for each worker.
engine = create_async_engine(URL_OF_DATABASE)
sessions = async_sessionmaker(engine, expire_on_commit=False)


async def session() -> AsyncIterator[AsyncSession]:
    """One session for each request."""
    async with sessions() as opened:
        yield opened
