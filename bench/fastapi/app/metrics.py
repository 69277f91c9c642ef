"""The counters behind /metrics."""

from prometheus_client import Counter

users_created = Counter("users_created_total", "Users created.")
posts_created = Counter("posts_created_total", "Posts created.")
