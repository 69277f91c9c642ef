-- What happens to tasks, in the log. The key is the page, since one save changes several tasks; those that only moved tell
-- nothing.

CREATE FUNCTION log_task(kind text, task tasks) RETURNS void LANGUAGE sql AS $$
  SELECT log_event(
    'task-events', task.post_id::text, 'wasiki.task.' || kind, '/tasks/' || task.id, false,
    jsonb_build_object(
      'task_id', task.id, 'post_id', task.post_id, 'version', task.version, 'text', task.text, 'done', task.done,
      'due', to_char(task.due_time AT TIME ZONE 'UTC',
        CASE WHEN task.due_is_day THEN 'YYYY-MM-DD' ELSE 'YYYY-MM-DD"T"HH24:MI:SS"Z"' END),
      'assignee', task.assignee, 'priority', task.priority, 'repeat', task.repeat, 'remind', task.remind,
      'done_by', task.done_by))
$$;

-- Tells of each row that something happened, as the trigger calls it.
CREATE FUNCTION log_tasks() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM log_task(TG_ARGV[0], ROW(touched.*)::tasks) FROM (SELECT * FROM touched ORDER BY place) AS touched;
  RETURN NULL;
END
$$;
CREATE TRIGGER tasks_created_logged AFTER INSERT ON tasks
  REFERENCING NEW TABLE AS touched FOR EACH STATEMENT EXECUTE FUNCTION log_tasks('created');
CREATE TRIGGER tasks_gone_logged AFTER DELETE ON tasks
  REFERENCING OLD TABLE AS touched FOR EACH STATEMENT EXECUTE FUNCTION log_tasks('removed');

CREATE FUNCTION log_changed_tasks() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM log_task(
    CASE
      WHEN (changed.task).removed_time IS NOT NULL THEN 'removed'
      WHEN was_removed THEN 'restored'
      WHEN was_done AND NOT (changed.task).done THEN 'reopened'
      WHEN NOT was_done AND (changed.task).done THEN 'completed'
      ELSE 'updated'
    END,
    changed.task)
  FROM (
    SELECT ROW(touched.*)::tasks AS task, former.removed_time IS NOT NULL AS was_removed, former.done AS was_done
    FROM touched JOIN former USING (id)
    WHERE touched.version <> former.version OR (touched.removed_time IS NULL) <> (former.removed_time IS NULL)
    ORDER BY touched.place
  ) AS changed;
  RETURN NULL;
END
$$;
CREATE TRIGGER tasks_changed_logged AFTER UPDATE ON tasks
  REFERENCING OLD TABLE AS former NEW TABLE AS touched FOR EACH STATEMENT EXECUTE FUNCTION log_changed_tasks();
