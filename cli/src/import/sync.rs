//! Brings one page up to date with its file.

use std::sync::OnceLock;

use super::scan::{self, Item, Reason, Source};
use crate::args::Import;
use crate::authors::{self, Authors};
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
    authors: Authors<'a>,
    author: Option<&'a str>,
    system: OnceLock<Result<String, String>>,
    comment: Option<&'a str>,
    dry_run: bool,
}

impl<'a> Sync<'a> {
    /// For pages of `wiki`. `author` writes where a file names nobody, and makes all edits.
    pub fn new(wiki: &'a Wiki, args: &'a Import, author: Option<&'a str>) -> Self {
        let (comment, dry_run) = (args.comment.as_deref(), args.dry_run);
        Self { wiki, authors: Authors::new(wiki), author, system: OnceLock::new(), comment, dry_run }
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
        let author = match &source.front.author {
            Some(author) => author,
            None => self.author()?,
        };
        let draft = Draft {
            user_id: self.authors.number(author)?,
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
        let draft = Draft { user_id: self.authors.number(self.author()?)?, ..draft };
        match self.wiki.update(page.post_id, version, &draft) {
            // The wiki may see no difference where this program saw one.
            Ok(body) if parse::<Post>(&body)?.version == version => Ok(Done::Unchanged),
            Ok(_) => Ok(Done::Updated),
            Err(error) if error.status() == Some(412) => {
                let message = "the page was edited while this was imported. Run again to replace that edit";
                Err(Failure::File { line: None, message: message.to_owned() })
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

    /// Who runs the import.
    fn author(&self) -> Result<&str, Failure> {
        if let Some(author) = self.author {
            return Ok(author);
        }
        let system = self.system.get_or_init(|| authors::of_the_system().map_err(|error| error.to_string()));
        system.as_deref().map_err(|message| Failure::Everything(message.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake::{Fake, Reply};
    use std::path::PathBuf;

    const NONE: Reply = Reply::Status(200, r#"{"posts": [], "next": null}"#);
    const ADA: Reply = Reply::Status(200, r#"{"users": [{"id": 1, "username": "ada", "name": "ada"}], "next": null}"#);
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

    /// What becomes of the file `a.md` with `# A` in it when the wiki answers so.
    fn import<const N: usize>(replies: [Reply; N], dry_run: bool) -> (Result<Done, Failure>, Vec<String>) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.md");
        std::fs::write(&path, "# A\n").unwrap();
        let fake = Fake::start(replies);
        let wiki = Wiki::new(fake.http());
        let args = Import { folder: PathBuf::new(), jobs: 1, comment: None, dry_run };
        let item = Item { path, file: "a.md".into(), slug: "a".into() };
        let done = Sync::new(&wiki, &args, Some("ada")).item(&item);
        let requests = fake.requests().iter().map(|it| it.lines().next().unwrap().replace(" HTTP/1.1", "")).collect();
        (done, requests)
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
