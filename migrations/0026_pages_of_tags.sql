-- The pages of a tag in their orders, with their lists, so that a list of them meets only pages that the reader may read. An index
-- of the tags alone leads whoever may read a tenth of the pages past ten times as many.

-- Living pages only.
CREATE TABLE post_tags (
  name text COLLATE "C" NOT NULL,
  post_id bigint NOT NULL,
  -- That of the page.
  acl_id bigint NOT NULL,
  -- The place of its title among others.
  title_key text COLLATE "C" NOT NULL,
  -- When the page was edited last.
  edited_time timestamptz NOT NULL
);
INSERT INTO post_tags (name, post_id, acl_id, title_key, edited_time)
SELECT DISTINCT name, id, acl_id, title_order(title), updated_time FROM posts CROSS JOIN LATERAL unnest(tags) AS name
WHERE deleted_time IS NULL;
ALTER TABLE post_tags ADD PRIMARY KEY (name, post_id) INCLUDE (acl_id);
CREATE INDEX post_tags_by_title ON post_tags (name, title_key, post_id) INCLUDE (acl_id);
CREATE INDEX post_tags_by_update ON post_tags (name, edited_time, post_id) INCLUDE (acl_id);

CREATE FUNCTION list_new_tags() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO post_tags (name, post_id, acl_id, title_key, edited_time)
  SELECT DISTINCT name, id, acl_id, title_order(title), updated_time FROM touched CROSS JOIN LATERAL unnest(tags) AS name
  WHERE deleted_time IS NULL;
  RETURN NULL;
END
$$;
CREATE TRIGGER posts_tags_listed AFTER INSERT ON posts
  REFERENCING NEW TABLE AS touched FOR EACH STATEMENT EXECUTE FUNCTION list_new_tags();

CREATE FUNCTION list_changed_tags() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (OLD.title, OLD.tags, OLD.acl_id, OLD.deleted_time IS NULL) = (NEW.title, NEW.tags, NEW.acl_id, NEW.deleted_time IS NULL) THEN
    -- Most edits.
    UPDATE post_tags SET edited_time = NEW.updated_time WHERE post_id = NEW.id AND name = ANY (NEW.tags);
    RETURN NULL;
  END IF;
  DELETE FROM post_tags WHERE post_id = OLD.id AND name = ANY (OLD.tags);
  INSERT INTO post_tags (name, post_id, acl_id, title_key, edited_time)
  SELECT DISTINCT name, NEW.id, NEW.acl_id, title_order(NEW.title), NEW.updated_time FROM unnest(NEW.tags) AS name
  WHERE NEW.deleted_time IS NULL;
  RETURN NULL;
END
$$;
CREATE TRIGGER posts_tags_listed_again AFTER UPDATE OF title, tags, deleted_time, acl_id, updated_time ON posts
  FOR EACH ROW WHEN ((OLD.tags <> '{}' OR NEW.tags <> '{}') AND (OLD.deleted_time IS NULL OR NEW.deleted_time IS NULL))
  EXECUTE FUNCTION list_changed_tags();
