//! The wiki's statements. A test compares them with the wiki's source, where they are private.

/// A user by number.
pub const USER: &str = "SELECT id, username, name, email, created_time AT TIME ZONE 'UTC', version \
                        FROM users WHERE id = $1 AND deleted_time IS NULL";

/// A page by number.
pub const POST: &str = "SELECT id, user_id, title, slug, content, tags, version, created_time AT TIME ZONE 'UTC', \
                        updated_time AT TIME ZONE 'UTC' FROM posts WHERE id = $1 AND deleted_time IS NULL";

/// The newest pages without their content.
pub const POSTS: &str = "SELECT id, user_id, title, slug, tags, version, created_time AT TIME ZONE 'UTC', \
                         updated_time AT TIME ZONE 'UTC', octet_length(content)::bigint \
                         FROM posts WHERE deleted_time IS NULL ORDER BY id DESC LIMIT $1";

/// A new page and its first revision.
pub const INSERT: &str = "WITH given AS (
    SELECT id AS user_id, nextval(pg_get_serial_sequence('posts', 'id')) AS id,
      coalesce('epoch'::timestamptz + $9::bigint * interval '1 microsecond', now()) AS time
    FROM users WHERE id = $1 AND deleted_time IS NULL
  ), post AS (
    INSERT INTO posts (id, user_id, title, slug, content, tags, links, created_time, updated_time)
    SELECT id, user_id, $2::text,
      CASE WHEN NOT $4::boolean AND EXISTS (SELECT FROM posts WHERE slug = $3::text AND deleted_time IS NULL)
        THEN $3 || '-' || id ELSE $3 END,
      $5::text, $6::text[], $8::text[], time, time
    FROM given
    RETURNING *
  ), revision AS (
    INSERT INTO revisions (post_id, version, user_id, title, slug, content, tags, comment, size, delta, created_time)
    SELECT id, version, user_id, title, slug, content, tags, $7::text, octet_length(content), octet_length(content), created_time
    FROM post
  )
  SELECT id, slug, version, created_time AT TIME ZONE 'UTC', updated_time AT TIME ZONE 'UTC' FROM post";

/// A page's next version and its revision.
pub const UPDATE: &str = "WITH before AS (
    SELECT id, octet_length(content) AS size FROM posts WHERE id = $1
  ), post AS (
    UPDATE posts SET title = coalesce($3, title), slug = coalesce($4, slug), content = $5, tags = coalesce($6, tags),
      links = $9, version = version + 1, updated_time = now()
    WHERE id = $1 AND deleted_time IS NULL AND ($2::bigint[] IS NULL OR version = ANY ($2))
      AND ($7::bigint IS NULL OR EXISTS (SELECT FROM users WHERE users.id = $7 AND users.deleted_time IS NULL))
      AND (title, slug, content, tags)
        IS DISTINCT FROM (coalesce($3, title), coalesce($4, slug), $5, coalesce($6, tags))
    RETURNING *
  ), revision AS (
    INSERT INTO revisions (post_id, version, user_id, title, slug, content, tags, comment, size, delta, created_time)
    SELECT post.id, version, coalesce($7, user_id), title, slug, content, tags, $8::text, octet_length(content),
      octet_length(content) - before.size, updated_time
    FROM post JOIN before ON before.id = post.id
  )
  SELECT id, user_id, title, slug, content, tags, version, created_time AT TIME ZONE 'UTC', updated_time AT TIME ZONE 'UTC' \
                          FROM post";

#[cfg(test)]
mod tests {
    use super::*;

    /// A text without what white space, line continuations and quotes of Rust's strings add to it.
    fn plain(text: &str) -> String {
        text.chars().filter(|c| !c.is_whitespace() && !matches!(c, '\\' | '"')).collect()
    }

    #[test]
    fn the_statements_are_the_wikis_own() {
        let users = plain(include_str!("../../../src/users.rs"));
        let posts = plain(include_str!("../../../src/posts.rs"));
        let lists = plain(include_str!("../../../src/posts/select.rs"));
        let columns = plain(wiki::posts::COLUMNS);
        let (columns_of_a_list, rest_of_a_list) =
            POSTS.strip_prefix("SELECT ").unwrap().split_once(" FROM posts").unwrap();

        assert!(users.contains(&plain(USER.strip_prefix("SELECT ").unwrap().split_once(" FROM").unwrap().0)));
        assert!(users.contains(&plain("FROM users WHERE id = $1 AND deleted_time IS NULL")));
        assert_eq!(plain(POST), plain(&format!("SELECT {columns} FROM posts WHERE id = $1 AND deleted_time IS NULL")));
        assert!(posts.contains(&plain("FROM posts WHERE id = $1 AND deleted_time IS NULL")));
        assert!(lists.contains(&plain(columns_of_a_list)));
        assert_eq!(rest_of_a_list, " WHERE deleted_time IS NULL ORDER BY id DESC LIMIT $1");
        assert!(posts.contains(&plain(INSERT)));
        let (update, columns_of_an_update) = UPDATE.rsplit_once("SELECT ").unwrap();
        assert!(posts.contains(&plain(update)));
        assert_eq!(plain(columns_of_an_update), format!("{columns}FROMpost"));
    }
}
