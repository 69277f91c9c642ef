//! Imports one file: creates its page, or edits it if it differs; then sets what else leads to it, and its protection.

use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use sha2::{Digest, Sha256};

use wiki_types::rules::MAX_CONTENT;
use wiki_types::{Post, PostDraft, PostSummary};

use super::failure::FileError;
use super::files::{self, Files, Reference};
use super::index::Index;
use super::left_out::LeftOut;
use super::links;
use super::page::Page;
use super::scan::{self, ImportItem, Options, Source};
use crate::args::Import;
use crate::authors::Writer;
use crate::error;
use crate::wiki::{Wiki, parse};

/// What was done to a page, or would be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
    options: &'a Options,
    index: &'a Index,
    files: Files<'a>,
    /// The files that came with pages.
    attached: Mutex<BTreeSet<PathBuf>>,
    /// The pages that other slugs lead to. Read when first needed.
    redirects: Mutex<Option<HashMap<String, i64>>>,
    /// The spaces by their slugs. Read when first needed.
    spaces: Mutex<Option<HashMap<String, i64>>>,
}

/// A page as it is in the wiki, as far as that is known.
struct Stored {
    id: i64,
    /// `None` if it was not asked for.
    protected: Option<bool>,
}

impl From<Post> for Stored {
    fn from(post: Post) -> Self {
        Self { id: post.post_id, protected: Some(post.protected) }
    }
}

/// How a page of the wiki compares with a file.
enum Compared {
    Equal(Post),
    /// It differs in this version.
    Differs(i64),
}

impl<'a> Importer<'a> {
    /// `writer` makes all edits, and creates the pages of files without an author. `index` has all files of the import.
    pub fn new(wiki: &'a Wiki, args: &'a Import, writer: Writer<'a>, options: &'a Options, index: &'a Index) -> Self {
        let (comment, dry_run) = (args.comment.as_deref(), args.dry_run);
        let (attached, redirects, spaces) = Default::default();
        let files = Files::new(&args.folder);
        Self { wiki, writer, comment, dry_run, options, index, files, attached, redirects, spaces }
    }

