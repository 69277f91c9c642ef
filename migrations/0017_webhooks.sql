-- Webhooks: other servers that are sent events, and what was sent to them.

CREATE TABLE webhooks (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  url text NOT NULL,
  -- Types of events, each with all below it. None stands for what happens to pages and tasks.
  types text[] NOT NULL,
  -- What requests are signed with, so it is kept as it is. Receivers have a day to take up a new one.
  secret text NOT NULL,
  former_secret text,
  former_until timestamptz NOT NULL DEFAULT '-infinity',
  active boolean NOT NULL DEFAULT true,
  -- Why the wiki itself turned it off.
  disabled_reason text,
  -- The first failure since the last success, failures in a row, and when the next attempt may be made at all.
  failing_since timestamptz,
  failures integer NOT NULL DEFAULT 0,
  pause_until timestamptz NOT NULL DEFAULT '-infinity',
  created_by bigint,
  created_time timestamptz NOT NULL DEFAULT now()
);
-- The same request again, as after a timeout, makes no second one that sends everything twice.
CREATE UNIQUE INDEX webhooks_url_key ON webhooks (url);

-- What the audit trail calls a webhook: not its path, which often is a password.
CREATE FUNCTION webhook_name(id bigint, url text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN id || ' (' || substring(url FROM '^[^/]*//[^/?]*') || ')';

-- What is to be sent, and what became of it. Without a foreign key: those of a webhook that is gone go little by little.
CREATE TABLE webhook_deliveries (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  webhook_id bigint NOT NULL,
  event_id text NOT NULL,
  type text NOT NULL,
  -- The body, to the byte: it is what is signed.
  payload text NOT NULL,
  state text NOT NULL DEFAULT 'waiting'
    CONSTRAINT webhook_deliveries_state_is_known CHECK (state IN ('waiting', 'delivered', 'failed')),
  attempts integer NOT NULL DEFAULT 0,
  -- When the next attempt is due, while it waits.
  due_time timestamptz NOT NULL DEFAULT now(),
  -- Whoever sends it says so for a minute: they may die.
  lease text NOT NULL DEFAULT '',
  leased_until timestamptz NOT NULL DEFAULT '-infinity',
  -- Of the last attempt: when it was, the status that came back, or why none did, and the beginning of the answer.
  attempted_time timestamptz,
  status integer,
  error text,
  response text,
  created_time timestamptz NOT NULL DEFAULT now()
);
-- One delivery of an event, however often the event comes.
CREATE UNIQUE INDEX webhook_deliveries_event_key ON webhook_deliveries (webhook_id, event_id);
CREATE INDEX webhook_deliveries_in_order ON webhook_deliveries (webhook_id, id);
CREATE INDEX webhook_deliveries_waiting ON webhook_deliveries (webhook_id, due_time) WHERE state = 'waiting';
CREATE INDEX webhook_deliveries_leased ON webhook_deliveries (webhook_id) WHERE lease <> '';

-- Whether a webhook of these types is sent events of that type. What happens to accounts is sent if it is asked for by name.
CREATE FUNCTION webhook_wants(types text[], type text) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN
  CASE
    WHEN cardinality(types) = 0 THEN starts_with(type, 'wasiki.page.') OR starts_with(type, 'wasiki.task.')
    ELSE EXISTS (
      SELECT FROM unnest(types) AS wanted
      WHERE (type = wanted OR starts_with(type, wanted || '.'))
        AND (wanted <> 'wasiki' OR NOT starts_with(type, 'wasiki.account.')))
  END;

-- How events move, for the metrics: in mode cdc the relay's place in the log says nothing.
ALTER TABLE relay ADD COLUMN mode text NOT NULL DEFAULT 'inline';
