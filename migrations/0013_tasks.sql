-- Tasks: the items of checklists. The text of a page is the source; what is here is derived in the statement that saves it.

CREATE TABLE tasks (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  post_id bigint NOT NULL REFERENCES posts,
  -- Which of the page's tasks it is, from 0, and the line it is in, from 1.
  place integer NOT NULL,
  line integer NOT NULL,
  -- What it says, and what it is compared by: its words, and these with dates and names.
  text text NOT NULL,
  key text NOT NULL,
  full_key text NOT NULL,
  done boolean NOT NULL,
  -- When it is due, or when the day begins on which it is.
  due_time timestamptz,
  due_is_day boolean NOT NULL,
  scheduled text,
  -- The username after the @, in lower case.
  assignee text COLLATE "C",
  priority text,
  repeat text,
  remind text,
  done_time timestamptz,
  done_by bigint REFERENCES users,
  -- Its own version, and that of the page in which it was first.
  version bigint NOT NULL DEFAULT 1,
  added_version bigint NOT NULL,
  created_time timestamptz NOT NULL,
  -- When it went from its page. It is the same task if it comes back, there or in another page.
  removed_time timestamptz
);
CREATE INDEX tasks_by_page ON tasks (post_id);
CREATE INDEX tasks_by_key ON tasks (full_key);
-- The order of lists: by due date, those without one last.
CREATE INDEX tasks_by_due ON tasks (coalesce(due_time, 'infinity'::timestamptz), id) WHERE removed_time IS NULL;
CREATE INDEX tasks_by_state ON tasks (done, coalesce(due_time, 'infinity'::timestamptz), id) WHERE removed_time IS NULL;
CREATE INDEX tasks_by_assignee ON tasks (assignee, done, coalesce(due_time, 'infinity'::timestamptz), id)
  WHERE removed_time IS NULL AND assignee IS NOT NULL;

ALTER TABLE posts
  -- The version whose tasks are known, and a hash of them; 0 stands for none. A version with the same leaves them as they are.
  ADD COLUMN tasks_version bigint,
  ADD COLUMN tasks_hash bigint NOT NULL DEFAULT 0;

-- Pages from before, and those that an older version of the wiki writes during an upgrade. The wiki reads their tasks later,
-- some pages at a time.
CREATE TABLE tasks_waiting (
  post_id bigint PRIMARY KEY REFERENCES posts
);
INSERT INTO tasks_waiting (post_id) SELECT id FROM posts WHERE content ~ '\[[ xX]\]';

CREATE FUNCTION keep_tasks_later() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO tasks_waiting (post_id) VALUES (NEW.id) ON CONFLICT DO NOTHING;
  RETURN NULL;
END
$$;
CREATE TRIGGER posts_tasks_later AFTER INSERT OR UPDATE OF content ON posts
  FOR EACH ROW WHEN (NEW.tasks_version IS DISTINCT FROM NEW.version) EXECUTE FUNCTION keep_tasks_later();

-- Whether half of the words are in both.
CREATE FUNCTION are_similar(one text, other text) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN (
  SELECT 2 * count(*) FROM (
    SELECT unnest(string_to_array(one, ' ')) INTERSECT ALL SELECT unnest(string_to_array(other, ' '))
  ) AS common
) >= greatest(cardinality(string_to_array(one, ' ')), cardinality(string_to_array(other, ' ')));

-- Makes `given` the tasks of a page: a JSON array with an object for each, in the order of the page. `editor` has written
-- them in version `page_version`, at `edit_time`.
--
-- A function, as each of its statements sees what others have committed by then: the page is locked, but the statement that
-- calls it may have begun before somebody else saved the page.
--
-- Which task is which is told by, in this order: text, dates and place; text and dates; text; text and dates of a task that went from this page, or
-- within a week from another; and the place, between tasks that stayed, if half of the words are the same or there is only
-- one. Of equal ones, the first is the first. `src/tasks/matching.rs` has the same rules.
CREATE FUNCTION keep_tasks(page bigint, page_version bigint, editor bigint, edit_time timestamptz, given jsonb)
RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
  -- The number of each task, by its place; null for a new one.
  ids bigint[];
  known bigint[];
  pair record;
