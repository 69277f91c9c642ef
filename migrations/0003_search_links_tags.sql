-- Search, links between pages, tags with their numbers, and the slugs pages used to have.

-- English stems, and every word counts: "The Who" can be found, and no file of stop words has to be installed.
CREATE TEXT SEARCH DICTIONARY wiki_stem (TEMPLATE = pg_catalog.snowball, LANGUAGE = english);
CREATE TEXT SEARCH CONFIGURATION wiki (COPY = pg_catalog.simple);
ALTER TEXT SEARCH CONFIGURATION wiki
  ALTER MAPPING FOR asciiword, asciihword, hword_asciipart, word, hword, hword_part WITH wiki_stem;

-- A text as it is searched. Where these characters join others, PostgreSQL's parser looks for tags, paths, addresses and
-- compounds, and reads some texts from the same place again and again: 130,000 characters of "a_" take minutes. As
-- characters of the private use area they stand between words like any others, and snippets can have them back. (One
-- translate() would take six times as long.)
CREATE FUNCTION searchable(body text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT replace(replace(replace(replace(replace(replace(body,
    '-', E'\uE000'), '_', E'\uE001'), '/', E'\uE002'), '<', E'\uE003'), '@', E'\uE004'), '~', E'\uE005')
$$;

-- A page's words, those of the title in weight A. A tsvector holds a mebibyte: of the content as many characters are
-- indexed as fit whatever they are. At worst a character takes 8 bytes there, in compounds of different ideographs, each of
-- which is indexed as a whole and in its parts.
ALTER TABLE posts
  ADD COLUMN words tsvector GENERATED ALWAYS AS (
    setweight(to_tsvector('wiki', searchable(title)), 'A')
    || to_tsvector('wiki', searchable(left(content, 130000)))
  ) STORED,
  -- The slugs of the pages it links to, each once.
  ADD COLUMN links text[] NOT NULL DEFAULT '{}';
CREATE INDEX posts_by_word ON posts USING gin (words) WHERE deleted_time IS NULL;
CREATE INDEX posts_by_title_word ON posts USING gin (to_tsvector('wiki', searchable(title))) WHERE deleted_time IS NULL;
CREATE INDEX posts_by_title_start ON posts (lower(title) COLLATE "C") WHERE deleted_time IS NULL;
CREATE INDEX posts_by_link ON posts USING gin (links) WHERE deleted_time IS NULL;

-- Always true, and tells the planner what it does not know: to compare the words of a page with a query, they are read
-- from where large values are kept, which costs more than the row itself. Without it, PostgreSQL reads whole tables for a
-- phrase of common words instead of the pages that have them all.
CREATE FUNCTION reads_words(words tsvector) RETURNS boolean LANGUAGE plpgsql IMMUTABLE COST 300 AS $$
BEGIN
  RETURN true;
END
$$;

-- What a search looks at. A snippet is looked for in the beginning of the text: to find it takes time with every word.
CREATE VIEW searched_posts AS
SELECT
  id, user_id, title, slug, tags, updated_time, deleted_time, words, reads_words(words) AS is_read,
  to_tsvector('wiki', searchable(title)) AS title_words, searchable(left(content, 20000)) AS beginning
FROM posts;

-- To find the page somebody deleted by its address.
CREATE INDEX posts_deleted_by_slug ON posts (slug, deleted_time) WHERE deleted_time IS NOT NULL;

-- Where old links lead. A slug that a living page has means that page, whatever stands here.
CREATE TABLE former_slugs (
  slug text PRIMARY KEY,
  post_id bigint NOT NULL REFERENCES posts,
  renamed_time timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX former_slugs_by_post ON former_slugs (post_id);

CREATE FUNCTION keep_former_slug() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO former_slugs (slug, post_id) VALUES (OLD.slug, NEW.id)
  ON CONFLICT (slug) DO UPDATE SET post_id = excluded.post_id, renamed_time = now();
  RETURN NULL;
END
$$;

CREATE TRIGGER posts_renamed AFTER UPDATE OF slug ON posts
  FOR EACH ROW WHEN (OLD.slug <> NEW.slug) EXECUTE FUNCTION keep_former_slug();

-- How many living pages have a tag.
CREATE TABLE tags (
  name text COLLATE "C" PRIMARY KEY,
  posts bigint NOT NULL
);

-- Both in the order of the names, so that two edits of the same tags wait for one another and never in a circle.
-- New pages are counted by statement: one that brings many updates each tag once.
CREATE FUNCTION count_new_tags() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO tags (name, posts)
  SELECT name, count(*) FROM touched CROSS JOIN LATERAL unnest(tags) AS name
  WHERE deleted_time IS NULL GROUP BY name ORDER BY name COLLATE "C"
  ON CONFLICT (name) DO UPDATE SET posts = tags.posts + excluded.posts;
  RETURN NULL;
END
$$;

CREATE FUNCTION count_changed_tags() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO tags (name, posts)
  SELECT name, sum(change) FROM (
    SELECT unnest(OLD.tags) AS name, -1 AS change WHERE OLD.deleted_time IS NULL
    UNION ALL
    SELECT unnest(NEW.tags), 1 WHERE NEW.deleted_time IS NULL
  ) changes GROUP BY name HAVING sum(change) <> 0 ORDER BY name COLLATE "C"
  ON CONFLICT (name) DO UPDATE SET posts = tags.posts + excluded.posts;
  RETURN NULL;
END
$$;

CREATE TRIGGER posts_tagged AFTER INSERT ON posts
  REFERENCING NEW TABLE AS touched FOR EACH STATEMENT EXECUTE FUNCTION count_new_tags();
CREATE TRIGGER posts_retagged AFTER UPDATE OF tags, deleted_time ON posts
  FOR EACH ROW WHEN (OLD.tags <> NEW.tags OR (OLD.deleted_time IS NULL) <> (NEW.deleted_time IS NULL))
  EXECUTE FUNCTION count_changed_tags();

INSERT INTO tags (name, posts)
SELECT name, count(*) FROM posts CROSS JOIN LATERAL unnest(tags) AS name WHERE deleted_time IS NULL GROUP BY name;

-- To find the user of a name.
CREATE INDEX users_by_name ON users (lower(name COLLATE "C")) WHERE deleted_time IS NULL;
