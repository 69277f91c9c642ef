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
