-- Deleting a page with everything below it.

-- Deletes page `page` and everything below it, or nothing at all, if the page is at one of the versions `seen`. `reader` is as for
-- `acl_roles`: what they may not read moves up, as if it were not there. Returns what it did, and the page as it was. Of what is
-- below and may not be deleted, it returns the titles of protected pages and of those that may only be read, four of each at most.
CREATE FUNCTION delete_tree(page bigint, seen bigint[], may_override boolean, reader bigint, editor bigint, reason text,
  actor bigint, address text, OUT outcome text, OUT protected_below text[], OUT read_only_below text[],
  OUT root posts)
LANGUAGE plpgsql AS $$
DECLARE
  readable bigint[] := acls_with(reader, 1) || 0::bigint;
  writable bigint[] := acls_with(reader, 2) || 0::bigint;
  locked bigint[];
  subtree bigint[];
BEGIN
  -- Nothing comes into the subtree by a move meanwhile, nor out of it.
  PERFORM pg_advisory_xact_lock(hashtext('tree'));
  SELECT * INTO root FROM posts WHERE id = page FOR UPDATE;
  outcome := CASE
    WHEN root.id IS NULL OR root.deleted_time IS NOT NULL OR root.acl_id <> ALL (readable) THEN 'gone'
    WHEN root.acl_id <> ALL (writable) THEN 'read only'
    WHEN root.protected AND NOT may_override THEN 'protected'
    WHEN root.version <> ALL (seen) THEN 'stale'
    WHEN editor IS NOT NULL AND NOT EXISTS (SELECT FROM users WHERE id = editor AND deleted_time IS NULL) THEN 'no such user'
    END;
  IF outcome IS NOT NULL THEN RETURN; END IF;

  locked := locked_subtree(page);
  -- What was deleted before stays as it is.
  WITH RECURSIVE shown AS (
    SELECT page AS id
    UNION ALL
    SELECT posts.id FROM shown JOIN posts ON posts.parent_id = shown.id
    WHERE posts.deleted_time IS NULL AND posts.acl_id = ANY (readable)
  )
  SELECT array_agg(line.id ORDER BY line.number) INTO subtree
  FROM unnest(locked) WITH ORDINALITY AS line (id, number) JOIN shown ON shown.id = line.id;
  SELECT coalesce((array_agg(below.title) FILTER (WHERE below.is_writable AND below.protected AND NOT may_override))[:4], '{}'),
    coalesce((array_agg(below.title) FILTER (WHERE NOT below.is_writable))[:4], '{}')
  INTO protected_below, read_only_below
  FROM (
    SELECT posts.title, posts.protected, posts.acl_id = ANY (writable) AS is_writable
    FROM unnest(subtree) WITH ORDINALITY AS line (id, number) JOIN posts ON posts.id = line.id ORDER BY line.number
  ) AS below;
  IF protected_below <> '{}' OR read_only_below <> '{}' THEN
    outcome := 'blocked';
    RETURN;
  END IF;

  UPDATE posts SET parent_id = root.parent_id
  WHERE parent_id = ANY (subtree) AND id <> ALL (subtree) AND deleted_time IS NULL;
  UPDATE posts SET deleted_time = now(), version = version + 1, updated_time = now() WHERE id = ANY (subtree);
  INSERT INTO revisions (post_id, version, user_id, title, slug, content, tags, comment, size, delta, kind, created_time)
  SELECT posts.id, posts.version, editor, posts.title, posts.slug, posts.content, posts.tags, reason, octet_length(posts.content), 0,
    'deleted', posts.updated_time
  FROM unnest(subtree) WITH ORDINALITY AS line (id, number) JOIN posts ON posts.id = line.id ORDER BY line.number;
  INSERT INTO audit (event, actor_id, address, post_id, details)
  SELECT 'page_deleted', actor, delete_tree.address, posts.id, posts.title
  FROM unnest(subtree) WITH ORDINALITY AS line (id, number) JOIN posts ON posts.id = line.id ORDER BY line.number;
  outcome := 'deleted';
END
$$;
COMMENT ON FUNCTION delete_tree(bigint, bigint[], boolean, bigint, bigint, text, bigint, text) IS
  'Deletes a page with everything below it. It leaves its session as it was.';
