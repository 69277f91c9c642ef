-- Pages $1 to $2 with their first revisions, and the same posts of the old service: 2 KB of Markdown each, created a minute
-- apart. Hashes of the page's number choose its paragraphs and the one page it links to.
WITH page AS (
  SELECT id, 1 + id % :users AS user_id, 'Page ' || id AS title, 'page-' || id AS slug, ARRAY['tag' || id % 20] AS tags,
    1 + abs(hashint8extended(id, 0) % :pages) AS linked, timestamptz '2000-01-01Z' + id * interval '1 minute' AS time,
    ARRAY(
      SELECT text FROM generate_series(1, 4) AS place
      JOIN paragraphs ON number = abs(hashint8extended(id, place) % :paragraphs)
    ) AS p
  FROM generate_series($1::bigint, $2::bigint) AS id
), given AS (
  SELECT *, ARRAY['page-' || linked] AS links, format(
    E'# %s\n\n%s\n\n## %s\n\n%s See [[Page %s]].\n\n- %s\n- %s\n- %s\n\n%s\n\n%s\n', title, p[1], split_part(p[2], ' ', 1),
    p[2], linked, split_part(p[1], ' ', 3), split_part(p[2], ' ', 3), split_part(p[3], ' ', 3), p[3], p[4]) AS content
  FROM page
), post AS (
  INSERT INTO posts (id, user_id, title, slug, content, tags, links, created_time, updated_time, tasks_version)
  SELECT id, user_id, title, slug, content, tags, links, time, time, 1 FROM given
), old AS (
  INSERT INTO old_service.posts (id, user_id, content, created_time) SELECT id, user_id, content, time FROM given
)
INSERT INTO revisions (post_id, version, user_id, title, slug, content, tags, comment, size, delta, created_time)
SELECT id, 1, user_id, title, slug, content, tags, '', octet_length(content), octet_length(content), time FROM given
