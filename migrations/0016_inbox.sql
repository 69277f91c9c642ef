-- The inbox: what a person is told, of pages they watch, tasks of theirs and texts that name them. The log says what happened;
-- the consumer of its events writes this.
--
-- The numbers of pages are no foreign keys: whoever saves a page locks it, and would have to wait until people are told of the
-- version before. A page that is deleted keeps its row.

-- Who watches which page.
CREATE TABLE watches (
  post_id bigint NOT NULL,
  user_id bigint NOT NULL REFERENCES users,
  -- Who said no does not watch again by editing.
  is_on boolean NOT NULL,
  -- The last version they were told of, or needed no telling.
  told_version bigint NOT NULL,
  created_time timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (post_id, user_id)
);
CREATE INDEX watches_by_user ON watches (user_id, post_id) WHERE is_on;

CREATE TABLE inbox (
  -- Later entries have larger numbers. An entry that has something new gets another one.
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  user_id bigint NOT NULL REFERENCES users,
  kind text NOT NULL CONSTRAINT inbox_kind_is_known
    CHECK (kind IN ('mention', 'assigned', 'reminder', 'due', 'overdue', 'changed')),
  post_id bigint NOT NULL,
  -- No foreign key either: a task that was copied may have become another one.
  task_id bigint,
  -- Who did it; null if that is not known, or if it was the clock.
  actor_id bigint,
  -- Of a page: the version that it was, the first of those that are still unread, and how many there were.
  version bigint,
  first_version bigint,
  changes bigint NOT NULL DEFAULT 1,
  event_id text NOT NULL,
  time timestamptz NOT NULL,
  read_time timestamptz,
  -- An event has one effect for each person, however often it comes.
  UNIQUE (event_id, user_id)
);
CREATE INDEX inbox_by_user ON inbox (user_id, id);
CREATE INDEX inbox_unread ON inbox (user_id) WHERE read_time IS NULL;
CREATE INDEX inbox_by_reading ON inbox (read_time) WHERE read_time IS NOT NULL;
CREATE INDEX inbox_by_page ON inbox (post_id, user_id, time) WHERE kind IN ('mention', 'assigned');
-- What happens to a page while one looks away is one entry.
CREATE UNIQUE INDEX inbox_one_for_each_page ON inbox (user_id, post_id) WHERE kind = 'changed' AND read_time IS NULL;

-- Whose each task is, as far as they were told: an event says who it is now, not who it was. What is assigned already is known.
CREATE TABLE task_assignees (
  task_id bigint PRIMARY KEY REFERENCES tasks ON DELETE CASCADE,
  assignee text COLLATE "C",
  version bigint NOT NULL DEFAULT 0
);
INSERT INTO task_assignees (task_id, assignee, version) SELECT id, assignee, version FROM tasks;

-- When there is something to tell of a task, whatever page it is in, and whether that is over.
CREATE TABLE task_alarms (
  task_id bigint NOT NULL REFERENCES tasks ON DELETE CASCADE,
  kind text NOT NULL,
  moment timestamptz NOT NULL,
  is_over boolean NOT NULL,
  PRIMARY KEY (task_id, kind)
);
CREATE INDEX task_alarms_by_moment ON task_alarms (moment) WHERE NOT is_over;

-- Its reminder; when it is due, or when the day begins on which it is; and when it is overdue: when that day is over or, of a
-- time, an hour later.
CREATE FUNCTION alarms_of(due_time timestamptz, due_is_day boolean, remind text)
RETURNS TABLE (kind text, moment timestamptz) LANGUAGE sql STABLE AS $$
  SELECT kind, moment FROM (VALUES
    ('reminder', due_time - left(remind, -1)::integer * CASE right(remind, 1)
      WHEN 'm' THEN interval '1 minute' WHEN 'h' THEN interval '1 hour'
      WHEN 'd' THEN interval '24 hours' WHEN 'w' THEN interval '168 hours' END),
    ('due', due_time),
    ('overdue', due_time + CASE WHEN due_is_day THEN interval '24 hours' ELSE interval '1 hour' END)
  ) AS alarm (kind, moment)
  WHERE moment IS NOT NULL
$$;

-- Sets the alarms of tasks that are new, open again, or have another date. What had come a week before is history: pages that
-- were imported, and those whose tasks are read late, tell nobody.
CREATE FUNCTION set_alarms() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT FROM touched WHERE due_time IS NOT NULL AND NOT done AND removed_time IS NULL) THEN
    INSERT INTO task_alarms (task_id, kind, moment, is_over)
    SELECT touched.id, alarm.kind, alarm.moment, alarm.moment < now() - interval '7 days'
    FROM touched CROSS JOIN alarms_of(due_time, due_is_day, remind) AS alarm
    LEFT JOIN task_alarms AS known ON known.task_id = touched.id AND known.kind = alarm.kind
    WHERE NOT done AND removed_time IS NULL AND known.moment IS DISTINCT FROM alarm.moment
    ORDER BY touched.id, alarm.kind
    ON CONFLICT (task_id, kind) DO UPDATE SET moment = excluded.moment, is_over = excluded.is_over;
  END IF;
  RETURN NULL;
END
$$;
CREATE TRIGGER tasks_created_alarms AFTER INSERT ON tasks
  REFERENCING NEW TABLE AS touched FOR EACH STATEMENT EXECUTE FUNCTION set_alarms();
