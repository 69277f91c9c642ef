-- Watching a page with everything below it, wherever that is in the tree when it changes.

ALTER TABLE watches
  -- Whether they watch everything below as well, but for pages that they said no to.
  ADD COLUMN below boolean NOT NULL DEFAULT false,
  -- Null for who has said nothing of the page, and was told of it because they watch one above.
  ALTER COLUMN is_on DROP NOT NULL,
  ADD CONSTRAINT watches_below_are_on CHECK (NOT below OR is_on IS TRUE);
CREATE INDEX watches_below ON watches (user_id, post_id) WHERE below;

-- As before, and for who watches a page above.

-- Has the effect of events for the inboxes of people, in the order given, and returns how many entries that made. `given` is a
-- JSON array with an object for each event that has one: `src/store/inbox.rs` makes it. An event that comes again has no effect,
-- and neither has an older one after a newer one of the same page or task.
--
-- Only people with accounts are told, and nobody of what they did themselves.
CREATE OR REPLACE FUNCTION tell_people(given jsonb) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  event record;
  former record;
  watching_above bigint[];
  made bigint;
  told bigint := 0;
BEGIN
  FOR event IN
    SELECT * FROM jsonb_to_recordset(given) AS item (
      id text, kind text, time timestamptz, post_id bigint, version bigint, user_id bigint, watches boolean, mentions text[],
      task_id bigint, assignee text, is_open boolean)
  LOOP
    IF event.kind = 'changed' THEN
      CONTINUE WHEN NOT EXISTS (SELECT FROM posts WHERE posts.id = event.post_id);
      IF event.watches THEN
        INSERT INTO watches AS known (post_id, user_id, is_on, told_version)
        SELECT event.post_id, users.id, true, event.version FROM users
        WHERE users.id = event.user_id AND users.password IS NOT NULL
        ON CONFLICT (post_id, user_id) DO UPDATE
          SET is_on = true, told_version = greatest(known.told_version, excluded.told_version) WHERE known.is_on IS NULL;
      END IF;

      INSERT INTO inbox (user_id, kind, post_id, actor_id, version, first_version, event_id, time)
      SELECT named.id, 'mention', event.post_id, event.user_id, event.version, event.version, event.id, event.time
      FROM (
        SELECT users.id FROM users
        WHERE lower(users.username COLLATE "C") = ANY (event.mentions) AND users.password IS NOT NULL
        ORDER BY array_position(event.mentions, lower(users.username COLLATE "C")) LIMIT 20
      ) AS named
      WHERE named.id IS DISTINCT FROM event.user_id
      ON CONFLICT (event_id, user_id) DO NOTHING;
      GET DIAGNOSTICS made = ROW_COUNT;
      told := told + made;

      -- What happened before they watched is no news to them, nor is a page that was written elsewhere and earlier.
      watching_above := ARRAY(
        SELECT DISTINCT users.id FROM watches
        JOIN users ON users.id = watches.user_id
        JOIN posts ON posts.id = event.post_id
        JOIN revisions AS saved ON saved.post_id = posts.id AND saved.version = event.version AND saved.created_time = event.time
        WHERE watches.below AND watches.post_id = ANY ((SELECT ancestry(event.post_id))::bigint[])
          AND watches.created_time <= event.time
          AND (posts.acl_id = 0 OR posts.acl_id = ANY (
            acls_with(CASE users.role WHEN 'administrator' THEN -1 ELSE users.id END, 1)))
        ORDER BY users.id);
      INSERT INTO watches (post_id, user_id, told_version)
      SELECT event.post_id, above.user_id, event.version - 1 FROM unnest(watching_above) AS above (user_id)
      ON CONFLICT DO NOTHING;

      WITH waiting AS MATERIALIZED (
        SELECT user_id FROM watches
        WHERE watches.post_id = event.post_id AND coalesce(is_on, user_id = ANY (watching_above))
          AND told_version < event.version ORDER BY user_id FOR UPDATE
      ), watching AS (
        UPDATE watches SET told_version = event.version FROM waiting
        WHERE watches.post_id = event.post_id AND watches.user_id = waiting.user_id
        RETURNING watches.user_id
      )
      INSERT INTO inbox AS entry (user_id, kind, post_id, actor_id, version, first_version, event_id, time)
      SELECT users.id, 'changed', event.post_id, event.user_id, event.version, event.version, event.id, event.time
      FROM watching JOIN users ON users.id = watching.user_id AND users.password IS NOT NULL
      WHERE users.id IS DISTINCT FROM event.user_id AND NOT EXISTS (
        -- Of this very change, they have been told more.
        SELECT FROM inbox AS other
        WHERE other.user_id = users.id AND other.post_id = event.post_id AND other.time = event.time
          AND other.kind IN ('mention', 'assigned'))
      ORDER BY users.id
      ON CONFLICT (user_id, post_id) WHERE kind = 'changed' AND read_time IS NULL
      DO UPDATE SET id = DEFAULT, actor_id = excluded.actor_id, version = excluded.version, changes = entry.changes + 1,
        event_id = excluded.event_id, time = excluded.time;
      GET DIAGNOSTICS made = ROW_COUNT;
      told := told + made;

    ELSIF event.kind = 'assigned' THEN
      INSERT INTO task_assignees (task_id) SELECT tasks.id FROM tasks WHERE tasks.id = event.task_id ON CONFLICT DO NOTHING;
      SELECT assignee, version INTO former FROM task_assignees WHERE task_id = event.task_id FOR UPDATE;
      CONTINUE WHEN NOT FOUND OR former.version >= event.version;
      UPDATE task_assignees SET assignee = event.assignee, version = event.version WHERE task_id = event.task_id;
      CONTINUE WHEN event.assignee IS NULL OR event.assignee IS NOT DISTINCT FROM former.assignee OR NOT event.is_open;
      -- A task event does not say who made it: the version that was saved at that moment does. Without one, it was
      -- written elsewhere and earlier.
      INSERT INTO inbox (user_id, kind, post_id, task_id, actor_id, event_id, time)
      SELECT users.id, 'assigned', saved.post_id, event.task_id, saved.user_id, event.id, event.time
      FROM users JOIN revisions AS saved ON saved.created_time = event.time AND saved.post_id = event.post_id
      WHERE lower(users.username COLLATE "C") = event.assignee AND users.password IS NOT NULL
        AND users.id IS DISTINCT FROM saved.user_id
      ON CONFLICT (event_id, user_id) DO NOTHING;
      GET DIAGNOSTICS made = ROW_COUNT;
      told := told + made;
      INSERT INTO watches AS known (post_id, user_id, is_on, told_version)
      SELECT posts.id, users.id, true, coalesce(saved.version, posts.version)
      FROM users JOIN posts ON posts.id = event.post_id
      LEFT JOIN revisions AS saved ON saved.created_time = event.time AND saved.post_id = posts.id
      WHERE lower(users.username COLLATE "C") = event.assignee AND users.password IS NOT NULL
      ON CONFLICT (post_id, user_id) DO UPDATE
        SET is_on = true, told_version = greatest(known.told_version, excluded.told_version) WHERE known.is_on IS NULL;

    ELSE
      -- The clock: for whose task it is or, if it is nobody's, for who created its page.
      INSERT INTO inbox (user_id, kind, post_id, task_id, event_id, time)
      SELECT users.id, event.kind, tasks.post_id, tasks.id, event.id, event.time
      FROM tasks JOIN posts ON posts.id = tasks.post_id AND posts.deleted_time IS NULL
      JOIN users ON users.password IS NOT NULL AND CASE WHEN tasks.assignee IS NULL THEN users.id = posts.user_id
        ELSE lower(users.username COLLATE "C") = tasks.assignee END
      WHERE tasks.id = event.task_id AND NOT tasks.done AND tasks.removed_time IS NULL
      ON CONFLICT (event_id, user_id) DO NOTHING;
      GET DIAGNOSTICS made = ROW_COUNT;
      told := told + made;
    END IF;
  END LOOP;

  IF told > 0 THEN
    DELETE FROM inbox WHERE id IN (
      SELECT id FROM inbox WHERE id IN (
        (SELECT id FROM inbox WHERE read_time < now() - interval '90 days' ORDER BY read_time LIMIT 100)
        UNION ALL
        SELECT id FROM (SELECT id, time FROM inbox ORDER BY id LIMIT 100) AS oldest WHERE time < now() - interval '1 year')
      FOR UPDATE SKIP LOCKED);
  END IF;
  RETURN told;
END
$$;
