-- What saving a page costs the database.

-- A comment that ends like this tells the host what it cannot see: that the function leaves nothing behind in the session, such as
-- settings, locks or temporary tables. Of any other function wiki-runner assumes that it may, and cleans the session after the
-- statement, which makes the next one plan everything anew. (Of a trigger's function, it need not be told.)
COMMENT ON FUNCTION keep_tasks(bigint, bigint, bigint, timestamptz, jsonb) IS
  'Makes these the tasks of a page. It leaves its session as it was.';
COMMENT ON FUNCTION reads_words(tsvector) IS
  'Always true, once the words of a page are read from where they are stored. It leaves its session as it was.';
COMMENT ON FUNCTION chain_events(text[], text[]) IS
  'Adds events to the audit chain. It leaves its session as it was.';
COMMENT ON FUNCTION tell_people(jsonb) IS
  'Has the effect of events for the inboxes of people. It leaves its session as it was.';
COMMENT ON FUNCTION sound_alarms(bigint) IS
  'Writes the events of tasks whose time has come. It leaves its session as it was.';

-- Without a look at the version before, unless the page was renamed.
CREATE OR REPLACE FUNCTION log_revision() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  former_title text;
  former_slug text;
BEGIN
  IF NEW.kind = 'renamed' THEN
    SELECT title, slug INTO former_title, former_slug FROM revisions
    WHERE post_id = NEW.post_id AND version = NEW.version - 1;
  END IF;
  PERFORM log_event(
    'page-events', NEW.post_id::text, 'wasiki.page.' || CASE WHEN NEW.version = 1 THEN 'created' ELSE NEW.kind END,
    '/posts/' || NEW.post_id, false,
    jsonb_build_object(
      'post_id', NEW.post_id, 'version', NEW.version, 'user_id', NEW.user_id, 'title', NEW.title, 'slug', NEW.slug,
      'tags', to_jsonb(NEW.tags), 'comment', NEW.comment, 'size', NEW.size, 'delta', NEW.delta,
      'former_title', former_title, 'former_slug', former_slug));
  RETURN NULL;
END
$$;