BEGIN
  WITH new AS (
    SELECT place, key, full_key FROM jsonb_to_recordset(given) AS task (place integer, key text, full_key text)
  ), old AS (
    SELECT id, place, key, full_key FROM tasks WHERE post_id = page AND removed_time IS NULL
  ), unmoved AS (
    SELECT place, id FROM new JOIN old USING (place, full_key)
  ), equal AS (
    SELECT one.place, other.id
    FROM (
      SELECT place, full_key, row_number() OVER (PARTITION BY full_key ORDER BY place) AS nth
      FROM new WHERE place NOT IN (SELECT place FROM unmoved)
    ) AS one
    JOIN (
      SELECT id, full_key, row_number() OVER (PARTITION BY full_key ORDER BY place) AS nth
      FROM old WHERE id NOT IN (SELECT id FROM unmoved)
    ) AS other USING (full_key, nth)
    UNION ALL SELECT place, id FROM unmoved
  ), named AS (
    SELECT one.place, other.id
    FROM (
      SELECT place, key, row_number() OVER (PARTITION BY key ORDER BY place) AS nth
      FROM new WHERE place NOT IN (SELECT place FROM equal)
    ) AS one
    JOIN (
      SELECT id, key, row_number() OVER (PARTITION BY key ORDER BY place) AS nth
      FROM old WHERE id NOT IN (SELECT id FROM equal)
    ) AS other USING (key, nth)
  ), stayed AS (
    SELECT place, id FROM equal UNION ALL SELECT place, id FROM named
  )
  SELECT array_agg(stayed.id ORDER BY new.place) INTO ids FROM new LEFT JOIN stayed USING (place);
  ids := coalesce(ids, '{}');

  -- What comes back. Nobody waits for another page's tasks.
  IF array_position(ids, NULL) IS NOT NULL THEN
    WITH new AS (
      SELECT place, full_key, row_number() OVER (PARTITION BY full_key ORDER BY place) AS nth
      FROM jsonb_to_recordset(given) AS task (place integer, full_key text) WHERE ids[place + 1] IS NULL
    ), gone AS MATERIALIZED (
      SELECT id, post_id, full_key, removed_time FROM tasks
      WHERE full_key IN (SELECT full_key FROM new) AND removed_time IS NOT NULL
        AND (post_id = page OR removed_time > edit_time - interval '7 days')
      ORDER BY removed_time DESC LIMIT 1000 FOR UPDATE SKIP LOCKED
    ), back AS (
      SELECT new.place, ranked.id
      FROM new JOIN (
        SELECT id, full_key,
          row_number() OVER (PARTITION BY full_key ORDER BY post_id = page DESC, removed_time DESC, id) AS nth
        FROM gone
      ) AS ranked USING (full_key, nth)
    )
    SELECT array_agg(coalesce(known.id, back.id) ORDER BY known.nth) INTO ids
    FROM unnest(ids) WITH ORDINALITY AS known (id, nth) LEFT JOIN back ON back.place = known.nth - 1;
  END IF;

  -- What was rewritten where it stands. More than a few tasks in one place are another text.
  known := array_remove(ids, NULL);
  IF array_position(ids, NULL) IS NOT NULL THEN
    FOR pair IN
      WITH new AS (
        SELECT place, key, ids[place + 1] AS id, count(ids[place + 1]) OVER (ORDER BY place) AS gap
        FROM jsonb_to_recordset(given) AS task (place integer, key text)
      ), old AS (
        SELECT id, place, key, id = ANY (known) AS is_known,
          count(*) FILTER (WHERE id = ANY (known)) OVER (ORDER BY place) AS gap
        FROM tasks WHERE post_id = page AND removed_time IS NULL
      ), new_gaps AS (
        SELECT place, key, id, first_value(id) OVER (PARTITION BY gap ORDER BY place) AS anchor,
          count(*) FILTER (WHERE id IS NULL) OVER (PARTITION BY gap) AS size
        FROM new
      ), old_gaps AS (
        SELECT id, place, key, is_known,
          first_value(CASE WHEN is_known THEN id END) OVER (PARTITION BY gap ORDER BY place) AS anchor,
          count(*) FILTER (WHERE NOT is_known) OVER (PARTITION BY gap) AS size
        FROM old
      )
      SELECT new_gaps.place, old_gaps.place AS old_place, old_gaps.id
      FROM new_gaps JOIN old_gaps ON new_gaps.id IS NULL AND NOT old_gaps.is_known
        AND new_gaps.anchor IS NOT DISTINCT FROM old_gaps.anchor AND new_gaps.size <= 30 AND old_gaps.size <= 30
      WHERE (new_gaps.size = 1 AND old_gaps.size = 1) OR are_similar(new_gaps.key, old_gaps.key)
      ORDER BY new_gaps.place, old_gaps.place
    LOOP
      IF ids[pair.place + 1] IS NULL AND NOT pair.id = ANY (known) THEN
        ids[pair.place + 1] := pair.id;
        known := known || pair.id;
      END IF;
    END LOOP;
  END IF;

  UPDATE tasks SET removed_time = edit_time WHERE post_id = page AND removed_time IS NULL AND NOT id = ANY (known);
  -- What was copied to another page before it went from this one has moved there.
  IF FOUND THEN
    FOR pair IN
      SELECT gone.id, gone.full_key FROM tasks AS gone
      WHERE gone.post_id = page AND gone.removed_time = edit_time ORDER BY gone.place
    LOOP
      WITH copy AS MATERIALIZED (
        SELECT tasks.id, post_id, place, line FROM tasks JOIN posts ON posts.id = post_id AND posts.deleted_time IS NULL
        WHERE full_key = pair.full_key AND post_id <> page AND removed_time IS NULL AND tasks.version = 1
          AND tasks.created_time > edit_time - interval '1 day' AND tasks.id > pair.id
        ORDER BY tasks.id LIMIT 1 FOR UPDATE OF tasks, posts SKIP LOCKED
      ), merged AS (
        DELETE FROM tasks USING copy WHERE tasks.id = copy.id
      )
      UPDATE tasks SET post_id = copy.post_id, place = copy.place, line = copy.line, version = tasks.version + 1,
        removed_time = NULL
      FROM copy WHERE tasks.id = pair.id;
    END LOOP;
  END IF;

  UPDATE tasks SET post_id = page, place = task.place, line = task.line, text = task.text, key = task.key,
    full_key = task.full_key, done = task.done, due_time = task.due, due_is_day = task.due_is_day,
    scheduled = task.scheduled, assignee = task.assignee, priority = task.priority, repeat = task.repeat,
    remind = task.remind, removed_time = NULL,
    done_time = CASE WHEN NOT task.done THEN NULL WHEN tasks.done THEN tasks.done_time ELSE edit_time END,
    done_by = CASE WHEN NOT task.done THEN NULL WHEN tasks.done THEN tasks.done_by ELSE editor END,
    version = tasks.version + CASE WHEN
      (tasks.post_id, tasks.full_key, tasks.text, tasks.done, tasks.due_is_day, tasks.remind, tasks.removed_time IS NULL)
      IS DISTINCT FROM (page, task.full_key, task.text, task.done, task.due_is_day, task.remind, true) THEN 1 ELSE 0 END
  FROM jsonb_to_recordset(given) AS task (
    place integer, line integer, text text, key text, full_key text, done boolean, due timestamptz, due_is_day boolean,
    scheduled text, assignee text, priority text, repeat text, remind text)
  WHERE tasks.id = ids[task.place + 1]
    AND (tasks.post_id, tasks.place, tasks.line, tasks.full_key, tasks.text, tasks.done, tasks.due_is_day, tasks.remind,
      tasks.removed_time IS NULL)
    IS DISTINCT FROM (page, task.place, task.line, task.full_key, task.text, task.done, task.due_is_day, task.remind, true);

  INSERT INTO tasks (post_id, place, line, text, key, full_key, done, due_time, due_is_day, scheduled, assignee, priority,
    repeat, remind, done_time, done_by, added_version, created_time)
  SELECT page, place, line, text, key, full_key, done, due, due_is_day, scheduled, assignee, priority, repeat, remind,
    CASE WHEN done THEN coalesce(done_day, edit_time) END, CASE WHEN done THEN editor END, page_version, edit_time
  FROM jsonb_to_recordset(given) AS task (
    place integer, line integer, text text, key text, full_key text, done boolean, due timestamptz, due_is_day boolean,
    scheduled text, assignee text, priority text, repeat text, remind text, done_day timestamptz)
  WHERE ids[place + 1] IS NULL ORDER BY place;

  RETURN true;
END
$$;
