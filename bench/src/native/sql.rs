//! The wiki's statements: those that are private there as copies, which a test compares with the wiki's source.

/// A new page, and a page's next version, each with its revision.
pub use wiki::posts::{INSERT, UPDATE};

/// A user by number.
pub const USER: &str = "SELECT id, username, name, email, created_time AT TIME ZONE 'UTC', role, \
                        password IS NOT NULL, version FROM users WHERE id = $1 AND deleted_time IS NULL";

/// A page by number.
pub const POST: &str = "SELECT id, user_id, title, slug, content, tags, version, created_time AT TIME ZONE 'UTC', \
                        updated_time AT TIME ZONE 'UTC', protected FROM posts WHERE id = $1 AND deleted_time IS NULL";

/// The newest pages without their content.
pub const POSTS: &str = "SELECT id, user_id, title, slug, tags, version, created_time AT TIME ZONE 'UTC', \
                         updated_time AT TIME ZONE 'UTC', octet_length(content)::bigint \
                         FROM posts WHERE deleted_time IS NULL ORDER BY id DESC LIMIT $1";

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