    /// The files that came with the pages that were imported so far.
    pub fn attached(&self) -> BTreeSet<PathBuf> {
        self.attached.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Makes the page as its file is. `left_out` counts what of the file the page cannot have.
    pub fn import(&self, item: &ImportItem, left_out: &mut LeftOut) -> Result<Outcome, Error> {
        let Source { page, mut content } = scan::read(&item.path, &item.name, self.options).map_err(Error::File)?;
        if page.slug != item.wanted_slug {
            // Another file may have the new slug.
            return Err(Error::File(FileError::new("its slug changed during the import; run the import again")));
        }
        if !page.is_export {
            let is_there = |destination: &str| self.files.has(destination, &item.path);
            content = links::rewrite(&content, &item.name, self.index, &is_there, left_out);
        }
        if content.len() > MAX_CONTENT {
            let message = format!("has {} bytes with its links; the limit for a page is {MAX_CONTENT}", content.len());
            return Err(Error::File(FileError::new(message)));
        }
        let references = self.files.references(&content, &item.path);
        let mut found = self.wiki.by_slug(&item.slug)?;
        for old in &item.old_slugs {
            found = if found.is_none() { self.wiki.by_slug(old)? } else { found };
        }
        let (outcome, stored) = match found {
            Some(found) => {
                let content = self.with_files(&content, &references, found.post_id, left_out)?;
                self.edit(&page, &content, &found)?
            }
            None => self.create(&page, &content, &references, &item.slug, left_out)?,
        };
        let is_settled = self.settle(item, &page, stored, left_out)?;
        Ok(if outcome == Outcome::Unchanged && !is_settled { Outcome::Updated } else { outcome })
    }

    /// The page is `None` if it was not created, in a dry run.
    fn create(
        &self,
        page: &Page,
        content: &str,
        references: &[Reference],
        slug: &str,
        left_out: &mut LeftOut,
    ) -> Result<(Outcome, Option<Stored>), Error> {
        if self.dry_run {
            self.note_attached(references.iter());
            return Ok((Outcome::Created, None));
        }
        let user_id = match &page.author {
            Some(author) => self.writer.number_of(author)?,
            None => self.writer.number()?,
        };
        let draft = PostDraft {
            slug: Some(slug),
            space_id: page.space.as_deref().map(|space| self.space(space)).transpose()?,
            created_time: page.created.as_deref(),
            updated_time: page.updated.as_deref(),
            ..self.draft(page, content, user_id)
        };
        let created = match self.wiki.create(&draft) {
            Ok(body) => parse::<Post>(&body)?,
            // Created in the meantime: by an attempt of ours whose response was lost, or else by another client.
            Err(error) if error.status() == Some(409) => {
                let Some(found) = self.wiki.by_slug(slug)? else { return Err(error.into()) };
                let Compared::Equal(post) = self.compare(&draft, &found)? else { return Err(error.into()) };
                post
            }
            Err(error) => return Err(error.into()),
        };
        // Files need a page, and its text needs their addresses.
        let with_files = self.with_files(content, references, created.post_id, left_out)?;
        if with_files == content {
            return Ok((Outcome::Created, Some(created.into())));
        }
        let draft = self.draft(page, &with_files, self.writer.number()?);
        let body = self.wiki.update(created.post_id, created.version, &draft).map_err(|error| self.refused(error))?;
        Ok((Outcome::Created, Some(parse::<Post>(&body)?.into())))
    }

    /// `content` with the addresses that the files it refers to have as files of page `id`. Those that the page does not have yet are
    /// added; one that the wiki refuses is left out.
    fn with_files(
        &self,
        content: &str,
        references: &[Reference],
        id: i64,
        left_out: &mut LeftOut,
    ) -> Result<String, Error> {
        if references.is_empty() {
            return Ok(content.to_owned());
        }
        let Some(mut known) = self.wiki.files(id)? else {
            left_out.attachments += references.len();
            return Ok(content.to_owned());
        };
        let mut addresses = Vec::new();
        for reference in references {
            let unread =
                |error| Error::File(FileError::new(format!("{} cannot be read: {error}", reference.path.display())));
            let bytes = fs::read(&reference.path).map_err(unread)?;
            let hash: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
            let is_same = |file: &&wiki_types::File| file.sha256 == hash && file.name == reference.name;
            if let Some(file) = known.iter().find(is_same) {
                addresses.push((reference, file.url.clone()));
                continue;
            }
            if self.dry_run {
                self.note_attached([reference].into_iter());
                continue;
            }
            match self.wiki.add_file(id, &reference.name, files::media_type(&reference.name), bytes) {
                Ok(file) => {
                    addresses.push((reference, file.url.clone()));
                    known.push(file);
                }
                // Too large, empty, or not what its name says.
                Err(error) if matches!(error.status(), Some(413 | 415 | 422)) => {
                    eprintln!("note: {} is left out: {error}", reference.path.display());
                    left_out.attachments += 1;
                }
                Err(error) => return Err(self.refused(error)),
            }
        }
        self.note_attached(addresses.iter().map(|(reference, _)| *reference));
        Ok(files::replaced(content, &addresses))
    }

    fn note_attached<'r>(&self, references: impl Iterator<Item = &'r Reference>) {
        let mut attached = self.attached.lock().unwrap_or_else(PoisonError::into_inner);
        attached.extend(references.map(|reference| reference.path.clone()));
    }

