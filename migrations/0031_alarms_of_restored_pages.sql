-- The alarms of tasks in a deleted page go when their moment comes. They are set again when the page is restored.
CREATE FUNCTION set_alarms_again() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  -- Tasks that are written again get the alarms that they lack, and no event: nothing in them has changed.
  UPDATE tasks SET place = place WHERE post_id = NEW.id AND due_time IS NOT NULL AND NOT done AND removed_time IS NULL;
  RETURN NULL;
END
$$;
CREATE TRIGGER posts_alarms_return AFTER UPDATE OF deleted_time ON posts FOR EACH ROW
  WHEN (OLD.deleted_time IS NOT NULL AND NEW.deleted_time IS NULL) EXECUTE FUNCTION set_alarms_again();
