-- The log: what happened, as events for others. The statement that makes a change writes its event, so that neither is there
-- without the other.

CREATE TABLE outbox (
  id uuid PRIMARY KEY,
  -- In this order. Transactions do not commit in the order in which rows get their numbers; but what a transaction wrote that
  -- is older than all that still run stays the last of its time. Restored into another server, transactions are counted from
  -- the beginning: that begins another era.
  era integer NOT NULL,
  transaction xid8 NOT NULL DEFAULT pg_current_xact_id(),
  number bigint GENERATED ALWAYS AS IDENTITY,
  created_time timestamptz NOT NULL DEFAULT now(),
  -- Whether it is for administrators alone.
  confidential boolean NOT NULL,
  -- Topic, key and type, under the names that Debezium's outbox router looks for, and the whole CloudEvent.
  aggregatetype text NOT NULL,
  aggregateid text NOT NULL,
  type text NOT NULL,
  payload jsonb NOT NULL CONSTRAINT outbox_payload_is_small CHECK (octet_length(payload::text) <= 65536)
);
CREATE UNIQUE INDEX outbox_in_order ON outbox (era, transaction, number);
CREATE INDEX outbox_by_key ON outbox (aggregatetype, aggregateid, era, transaction, number);

-- Adds an event. One in sixteen also removes the oldest ones, if they are 30 days old.
CREATE FUNCTION log_event(topic text, key text, type text, subject text, is_confidential boolean, data jsonb)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  event uuid := gen_random_uuid();
  added bigint;
BEGIN
  INSERT INTO outbox (id, era, confidential, aggregatetype, aggregateid, type, payload)
  SELECT event, coalesce(max(last.era + begun::integer), 0), is_confidential, topic, key, log_event.type, jsonb_build_object(
    'specversion', '1.0',
    'id', event,
    'source', 'wasiki',
    'type', log_event.type,
    'subject', subject,
    'time', to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
    'datacontenttype', 'application/json',
    'data', data)
  FROM (SELECT era, transaction FROM outbox ORDER BY era DESC, transaction DESC, number DESC LIMIT 1) AS last,
    -- No transaction that can be seen is later than all there have been, but for this one.
    LATERAL (SELECT last.transaction > pg_current_xact_id()
      AND last.transaction >= pg_snapshot_xmax(pg_current_snapshot())) AS era_of(begun)
  RETURNING number INTO added;

  IF added % 16 = 0 THEN
    DELETE FROM outbox WHERE id IN (
      SELECT id FROM outbox WHERE id IN (
        SELECT id FROM (SELECT id, created_time FROM outbox ORDER BY era, transaction, number LIMIT 32) AS oldest
        WHERE created_time < now() - interval '30 days')
      FOR UPDATE SKIP LOCKED);
  END IF;
END
$$;

CREATE FUNCTION log_revisions() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM log_event(
    'page-events', touched.post_id::text,
    'wasiki.page.' || CASE WHEN touched.version = 1 THEN 'created' ELSE touched.kind END,
    '/posts/' || touched.post_id, false,
    jsonb_build_object(
      'post_id', touched.post_id, 'version', touched.version, 'user_id', touched.user_id, 'title', touched.title,
      'slug', touched.slug, 'tags', to_jsonb(touched.tags), 'comment', touched.comment, 'size', touched.size,
      'delta', touched.delta, 'former_title', before.title, 'former_slug', before.slug))
  FROM touched
  LEFT JOIN revisions before
    ON touched.kind = 'renamed' AND before.post_id = touched.post_id AND before.version = touched.version - 1;
  RETURN NULL;
END
$$;
CREATE TRIGGER revisions_logged AFTER INSERT ON revisions
  REFERENCING NEW TABLE AS touched FOR EACH STATEMENT EXECUTE FUNCTION log_revisions();

-- Of pages, the audit trail alone knows who protected them; the rest are revisions.
CREATE FUNCTION log_audit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM CASE
    WHEN event IN ('page_protected', 'page_unprotected') THEN log_event(
      'page-events', post_id::text, 'wasiki.page.' || substr(event, 6), '/posts/' || post_id, false,
      jsonb_build_object('post_id', post_id, 'user_id', actor_id))
    ELSE log_event(
      'account-events', coalesce(user_id, 0)::text, 'wasiki.account.' || event, coalesce('/users/' || user_id, '/users'), true,
      jsonb_build_object('user_id', user_id, 'actor_id', actor_id, 'address', address, 'details', details))
  END
  FROM touched WHERE event NOT IN ('page_renamed', 'page_deleted', 'page_restored');
  RETURN NULL;
END
$$;
CREATE TRIGGER audit_logged AFTER INSERT ON audit
  REFERENCING NEW TABLE AS touched FOR EACH STATEMENT EXECUTE FUNCTION log_audit();