    fn edit(&self, page: &Page, content: &str, found: &PostSummary) -> Result<(Outcome, Option<Stored>), Error> {
        // The user is not compared, and requested only for an edit.
        let draft = self.draft(page, content, 0);
        let version = match self.compare(&draft, found)? {
            Compared::Equal(post) => return Ok((Outcome::Unchanged, Some(post.into()))),
            Compared::Differs(version) => version,
        };
        if self.dry_run {
            return Ok((Outcome::Updated, Some(Stored { id: found.post_id, protected: None })));
        }
        // Not the author in the file, who created the page: this edit is made by whoever runs the import.
        let draft = PostDraft { user_id: self.writer.number()?, ..draft };
        match self.wiki.update(found.post_id, version, &draft) {
            Ok(body) => {
                let post: Post = parse(&body)?;
                // The wiki may find no difference after all.
                let outcome = if post.version == version { Outcome::Unchanged } else { Outcome::Updated };
                Ok((outcome, Some(post.into())))
            }
            Err(error) if error.status() == Some(412) => Err(Error::File(FileError::new(
                "the page was edited during the import; run the import again to replace that edit",
            ))),
            Err(error) => Err(self.refused(error)),
        }
    }

    /// Makes aliases lead to the page, and protects it. Returns whether there was nothing to do.
    fn settle(
        &self,
        item: &ImportItem,
        page: &Page,
        stored: Option<Stored>,
        left_out: &mut LeftOut,
    ) -> Result<bool, Error> {
        let is_protected = stored.as_ref().and_then(|it| it.protected).unwrap_or_default();
        let protect = page.protected.filter(|wanted| *wanted != is_protected);
        if protect.is_some() && !self.writer.administers() {
            left_out.protections += 1;
        }
        let Some(Stored { id, .. }) = stored else { return Ok(true) };
        let mut was_settled = true;
        for alias in &item.aliases {
            if self.leads_to(alias, id)? {
                continue;
            }
            was_settled = false;
            if self.dry_run {
                continue;
            }
            match self.wiki.set_redirect(alias, id) {
                Ok(()) => {}
                Err(error) if error.status() == Some(409) => left_out.aliases += 1,
                Err(error) => return Err(self.refused(error)),
            }
        }
        if let Some(protected) = protect.filter(|_| self.writer.administers()) {
            was_settled = false;
            if !self.dry_run {
                self.wiki.set_protection(id, protected)?;
            }
        }
        Ok(was_settled)
    }

    /// The number of the space with this slug. What is not for everybody must not come into another one.
    fn space(&self, slug: &str) -> Result<i64, Error> {
        let mut spaces = self.spaces.lock().unwrap_or_else(PoisonError::into_inner);
        let spaces = match &mut *spaces {
            Some(spaces) => spaces,
            unread => unread.insert(self.wiki.spaces()?),
        };
        let missing =
            || FileError::new(format!("the wiki has no space {slug:?}: create it first, with the rights it needs"));
        spaces.get(slug).copied().ok_or_else(|| Error::File(missing()))
    }

    /// Brings a page that was created to its place, below the page with the slug `parent`. Returns whether there is such a page.
    pub fn place(&self, slug: &str, parent: &str) -> Result<bool, Error> {
        let (Some(page), Some(parent)) = (self.wiki.by_slug(slug)?, self.wiki.by_slug(parent)?) else {
            return Ok(false);
        };
        if page.parent_id == Some(parent.post_id) {
            return Ok(true);
        }
        match self.wiki.relocate(page.post_id, parent.post_id) {
            Ok(()) => Ok(true),
            // Below itself, too deep, or in another space.
            Err(error) if matches!(error.status(), Some(404 | 409)) => Ok(false),
            Err(error) => Err(self.refused(error)),
        }
    }

    /// Whether `slug` led to page `id` when this was first asked.
    fn leads_to(&self, slug: &str, id: i64) -> Result<bool, error::Error> {
        let mut redirects = self.redirects.lock().unwrap_or_else(PoisonError::into_inner);
        let redirects = match &mut *redirects {
            Some(redirects) => redirects,
            unread => unread.insert(self.wiki.redirects()?),
        };
        Ok(redirects.get(slug) == Some(&id))
    }

    /// A protected page is one failure; others are not protected. A reader, however, can edit none.
    fn refused(&self, error: error::Error) -> Error {
        match error {
            error::Error::Refused(refusal) if refusal.is_protection() && !self.writer.is_reader() => {
                Error::File(FileError::new(refusal.to_string()))
            }
            error => error.into(),
        }
    }

