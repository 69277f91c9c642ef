-- Pages that a person keeps at hand, and the settings of the wiki.

CREATE TABLE stars (
  user_id bigint NOT NULL REFERENCES users,
  post_id bigint NOT NULL REFERENCES posts,
  created_time timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (user_id, post_id)
);

-- One row.
CREATE TABLE settings (
  id boolean PRIMARY KEY DEFAULT true CHECK (id),
  name text NOT NULL DEFAULT 'Wasiki',
  -- An emoji or a few letters in place of the wiki's own mark.
  mark text NOT NULL DEFAULT '',
  -- The name of one of the colors that the style sheet has.
  color text NOT NULL DEFAULT 'teal',
  -- A line at the foot of every page.
  footer text NOT NULL DEFAULT '',
  -- The language of pages whose text does not tell, as a tag of BCP 47.
  language text NOT NULL DEFAULT 'en',
  version bigint NOT NULL DEFAULT 1
);
INSERT INTO settings DEFAULT VALUES;
