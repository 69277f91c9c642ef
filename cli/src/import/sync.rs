//! Brings one page up to date with its file.

use super::scan::{self, Item, Reason, Source};
use crate::args::Import;
use crate::authors::Writer;
use crate::problem::Error;
use crate::wiki::{Draft, Post, Summary, Wiki, parse};

/// What was done to a page, or would be.
#[derive(Debug, PartialEq, Eq)]
pub enum Done {
    /// There was none.
    Created,
    /// It differed.
    Updated,
    /// It was as its file says.
    Unchanged,
}

/// Why a page is not as its file says.
#[derive(Debug)]
pub enum Failure {
    /// Something is wrong with the file, or the wiki refused it.
    File {
        /// The line of the file, if it is about one.
        line: Option<usize>,
        /// What is wrong.
        message: String,
    },
    /// With every further file it would be the same.
    Everything(String),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error.is_outage() {
            true => Self::Everything(error.to_string()),
            false => Self::File { line: None, message: error.to_string() },
        }
    }
}

impl From<Reason> for Failure {
    fn from((line, message): Reason) -> Self {
        Self::File { line, message }
    }
}

/// How pages are brought up to date.
pub struct Sync<'a> {
    wiki: &'a Wiki,
    writer: Writer<'a>,
    comment: Option<&'a str>,
    dry_run: bool,
}

impl<'a> Sync<'a> {
    /// For pages of `wiki`. `writer` writes where a file names nobody, and makes all edits.
    pub fn new(wiki: &'a Wiki, args: &'a Import, writer: Writer<'a>) -> Self {
        Self { wiki, writer, comment: args.comment.as_deref(), dry_run: args.dry_run }
    }

    /// Creates or edits the page of a file, unless it is as the file says.
    pub fn item(&self, item: &Item) -> Result<Done, Failure> {
        let source = scan::read(&item.path, &item.file)?;
        if source.slug != item.slug {
            // Whether another file has that slug was not looked at.
            return Err(Failure::File {
                line: None,
                message: "its slug changed while it was imported; run again".into(),
            });
        }
        match self.wiki.by_slug(&source.slug)? {
            Some(page) => self.edit(&source, &page),
            None => self.create(&source),
        }
    }

    fn create(&self, source: &Source) -> Result<Done, Failure> {
        if self.dry_run {
            return Ok(Done::Created);
        }
        let user_id = match &source.front.author {
            Some(author) => self.writer.number_of(author)?,
            None => self.writer.number()?,
        };
        let draft = Draft {
            user_id,
            slug: Some(&source.slug),
            created_time: source.front.time.as_deref(),
            ..self.draft(source)
        };
        match self.wiki.create(&draft) {
            Ok(_) => Ok(Done::Created),
            // By us, if an answer was lost, or by somebody else: then it is theirs.
            Err(error) if error.status() == Some(409) => match self.wiki.by_slug(&source.slug)? {
                Some(page) if self.is_up_to_date(&draft, &page)?.is_none() => Ok(Done::Created),
                _ => Err(error.into()),
            },
            Err(error) => Err(error.into()),
        }
    }

