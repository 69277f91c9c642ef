-- What signed-in people have typed into the editor and not saved yet.
CREATE TABLE drafts (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  user_id bigint NOT NULL REFERENCES users,
  -- What it is a draft of: a page, by its number, or a page that does not exist yet, by the key of its form.
  place text NOT NULL,
  -- The page; null for a new one.
  post_id bigint,
  -- The version the edit started from.
  version bigint,
  -- The slug that a new page shall have; empty if it follows from the title.
  wanted_slug text NOT NULL,
  -- The key of the form.
  key text NOT NULL,
  -- The fields, as they were typed.
  title text NOT NULL,
  slug text NOT NULL,
  content text NOT NULL,
  tags text NOT NULL,
  comment text NOT NULL,
  updated_time timestamptz NOT NULL DEFAULT now(),
  UNIQUE (user_id, place)
);
CREATE INDEX drafts_by_page ON drafts (post_id, updated_time);
CREATE INDEX drafts_by_time ON drafts (updated_time);
