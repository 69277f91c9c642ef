-- Who may do what: accounts, sessions, tokens, protected pages, limits, and what happened.

-- A user with a password has an account. The hash is a PHC string of argon2id.
ALTER TABLE users
  ADD COLUMN role text NOT NULL DEFAULT 'editor',
  ADD COLUMN password text,
  -- Somebody else chose the password: nothing else can be done with it than to choose another.
  ADD COLUMN password_is_given boolean NOT NULL DEFAULT false,
  ADD CONSTRAINT users_role_is_known CHECK (role IN ('reader', 'editor', 'administrator')),
  ADD CONSTRAINT users_deleted_cannot_sign_in CHECK (deleted_time IS NULL OR password IS NULL),
  ADD CONSTRAINT users_sign_in_by_username CHECK (password IS NULL OR username IS NOT NULL);

-- To know whether there is an administrator.
CREATE INDEX users_administrators ON users (id) WHERE role = 'administrator' AND password IS NOT NULL;

-- Browsers that are signed in. Of the secret that a browser keeps, only its SHA-256 is here.
CREATE TABLE sessions (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  user_id bigint NOT NULL REFERENCES users,
  hash bytea NOT NULL,
  address text NOT NULL,
  agent text NOT NULL,
  created_time timestamptz NOT NULL DEFAULT now(),
  used_time timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX sessions_by_user ON sessions (user_id, id);

-- Programs that may act for a user. A revoked token has no row any more.
CREATE TABLE tokens (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  user_id bigint NOT NULL REFERENCES users,
  name text NOT NULL,
  scope text NOT NULL CONSTRAINT tokens_scope_is_known CHECK (scope IN ('read', 'write', 'admin')),
  hash bytea NOT NULL,
  created_time timestamptz NOT NULL DEFAULT now(),
  expires_time timestamptz NOT NULL,
  used_time timestamptz
);
CREATE INDEX tokens_by_user ON tokens (user_id, id);

-- Only administrators change a protected page.
ALTER TABLE posts ADD COLUMN protected boolean NOT NULL DEFAULT false;

-- How much of what is limited has been used: nothing once full_time is over. The generic cell rate algorithm keeps one
-- instant for each key.
CREATE TABLE limits (
  key text PRIMARY KEY,
  full_time timestamptz NOT NULL
);
CREATE INDEX limits_by_time ON limits (full_time);

-- What happened to accounts and pages, who did it and where from. Numbers of users and pages are no foreign keys: what
-- happened stays true whatever becomes of them.
CREATE TABLE audit (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  time timestamptz NOT NULL DEFAULT now(),
  event text NOT NULL,
  -- Who did it; nobody who is known in open mode, or before signing in.
  actor_id bigint,
  -- Where from, as the host says.
  address text NOT NULL,
  -- Whose account it was about.
  user_id bigint,
  -- Which page it was about.
  post_id bigint,
  details text NOT NULL DEFAULT ''
);

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'the audit trail is only ever added to';
END
$$;

CREATE TRIGGER audit_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
