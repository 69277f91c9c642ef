-- Forms and requests that made a user or a token, or changed a password, have keys as those that save pages have.

ALTER TABLE submissions
  ALTER COLUMN post_id DROP NOT NULL,
  ALTER COLUMN version DROP NOT NULL,
  ADD COLUMN user_id bigint,
  ADD COLUMN token_id bigint;
