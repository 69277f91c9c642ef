//! Imports one file: creates its page, or edits it if it differs.

use wiki_types::{Post, PostDraft, PostSummary};

use super::failure::FileError;
use super::scan::{self, ImportItem, Source};
use crate::args::Import;
use crate::authors::Writer;
use crate::error;
use crate::wiki::{Wiki, parse};

/// What was done to a page, or would be.
#[derive(Debug, PartialEq, Eq)]
pub enum Outcome {
    Created,
    Updated,
    Unchanged,
}

/// Why a page is not as its file.
#[derive(Debug)]
pub enum Error {
    /// The file is invalid, or the wiki refused it.
    File(FileError),
    /// Every further file would fail as well.
    All(String),
}

impl From<error::Error> for Error {
    fn from(error: error::Error) -> Self {
        let message = error.to_string();
        if error.is_outage() { Self::All(message) } else { Self::File(FileError::new(message)) }
    }
}

pub struct Importer<'a> {
    wiki: &'a Wiki,
    writer: Writer<'a>,
    comment: Option<&'a str>,
    dry_run: bool,
}

impl<'a> Importer<'a> {
    /// `writer` makes all edits, and creates the pages of files without an author.
    pub fn new(wiki: &'a Wiki, args: &'a Import, writer: Writer<'a>) -> Self {
        Self { wiki, writer, comment: args.comment.as_deref(), dry_run: args.dry_run }
    }

    pub fn import(&self, item: &ImportItem) -> Result<Outcome, Error> {
        let source = scan::read(&item.path, &item.file).map_err(Error::File)?;
        if source.slug != item.slug {
            // Another file may have the new slug.
            return Err(Error::File(FileError::new("its slug changed during the import; run the import again")));
        }
        let mut page = self.wiki.by_slug(&source.slug)?;
        if let (None, Some(old)) = (&page, &item.old_slug) {
            page = self.wiki.by_slug(old)?;
        }
        match page {
            Some(page) => self.edit(&source, &page),
            None => self.create(&source),
        }
    }

    fn create(&self, source: &Source) -> Result<Outcome, Error> {
        if self.dry_run {
            return Ok(Outcome::Created);
        }
        let user_id = match &source.front.author {
            Some(author) => self.writer.number_of(author)?,
            None => self.writer.number()?,
        };
        let draft = PostDraft {
            slug: Some(&source.slug),
            created_time: source.front.time.as_deref(),
            ..self.draft(source, user_id)
        };
        match self.wiki.create(&draft) {
            Ok(_) => Ok(Outcome::Created),
            // Created in the meantime: by an attempt of ours whose response was lost, or else by another client.
            Err(error) if error.status() == Some(409) => match self.wiki.by_slug(&source.slug)? {
                Some(page) if self.differing_version(&draft, &page)?.is_none() => Ok(Outcome::Created),
                _ => Err(error.into()),
            },
            Err(error) => Err(error.into()),
        }
    }

