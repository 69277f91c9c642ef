"""What clients send and get."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field


class UserIn(BaseModel):
    username: str
    email: str | None = None


class UserOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: int
    username: str
    email: str | None
    created_time: datetime


class PostIn(BaseModel):
    user_id: int
    content: str


class PostOut(BaseModel):
    model_config = ConfigDict(from_attributes=True, populate_by_name=True)

    post_id: int = Field(validation_alias="id")
    user_id: int
    content: str
    created_time: datetime