    fn edit(&self, source: &Source, page: &Summary) -> Result<Done, Failure> {
        let draft = self.draft(source);
        let Some(version) = self.is_up_to_date(&draft, page)? else { return Ok(Done::Unchanged) };
        if self.dry_run {
            return Ok(Done::Updated);
        }
        // Not the file's author: they created the page, and it is somebody else who edits it now.
        let draft = Draft { user_id: self.writer.number()?, ..draft };
        match self.wiki.update(page.post_id, version, &draft) {
            // The wiki may see no difference where this program saw one.
            Ok(body) if parse::<Post>(&body)?.version == version => Ok(Done::Unchanged),
            Ok(_) => Ok(Done::Updated),
            Err(error) if error.status() == Some(412) => {
                let message = "the page was edited while this was imported. Run again to replace that edit";
                Err(Failure::File { line: None, message: message.to_owned() })
            }
            // A protected page; other pages are not. A reader may edit none.
            Err(Error::Refused(problem)) if problem.is_protection() && !self.writer.is_reader() => {
                Err(Failure::File { line: None, message: problem.to_string() })
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Nothing if the page is as `draft` says; else the version that differs. The content is read only if nothing else
    /// tells.
    fn is_up_to_date(&self, draft: &Draft<'_>, page: &Summary) -> Result<Option<i64>, Error> {
        if draft.content.len() as u64 != page.size || !draft.is_headed_like(&page.title, &page.tags) {
            return Ok(Some(page.version));
        }
        let post = self.wiki.post(page.post_id)?;
        Ok((!draft.is_like(&post)).then_some(post.version))
    }

    /// The page as the file has it, for anybody.
    fn draft<'s>(&'s self, source: &'s Source) -> Draft<'s> {
        Draft {
            user_id: 0,
            title: source.front.title.as_deref(),
            slug: None,
            content: source.content(),
            tags: source.front.tags.as_deref(),
            comment: self.comment,
            created_time: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake::{Fake, Reply};
    use crate::http::{Http, Settings, Token};
    use std::path::PathBuf;

    const NONE: Reply = Reply::Status(200, r#"{"posts": [], "next": null}"#);
    const ADA: Reply = Reply::Status(200, r#"{"users": [{"id": 1, "username": "ada", "name": "ada"}], "next": null}"#);
    const NOBODY: Reply = Reply::Status(200, r#"{"users": [], "next": null}"#);
    const EDITOR: Reply =
        Reply::Status(200, r#"{"user_id": 7, "username": "bob", "role": "editor", "scope": "write"}"#);
    const READER: Reply =
        Reply::Status(200, r#"{"user_id": 7, "username": "bob", "role": "reader", "scope": "write"}"#);
    const ADMINISTRATOR: Reply =
        Reply::Status(200, r#"{"user_id": 7, "username": "bob", "role": "administrator", "scope": "admin"}"#);
    const BY_GRACE: &str = "---\nauthor: grace\n---\n# A\n";
    const TAKEN: Reply = Reply::Status(409, r#"{"detail": "The slug \"a\" is already taken."}"#);
    const LISTED: Reply = Reply::Status(
        200,
        r#"{"posts": [{"post_id": 5, "title": "A", "slug": "a", "tags": [], "version": 1, "size": 4}], "next": null}"#,
    );
    const SAME: Reply = Reply::Status(
        200,
        r##"{"post_id": 5, "user_id": 1, "title": "A", "slug": "a", "content": "# A\n", "tags": [], "version": 1, "created_time": ""}"##,
    );
    const OTHER: Reply = Reply::Status(
        200,
        r##"{"post_id": 5, "user_id": 1, "title": "A", "slug": "a", "content": "# B\n", "tags": [], "version": 3, "created_time": ""}"##,
    );

    /// What becomes of the file `a.md` with `# A` in it when the wiki answers so, and what the wiki is asked.
    fn import<const N: usize>(replies: [Reply; N], dry_run: bool) -> (Result<Done, Failure>, Vec<String>) {
        let fake = Fake::start(replies);
        let done = sync("# A\n", &Wiki::new(fake.http()), Some("ada"), dry_run);
        (done, asked(&fake))
    }

    /// The same with a token, for a file with `text` in it, and nobody named on the command line.
    fn import_with_token<const N: usize>(text: &str, replies: [Reply; N]) -> (Result<Done, Failure>, Vec<String>) {
        let fake = Fake::start(replies);
        let token = Some(Token::new("wasiki_1_s3cret").unwrap());
        let wiki = Wiki::new(Http::new(Settings { token, ..fake.settings() }));
        let done = sync(text, &wiki, None, false);
        // The last request writes, and its body says as whom.
        let written = fake.requests().last().unwrap().lines().last().unwrap().to_owned();
        (done, asked(&fake).into_iter().chain([written]).collect())
    }

    fn sync(text: &str, wiki: &Wiki, author: Option<&str>, dry_run: bool) -> Result<Done, Failure> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.md");
        std::fs::write(&path, text).unwrap();
        let args = Import { folder: PathBuf::new(), jobs: 1, comment: None, dry_run };
        let item = Item { path, file: "a.md".into(), slug: "a".into() };
        Sync::new(wiki, &args, Writer::new(wiki, author).unwrap()).item(&item)
    }

    fn asked(fake: &Fake) -> Vec<String> {
        fake.requests().iter().map(|it| it.lines().next().unwrap().replace(" HTTP/1.1", "")).collect()
    }

    #[test]
    fn a_token_that_does_not_write_as_others_writes_as_its_owner() {
        let (done, asked) = import_with_token(BY_GRACE, [EDITOR, NONE, Reply::Status(201, "{}")]);
        assert_eq!(done.unwrap(), Done::Created);
        assert_eq!(asked[..3], ["GET /account", "GET /posts?slug=a", "POST /posts"]);
        assert!(asked[3].starts_with("{\"user_id\":7,"), "{asked:?}");

        let (done, asked) = import_with_token("# A\n", [EDITOR, LISTED, OTHER, SAME]);
        assert_eq!(done.unwrap(), Done::Updated);
        assert!(asked[4].starts_with("{\"user_id\":7,"), "{asked:?}");
    }

    #[test]
    fn an_administrators_token_writes_as_the_author_a_file_names() {
        let (created, saved) = (Reply::Status(201, r#"{"id": 9, "username": "grace"}"#), Reply::Status(201, "{}"));
        let (done, asked) = import_with_token(BY_GRACE, [ADMINISTRATOR, NONE, NOBODY, created, saved]);
        assert_eq!(done.unwrap(), Done::Created);
        assert_eq!(asked[2..5], ["GET /users?username=grace", "POST /users", "POST /posts"]);
        assert!(asked[5].starts_with("{\"user_id\":9,"), "{asked:?}");
    }

    #[test]
    fn a_protected_page_is_one_failure_and_what_a_token_does_not_reach_ends_everything() {
        let protected = Reply::Status(403, r#"{"detail": "The page is protected."}"#);
        let (done, _) = import_with_token("# A\n", [EDITOR, LISTED, OTHER, protected]);
        assert!(matches!(done, Err(Failure::File { message, .. }) if message.starts_with("The page is protected.")));
        let scope = "www-authenticate: Bearer realm=\"wasiki\", error=\"insufficient_scope\", scope=\"write\"\r\n";
        let scope = Reply::With(403, scope, r#"{"detail": "The token's scope does not reach that far."}"#);
        let role = Reply::Status(403, r#"{"detail": "Your account is a reader's."}"#);
        for (account, refusal) in [(EDITOR, scope), (READER, role), (EDITOR, Reply::Status(403, "<html>"))] {
            let (done, _) = import_with_token("# A\n", [account, LISTED, OTHER, refusal]);
            assert!(matches!(done, Err(Failure::Everything(_))), "{refusal:?}");
            let (done, _) = import_with_token("# A\n", [account, NONE, refusal]);
            assert!(matches!(done, Err(Failure::Everything(_))), "{refusal:?}");
        }
    }

    #[test]
    fn a_page_that_is_missing_is_created() {
        let (done, requests) = import([NONE, ADA, Reply::Status(201, "{}")], false);
        assert_eq!(done.unwrap(), Done::Created);
        assert_eq!(requests, ["GET /posts?slug=a", "GET /users?username=ada", "POST /posts"]);
    }

    #[test]
    fn a_page_whose_creation_was_answered_to_nobody_is_created_once() {
        let (done, requests) = import([NONE, ADA, Reply::HangUp, TAKEN, LISTED, SAME], false);
        assert_eq!(done.unwrap(), Done::Created);
        assert_eq!(requests.iter().filter(|it| *it == "POST /posts").count(), 2);
    }

    #[test]
    fn a_page_somebody_else_created_meanwhile_stays_theirs() {
        let (done, _) = import([NONE, ADA, TAKEN, LISTED, OTHER], false);
        assert!(matches!(done, Err(Failure::File { message, .. }) if message.contains("already taken")));
    }

    #[test]
    fn a_page_that_is_the_same_is_left_alone() {
        let (done, requests) = import([LISTED, SAME], false);
        assert_eq!(done.unwrap(), Done::Unchanged);
        assert_eq!(requests, ["GET /posts?slug=a", "GET /posts/5"]);
    }

    #[test]
    fn a_page_that_differs_is_edited_as_it_was_read() {
        let (done, requests) = import([LISTED, OTHER, ADA, SAME], false);
        assert_eq!(done.unwrap(), Done::Updated);
        assert_eq!(requests[3], "PUT /posts/5");
    }

    #[test]
    fn an_edit_in_between_is_not_lost() {
        let edited = Reply::Status(412, r#"{"detail": "Edited."}"#);
        let (done, _) = import([LISTED, OTHER, ADA, edited], false);
        assert!(matches!(done, Err(Failure::File { message, .. }) if message.contains("Run again")));
    }

    #[test]
    fn a_dry_run_writes_nothing() {
        assert_eq!(import([NONE], true).0.unwrap(), Done::Created);
        assert_eq!(import([LISTED, OTHER], true).0.unwrap(), Done::Updated);
        assert_eq!(import([LISTED, SAME], true).0.unwrap(), Done::Unchanged);
    }

    #[test]
    fn a_wiki_that_is_away_ends_everything_and_a_refusal_only_this() {
        let away = Reply::Status(503, "");
        assert!(matches!(import([away; 5], false).0, Err(Failure::Everything(_))));
        assert!(matches!(import([Reply::Status(401, "")], false).0, Err(Failure::Everything(_))));
        let (done, _) = import([NONE, ADA, Reply::Status(422, r#"{"detail": "slug: no."}"#)], false);
        assert!(matches!(done, Err(Failure::File { message, .. }) if message == "slug: no."));
    }
}
