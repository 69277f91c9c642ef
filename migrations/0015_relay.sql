-- The relay: it hands the events of the log to those that consume them. And a log that costs less.

-- Nobody looks an event up by its id.
ALTER TABLE outbox DROP CONSTRAINT outbox_pkey;
DROP INDEX outbox_in_order;
ALTER TABLE outbox ADD PRIMARY KEY (era, transaction, number);

CREATE OR REPLACE FUNCTION log_event(topic text, key text, type text, subject text, is_confidential boolean, data jsonb)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  event uuid := gen_random_uuid();
  last record;
  added bigint;
BEGIN
  SELECT era, transaction INTO last FROM outbox ORDER BY era DESC, transaction DESC, number DESC LIMIT 1;
  INSERT INTO outbox (id, era, confidential, aggregatetype, aggregateid, type, payload)
  VALUES (
    event,
    -- Another era begins when all transactions that can be seen are earlier than one there has been, but for this one.
    coalesce(last.era + (last.transaction > pg_current_xact_id()
      AND last.transaction >= pg_snapshot_xmax(pg_current_snapshot()))::integer, 0),
    is_confidential, topic, key, log_event.type,
    jsonb_build_object(
      'specversion', '1.0',
      'id', event,
      'source', 'wasiki',
      'type', log_event.type,
      'subject', subject,
      'time', to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
      'datacontenttype', 'application/json',
      'data', data))
  RETURNING number INTO added;

  -- One in sixteen also removes the oldest ones, if they are 30 days old.
  IF added % 16 = 0 THEN
    DELETE FROM outbox WHERE (era, transaction, number) IN (
      SELECT era, transaction, number FROM outbox WHERE (era, transaction, number) IN (
        SELECT era, transaction, number FROM (
          SELECT era, transaction, number, created_time FROM outbox ORDER BY era, transaction, number LIMIT 32
        ) AS oldest WHERE created_time < now() - interval '30 days')
      FOR UPDATE SKIP LOCKED);
  END IF;
END
$$;

DROP TRIGGER revisions_logged ON revisions;
DROP FUNCTION log_revisions;
CREATE FUNCTION log_revision() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  former record;
BEGIN
  SELECT title, slug INTO former FROM revisions
  WHERE NEW.kind = 'renamed' AND post_id = NEW.post_id AND version = NEW.version - 1;
  PERFORM log_event(
    'page-events', NEW.post_id::text, 'wasiki.page.' || CASE WHEN NEW.version = 1 THEN 'created' ELSE NEW.kind END,
    '/posts/' || NEW.post_id, false,
    jsonb_build_object(
      'post_id', NEW.post_id, 'version', NEW.version, 'user_id', NEW.user_id, 'title', NEW.title, 'slug', NEW.slug,
      'tags', to_jsonb(NEW.tags), 'comment', NEW.comment, 'size', NEW.size, 'delta', NEW.delta,
      'former_title', former.title, 'former_slug', former.slug));
  RETURN NULL;
END
$$;
CREATE TRIGGER revisions_logged AFTER INSERT ON revisions FOR EACH ROW EXECUTE FUNCTION log_revision();

-- How far it has come, and who is at work. The only row.
CREATE TABLE relay (
  is_only boolean PRIMARY KEY DEFAULT true CHECK (is_only),
  -- The last event that was handed on.
  era integer NOT NULL,
  transaction xid8 NOT NULL,
  number bigint NOT NULL,
  -- Whoever works says so for 30 seconds at a time: it may die.
  lease text NOT NULL DEFAULT '',
  leased_until timestamptz NOT NULL DEFAULT '-infinity',
  -- Attempts in a row at which nothing could be handed on, and when the next may be made.
  failures integer NOT NULL DEFAULT 0,
  due_time timestamptz NOT NULL DEFAULT '-infinity'
);
-- What happened before there was a relay is history.
INSERT INTO relay (era, transaction, number)
SELECT coalesce(max(era), 0), coalesce(max(transaction), '0'), coalesce(max(number), 0)
FROM (SELECT era, transaction, number FROM outbox ORDER BY era DESC, transaction DESC, number DESC LIMIT 1) AS last;

-- Events that could not be handed on, while others could. Later ones of the same key wait for them here as well, unless they
-- are dead: then nobody tries any more until an administrator says so.
CREATE TABLE undelivered (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  event_id text UNIQUE,
  -- The consumer that could not use it; null where the relay could not hand it on.
  consumer text,
  topic text NOT NULL,
  key text NOT NULL,
  payload text NOT NULL,
  error text NOT NULL,
  attempts integer NOT NULL DEFAULT 0,
  due_time timestamptz NOT NULL DEFAULT now(),
  is_dead boolean NOT NULL DEFAULT false,
  created_time timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX undelivered_by_key ON undelivered (topic, key, id) WHERE NOT is_dead;

-- The audit chain: every event, each with the hash of the one before. What is changed or removed later breaks it.
CREATE TABLE audit_chain (
  number bigint PRIMARY KEY,
  event_id text NOT NULL UNIQUE,
  -- The event, as the hash has it.
  entry text NOT NULL,
  -- SHA-256 of the hash before (of 32 zeros for the first), the number in decimal, a line break and the entry.
  hash bytea NOT NULL,
  created_time timestamptz NOT NULL DEFAULT now()
);
CREATE TRIGGER audit_chain_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_chain
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Adds those of the events that are not in the chain yet, in the order given, and returns how many they were.
CREATE FUNCTION chain_events(ids text[], entries text[]) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  last record;
  added bigint := 0;
BEGIN
  -- One at a time; what others have added is seen from here on.
  PERFORM pg_advisory_xact_lock(hashtext('audit_chain'));
  SELECT number, hash INTO last FROM audit_chain ORDER BY number DESC LIMIT 1;
  IF NOT FOUND THEN
    SELECT 0::bigint AS number, decode(repeat('00', 32), 'hex') AS hash INTO last;
  END IF;
  FOR place IN 1 .. cardinality(ids) LOOP
    CONTINUE WHEN EXISTS (SELECT FROM audit_chain WHERE event_id = ids[place]);
    SELECT last.number + 1 AS number,
      sha256(last.hash || convert_to((last.number + 1)::text || E'\n' || entries[place], 'UTF8')) AS hash INTO last;
    INSERT INTO audit_chain (number, event_id, entry, hash) VALUES (last.number, ids[place], entries[place], last.hash);
    added := added + 1;
  END LOOP;
  RETURN added;
END
$$;