    /// The content is requested only if all else is equal.
    fn compare(&self, draft: &PostDraft<'_>, page: &PostSummary) -> Result<Compared, Error> {
        let same_size = i64::try_from(draft.content.len()).is_ok_and(|size| size == page.size);
        if !same_size || !draft.matches_title_and_tags(&page.title, &page.tags) {
            return Ok(Compared::Differs(page.version));
        }
        let post = self.wiki.post(page.post_id)?;
        Ok(if draft.matches(&post) { Compared::Equal(post) } else { Compared::Differs(post.version) })
    }

    fn draft<'s>(&'s self, page: &'s Page, content: &'s str, user_id: i64) -> PostDraft<'s> {
        PostDraft {
            user_id,
            title: page.title.as_deref(),
            slug: None,
            space_id: None,
            parent_id: None,
            content,
            tags: page.tags.as_deref(),
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
    const TAKEN: Reply = Reply::Status(409, r#"{"detail": "The slug \"a\" is already taken."}"#);
    const BY_GRACE: &str = "---\nauthor: grace\n---\n# A\n";

    fn created() -> Reply {
        Reply::json(201, &post(1, "# A\n"))
    }

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
        let args = Import { folder: PathBuf::new(), jobs: 1, comment: None, drafts: false, encoding: None, dry_run };
        let options = Options::new(folder.path(), false, None);
        let found = scan::scan(folder.path(), &options).unwrap();
        let (item, index) = (&found.items[0], found.index());
        let importer = Importer::new(wiki, &args, Writer::new(wiki, author).unwrap(), &options, &index);
        importer.import(item, &mut LeftOut::default())
    }

    fn asked(fake: &Fake) -> Vec<String> {
        fake.requests().iter().map(|it| it.lines().next().unwrap().replace(" HTTP/1.1", "")).collect()
    }

    #[test]
    fn most_tokens_write_as_their_owner() {
        let (done, asked) = import_with_token(BY_GRACE, [account("editor"), NO_PAGE, created()]);
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
        let (done, asked) = import_with_token(BY_GRACE, [account("administrator"), NO_PAGE, NO_USER, grace, created()]);
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
        let (done, requests) = import([NO_PAGE, ada(), created()], false);
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

    #[test]
    fn aliases_and_protection_are_set_once() {
        const FRONT: &str = "---\naliases: [old, older]\nprotected: true\n---\n# A\n";
        let redirects = |slugs: &[&str]| {
            let items: Vec<_> = slugs.iter().map(|slug| serde_json::json!({"slug": slug, "post_id": 5})).collect();
            Reply::list("redirects", &items)
        };
        let done = Reply::Status(200, "{}");
        let (outcome, asked) = import_with_token(
            FRONT,
            [account("administrator"), NO_PAGE, created(), redirects(&["older"]), done, same()],
        );
        assert_eq!(outcome.unwrap(), Outcome::Created);
        assert_eq!(
            asked[2..6],
            ["POST /posts", "GET /redirects?limit=200", "PUT /redirects/old", "PUT /posts/5/protection"]
        );

        let mut protected = post(1, "# A\n");
        protected["protected"] = true.into();
        let equal = [account("administrator"), listed(), Reply::json(200, &protected), redirects(&["old", "older"])];
        assert_eq!(import_with_token(FRONT, equal).0.unwrap(), Outcome::Unchanged);
        let missing = [account("administrator"), listed(), Reply::json(200, &protected), redirects(&["old"]), done];
        let (outcome, asked) = import_with_token(FRONT, missing);
        assert_eq!((outcome.unwrap(), asked[4].as_str()), (Outcome::Updated, "PUT /redirects/older"));
        // Without the right to protect pages, there is nothing to ask for.
        let editor = [account("editor"), listed(), same(), redirects(&["old", "older"])];
        assert_eq!(import_with_token(FRONT, editor).0.unwrap(), Outcome::Unchanged);
    }
}
