-- Time zones: of the wiki, in which the texts of pages are meant, and of people.
--
-- A task keeps what its line says, and beside it the instants at which that begins and ends. Lists, filters, alarms and events go by
-- the instants. They are reckoned where a task is written and where a zone changes, and nowhere else.

ALTER TABLE settings
  -- A name in pg_timezone_names.
  ADD COLUMN time_zone text NOT NULL DEFAULT 'UTC';
ALTER TABLE users
  -- The same, or none for that of the wiki.
  ADD COLUMN time_zone text;

-- due_time stays what the line says, written down as if it were UTC.
ALTER TABLE tasks
  -- When it is due, or when the day begins on which it is.
  ADD COLUMN begins_time timestamptz,
  -- When that is over: the same instant, or the end of the day.
  ADD COLUMN ends_time timestamptz;
ALTER TABLE task_alarms
  -- The moment as it would be if everybody were in UTC. Another one is another alarm; a zone that changes only moves alarms.
  ADD COLUMN written timestamptz;

-- So far, everything was in UTC. Nothing changes for anybody.
ALTER TABLE tasks DISABLE TRIGGER USER;
UPDATE tasks SET begins_time = due_time, ends_time = due_time + CASE WHEN due_is_day THEN interval '24 hours' ELSE interval '0' END
WHERE due_time IS NOT NULL;
ALTER TABLE tasks ENABLE TRIGGER USER;
UPDATE task_alarms SET written = moment;
ALTER TABLE task_alarms ALTER COLUMN written SET NOT NULL;

DROP INDEX tasks_by_due;
DROP INDEX tasks_by_state;
DROP INDEX tasks_by_assignee;
CREATE INDEX tasks_by_due ON tasks (coalesce(begins_time, 'infinity'::timestamptz), id) WHERE removed_time IS NULL;
CREATE INDEX tasks_by_state ON tasks (done, coalesce(begins_time, 'infinity'::timestamptz), id) WHERE removed_time IS NULL;
CREATE INDEX tasks_by_assignee ON tasks (assignee, done, coalesce(begins_time, 'infinity'::timestamptz), id)
  WHERE removed_time IS NULL AND assignee IS NOT NULL;

-- Days begin in the zone of the assignee, if that is an account with one, else in that of the wiki. Times of day are the wiki's,
-- whoever shall be there. An instant that RFC 3339 cannot write becomes the first or last that it can.
CREATE FUNCTION reckon_task() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  written timestamp := NEW.due_time AT TIME ZONE 'UTC';
  zone text;
BEGIN
  IF written IS NULL THEN
    NEW.begins_time := NULL;
    NEW.ends_time := NULL;
    RETURN NEW;
  END IF;
  IF NEW.due_is_day AND NEW.assignee IS NOT NULL THEN
    SELECT time_zone INTO zone FROM users WHERE lower(username COLLATE "C") = NEW.assignee AND password IS NOT NULL;
  END IF;
  IF zone IS NULL THEN
    SELECT time_zone INTO zone FROM settings;
  END IF;
  NEW.begins_time := least(greatest(written AT TIME ZONE zone, '0001-01-01 00:00+00'), '9999-12-31 23:59+00');
  NEW.ends_time := CASE WHEN NEW.due_is_day THEN (written + interval '1 day') AT TIME ZONE zone ELSE NEW.begins_time END;
  RETURN NEW;
END
$$;
CREATE TRIGGER tasks_reckoned BEFORE INSERT OR UPDATE OF due_time, due_is_day, assignee ON tasks
  FOR EACH ROW EXECUTE FUNCTION reckon_task();

-- A zone that changes moves tasks. Who is writing some is waited for, and who begins to waits: none is reckoned in the former zone.
-- A time of day becomes another instant for everybody, which is news: the task gets a version, and an event says so. A day stays
-- the same day.
CREATE FUNCTION follow_zone_of_wiki() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  LOCK TABLE tasks IN SHARE ROW EXCLUSIVE MODE;
  UPDATE tasks SET due_time = due_time, version = version + CASE
    WHEN NOT due_is_day AND removed_time IS NULL AND begins_time <> (due_time AT TIME ZONE 'UTC') AT TIME ZONE NEW.time_zone THEN 1
    ELSE 0 END
  WHERE due_time IS NOT NULL;
  RETURN NULL;
END
$$;
CREATE TRIGGER settings_zone_changed AFTER UPDATE OF time_zone ON settings
  FOR EACH ROW WHEN (OLD.time_zone <> NEW.time_zone) EXECUTE FUNCTION follow_zone_of_wiki();

CREATE FUNCTION follow_zone_of_person() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  LOCK TABLE tasks IN SHARE ROW EXCLUSIVE MODE;
  UPDATE tasks SET due_time = due_time
  WHERE due_is_day AND due_time IS NOT NULL
    AND assignee IN (lower(OLD.username COLLATE "C"), lower(NEW.username COLLATE "C"));
  RETURN NULL;
END
$$;
CREATE TRIGGER users_zone_changed AFTER UPDATE OF time_zone, username, password ON users
  FOR EACH ROW WHEN (
    (OLD.time_zone IS NOT NULL OR NEW.time_zone IS NOT NULL)
    AND (OLD.time_zone, OLD.username, OLD.password IS NULL) IS DISTINCT FROM (NEW.time_zone, NEW.username, NEW.password IS NULL))
  EXECUTE FUNCTION follow_zone_of_person();

