"""The routes."""

from typing import Annotated, TypeVar

from fastapi import Depends, FastAPI, HTTPException, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.database import session
from app.metrics import posts_created, users_created
from app.models import Post, User
from app.schemas import PostIn, PostOut, UserIn, UserOut

app = FastAPI()
T = TypeVar("T")
Session = Annotated[AsyncSession, Depends(session)]


@app.get("/health")
async def health_check() -> dict[str, str]:
    return {"status": "healthy"}


@app.get("/metrics")
async def metrics() -> Response:
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)


@app.post("/users/", response_model=UserOut, status_code=201)
async def create_user(given: UserIn, db: Session) -> User:
    user = User(username=given.username, email=given.email)
    db.add(user)
    await db.commit()
    users_created.inc()
    return user


@app.get("/users/{user_id}", response_model=UserOut)
async def read_user(user_id: int, db: Session) -> User:
    return found(await db.scalar(select(User).where(User.id == user_id)), "User not found")


@app.post("/posts", response_model=PostOut, status_code=201)
async def create_post(given: PostIn, db: Session) -> Post:
    found(await db.scalar(select(User).where(User.id == given.user_id)), "User not found")
    post = Post(user_id=given.user_id, content=given.content)
    db.add(post)
    await db.commit()
    posts_created.inc()
    return post


@app.get("/posts/{post_id}", response_model=PostOut)
async def read_post(post_id: int, db: Session) -> Post:
    return found(await db.scalar(select(Post).where(Post.id == post_id)), "Post not found")


def found(row: T | None, otherwise: str) -> T:
    if row is None:
        raise HTTPException(404, otherwise)
    return row
