-- Spaces, the tree of pages in them, and who may read and write which pages.

CREATE TABLE groups (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name text NOT NULL,
  description text NOT NULL DEFAULT '',
  created_time timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX groups_name_key ON groups (lower(name COLLATE "C"));

CREATE TABLE group_members (
  group_id bigint NOT NULL REFERENCES groups ON DELETE CASCADE,
  user_id bigint NOT NULL REFERENCES users,
  PRIMARY KEY (group_id, user_id)
);
CREATE INDEX group_members_by_user ON group_members (user_id);

-- Access control lists. Roles are numbers: 0 none, 1 read, 2 write, 3 administer. A role is never more than the mode of the wiki
-- and the role of the account allow; for that, no list is needed, and 0 stands for none.
CREATE TABLE acls (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  -- The list that this one narrows: nobody may do more than that one says, but for those who administer it.
  parent_id bigint REFERENCES acls,
  -- The page that has it for itself and everything below; null for that of a space.
  post_id bigint CONSTRAINT acls_post_key UNIQUE REFERENCES posts,
  -- The role of everybody the wiki lets in.
  everybody smallint NOT NULL DEFAULT 0 CHECK (everybody BETWEEN 0 AND 2)
);
CREATE INDEX acls_by_parent ON acls (parent_id) WHERE parent_id IS NOT NULL;

CREATE TABLE acl_entries (
  acl_id bigint NOT NULL REFERENCES acls ON DELETE CASCADE,
  user_id bigint REFERENCES users,
  group_id bigint REFERENCES groups ON DELETE CASCADE,
  role smallint NOT NULL CHECK (role BETWEEN 1 AND 3),
  CONSTRAINT acl_entry_is_of_one CHECK (num_nonnulls(user_id, group_id) = 1)
);
CREATE UNIQUE INDEX acl_entries_user_key ON acl_entries (user_id, acl_id) WHERE user_id IS NOT NULL;
CREATE UNIQUE INDEX acl_entries_group_key ON acl_entries (group_id, acl_id) WHERE group_id IS NOT NULL;
CREATE INDEX acl_entries_by_acl ON acl_entries (acl_id);

CREATE TABLE spaces (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  slug text COLLATE "C" NOT NULL,
  name text NOT NULL,
  description text NOT NULL DEFAULT '',
  -- An emoji, or nothing.
  icon text NOT NULL DEFAULT '',
  -- 0 for the first space: what the mode and the roles of accounts say is all there is to it.
  acl_id bigint NOT NULL,
  -- A change makes another.
  version bigint NOT NULL DEFAULT 1,
  created_time timestamptz NOT NULL DEFAULT now(),
  deleted_time timestamptz
);
CREATE UNIQUE INDEX spaces_slug_key ON spaces (slug) WHERE deleted_time IS NULL;
-- The space of the pages that have no other. It has this number in every wiki.
INSERT INTO spaces (id, slug, name, acl_id) OVERRIDING SYSTEM VALUE VALUES (1, 'general', 'General', 0);
SELECT setval(pg_get_serial_sequence('spaces', 'id'), 1);

-- Siblings are in the order of their positions, then of their numbers. Whatever comes into the tree gets a position behind all
-- there are, with room for others before it.
CREATE SEQUENCE positions INCREMENT BY 65536;
ALTER TABLE posts
  -- Not a foreign key: spaces are never removed, and every new page would lock the row of its space.
  ADD COLUMN space_id bigint NOT NULL DEFAULT 1,
  ADD COLUMN parent_id bigint CONSTRAINT posts_have_a_parent REFERENCES posts,
  ADD COLUMN position bigint NOT NULL DEFAULT 0,
  -- The list that says who may read and write the page: its own, else that of its parent, else that of its space.
  ADD COLUMN acl_id bigint NOT NULL DEFAULT 0;
ALTER TABLE posts ALTER COLUMN position SET DEFAULT nextval('positions');
CREATE INDEX posts_by_place ON posts (space_id, parent_id, position, id) WHERE deleted_time IS NULL;
CREATE INDEX posts_by_parent ON posts (parent_id, position, id) WHERE parent_id IS NOT NULL;
CREATE INDEX posts_by_acl ON posts (acl_id) WHERE acl_id <> 0;

-- A user who is deleted is in no group and on no list any more.
CREATE FUNCTION leave_groups() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM group_members WHERE user_id = NEW.id;
  DELETE FROM acl_entries WHERE user_id = NEW.id;
  RETURN NULL;
END
$$;
CREATE TRIGGER users_leave AFTER UPDATE OF deleted_time ON users
  FOR EACH ROW WHEN (OLD.deleted_time IS NULL AND NEW.deleted_time IS NOT NULL) EXECUTE FUNCTION leave_groups();

-- The roles that a reader has by lists, where they have one: the number of a user, 0 for a stranger, -1 for whoever may do
-- everything.
CREATE FUNCTION acl_roles(reader bigint) RETURNS TABLE (acl_id bigint, role integer) LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
BEGIN
  IF reader = -1 THEN
    RETURN QUERY SELECT acls.id, 3 FROM acls;
    RETURN;
  END IF;
  RETURN QUERY
    WITH RECURSIVE own AS MATERIALIZED (
      SELECT entry.acl_id AS id, max(entry.role)::integer AS role FROM acl_entries AS entry
      WHERE entry.user_id = reader
        OR entry.group_id IN (SELECT member.group_id FROM group_members AS member WHERE member.user_id = reader)
      GROUP BY entry.acl_id
    ), held AS (
      SELECT acls.id, greatest(acls.everybody::integer, coalesce(own.role, 0)) AS role
      FROM acls LEFT JOIN own ON own.id = acls.id WHERE acls.parent_id IS NULL
      UNION ALL
      SELECT acls.id, CASE WHEN held.role = 3 THEN 3
        ELSE least(held.role, greatest(acls.everybody::integer, coalesce(own.role, 0))) END
      FROM held JOIN acls ON acls.parent_id = held.id LEFT JOIN own ON own.id = acls.id WHERE held.role > 0
    )
    SELECT held.id, held.role FROM held WHERE held.role > 0;
END
$$;
-- The lists by which a reader may do at least so much. While no page narrows anything, that is a look at what names the reader.
CREATE FUNCTION acls_with(reader bigint, least_role integer) RETURNS bigint[] LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
BEGIN
  IF reader <> -1 AND NOT EXISTS (SELECT FROM acls WHERE parent_id IS NOT NULL) THEN
    RETURN ARRAY(
      SELECT acls.id FROM acls WHERE acls.everybody >= least_role
      UNION
      SELECT entry.acl_id FROM acl_entries AS entry
      WHERE entry.role >= least_role AND (entry.user_id = reader
        OR entry.group_id IN (SELECT member.group_id FROM group_members AS member WHERE member.user_id = reader)));
  END IF;
  RETURN ARRAY(SELECT held.acl_id FROM acl_roles(reader) AS held WHERE held.role >= least_role);
END
$$;

-- Tags are counted by list, so that nobody counts what they may not read.
ALTER TABLE tags ADD COLUMN acl_id bigint NOT NULL DEFAULT 0;
ALTER TABLE tags DROP CONSTRAINT tags_pkey;
ALTER TABLE tags ADD PRIMARY KEY (name, acl_id);
CREATE OR REPLACE FUNCTION count_new_tags() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO tags (name, acl_id, posts)
  SELECT name, acl_id, count(*) FROM touched CROSS JOIN LATERAL unnest(tags) AS name
  WHERE deleted_time IS NULL GROUP BY name, acl_id ORDER BY name COLLATE "C", acl_id
  ON CONFLICT (name, acl_id) DO UPDATE SET posts = tags.posts + excluded.posts;
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
  RETURN NULL;
END
$$;
DROP TRIGGER posts_retagged ON posts;
CREATE TRIGGER posts_retagged AFTER UPDATE OF tags, deleted_time, acl_id ON posts
  FOR EACH ROW WHEN (OLD.tags <> NEW.tags OR OLD.acl_id <> NEW.acl_id
    OR (OLD.deleted_time IS NULL) <> (NEW.deleted_time IS NULL))
  EXECUTE FUNCTION count_changed_tags();

-- The pages below a page that is deleted move up to where it was.
CREATE FUNCTION lift_children() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE posts SET parent_id = OLD.parent_id WHERE parent_id = OLD.id AND deleted_time IS NULL;
  RETURN NULL;
END
$$;
CREATE TRIGGER posts_lifted AFTER UPDATE OF deleted_time ON posts
  FOR EACH ROW WHEN (OLD.deleted_time IS NULL AND NEW.deleted_time IS NOT NULL) EXECUTE FUNCTION lift_children();
-- A page that is restored comes back below the first living page above it, and brings its space back.
CREATE FUNCTION return_to_place() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  WHILE NEW.parent_id IS NOT NULL AND EXISTS (
    SELECT FROM posts WHERE id = NEW.parent_id AND (deleted_time IS NOT NULL OR space_id <> NEW.space_id)
  ) LOOP
    SELECT CASE WHEN space_id = NEW.space_id THEN parent_id END INTO NEW.parent_id FROM posts WHERE id = NEW.parent_id;
  END LOOP;
  UPDATE spaces SET deleted_time = NULL WHERE id = NEW.space_id AND deleted_time IS NOT NULL;
  RETURN NEW;
END
$$;
CREATE TRIGGER posts_return BEFORE UPDATE OF deleted_time ON posts
  FOR EACH ROW WHEN (OLD.deleted_time IS NOT NULL AND NEW.deleted_time IS NULL) EXECUTE FUNCTION return_to_place();

-- The most pages from the top of the tree to its lowest page: each is a line of a breadcrumb trail, and a step of a search for
-- what is above. Nobody has as many folders in one another.
CREATE FUNCTION max_depth() RETURNS integer LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN 50;

-- The pages from the top down to this one, which is the last.
CREATE FUNCTION ancestry(page bigint) RETURNS bigint[] LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
DECLARE
  line bigint[] := ARRAY[page];
  above bigint := (SELECT parent_id FROM posts WHERE id = page);
BEGIN
  WHILE above IS NOT NULL AND cardinality(line) <= max_depth() LOOP
    line := above || line;
    above := (SELECT parent_id FROM posts WHERE id = above);
  END LOOP;
  RETURN line;
END
$$;

-- Locks page `root` and everything below it, level by level, and returns their numbers. Whoever adds a page below one of them
-- holds a lock on that: after a level is locked, all there will be below it can be seen.
CREATE FUNCTION locked_subtree(root bigint) RETURNS bigint[] LANGUAGE plpgsql AS $$
DECLARE
  level bigint[] := ARRAY[root];
  found bigint[] := '{}';
BEGIN
  WHILE level <> '{}' LOOP
    PERFORM FROM posts WHERE id = ANY (level) ORDER BY id FOR UPDATE;
    found := found || level;
    level := ARRAY(SELECT id FROM posts WHERE parent_id = ANY (level) AND id <> ALL (found));
  END LOOP;
  RETURN found;
END
$$;

-- Gives the pages of a subtree that have list `old` the list `new`, and has the lists of pages in it that narrow `old` narrow `new`.
CREATE FUNCTION replace_acl(subtree bigint[], old bigint, new bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  IF old <> new THEN
    UPDATE acls SET parent_id = nullif(new, 0)
    WHERE post_id = ANY (subtree) AND coalesce(parent_id, 0) = old AND id <> new;
    UPDATE posts SET acl_id = new WHERE id = ANY (subtree) AND acl_id = old;
  END IF;
END
$$;

-- Moves page `page` with everything below it into a space, below `to_parent` if that is given, in this place among its new siblings
-- (from 0; the last if null). `seen` is whether a reader may do it: see `acl_roles`. Returns what it did.
CREATE FUNCTION move_page(page bigint, to_space bigint, to_parent bigint, place bigint, reader bigint, actor bigint,
  may_override boolean)
RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  moved posts;
  space record;
  parent record;
  subtree bigint[];
  siblings bigint[];
  writable bigint[];
  target_acl bigint;
  height integer;
  before bigint;
  after bigint;
  wanted bigint;
BEGIN
  -- One at a time: two moves that are right alone may make a circle together.
  PERFORM pg_advisory_xact_lock(hashtext('tree'));
  writable := acls_with(reader, 2);
  SELECT * INTO moved FROM posts WHERE id = page AND deleted_time IS NULL;
  IF NOT FOUND OR (moved.acl_id <> 0 AND moved.acl_id <> ALL (acls_with(reader, 1))) THEN RETURN 'gone'; END IF;
  IF moved.acl_id <> 0 AND moved.acl_id <> ALL (writable) THEN RETURN 'page read only'; END IF;
  IF moved.protected AND NOT may_override THEN RETURN 'protected'; END IF;

  subtree := locked_subtree(page);
  SELECT * INTO moved FROM posts WHERE id = page;
  IF moved.deleted_time IS NOT NULL THEN RETURN 'gone'; END IF;
  IF to_parent IS NOT NULL THEN
    IF to_parent = ANY (subtree) THEN RETURN 'circle'; END IF;
    SELECT id, space_id, acl_id INTO parent FROM posts WHERE id = to_parent AND deleted_time IS NULL
      AND (to_space IS NULL OR space_id = to_space) FOR KEY SHARE;
    IF NOT FOUND OR (parent.acl_id <> 0 AND parent.acl_id <> ALL (acls_with(reader, 1))) THEN RETURN 'no such parent'; END IF;
    to_space := parent.space_id;
    target_acl := parent.acl_id;
    WITH RECURSIVE below AS (
      SELECT page AS id, 1 AS depth
      UNION ALL
      SELECT posts.id, below.depth + 1 FROM below JOIN posts ON posts.parent_id = below.id
    ) SELECT max(below.depth) INTO height FROM below;
    IF cardinality(ancestry(to_parent)) + height > max_depth() THEN RETURN 'too deep'; END IF;
  ELSE
    to_space := coalesce(to_space, moved.space_id);
    SELECT id, acl_id INTO space FROM spaces WHERE id = to_space AND deleted_time IS NULL FOR KEY SHARE;
    IF NOT FOUND OR (space.acl_id <> 0 AND space.acl_id <> ALL (acls_with(reader, 1))) THEN RETURN 'no such space'; END IF;
    target_acl := space.acl_id;
  END IF;
  IF target_acl <> 0 AND target_acl <> ALL (writable) THEN RETURN 'read only'; END IF;

  -- Halfway between its new neighbours. Where there is no room left, the siblings get new positions first.
  siblings := ARRAY(
    SELECT id FROM posts WHERE space_id = to_space AND parent_id IS NOT DISTINCT FROM to_parent AND deleted_time IS NULL
      AND id <> page ORDER BY position, id);
  IF place IS NULL OR place >= cardinality(siblings) THEN
    wanted := nextval('positions');
  ELSE
    FOR try IN 1 .. 2 LOOP
      SELECT position INTO after FROM posts WHERE id = siblings[place + 1];
      SELECT position INTO before FROM posts WHERE id = siblings[place];
      before := coalesce(before, after - 65536);
      EXIT WHEN after - before > 1 AND after > -4611686018427387904;
      UPDATE posts SET position = renumbered.position FROM (
        SELECT sibling.id, nextval('positions') AS position
        FROM unnest(siblings) WITH ORDINALITY AS sibling (id, number) ORDER BY sibling.number
      ) AS renumbered WHERE posts.id = renumbered.id;
    END LOOP;
    wanted := before + (after - before) / 2;
  END IF;

  IF (moved.space_id, moved.parent_id) IS NOT DISTINCT FROM (to_space, to_parent) THEN
    UPDATE posts SET position = wanted WHERE id = page;
    RETURN 'moved';
  END IF;
  UPDATE posts SET parent_id = to_parent, position = wanted WHERE id = page;
  IF moved.space_id <> to_space THEN
    UPDATE posts SET space_id = to_space WHERE id = ANY (subtree);
  END IF;
  IF EXISTS (SELECT FROM acls WHERE post_id = page) THEN
    UPDATE acls SET parent_id = nullif(target_acl, 0) WHERE post_id = page;
  ELSE
    PERFORM replace_acl(subtree, moved.acl_id, target_acl);
  END IF;
  PERFORM log_event('page-events', page::text, 'wasiki.page.moved', '/posts/' || page, false,
    jsonb_build_object('post_id', page, 'user_id', actor, 'space_id', to_space, 'parent_id', to_parent,
      'former_space_id', moved.space_id, 'former_parent_id', moved.parent_id));
  RETURN 'moved';
END
$$;

-- Sets the roles of a list: those of users and groups that are given, and no others.
CREATE FUNCTION set_entries(list bigint, users bigint[], user_roles bigint[], members bigint[], member_roles bigint[])
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM acl_entries WHERE acl_id = list;
  INSERT INTO acl_entries (acl_id, user_id, role)
  SELECT list, given.id, given.role FROM unnest(users, user_roles) AS given (id, role);
  INSERT INTO acl_entries (acl_id, group_id, role)
  SELECT list, given.id, given.role FROM unnest(members, member_roles) AS given (id, role);
END
$$;

-- Whether users and groups exist: the first that does not, as `user 7` or `group 7`.
CREATE FUNCTION missing_of(users bigint[], members bigint[]) RETURNS text LANGUAGE sql STABLE PARALLEL SAFE AS $$
  SELECT coalesce(
    (SELECT 'user ' || given.id FROM unnest(users) AS given (id)
     WHERE NOT EXISTS (SELECT FROM users AS known WHERE known.id = given.id AND known.deleted_time IS NULL) LIMIT 1),
    (SELECT 'group ' || given.id FROM unnest(members) AS given (id)
     WHERE NOT EXISTS (SELECT FROM groups AS known WHERE known.id = given.id) LIMIT 1))
$$;

-- Narrows who may read and write page `page` and everything below it, or, with everybody null, ends that. Returns what it did.
CREATE FUNCTION set_page_access(page bigint, for_everybody bigint, users bigint[], user_roles bigint[], members bigint[],
  member_roles bigint[], reader bigint, actor bigint, address text)
RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  narrowed posts;
  own record;
  outer_acl bigint;
  subtree bigint[];
  missing text;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtext('tree'));
  SELECT * INTO narrowed FROM posts WHERE id = page AND deleted_time IS NULL;
  IF NOT FOUND OR (narrowed.acl_id <> 0 AND narrowed.acl_id <> ALL (acls_with(reader, 1))) THEN RETURN 'gone'; END IF;
  -- Those who administer the space, or where the mode alone counts, the wiki.
  IF reader <> -1 AND (narrowed.acl_id = 0 OR narrowed.acl_id <> ALL (acls_with(reader, 3))) THEN RETURN 'forbidden'; END IF;
  missing := missing_of(users, members);
  IF missing IS NOT NULL THEN RETURN missing; END IF;

  subtree := locked_subtree(page);
  SELECT * INTO narrowed FROM posts WHERE id = page;
  SELECT * INTO own FROM acls WHERE post_id = page;
  IF for_everybody IS NULL THEN
    -- What its place says, also where a page above it that said something else is deleted.
    outer_acl := coalesce((SELECT acl_id FROM posts WHERE id = narrowed.parent_id),
      (SELECT acl_id FROM spaces WHERE id = narrowed.space_id));
    IF narrowed.acl_id = outer_acl THEN RETURN 'done'; END IF;
    PERFORM replace_acl(subtree, narrowed.acl_id, outer_acl);
    IF own.id IS NOT NULL THEN
      UPDATE acls SET parent_id = nullif(outer_acl, 0) WHERE parent_id = own.id;
      DELETE FROM acls WHERE id = own.id;
    END IF;
  ELSE
    outer_acl := narrowed.acl_id;
    IF own.id IS NULL THEN
      INSERT INTO acls (parent_id, post_id, everybody) VALUES (nullif(outer_acl, 0), page, for_everybody) RETURNING * INTO own;
      PERFORM replace_acl(subtree, outer_acl, own.id);
    ELSE
      UPDATE acls SET everybody = for_everybody WHERE id = own.id;
    END IF;
    PERFORM set_entries(own.id, users, user_roles, members, member_roles);
  END IF;
  INSERT INTO audit (event, actor_id, address, post_id, details)
  VALUES (CASE WHEN for_everybody IS NULL THEN 'page_access_restored' ELSE 'page_access_narrowed' END, actor, address, page,
    narrowed.title);
  RETURN 'done';
END
$$;

-- Sets who may read and write in a space. Returns what it did.
CREATE FUNCTION set_space_access(space bigint, for_everybody bigint, users bigint[], user_roles bigint[], members bigint[],
  member_roles bigint[], reader bigint, actor bigint, address text)
RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  found_space spaces;
  missing text;
BEGIN
  SELECT * INTO found_space FROM spaces WHERE id = space AND deleted_time IS NULL FOR UPDATE;
  IF NOT FOUND THEN RETURN 'gone'; END IF;
  IF found_space.acl_id = 0 THEN RETURN 'first'; END IF;
  IF found_space.acl_id <> ALL (acls_with(reader, 1)) THEN RETURN 'gone'; END IF;
  IF found_space.acl_id <> ALL (acls_with(reader, 3)) THEN RETURN 'forbidden'; END IF;
  missing := missing_of(users, members);
  IF missing IS NOT NULL THEN RETURN missing; END IF;
  UPDATE acls SET everybody = for_everybody WHERE id = found_space.acl_id;
  PERFORM set_entries(found_space.acl_id, users, user_roles, members, member_roles);
  UPDATE spaces SET version = version + 1 WHERE id = space;
  INSERT INTO audit (event, actor_id, address, details) VALUES ('space_access_changed', actor, address, found_space.name);
  RETURN 'done';
END
$$;

-- Deletes a space that has no pages any more. Returns what it did. A page that is being created in it holds a lock on it: then
-- there is one.
CREATE FUNCTION delete_space(space bigint, actor bigint, address text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  found_space spaces;
BEGIN
  SELECT * INTO found_space FROM spaces WHERE id = space AND id <> 1 AND deleted_time IS NULL FOR UPDATE;
  IF NOT FOUND THEN RETURN 'gone'; END IF;
  IF EXISTS (SELECT FROM posts WHERE space_id = space AND deleted_time IS NULL) THEN RETURN 'in use'; END IF;
  UPDATE spaces SET deleted_time = now(), version = version + 1 WHERE id = space;
  INSERT INTO audit (event, actor_id, address, details) VALUES ('space_deleted', actor, address, found_space.name);
  RETURN 'deleted';
END
$$;

COMMENT ON FUNCTION move_page(bigint, bigint, bigint, bigint, bigint, bigint, boolean) IS
  'Moves a page with everything below it. It leaves its session as it was.';
COMMENT ON FUNCTION set_page_access(bigint, bigint, bigint[], bigint[], bigint[], bigint[], bigint, bigint, text) IS
  'Narrows who may read and write a page. It leaves its session as it was.';
COMMENT ON FUNCTION set_space_access(bigint, bigint, bigint[], bigint[], bigint[], bigint[], bigint, bigint, text) IS
  'Sets who may read and write in a space. It leaves its session as it was.';
COMMENT ON FUNCTION delete_space(bigint, bigint, text) IS
  'Deletes an empty space. It leaves its session as it was.';