CREATE TRIGGER tasks_changed_alarms AFTER UPDATE ON tasks
  REFERENCING NEW TABLE AS touched FOR EACH STATEMENT EXECUTE FUNCTION set_alarms();
-- What has come by now is history.
INSERT INTO task_alarms (task_id, kind, moment, is_over)
SELECT tasks.id, alarm.kind, alarm.moment, alarm.moment < now()
FROM tasks CROSS JOIN alarms_of(due_time, due_is_day, remind) AS alarm WHERE NOT done AND removed_time IS NULL;

-- What events say of a task.
CREATE FUNCTION task_data(task tasks) RETURNS jsonb LANGUAGE sql STABLE AS $$
  SELECT jsonb_build_object(
    'task_id', task.id, 'post_id', task.post_id, 'version', task.version, 'text', task.text, 'done', task.done,
    'due', to_char(task.due_time AT TIME ZONE 'UTC',
      CASE WHEN task.due_is_day THEN 'YYYY-MM-DD' ELSE 'YYYY-MM-DD"T"HH24:MI:SS"Z"' END),
    'assignee', task.assignee, 'priority', task.priority, 'repeat', task.repeat, 'remind', task.remind,
    'done_by', task.done_by)
$$;
CREATE OR REPLACE FUNCTION log_task(kind text, task tasks) RETURNS void LANGUAGE sql AS $$
  SELECT log_event('task-events', task.post_id::text, 'wasiki.task.' || kind, '/tasks/' || task.id, false, task_data(task))
$$;

-- Writes the events of alarms whose moment has come, of at most so many at once, and returns how many events these were. Of a
-- task whose reminder, date and hour of grace have all come meanwhile, the last is told. One caller at a time; while there is
-- nothing to tell, nothing is written.
CREATE FUNCTION sound_alarms(most bigint) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  ringing record;
  told bigint := 0;
BEGIN
  IF NOT EXISTS (SELECT FROM task_alarms WHERE NOT is_over AND moment <= now())
    OR NOT pg_try_advisory_xact_lock(hashtext('task_alarms')) THEN
    RETURN 0;
  END IF;
  FOR ringing IN
    WITH come AS MATERIALIZED (
      -- A page that is being saved is told of a second later: its save waits for nobody.
      SELECT task_id, kind, moment FROM task_alarms
      WHERE NOT is_over AND moment <= now() AND task_id IN (
        SELECT task_id FROM task_alarms WHERE NOT is_over AND moment <= now() ORDER BY moment LIMIT most)
      FOR UPDATE SKIP LOCKED
    ), still AS MATERIALIZED (
      SELECT come.* FROM come
      JOIN tasks ON tasks.id = come.task_id AND NOT tasks.done AND tasks.removed_time IS NULL
      JOIN posts ON posts.id = tasks.post_id AND posts.deleted_time IS NULL
      JOIN LATERAL alarms_of(tasks.due_time, tasks.due_is_day, tasks.remind) AS alarm
        ON alarm.kind = come.kind AND alarm.moment = come.moment
    ), over AS (
      UPDATE task_alarms SET is_over = true FROM still
      WHERE task_alarms.task_id = still.task_id AND task_alarms.kind = still.kind
    ), gone AS (
      -- A task that is done has none. If it is opened again, it gets new ones.
      DELETE FROM task_alarms USING come
      WHERE task_alarms.task_id = come.task_id AND task_alarms.kind = come.kind
        AND NOT EXISTS (SELECT FROM still WHERE still.task_id = come.task_id AND still.kind = come.kind)
    )
    SELECT DISTINCT ON (task_id) task_id, kind FROM still ORDER BY task_id, moment DESC, kind DESC
  LOOP
    PERFORM log_event('reminders', tasks.post_id::text, 'wasiki.task.' || ringing.kind, '/tasks/' || tasks.id, false,
      task_data(tasks))
    FROM tasks WHERE tasks.id = ringing.task_id;
    told := told + 1;
  END LOOP;
  RETURN told;
END
$$;

-- Has the effect of events for the inboxes of people, in the order given, and returns how many entries that made. `given` is a
-- JSON array with an object for each event that has one: `src/store/inbox.rs` makes it. An event that comes again has no effect,
-- and neither has an older one after a newer one of the same page or task.
--
-- Only people with accounts are told, and nobody of what they did themselves.
CREATE FUNCTION tell_people(given jsonb) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  event record;
  former record;
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
        INSERT INTO watches (post_id, user_id, is_on, told_version)
        SELECT event.post_id, users.id, true, event.version FROM users
        WHERE users.id = event.user_id AND users.password IS NOT NULL
        ON CONFLICT DO NOTHING;
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

      WITH waiting AS MATERIALIZED (
        SELECT user_id FROM watches
        WHERE watches.post_id = event.post_id AND is_on AND told_version < event.version ORDER BY user_id FOR UPDATE
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
      INSERT INTO watches (post_id, user_id, is_on, told_version)
      SELECT posts.id, users.id, true, coalesce(saved.version, posts.version)
      FROM users JOIN posts ON posts.id = event.post_id
      LEFT JOIN revisions AS saved ON saved.created_time = event.time AND saved.post_id = posts.id
      WHERE lower(users.username COLLATE "C") = event.assignee AND users.password IS NOT NULL
      ON CONFLICT DO NOTHING;

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
