-- Forms and requests that made or saved a page, by a key of their own: the same one again is answered as the first was.

CREATE TABLE submissions (
  -- Who sent it, and the key: that of a form, or a client's Idempotency-Key.
  key text CONSTRAINT submissions_key PRIMARY KEY,
  -- The page, and the version that it got.
  post_id bigint NOT NULL,
  version bigint NOT NULL,
  created_time timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX submissions_by_time ON submissions (created_time);
