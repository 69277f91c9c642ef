//! The commands for one page: get, put, delete, restore.

use std::io::Read;
use std::path::Path;

use anyhow::{Context, anyhow, ensure};
use wiki_types::{Post, PostDraft, Revision};

use crate::args::{Delete, Get, Global, Put};
use crate::authors::Writer;
use crate::error::Error;
use crate::output;
use crate::wiki::{Wiki, parse};

/// `wasiki get`: the Markdown byte for byte, or everything as JSON.
pub fn get(wiki: &Wiki, global: &Global, args: &Get) -> anyhow::Result<()> {
    let id = wiki.page_number(&args.page)?;
    let body = match args.revision {
        None => wiki.get(&format!("/posts/{id}")).map_err(|error| error.or_no_page(&args.page))?,
        Some(version) => wiki.get(&format!("/posts/{id}/revisions/{version}"))?,
    };
    if global.json {
        return Ok(output::body(&body)?);
    }
    let content = match args.revision {
        None => parse::<Post>(&body)?.content,
        Some(_) => parse::<Revision>(&body)?.content,
    };
    Ok(output::bytes(content.as_bytes())?)
}

/// `wasiki put`: edits the current version of the page, or the one given, or creates the page.
pub fn put(wiki: &Wiki, global: &Global, args: &Put) -> anyhow::Result<()> {
    let content = read(&args.file)?;
    let tags: Option<Vec<String>> =
        args.tags.as_ref().map(|tags| tags.iter().filter(|tag| !tag.is_empty()).cloned().collect());
    let before = match wiki.find_page(&args.page)? {
        Some(id) => Some(wiki.post(id).map_err(|error| error.or_no_page(&args.page))?),
        None => None,
    };
    let draft = PostDraft {
        user_id: Writer::new(wiki, global.author.as_deref())?.number()?,
        title: args.title.as_deref(),
        slug: None,
        space_id: None,
        parent_id: None,
        content: &content,
        tags: tags.as_deref(),
        comment: args.comment.as_deref(),
        created_time: None,
        updated_time: None,
    };
    let body = match &before {
        Some(post) => edit(wiki, post, args.version, &draft)?,
        None => {
            ensure!(args.version.is_none(), "there is no page {:?}; leave --version out to create it", args.page);
            create(wiki, &args.page, draft)?
        }
    };
    if global.json {
        return Ok(output::body(&body)?);
    }
    let after: Post = parse(&body)?;
    let what = match before {
        None => "created",
        Some(before) if before.version == after.version => "unchanged",
        Some(_) => "edited",
    };
    Ok(output::line(&format!("{what} {} (number {}, version {})", after.slug, after.post_id, after.version))?)
}

fn edit(wiki: &Wiki, post: &Post, version: Option<i64>, draft: &PostDraft<'_>) -> Result<Vec<u8>, Error> {
    let version = version.unwrap_or(post.version);
    wiki.update(post.post_id, version, draft).map_err(|error| match error.status() {
        Some(412) => Error::Conflict(format!(
            "nothing was saved: your text is based on version {version} of {slug:?}, but the page was edited since. \
             Merge your text with the current one (`wasiki get {slug}`), then pass the version you merged with as \
             --version (`wasiki history {slug}` lists versions)",
            slug = post.slug
        )),
        _ => error,
    })
}

/// Creates a page. If its slug is taken, an earlier attempt of ours may have succeeded while its response was lost: the
/// page then has exactly the content that was sent.
fn create(wiki: &Wiki, slug: &str, draft: PostDraft<'_>) -> Result<Vec<u8>, Error> {
    match wiki.create(&PostDraft { slug: Some(slug), ..draft }) {
        Err(error) if error.status() == Some(409) => {
            let Some(post) = wiki.by_slug(slug)? else { return Err(error) };
            let body = wiki.get(&format!("/posts/{}", post.post_id))?;
            if draft.matches(&parse(&body)?) { Ok(body) } else { Err(error) }
        }
        result => result,
    }
}

/// The text of a file, or of standard input for `-`.
fn read(file: &Path) -> anyhow::Result<String> {
    let (bytes, name) = if file == Path::new("-") {
        let mut bytes = Vec::new();
        std::io::stdin().lock().read_to_end(&mut bytes).context("cannot read standard input")?;
        (bytes, "standard input".to_owned())
    } else {
        let name = file.display().to_string();
        (std::fs::read(file).with_context(|| format!("cannot read {name}"))?, name)
    };
    String::from_utf8(bytes).map_err(|error| anyhow!("{name} is not UTF-8 (byte {})", error.utf8_error().valid_up_to()))
}

pub fn delete(wiki: &Wiki, global: &Global, args: &Delete) -> anyhow::Result<()> {
    let id = wiki.page_number(&args.page)?;
    let post = wiki.post(id).map_err(|error| error.or_no_page(&args.page))?;
    match wiki.delete(id, args.version, args.below) {
        Ok(()) => {}
        // It existed a moment ago, so it is deleted now: by us, if the response to the first attempt was lost.
        Err(error) if error.status() == Some(404) => {}
        Err(error) if error.status() == Some(412) => {
            let message = format!("nothing was deleted: {:?} was edited since that version", post.slug);
            return Err(Error::Conflict(message).into());
        }
        Err(error) => return Err(error.into()),
    }
    if global.json {
        return Ok(output::json(&serde_json::json!({"post_id": id, "slug": post.slug, "deleted": true}))?);
    }
    let what = if args.below { " and everything below it" } else { "" };
    Ok(output::line(&format!("deleted {}{what}; to restore it: wasiki restore {id}", post.slug))?)
}

pub fn restore(wiki: &Wiki, global: &Global, number: i64) -> anyhow::Result<()> {
    let body = wiki.restore(number).map_err(|error| error.or_no_page(&number.to_string()))?;
    if global.json {
        return Ok(output::body(&body)?);
    }
    let post: Post = parse(&body)?;
    Ok(output::line(&format!("restored {} (number {}, version {})", post.slug, post.post_id, post.version))?)
}
