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

CREATE OR REPLACE FUNCTION count_new_tags() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO tags (name, acl_id, posts)
  SELECT name, acl_id, count(*) FROM touched CROSS JOIN LATERAL unnest(tags) AS name
  WHERE deleted_time IS NULL GROUP BY name, acl_id ORDER BY name COLLATE "C", acl_id
  ON CONFLICT (name, acl_id) DO UPDATE SET posts = tags.posts + excluded.posts;
  INSERT INTO post_tags (name, post_id, acl_id, title_key, edited_time)
  SELECT DISTINCT name, id, acl_id, title_order(title), updated_time FROM touched CROSS JOIN LATERAL unnest(tags) AS name
  WHERE deleted_time IS NULL;
  RETURN NULL;
END
$$;
CREATE OR REPLACE FUNCTION count_changed_tags() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO tags (name, acl_id, posts)
  SELECT name, acl_id, sum(change) FROM (
    SELECT unnest(OLD.tags) AS name, OLD.acl_id, -1 AS change WHERE OLD.deleted_time IS NULL
    UNION ALL
    SELECT unnest(NEW.tags), NEW.acl_id, 1 WHERE NEW.deleted_time IS NULL
  ) changes GROUP BY name, acl_id HAVING sum(change) <> 0 ORDER BY name COLLATE "C", acl_id
  ON CONFLICT (name, acl_id) DO UPDATE SET posts = tags.posts + excluded.posts;
  DELETE FROM post_tags WHERE post_id = OLD.id AND name = ANY (OLD.tags);
  INSERT INTO post_tags (name, post_id, acl_id, title_key, edited_time)
  SELECT DISTINCT name, NEW.id, NEW.acl_id, title_order(NEW.title), NEW.updated_time FROM unnest(NEW.tags) AS name
  WHERE NEW.deleted_time IS NULL;
  RETURN NULL;
END
$$;
DROP TRIGGER posts_retagged ON posts;
CREATE TRIGGER posts_retagged AFTER UPDATE OF title, tags, deleted_time, acl_id ON posts
  FOR EACH ROW WHEN (OLD.tags <> NEW.tags OR OLD.acl_id <> NEW.acl_id OR (OLD.title <> NEW.title AND NEW.tags <> '{}')
    OR (OLD.deleted_time IS NULL) <> (NEW.deleted_time IS NULL))
  EXECUTE FUNCTION count_changed_tags();

-- An edit that leaves title and tags as they are, which is most, changes their time alone.
CREATE FUNCTION time_tags() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE post_tags SET edited_time = NEW.updated_time WHERE post_id = NEW.id AND name = ANY (NEW.tags);
  RETURN NULL;
END
$$;
CREATE TRIGGER posts_tags_timed AFTER UPDATE OF updated_time ON posts
  FOR EACH ROW WHEN (OLD.updated_time <> NEW.updated_time AND NEW.tags <> '{}' AND NEW.deleted_time IS NULL)
  EXECUTE FUNCTION time_tags();