    fn edit(&self, source: &Source, page: &PostSummary) -> Result<Outcome, Error> {
        // The user is not compared, and requested only for an edit.
        let draft = self.draft(source, 0);
        let Some(version) = self.differing_version(&draft, page)? else { return Ok(Outcome::Unchanged) };
        if self.dry_run {
            return Ok(Outcome::Updated);
        }
        // Not the author in the file, who created the page: this edit is made by whoever runs the import.
        let draft = PostDraft { user_id: self.writer.number()?, ..draft };
        match self.wiki.update(page.post_id, version, &draft) {
            // The wiki found no difference after all.
            Ok(body) if parse::<Post>(&body)?.version == version => Ok(Outcome::Unchanged),
            Ok(_) => Ok(Outcome::Updated),
            Err(error) if error.status() == Some(412) => Err(Error::File(FileError::new(
                "the page was edited during the import; run the import again to replace that edit",
            ))),
            // The page is protected; others are not. A reader, however, can edit none.
            Err(error::Error::Refused(refusal)) if refusal.is_protection() && !self.writer.is_reader() => {
                Err(Error::File(FileError::new(refusal.to_string())))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// The current version of the page, if it is not as `draft`. The content is requested only if all else is equal.
    fn differing_version(&self, draft: &PostDraft<'_>, page: &PostSummary) -> Result<Option<i64>, Error> {
        let same_size = i64::try_from(draft.content.len()).is_ok_and(|size| size == page.size);
        if !same_size || !draft.matches_title_and_tags(&page.title, &page.tags) {
            return Ok(Some(page.version));
        }
        let post = self.wiki.post(page.post_id)?;
        Ok((!draft.matches(&post)).then_some(post.version))
    }

    fn draft<'s>(&'s self, source: &'s Source, user_id: i64) -> PostDraft<'s> {
        PostDraft {
            user_id,
            title: source.front.title.as_deref(),
            slug: None,
            content: source.content(),
            tags: source.front.tags.as_deref(),
            comment: self.comment,
            created_time: None,
            updated_time: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake::{self, Fake, Reply, post, user};
    use crate::http::{Http, Settings, Token};
    use std::path::PathBuf;

    const NO_PAGE: Reply = Reply::Status(200, r#"{"posts": [], "next": null}"#);
    const NO_USER: Reply = Reply::Status(200, r#"{"users": [], "next": null}"#);
    const CREATED: Reply = Reply::Status(201, "{}");
    const TAKEN: Reply = Reply::Status(409, r#"{"detail": "The slug \"a\" is already taken."}"#);
    const BY_GRACE: &str = "---\nauthor: grace\n---\n# A\n";

    fn ada() -> Reply {
        Reply::list("users", &[user(1, Some("ada"), "ada")])
    }

    fn account(role: &str) -> Reply {
        fake::account("bob", role, if role == "administrator" { "admin" } else { "write" })
    }

    /// The page as a list has it.
    fn listed() -> Reply {
        Reply::list("posts", &[post(1, "# A\n")])
    }

    /// The page with the content of the file.
    fn same() -> Reply {
        Reply::json(200, &post(1, "# A\n"))
    }

    /// The page with other content of the same length.
    fn other() -> Reply {
        Reply::json(200, &post(3, "# B\n"))
    }

    /// Imports the file `a.md` with the content `# A`; returns the outcome and the requests.
    fn import<const N: usize>(replies: [Reply; N], dry_run: bool) -> (Result<Outcome, Error>, Vec<String>) {
        let fake = Fake::start(replies);
        let done = sync("# A\n", &Wiki::new(Http::for_test(&fake)), Some("ada"), dry_run);
        (done, asked(&fake))
    }

    /// The same for a file with this text, with a token and without --author; the last item is the body of the last request.
    fn import_with_token<const N: usize>(text: &str, replies: [Reply; N]) -> (Result<Outcome, Error>, Vec<String>) {
        let fake = Fake::start(replies);
        let token = Some(Token::new("wasiki_1_s3cret").unwrap());
        let wiki = Wiki::new(Http::new(Settings { token, ..Settings::for_test(&fake) }));
        let done = sync(text, &wiki, None, false);
        let written = fake.requests().last().unwrap().lines().last().unwrap().to_owned();
        (done, asked(&fake).into_iter().chain([written]).collect())
    }

    fn sync(text: &str, wiki: &Wiki, author: Option<&str>, dry_run: bool) -> Result<Outcome, Error> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.md");
        std::fs::write(&path, text).unwrap();
        let args = Import { folder: PathBuf::new(), jobs: 1, comment: None, dry_run };
        let item = ImportItem { path, file: "a.md".into(), slug: "a".into(), old_slug: None };
        Importer::new(wiki, &args, Writer::new(wiki, author).unwrap()).import(&item)
    }

    fn asked(fake: &Fake) -> Vec<String> {
        fake.requests().iter().map(|it| it.lines().next().unwrap().replace(" HTTP/1.1", "")).collect()
    }

    #[test]
    fn most_tokens_write_as_their_owner() {
        let (done, asked) = import_with_token(BY_GRACE, [account("editor"), NO_PAGE, CREATED]);
        assert_eq!(done.unwrap(), Outcome::Created);
        assert_eq!(asked[..3], ["GET /account", "GET /posts?slug=a", "POST /posts"]);
        assert!(asked[3].starts_with("{\"user_id\":7,"), "{asked:?}");

        let (done, asked) = import_with_token("# A\n", [account("editor"), listed(), other(), same()]);
        assert_eq!(done.unwrap(), Outcome::Updated);
        assert!(asked[4].starts_with("{\"user_id\":7,"), "{asked:?}");
    }

    #[test]
    fn an_administrators_token_writes_as_the_author_a_file_names() {
        let grace = Reply::json(201, &user(9, Some("grace"), "grace"));
        let (done, asked) = import_with_token(BY_GRACE, [account("administrator"), NO_PAGE, NO_USER, grace, CREATED]);
        assert_eq!(done.unwrap(), Outcome::Created);
        assert_eq!(asked[2..5], ["GET /users?username=grace", "POST /users", "POST /posts"]);
        assert!(asked[5].starts_with("{\"user_id\":9,"), "{asked:?}");
    }

    #[test]
    fn a_protected_page_is_one_failure_but_missing_permissions_end_the_import() {
        let protected = Reply::Status(403, r#"{"detail": "The page is protected."}"#);
        let (done, _) = import_with_token("# A\n", [account("editor"), listed(), other(), protected]);
        assert!(
            matches!(done, Err(Error::File(FileError { message, .. })) if message.starts_with("The page is protected."))
        );
        let scope = "www-authenticate: Bearer realm=\"wasiki\", error=\"insufficient_scope\", scope=\"write\"\r\n";
        let scope = Reply::With(403, scope, r#"{"detail": "The token's scope does not reach that far."}"#);
        let role = Reply::Status(403, r#"{"detail": "Your account is a reader's."}"#);
        for (account, refusal) in
            [(account("editor"), scope), (account("reader"), role), (account("editor"), Reply::Status(403, "<html>"))]
        {
            let (done, _) = import_with_token("# A\n", [account, listed(), other(), refusal]);
            assert!(matches!(done, Err(Error::All(_))), "{refusal:?}");
            let (done, _) = import_with_token("# A\n", [account, NO_PAGE, refusal]);
            assert!(matches!(done, Err(Error::All(_))), "{refusal:?}");
        }
    }

    #[test]
    fn a_missing_page_is_created() {
        let (done, requests) = import([NO_PAGE, ada(), CREATED], false);
        assert_eq!(done.unwrap(), Outcome::Created);
        assert_eq!(requests, ["GET /posts?slug=a", "GET /users?username=ada", "POST /posts"]);
    }

    #[test]
    fn a_page_is_created_once_although_the_response_was_lost() {
        let (done, requests) = import([NO_PAGE, ada(), Reply::HangUp, TAKEN, listed(), same()], false);
        assert_eq!(done.unwrap(), Outcome::Created);
        assert_eq!(requests.iter().filter(|it| *it == "POST /posts").count(), 2);
    }

    #[test]
    fn a_page_that_another_client_created_is_not_replaced() {
        let (done, _) = import([NO_PAGE, ada(), TAKEN, listed(), other()], false);
        assert!(matches!(done, Err(Error::File(FileError { message, .. })) if message.contains("already taken")));
    }

    #[test]
    fn an_equal_page_is_left_alone() {
        let (done, requests) = import([listed(), same()], false);
        assert_eq!(done.unwrap(), Outcome::Unchanged);
        assert_eq!(requests, ["GET /posts?slug=a", "GET /posts/5"]);
    }

    #[test]
    fn a_different_page_is_edited() {
        let (done, requests) = import([listed(), other(), ada(), same()], false);
        assert_eq!(done.unwrap(), Outcome::Updated);
        assert_eq!(requests[3], "PUT /posts/5");
    }

    #[test]
    fn another_edit_is_not_lost() {
        let edited = Reply::Status(412, r#"{"detail": "Edited."}"#);
        let (done, _) = import([listed(), other(), ada(), edited], false);
        assert!(
            matches!(done, Err(Error::File(FileError { message, .. })) if message.contains("run the import again"))
        );
    }

    #[test]
    fn a_dry_run_writes_nothing() {
        assert_eq!(import([NO_PAGE], true).0.unwrap(), Outcome::Created);
        assert_eq!(import([listed(), other()], true).0.unwrap(), Outcome::Updated);
        assert_eq!(import([listed(), same()], true).0.unwrap(), Outcome::Unchanged);
    }

    #[test]
    fn an_outage_ends_the_import_but_a_refusal_does_not() {
        let away = Reply::Status(503, "");
        assert!(matches!(import([away; 5], false).0, Err(Error::All(_))));
        assert!(matches!(import([Reply::Status(401, "")], false).0, Err(Error::All(_))));
        let (done, _) = import([NO_PAGE, ada(), Reply::Status(422, r#"{"detail": "slug: no."}"#)], false);
        assert!(matches!(done, Err(Error::File(FileError { message, .. })) if message == "slug: no."));
    }
}
