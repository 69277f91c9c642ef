-- Deletions and restores as revisions, and pages by their titles.

-- What a revision did; the first of a page created it. Somebody without an account may delete and restore pages in an
-- open wiki, and is not known then.
ALTER TABLE revisions
  ADD COLUMN kind text NOT NULL DEFAULT 'edited'
    CONSTRAINT revisions_kind_is_known CHECK (kind IN ('edited', 'renamed', 'deleted', 'restored')),
  ALTER COLUMN user_id DROP NOT NULL;

UPDATE revisions SET kind = 'renamed'
FROM revisions before
WHERE before.post_id = revisions.post_id AND before.version = revisions.version - 1
  AND (before.title, before.slug) <> (revisions.title, revisions.slug);

-- The deletions of pages that are deleted now. Of earlier ones, only the audit trail knows: versions keep their numbers.
INSERT INTO revisions (post_id, version, user_id, title, slug, content, tags, comment, size, delta, kind, created_time)
SELECT posts.id, posts.version + 1, users.id, title, slug, content, tags, '', octet_length(content), 0, 'deleted',
  posts.deleted_time
FROM posts
LEFT JOIN (
  SELECT DISTINCT ON (post_id) post_id, actor_id FROM audit WHERE event = 'page_deleted' ORDER BY post_id, id DESC
) AS deletion ON deletion.post_id = posts.id
LEFT JOIN users ON users.id = deletion.actor_id
WHERE posts.deleted_time IS NOT NULL;
UPDATE posts SET version = version + 1, updated_time = deleted_time WHERE deleted_time IS NOT NULL;

CREATE INDEX posts_by_deletion ON posts (deleted_time, id) WHERE deleted_time IS NOT NULL;

-- A link names a title, by the slug of it: here where that is not the page's own slug. It may be missing for titles beyond
-- ASCII of before, whose slugs PostgreSQL cannot make, until the page is saved.
ALTER TABLE posts ADD COLUMN title_slug text;
UPDATE posts SET title_slug = made.slug
FROM (
  SELECT id, coalesce(nullif(rtrim(left(ltrim(
    regexp_replace(replace(lower(title COLLATE "C"), '''', ''), '[^a-z0-9]+', '-', 'g'), '-'), 100), '-'), ''), 'page') AS slug
  FROM posts WHERE octet_length(title) = length(title)
) AS made
WHERE made.id = posts.id AND made.slug <> posts.slug;
-- Most links lead to a page whose title and slug are one name: this index alone says so.
DROP INDEX posts_slug_key;
CREATE UNIQUE INDEX posts_slug_key ON posts (slug) INCLUDE (title_slug) WHERE deleted_time IS NULL;
CREATE INDEX posts_by_title_slug ON posts (title_slug, id) WHERE deleted_time IS NULL AND title_slug IS NOT NULL;

-- The slugs of titles that a page had lead to it as well.
CREATE OR REPLACE FUNCTION keep_former_slug() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO former_slugs (slug, post_id)
  SELECT name, NEW.id FROM (SELECT OLD.slug UNION SELECT OLD.title_slug) AS former(name)
  WHERE name <> NEW.slug AND name IS DISTINCT FROM NEW.title_slug
  ON CONFLICT (slug) DO UPDATE SET post_id = excluded.post_id, renamed_time = now();
  RETURN NULL;
END
$$;
DROP TRIGGER posts_renamed ON posts;
CREATE TRIGGER posts_renamed AFTER UPDATE OF slug, title_slug ON posts
  FOR EACH ROW WHEN (OLD.slug <> NEW.slug OR OLD.title_slug IS DISTINCT FROM NEW.title_slug)
  EXECUTE FUNCTION keep_former_slug();
