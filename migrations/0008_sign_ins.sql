-- Sign-ins: attempts under way, and where accounts sign in from.

-- Attempts whose password is being hashed. An attempt that ends deletes its row. One that never ends, because the client
-- hung up or the host died, gives its place to others when its lease is over.
CREATE TABLE sign_in_attempts (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  -- A place among all attempts, and one among those of the same subscriber.
  place integer NOT NULL UNIQUE,
  subscriber text NOT NULL,
  place_of_subscriber integer NOT NULL,
  address text NOT NULL,
  -- Whose account; null if there is no such account.
  user_id bigint,
  started_time timestamptz NOT NULL DEFAULT now(),
  lease_end_time timestamptz NOT NULL,
  UNIQUE (subscriber, place_of_subscriber)
);

-- Where people have signed in from. Guesses from elsewhere do not keep them out there.
CREATE TABLE sign_in_origins (
  user_id bigint NOT NULL REFERENCES users,
  subscriber text NOT NULL,
  used_time timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (user_id, subscriber)
);
CREATE INDEX sign_in_origins_by_time ON sign_in_origins (used_time);
