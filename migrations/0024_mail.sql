-- Mail: what is unread in the inbox, as a digest for those who want one.

CREATE TABLE digests (
  -- Who wants no mail has no row.
  user_id bigint PRIMARY KEY REFERENCES users,
  -- How often.
  mail text NOT NULL CONSTRAINT digests_mail_is_known CHECK (mail IN ('hourly', 'daily')),
  -- The last entry of their inbox that was mailed or need not be, and when the last digest was sent.
  mailed_id bigint NOT NULL,
  mailed_time timestamptz NOT NULL DEFAULT '-infinity',
  -- The last entry of the digest that is on its way: the same for every attempt.
  sending_id bigint,
  -- Attempts that failed, and when the next may be made.
  attempts integer NOT NULL DEFAULT 0,
  pause_until timestamptz NOT NULL DEFAULT '-infinity',
  -- Whoever sends it says so for a minute: they may die.
  lease text NOT NULL DEFAULT '',
  leased_until timestamptz NOT NULL DEFAULT '-infinity'
);

-- What is unread and newer than an entry, in one look.
CREATE INDEX inbox_unread_in_order ON inbox (user_id, id) WHERE read_time IS NULL;
DROP INDEX inbox_unread;

-- Whether the relay sends mail, for the form in which people ask for it.
ALTER TABLE relay ADD COLUMN sends_mail boolean NOT NULL DEFAULT false;
