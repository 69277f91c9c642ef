//! The statements of the native server, which do what the wiki's do. `check.rs` compares what comes of them.

/// What every statement for pages returns first.
macro_rules! columns {
    () => {
        "id, user_id, title, slug, tags, version, created_time AT TIME ZONE 'UTC', updated_time AT TIME ZONE 'UTC'"
    };
}

/// A user by number.
pub const USER: &str = "SELECT id, username, name, email, created_time AT TIME ZONE 'UTC', version FROM users
                        WHERE id = $1 AND deleted_time IS NULL";

/// A page by number.
pub const POST: &str = concat!("SELECT ", columns!(), ", content FROM posts WHERE id = $1 AND deleted_time IS NULL");

/// The newest pages without their content.
pub const POSTS: &str = concat!(
    "SELECT ",
    columns!(),
    ", octet_length(content)::bigint FROM posts WHERE deleted_time IS NULL ORDER BY id DESC LIMIT $1"
);

/// A new page, its revision and what it is found by: user, title, slug, content, links, and the parameters of `Entry`.
pub const INSERT: &str = concat!(
    "WITH given AS (
       SELECT id AS user_id, nextval(pg_get_serial_sequence('posts', 'id')) AS id
       FROM users WHERE id = $1 AND deleted_time IS NULL
     ), post AS (
       INSERT INTO posts (id, user_id, title, slug, content, links, tasks_version)
       SELECT id, user_id, $2,
         CASE WHEN EXISTS (SELECT FROM posts WHERE slug = $3::text AND deleted_time IS NULL) THEN $3 || '-' || id ELSE $3 END,
         $4, $5, 1
       FROM given
       RETURNING *
     ), revision AS (
       INSERT INTO revisions (post_id, version, user_id, title, slug, content, tags, comment, size, delta, created_time)
       SELECT id, version, user_id, title, slug, content, tags, '', octet_length(content), octet_length(content), created_time
       FROM post
     ), ",
    wiki::indexed!("post", "$6", "$7", "$8", "$9", "$10", "$11", "$12"),
    " SELECT ",
    columns!(),
    " FROM post"
);

/// The next version of a page, its revision and what it is found by: number, version seen, title or null, content, links,
/// and the parameters of `Entry`.
pub const UPDATE: &str = concat!(
    "WITH before AS (
       SELECT id, title, octet_length(content) AS size FROM posts WHERE id = $1
     ), post AS (
       UPDATE posts SET title = coalesce($3, title), content = $4, links = $5, version = version + 1, updated_time = now(),
         tasks_version = version + 1
       WHERE id = $1 AND deleted_time IS NULL AND version = $2 AND NOT protected
         AND (title, content) IS DISTINCT FROM (coalesce($3, title), $4)
       RETURNING *
     ), revision AS (
       INSERT INTO revisions (post_id, kind, version, user_id, title, slug, content, tags, comment, size, delta, created_time)
       SELECT post.id, CASE WHEN post.title = before.title THEN 'edited' ELSE 'renamed' END, version, user_id, post.title, slug,
         content, tags, '', octet_length(content), octet_length(content) - before.size, updated_time
       FROM post JOIN before ON before.id = post.id
     ), ",
    wiki::indexed!("post", "$6", "$7", "$8", "$9", "$10", "$11", "$12"),
    " SELECT ",
    columns!(),
    " FROM post"
);