-- Its reminder; when it is due, or when the day begins on which it is; and when it is overdue: when that day is over or, of a
-- time, an hour later.
CREATE FUNCTION alarms_of(due_time timestamptz, begins_time timestamptz, ends_time timestamptz, due_is_day boolean, remind text)
RETURNS TABLE (kind text, moment timestamptz, written timestamptz) LANGUAGE sql STABLE AS $$
  SELECT kind, moment, written
  FROM (
    SELECT left(remind, -1)::integer * CASE right(remind, 1)
      WHEN 'm' THEN interval '1 minute' WHEN 'h' THEN interval '1 hour'
      WHEN 'd' THEN interval '24 hours' WHEN 'w' THEN interval '168 hours' END AS ahead
  ) AS asked CROSS JOIN LATERAL (VALUES
    ('reminder', begins_time - ahead, due_time - ahead),
    ('due', begins_time, due_time),
    ('overdue', ends_time + CASE WHEN due_is_day THEN interval '0' ELSE interval '1 hour' END,
      due_time + CASE WHEN due_is_day THEN interval '24 hours' ELSE interval '1 hour' END)
  ) AS alarm (kind, moment, written)
  WHERE moment IS NOT NULL
$$;

-- Sets the alarms of tasks that are new, open again, have another date, or are somewhere else. What had come a week before is
-- history: pages that were imported, and those whose tasks are read late, tell nobody. An alarm that only moves with a zone is not
-- told again if it was told, and is told at once if its moment has come by that.
CREATE OR REPLACE FUNCTION set_alarms() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT FROM touched WHERE due_time IS NOT NULL AND NOT done AND removed_time IS NULL) THEN
    INSERT INTO task_alarms AS alarm (task_id, kind, moment, written, is_over)
    SELECT touched.id, next.kind, next.moment, next.written, next.moment < now() - interval '7 days'
    FROM touched CROSS JOIN LATERAL alarms_of(due_time, begins_time, ends_time, due_is_day, remind) AS next
    LEFT JOIN task_alarms AS known ON known.task_id = touched.id AND known.kind = next.kind
    WHERE NOT done AND removed_time IS NULL
      AND (known.moment, known.written) IS DISTINCT FROM (next.moment, next.written)
    ORDER BY touched.id, next.kind
    ON CONFLICT (task_id, kind) DO UPDATE SET moment = excluded.moment, written = excluded.written,
      is_over = CASE WHEN alarm.written = excluded.written THEN alarm.is_over ELSE excluded.is_over END;
  END IF;
  RETURN NULL;
END
$$;

-- What events say of a task.
CREATE OR REPLACE FUNCTION task_data(task tasks) RETURNS jsonb LANGUAGE sql STABLE AS $$
  SELECT jsonb_build_object(
    'task_id', task.id, 'post_id', task.post_id, 'version', task.version, 'text', task.text, 'done', task.done,
    'due', CASE WHEN task.due_is_day THEN to_char(task.due_time AT TIME ZONE 'UTC', 'YYYY-MM-DD')
      ELSE to_char(task.begins_time AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') END,
    'assignee', task.assignee, 'priority', task.priority, 'repeat', task.repeat, 'remind', task.remind,
    'done_by', task.done_by)
$$;

-- As before, but what the alarms are of is read after they are locked: who moved them in between is seen.
CREATE OR REPLACE FUNCTION sound_alarms(most bigint) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  come task_alarms[];
  ringing record;
  told bigint := 0;
BEGIN
  IF NOT EXISTS (SELECT FROM task_alarms WHERE NOT is_over AND moment <= now())
    OR NOT pg_try_advisory_xact_lock(hashtext('task_alarms')) THEN
    RETURN 0;
  END IF;
  -- A page that is being saved is told of a second later: its save waits for nobody.
  SELECT array_agg(locked.alarm) INTO come FROM (
    SELECT task_alarms AS alarm FROM task_alarms
    WHERE NOT is_over AND moment <= now() AND task_id IN (
      SELECT task_id FROM task_alarms WHERE NOT is_over AND moment <= now() ORDER BY moment LIMIT most)
    FOR UPDATE SKIP LOCKED
  ) AS locked;
  FOR ringing IN
    WITH still AS MATERIALIZED (
      SELECT alarm.task_id, alarm.kind, alarm.moment FROM unnest(come) AS alarm
      JOIN tasks ON tasks.id = alarm.task_id AND NOT tasks.done AND tasks.removed_time IS NULL
      JOIN posts ON posts.id = tasks.post_id AND posts.deleted_time IS NULL
      JOIN LATERAL alarms_of(tasks.due_time, tasks.begins_time, tasks.ends_time, tasks.due_is_day, tasks.remind) AS now_set
        ON now_set.kind = alarm.kind AND now_set.moment = alarm.moment
    ), over AS (
      UPDATE task_alarms SET is_over = true FROM still
      WHERE task_alarms.task_id = still.task_id AND task_alarms.kind = still.kind
    ), gone AS (
      -- A task that is done has none. If it is opened again, it gets new ones.
      DELETE FROM task_alarms USING unnest(come) AS alarm
      WHERE task_alarms.task_id = alarm.task_id AND task_alarms.kind = alarm.kind
        AND NOT EXISTS (SELECT FROM still WHERE still.task_id = alarm.task_id AND still.kind = alarm.kind)
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
DROP FUNCTION alarms_of(timestamptz, boolean, text);
